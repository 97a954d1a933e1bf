"""Predictions of grown trees (`tree_growth.grow`)."""

from __future__ import annotations

import numpy as np
from numba import njit

from autosmote.scoring.kernels.splitting import unpack


@njit(cache=True)
def _find_leaf(row, feature, threshold, left, right):
    """Return the leaf of a grown tree that a float32 row falls into."""
    node = 0
    while left[node] > 0:
        is_left = np.float64(row[feature[node]]) <= threshold[node]
        node = left[node] if is_left else right[node]
    return node


@njit(cache=True)
def apply(X, feature, threshold, left, right, weight):
    """Return the predictions of a grown tree for float32 rows ``X``."""
    predictions = np.empty(len(X), dtype=np.int8)
    for v in range(len(X)):
        weight0, weight1 = unpack(weight[_find_leaf(X[v], feature, threshold, left, right)])
        predictions[v] = weight1 > weight0
    return predictions


@njit(cache=True, error_model="numpy")
def add_probabilities(sums, X, feature, threshold, left, right, weight):
    """Add a grown tree's class probabilities for float32 rows ``X`` to ``sums``, shape (n, 2)."""
    for v in range(len(X)):
        leaf = _find_leaf(X[v], feature, threshold, left, right)
        weight0, weight1 = unpack(weight[leaf])
        sums[v, 0] += weight0 / (weight0 + weight1)
        sums[v, 1] += weight1 / (weight0 + weight1)
