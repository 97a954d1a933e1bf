"""Boosting of decision stumps as in scikit-learn's AdaBoost (SAMME), from sorted rows.

The formulas are scikit-learn's: normalised weights, not below the machine epsilon per repeated row;
float32 values, thresholds midway between neighbours; error, stump weight and early stops; features
in the order that the stump's ``random_state`` draws. Sums are formed in another order, over
distinct rows, so that splits that are equally good up to rounding may be chosen differently.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from autosmote.scoring.kernels.presort import FEATURE_THRESHOLD, rand_int
from autosmote.scoring.kernels.splitting import EPSILON

WORSE_THAN_RANDOM = (
    "BaseClassifier in AdaBoostClassifier ensemble is worse than random, ensemble can not be fit."
)
"""scikit-learn's message where the first stump is no better than chance."""

_NEGLIGIBLE = 1e-14
"""A side with less than this share of the weight is lost in the rounding of the other's sum."""


class Stumps(NamedTuple):
    """A fitted ensemble, an entry per stump; rows with ``x <= threshold`` are on the left."""

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int8]
    right: NDArray[np.int8]
    weight: NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def _gain(left, left1, total, total1):
    """Return a split's decrease of the Gini impurity, up to a factor common to all splits."""
    right = total - left
    if left <= _NEGLIGIBLE * total or right <= _NEGLIGIBLE * total:
        return 0.0
    q = left1 * total - left * total1
    return q * q / (left * right)


@njit(cache=True)
def _scan_sorted(rows, column, weights, total, total1, best):
    """Return the best split of a sorted feature above ``best``: (gain, position or -1)."""
    position = -1
    left = left1 = 0.0
    for p in range(len(rows) - 1):
        r = rows[p]
        left += weights[r, 0]
        left1 += weights[r, 1]
        q = left1 * total - left * total1
        # Whether the gain exceeds the best so far, without a division.
        if q * q > best * (left * (total - left)):
            gain = _gain(left, left1, total, total1)
            if gain > best and column[rows[p + 1]] > column[r] + FEATURE_THRESHOLD:
                best, position = gain, p + 1
    return best, position


@njit(cache=True)
def _sum(rows, start, end, weights):
    """Return the weight of the rows ``rows[start:end]``: of all, and of class 1."""
    total = total1 = other = other1 = 0.0  # two independent sums run in parallel
    for p in range(start, end - 1, 2):
        total += weights[rows[p], 0]
        total1 += weights[rows[p], 1]
        other += weights[rows[p + 1], 0]
        other1 += weights[rows[p + 1], 1]
    if (end - start) % 2 == 1:
        total += weights[rows[end - 1], 0]
        total1 += weights[rows[end - 1], 1]
    return total + other, total1 + other1


@njit(cache=True)
def _scan_levels(rows, starts, levels, n_levels, weights, total, total1, best):
    """Return the same for a feature with few values; ``starts`` has the first row of each level.

    The level with most rows is not summed: it gets the total less the others.
    """
    sums, sums1 = np.zeros(n_levels), np.zeros(n_levels)
    largest = 0
    for level in range(n_levels):
        if starts[level + 1] - starts[level] > starts[largest + 1] - starts[largest]:
            largest = level
    rest, rest1 = total, total1
    for level in range(n_levels):
        if level != largest:
            sums[level], sums1[level] = _sum(rows, starts[level], starts[level + 1], weights)
            rest -= sums[level]
            rest1 -= sums1[level]
    sums[largest], sums1[largest] = rest, rest1

    position, previous = -1, -1
    left = left1 = 0.0
    for level in range(n_levels):
        if starts[level + 1] == starts[level]:
            continue
        if previous >= 0 and levels[level] > levels[previous] + FEATURE_THRESHOLD:
            gain = _gain(left, left1, total, total1)
            if gain > best:
                best, position = gain, starts[level]
        left += sums[level]
        left1 += sums1[level]
        previous = level
    return best, position


@njit(cache=True)
def _find_starts(rows, column, levels, n_levels, starts):
    """Fill ``starts`` with the first position of each level among sorted rows, then the end."""
    for level in range(n_levels):
        low, high = 0, len(rows)
        while low < high:
            middle = (low + high) // 2
            if column[rows[middle]] < levels[level]:
                low = middle + 1
            else:
                high = middle
        starts[level] = low
    starts[n_levels] = len(rows)


@njit(cache=True, error_model="numpy")
def _best_split(
    rows, columns, levels, n_levels, starts, constant, weights, total, total1, seed
):  # fmt: skip
    """Return the feature (-1: none) and position of the best split, features in drawn order."""
    n_features = len(rows)
    best, best_feature, position = -1.0, -1, 0
    features = np.arange(n_features)
    state = np.array([seed], dtype=np.uint32)
    n_constant, n_unvisited = 0, n_features
    is_pure = 1.0 - (total1**2 + (total - total1) ** 2) / total**2 <= EPSILON
    while n_unvisited > n_constant and not is_pure:
        j = rand_int(0, n_unvisited - n_constant, state) + n_constant
        f = features[j]
        if constant[f]:
            features[j], features[n_constant] = features[n_constant], features[j]
            n_constant += 1
            continue
        n_unvisited -= 1
        features[n_unvisited], features[j] = features[j], features[n_unvisited]
        if n_levels[f] > 0:
            best, p = _scan_levels(
                rows[f], starts[f], levels[f], n_levels[f], weights, total, total1, best
            )
        else:
            best, p = _scan_sorted(rows[f], columns[f], weights, total, total1, best)
        if p >= 0:
            best_feature, position = f, p
    return best_feature, position


