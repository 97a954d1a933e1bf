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

    if not isinstance(estimator.random_state, int | np.integer):
        return False
    parameters = estimator.get_params(deep=False)
    return all(
        parameters[name] is None if value is None else parameters[name] == value
        for name, value in DecisionTreeClassifier().get_params(deep=False).items()
        if name not in ("max_depth", "random_state")
    )


def depth_and_seed(estimator: Any) -> tuple[int, np.uint32]:
    """Return a tree's largest depth, and the seed of the generator that draws features."""
    depth = np.iinfo(np.int32).max if estimator.max_depth is None else int(estimator.max_depth)
    return depth, tree_seed(estimator.random_state)
