"""k nearest neighbours that equal scikit-learn's, from rows in boxes of neighbours.

Below 16 features scikit-learn looks for neighbours in a tree whose inner nodes are visited one by
one. Here the rows lie in some hundred boxes; a query computes its distance to each box, and to the
rows of the few boxes that are near enough, in loops that a processor runs several steps at once.

Which of several equally distant rows are among the k nearest, scikit-learn's tree decides by its
layout. Where that may make a difference, scikit-learn is asked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from autosmote.scoring.scorers.knn import boxes, euclidean_votes, squared_distances

_IN_BOX = 64
"""Most rows in a box."""

_NEAR = 1e-12
"""Squared distances that differ by less, relatively, are taken for equal: another order of
summation, or a multiplication and addition in one, rounds otherwise."""


class BoxedKNeighbors(KNeighborsClassifier):
    """``KNeighborsClassifier`` that predicts the same in less time, where it would use a tree.

    Parameters, methods, attributes and results are those of scikit-learn's class. Data that are no
    arrays of finite numbers, other than two classes, and other distances and weights go
    scikit-learn's own way.
    """

    @staticmethod
    def supports(estimator: Any) -> bool:
        """Whether `estimator` is of scikit-learn's class, with parameters that are known here."""
        return type(estimator) is KNeighborsClassifier and euclidean_votes(estimator)

    def fit(self, X: Any, y: Any) -> BoxedKNeighbors:
        super().fit(X, y)
        self._boxes: _Boxes | None = None  # made when they are asked for
        return self

    def predict(self, X: Any) -> NDArray:
        check_is_fitted(self, "_fit_method")
        if not self._knows(X):
            return super().predict(X)
        rows = validate_data(self, X, order="C", reset=False)
        if self._boxes is None:
            self._boxes = _Boxes(self._fit_X, self._y.ravel())
        codes = self._boxes.votes(rows, int(self.n_neighbors))
        asked = np.flatnonzero(codes < 0)
        predicted = self.classes_[np.maximum(codes, 0)]
        if len(asked):
            predicted[asked] = super().predict(rows[asked])
        return predicted

    def _knows(self, X: Any) -> bool:
        return bool(
            self._fit_method == "kd_tree"
            and euclidean_votes(self)
            and isinstance(self.n_neighbors, int | np.integer)
            and 1 <= self.n_neighbors <= len(self._fit_X)
            and not self.outputs_2d_
            and len(self.classes_) == 2
            and isinstance(X, np.ndarray)
            and X.ndim == 2
            and len(X) > 0
            and X.dtype == self._fit_X.dtype == np.float64
        )


class _Boxes:
    """Rows of a box side by side, feature by feature.

    Columns have shape (n_boxes, D, n_in_box) and labels (n_boxes, n_in_box), both filled up with
    rows at infinity; the least and the largest value of each feature in each box, (D, n_boxes).
    """

    def __init__(self, X: NDArray[np.float64], y: NDArray[np.integer]) -> None:
        found = boxes(X, _IN_BOX)
        longest = max(map(len, found))
        columns = np.full((len(found), X.shape[1], longest), np.inf)
        label = np.zeros((len(found), longest), dtype=np.int8)
        for b, rows in enumerate(found):
            columns[b, :, : len(rows)] = X[rows].T
            label[b, : len(rows)] = y[rows]
        low = np.ascontiguousarray(columns.min(axis=2).T)
        high = np.array([X[rows].max(axis=0) for rows in found]).T.copy()
        self._arrays = columns, label, low, high

    def votes(self, X: NDArray[np.float64], k: int) -> NDArray[np.int8]:
        """The class, 0 or 1, of most of the k nearest rows; -1 where it is not certain."""
        return np.asarray(_votes(X, *self._arrays, k))


@njit(cache=True)
def _votes(X, columns, label, low, high, k):
    """The classes; -1 where rows that are equally distant may decide."""
    n_boxes = len(columns)
    to_box, distances = np.empty(n_boxes), np.empty(columns.shape[2])
    nearest = np.empty(k)  # the k smallest distances, in ascending order
    votes = np.empty(len(X), dtype=np.int8)
    for v in range(len(X)):
        x = X[v]
        _distances_to_boxes(x, low, high, to_box)
        nearest[:] = np.inf
        first = np.argmin(to_box)
        for t in range(-1, n_boxes):
            b = first if t < 0 else t
            if t == first or to_box[b] >= nearest[k - 1]:
                continue
            squared_distances(columns[b], x, distances)
            for j in range(len(distances)):
                if distances[j] < nearest[k - 1]:
                    _insert(nearest, distances[j])

        # Rows that are certainly among the k nearest, and those that compete for the last places.
        below, upto = nearest[k - 1] * (1.0 - _NEAR), nearest[k - 1] * (1.0 + _NEAR)
        certain = certain1 = rivals = rivals1 = 0
        for b in range(n_boxes):
            if to_box[b] > upto:
                continue
            squared_distances(columns[b], x, distances)
            for j in range(len(distances)):
                if distances[j] < below:
                    certain += 1
                    certain1 += label[b, j]
                elif distances[j] <= upto:
                    rivals += 1
                    rivals1 += label[b, j]
        least = certain1 + max(0, k - certain - (rivals - rivals1))
        most = certain1 + min(k - certain, rivals1)
        # A draw, possible when k is even, goes to the smaller class.
        votes[v] = 2 * most > k
        if votes[v] != (2 * least > k):
            votes[v] = -1
    return votes


@njit(cache=True)
def _distances_to_boxes(x, low, high, out):
    """Squared distances to boxes, never more than that to any of their rows as it is computed."""
    out[:] = 0.0
    for feature in range(len(x)):
        value, begins, ends = x[feature], low[feature], high[feature]
        for b in range(len(out)):
            outside = max(begins[b] - value, value - ends[b], 0.0)
            out[b] += outside * outside


@njit(cache=True)
def _insert(ascending, value):
    """Put a value in its place, in place of the last."""
    at = len(ascending) - 1
    while at > 0 and ascending[at - 1] > value:
        ascending[at] = ascending[at - 1]
        at -= 1
    ascending[at] = value
