"""Score sample sets of an interpolation space on held-out parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.scoring.reward import Part, Reward, Scoring
from autosmote.search.candidates import InterpolatedSet


class SpaceReward:
    """Rewards of sample sets, one `Reward` for each share of the majority rows that is left out.

    Parameters
    ----------
    estimator : scikit-learn classifier
    parts : sequence of Part
    metric : str or callable
    scoring, memory_bytes, agreed
        As for `autosmote.scoring.reward.Reward`.
    shares : sequence of float
        Shares whose rewards are made at once; others are made when they are asked for.
    """

    def __init__(
        self,
        estimator: Any,
        parts: Sequence[Part],
        metric: Scoring,
        *,
        scoring: str,
        memory_bytes: int,
        agreed: dict[str, bool],
        shares: Sequence[float] = (),
    ) -> None:
        self._parts = parts
        self._arguments = estimator, metric
        self._settings: dict[str, Any] = {
            "scoring": scoring, "memory_bytes": memory_bytes, "agreed": agreed,
        }  # fmt: skip
        self._made = {share: self._make(share) for share in shares}

    @property
    def name(self) -> str:
        """How sample sets are scored, such as "knn" or "refit"."""
        return self._of(0.0).name

    def score(self, sample_set: InterpolatedSet) -> float:
        """Return the mean score over the parts; NaN where a scorer says so."""
        return self._of(sample_set.left_out)(sample_set.samples)

    def predict_minority(self, part: int, sample_set: InterpolatedSet) -> NDArray[np.bool_]:
        """Return which held-out rows of a part are predicted to be of its class `label`."""
        return self._of(sample_set.left_out).predict_minority(part, sample_set.samples)

    def _of(self, share: float) -> Reward:
        if share not in self._made:
            self._made[share] = self._make(share)
        return self._made[share]

    def _make(self, share: float) -> Reward:
        estimator, metric = self._arguments
        parts = [part.without_hardest(share) for part in self._parts]
        return Reward(estimator, parts, metric, **self._settings)
