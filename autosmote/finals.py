"""What becomes of the sample sets that a search tried. The paper takes the best one (Algorithm 2).

On a validation part with few minority rows the best score of many is mostly luck. The other rules
ask several sample sets, or score the best ones again. They know nothing of where these come from:
`Trials` is the search's own side, and that of whatever it is compared with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from autosmote.folds import Fold
from autosmote.metrics import METRICS
from autosmote.scoring.reward import Part, Scoring

VOTES = ("vote", "tuned_vote", "latest_vote")
"""The rules by which several classifiers are kept."""


class Vote(ClassifierMixin, BaseEstimator):
    """Fitted classifiers that vote on whether a row belongs to the rarer of two classes.

    Parameters
    ----------
    members : list of fitted classifiers
        Of the same two classes.
    label : scalar
        The rarer class.
    threshold : float, default=0.5
        Share of the votes from which on a row is called `label`.

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
        return self.members[0].classes_

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any) -> Vote:
        """Do nothing: the members are fitted, each with synthetic rows of its own."""
        return self

    def share(self, X: Any) -> NDArray[np.float64]:
        """Share of the members, in [0, 1], that call each row `label`."""
        votes = sum((member.predict(X) == self.label).astype(int) for member in self.members)
        return np.asarray(votes) / len(self.members)

    def predict(self, X: Any) -> NDArray:
        """The class of each row."""
        return _called(self.share(X), self.threshold, self.label, self.classes_)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Shares of the votes for each class; of shape (n, 2)."""
        return _columns(self.share(X), self.label, self.classes_)


class Trials(ABC):
    """Sample sets that were tried, and the classifiers trained with them.

    A candidate has a `score` and an `iteration`; what else it is, its own kind of trials knows.

    Attributes
    ----------
    candidates : sequence
        The best first.
    latest : sequence
        Those of the last iterations, in order.
    held_out : sequence of Part or Fold
        By which they were scored: the validation part, or the folds.
    apart : bool
        Whether there is one held-out part, and it is not among the rows to learn from: then the
        classifier trained without it is the final one.
    label : scalar
        The rarer class.
    metric : str or callable
        As for `autosmote.scoring.reward.Reward`.
    """

    candidates: Sequence[Any]
    latest: Sequence[Any]
    held_out: Sequence[Part | Fold]
    apart: bool
    label: Any
    metric: Scoring

    @abstractmethod
    def table(self, candidate: Any) -> tuple[Any, NDArray]:
        """All rows to learn from, with the candidate's."""

    @abstractmethod
    def _fit(self, candidate: Any) -> Any:
        """The classifier trained on `table`."""

    @abstractmethod
    def _fit_without(self, candidate: Any, part: int) -> Any:
        """The classifier trained without a held-out part."""

    @abstractmethod
    def rescore(self, candidate: Any) -> float:
        """Mean score over the folds of all rows."""

    def fitted(self, candidate: Any, part: int | None = None) -> Any:
        """The classifier trained on all rows, or without a held-out part; once for all rules."""
        part = 0 if self.apart else part
        key = (candidate.iteration, part)
        if key not in self._memo:
            made = self._fit(candidate) if part is None else self._fit_without(candidate, part)
            self._memo[key] = made
        return self._memo[key]

    @cached_property
    def _memo(self) -> dict[tuple[int, int | None], Any]:
        return {}


@dataclass(frozen=True)
class Conclusion:
    """What a rule made of the trials. Classifiers are trained when they are asked for.

    Attributes
    ----------
    trials : Trials
    chosen : candidate
        Whose rows are the training part, where there is to be one.
    members : list of candidates
        Whose classifiers predict.
    threshold : float or None
        Of their votes; None where one classifier predicts.
    """

    trials: Trials
    chosen: Any
    members: Sequence[Any]
    threshold: float | None = None

    def model(self, part: int | None = None) -> Any:
        """The fitted classifier or the `Vote` of several: final, or without a held-out part."""
        fitted = [self.trials.fitted(member, part) for member in self.members]
        if self.threshold is None:
            return fitted[0]
        return Vote(fitted, self.trials.label, self.threshold)


def conclude(trials: Trials, final: str, keep: int) -> Conclusion:
    """Choose among the candidates, or let them vote.

    Parameters
    ----------
    trials : Trials
    final : str
        One of `autosmote.search_config.FINALS`.
    keep : int
        How many candidates to look at.
    """
    best = trials.candidates[:keep]
    if final == "rescored":
        # max keeps the first of equal ones: that with the better score so far.
        chosen = max(best, key=trials.rescore)
        return Conclusion(trials, chosen, [chosen])
    if final == "vote":
        return Conclusion(trials, best[0], best, 0.5)
    if final == "tuned_vote":
        return Conclusion(trials, best[0], best, _best_threshold(trials, best))
    if final == "latest_vote":
        return Conclusion(trials, best[0], trials.latest[-keep:], 0.5)
    return Conclusion(trials, best[0], best[:1])


def _scorer_of(metric: Scoring, label: Any) -> Callable[[Any, Any, NDArray], float]:
    """A function (model, X, y) -> score of a name in ``METRICS``, or of a scikit-learn scorer."""
    if not isinstance(metric, str):
        return metric
    value = METRICS[metric]
    return lambda model, X, y: float(value(y == label, model.predict(X) == label))


def _best_threshold(trials: Trials, members: Sequence[Any]) -> float:
    """The share of votes with the best mean score on held-out rows; ties to the nearest to 1/2."""
    score = _scorer_of(trials.metric, trials.label)
    n = len(members)
    votes = [
        Vote([trials.fitted(member, part) for member in members], trials.label)
        for part in range(len(trials.held_out))
    ]
    shares = [vote.share(rows.X_val) for vote, rows in zip(votes, trials.held_out, strict=True)]

    def mean_score(threshold: float) -> float:
        scores = [
            score(_Counted(share, threshold, trials.label, vote.classes_), rows.X_val, rows.y_val)
            for share, vote, rows in zip(shares, votes, trials.held_out, strict=True)
        ]
        return float(np.mean(scores))

    thresholds = [count / n for count in range(1, n + 1)]
    return max(sorted(thresholds, key=lambda t: abs(t - 0.5)), key=mean_score)


class _Counted(ClassifierMixin, BaseEstimator):
    """Votes that were counted already, as a classifier of just these rows."""

    def __init__(self, share: Any, threshold: float, label: Any, classes: NDArray) -> None:
        self.share, self.threshold, self.label, self.classes = share, threshold, label, classes
        self.classes_ = classes

    def predict(self, X: Any) -> NDArray:
        return _called(self.share, self.threshold, self.label, self.classes_)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        return _columns(self.share, self.label, self.classes_)


def _called(share: NDArray, threshold: float, label: Any, classes: NDArray) -> NDArray:
    (other,) = classes[classes != label]
    # A share is a quotient of whole numbers, and so may the threshold be: leave room for rounding.
    return np.where(share >= threshold - 1e-9, label, other).astype(classes.dtype)


def _columns(share: NDArray, label: Any, classes: NDArray) -> NDArray[np.float64]:
    return np.column_stack([share if name == label else 1 - share for name in classes])
