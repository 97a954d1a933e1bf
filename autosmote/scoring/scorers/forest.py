"""Scores of a random forest whose trees are grown from rows sorted once per search.

scikit-learn draws rows for each tree with replacement, from the training rows followed by the
synthetic ones, and gives each row as weight how often it was drawn; rows without a weight are left
out. Equal pool rows are one row here, whose weight is the sum of its copies'. The weights are whole
numbers, so that sums of them are exact in any order, and a tree draws features alone: it is
scikit-learn's to the bit (``kernels.tree_growth``). The rows are sorted once for all trees.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autosmote.scoring.kernels import leaves, presort, tree_growth
from autosmote.scoring.parameters import is_seeded_default_forest, largest_depth, n_drawn_features


class ForestScorer:
    """Predicts as ``RandomForestClassifier`` where `is_seeded_default_forest` says so."""

    name = "forest"
    tolerance: ClassVar[float | None] = 0.0

    @staticmethod
    def supports(estimator: Any, X_train: NDArray[np.float64]) -> bool:
        from sklearn.ensemble import RandomForestClassifier

        return type(estimator) is RandomForestClassifier and is_seeded_default_forest(estimator)

    def __init__(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.integer],
        pool: NDArray[np.float64],
        X_val: NDArray[np.float64],
        memory_bytes: int,
    ) -> None:
        # Beside what a single tree needs there are the orders of each tree's rows.
        columns = presort.float32_columns(X_train, pool, memory_bytes=memory_bytes * 4 // 5)
        self._features = tree_growth.Features.of(columns)
        self._order = presort.sort_columns(self._features.columns)
        self._label = np.append(y_train, np.ones(len(pool), y_train.dtype)).astype(np.int8)
        self._n_train = len(X_train)
        self._X_val = X_val.astype(np.float32)
        self._max_depth = largest_depth(estimator)
        self._max_features = n_drawn_features(estimator.max_features, len(columns))
        self._bootstrap = estimator.bootstrap
        draw = np.random.RandomState(estimator.random_state).randint
        self._states = [draw(np.iinfo(np.int32).max) for _ in range(estimator.n_estimators)]
        self._seeds = [presort.tree_seed(state) for state in self._states]

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        used = presort.used_rows(self._n_train, counts)
        m = len(used.origin)
        order = np.empty((len(self._order), m), dtype=presort.row_dtype(m))
        presort.select(self._order, used.number, order)
        columns = np.take(self._features.columns, used.origin, axis=1)
        copy_of = np.repeat(np.arange(m), used.weight)  # the rows that scikit-learn draws from
        probabilities = np.zeros((len(self._X_val), 2))
        for state, seed in zip(self._states, self._seeds, strict=True):
            weight = used.weight
            if self._bootstrap:
                drawn = np.random.RandomState(state).randint(0, len(copy_of), len(copy_of))
                weight = np.bincount(copy_of[drawn], minlength=m).astype(np.int32)
            drawn_rows = np.flatnonzero(weight)
            number = np.full(m, -1, dtype=used.number.dtype)
            number[drawn_rows] = drawn_rows
            rows = np.empty((len(order) + 1, len(drawn_rows)), dtype=presort.row_dtype(m))
            presort.select(order, number, rows[:-1])
            rows[-1] = drawn_rows
            *tree, _ = self._features.grow(
                rows, used.origin, weight, self._label, self._max_depth, seed,
                max_features=self._max_features, columns=columns,
            )  # fmt: skip
            leaves.add_probabilities(probabilities, self._X_val, *tree)
        probabilities /= len(self._states)
        return (probabilities[:, 1] > probabilities[:, 0]).astype(np.int8)
