"""Scores of a decision tree that is grown from rows sorted once per search."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autosmote.scoring.kernels import leaves, presort, tree_growth
from autosmote.scoring.parameters import depth_and_seed, is_seeded_default_tree


class TreeScorer:
    """Predicts as ``DecisionTreeClassifier`` with default parameters, ``max_depth`` aside."""

    name = "tree"
    tolerance: ClassVar[float | None] = 0.0

    @staticmethod
    def supports(estimator: Any, X_train: NDArray[np.float64]) -> bool:
        from sklearn.tree import DecisionTreeClassifier

        return type(estimator) is DecisionTreeClassifier and is_seeded_default_tree(estimator)

    def __init__(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.integer],
        pool: NDArray[np.float64],
        X_val: NDArray[np.float64],
        memory_bytes: int,
    ) -> None:
        columns = presort.float32_columns(X_train, pool, memory_bytes=memory_bytes)
        self._features = tree_growth.Features.of(columns)
        self._order = presort.sort_columns(self._features.columns)
        self._label = np.append(y_train, np.ones(len(pool), y_train.dtype)).astype(np.int8)
        self._n_train = len(X_train)
        self._X_val = X_val.astype(np.float32)
        self._max_depth, self._seed = depth_and_seed(estimator)

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        used = presort.used_rows(self._n_train, counts)
        rows = self._features.unsorted_rows(len(used.origin))
        presort.select(self._order, used.number, rows[:-1])
        *tree, _ = self._features.grow(
            rows, used.origin, used.weight, self._label, self._max_depth, self._seed
        )
        return leaves.apply(self._X_val, *tree)
