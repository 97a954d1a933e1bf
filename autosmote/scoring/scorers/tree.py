"""Score by a decision tree that is grown from rows sorted once per search (see ``growing``)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autosmote.scoring.kernels import presort
from autosmote.scoring.kernels import tree_growth as growing


def known_parameters(estimator: Any) -> bool:
    """Whether a tree has the default parameters, but for its depth, and draws from a seed."""
    from sklearn.tree import DecisionTreeClassifier

    if not isinstance(estimator.random_state, int | np.integer):
        return False
    parameters = estimator.get_params(deep=False)
    return all(
        parameters[name] is None if value is None else parameters[name] == value
        for name, value in DecisionTreeClassifier().get_params(deep=False).items()
        if name not in ("max_depth", "random_state")
    )


def limit_and_seed(estimator: Any) -> tuple[int, np.uint32]:
    """The largest depth, and the seed of the generator that draws features."""
    limit = np.iinfo(np.int32).max if estimator.max_depth is None else int(estimator.max_depth)
    seeds = np.random.RandomState(estimator.random_state)
    return limit, np.uint32(seeds.randint(0, presort.RAND_R_MAX))


class TreeScorer:
    """Predictions of ``DecisionTreeClassifier`` with default parameters, ``max_depth`` aside.

    Raises
    ------
    MemoryError
        When the sorted arrays would take more than ``memory_bytes``.
    """

    name = "tree"
    tolerance: ClassVar[float | None] = 0.0
    """Share of predictions that may differ from a refit's: none."""

    @staticmethod
    def supports(estimator: Any, X_train: NDArray[np.float64]) -> bool:
        """Return whether the estimator's type and parameters are reproduced."""
        from sklearn.tree import DecisionTreeClassifier

        return type(estimator) is DecisionTreeClassifier and known_parameters(estimator)

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

        self._features = growing.Features.of(presort.float32_columns(X_train, pool))
        self._order = presort.sort_columns(self._features.columns)
        self._label = np.append(y_train, np.ones(len(pool), y_train.dtype)).astype(np.int8)
        self._n_train = len(X_train)
        self._X_val = X_val.astype(np.float32)
        self._max_depth, self._seed = limit_and_seed(estimator)

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        """Predictions for the validation rows when pool row p is added ``counts[p]`` times."""
        used = presort.used_rows(self._n_train, counts)
        n_sorted, m = len(self._features.columns), len(used.origin)
        rows = np.empty((n_sorted + 1, m), dtype=used.dtype)
        presort.select(self._order, used.number, rows[:n_sorted])
        rows[n_sorted] = np.arange(m)
        *tree, _ = growing.grow(
            rows,
            np.take(self._features.columns, used.origin, axis=1),
            self._features.codes,
            self._features.levels,
            self._features.sorted_features,
            self._features.few_features,
            used.origin,
            used.weight,
            self._label,
            self._max_depth,
            self._seed,
        )
        return growing.apply(self._X_val, *tree)
