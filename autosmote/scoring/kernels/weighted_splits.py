"""The best split of weighted rows of any number of classes, from sorted rows.

Impurity, thresholds and the least distance of two values are those of scikit-learn's trees; of
equally good splits the first feature's lowest is taken.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from autosmote.scoring.kernels.presort import FEATURE_THRESHOLD

_NEGLIGIBLE = 1e-14
"""A side with less than this share of the weight is lost in the rounding of the other's sum."""


@njit(cache=True)
def best_split(order, columns, weights, labels, n_classes):
    """Return the feature and threshold with the least Gini impurity; -1 and infinity without one.

    Parameters
    ----------
    order : int32 ndarray of shape (D, n)
        Rows in ascending order of each feature.
    columns : float32 ndarray of shape (D, n)
    weights : float64 ndarray of shape (n,)
    labels : integer ndarray of shape (n,)
        From 0 to ``n_classes - 1``.
    n_classes : int
    """
    n = len(weights)
    of_class = np.zeros(n_classes)
    for r in range(n):
        of_class[labels[r]] += weights[r]
    total = of_class.sum()
    feature, threshold, best = -1, np.inf, -1.0
    left = np.empty(n_classes)
    for f in range(len(order)):
        left[:] = 0.0
        left_total = 0.0
        for p in range(n - 1):
            r = order[f, p]
            left[labels[r]] += weights[r]
            left_total += weights[r]
            below, above = columns[f, r], columns[f, order[f, p + 1]]
            right_total = total - left_total
            if above <= below + FEATURE_THRESHOLD or (
                min(left_total, right_total) <= _NEGLIGIBLE * total
            ):
                continue
            # The weighted impurity is a constant less the sum of these.
            squares = squares_right = 0.0
            for k in range(n_classes):
                squares += left[k] * left[k]
                squares_right += (of_class[k] - left[k]) * (of_class[k] - left[k])
            score = squares / left_total + squares_right / right_total
            if score > best:
                feature, best = f, score
                threshold = np.float64(below) / 2.0 + np.float64(above) / 2.0
    return feature, threshold
