"""Rows sorted by feature once, and scikit-learn's feature draws, for trees and stumps.

scikit-learn's trees work on float32 values, sort a node's rows by each feature, and visit the
features in an order drawn by a small generator of their own. The training part and the whole pool
are sorted once per search; an episode selects its rows from the sorted order.
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

FEW_VALUES = 16
"""Features with at most so many values over all rows are summed value by value."""


@dataclass(frozen=True)
class UsedRows:
    """The distinct rows that an episode trains on, renumbered: training rows, then pool rows.

    Attributes
    ----------
    origin : int32 ndarray of shape (m,)
        Index of each row among all training and pool rows.
    number : int32 ndarray of shape (n_train + n_pool,)
        The inverse: number of each row, -1 where it is not used.
    weight : int32 ndarray of shape (m,)
        How often each row is in the training set.
    """

    origin: NDArray[np.int32]
    number: NDArray[np.int32]
    weight: NDArray[np.int32]


def row_dtype(n_rows: int) -> type[np.unsignedinteger[Any]]:
    """Return the smallest type for the numbers of so many rows; moving them takes most time."""
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


def tree_seed(random_state: Any) -> np.uint32:
    """Return the seed of the generator that draws a tree's features."""
    return np.uint32(np.random.RandomState(random_state).randint(0, RAND_R_MAX))


def float32_columns(
    *parts: NDArray[np.float64], memory_bytes: float = np.inf
) -> NDArray[np.float32]:
    """Stack rows and lay them out feature by feature: shape (D, n), float32, C-contiguous.

    Raises
    ------
    MemoryError
        When these columns with their orders, for all rows and for an episode's, would take more
        than ``memory_bytes``.
    """
    n_rows, n_features = sum(map(len, parts)), parts[0].shape[1]
    needed = 16 * n_rows * n_features
    if needed > memory_bytes:
        raise MemoryError(f"{n_rows} rows sorted by {n_features} features: {needed} bytes")
    return np.ascontiguousarray(np.vstack(parts).astype(np.float32).T)


def two_classes(X: Any, y: Any) -> tuple[NDArray, NDArray[np.int8]] | None:
    """Return the two classes of y, sorted, and each row's class as 0 or 1.

    None unless X is an array of numbers that are finite as float32, and y one of two integers or
    booleans: a drop-in classifier leaves other data to scikit-learn, which may refuse them.
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
    """Return the rows in ascending order of each feature, shape (D, n); ties by row."""
    order = np.empty(columns.shape, dtype=np.int32)
    keys = (columns + np.float32(0.0)).view(np.uint32)  # -0.0 becomes 0.0
    _radix_sort(keys, order)
    return order


@njit(cache=True)
def _radix_sort(keys, order):
    """Fill ``order`` (D, n) by sorting float32 numbers by 11 bits at a time, the lowest first."""
    n = keys.shape[1]
    sign = np.uint32(1 << 31)
    key, moved_key = np.empty(n, dtype=np.uint32), np.empty(n, dtype=np.uint32)
    row, moved_row = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    starts = np.empty((3, 2048), dtype=np.int64)
    for feature in range(keys.shape[0]):
        starts[:] = 0
        for r in range(n):
            bits = keys[feature, r]
            # In this form, floating-point numbers sort as unsigned integers.
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
def find_levels(columns):
    """Return the values of each feature that has few: sorted, shape (D, 16), and their number.

    The number is -1, and the values are arbitrary, where there are more than few.
    """
    levels = np.zeros((len(columns), FEW_VALUES), dtype=np.float32)
    n_levels = np.empty(len(columns), dtype=np.int64)
    for feature in range(len(columns)):
        n_levels[feature] = _find_levels(columns[feature], levels[feature])
    return levels, n_levels


@njit(cache=True)
def _find_levels(column, levels):
    """Fill ``levels`` with a column's values, ascending; return their number, -1 if too many."""
    n_levels = 0
    for value in column:
        k = n_levels
        while k > 0 and levels[k - 1] > value:
            k -= 1
        if k > 0 and levels[k - 1] == value:
            continue
        if n_levels == len(levels):
            return -1
        for other in range(n_levels, k, -1):
            levels[other] = levels[other - 1]
        levels[k] = value
        n_levels += 1
    return n_levels


@njit(cache=True)
def select(order, number, selected):
    """Fill ``selected`` (D, m) with the numbers of the used rows in the order of each feature."""
    n_used = selected.shape[1]
    for feature in range(order.shape[0]):
        filled = 0
        for p in range(order.shape[1]):
            r = number[order[feature, p]]
            # Written first, kept if used: a branch here would be mispredicted too often.
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
