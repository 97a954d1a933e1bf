"""Scores of k nearest neighbours from lists of the rows that can be neighbours.

A validation row's ``k`` nearest original rows never change, and of the pool only the rows that
are nearer than the k-th of them can ever displace one. These few (10 to 20 on average) are listed
once per validation row; an episode walks the lists.

Ties. scikit-learn's brute force pushes the training rows, in their order, onto a heap that keeps
the ``k`` smallest distances; a row at exactly the largest kept distance is rejected, and which
of several largest rows is displaced by a nearer one follows from the heap's layout. The scorer
keeps the same heap: it is filled with the original rows once, and an episode pushes its rows in
pool order onto a copy. Exact ties are therefore settled as brute force settles them wherever its
distances are exact, as on one-hot data (it takes them from a matrix product; elsewhere rounding
decides its ties). scikit-learn's trees, its choice below 16 features, push the rows in the order of
the tree's leaves, which depends on all rows of the episode: there, a prediction can differ where
the k-th and the next distance are equal and the tied rows' labels are not. The same holds where
rows outside the pool are added: they are pushed box by box, without the boxes that are too far.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from autosmote.scoring.kernels.distances import Boxes, squared_distances, squared_distances_to_boxes
from autosmote.scoring.parameters import counts_euclidean_neighbours

_BLOCK = 256
"""Rows whose distances are computed together; few enough to stay in the L1 and L2 caches."""

_BOX = 128
"""Most rows outside the pool whose distances are computed, or skipped, together."""


class KnnScorer:
    """Predicts as ``KNeighborsClassifier`` with uniform weights and Euclidean distance."""

    name = "knn"
    tolerance: ClassVar[float | None] = None
    """Not compared: a refit would start OpenMP's threads in a process that is to be forked."""

    @staticmethod
    def supports(estimator: Any, X_train: NDArray[np.float64]) -> bool:
        from sklearn.neighbors import KNeighborsClassifier

        if type(estimator) is not KNeighborsClassifier:
            return False
        return bool(
            counts_euclidean_neighbours(estimator)
            and estimator.algorithm in ("auto", "brute", "kd_tree", "ball_tree")
            and isinstance(estimator.n_neighbors, int | np.integer)
            and 1 <= estimator.n_neighbors <= len(X_train)
        )

    def __init__(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.integer],
        pool: NDArray[np.float64],
        X_val: NDArray[np.float64],
        memory_bytes: int,
    ) -> None:
        n_val, k = len(X_val), int(estimator.n_neighbors)
        scratch_bytes = 16 * _BLOCK * n_val
        if scratch_bytes > memory_bytes:
            raise MemoryError(f"lists of neighbours for {n_val} validation rows")

        self._X_val = X_val
        self._heap_distance = np.full((n_val, k), np.inf)
        self._heap_label = np.zeros((n_val, k), dtype=np.int8)
        for start in range(0, len(X_train), _BLOCK):
            block = np.ascontiguousarray(X_train[start : start + _BLOCK].T)
            labels = y_train[start : start + _BLOCK].astype(np.int8)
            _push_block(block, labels, X_val, self._heap_distance, self._heap_label)

        val_row = np.empty(_BLOCK * n_val, dtype=np.int32)
        pool_row = np.empty(_BLOCK * n_val, dtype=np.int32)
        distance = np.empty(_BLOCK * n_val)
        parts, n_entries = [], 0
        for start in range(0, len(pool), _BLOCK):
            block = np.ascontiguousarray(pool[start : start + _BLOCK].T)
            found = _find_nearer(
                block, start, X_val, self._heap_distance, val_row, pool_row, distance
            )
            n_entries += found
            # Twice: the parts and the lists made of them exist side by side for a moment.
            if scratch_bytes + 2 * 16 * n_entries > memory_bytes:
                raise MemoryError(f"more than {n_entries} entries in the lists of neighbours")
            parts.append((val_row[:found].copy(), pool_row[:found].copy(), distance[:found].copy()))

        owner = np.concatenate([p[0] for p in parts]) if parts else val_row[:0]
        order = np.argsort(owner, kind="stable")  # stable: each list stays in pool order
        self._starts = np.zeros(n_val + 1, dtype=np.int64)
        np.cumsum(np.bincount(owner, minlength=n_val), out=self._starts[1:])
        self._rows = np.concatenate([p[1] for p in parts])[order] if parts else pool_row[:0]
        self._distances = np.concatenate([p[2] for p in parts])[order] if parts else distance[:0]

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        return _predict(
            np.ascontiguousarray(counts, dtype=np.int32),
            self._starts,
            self._rows,
            self._distances,
            self._heap_distance,
            self._heap_label,
        )

    def accepts(self, rows: NDArray[np.float64]) -> bool:
        return True

    def predict_added(self, rows: NDArray[np.float64]) -> NDArray[np.int8]:
        distance, label = self._heap_distance.copy(), self._heap_label.copy()
        boxes = Boxes.of(rows, np.ones(len(rows), dtype=np.int8), _BOX)
        _push_boxes(*boxes, self._X_val, distance, label)
        return (2 * label.sum(axis=1) > label.shape[1]).astype(np.int8)


