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
        """Smallest type for row numbers: these arrays are moved about more than anything else."""
        return np.uint16 if len(self.origin) <= 1 << 16 else np.uint32


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


def sort_columns(columns: NDArray[np.float32]) -> NDArray[np.int32]:
    """Rows in ascending order of each feature, shape (D, n); ties by row."""
    order = np.empty(columns.shape, dtype=np.int32)
    for feature, column in enumerate(columns):
        order[feature] = np.argsort(column, kind="stable")
    return order


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
