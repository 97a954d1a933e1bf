"""The learner of the class-aware policies: a normal distribution over points, by cross-entropy.

Parameters are the means and deviations, one flat vector. Six generations share the iterations;
after each the distribution is refitted to the best points so far. So the parameters depend on how
many iterations were learned from, not on when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autosmote.search.method import Learner, Parameters, Proposal

N_GENERATIONS = 6
_ELITE = 0.5
"""The best points that a refit takes, as a share of a generation: 25 of 50."""
_SMALLEST_ELITE = 5
_NEW = 0.7
"""Weight of the best points' means and deviations against those before."""
_GRADIENT_STEP = 0.05
"""Learning rate of the policy gradient."""


@dataclass(frozen=True)
class Normal:
    """A normal distribution with independent coordinates.

    Attributes
    ----------
    means, deviations : ndarrays of shape (d,)
    """

    means: NDArray[np.float64]
    deviations: NDArray[np.float64]

    @classmethod
    def read(cls, parameters: Parameters) -> Normal:
        """Return the distribution that a flat vector of parameters holds."""
        return cls(*parameters.astype(np.float64).reshape(2, -1))

    def flat(self) -> Parameters:
        """Return the parameters as one flat vector."""
        return np.concatenate([self.means, self.deviations]).astype(np.float32)

    def draw(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw a point."""
        return self.means + self.deviations * rng.standard_normal(len(self.means))

    def refitted(self, points: Sequence[NDArray[np.float64]], floor: NDArray) -> Normal:
        """Return the distribution moved towards some points, with no deviation below a floor."""
        means = _NEW * np.mean(points, axis=0) + (1 - _NEW) * self.means
        deviations = _NEW * np.std(points, axis=0) + (1 - _NEW) * self.deviations
        return Normal(means, np.maximum(deviations, floor))


class NormalLearner(Learner):
    """A learner of a normal distribution.

    Parameters
    ----------
    first : Normal
    iterations : int
        Of the search.
    floor : ndarray
        Least deviations.
    """

    def __init__(self, first: Normal, iterations: int, floor: NDArray[np.float64]) -> None:
        self._distribution, self._floor = first, floor

    def parameters(self) -> Parameters:
        return self._distribution.flat()


class CrossEntropyLearner(NormalLearner):
    """Refits the distribution to the best points so far, after each generation."""

    def __init__(self, first: Normal, iterations: int, floor: NDArray[np.float64]) -> None:
        super().__init__(first, iterations, floor)
        self._generation = max(1, round(iterations / N_GENERATIONS))
        self._n_elite = max(_SMALLEST_ELITE, round(_ELITE * self._generation))
        self._tried: list[tuple[float, NDArray[np.float64]]] = []
        self._n = 0

    def learn(self, proposal: Proposal, score: float) -> None:
        self._n += 1
        if proposal.steps is not None:
            self._tried.append((score, proposal.steps))
        if self._n % self._generation == 0 and len(self._tried) >= 2:
            self._tried.sort(key=lambda tried: -tried[0])  # stable: ties to the earlier
            del self._tried[self._n_elite :]
            points = [point for _, point in self._tried]
            self._distribution = self._distribution.refitted(points, self._floor)


class PolicyGradientLearner(NormalLearner):
    """Follows the natural gradient of the expected score, against the mean score as baseline.

    An ablation: what each single score teaches, without a memory of the best points.
    """

    def __init__(self, first: Normal, iterations: int, floor: NDArray[np.float64]) -> None:
        super().__init__(first, iterations, floor)
        self._scores: list[float] = []

    def learn(self, proposal: Proposal, score: float) -> None:
        self._scores.append(score)
        spread = np.std(self._scores)
        if proposal.steps is None or spread == 0:
            return
        advantage = float(np.clip((score - np.mean(self._scores)) / spread, -2.0, 2.0))
        means, deviations = self._distribution.means, self._distribution.deviations
        offset = proposal.steps - means
        squares = np.square(offset / np.where(deviations > 0, deviations, 1.0))
        wider = np.clip(_GRADIENT_STEP / 2 * advantage * (squares - 1.0), -0.1, 0.1)
        self._distribution = Normal(
            means + _GRADIENT_STEP * advantage * offset,
            np.maximum(deviations * np.exp(wider), self._floor),
        )
