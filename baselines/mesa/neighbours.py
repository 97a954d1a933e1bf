"""Compute k-nearest-neighbour members' probabilities from neighbours that are sorted once.

All members predict the same rows (training and validation part), and each is trained on all
minority rows and some majority rows of the training part. So the training rows are sorted by
distance to each query row once, and a member's vote reads that list until it has found k of the
member's rows. A list ends at the k-th minority row, which no vote reads beyond. Lists are also
cut to a few times the average length that is read under uniform under-sampling, and to the memory
limit; where a vote reaches a cut, the query row's distances to the member's rows are computed.
The votes are exact either way.

Of rows at equal distance the earlier one is nearer. scikit-learn's choice depends on its data
structure, so predictions can differ in ties.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_WALKS = 8
"""Length of a list as a multiple of the average length read under uniform under-sampling."""


def supports(estimator: Any, y_train: NDArray[np.int8]) -> bool:
    """Return whether this module reproduces an estimator's probabilities."""
    from sklearn.neighbors import KNeighborsClassifier

    return (
        isinstance(estimator, KNeighborsClassifier)  # or faster, with equal predictions
        and estimator.weights == "uniform"
        and (estimator.metric, estimator.p) in (("minkowski", 2), ("euclidean", estimator.p))
        and estimator.metric_params is None
        and estimator.n_neighbors <= 2 * int(np.count_nonzero(y_train == 1))
    )


class NeighbourVotes:
    """Share of minority rows among the k nearest, for all training and validation rows.

    Parameters
    ----------
    k : int
    X_train : ndarray of shape (n_train, D)
    y_train : int8 ndarray
        A member's rows must include all rows of class 1, and at least k rows in all.
    X_val : ndarray of shape (n_val, D)
    memory_bytes : int
        Limit on the memory of the lists.
    """

    def __init__(
        self,
        k: int,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.int8],
        X_val: NDArray[np.float64],
        memory_bytes: int,
    ) -> None:
        self._k, self._y = k, np.ascontiguousarray(y_train)
        self._X = np.ascontiguousarray(X_train)
        self._queries = np.concatenate([X_train, X_val])
        n_train, n_query = len(X_train), len(self._queries)
        dtype = np.dtype(np.uint16 if n_train <= 1 << 16 else np.uint32)
        walk = k * n_train / (2 * np.count_nonzero(y_train == 1))
        length = min(n_train, int(_WALKS * walk) + k, memory_bytes // (dtype.itemsize * n_query))
        self._lists = np.empty((n_query, length), dtype=dtype)
        self._lengths = np.zeros(n_query, dtype=np.int64)
        _sort_neighbours(
            np.ascontiguousarray(X_train.T), self._y, self._queries, k, self._lists, self._lengths
        )

    def __call__(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the probabilities of class 1 of a member trained on these (ascending) rows."""
        has = np.zeros(len(self._X), dtype=np.bool_)
        has[rows] = True
        votes, cut = _walk(has, self._y, self._lists, self._lengths, self._k)
        _search(self._X[rows], self._y[rows], self._queries, cut, self._k, votes)
        return votes / self._k


@njit(cache=True)
def _insert(distance, label, d, y):
    """Insert into the ascending list of the k nearest, after equal distances."""
    at = len(distance) - 1
    while at > 0 and distance[at - 1] > d:
        distance[at] = distance[at - 1]
        label[at] = label[at - 1]
        at -= 1
    distance[at] = d
    label[at] = y


@njit(cache=True)
def _sort_neighbours(columns, y, queries, k, lists, lengths):
    """Fill each query's list of training rows, nearest first, and its length."""
    n_features, n_train = columns.shape
    n_kept = lists.shape[1]
    distance = np.empty(n_train)
    near = np.empty(n_train, dtype=np.int64)
    nearest = np.empty(k)
    ignored = np.zeros(k, dtype=np.int8)
    if n_kept == 0:
        return
    for q in range(len(queries)):
        # Summed by feature as in scikit-learn's trees; rows in the inner loop, which vectorises.
        distance[:] = 0.0
        for feature in range(n_features):
            value = queries[q, feature]
            column = columns[feature]
            for j in range(n_train):
                difference = value - column[j]
                distance[j] += difference * difference
        nearest[:] = np.inf
        for j in range(n_train):
            if y[j] == 1 and distance[j] < nearest[k - 1]:
                _insert(nearest, ignored, distance[j], np.int8(1))
        found = 0
        for j in range(n_train):
            if distance[j] <= nearest[k - 1]:
                near[found] = j
                found += 1
        if found > n_kept:
            largest = np.partition(distance[near[:found]], n_kept - 1)[n_kept - 1]
            within = 0
            for t in range(found):
                within += distance[near[t]] < largest
            ties_left = n_kept - within
            kept = 0
            for t in range(found):
                d = distance[near[t]]
                if d < largest or (d == largest and ties_left > 0):
                    ties_left -= d == largest
                    near[kept] = near[t]
                    kept += 1
            found = kept
        order = np.argsort(distance[near[:found]], kind="mergesort")
        for t in range(found):
            lists[q, t] = near[order[t]]
        lengths[q] = found


@njit(cache=True)
def _walk(has, y, lists, lengths, k):
    """Return votes for class 1 of the first k in each list, and queries with too short a list."""
    n_query = len(lengths)
    votes = np.zeros(n_query)
    cut = np.empty(n_query, dtype=np.int64)
    n_cut = 0
    for q in range(n_query):
        met, positive = 0, 0
        for t in range(lengths[q]):
            row = lists[q, t]
            if has[row]:
                met += 1
                positive += y[row]
                if met == k:
                    break
        votes[q] = positive
        if met < k:
            cut[n_cut] = q
            n_cut += 1
    return votes, cut[:n_cut]


@njit(cache=True)
def _search(X, y, queries, cut, k, votes):
    """Set the votes of the queries ``cut`` from the distances to all of a member's rows."""
    distance = np.empty(k)
    label = np.empty(k, dtype=np.int8)
    for q in cut:
        distance[:] = np.inf
        for j in range(len(X)):
            d = 0.0
            for feature in range(X.shape[1]):
                difference = queries[q, feature] - X[j, feature]
                d += difference * difference
            if d < distance[k - 1]:
                _insert(distance, label, d, y[j])
        votes[q] = label.sum()