@njit(cache=True, error_model="numpy")
def boost(rows, columns, levels, n_levels, count, label, learning_rate, seeds):
    """Fit at most ``len(seeds)`` stumps.

    Parameters
    ----------
    rows : unsigned ndarray of shape (D, m)
        Row numbers in the order of each feature.
    columns : float32 ndarray of shape (D, m)
    levels, n_levels : ndarray of shape (D, 16) and (D,)
        As from ``presort.find_levels``.
    count, label : ndarray of shape (m,)
        How often each row is in the training set, and its class, 0 or 1.
    learning_rate : float
    seeds : uint32 ndarray
        Seed of the generator that draws the features of each stump.

    Returns
    -------
    arrays of ``Stumps``
    """
    n_features, n_rows = rows.shape
    n_stumps = len(seeds)
    feature = np.zeros(n_stumps, dtype=np.int64)
    threshold = np.zeros(n_stumps)
    left_class = np.zeros(n_stumps, dtype=np.int8)
    right_class = np.zeros(n_stumps, dtype=np.int8)
    stump_weight = np.zeros(n_stumps)

    starts = np.zeros((n_features, levels.shape[1] + 1), dtype=np.int64)
    constant = np.zeros(n_features, dtype=np.bool_)
    for f in range(n_features):
        first, last = columns[f, rows[f, 0]], columns[f, rows[f, n_rows - 1]]
        constant[f] = last <= first + FEATURE_THRESHOLD
        if n_levels[f] > 0:
            _find_starts(rows[f], columns[f], levels[f], n_levels[f], starts[f])

    # Weight of all copies of a row, and the same where the row is of class 1. Normalised from the
    # second stump on, as in scikit-learn; the first one's sums of counts are exact.
    weights = np.empty((n_rows, 2))
    wrong = np.empty(n_rows, dtype=np.bool_)
    total = total1 = 0.0
    for r in range(n_rows):
        weights[r, 0] = count[r]
        weights[r, 1] = count[r] * label[r]
        total += weights[r, 0]
        total1 += weights[r, 1]

    n_fitted = 0
    for t in range(n_stumps):
        best_feature, position = _best_split(
            rows, columns, levels, n_levels, starts, constant, weights, total, total1, seeds[t]
        )

        # Without a split all rows are "left" of an infinite threshold.
        feature[t] = max(best_feature, 0)
        threshold[t] = np.inf
        left_class[t] = right_class[t] = total1 > total - total1
        if best_feature >= 0:
            below = columns[best_feature, rows[best_feature, position - 1]]
            above = columns[best_feature, rows[best_feature, position]]
            threshold[t] = np.float64(below) / 2.0 + np.float64(above) / 2.0
            left, left1 = _sum(rows[best_feature], 0, position, weights)
            left_class[t] = left1 > left - left1
            right_class[t] = total1 - left1 > (total - left) - (total1 - left1)

        error = 0.0
        column = columns[feature[t]]
        for r in range(n_rows):
            is_left = np.float64(column[r]) <= threshold[t]
            wrong[r] = label[r] != (left_class[t] if is_left else right_class[t])
            if wrong[r]:
                error += weights[r, 0]
        if error <= 0.0:
            stump_weight[t] = 1.0
            n_fitted += 1
            break
        share = error / total
        if share >= 0.5:
            break
        stump_weight[t] = learning_rate * np.log((1.0 - share) / share)
        n_fitted += 1

        factor = np.exp(stump_weight[t])
        scale = 1.0 / (total - error + error * factor)
        total = total1 = 0.0
        for r in range(n_rows):
            w = weights[r, 0] * (scale * factor if wrong[r] else scale)
            w = max(w, EPSILON * count[r])
            weights[r, 0] = w
            weights[r, 1] = w * label[r]
            total += w
            total1 += w * label[r]

    return (
        feature[:n_fitted],
        threshold[:n_fitted],
        left_class[:n_fitted],
        right_class[:n_fitted],
        stump_weight[:n_fitted],
    )


@njit(cache=True)
def add_votes(column, threshold, left, right, weight, decision):
    """Add a stump's weight for rows where it votes for class 1, subtract it elsewhere."""
    on_left = weight if left == 1 else -weight
    on_right = weight if right == 1 else -weight
    for v in range(len(decision)):
        decision[v] += on_left if np.float64(column[v]) <= threshold else on_right


@njit(cache=True)
def vote(columns, feature, threshold, left, right, weight):
    """Return the stumps' weighted majority for rows given as columns; a draw goes to class 0."""
    decision = np.zeros(columns.shape[1])
    for t in range(len(weight)):
        add_votes(columns[feature[t]], threshold[t], left[t], right[t], weight[t], decision)
    return (decision > 0.0).astype(np.int8)
