"""Score by refitting a scikit-learn classifier: works for any of them, and is the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone


class RefitScorer:
    """Fit a clone of the estimator on the training rows and the counted pool rows, and predict.

    Counted rows follow the training rows in pool order, each repeated as often as it is counted.
    """

    name = "refit"

    def __init__(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.integer],
        pool: NDArray[np.float64],
        X_val: NDArray[np.float64],
    ) -> None:
        self._estimator = estimator
        self._X_train, self._y_train = X_train, y_train
        self._pool = pool
        self._X_val = X_val

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        """Predictions for the validation rows when pool row p is added ``counts[p]`` times."""
        return self.fit(counts).predict(self._X_val).astype(np.int8)

    def fit(self, counts: NDArray[np.integer]) -> Any:
        """A clone of the estimator, fitted on training and counted pool rows."""
        X = np.vstack([self._X_train, np.repeat(self._pool, counts, axis=0)])
        y = np.append(self._y_train, np.ones(len(X) - len(self._X_train), self._y_train.dtype))
        return clone(self._estimator).fit(X, y)
