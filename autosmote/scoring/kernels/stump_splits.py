"""The best splits of a stump that rounding cannot tell apart.

scikit-learn adds up the rows' weights in an order of its own. So the pass over the sorted rows
returns every split that may be the best one whatever the order of summation, or none where that
cannot be decided.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from autosmote.scoring.kernels.presort import FEATURE_THRESHOLD
from autosmote.scoring.kernels.splitting import EPSILON

_MARGIN = 64.0
"""In units of n times epsilon times the total weight: gains that differ by more are not confused by
rounding. A sum of n weights is off by at most one such unit, however it is formed. A gain is made
of six such sums, three per side, and moves at most twice as much as each, so by 12; two gains, each
formed here and in scikit-learn, by 48."""
_MAX_TIED = 16
"""Most splits that are returned; where more are within rounding of the best, none is."""


@njit(cache=True)
def longest_plateaus(values):
    """Return each feature's longest run of sorted rows without a split: begin and (exclusive) end.

    The sum of its weights is the total less the others, and need not be formed: a one-hot column
    has most of its rows there.
    """
    plateaus = np.zeros((len(values), 2), dtype=np.int64)
    for f in range(len(values)):
        begin = 0
        for end in range(1, values.shape[1] + 1):
            if end < values.shape[1] and values[f, end] <= values[f, end - 1] + FEATURE_THRESHOLD:
                continue
            if end - begin > plateaus[f, 1] - plateaus[f, 0]:
                plateaus[f, 0], plateaus[f, 1] = begin, end
            begin = end
    return plateaus


@njit(cache=True, error_model="numpy")
def best_splits(order, values, plateaus, weight, label):
    """Return all splits that may be the best: features, thresholds, votes left and right.

    None are returned where they are too many or where rounding may decide their votes.
    """
    n_features, n = order.shape
    both = np.empty((n, 2))
    total = total1 = 0.0
    for r in range(n):
        both[r, 0] = weight[r]
        both[r, 1] = weight[r] * label[r]
        total += both[r, 0]
        total1 += both[r, 1]
    margin = _MARGIN * n * EPSILON * total
    # A side this light is lost in rounding: sums that are n units off, one divided by the other,
    # can make the split look better by as much as `noise`.
    negligible = margin / 4.0
    noise = 0.0

    best = least = dropped = 0.0
    n_kept = 0
    gains, lead, lead_right = np.empty(_MAX_TIED), np.empty(_MAX_TIED), np.empty(_MAX_TIED)
    feature, position = np.empty(_MAX_TIED, np.int64), np.empty(_MAX_TIED, np.int64)
    for f in range(n_features):
        begin, end = plateaus[f]
        # From both ends to the plateau; the gain is the same whichever side is summed.
        for upward in (True, False):
            inside = inside1 = 0.0
            for k in range(begin if upward else n - end):
                p = k if upward else n - 1 - k
                r = order[f, p]
                inside += both[r, 0]
                inside1 += both[r, 1]
                outside = total - inside
                if inside <= negligible or outside <= negligible:
                    noise = 4.0 * margin * n
                    continue
                q = inside1 * total - inside * total1
                # The split decreases the impurity by 2 q^2 / (total inside outside): no division
                # is needed to see whether that is near the largest so far.
                if 2.0 * q * q < least * (total * inside * outside):
                    continue
                below = p if upward else p - 1
                if values[f, below + 1] <= values[f, below] + FEATURE_THRESHOLD:
                    continue
                gain = 2.0 * q * q / (total * inside * outside)
                if gain > best:
                    best, least = gain, max(gain - margin, 0.0)
                    kept = 0
                    for i in range(n_kept):
                        if gains[i] >= least:
                            gains[kept], lead[kept], lead_right[kept] = (
                                gains[i],
                                lead[i],
                                lead_right[i],
                            )
                            feature[kept], position[kept] = feature[i], position[i]
                            kept += 1
                    n_kept = kept
                if n_kept == _MAX_TIED:
                    dropped = max(dropped, gain)
                    continue
                inside_lead = 2.0 * inside1 - inside
                outside_lead = 2.0 * (total1 - inside1) - outside
                gains[n_kept], feature[n_kept], position[n_kept] = gain, f, below
                lead[n_kept] = inside_lead if upward else outside_lead
                lead_right[n_kept] = outside_lead if upward else inside_lead
                n_kept += 1

    certain = n_kept > 0 and best - noise > margin and dropped < least
    for i in range(n_kept):
        certain = certain and min(abs(lead[i]), abs(lead_right[i])) > margin
    if not certain:
        n_kept = 0
    threshold = np.empty(n_kept)
    for i in range(n_kept):
        threshold[i] = (
            np.float64(values[feature[i], position[i]]) / 2.0
            + np.float64(values[feature[i], position[i] + 1]) / 2.0
        )
    left = (lead[:n_kept] > 0.0).astype(np.int8)
    right = (lead_right[:n_kept] > 0.0).astype(np.int8)
    return feature[:n_kept].copy(), threshold, left, right


@njit(cache=True)
def vote_alike(X, feature, threshold, left, right):
    """Return whether all splits vote the same on each of the rows."""
    for i in range(1, len(feature)):
        for v in range(len(X)):
            is_left = np.float64(np.float32(X[v, feature[0]])) <= threshold[0]
            vote = left[0] if is_left else right[0]
            is_left = np.float64(np.float32(X[v, feature[i]])) <= threshold[i]
            if vote != (left[i] if is_left else right[i]):
                return False
    return True
