"""The sample sets with the best scores of a search."""

from __future__ import annotations

import bisect
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autosmote.search.hierarchical.episode import Episode
from autosmote.search.hierarchical.parameters import LEFT_OUT
from autosmote.space.base import Samples


@dataclass(frozen=True)
class Candidate:
    """What one episode made, and its score.

    Attributes
    ----------
    score : float
        On the held-out rows by which the search was rewarded.
    iteration : int
        Counted from 1.
    samples : int32 ndarray of shape (P,), or Segments
        How often each pool row was made; where lambda is continuous, the samples in order.
    row_counts : int32 ndarray of shape (N,)
        How many rows were made around each minority row.
    left_out : float
        Share of the majority rows that is left out with them; 0 unless `under_sampling` is set.
    """

    score: float
    iteration: int
    samples: Samples
    row_counts: NDArray[np.int32]
    left_out: float


class TopCandidates:
    """The best candidates of a search, distinct and in order.

    Parameters
    ----------
    n : int
        Number of candidates to keep.

    Attributes
    ----------
    best : list of Candidate
        The best score first, ties to the earlier. No sample set is among them twice: a policy that
        has settled makes the same one (or none at all) again and again.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.best: list[Candidate] = []
        self._known: set[bytes] = set()

    def offer(self, iteration: int, score: float, episode: Episode) -> None:
        """Keep an episode, if it is to be kept. Its arrays may be overwritten afterwards."""
        if len(self.best) == self.n and score <= self.best[-1].score:
            return
        candidate = Candidate(
            score=score,
            iteration=iteration,
            samples=episode.samples.copy(),
            row_counts=np.int32(episode.g1) * episode.g2,
            left_out=LEFT_OUT[episode.under],
        )
        if (content := _content(candidate)) not in self._known:
            bisect.insort(self.best, candidate, key=lambda kept: -kept.score)
            self._known.add(content)
            if len(self.best) > self.n:
                self._known.remove(_content(self.best.pop()))


def _content(candidate: Candidate) -> bytes:
    return np.float64(candidate.left_out).tobytes() + candidate.samples.tobytes()
