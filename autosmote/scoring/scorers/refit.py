"""Scores by refitting a scikit-learn classifier: any of them; the reference of fast scorers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from autosmote.metrics import check_predictions
from autosmote.scoring.lending import predict_lent
from autosmote.space.base import Samples


class RefitScorer:
    """Fits a clone of the estimator on training and synthetic rows, in this order, and predicts.

    Parameters
    ----------
    estimator : scikit-learn classifier
    X_train, X_val : {ndarray, DataFrame} of shape (n, columns)
        Of the same type, with the same columns.
    y_train : ndarray of shape (n,)
    rows : callable
        Returns the synthetic rows of a sample set.
    label : scalar
        Label of the synthetic rows.
    """

    name = "refit"

    def __init__(
        self,
        estimator: Any,
        X_train: Any,
        y_train: NDArray,
        rows: Callable[[Samples], Any],
        X_val: Any,
        label: Any = 1,
    ) -> None:
        self._estimator = estimator
        self._X_train, self._y_train = X_train, y_train
        self._rows = rows
        self._X_val = X_val
        self._label = label
        self._labels = np.unique(np.append(y_train, label))

    def predict(self, samples: Samples) -> NDArray[np.int8]:
        """Return 1 for validation rows that are predicted as `label`, 0 for the others."""
        fitted = self.fit(samples)
        predicted = check_predictions(predict_lent(fitted, self._X_val), self._labels)
        return (predicted == self._label).astype(np.int8)

    def fit(self, samples: Samples) -> Any:
        """Return a clone of the estimator, fitted on training and synthetic rows."""
        rows = self._rows(samples)
        X = stack(self._X_train, rows)
        y = np.append(self._y_train, np.full(len(rows), self._label, self._y_train.dtype))
        return clone(self._estimator).fit(X, y)


def stack(first: Any, second: Any) -> Any:
    """Concatenate the rows of two arrays or DataFrames; a DataFrame's index is reset."""
    if hasattr(first, "iloc"):
        import pandas as pd

        return pd.concat([first, second], ignore_index=True)
    return np.concatenate([first, second])
