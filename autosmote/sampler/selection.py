"""What becomes of the sample sets that a search tried. The paper takes the best one (Algorithm 2).

On a validation part with few minority rows the best score of many is mostly luck. The other rules
ask several sample sets, or score the best ones again. They know nothing of where these come from:
`Trials` is the search's own side, and that of whatever it is compared with.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from autosmote.metrics import METRICS
from autosmote.sampler.folds import Fold
from autosmote.scoring.reward import Part, Scoring

VOTES = ("vote", "tuned_vote")
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
        return _share([member.predict(X) == self.label for member in self.members])

    def predict(self, X: Any) -> NDArray:
        """The class of each row."""
        return _named(self.share(X), self.threshold, self.label, self.classes_)

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
    held_out : sequence of Part or Fold
        By which they were scored: the validation part, or the folds.
    apart : bool
        Whether there is one held-out part, and it is not among the rows to learn from: then the
        final classifier is one trained without it.
    label : scalar
        The rarer class.
    metric : str or callable
        As for `autosmote.scoring.reward.Reward`.
    """

    candidates: Sequence[Any]
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
    def _called(self, candidate: Any, part: int) -> NDArray[np.bool_]:
        """As `called`, of a classifier trained without the part."""

    def fitted(self, candidate: Any) -> Any:
        """The classifier trained on all rows; once for all rules."""
        return self._once((candidate.iteration,), lambda: self._fit(candidate))

    def calls(self, candidate: Any, X: Any) -> NDArray[np.bool_]:
        """Which rows of X the classifier trained on all rows calls `label`; once for all rules."""
        self._asked[id(X)] = X  # kept, so that no other array is given its number
        return self._once(
            (candidate.iteration, "rows", id(X)),
            lambda: np.asarray(self.fitted(candidate).predict(X)) == self.label,
        )

    def called(self, candidate: Any, part: int) -> NDArray[np.bool_]:
        """Which rows of a held-out part are called `label` without it; once for all rules."""
        if self.apart:
            return self.calls(candidate, self.held_out[part].X_val)
        return self._once(
            (candidate.iteration, "part", part), lambda: self._called(candidate, part)
        )

    @contextmanager
    def charged(self) -> Iterator[Callable[[], float]]:
        """Seconds since then as if one rule had been alone; what others left to it counts too."""
        self._used.clear()
        started = time.perf_counter()
        yield lambda: time.perf_counter() - started + sum(self._used.values())

    def _once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if key in self._known:
            value, seconds = self._known[key]
            self._used.setdefault(key, seconds)
            return value
        started = time.perf_counter()
        value = make()
        self._known[key] = value, time.perf_counter() - started
        self._used[key] = 0.0  # on the clock already
        return value

    @cached_property
    def _known(self) -> dict[tuple[Any, ...], tuple[Any, float]]:
        return {}

    @cached_property
    def _used(self) -> dict[tuple[Any, ...], float]:
        return {}

    @cached_property
    def _asked(self) -> dict[int, Any]:
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

    def model(self) -> Any:
        """The fitted classifier, or the `Vote` of several."""
        fitted = [self.trials.fitted(member) for member in self.members]
        if self.threshold is None:
            return fitted[0]
        return Vote(fitted, self.trials.label, self.threshold)

    def calls(self, X: Any) -> NDArray[np.bool_]:
        """Which rows of X are called `label`."""
        return self._among([self.trials.calls(member, X) for member in self.members])

    def called(self, part: int) -> NDArray[np.bool_]:
        """Which rows of a held-out part are called `label`, by classifiers trained without it."""
        return self._among([self.trials.called(member, part) for member in self.members])

    def _among(self, calls: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        return calls[0] if self.threshold is None else _enough(_share(calls), self.threshold)


def conclude(trials: Trials, final: str, keep: int) -> Conclusion:
    """Choose among the candidates, or let them vote.

    Parameters
    ----------
    trials : Trials
    final : str
        One of `autosmote.config.search.FINALS`.
    keep : int
        How many candidates to look at.
    """
    best = trials.candidates[:keep]
    if final in VOTES:
        threshold = _best_threshold(trials, best) if final == "tuned_vote" else 0.5
        return Conclusion(trials, best[0], best, threshold)
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
    parts = range(len(trials.held_out))
    shares = [_share([trials.called(member, part) for member in members]) for part in parts]

    def mean_score(threshold: float) -> float:
        scores = [
            score(_Counted(share, threshold, trials.label, rows.y_val), rows.X_val, rows.y_val)
            for share, rows in zip(shares, trials.held_out, strict=True)
        ]
        return float(np.mean(scores))

    thresholds = [count / len(members) for count in range(1, len(members) + 1)]
    return max(sorted(thresholds, key=lambda t: abs(t - 0.5)), key=mean_score)


def _share(calls: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
    """Share of several classifiers that call each row `label`."""
    return np.sum(calls, axis=0) / len(calls)


class _Counted(ClassifierMixin, BaseEstimator):
    """Votes that were counted already, as a classifier of just these rows, which have labels y."""

    def __init__(self, share: Any, threshold: float, label: Any, y: NDArray) -> None:
        self.share, self.threshold, self.label, self.y = share, threshold, label, y
        self.classes_ = np.unique(y)  # both: no part is without one of them

    def predict(self, X: Any) -> NDArray:
        return _named(self.share, self.threshold, self.label, self.classes_)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        return _columns(self.share, self.label, self.classes_)


def _named(share: NDArray, threshold: float, label: Any, classes: NDArray) -> NDArray:
    (other,) = classes[classes != label]
    return np.where(_enough(share, threshold), label, other).astype(classes.dtype)


def _enough(share: NDArray, threshold: float) -> NDArray[np.bool_]:
    # A share is a quotient of whole numbers, and so may the threshold be: leave room for rounding.
    return share >= threshold - 1e-9


def _columns(share: NDArray, label: Any, classes: NDArray) -> NDArray[np.float64]:
    return np.column_stack([share if name == label else 1 - share for name in classes])
