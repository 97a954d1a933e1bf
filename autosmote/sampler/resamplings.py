"""Many resamplings by a resampler's seeds and ratios, scored and chosen among as a search does.

What AutoSMOTE's search is to be compared with: as many classifiers trained, by the same reward, and
the same rule for what becomes of them. A gain that this has too is not one of learning.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from autosmote.errors import describe_error, let_interrupts_through
from autosmote.metrics import METRICS
from autosmote.sampler.folds import Fold
from autosmote.sampler.selection import Trials
from autosmote.scoring.registry import drop_in_for
from autosmote.scoring.scorers.added_rows import ResampledScorer

Table = tuple[NDArray[np.float64], NDArray[np.int8]]
Resample = Callable[[int, float | None, NDArray[np.float64], NDArray[np.int8]], Table]
"""(seed, ratio, X, y) -> the training part resampled."""


@dataclass(frozen=True)
class Resampling:
    """One resampling and its score."""

    score: float
    iteration: int
    seed: int
    ratio: float | None
    left_out: float = 0.0
    """Of the majority rows by a search's own policy: none."""


@dataclass(frozen=True)
class ResamplingsResult:
    """What was found, with the names of a search's result."""

    best: Resampling
    iterations: int
    history: dict[str, NDArray]
    stopped_by: str = "iterations"
    G1: None = None
    scorer: str = "refit"
    actors: int = 0
    device: str = "cpu"
    peak_memory_mb: None = None


@dataclass
class Resamplings:
    """Resamplings of one training part, and what a classifier makes of them on held-out rows.

    Parameters
    ----------
    resample : callable
    ratios : sequence
        Taken in turn, each time with another seed.
    seed : int
        From which all seeds come.
    estimator : scikit-learn classifier
    X, y : ndarrays of shape (n, D) and (n,)
        Rows to learn from; 1 is the rarer class.
    folds : list of Fold
        By which resamplings are scored: made from a fold's training rows alone.
    apart : bool
        As for `autosmote.sampler.selection.Trials`.

    Attributes
    ----------
    scores : dict of lists
        By metric, one entry for each resampling; NaN where it failed.
    n_synthetic, elapsed : list
        Minority rows that were added, and seconds since the start.
    errors : list of str
        Of the resamplings that failed.
    """

    resample: Resample
    ratios: Sequence[float | None]
    seed: int
    estimator: Any
    X: NDArray[np.float64]
    y: NDArray[np.int8]
    folds: list[Fold]
    apart: bool
    scores: dict[str, list[float]] = field(default_factory=lambda: {m: [] for m in METRICS})
    n_synthetic: list[int] = field(default_factory=list)
    elapsed: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def run(
        self,
        iterations: int,
        metric: str,
        on_iteration: Callable[[int, float, float], None] | None = None,
    ) -> None:
        """Try so many resamplings; `on_iteration` is called as a search does, by one metric."""
        start = time.perf_counter()
        for n in range(1, iterations + 1):
            try:
                scores, n_synthetic = self._try(self.seed_and_ratio(n))
            except Exception as error:  # a resampling that cannot be made is one that lost
                let_interrupts_through(error)
                scores, n_synthetic = dict.fromkeys(METRICS, math.nan), 0
                self.errors.append(describe_error(error))
            for name, score in scores.items():
                self.scores[name].append(score)
            self.n_synthetic.append(n_synthetic)
            self.elapsed.append(time.perf_counter() - start)
            if on_iteration is not None:
                best = np.fmax.reduce(self.scores[metric])
                on_iteration(n, self.scores[metric][-1], float(best))

    def seed_and_ratio(self, n: int) -> tuple[int, float | None]:
        """What resampling n, from 1, is made by."""
        seed = int(np.random.SeedSequence([self.seed, n]).generate_state(1)[0])
        return seed, self.ratios[(n - 1) % len(self.ratios)]

    def _try(self, what: tuple[int, float | None]) -> tuple[dict[str, float], int]:
        found: dict[str, list[float]] = {metric: [] for metric in METRICS}
        for fold, scorer in zip(self.folds, self.scorers, strict=True):
            X, y = self.resample(*what, fold.X_train, fold.y_train)
            predicted = scorer.predict(X, y)
            for metric, value in METRICS.items():
                found[metric].append(float(value(fold.y_val, predicted)))
        made = int(np.count_nonzero(y == 1)) - int(np.count_nonzero(fold.y_train == 1))
        return {metric: float(np.mean(scores)) for metric, scores in found.items()}, max(0, made)

    @cached_property
    def scorers(self) -> list[ResampledScorer]:
        """One for each fold."""
        return [self._scorer(fold) for fold in self.folds]

    def _scorer(self, fold: Fold) -> ResampledScorer:
        return ResampledScorer(self.estimator, fold.X_train, fold.y_train, fold.X_val)

    def result(self, metric: str, chosen: Resampling) -> ResamplingsResult:
        """What a record keeps, by one metric."""
        reward = np.array(self.scores[metric])
        history = {
            "iteration": np.arange(1, len(reward) + 1),
            "reward": reward,
            "best": np.fmax.accumulate(reward),
            "n_synthetic": np.array(self.n_synthetic),
            "seconds": np.array(self.elapsed),
        }
        return ResamplingsResult(chosen, len(reward), history)

    @cached_property
    def trials(self) -> dict[str, ResampledTrials]:
        """What was tried, by metric, in the order of its scores; what failed is left out."""
        return {metric: self._trials(metric) for metric in METRICS}

    def _trials(self, metric: str) -> ResampledTrials:
        made = [
            Resampling(score, n, *self.seed_and_ratio(n))
            for n, score in enumerate(self.scores[metric], start=1)
            if not math.isnan(score)
        ]
        return ResampledTrials(self, metric, made)


class ResampledTrials(Trials):
    """Resamplings as a search's trials.

    Parameters
    ----------
    made : Resamplings
    metric : str
        In ``METRICS``.
    resamplings : list of Resampling
        In the order in which they were made.
    """

    label = 1

    def __init__(self, made: Resamplings, metric: str, resamplings: list[Resampling]) -> None:
        self._made, self.metric = made, metric
        self.candidates = sorted(resamplings, key=lambda found: -found.score)
        self.held_out = made.folds
        self.apart = made.apart

    def table(self, candidate: Resampling) -> Table:
        return self._resample(candidate, self._made.X, self._made.y)

    def _fit(self, candidate: Resampling) -> Any:
        return clone(drop_in_for(self._made.estimator)).fit(*self.table(candidate))

    def _called(self, candidate: Resampling, part: int) -> NDArray[np.bool_]:
        return self._predictions(candidate, self.held_out[part], self._made.scorers[part]) == 1

    def _predictions(self, candidate: Resampling, fold: Any, scorer: ResampledScorer) -> Any:
        return scorer.predict(*self._resample(candidate, fold.X_train, fold.y_train))

    def _resample(self, candidate: Resampling, X: Any, y: Any) -> Table:
        return self._made.resample(candidate.seed, candidate.ratio, X, y)
