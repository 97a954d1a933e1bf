"""Scores of a training part that any sampler has resampled.

The rows of other over-samplers are in no pool. But where a sampler keeps the training rows and
appends others, what a fast scorer has computed from the training and the validation part remains
valid, and for neighbours and linear support vectors that is most of the work. (A tree has to sort
its rows first, and the drop-in classifier, which does so once, is as fast.)
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from autosmote.scoring.lending import lend, predict_lent
from autosmote.scoring.registry import AddedRowsScorer, drop_in_for, make_scorer, scores_added_rows
from autosmote.scoring.threads import single_threaded


class ResampledScorer:
    """Predicts the validation rows as a classifier trained on a resampled training part does.

    It is given the training part before resampling; labels are 0 and 1, the minority being 1.
    """

    def __init__(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.integer],
        X_val: NDArray[np.float64],
    ) -> None:
        self._estimator = single_threaded(estimator)
        self._drop_in = drop_in_for(self._estimator)
        self._X_train, self._y_train, self._X_val = X_train, y_train, X_val

    def predict(self, X: NDArray[np.float64], y: NDArray[np.integer]) -> NDArray[np.int8]:
        """Return predictions (0 or 1) for the validation rows after training on X and y."""
        added = X[len(self._y_train) :]
        if self._only_adds(X, y) and np.isfinite(added).all():
            scorer = self._scorer
            if scorer is not None and scorer.accepts(added):
                return scorer.predict_added(added)
        model = clone(self._drop_in).fit(lend(X, self._drop_in), y)
        return predict_lent(model, self._X_val).astype(np.int8)

    def _only_adds(self, X: NDArray[np.float64], y: NDArray[np.integer]) -> bool:
        n = len(self._y_train)
        return (
            len(y) > n
            and bool((y[n:] == 1).all())
            and np.array_equal(y[:n], self._y_train)
            and np.array_equal(X[:n], self._X_train)
        )

    @cached_property
    def _scorer(self) -> AddedRowsScorer | None:
        if not scores_added_rows(self._estimator):
            return None
        # With the minority rows as the pool, what is computed and compared with a refit does not
        # depend on the rows that are added first.
        minority = self._X_train[self._y_train == 1]
        arguments = (self._X_train, self._y_train, minority, self._X_val)
        scorer = make_scorer(self._estimator, *arguments)
        return scorer if isinstance(scorer, AddedRowsScorer) else None
