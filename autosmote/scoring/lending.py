"""Rows for estimators that are not ours, some of which write into them."""

from __future__ import annotations

from typing import Any

import numpy as np


def lend(X: Any, estimator: Any) -> Any:
    """Return rows that an estimator may write into without a change of X.

    scikit-learn's `StandardScaler(copy=False)` scales the rows that it is given, in `predict` too:
    the same rows given twice would be scaled twice.

    Parameters
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n, columns)
        Others, such as tuples, are made arrays by the estimator and are returned as they are.
    estimator : object
        Which the rows are for; ours (the faster equivalents, a `Vote`) write into none.

    Returns
    -------
    of the kind of X
        A copy, in the order in memory of X, on which the last digits of sums depend; X itself for
        an estimator of ours.
    """
    if type(estimator).__module__.startswith("autosmote."):
        return X
    if hasattr(X, "iloc"):
        import pandas as pd

        rows = X.copy(deep=False)
        rows.attrs = {}  # which `concat` compares, and arrays among them have no truth value
        return pd.concat([rows, rows.iloc[:0]])  # as X.copy() does not keep the order
    if isinstance(X, np.ndarray):
        return X.copy(order="K")
    return X.copy() if hasattr(X, "copy") else X


def predict_lent(model: Any, X: Any) -> Any:
    """Return a fitted model's predictions for rows that it may write into."""
    return model.predict(lend(X, model))
