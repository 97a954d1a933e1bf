"""Growing a decision tree as scikit-learn's ``DecisionTreeClassifier`` does, to the bit.

What is reproduced of ``sklearn.tree`` (all of it decides between splits that are equally good):

- values are float32, thresholds the float64 midpoints between neighbouring values, and values
  closer than ``FEATURE_THRESHOLD`` are not split;
- nodes are grown depth first, left child first, and every node takes the features in an order
  drawn by a xorshift generator; features found constant in an ancestor are set aside first;
- a split replaces the best one so far only if its impurity is strictly better in float64.

Equal rows are one row with a weight. All sums of weights are integers, exact in float64, so that
the impurities have the same bits as with repeated rows, in whatever order they are summed.

Where scikit-learn sorts in every node, the rows are sorted once and the order is kept by stable
partitions. Features with few values (one-hot columns, also interpolated) need no order at all:
a node's weight per value, a histogram, is enough, and the larger child's is what the smaller
child's leaves of the parent's.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from autosmote.scoring.presort import FEATURE_THRESHOLD, rand_int

_EPSILON = np.finfo(np.float64).eps


@njit(cache=True, error_model="numpy")
def _impurity(n0, n1):
    """Gini impurity, with the operations of ``sklearn.tree._criterion.Gini``."""
    n = n0 + n1
    return 1.0 - (n0 * n0 + n1 * n1) / (n * n)


@njit(cache=True)
def _unpack(packed):
    """Weights of class 0 and 1 out of one integer, which sums them with one addition."""
    return np.float64(packed & 0xFFFFFFFF), np.float64(packed >> 32)


@njit(cache=True, error_model="numpy")
def _better(left, total0, total1, best):
    """Compare a split with the best so far: (proxy, decrease) if it is better, (-inf, 0) if not.

    ``best`` is the pair of the best split so far. With q = left1 total0 - left0 total1 the
    decrease of impurity grows with q^2 / (left right). Comparing these needs no division; only
    where they come within rounding of each other is scikit-learn's own expression evaluated.
    """
    left0, left1 = _unpack(left)
    total = total0 + total1
    n_left = left0 + left1
    n_right = total - n_left
    q = left1 * total0 - left0 * total1
    margin = 16.0 * _EPSILON * total * total
    if q * q < (best[1] - margin) * (n_left * n_right):
        return -np.inf, 0.0
    proxy = -n_right * _impurity(total0 - left0, total1 - left1) - n_left * _impurity(left0, left1)
    if proxy > best[0]:
        return proxy, q * q / (n_left * n_right)
    return -np.inf, 0.0


@njit(cache=True)
def _scan_sorted(rows, column, start, end, packed, total0, total1, best):
    """Best split of a sorted feature: (best pair, first position on the right, left weight).

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
    """Best split of a feature with few values: (best pair, last code left, next code, weight)."""
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
    lowest = highest = -1
    for code in range(len(levels)):
        if histogram[code] > 0:
            highest = code
            if lowest < 0:
                lowest = code
    return levels[highest] <= levels[lowest] + FEATURE_THRESHOLD


@njit(cache=True)
def _fill_histograms(histograms, members, origin, codes, packed):
    histograms[:] = 0
    for r in members:
        row = codes[origin[r]]
        for k in range(len(row)):
            histograms[k, row[k]] += packed[r]


@njit(cache=True)
def _partition(rows, start, end, position, goes_left, buffer):
    """Move the left child's rows to the front, keeping the order within both children."""
    left, right = start, position
    for p in range(start, end):
        r = rows[p]
        g = np.int64(goes_left[r])
        buffer[left if g else right] = r
        left += g
        right += 1 - g
    for p in range(start, end):
        rows[p] = buffer[p]


