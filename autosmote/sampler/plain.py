"""The classifier without synthetic rows: what a search has to beat on the held-out rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from autosmote.sampler.selection import share_scorer
from autosmote.sampler.vote import classes_of, reaches
from autosmote.scoring.lending import lend
from autosmote.scoring.registry import drop_in_for
from autosmote.scoring.reward import Part, Scoring

_MOST_THRESHOLDS = 100


class Thresholded(ClassifierMixin, BaseEstimator):
    """A fitted classifier of two classes that predicts `label` from a threshold on.

    Parameters
    ----------
    classifier : fitted classifier
    label : scalar
        The rarer class.
    threshold : float
        On `label_share`.
    """

    def __init__(self, classifier: Any, label: Any, threshold: float = 0.5) -> None:
        self.classifier = classifier
        self.label = label
        self.threshold = threshold

    @property
    def classes_(self) -> NDArray:
        return classes_of(self.classifier)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any) -> Thresholded:
        """Do nothing: the classifier is fitted."""
        return self

    def share(self, X: Any) -> NDArray[np.float64]:
        """Return what is compared with the threshold: `label_share`."""
        return label_share(self.classifier, X, self.label)

    def predict(self, X: Any) -> NDArray:
        """Predict the class of each row."""
        (other,) = self.classes_[self.classes_ != self.label]
        chosen = np.where(reaches(self.share(X), self.threshold), self.label, other)
        return chosen.astype(self.classes_.dtype)


def label_share(classifier: Any, X: Any, label: Any) -> NDArray[np.float64]:
    """Return a number in [0, 1] for each row that grows with how sure `label` is, of two classes.

    The probability; without one the logistic function of the decision function; without either
    1 where `label` is predicted.
    """
    column = int(np.flatnonzero(classes_of(classifier) == label)[0])
    X = lend(X, classifier)
    if hasattr(classifier, "predict_proba"):
        return np.asarray(classifier.predict_proba(X))[:, column]
    if hasattr(classifier, "decision_function"):
        decision = np.asarray(classifier.decision_function(X))
        return expit(decision if column == 1 else -decision)
    return (np.asarray(classifier.predict(X)) == label).astype(np.float64)


def tuned_threshold(
    estimator: Any, parts: Sequence[Part], metric: Scoring, label: Any
) -> tuple[float, float]:
    """Return the threshold with the best mean score on the held-out parts, and that score.

    Of several equally good ones the nearest to 1/2.
    """
    shares = []
    for part in parts:
        fitted = clone(drop_in_for(estimator))
        fitted.fit(lend(part.X_train, fitted), part.y_train)
        shares.append(label_share(fitted, part.X_val, label))
    score = share_scorer(shares, parts, metric, label)
    thresholds = possible_thresholds(np.concatenate(shares))
    scores = {t: score(t) for t in sorted(thresholds, key=lambda t: abs(t - 0.5))}
    best = max(scores, key=scores.__getitem__)
    return best, scores[best]


def possible_thresholds(shares: NDArray[np.float64]) -> list[float]:
    """Return 1/2, and the middles between neighbouring numbers, at most about a hundred."""
    known = np.unique(shares)
    middles = (known[:-1] + known[1:]) / 2
    if len(middles) > _MOST_THRESHOLDS:
        # As many rows lie between one and the next.
        ranks = np.linspace(0, len(shares) - 1, _MOST_THRESHOLDS).astype(int)
        middles = np.unique(np.sort(shares)[ranks])
    return [0.5, *(float(middle) for middle in middles if middle != 0.5)]
