"""Members of the ensemble: a classifier on some training rows, and its probabilities.

A classifier without probabilities (LinearSVC) gets them by Platt's sigmoid of its decision
function, fitted on the member's own training rows, as many of one class as of the other. So a
member is calibrated for what it was trained on, like those of the other kinds. A sigmoid fitted
on the whole training part would undo what the sampler did: at IR 20 it calls no row a minority
row, and with classes weighed equally it still moves the boundary of every member back.
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
    """A fitted classifier; the sigmoid's slope and intercept where it has no probabilities."""

    classifier: Any
    sigmoid: tuple[float, float] | None = None

    def probability(self, X: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probability of class 1, shape (n,)."""
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
    """Probabilities for all training and validation rows, by fitting and predicting."""

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
    """Platt's sigmoid.

    Minimises the cross-entropy of ``1 / (1 + exp(-slope * score - intercept))`` with Platt's
    targets (n + 1) / (n + 2), which keep the slope finite where the classes are separable, by
    Newton's method with halved steps.

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
        # Least squares, as the two columns are the same one where all scores are equal.
        step = np.linalg.lstsq(features.T @ curved, gradient, rcond=None)[0]
        size = 1.0
        while not loss(at - size * step) <= value and size > 1e-10:
            size /= 2
        at = at - size * step
        previous, value = value, loss(at)
        if previous - value < 1e-10:
            break
    return float(at[0]), float(at[1])
