"""Squared Euclidean distances to rows, and to boxes of rows that are near one another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray


class Boxes(NamedTuple):
    """Rows with labels, in boxes of rows that are near one another; as arrays for kernels.

    Attributes
    ----------
    columns : ndarray of shape (n_boxes, D, n_in_box)
        Rows of a box side by side, feature by feature; shorter boxes end with rows at infinity.
    labels : int8 ndarray of shape (n_boxes, n_in_box)
    low, high : ndarray of shape (D, n_boxes)
        The least and the largest value of each feature in each box.
    """

    columns: NDArray[np.float64]
    labels: NDArray[np.int8]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def of(cls, X: NDArray[np.float64], y: NDArray[np.integer], size: int) -> Boxes:
        """Put rows, shape (n, D), into boxes of at most `size` rows."""
        found = _cut(X, size)
        longest = max(map(len, found))
        columns = np.full((len(found), X.shape[1], longest), np.inf)
        labels = np.zeros((len(found), longest), dtype=np.int8)
        for b, rows in enumerate(found):
            columns[b, :, : len(rows)] = X[rows].T
            labels[b, : len(rows)] = y[rows]
        low = np.ascontiguousarray(columns.min(axis=2).T)
        high = np.array([X[rows].max(axis=0) for rows in found]).T.copy()
        return cls(columns, labels, low, high)


def _cut(X: NDArray[np.float64], size: int) -> list[NDArray[np.intp]]:
    """Cut rows in halves, each time by the feature of the widest range, down to a size."""
    found, left = [], [np.arange(len(X))]
    while left:
        box = left.pop()
        if len(box) <= size:
            found.append(box)
            continue
        inside = X[box]
        widest = int(np.argmax(inside.max(axis=0) - inside.min(axis=0)))
        half = len(box) // 2
        order = np.argpartition(inside[:, widest], half)
        left += [box[order[half:]], box[order[:half]]]
    return found


@njit(cache=True)
def squared_distances(columns, x, out):
    """Fill ``out`` with the squared distances of the row ``x`` to rows given as columns (D, n).

    Sums go feature by feature, as in scikit-learn's trees; the loop over rows is the inner one so
    that it can be vectorised without changing that.
    """
    out[:] = 0.0
    for feature in range(columns.shape[0]):
        value = x[feature]
        column = columns[feature]
        for j in range(columns.shape[1]):
            difference = value - column[j]
            out[j] += difference * difference


@njit(cache=True)
def squared_distances_to_boxes(x, low, high, out):
    """Fill ``out`` with squared distances to boxes.

    As computed, they are never larger than those to any row of the box.
    """
    out[:] = 0.0
    for feature in range(len(x)):
        value, begins, ends = x[feature], low[feature], high[feature]
        for b in range(len(out)):
            outside = max(begins[b] - value, value - ends[b], 0.0)
            out[b] += outside * outside
