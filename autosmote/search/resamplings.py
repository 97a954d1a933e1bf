"""A method that tries the seeds and ratios of a resampler: the control of a search that learns.

It trains as many classifiers, by the same reward, and the same rule makes the final classifier. A
gain that this method has too is not one of learning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from autosmote.metrics import METRICS
from autosmote.search.method import Generator, Method, Proposal

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


class FoldScorers:
    """Predictions on held-out parts of a classifier trained on resampled training parts.

    Parameters
    ----------
    estimator : scikit-learn classifier
    folds : sequence of HeldOutPart
    """

    def __init__(self, estimator: Any, folds: Sequence[HeldOutPart]) -> None:
        self._estimator, self._folds = estimator, folds

    def predict(self, part: int, table: Table) -> NDArray[np.int8]:
        """Predict the held-out rows of a part, 0 or 1, by the classifier trained on a table."""
        return self._scorers[part].predict(*table)

    @cached_property
    def _scorers(self) -> list[Any]:
        from autosmote.scoring.scorers.added_rows import ResampledScorer

        return [
            ResampledScorer(self._estimator, fold.X_train, fold.y_train, fold.X_val)
            for fold in self._folds
        ]


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
        self._scorers = FoldScorers(method.estimator, method.folds)

    def propose(self, n: int, rng: np.random.Generator) -> Proposal:
        method = self._method
        seed = int(np.random.SeedSequence([method.seed, n + 1]).generate_state(1)[0])
        resampling = Resampling(seed, method.ratios[n % len(method.ratios)])
        tables = [
            method.resample(seed, resampling.ratio, fold.X_train, fold.y_train)
            for fold in method.folds
        ]
        n_before, n_after = (
            int(np.count_nonzero(y == 1)) for y in (method.folds[-1].y_train, tables[-1][1])
        )
        return Proposal(resampling, max(0, n_after - n_before), tables=tables)

    def score(self, proposal: Proposal) -> tuple[float, ...]:
        folds = self._method.folds
        predictions = [self._scorers.predict(i, table) for i, table in enumerate(proposal.tables)]
        return tuple(
            float(
                np.mean(
                    [
                        float(METRICS[metric](fold.y_val, predicted))
                        for fold, predicted in zip(folds, predictions, strict=True)
                    ]
                )
            )
            for metric in self._method.metrics
        )