@njit(cache=True)
def _push(distance, label, d, y):
    """Replace the root of a max-heap by a nearer row, by scikit-learn's sift-down."""
    k = len(distance)
    at = 0
    while True:
        left = 2 * at + 1
        right = left + 1
        if left >= k:
            break
        child = left if right >= k or distance[left] >= distance[right] else right
        if not distance[child] > d:
            break
        distance[at] = distance[child]
        label[at] = label[child]
        at = child
    distance[at] = d
    label[at] = y


@njit(cache=True)
def _push_nearer(distances, labels, heap_distance, heap_label):
    """Push those rows, in their order, that are nearer than the farthest row on the heap."""
    for j in range(len(distances)):
        if distances[j] < heap_distance[0]:
            _push(heap_distance, heap_label, distances[j], labels[j])


@njit(cache=True)
def _push_block(columns, labels, X_val, heap_distance, heap_label):
    """Push rows given as columns onto the heap of each validation row."""
    distances = np.empty(columns.shape[1])
    for v in range(len(X_val)):
        squared_distances(columns, X_val[v], distances)
        _push_nearer(distances, labels, heap_distance[v], heap_label[v])


@njit(cache=True)
def _push_boxes(columns, labels, low, high, X_val, heap_distance, heap_label):
    """Push the rows of all boxes that are near enough onto the heap of each validation row."""
    to_box, distances = np.empty(len(columns)), np.empty(columns.shape[2])
    for v in range(len(X_val)):
        squared_distances_to_boxes(X_val[v], low, high, to_box)
        for b in range(len(columns)):
            if to_box[b] < heap_distance[v, 0]:
                squared_distances(columns[b], X_val[v], distances)
                _push_nearer(distances, labels[b], heap_distance[v], heap_label[v])


@njit(cache=True)
def _find_nearer(block, start, X_val, heap_distance, val_row, pool_row, distance):
    """List the pool rows of a block that are nearer than the k-th original row; return how many.

    The first entries of ``val_row``, ``pool_row`` and ``distance`` are written, in pool order for
    each validation row.
    """
    distances = np.empty(block.shape[1])
    found = 0
    for v in range(len(X_val)):
        squared_distances(block, X_val[v], distances)
        for j in range(block.shape[1]):
            if distances[j] < heap_distance[v, 0]:
                val_row[found] = v
                pool_row[found] = start + j
                distance[found] = distances[j]
                found += 1
    return found


@njit(cache=True)
def _predict(counts, starts, rows, distances, heap_distance, heap_label):
    """Return predictions after pushing the counted rows of each list onto a copy of its heap."""
    n_val, k = heap_distance.shape
    predictions = np.empty(n_val, dtype=np.int8)
    distance = np.empty(k)
    label = np.empty(k, dtype=np.int8)
    for v in range(n_val):
        positive = 0
        for j in range(k):
            distance[j] = heap_distance[v, j]
            label[j] = heap_label[v, j]
            positive += label[j]
        for t in range(starts[v], starts[v + 1]):
            for _ in range(min(counts[rows[t]], k)):
                if not distances[t] < distance[0]:
                    break
                positive += 1 - label[0]
                _push(distance, label, distances[t], np.int8(1))
        # A draw, possible when k is even, goes to the smaller class.
        predictions[v] = 2 * positive > k
    return predictions