@njit(cache=True, error_model="numpy")
def grow(
    rows,
    columns,
    codes,
    levels,
    sorted_features,
    few_features,
    origin,
    weight,
    label,
    max_depth,
    seed,
):
    """Grow a tree: split feature, threshold, children (0 in a leaf) and prediction of each node.

    ``rows`` has one line per sorted feature and a last one in no particular order; a node owns the
    same range of every line. Lines of features that are constant in a node are not kept up.
    """
    n_sorted, n_few = len(sorted_features), len(few_features)
    n_features, n_rows = n_sorted + n_few, rows.shape[1]
    members = rows[n_sorted]
    line = np.empty(n_features, dtype=np.int64)  # of `rows`, or of `codes` after all of these
    for k in range(n_sorted):
        line[sorted_features[k]] = k
    for k in range(n_few):
        line[few_features[k]] = n_sorted + k

    packed = np.empty(n_rows, dtype=np.int64)
    total = np.int64(0)
    for r in range(n_rows):
        packed[r] = np.int64(weight[r]) << (32 * np.int64(label[origin[r]]))
        total += packed[r]
    n_total = _unpack(total)[0] + _unpack(total)[1]

    capacity = 2 * n_rows
    node_feature = np.zeros(capacity, dtype=np.int32)
    node_threshold = np.zeros(capacity, dtype=np.float64)
    node_left = np.zeros(capacity, dtype=np.int32)
    node_right = np.zeros(capacity, dtype=np.int32)
    node_prediction = np.zeros(capacity, dtype=np.int8)
    n_nodes = 0

    # Nodes to be grown: first and last row, depth, parent (-1 for the root), whether it is a left
    # child, number of features known to be constant, packed weight. Beside it their histograms.
    stack = np.empty((n_rows + 1, 7), dtype=np.int64)
    stack[0] = (0, n_rows, 0, -1, 0, 0, total)
    histograms = np.empty((32, n_few, levels.shape[1]), dtype=np.int64)
    _fill_histograms(histograms[0], members, origin, codes, packed)
    top = 1

    features = np.arange(n_features)
    constant_features = np.empty(n_features, dtype=np.int64)
    state = np.array([seed], dtype=np.uint32)
    goes_left = np.zeros(n_rows, dtype=np.int8)
    buffer = np.empty_like(members)

    while top > 0:
        top -= 1
        start, end, depth, parent, is_left, n_known, node_total = stack[top]
        node = n_nodes
        n_nodes += 1
        if parent >= 0:
            if is_left:
                node_left[parent] = node
            else:
                node_right[parent] = node
        total0, total1 = _unpack(node_total)
        node_prediction[node] = total1 > total0
        impurity = _impurity(total0, total1)
        if depth >= max_depth or impurity <= _EPSILON:
            continue

        # The best split so far: its proxy and decrease, its feature, where it cuts, left weight.
        best = (-np.inf, -1.0)
        best_line, cut, next_code, best_left = -1, 0, 0, np.int64(0)
        n_found, n_drawn = 0, 0
        n_unvisited = n_features
        while n_unvisited > n_known + n_found:
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
                is_constant = _is_constant(histograms[top, k - n_sorted], levels[k - n_sorted])
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
                    histograms[top, k - n_sorted], levels[k - n_sorted], total0, total1, best
                )
                if low >= 0:
                    best_line, cut, next_code, best_left = k, low, high, left
        n_constant = n_known + n_found

        if best_line >= 0:
            left0, left1 = _unpack(best_left)
            n_node, n_left = total0 + total1, left0 + left1
            improvement = (n_node / n_total) * (
                impurity
                - ((n_node - n_left) / n_node * _impurity(total0 - left0, total1 - left1))
                - (n_left / n_node * _impurity(left0, left1))
            )
            if improvement + _EPSILON >= 0.0:
                if best_line < n_sorted:
                    position = cut
                    for p in range(start, end):
                        goes_left[rows[best_line, p]] = p < position
                    below = columns[best_line, rows[best_line, position - 1]]
                    above = columns[best_line, rows[best_line, position]]
                    node_feature[node] = sorted_features[best_line]
                else:
                    k = best_line - n_sorted
                    position = start
                    for r in members[start:end]:
                        goes_left[r] = codes[origin[r], k] <= cut
                        position += goes_left[r]
                    below, above = levels[k, cut], levels[k, next_code]
                    node_feature[node] = few_features[k]
                node_threshold[node] = np.float64(below) / 2.0 + np.float64(above) / 2.0
                for j in range(n_constant, n_features):
                    k = line[features[j]]
                    if k < n_sorted and k != best_line:
                        _partition(rows[k], start, end, position, goes_left, buffer)

                if n_few > 0:
                    _partition(members, start, end, position, goes_left, buffer)
                    if top + 3 > len(histograms):
                        larger = np.empty((2 * len(histograms), n_few, levels.shape[1]), np.int64)
                        larger[: len(histograms)] = histograms
                        histograms = larger
                    # The children's places are the parent's (right) and the next (left).
                    if position - start <= end - position:
                        child = members[start:position]
                        _fill_histograms(histograms[top + 1], child, origin, codes, packed)
                        histograms[top] -= histograms[top + 1]
                    else:
                        child = members[position:end]
                        _fill_histograms(histograms[top + 2], child, origin, codes, packed)
                        histograms[top + 1] = histograms[top] - histograms[top + 2]
                        histograms[top] = histograms[top + 2]
                right_total = node_total - best_left
                stack[top] = (position, end, depth + 1, node, 0, n_constant, right_total)
                stack[top + 1] = (start, position, depth + 1, node, 1, n_constant, best_left)
                top += 2

        # Siblings and children rely on the order of the constant features known so far.
        features[:n_known] = constant_features[:n_known]
        constant_features[n_known:n_constant] = features[n_known:n_constant]

    return node_feature, node_threshold, node_left, node_right, node_prediction


@njit(cache=True)
def apply(X, feature, threshold, left, right, prediction):
    """Predictions of a grown tree for float32 rows ``X``."""
    predictions = np.empty(len(X), dtype=np.int8)
    for v in range(len(X)):
        node = 0
        while left[node] > 0:
            is_left = np.float64(X[v, feature[node]]) <= threshold[node]
            node = left[node] if is_left else right[node]
        predictions[v] = prediction[node]
    return predictions
