"""Score by refitting a scikit-learn classifier: works for any of them, and is the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone


class RefitScorer:
    """Fit a clone of the estimator on the training rows and the counted pool rows, and predict.

    Counted rows follow the training rows in pool order, each repeated as often as it is counted.

    Parameters
    ----------
    estimator : scikit-learn classifier
    X_train, pool, X_val : {ndarray, DataFrame} of shape (n, columns)
        All of one kind, with the same columns.
    y_train : ndarray of shape (n,)
    label : scalar
        Of the pool rows.
    """

    name = "refit"

    def __init__(
        self,
        estimator: Any,
        X_train: Any,
        y_train: NDArray,
        pool: Any,
        X_val: Any,
        label: Any = 1,
    ) -> None:
        self._estimator = estimator
        self._X_train, self._y_train = X_train, y_train
        self._pool = pool
        self._X_val = X_val
        self._label = label

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        """1 for validation rows called `label` when pool row p is added ``counts[p]`` times."""
        predicted = self.fit(counts).predict(self._X_val)
        return (np.asarray(predicted) == self._label).astype(np.int8)

    def fit(self, counts: NDArray[np.integer]) -> Any:
        """A clone of the estimator, fitted on training and counted pool rows."""
        X = stack(self._X_train, repeat(self._pool, counts))
        y = np.append(self._y_train, np.full(counts.sum(), self._label, self._y_train.dtype))
        return clone(self._estimator).fit(X, y)


def repeat(rows: Any, counts: NDArray[np.integer]) -> Any:
    """Rows of an array or a DataFrame, each as often as it is counted."""
    chosen = np.repeat(np.arange(len(counts)), counts)
    return rows.iloc[chosen] if hasattr(rows, "iloc") else rows[chosen]


def stack(first: Any, second: Any) -> Any:
    """One array or DataFrame of the rows of two; a DataFrame's rows are numbered anew."""
    if hasattr(first, "iloc"):
        import pandas as pd

        return pd.concat([first, second], ignore_index=True)
    return np.concatenate([first, second])
