"""The best split of a tree's node, as ``sklearn.tree``'s best splitter chooses it.

Splits that are equally good are decided by these rules:

- values are float32, and values closer than ``FEATURE_THRESHOLD`` are not split;
- features come in an order drawn by a xorshift generator; those found constant in an ancestor
  are set aside first;
- a split replaces the best one so far only if its impurity is strictly better in float64. All
  sums of weights are integers, exact in float64, so impurities have scikit-learn's bits in
  whatever order the rows are summed.

Weights of both classes are packed into one integer, class 1 in the upper half, so that one addition
sums both.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from autosmote.scoring.kernels.presort import FEATURE_THRESHOLD, rand_int

EPSILON = np.finfo(np.float64).eps


@njit(cache=True, error_model="numpy")
def impurity(n0, n1):
    """Return the Gini impurity, by the operations of ``sklearn.tree._criterion.Gini``."""
    n = n0 + n1
    return 1.0 - (n0 * n0 + n1 * n1) / (n * n)


@njit(cache=True)
def unpack(packed):
    """Return the weights of class 0 and 1 that one integer holds."""
    return np.float64(packed & 0xFFFFFFFF), np.float64(packed >> 32)


@njit(cache=True, error_model="numpy")
def _better(left, total0, total1, best):
    """Return (proxy, decrease) of a split if it is better than the best so far, else (-inf, 0).

    ``best`` is the pair of the best split so far. With q = left1 total0 - left0 total1 the
    decrease of impurity grows with q^2 / (left right). Comparing these needs no division; only
    where they come within rounding of each other is scikit-learn's own expression evaluated.
    """
    left0, left1 = unpack(left)
    total = total0 + total1
    n_left = left0 + left1
    n_right = total - n_left
    q = left1 * total0 - left0 * total1
    margin = 16.0 * EPSILON * total * total
    if q * q < (best[1] - margin) * (n_left * n_right):
        return -np.inf, 0.0
    proxy = -n_right * impurity(total0 - left0, total1 - left1) - n_left * impurity(left0, left1)
    if proxy > best[0]:
        return proxy, q * q / (n_left * n_right)
    return -np.inf, 0.0


@njit(cache=True)
def _scan_sorted(rows, column, start, end, packed, total0, total1, best):
    """Return the best split of a sorted feature: pair, first position on the right, left weight.

    The position is -1 where no split is better than ``best``.
    """
    position = -1
    best_left = left = np.int64(0)
    r = rows[start]
    value = column[r]
    for p in range(start + 1, end):
        left += packed[r]
        r = rows[p]
        previous, value = value, column[r]
        if value != previous:
            candidate = _better(left, total0, total1, best)
            if candidate[0] > best[0] and value > previous + FEATURE_THRESHOLD:
                best, position, best_left = candidate, p, left
    return best, position, best_left


@njit(cache=True)
def _scan_histogram(histogram, levels, total0, total1, best):
    """Return the best split of a few-valued feature: pair, last code left, next code, weight."""
    low = high = -1
    best_left = left = np.int64(0)
    previous = -1
    for code in range(len(levels)):
        if histogram[code] == 0:
            continue
        if previous >= 0 and levels[code] > levels[previous] + FEATURE_THRESHOLD:
            candidate = _better(left, total0, total1, best)
            if candidate[0] > best[0]:
                best, low, high, best_left = candidate, previous, code, left
        left += histogram[code]
        previous = code
    return best, low, high, best_left


@njit(cache=True)
def _is_constant(histogram, levels):
    """Return whether all values with a weight are equal, up to the threshold."""
    lowest = highest = -1
    for code in range(len(levels)):
        if histogram[code] > 0:
            highest = code
            if lowest < 0:
                lowest = code
    return levels[highest] <= levels[lowest] + FEATURE_THRESHOLD


@njit(cache=True)
def find_split(
    rows, columns, histograms, levels, line, start, end, packed, total0, total1,
    features, n_known, max_features, state,
):  # fmt: skip
    """Return the best split of a node and the number of constant features.

    Features are drawn until there are ``max_features`` of them, constant ones included, and one is
    not constant. The split is a line (-1: none), a position of a sorted feature or two codes of a
    few-valued one, and the packed weight on the left. ``features`` begins with the ``n_known``
    features that are constant in an ancestor, and is permuted as scikit-learn permutes it.
    """
    n_features, n_sorted = len(features), len(columns)
    best = (-np.inf, -1.0)  # the proxy and the decrease of impurity
    best_line, cut, next_code, best_left = -1, 0, 0, np.int64(0)
    n_found, n_drawn = 0, 0
    n_unvisited, n_visited = n_features, 0
    while n_unvisited > n_known + n_found and (
        n_visited < max_features or n_visited <= n_found + n_drawn
    ):
        n_visited += 1
        j = rand_int(n_drawn, n_unvisited - n_found, state)
        if j < n_known:
            features[n_drawn], features[j] = features[j], features[n_drawn]
            n_drawn += 1
            continue
        j += n_found
        k = line[features[j]]
        if k < n_sorted:
            first, last = columns[k, rows[k, start]], columns[k, rows[k, end - 1]]
            is_constant = last <= first + FEATURE_THRESHOLD
        else:
            is_constant = _is_constant(histograms[k - n_sorted], levels[k - n_sorted])
        if is_constant:
            other = n_known + n_found
            features[j], features[other] = features[other], features[j]
            n_found += 1
            continue
        n_unvisited -= 1
        features[n_unvisited], features[j] = features[j], features[n_unvisited]
        if k < n_sorted:
            best, position, left = _scan_sorted(
                rows[k], columns[k], start, end, packed, total0, total1, best
            )
            if position >= 0:
                best_line, cut, best_left = k, position, left
        else:
            best, low, high, left = _scan_histogram(
                histograms[k - n_sorted], levels[k - n_sorted], total0, total1, best
            )
            if low >= 0:
                best_line, cut, next_code, best_left = k, low, high, left
    return best_line, cut, next_code, best_left, n_known + n_found


@njit(cache=True, error_model="numpy")
def improves(total, left, n_all):
    """Return whether scikit-learn keeps a best split: its improvement is not below zero."""
    total0, total1 = unpack(total)
    left0, left1 = unpack(left)
    n, n_left = total0 + total1, left0 + left1
    improvement = (n / n_all) * (
        impurity(total0, total1)
        - ((n - n_left) / n * impurity(total0 - left0, total1 - left1))
        - (n_left / n * impurity(left0, left1))
    )
    return improvement + EPSILON >= 0.0
