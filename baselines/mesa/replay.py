"""Replay memory of soft actor-critic: a ring of transitions, initially synthetic ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.mesa.ensemble import N_BINS, N_STATE

SYNTHETIC_REWARD = 5.0
SYNTHETIC_NOISE = 0.5


class Transitions(NamedTuple):
    """Steps as columns; ``end`` is true where the step ended its episode."""

    state: NDArray[np.float64]
    action: NDArray[np.float64]
    reward: NDArray[np.float64]
    next_state: NDArray[np.float64]
    end: NDArray[np.bool_]


class ReplayRing:
    """The latest transitions; a new one replaces the oldest.

    Parameters
    ----------
    capacity : int
        Number of transitions kept.
    """

    def __init__(self, capacity: int) -> None:
        self.columns = Transitions(
            np.zeros((capacity, N_STATE)),
            np.zeros(capacity),
            np.zeros(capacity),
            np.zeros((capacity, N_STATE)),
            np.zeros(capacity, dtype=bool),
        )
        self._written = 0

    def __len__(self) -> int:
        return min(self._written, len(self.columns.action))

    def put(
        self,
        state: NDArray[np.float64],
        action: float,
        reward: float,
        next_state: NDArray[np.float64],
        end: bool,
    ) -> None:
        """Add one transition."""
        at = self._written % len(self.columns.action)
        self.columns.state[at] = state
        self.columns.action[at] = action
        self.columns.reward[at] = reward
        self.columns.next_state[at] = next_state
        self.columns.end[at] = end
        self._written += 1

    def sample(self, n: int, rng: np.random.Generator) -> Transitions:
        """Draw n transitions, with replacement."""
        drawn = rng.integers(len(self), size=n)
        return Transitions(
            self.columns.state[drawn],
            self.columns.action[drawn],
            self.columns.reward[drawn],
            self.columns.next_state[drawn],
            self.columns.end[drawn],
        )


def prefill(ring: ReplayRing, n: int, rng: np.random.Generator) -> None:
    """Add n synthetic transitions that reward choosing rows whose error is the most common one.

    In each third, all errors are in the bin at 1, 0.5 or 0, and the action is 0.9, 0.5 or 0.1.
    Noise from U(0, 0.5) is added to each number of both states. The transitions end their episode,
    since what would follow is unknown: the value of such an action is its reward.
    """
    last = N_BINS - 1
    for i in range(n):
        peak, action = ((last, 0.9), (last // 2, 0.5), (0, 0.1))[3 * i // n]
        histogram = N_BINS * (np.arange(N_BINS) == peak)
        state, following = np.tile(histogram, (2, 2)) + rng.uniform(
            0, SYNTHETIC_NOISE, (2, N_STATE)
        )
        ring.put(state, action, SYNTHETIC_REWARD, following, True)
