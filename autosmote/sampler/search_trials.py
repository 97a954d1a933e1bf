"""The candidates of a search, and the classifiers trained with them.

A rule (`sampler.selection`) asks `Trials` for predictions and knows nothing of how a candidate's
rows come about: that is the side of `InterpolatedTables` for a search in an interpolation space,
and of `ResampledTables` for the resamplings that it is compared with.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from warnings import WarningMessage

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from autosmote.scoring.lending import predict_lent
from autosmote.scoring.registry import drop_in_for
from autosmote.scoring.reward import Scoring
from autosmote.scoring.scorers.added_rows import ResampledScorer
from autosmote.scoring.scorers.refit import stack
from autosmote.search.candidates import Candidate, InterpolatedSet
from autosmote.search.resamplings import HeldOutPart, Resample, Resampling, Table
from autosmote.search.space_reward import SpaceReward
from autosmote.space.base import RowMaker


class SampleSetTables(ABC):
    """The training rows of a method's sample sets, and predictions on held-out rows."""

    @abstractmethod
    def table(self, sample_set: Any) -> tuple[Any, NDArray]:
        """Return all rows to learn from, with the sample set's, and their labels."""

    @abstractmethod
    def predict_minority(self, part: int, sample_set: Any) -> NDArray[np.bool_]:
        """Return the minority predictions for a held-out part, by a model trained without it."""


@dataclass
class InterpolatedTables(SampleSetTables):
    """Tables of an interpolation space's sample sets.

    Parameters
    ----------
    maker : RowMaker
        Makes the synthetic rows as they are returned.
    given, y : {ndarray, sparse matrix, DataFrame} and ndarray of shape (n,)
        Rows to learn from, and their labels.
    left_out : callable
        Returns the positions of the given rows that a sample set leaves out, in order.
    label : scalar
        Of the synthetic rows.
    reward : SpaceReward
        Of the search.
    """

    maker: RowMaker
    given: Any
    y: NDArray
    left_out: Callable[[InterpolatedSet], NDArray[np.integer]]
    label: Any
    reward: SpaceReward

    def table(self, sample_set: InterpolatedSet) -> tuple[Any, NDArray]:
        """Return the given rows that are not left out, then the synthetic ones; of their kind."""
        given, y = self.given, self.y
        left_out = self.left_out(sample_set)
        if len(left_out):
            kept = np.setdiff1d(np.arange(len(y)), left_out)
            given, y = _safe_indexing(given, kept), y[kept]
        rows = self.maker.rows(sample_set.samples)
        return _append(given, rows), np.append(y, np.full(len(rows), self.label, y.dtype))

    def predict_minority(self, part: int, sample_set: InterpolatedSet) -> NDArray[np.bool_]:
        return self.reward.predict_minority(part, sample_set)


@dataclass
class ResampledTables(SampleSetTables):
    """Tables of a resampler's seeds and ratios: X and y, all rows to learn from, resampled."""

    resample: Resample
    X: NDArray[np.float64]
    y: NDArray[np.int8]
    folds: Sequence[HeldOutPart]
    scorers: Sequence[ResampledScorer]

    def table(self, sample_set: Resampling) -> Table:
        return self.resample(sample_set.seed, sample_set.ratio, self.X, self.y)

    def predict_minority(self, part: int, sample_set: Resampling) -> NDArray[np.bool_]:
        fold = self.folds[part]
        table = self.resample(sample_set.seed, sample_set.ratio, fold.X_train, fold.y_train)
        return self.scorers[part].predict(*table) == 1


class _Made(NamedTuple):
    """What was made for one rule and serves the others, with the seconds and warnings it took."""

    value: Any
    seconds: float
    caught: Sequence[WarningMessage]


@dataclass
class Trials:
    """The candidates of a search, and the predictions of classifiers trained with them.

    Each classifier is trained, and each prediction made, once for all rules.

    Parameters
    ----------
    candidates : sequence of Candidate
        The best first.
    tables : SampleSetTables
    estimator : scikit-learn classifier
    held_out : sequence of HeldOutPart
        The parts that scored the candidates: the validation part, or folds.
    apart : bool
        Whether there is one held-out part, and it is not among the rows to learn from: then the
        final classifier is one trained without it.
    label : scalar
        The rarer class.
    metric : str or callable
        As for `autosmote.scoring.reward.Reward`.
    """

    candidates: Sequence[Candidate]
    tables: SampleSetTables
    estimator: Any
    held_out: Sequence[HeldOutPart]
    apart: bool
    label: Any
    metric: Scoring
    _known: dict[tuple[Any, ...], _Made] = field(default_factory=dict, repr=False)
    _used: dict[tuple[Any, ...], float] = field(default_factory=dict, repr=False)
    _caught: list[WarningMessage] = field(default_factory=list, repr=False)
    _asked: dict[int, Any] = field(default_factory=dict, repr=False)

    def table(self, candidate: Candidate) -> tuple[Any, NDArray]:
        """Return all rows to learn from, with the candidate's, and their labels."""
        return self.tables.table(candidate.sample_set)

    def classifier(self, candidate: Candidate) -> Any:
        """Return the classifier trained on all rows to learn from and the candidate's."""
        return self._once((candidate.iteration,), lambda: self._fit(candidate))

    def predict_minority(self, candidate: Candidate, X: Any) -> NDArray[np.bool_]:
        """Return the minority predictions of the candidate's classifier for the rows of X."""
        self._asked[id(X)] = X  # kept, so that no other array is given its number
        model = self.classifier(candidate)  # first, so that each rule has its seconds and warnings
        return self._once(
            (candidate.iteration, "rows", id(X)),
            lambda: np.asarray(predict_lent(model, X)) == self.label,
        )

    def predict_held_out(self, candidate: Candidate, part: int) -> NDArray[np.bool_]:
        """Return the minority predictions for a held-out part, by a model trained without it."""
        if self.apart:
            return self.predict_minority(candidate, self.held_out[part].X_val)
        if candidate.held_out is not None:  # those of the search
            n = len(self.held_out[part].y_val)
            return np.unpackbits(candidate.held_out[part], count=n).view(np.bool_)
        return self._once(
            (candidate.iteration, "part", part),
            lambda: self.tables.predict_minority(part, candidate.sample_set),
        )

    @contextmanager
    def rule_alone(self, caught: list[WarningMessage]) -> Iterator[Callable[[], float]]:
        """Observe a rule as if it were alone: with the seconds and warnings of what others left.

        Parameters
        ----------
        caught : list of WarningMessage
            Where the block's warnings are recorded (`warnings.catch_warnings`); those of what other
            rules left to this one are added.

        Yields
        ------
        callable
            Returns the seconds since the block began.
        """
        self._used.clear()
        self._caught = caught
        started = time.perf_counter()
        yield lambda: time.perf_counter() - started + sum(self._used.values())

    def _fit(self, candidate: Candidate) -> Any:
        return clone(drop_in_for(self.estimator)).fit(*self.table(candidate))

    def _once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        if key not in self._known:
            started, n_before = time.perf_counter(), len(self._caught)
            value = make()
            seconds = time.perf_counter() - started
            self._known[key] = _Made(value, seconds, self._caught[n_before:])
            self._used[key] = 0.0  # on the clock already
        made = self._known[key]
        if key not in self._used:
            self._used[key] = made.seconds
            self._caught += made.caught
        return made.value


def _append(given: Any, rows: Any) -> Any:
    """Append rows to the given ones, of their kind: sparse if those are."""
    if sparse.issparse(given):
        return sparse.vstack([given, type(given)(rows)], format=given.format)
    return stack(given, rows)
