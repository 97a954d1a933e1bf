"""A level that learns on the CPU, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.search.hierarchical.cpu_policies import CpuPolicy
from autosmote.search.hierarchical.levels import LearnerSettings, Level

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8


class CpuLevel(Level):
    """A level whose policy is in numpy.

    Parameters
    ----------
    policy : CpuPolicy
    batch : int
        B, the number of steps of a chunk.
    settings : LearnerSettings
    """

    def __init__(self, policy: CpuPolicy, batch: int, settings: LearnerSettings) -> None:
        super().__init__(batch, settings)
        self.policy = policy
        self._adam = Adam(policy.flat, settings.learning_rate)

    def parameters(self) -> NDArray[np.float32]:
        return self.policy.flat

    def _update(self, steps: Mapping[str, NDArray]) -> None:
        policy, settings = self.policy, self.settings
        done = policy.forward(steps, steps["action"])
        log_ratios, discounts = done.log_probs - steps["log_prob"], self._discounts(steps)
        # Where the episode goes on after the last chunk, its next step is the oldest in the queue.
        bootstrap = 0.0 if steps["end"][-1] else policy.values(self.queue.peek())[0]
        following = [*done.values[self.batch :: self.batch], bootstrap]
        parts = [
            vtrace_arrays(
                log_ratios[chunk], steps["reward"][chunk], discounts[chunk], done.values[chunk],
                after,
            )
            for chunk, after in zip(self._chunks(), following, strict=True)
        ]  # fmt: skip
        targets, advantages = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        # Derivatives of the loss (`vtrace.impala_loss`).
        policy.backward(
            done.kept,
            -advantages,
            2 * settings.value_cost * (done.values - targets),
            -settings.entropy_cost,
        )
        norm = float(np.sqrt(policy.gradient @ policy.gradient))
        policy.gradient *= np.float32(min(1.0, settings.max_grad_norm / (norm + 1e-6)))
        self._adam.step(policy.gradient)


class Adam:
    """Adam over one flat vector, with torch's defaults but for the learning rate.

    Parameters
    ----------
    flat : float32 ndarray
        Updated in place.
    learning_rate : float
    """

    def __init__(self, flat: NDArray[np.float32], learning_rate: float) -> None:
        self._flat, self._learning_rate = flat, learning_rate
        self._mean = np.zeros_like(flat)
        self._square = np.zeros_like(flat)
        self._steps = 0

    def step(self, gradient: NDArray[np.float32]) -> None:
        """Update the vector by its gradient."""
        self._steps += 1
        self._mean += np.float32(1 - _BETA_1) * (gradient - self._mean)
        self._square *= np.float32(_BETA_2)
        self._square += np.float32(1 - _BETA_2) * gradient * gradient
        scale = np.sqrt(self._square)
        scale /= np.float32((1 - _BETA_2**self._steps) ** 0.5)
        scale += np.float32(_EPSILON)
        step_size = self._learning_rate / (1 - _BETA_1**self._steps)
        self._flat -= np.float32(step_size) * self._mean / scale


def vtrace_arrays(
    log_ratios: NDArray[np.floating],
    rewards: NDArray[np.floating],
    discounts: NDArray[np.floating],
    values: NDArray[np.floating],
    bootstrap: Any,
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Compute V-trace targets and advantages in numpy (`hierarchical.vtrace`).

    Arrays are of shape (B,).
    """
    rhos = np.minimum(np.exp(log_ratios), 1)
    deltas = rhos * (rewards + discounts * _shifted(values, bootstrap) - values)
    # The recursion is sequential; plain floats are faster than numpy's.
    decay, delta = (discounts * rhos).tolist(), deltas.tolist()
    excess = [0.0] * len(delta)
    following = 0.0
    for t in range(len(delta) - 1, -1, -1):
        following = delta[t] + decay[t] * following
        excess[t] = following
    targets = values + np.array(excess, dtype=values.dtype)
    advantages = rhos * (rewards + discounts * _shifted(targets, bootstrap) - values)
    return targets, advantages


def _shifted(values: NDArray[np.floating], last: Any) -> NDArray[np.floating]:
    """Return the values of the next steps."""
    return np.append(values[1:], np.asarray(last, dtype=values.dtype))
