"""A method that tries the seeds and ratios of a resampler: the control of a search that learns.

It trains as many classifiers, by the same reward, and the same rule makes the final classifier. A
gain that this method has too is not one of learning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from autosmote.metrics import METRICS
from autosmote.scoring.reward import Score
from autosmote.scoring.scorers.added_rows import ResampledScorer
from autosmote.search.method import Generator, Method, Proposal
from autosmote.streams import Purpose, derived_seed

Table = tuple[NDArray[np.float64], NDArray[np.int8]]
"""Rows, and labels of which 1 is the minority."""
Resample = Callable[[int, float | None, NDArray[np.float64], NDArray[np.int8]], Table]
"""(seed, ratio, X, y) -> the training part resampled."""


class HeldOutPart(Protocol):
    """A training part, and the held-out rows that go with it."""

    @property
    def X_train(self) -> Any: ...
    @property
    def y_train(self) -> NDArray: ...
    @property
    def X_val(self) -> Any: ...
    @property
    def y_val(self) -> NDArray: ...


@dataclass(frozen=True)
class Resampling:
    """A sample set that a resampler makes again from its seed and ratio."""

    seed: int
    ratio: float | None
    left_out: ClassVar[float] = 0.0

    def content(self) -> bytes:
        """Return bytes that are equal for equal sample sets."""
        return repr((self.seed, self.ratio)).encode()


def make_fold_scorers(estimator: Any, folds: Sequence[HeldOutPart]) -> list[ResampledScorer]:
    """Make for each fold the scorer of its resampled training parts."""
    return [ResampledScorer(estimator, fold.X_train, fold.y_train, fold.X_val) for fold in folds]


@dataclass(frozen=True)
class ResamplingMethod(Method):
    """Tries a resampler's ratios in turn, each time with another seed; nothing is learned.

    Parameters
    ----------
    resample : callable
    ratios : sequence
    seed : int
        From which all seeds come.
    estimator : scikit-learn classifier
    folds : sequence of HeldOutPart
        By which resamplings are scored: each is made from a fold's training rows alone.
    metrics : sequence of str
        Names in ``METRICS``; all are computed from the same predictions.
    """

    resample: Resample
    ratios: Sequence[float | None]
    seed: int
    estimator: Any
    folds: Sequence[HeldOutPart]
    metrics: Sequence[str]

    skips_failures: ClassVar[bool] = True

    def make_generator(self) -> Generator:
        return ResamplingGenerator(self)


class ResamplingGenerator(Generator):
    """Resamples the training part of each fold."""

    def __init__(self, method: ResamplingMethod) -> None:
        self._method = method
        self._scorers = make_fold_scorers(method.estimator, method.folds)

    def propose(self, n: int, rng: np.random.Generator) -> Proposal:
        method = self._method
        seed = derived_seed(method.seed, Purpose.RESAMPLING, n)
        resampling = Resampling(seed, method.ratios[n % len(method.ratios)])
        tables = [
            method.resample(seed, resampling.ratio, fold.X_train, fold.y_train)
            for fold in method.folds
        ]
        n_before, n_after = (
            int(np.count_nonzero(y == 1)) for y in (method.folds[-1].y_train, tables[-1][1])
        )
        return Proposal(resampling, max(0, n_after - n_before), tables=tables)

    def score(self, proposal: Proposal) -> Score:
        folds = self._method.folds
        tables = zip(self._scorers, proposal.tables, strict=True)
        predictions = [scorer.predict(*table) for scorer, table in tables]

        def mean_score(metric: str) -> float:
            rows = zip(folds, predictions, strict=True)
            return float(np.mean([METRICS[metric](fold.y_val, labels) for fold, labels in rows]))

        minority = tuple(np.packbits(labels == 1) for labels in predictions)
        return Score(tuple(map(mean_score, self._method.metrics)), minority)
