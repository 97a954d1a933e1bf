"""Checks of scikit-learn parameters that the scorers and the drop-in classifiers share."""

from __future__ import annotations

from typing import Any

import numpy as np

from autosmote.scoring.kernels.presort import tree_seed


def counts_euclidean_neighbours(estimator: Any) -> bool:
    """Return whether each of the nearest neighbours, by Euclidean distance, has one vote."""
    euclidean = estimator.metric == "euclidean" or (
        estimator.metric == "minkowski" and estimator.p == 2
    )
    return bool(euclidean and estimator.metric_params is None and estimator.weights == "uniform")


def is_seeded_default_tree(estimator: Any) -> bool:
    """Return whether a tree has an integer seed and, depth aside, the default parameters."""
    from sklearn.tree import DecisionTreeClassifier

    return _is_seeded_default(estimator, DecisionTreeClassifier(), ("max_depth",))


def is_seeded_default_forest(estimator: Any) -> bool:
    """Return whether a forest has an integer seed and, but for some, the default parameters.

    Free are the number and depth of its trees, the features that they draw, and whether they draw
    rows. Weights of the classes are not: their sums depend on the order of the rows.
    """
    from sklearn.ensemble import RandomForestClassifier

    free = ("n_estimators", "max_depth", "max_features", "bootstrap", "n_jobs", "verbose")
    return isinstance(estimator.n_estimators, int | np.integer) and _is_seeded_default(
        estimator, RandomForestClassifier(), free
    )


def _is_seeded_default(estimator: Any, default: Any, free: tuple[str, ...]) -> bool:
    """Return whether an estimator has an integer seed and, but for some, the default parameters."""
    if not isinstance(estimator.random_state, int | np.integer):
        return False
    parameters = estimator.get_params(deep=False)
    return all(
        parameters[name] is None if value is None else parameters[name] == value
        for name, value in default.get_params(deep=False).items()
        if name not in ("random_state", *free)
    )


def largest_depth(estimator: Any) -> int:
    """Return the largest depth of a tree, or of a forest's trees."""
    return np.iinfo(np.int32).max if estimator.max_depth is None else int(estimator.max_depth)


def depth_and_seed(estimator: Any) -> tuple[int, np.uint32]:
    """Return a tree's largest depth, and the seed of the generator that draws features."""
    return largest_depth(estimator), tree_seed(estimator.random_state)


def n_drawn_features(max_features: Any, n_features: int) -> int:
    """Return the number of features that are drawn for a split, as scikit-learn's trees count."""
    if max_features == "sqrt":
        return max(1, int(np.sqrt(n_features)))
    if max_features == "log2":
        return max(1, int(np.log2(n_features)))
    if isinstance(max_features, int | np.integer):
        return int(max_features)
    if isinstance(max_features, float):
        return max(1, int(max_features * n_features))
    return n_features  # None; scikit-learn refuses anything else
