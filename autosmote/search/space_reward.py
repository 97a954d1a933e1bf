"""Score sample sets of an interpolation space on held-out parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autosmote.scoring.reward import Reward, Score
from autosmote.search.candidates import InterpolatedSet
from autosmote.search.method import SpaceProblem
from autosmote.space.base import Samples


class SpaceReward:
    """Rewards of sample sets, one `Reward` for each share of the majority rows that is left out.

    Parameters
    ----------
    problem : SpaceProblem
    shares : sequence of float
        Shares whose rewards are made at once and divide `search.scoring_memory`; others are made
        when they are asked for.
    """

    def __init__(self, problem: SpaceProblem, shares: Sequence[float] = ()) -> None:
        self._problem = problem
        self._memory_bytes = problem.config.scoring_memory * 2**20 // max(1, len(shares))
        self._made = {share: self._make(share) for share in shares}

    @property
    def name(self) -> str:
        """Name of the scorer, such as "knn" or "refit"."""
        return self._of(0.0).name

    def score(self, sample_set: InterpolatedSet) -> Score:
        """Score a sample set, by the mean over the parts; NaN where a scorer says so."""
        samples = [sample_set.for_part(part) for part in range(len(self._problem.parts))]
        return self.score_parts(sample_set.left_out, samples)

    def score_parts(self, left_out: float, samples: Sequence[Samples]) -> Score:
        """Score samples of each part's own, by the mean over the parts."""
        return self._of(left_out).score(samples)

    def predict_minority(self, part: int, sample_set: InterpolatedSet) -> NDArray[np.bool_]:
        """Return the minority predictions for the held-out rows of a part."""
        return self._of(sample_set.left_out).predict_minority(part, sample_set.for_part(part))

    def _of(self, share: float) -> Reward:
        if share not in self._made:
            self._made[share] = self._make(share)
        return self._made[share]

    def _make(self, share: float) -> Reward:
        problem = self._problem
        return Reward(
            problem.estimator,
            [part.without_hardest(share) for part in problem.parts],
            problem.metric,
            further=problem.further,
            scoring=problem.config.scoring,
            memory_bytes=self._memory_bytes,
            agreed=problem.agreed,
        )
