"""Scores of AdaBoost with decision stumps from rows sorted once per search.

scikit-learn's ``AdaBoostClassifier`` (SAMME, default stumps) fits every stump on all rows, sorting
them by every feature. Here the distinct rows are in the order of every feature before the first
stump, and a stump is one pass over each (``kernels.boosting``).

scikit-learn sums floating-point weights of repeated rows in the order that its sorting results in,
the kernel over distinct rows. So splits that are equally good up to rounding may be chosen
differently. The first stump's weights are counts, whose sums are exact: there, ties are settled as
in scikit-learn, for the feature drawn first and the lowest threshold.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autosmote.scoring.kernels import presort
from autosmote.scoring.kernels.boosting import WORSE_THAN_RANDOM, Stumps, boost, vote


class AdaBoostScorer:
    """Predicts as ``AdaBoostClassifier`` with its default stumps."""

    name = "boosting"
    tolerance: ClassVar[float | None] = 1e-2
    """Equally good splits are frequent on some data."""

    @staticmethod
    def supports(estimator: Any, X_train: NDArray[np.float64]) -> bool:
        from sklearn.ensemble import AdaBoostClassifier

        return (
            type(estimator) is AdaBoostClassifier
            and estimator.estimator is None
            and isinstance(estimator.random_state, int | np.integer)
            and getattr(estimator, "algorithm", "deprecated") in ("deprecated", "SAMME")
        )

    def __init__(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.integer],
        pool: NDArray[np.float64],
        X_val: NDArray[np.float64],
        memory_bytes: int,
    ) -> None:
        self._n_train = len(X_train)
        self._columns = presort.float32_columns(X_train, pool, memory_bytes=memory_bytes)
        self._order = presort.sort_columns(self._columns)
        self._label = np.append(y_train, np.ones(len(pool), y_train.dtype)).astype(np.int8)
        self._val = presort.float32_columns(X_val)
        self._levels, self._n_levels = presort.find_levels(self._columns)
        self._learning_rate = float(estimator.learning_rate)
        draw = np.random.RandomState(estimator.random_state).randint
        states = [draw(np.iinfo(np.int32).max) for _ in range(estimator.n_estimators)]
        self._seeds = np.array([presort.tree_seed(state) for state in states], dtype=np.uint32)

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        return vote(self._val, *self.fit(counts))

    def fit(self, counts: NDArray[np.integer]) -> Stumps:
        """Fit and return the stumps, at most ``n_estimators``.

        Raises
        ------
        ValueError
            When the first stump is no better than chance, as in scikit-learn.
        """
        used = presort.used_rows(self._n_train, counts)
        m = len(used.origin)
        rows = np.empty((len(self._order), m), dtype=presort.row_dtype(m))
        presort.select(self._order, used.number, rows)
        stumps = Stumps(
            *boost(
                rows,
                np.take(self._columns, used.origin, axis=1),
                self._levels,
                self._n_levels,
                used.weight,
                self._label[used.origin],
                self._learning_rate,
                self._seeds,
            )
        )
        if len(stumps.weight) == 0:
            raise ValueError(WORSE_THAN_RANDOM)
        return stumps
