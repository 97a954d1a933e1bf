"""What trees and stumps share: rows sorted by feature once, and scikit-learn's feature draws.

scikit-learn's trees work on float32 values, sort a node's rows by each feature, and take the
features in an order drawn by a small generator of their own. Sorting the training part and the
whole pool once per search leaves an episode with picking its rows out of the sorted order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

FEATURE_THRESHOLD = np.float32(1e-7)
"""scikit-learn does not split between values this close (``sklearn.tree._partitioner``)."""

RAND_R_MAX = 2147483647
"""Seeds of a tree's generator are drawn from ``[0, RAND_R_MAX)`` (``sklearn.utils._random``)."""


@dataclass(frozen=True)
class UsedRows:
    """The distinct rows that an episode trains on, numbered anew: training rows, then pool rows.

    Attributes
    ----------
    origin : int32 ndarray of shape (m,)
        Place of each row among all training and pool rows.
    number : int32 ndarray of shape (n_train + n_pool,)
        The inverse: number of each row, -1 where it is not used.
    weight : int32 ndarray of shape (m,)
        How often each row is in the training set.
    """

    origin: NDArray[np.int32]
    number: NDArray[np.int32]
    weight: NDArray[np.int32]

    @property
    def dtype(self) -> type[np.unsignedinteger[Any]]:
        """Type of row numbers: these arrays are moved about more than anything else."""
        return row_dtype(len(self.origin))


def row_dtype(n_rows: int) -> type[np.unsignedinteger[Any]]:
    """Smallest type for the numbers of so many rows."""
    return np.uint16 if n_rows <= 1 << 16 else np.uint32


def used_rows(n_train: int, counts: NDArray[np.integer]) -> UsedRows:
    """Number the training rows and the pool rows with a count."""
    used = np.flatnonzero(counts).astype(np.int32)
    number = np.full(n_train + len(counts), -1, dtype=np.int32)
    number[:n_train] = np.arange(n_train)
    number[n_train + used] = np.arange(n_train, n_train + len(used))
    origin = np.append(np.arange(n_train, dtype=np.int32), n_train + used)
    weight = np.append(np.ones(n_train, np.int32), counts[used].astype(np.int32))
    return UsedRows(origin, number, weight)


def float32_columns(*parts: NDArray[np.float64]) -> NDArray[np.float32]:
    """Stack rows and lay them out feature by feature: shape (D, n), float32, C-contiguous."""
    return np.ascontiguousarray(np.vstack(parts).astype(np.float32).T)


def two_classes(X: Any, y: Any) -> tuple[NDArray, NDArray[np.int8]] | None:
    """The sorted two classes of y and each row's place in them.

    None where X is no array of numbers that are finite as float32, or y none of two integers or
    truth values: what a classifier leaves to scikit-learn, refusing the data included.
    """
    plain = isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind == "f" and X.size > 0
    if not plain or not (np.abs(X) <= np.finfo(np.float32).max).all():
        return None
    if not (isinstance(y, np.ndarray) and y.shape == X.shape[:1] and y.dtype.kind in "biu"):
        return None
    classes = np.array([y.min(), y.max()])
    codes = y == classes[1]
    if classes[0] == classes[1] or not (codes | (y == classes[0])).all():
        return None
    return classes, codes.astype(np.int8)


def sort_columns(columns: NDArray[np.float32]) -> NDArray[np.int32]:
    """Rows in ascending order of each feature, shape (D, n); ties by row."""
    order = np.empty(columns.shape, dtype=np.int32)
    keys = (columns + np.float32(0.0)).view(np.uint32)  # of the two zeros only one
    _radix_sort(keys, order)
    return order


@njit(cache=True)
def _radix_sort(keys, order):
    """Fill ``order`` (D, n) from the bits of float32 numbers, 11 at a time from the lowest."""
    n = keys.shape[1]
    sign = np.uint32(1 << 31)
    key, moved_key = np.empty(n, dtype=np.uint32), np.empty(n, dtype=np.uint32)
    row, moved_row = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    starts = np.empty((3, 2048), dtype=np.int64)
    for feature in range(keys.shape[0]):
        starts[:] = 0
        for r in range(n):
            bits = keys[feature, r]
            # In this form the numbers are in the order of unsigned integers.
            key[r] = ~bits if bits & sign else bits | sign
            row[r] = r
            for digit in range(3):
                starts[digit, (key[r] >> np.uint32(11 * digit)) & np.uint32(2047)] += 1
        for digit in range(3):
            start = np.int64(0)
            for value in range(2048):
                count = starts[digit, value]
                starts[digit, value] = start
                start += count
            for p in range(n):
                value = (key[p] >> np.uint32(11 * digit)) & np.uint32(2047)
                to = starts[digit, value]
                starts[digit, value] += 1
                moved_key[to], moved_row[to] = key[p], row[p]
            key, moved_key = moved_key, key
            row, moved_row = moved_row, row
        order[feature] = row


@njit(cache=True)
def select(order, number, selected):
    """Fill ``selected`` (D, m) with the numbers of the used rows in the order of each feature."""
    n_used = selected.shape[1]
    for feature in range(order.shape[0]):
        filled = 0
        for p in range(order.shape[1]):
            r = number[order[feature, p]]
            # Written first, kept if used: a branch on that would be mispredicted too often.
            if filled < n_used:
                selected[feature, filled] = r
            filled += r >= 0


@njit(cache=True)
def rand_int(low, high, state):
    """Draw from ``[low, high)`` as scikit-learn's trees do; ``state`` is a uint32 array of one."""
    s = np.uint64(state[0])
    if s == 0:
        s = np.uint64(1)
    s ^= (s << np.uint64(13)) & np.uint64(0xFFFFFFFF)
    s ^= s >> np.uint64(17)
    s ^= (s << np.uint64(5)) & np.uint64(0xFFFFFFFF)
    state[0] = s
    return low + np.int64(np.uint32(s & np.uint64(0x7FFFFFFF)) % np.uint32(high - low))
