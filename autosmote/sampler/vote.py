"""Votes of several fitted classifiers on which rows belong to the minority class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from autosmote.errors import InputError
from autosmote.scoring.lending import predict_lent


class Vote(ClassifierMixin, BaseEstimator):
    """Fitted classifiers that vote on whether a row belongs to the rarer of two classes.

    Parameters
    ----------
    members : list of fitted classifiers
        Of the same two classes.
    label : scalar
        The rarer class.
    threshold : float, default=0.5
        Share of the votes from which on a row is predicted to be `label`.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    """

    def __init__(self, members: Sequence[Any], label: Any, threshold: float = 0.5) -> None:
        self.members = members
        self.label = label
        self.threshold = threshold

    @property
    def classes_(self) -> NDArray:
        return classes_of(self.members[0])

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any) -> Vote:
        """Do nothing: the members are fitted, each with synthetic rows of its own."""
        return self

    def share(self, X: Any) -> NDArray[np.float64]:
        """Return the share of the members, in [0, 1], that predict `label` for each row."""
        predicted = [predict_lent(member, X) for member in self.members]
        return vote_share([labels == self.label for labels in predicted])

    def predict(self, X: Any) -> NDArray:
        """Predict the class of each row."""
        return _labels(self.share(X), self.threshold, self.label, self.classes_)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the shares of the votes for each class, of shape (n, 2)."""
        return _probabilities(self.share(X), self.label, self.classes_)


class CountedVote(ClassifierMixin, BaseEstimator):
    """A classifier of rows whose votes were counted before, for scikit-learn's scorers.

    `share` has each row's share of the votes for `label`; their labels `y` are of both classes.
    """

    def __init__(self, share: Any, threshold: float, label: Any, y: NDArray) -> None:
        self.share, self.threshold, self.label, self.y = share, threshold, label, y
        self.classes_ = np.unique(y)

    def predict(self, X: Any) -> NDArray:
        return _labels(self.share, self.threshold, self.label, self.classes_)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        return _probabilities(self.share, self.label, self.classes_)


def classes_of(classifier: Any) -> NDArray:
    """Return a fitted classifier's `classes_`.

    Raises
    ------
    InputError
        Where it has none.
    """
    if not hasattr(classifier, "classes_"):
        raise InputError(
            f"The estimator {type(classifier).__name__} has no classes_ after its fit, as "
            "scikit-learn's classifiers have; let its fit set them to numpy.unique(y)."
        )
    return classifier.classes_


def vote_share(predictions: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
    """Return the share of several classifiers' predictions that are true for each row."""
    return np.sum(predictions, axis=0) / len(predictions)


def reaches(share: NDArray[np.float64], threshold: float) -> NDArray[np.bool_]:
    """Return whether shares of votes reach a threshold."""
    # A share is a quotient of whole numbers, and so may the threshold be: leave room for rounding.
    return share >= threshold - 1e-9


def _labels(share: NDArray, threshold: float, label: Any, classes: NDArray) -> NDArray:
    (other,) = classes[classes != label]
    return np.where(reaches(share, threshold), label, other).astype(classes.dtype)


def _probabilities(share: NDArray, label: Any, classes: NDArray) -> NDArray[np.float64]:
    return np.column_stack([share if name == label else 1 - share for name in classes])
