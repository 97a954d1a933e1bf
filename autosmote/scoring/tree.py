"""Score by a decision tree that is grown from rows sorted once per search (see ``growing``)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.scoring import growing, presort

TOLERATED = 0.0
"""Share of predictions that may differ from a refit's: none."""

_FEW_VALUES = 16
"""Features with at most so many values over training part and pool are kept as histograms."""


def supports(estimator: Any, X_train: NDArray[np.float64]) -> bool:
    """Whether the estimator's type and parameters are ones that this module reproduces."""
    from sklearn.tree import DecisionTreeClassifier

    if type(estimator) is not DecisionTreeClassifier:
        return False
    if not isinstance(estimator.random_state, int | np.integer):
        return False
    parameters = estimator.get_params(deep=False)
    return all(
        parameters[name] == value
        for name, value in DecisionTreeClassifier().get_params(deep=False).items()
        if name not in ("max_depth", "random_state")
    )


class TreeScorer:
    """Predictions of ``DecisionTreeClassifier`` with default parameters, ``max_depth`` aside.

    Raises
    ------
    MemoryError
        When the sorted arrays would take more than ``memory_bytes``.
    """

    name = "tree"

    def __init__(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.integer],
        pool: NDArray[np.float64],
        X_val: NDArray[np.float64],
        memory_bytes: int,
    ) -> None:
        n_rows, n_features = len(X_train) + len(pool), X_train.shape[1]
        needed = 16 * n_rows * n_features  # float32 columns twice, their order and their codes
        if needed > memory_bytes:
            raise MemoryError(f"{n_rows} rows sorted by {n_features} features: {needed} bytes")

        columns = presort.float32_columns(X_train, pool)
        levels = [np.unique(column) for column in columns]
        few = np.array([len(values) <= _FEW_VALUES for values in levels], dtype=bool)
        self._few_features, self._sorted_features = np.flatnonzero(few), np.flatnonzero(~few)
        self._columns = np.ascontiguousarray(columns[~few])
        self._order = presort.sort_columns(self._columns)
        self._codes = np.empty((n_rows, few.sum()), dtype=np.uint8)
        self._levels = np.zeros((few.sum(), _FEW_VALUES), dtype=np.float32)
        for k, feature in enumerate(self._few_features):
            self._codes[:, k] = np.searchsorted(levels[feature], columns[feature])
            self._levels[k, : len(levels[feature])] = levels[feature]

        self._label = np.append(y_train, np.ones(len(pool), y_train.dtype)).astype(np.int8)
        self._n_train = len(X_train)
        self._X_val = X_val.astype(np.float32)
        self._max_depth = np.iinfo(np.int32).max
        if estimator.max_depth is not None:
            self._max_depth = int(estimator.max_depth)
        seeds = np.random.RandomState(estimator.random_state)
        self._seed = np.uint32(seeds.randint(0, presort.RAND_R_MAX))

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        """Predictions for the validation rows when pool row p is added ``counts[p]`` times."""
        used = presort.used_rows(self._n_train, counts)
        n_sorted, m = len(self._sorted_features), len(used.origin)
        rows = np.empty((n_sorted + 1, m), dtype=used.dtype)
        presort.select(self._order, used.number, rows[:n_sorted])
        rows[n_sorted] = np.arange(m)
        tree = growing.grow(
            rows,
            np.take(self._columns, used.origin, axis=1),
            self._codes,
            self._levels,
            self._sorted_features,
            self._few_features,
            used.origin,
            used.weight,
            self._label,
            self._max_depth,
            self._seed,
        )
        return growing.apply(self._X_val, *tree)
