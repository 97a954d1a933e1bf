"""A decision tree, bit-identical to scikit-learn's, from rows sorted once per fit.

scikit-learn's ``DecisionTreeClassifier`` sorts the rows of every node by every feature. Here they
are sorted once, and ``tree_growth`` makes all of scikit-learn's choices. (``scorers.tree`` sorts
once for all episodes of a search, which is faster still.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import _fit_context
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import NODE_DTYPE, TREE_LEAF, TREE_UNDEFINED, Tree
from sklearn.utils.validation import validate_data

from autosmote.scoring.kernels import presort
from autosmote.scoring.kernels.tree_growth import Features
from autosmote.scoring.parameters import depth_and_seed, is_seeded_default_tree


class PresortedTree(DecisionTreeClassifier):
    """``DecisionTreeClassifier`` grown from rows that are sorted once.

    Parameters, methods, attributes and results are those of scikit-learn's class. Data other than
    arrays of finite numbers, other than two classes, weights of the rows, and parameters other than
    a depth and an integer ``random_state`` are left to scikit-learn.
    """

    @staticmethod
    def supports(estimator: Any) -> bool:
        """Return whether `estimator` is of scikit-learn's class with handled parameters."""
        return type(estimator) is DecisionTreeClassifier and is_seeded_default_tree(estimator)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True
    ) -> PresortedTree:
        found = None
        if sample_weight is None and check_input and is_seeded_default_tree(self):
            found = presort.two_classes(X, y)
        if found is None:
            return super().fit(X, y, sample_weight, check_input)

        X = validate_data(self, X, dtype=np.float32)
        self.n_outputs_ = 1
        self.n_classes_ = np.intp(2)
        self.max_features_ = self.n_features_in_
        self.classes_, codes = found
        self.tree_ = self._grow(X, codes)
        return self

    def _grow(self, X: np.ndarray, label: np.ndarray) -> Tree:
        """Return scikit-learn's tree structure, filled with the nodes of a grown tree."""
        features = Features.of(presort.float32_columns(X))
        rows = features.unsorted_rows(len(X))
        rows[:-1] = presort.sort_columns(features.columns)
        every_row, once = np.arange(len(X), dtype=np.int32), np.ones(len(X), dtype=np.int32)
        feature, threshold, left, right, weight, depth = features.grow(
            rows, every_row, once, label, *depth_and_seed(self)
        )
        of_class = np.stack([weight & 0xFFFFFFFF, weight >> 32], axis=1).astype(np.float64)
        n = of_class.sum(axis=1)
        is_leaf = left == 0
        nodes = np.zeros(len(feature), dtype=NODE_DTYPE)
        nodes["left_child"] = np.where(is_leaf, TREE_LEAF, left)
        nodes["right_child"] = np.where(is_leaf, TREE_LEAF, right)
        nodes["feature"] = np.where(is_leaf, TREE_UNDEFINED, feature)
        nodes["threshold"] = np.where(is_leaf, TREE_UNDEFINED, threshold)
        nodes["impurity"] = 1.0 - (of_class * of_class).sum(axis=1) / (n * n)
        nodes["n_node_samples"] = nodes["weighted_n_node_samples"] = n
        nodes["missing_go_to_left"] = ~is_leaf & (n[left] > n[right])

        tree = Tree(X.shape[1], np.array([2], dtype=np.intp), 1)
        values = (of_class / n[:, None])[:, None, :]
        tree.__setstate__(
            {"max_depth": depth, "node_count": len(nodes), "nodes": nodes, "values": values}
        )
        return tree
