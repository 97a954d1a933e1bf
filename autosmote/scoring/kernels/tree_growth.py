"""Growth of a decision tree as in scikit-learn's ``DecisionTreeClassifier``, bit-identical.

Nodes are grown depth first, left child first, and thresholds are the float64 midpoints between
neighbouring values (``splitting`` chooses the splits). Equal rows are one row with a weight. Where
scikit-learn sorts in every node, the rows are sorted once and the order is kept by stable
partitions; rows of a leaf need none. Features with few values (one-hot columns, also interpolated)
are not ordered: a histogram, the node's weight per value, is enough, and the larger child's is the
parent's less the smaller child's (``histograms``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from autosmote.scoring.kernels.histograms import divide_histograms, fill_histograms, grown
from autosmote.scoring.kernels.presort import find_levels, row_dtype
from autosmote.scoring.kernels.splitting import EPSILON, find_split, improves, impurity, unpack


@dataclass(frozen=True)
class Features:
    """The features of all rows: arguments of ``grow``, which describes them."""

    columns: NDArray[np.float32]
    codes: NDArray[np.uint8]
    levels: NDArray[np.float32]
    sorted_features: NDArray[np.intp]
    few_features: NDArray[np.intp]

    @classmethod
    def of(cls, columns: NDArray[np.float32]) -> Features:
        """Divide features, given by their values (D, n), into sorted and few-valued ones."""
        levels, n_levels = find_levels(columns)
        sorted_features, few_features = np.flatnonzero(n_levels < 0), np.flatnonzero(n_levels >= 0)
        levels = levels[few_features]
        codes = np.empty((columns.shape[1], len(few_features)), dtype=np.uint8)
        for k, feature in enumerate(few_features):
            _encode(columns[feature], levels[k, : n_levels[feature]], codes[:, k])
        return cls(columns[sorted_features], codes, levels, sorted_features, few_features)

    def unsorted_rows(self, n_rows: int) -> NDArray[np.unsignedinteger]:
        """Return the `rows` of ``grow``; the caller fills in all lines but the last."""
        rows = np.empty((len(self.columns) + 1, n_rows), dtype=row_dtype(n_rows))
        rows[-1] = np.arange(n_rows)
        return rows

    def grow(
        self,
        rows: NDArray[np.unsignedinteger],
        origin: NDArray[np.int32],
        weight: NDArray[np.int32],
        label: NDArray[np.int8],
        max_depth: int,
        seed: np.uint32,
        max_features: int | None = None,
        columns: NDArray[np.float32] | None = None,
    ) -> tuple[Any, ...]:
        """Grow a tree of the rows ``origin``; arguments and result as in ``grow``.

        By default all features are drawn, and the sorted ones' values are taken anew.
        """
        return grow(
            rows,
            np.take(self.columns, origin, axis=1) if columns is None else columns,
            self.codes,
            self.levels,
            self.sorted_features,
            self.few_features,
            origin,
            weight,
            label,
            max_depth,
            len(self.columns) + len(self.levels) if max_features is None else max_features,
            seed,
        )


@njit(cache=True)
def _encode(column, levels, codes):
    """Fill ``codes`` with each value's index among the levels."""
    for r in range(len(column)):
        code = 0
        while levels[code] != column[r]:
            code += 1
        codes[r] = code


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


@njit(cache=True)
def _keep_left(rows, start, end, goes_left):
    """Move the left child's rows to the front; the right child, a leaf, needs none."""
    to = start
    for p in range(start, end):
        r = rows[p]
        rows[to] = r  # written first, kept if it goes left: no branch to be mispredicted
        to += goes_left[r]


@njit(cache=True)
def _keep_right(rows, start, end, goes_left):
    """Move the right child's rows to the back; the left child, a leaf, needs none."""
    to = end - 1
    for p in range(end - 1, start - 1, -1):
        r = rows[p]
        rows[to] = r
        to -= 1 - goes_left[r]


@njit(cache=True)
def _is_mixed(weight):
    """Return whether a node's packed weight is of both classes, so that it may be split."""
    weight0, weight1 = unpack(weight)
    return impurity(weight0, weight1) > EPSILON


@njit(cache=True)
def _push(stack, at, start, end, depth, parent, is_left, n_known, weight):
    """Push a node to be grown: its rows, place, number of known constants and packed weight."""
    stack[at, 0], stack[at, 1], stack[at, 2], stack[at, 3] = start, end, depth, parent
    stack[at, 4], stack[at, 5], stack[at, 6] = is_left, n_known, weight


