"""Soft actor-critic for small state vectors and one action in [0, 1]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from baselines.mesa.networks import Adam, Array, Perceptrons
from baselines.mesa.replay import Transitions

LOG_STD_MIN, LOG_STD_MAX = -20.0, 2.0


class SoftActorCritic:
    """Soft actor-critic with twin critics and target networks.

    The actor has one hidden layer; its outputs are the mean and the log standard deviation of the
    normal density of the unsquashed action. The critics have two hidden layers.

    Parameters
    ----------
    n_state : int
        Length of a state.
    seed : int
        Of the initial weights and all draws.
    hidden : int
        Width of the hidden layers.
    learning_rate : float
        Adam's, of actor and critics; the critics' is multiplied by ``decay`` every
        ``decay_every`` updates.
    gamma : float
        Discount.
    alpha : float
        Fixed weight of the entropy.
    tau : float
        Weight of the critics in the moving average of the targets.
    """

    def __init__(
        self,
        n_state: int,
        *,
        seed: int,
        hidden: int = 50,
        learning_rate: float = 1e-3,
        gamma: float = 0.99,
        alpha: float = 0.1,
        tau: float = 0.01,
        decay: float = 0.99,
        decay_every: int = 10,
    ) -> None:
        self.gamma, self.alpha, self.tau = gamma, alpha, tau
        self.rng = np.random.default_rng(seed)
        self.actor = Perceptrons(1, (n_state, hidden, 2), self.rng)
        self.critics = Perceptrons(2, (n_state + 1, hidden, hidden, 1), self.rng)
        # Made for their shape only: their weights are copied from the critics.
        self.targets = Perceptrons(2, (n_state + 1, hidden, hidden, 1), self.rng)
        self.targets.parameters[:] = self.critics.parameters
        self.actor_optimizer = Adam(self.actor.parameters, learning_rate)
        self.critic_optimizer = Adam(self.critics.parameters, learning_rate)
        self._rate, self._decay, self._decay_every = learning_rate, decay, decay_every
        self._updates = 0

    def sample_action(self, state: NDArray[np.float64]) -> float:
        """Draw an action, for exploration."""
        mean, log_std = density_of(self.actor.forward(state[None])[-1])
        return float(squash(mean + np.exp(log_std) * self.rng.standard_normal(1))[0])

    def mean_action(self, state: NDArray[np.float64]) -> float:
        """Return the squashed mean: the policy without exploration."""
        return float(squash(density_of(self.actor.forward(state[None])[-1])[0])[0])

    def update(self, batch: Transitions) -> None:
        """Update the critics, the actor and the targets by one step each."""
        target = self.critic_target(batch)
        passed = self.critics.forward(np.column_stack([batch.state, batch.action]))
        errors = passed[-1] - target[:, None]
        decays = self._updates // self._decay_every
        self.critic_optimizer.rate = self._rate * self._decay**decays
        self.critic_optimizer.step(self.critics.gradient(passed, 2 / len(target) * errors))

        self.actor_optimizer.step(self.actor_gradient(batch.state))

        self.targets.parameters += self.tau * (self.critics.parameters - self.targets.parameters)
        self._updates += 1

    def critic_target(self, batch: Transitions) -> Array:
        """Return the reward plus, except at an episode's end, the next state's discounted value."""
        mean, log_std = density_of(self.actor.forward(batch.next_state)[-1])
        noise = self.rng.standard_normal(len(mean))
        actions = squash(mean + np.exp(log_std) * noise)
        values = self.targets.forward(np.column_stack([batch.next_state, actions]))[-1]
        # The smaller of the twins' values, since one critic alone overestimates.
        value = values.min(0)[:, 0] - self.alpha * log_density(noise, mean, log_std)
        return batch.reward + self.gamma * ~batch.end * value

    def actor_gradient(self, states: NDArray[np.float64]) -> Array:
        """Return the gradient of the actor's loss: the weighted log density less the value."""
        passed = self.actor.forward(states)
        mean, log_std = density_of(passed[-1])
        n = len(mean)
        noise = self.rng.standard_normal(n)
        spread = np.exp(log_std) * noise
        tanh = np.tanh(mean + spread)
        through = self.critics.forward(np.column_stack([states, (tanh + 1) / 2]))
        is_smaller = through[-1][..., 0].argmin(0) == np.arange(2)[:, None]
        by_action = self.critics.input_gradient(through, is_smaller[..., None] * 1.0)[:, -1]
        # The log density falls by d log(1 - tanh(u)^2) / du = -2 tanh(u), and by the log std.
        by_u = (2 * self.alpha * tanh - by_action * (1 - tanh * tanh) / 2) / n
        by_log_std = by_u * spread - self.alpha / n
        raw = passed[-1][0, :, 1]
        by_log_std *= (raw >= LOG_STD_MIN) & (raw <= LOG_STD_MAX)
        return self.actor.gradient(passed, np.stack([by_u, by_log_std], -1)[None])


def density_of(outputs: Array) -> tuple[Array, Array]:
    """Return the means and the log standard deviations in an actor's outputs."""
    return outputs[0, :, 0], outputs[0, :, 1].clip(LOG_STD_MIN, LOG_STD_MAX)


def squash(u: Array) -> Array:
    """Map real numbers to [0, 1]."""
    return (np.tanh(u) + 1) / 2


def log_density(noise: Array, mean: Array, log_std: Array) -> Array:
    """Return the log density of ``squash(mean + std * noise)`` for standard normal noise.

    The normal density of u, less log |d squash / du| = log((1 - tanh(u)^2) / 2), written so
    that it does not overflow where tanh saturates.
    """
    u = mean + np.exp(log_std) * noise
    log_normal = -0.5 * noise**2 - log_std - 0.5 * np.log(2 * np.pi)
    return log_normal - (np.log(2) - 2 * u - 2 * np.logaddexp(0, -2 * u))
