"""A decision tree that equals scikit-learn's to the bit, from rows sorted once per fit.

scikit-learn's ``DecisionTreeClassifier`` sorts the rows of every node by every feature. Here they
are sorted once, and the tree is grown by ``growing``, which makes all of scikit-learn's choices.
(The search's `tree` shares the sorted rows of all episodes, which is faster still.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import _fit_context
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import NODE_DTYPE, TREE_LEAF, TREE_UNDEFINED, Tree
from sklearn.utils.validation import validate_data

from autosmote.scoring.kernels import presort
from autosmote.scoring.kernels import tree_growth as growing
from autosmote.scoring.scorers.tree import known_parameters, limit_and_seed


class PresortedTree(DecisionTreeClassifier):
    """``DecisionTreeClassifier``, grown from rows that are sorted once.

    Parameters, methods, attributes and results are those of scikit-learn's class. Data that are no
    arrays of finite numbers, other than two classes, weights of the rows, and parameters other than
    a depth and an integer ``random_state`` go scikit-learn's own way.
    """

    @staticmethod
    def supports(estimator: Any) -> bool:
        """Whether `estimator` is of scikit-learn's class, with parameters that are known here."""
        return type(estimator) is DecisionTreeClassifier and known_parameters(estimator)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True
    ) -> PresortedTree:
        found = None
        if sample_weight is None and check_input and known_parameters(self):
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
        n_rows = len(X)
        features = growing.Features.of(presort.float32_columns(X))
        n_sorted = len(features.columns)
        rows = np.empty((n_sorted + 1, n_rows), dtype=presort.row_dtype(n_rows))
        rows[:n_sorted] = presort.sort_columns(features.columns)
        rows[n_sorted] = np.arange(n_rows)
        feature, threshold, left, right, weight, depth = growing.grow(
            rows,
            features.columns,
            features.codes,
            features.levels,
            features.sorted_features,
            features.few_features,
            np.arange(n_rows, dtype=np.int32),
            np.ones(n_rows, dtype=np.int32),
            label,
            *limit_and_seed(self),
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