@njit(cache=True, error_model="numpy")
def grow(
    rows, columns, codes, levels, sorted_features, few_features, origin, weight, label,
    max_depth, max_features, seed,
):  # fmt: skip
    """Grow a tree.

    Parameters
    ----------
    rows : unsigned ndarray of shape (n_sorted + 1, number of rows with a weight)
        Their numbers in the order of each sorted feature, and a last line in any order. A node owns
        the same range of every line, except for features that are constant in it.
    columns : float32 ndarray of shape (n_sorted, m)
        Values of the sorted features.
    codes, levels : ndarray of shape (n_all, n_few) and (n_few, n_levels)
        The features with few values: the index of each row's value, and the values.
    sorted_features, few_features : ndarray
        Indices of both kinds of features.
    origin, weight : int32 ndarray of shape (m,)
        A row's index in ``codes`` and ``label``, and how often it is in the training set; 0 leaves
        it out.
    label : int8 ndarray of shape (n_all,)
    max_depth : int
    max_features : int
        Features that are drawn for a split (``splitting.find_split``).
    seed : uint32
        Seed of the generator that draws features.

    Returns
    -------
    feature, threshold, left, right, weight : ndarray of shape (n_nodes,)
        Split feature, threshold, children (0 in a leaf) and packed weight of each node.
    depth : int
    """
    n_sorted, n_few = len(sorted_features), len(few_features)
    n_features, n_rows = n_sorted + n_few, rows.shape[1]
    members = rows[n_sorted]
    line = np.empty(n_features, dtype=np.int64)  # of `columns`, or of `levels` after all of these
    for k in range(n_sorted):
        line[sorted_features[k]] = k
    for k in range(n_few):
        line[few_features[k]] = n_sorted + k

    packed = np.empty(len(weight), dtype=np.int64)
    total = np.int64(0)
    for r in range(len(weight)):
        packed[r] = np.int64(weight[r]) << (32 * np.int64(label[origin[r]]))
        total += packed[r]
    n_all = unpack(total)[0] + unpack(total)[1]

    node_feature = np.zeros(2 * n_rows, dtype=np.int32)
    node_threshold = np.zeros(2 * n_rows, dtype=np.float64)
    node_left = np.zeros(2 * n_rows, dtype=np.int32)
    node_right = np.zeros(2 * n_rows, dtype=np.int32)
    node_weight = np.empty(2 * n_rows, dtype=np.int64)
    n_nodes = deepest = 0

    stack = np.empty((n_rows + 1, 7), dtype=np.int64)
    histograms = np.empty((32, n_few, levels.shape[1]), dtype=np.int64)  # of the stack's nodes
    _push(stack, 0, 0, n_rows, 0, -1, 0, 0, total)
    fill_histograms(histograms[0], members, 0, n_rows, origin, codes, packed)
    top = 1

    features = np.arange(n_features)
    constant_features = np.empty(n_features, dtype=np.int64)
    state = np.array([seed], dtype=np.uint32)
    goes_left = np.zeros(len(weight), dtype=np.int8)
    buffer = np.empty_like(members)

    while top > 0:
        top -= 1
        start, end, depth, parent = stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3]
        is_left, n_known, node_total = stack[top, 4], stack[top, 5], stack[top, 6]
        node = n_nodes
        n_nodes += 1
        if parent >= 0:
            (node_left if is_left else node_right)[parent] = node
        total0, total1 = unpack(node_total)
        node_weight[node] = node_total
        deepest = max(deepest, depth)
        if depth >= max_depth or not _is_mixed(node_total):
            continue

        k, cut, next_code, left_total, n_constant = find_split(
            rows, columns, histograms[top], levels, line, start, end, packed, total0, total1,
            features, n_known, max_features, state,
        )  # fmt: skip
        if k >= 0 and improves(node_total, left_total, n_all):
            right_total = node_total - left_total
            left_grows = depth + 1 < max_depth and _is_mixed(left_total)
            right_grows = depth + 1 < max_depth and _is_mixed(right_total)
            grows = left_grows or right_grows
            if k < n_sorted:
                position = cut
                if grows:
                    for p in range(start, end):
                        goes_left[rows[k, p]] = p < position
                below, above = columns[k, rows[k, position - 1]], columns[k, rows[k, position]]
                node_feature[node] = sorted_features[k]
            else:
                position = start
                for p in range(start, end):
                    r = members[p]
                    goes_left[r] = codes[origin[r], k - n_sorted] <= cut
                    position += goes_left[r]
                below, above = levels[k - n_sorted, cut], levels[k - n_sorted, next_code]
                node_feature[node] = few_features[k - n_sorted]
            node_threshold[node] = np.float64(below) / 2.0 + np.float64(above) / 2.0

            if grows:
                for j in range(n_constant, n_features):
                    other = line[features[j]]
                    if other >= n_sorted or other == k:
                        continue
                    if left_grows and right_grows:
                        _partition(rows[other], start, end, position, goes_left, buffer)
                    elif left_grows:
                        _keep_left(rows[other], start, end, goes_left)
                    else:
                        _keep_right(rows[other], start, end, goes_left)
            if n_few > 0:
                if top + 2 >= len(histograms):
                    histograms = grown(histograms)
                if grows:
                    _partition(members, start, end, position, goes_left, buffer)
                    divide_histograms(
                        histograms, top, members, start, position, end, origin, codes, packed
                    )
            _push(stack, top, position, end, depth + 1, node, 0, n_constant, right_total)
            _push(stack, top + 1, start, position, depth + 1, node, 1, n_constant, left_total)
            top += 2

        # Siblings and children depend on the order of the constant features known so far.
        for j in range(n_known):
            features[j] = constant_features[j]
        for j in range(n_known, n_constant):
            constant_features[j] = features[j]

    return (
        node_feature[:n_nodes], node_threshold[:n_nodes], node_left[:n_nodes], node_right[:n_nodes],
        node_weight[:n_nodes], deepest,
    )  # fmt: skip
