"""Members of the ensemble: classifiers fitted on some training rows, with probabilities.

A classifier without probabilities (LinearSVC) gets them by Platt's sigmoid of its decision
function, fitted on the member's own training rows, which are balanced. So a member is calibrated
for the rows it was trained on, like members of other classifiers. A sigmoid fitted on the whole
training part would undo the under-sampling: at IR 20 it predicts no minority rows, and with
balanced class weights it still shifts each member's decision boundary back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

_MAX_STEPS = 100


@dataclass(frozen=True)
class Member:
    """A fitted classifier, with a sigmoid (slope, intercept) where it has no probabilities."""

    classifier: Any
    sigmoid: tuple[float, float] | None = None

    def probability(self, X: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the probabilities of class 1, shape (n,)."""
        if self.sigmoid is None:
            return self.classifier.predict_proba(X)[:, 1]
        slope, intercept = self.sigmoid
        return expit(slope * self.classifier.decision_function(X) + intercept)


def fit_member(
    estimator: Any, X: NDArray[np.floating], y: NDArray[np.int8], rows: NDArray[np.intp]
) -> Member:
    """Fit a clone of a classifier on some rows of the training part (X, y)."""
    from sklearn.base import clone

    classifier = clone(estimator).fit(X[rows], y[rows])
    if hasattr(classifier, "predict_proba"):
        return Member(classifier)
    return Member(classifier, fit_sigmoid(classifier.decision_function(X[rows]), y[rows]))


class Refits:
    """Probabilities for all training and validation rows by fitting each member."""

    def __init__(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.int8],
        X_val: NDArray[np.float64],
    ) -> None:
        self._estimator, self._y = estimator, y_train
        self._X, self._X_all = X_train, np.concatenate([X_train, X_val])

    def __call__(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return fit_member(self._estimator, self._X, self._y, rows).probability(self._X_all)


def fit_sigmoid(scores: NDArray[np.float64], y: NDArray[np.int8]) -> tuple[float, float]:
    """Fit Platt's sigmoid ``1 / (1 + exp(-slope * score - intercept))``.

    Minimises the cross-entropy with Platt's targets (n + 1) / (n + 2), which keep the slope
    finite for separable classes, by Newton's method with step halving.

    Returns
    -------
    slope, intercept : float
    """
    positive = y == 1
    n_pos, n_neg = np.count_nonzero(positive), np.count_nonzero(~positive)
    target = np.where(positive, (n_pos + 1) / (n_pos + 2), 1 / (n_neg + 2))
    features = np.column_stack([scores, np.ones_like(scores)])

    def loss(at: NDArray[np.float64]) -> float:
        z = features @ at
        return float((np.logaddexp(0.0, z) - target * z).mean())

    at = np.zeros(2)
    value = loss(at)
    for _ in range(_MAX_STEPS):
        p = expit(features @ at)
        gradient = features.T @ (p - target) / len(y)
        curved = features * (p * (1.0 - p) / len(y))[:, None]
        # Least squares, since the two columns are collinear if all scores are equal.
        step = np.linalg.lstsq(features.T @ curved, gradient, rcond=None)[0]
        size = 1.0
        while not loss(at - size * step) <= value and size > 1e-10:
            size /= 2
        at = at - size * step
        previous, value = value, loss(at)
        if previous - value < 1e-10:
            break
    return float(at[0]), float(at[1])
