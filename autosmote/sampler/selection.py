"""Rules that make the final classifier from a search's candidates (`search.final`).

The paper takes the best candidate (Algorithm 2). On a validation part with few minority rows the
best score of many is mostly luck; a vote asks several candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from autosmote.config.search import DIVERSE_POOL
from autosmote.metrics import METRICS
from autosmote.sampler.diversity import choose_diverse
from autosmote.sampler.search_trials import Trials
from autosmote.sampler.vote import CountedVote, Vote, reaches, vote_share
from autosmote.scoring.reward import Scoring
from autosmote.search.candidates import Candidate

VOTES = ("vote", "tuned_vote", "diverse_vote")
"""Rules by which several classifiers are kept."""


class HeldOut(Protocol):
    """Rows that a score is computed on."""

    @property
    def X_val(self) -> Any: ...

    @property
    def y_val(self) -> NDArray: ...


@dataclass(frozen=True)
class FinalChoice:
    """The choice of a rule among the candidates; classifiers are trained when they are asked for.

    Attributes
    ----------
    trials : Trials
    chosen : Candidate
        Whose rows are returned.
    members : sequence of Candidate
        Whose classifiers predict.
    threshold : float or None
        Share of votes that it takes; None where one classifier predicts.
    """

    trials: Trials
    chosen: Candidate
    members: Sequence[Candidate]
    threshold: float | None = None

    def model(self) -> Any:
        """Return the fitted classifier, or the `Vote` of several."""
        fitted = [self.trials.classifier(member) for member in self.members]
        if self.threshold is None:
            return fitted[0]
        return Vote(fitted, self.trials.label, self.threshold)

    def predict_minority(self, X: Any) -> NDArray[np.bool_]:
        """Return the minority predictions for the rows of X."""
        return self._joint([self.trials.predict_minority(one, X) for one in self.members])

    def predict_held_out(self, part: int) -> NDArray[np.bool_]:
        """Return the minority predictions for a held-out part, by models trained without it."""
        return self._joint([self.trials.predict_held_out(one, part) for one in self.members])

    def held_out_score(self) -> float:
        """Return the mean score on the held-out parts, by models trained without them."""
        if self.threshold is None:
            return self.chosen.score
        return _vote_scorer(self.trials, self.members)(self.threshold)

    def _joint(self, predictions: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
        if self.threshold is None:
            return predictions[0]
        return reaches(vote_share(predictions), self.threshold)


def select_final(trials: Trials, final: str, keep: int) -> FinalChoice:
    """Choose the best candidate, or let good ones vote.

    Parameters
    ----------
    trials : Trials
    final : str
        One of `autosmote.config.search.FINALS`.
    keep : int
        Number of candidates that vote.
    """
    best = trials.candidates[:keep]
    if final not in VOTES:
        return FinalChoice(trials, best[0], best[:1])
    if final == "diverse_vote":
        best = _diverse(trials, keep)
    threshold = 0.5 if final == "vote" else _best_threshold(trials, best)
    return FinalChoice(trials, best[0], best, threshold)


def _diverse(trials: Trials, keep: int) -> list[Candidate]:
    """Return good candidates whose classifiers differ on the held-out rows, the best one first."""
    among = trials.candidates[: DIVERSE_POOL * keep]
    parts = range(len(trials.held_out))
    predictions = [
        np.concatenate([trials.predict_held_out(candidate, part) for part in parts])
        for candidate in among
    ]
    scores = [candidate.score for candidate in among]
    return [among[i] for i in choose_diverse(scores, predictions, keep)]


def _best_threshold(trials: Trials, members: Sequence[Candidate]) -> float:
    """Return the share of votes with the best mean score; ties to the nearest to 1/2."""
    thresholds = [count / len(members) for count in range(1, len(members) + 1)]
    return max(sorted(thresholds, key=lambda t: abs(t - 0.5)), key=_vote_scorer(trials, members))


def _vote_scorer(trials: Trials, members: Sequence[Candidate]) -> Callable[[float], float]:
    """Return a function from a threshold to the vote's mean score on the held-out parts."""
    parts = range(len(trials.held_out))
    shares = [
        vote_share([trials.predict_held_out(member, part) for member in members]) for part in parts
    ]
    return share_scorer(shares, trials.held_out, trials.metric, trials.label)


def share_scorer(
    shares: Sequence[NDArray[np.float64]], held_out: Sequence[HeldOut], metric: Scoring, label: Any
) -> Callable[[float], float]:
    """Return a function from a threshold to the mean score of held-out parts.

    Parameters
    ----------
    shares : sequence of ndarrays
        For each part what is compared with the threshold: shares of votes, or probabilities.
    held_out : sequence of parts with X_val and y_val
    metric : str or callable
        As for `autosmote.scoring.reward.Reward`.
    label : scalar
        The class of the rows that reach the threshold.
    """
    score = _scorer(metric, label)

    def mean_score(threshold: float) -> float:
        scores = [
            score(CountedVote(share, threshold, label, rows.y_val), rows.X_val, rows.y_val)
            for share, rows in zip(shares, held_out, strict=True)
        ]
        return float(np.mean(scores))

    return mean_score


def _scorer(metric: Scoring, label: Any) -> Callable[[Any, Any, NDArray], float]:
    """Return a function (model, X, y) -> score of a name in ``METRICS``, or the scorer itself."""
    if not isinstance(metric, str):
        return metric
    value = METRICS[metric]
    return lambda model, X, y: float(value(y == label, model.predict(X) == label))
