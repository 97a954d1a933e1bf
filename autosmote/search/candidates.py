"""The sample sets with the best scores of a search."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.space.base import Samples


@dataclass(frozen=True)
class InterpolatedSet:
    """A sample set of an interpolation space.

    Attributes
    ----------
    samples : int32 ndarray of shape (P,), or Segments
        How often each pool row was made; where lambda is continuous, the samples in order.
    row_counts : int32 ndarray of shape (N,)
        Number of synthetic rows made around each minority row.
    left_out : float
        Share of the majority rows that is left out; 0 unless `search.under_sampling` is set.
    """

    samples: Samples
    row_counts: NDArray[np.int32]
    left_out: float = 0.0

    def content(self) -> bytes:
        """Return bytes that are equal for equal sample sets."""
        return np.float64(self.left_out).tobytes() + self.samples.tobytes()

    def for_part(self, part: int) -> Samples:
        """Return the samples with which a held-out part is scored."""
        return self.samples


@dataclass(frozen=True)
class PartwiseSet(InterpolatedSet):
    """A sample set that was made anew from the training rows of each held-out part.

    Attributes
    ----------
    by_part : sequence of Samples
        Of each part's own space; `samples` are made of all rows.
    """

    by_part: Sequence[Samples] = ()

    def for_part(self, part: int) -> Samples:
        return self.by_part[part]


@dataclass(frozen=True)
class Candidate:
    """A sample set and its score.

    Attributes
    ----------
    score : float
        On the held-out rows that reward the search.
    iteration : int
        Counted from 1.
    sample_set : SampleSet
    held_out : tuple of uint8 ndarrays, optional
        What its classifiers predict for these rows (`autosmote.scoring.reward.Score`).
    """

    score: float
    iteration: int
    sample_set: Any
    held_out: tuple[NDArray[np.uint8], ...] | None = field(default=None, compare=False, repr=False)


class TopCandidates:
    """The best candidates of a search, distinct and in order.

    A policy that has settled makes the same sample set (or none at all) again and again; only the
    first of equal sets is kept.

    Parameters
    ----------
    n : int
        Number of candidates to keep.
    fewer_rows : bool
        Whether ties go to the sample set with fewer rows before they go to the earlier iteration.

    Attributes
    ----------
    best : list of Candidate
        The best score first, ties to the earlier iteration.
    """

    def __init__(self, n: int, *, fewer_rows: bool = False) -> None:
        self.n, self.fewer_rows = n, fewer_rows
        self.best: list[Candidate] = []
        self._rank: dict[int, tuple[float, int]] = {}
        self._known: set[bytes] = set()

    @property
    def score(self) -> float:
        """Return the best score so far; NaN before there is one."""
        return self.best[0].score if self.best else np.nan

    def offer(self, candidate: Candidate, n_rows: int = 0) -> None:
        """Keep a candidate, of so many rows, if it is among the best and has a score."""
        if not np.isfinite(candidate.score):
            return
        rank = (-candidate.score, n_rows if self.fewer_rows else 0)
        if len(self.best) == self.n and rank >= self._rank[self.best[-1].iteration]:
            return
        content = candidate.sample_set.content()
        if content in self._known:
            return
        self._rank[candidate.iteration] = rank
        bisect.insort(self.best, candidate, key=lambda kept: self._rank[kept.iteration])
        self._known.add(content)
        if len(self.best) > self.n:
            last = self.best.pop()
            del self._rank[last.iteration]
            self._known.remove(last.sample_set.content())
