"""Score a training part that anything has resampled; what AutoSMOTE is compared with does so often.

An over-sampler's rows are no rows of a pool. But where it leaves the training rows as they are and
adds some after them, what a fast scorer has computed of the training and the validation part still
holds, and for neighbours and linear support vectors that is most of the work. (A tree begins with
sorting its rows, and a classifier that is equal and sorts them once is as fast.)
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from autosmote.scoring.registry import AddedRowsScorer, drop_in_for, make_scorer

_TAKING_ANY_ROWS = ("KNeighborsClassifier", "LinearSVC")


class ResampledScorer:
    """Validation predictions of a classifier that is trained on a resampled training part.

    Parameters
    ----------
    estimator : scikit-learn classifier
    X_train, y_train : ndarrays of shape (n, D) and (n,)
        The training part as it is; the labels are 0 and 1, the minority being 1.
    X_val : ndarray of shape (n_val, D)
    """

    def __init__(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.integer],
        X_val: NDArray[np.float64],
    ) -> None:
        self._estimator, self._equal = estimator, drop_in_for(estimator)
        self._X_train, self._y_train, self._X_val = X_train, y_train, X_val

    def predict(self, X: NDArray[np.float64], y: NDArray[np.integer]) -> NDArray[np.int8]:
        """Predictions (0 or 1) for the validation rows when it is trained on X and y."""
        added = X[len(self._y_train) :]
        if self._only_adds(X, y) and np.isfinite(added).all():
            scorer = self._scorer
            if scorer is not None and scorer.accepts(added):
                return scorer.predict_added(added)
        return clone(self._equal).fit(X, y).predict(self._X_val).astype(np.int8)

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
        if type(self._estimator).__name__ not in _TAKING_ANY_ROWS:
            return None
        # The minority rows are the pool: what is computed, and compared with a refit, is then the
        # same whatever is added first.
        minority = self._X_train[self._y_train == 1]
        arguments = (self._X_train, self._y_train, minority, self._X_val)
        scorer = make_scorer(self._estimator, *arguments)
        return scorer if isinstance(scorer, AddedRowsScorer) else None
