"""Soft actor-critic for small state vectors and one action in [0, 1]."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from baselines.mesa.replay import Transitions

LOG_STD_MIN, LOG_STD_MAX = -20.0, 2.0


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread during a block: more are slower for networks this small."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Actor(nn.Module):
    """Mean and log-std of the normal density of the unsquashed action; one hidden layer."""

    def __init__(self, n_state: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.net = nn.Sequential(
            _linear(n_state, hidden, generator), nn.ReLU(), _linear(hidden, 2, generator)
        )

    def forward(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean and the log standard deviation, each of shape (n,)."""
        mean, log_std = self.net(states).unbind(-1)
        return mean, log_std.clamp(LOG_STD_MIN, LOG_STD_MAX)

    def sample(
        self, states: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw actions, differentiably; return them and their log density on [0, 1]."""
        mean, log_std = self(states)
        noise = torch.randn(mean.shape, generator=generator)
        return squash(mean + log_std.exp() * noise), log_density(noise, mean, log_std)


class Critic(nn.Module):
    """Value of an action in a state; two hidden layers."""

    def __init__(self, n_state: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.net = nn.Sequential(
            _linear(n_state + 1, hidden, generator),
            nn.ReLU(),
            _linear(hidden, hidden, generator),
            nn.ReLU(),
            _linear(hidden, 1, generator),
        )

    def forward(self, states: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        """Return the values, shape (n,)."""
        return self.net(torch.cat([states, actions.unsqueeze(-1)], -1)).squeeze(-1)


class SoftActorCritic:
    """Soft actor-critic with twin critics and target networks.

    Parameters
    ----------
    n_state : int
        Length of a state.
    seed : int
        Of the initial weights and all draws; torch's global generator is not used.
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
        self.generator = torch.Generator().manual_seed(seed)
        self.actor = Actor(n_state, hidden, self.generator)
        self.critics = nn.ModuleList(Critic(n_state, hidden, self.generator) for _ in range(2))
        # Initialised for their shape only: their weights are copied from the critics.
        self.targets = nn.ModuleList(Critic(n_state, hidden, self.generator) for _ in range(2))
        self.targets.load_state_dict(self.critics.state_dict())
        self.targets.requires_grad_(False)
        # One call for all parameters: for networks this small, calls dominate the time.
        adam = partial(torch.optim.Adam, lr=learning_rate, foreach=True)
        self._actor_optimizer = adam(self.actor.parameters())
        self._critic_optimizer = adam(self.critics.parameters())
        self._decay = torch.optim.lr_scheduler.StepLR(self._critic_optimizer, decay_every, decay)

    def sample_action(self, state: NDArray[np.float64]) -> float:
        """Draw an action, for exploration."""
        with torch.no_grad():
            action, _ = self.actor.sample(_tensor(state)[None], self.generator)
        return float(action)

    def mean_action(self, state: NDArray[np.float64]) -> float:
        """Return the squashed mean: the policy without exploration."""
        with torch.no_grad():
            mean, _ = self.actor(_tensor(state)[None])
        return float(squash(mean))

    def update(self, batch: Transitions) -> None:
        """Update the critics, the actor and the targets by one step each."""
        states, actions = _tensor(batch.state), _tensor(batch.action)
        target = self.critic_target(batch)
        critic_loss = torch.stack(
            [F.mse_loss(critic(states, actions), target) for critic in self.critics]
        ).sum()
        self._critic_optimizer.zero_grad()
        critic_loss.backward()
        self._critic_optimizer.step()
        self._decay.step()

        drawn, log_prob = self.actor.sample(states, self.generator)
        actor_loss = (self.alpha * log_prob - _smaller(self.critics, states, drawn)).mean()
        self._actor_optimizer.zero_grad()
        actor_loss.backward(inputs=list(self.actor.parameters()))  # not the critics
        self._actor_optimizer.step()

        with torch.no_grad():
            pairs = zip(self.targets.parameters(), self.critics.parameters(), strict=True)
            for follower, parameter in pairs:
                follower.lerp_(parameter, self.tau)

    def critic_target(self, batch: Transitions) -> torch.Tensor:
        """Return the reward plus, except at an episode's end, the next state's discounted value."""
        with torch.no_grad():
            following = _tensor(batch.next_state)
            actions, log_prob = self.actor.sample(following, self.generator)
            value = _smaller(self.targets, following, actions) - self.alpha * log_prob
            continues = 1.0 - _tensor(batch.end)
            return _tensor(batch.reward) + self.gamma * continues * value


def squash(u: torch.Tensor) -> torch.Tensor:
    """Map real numbers to [0, 1]."""
    return (torch.tanh(u) + 1.0) / 2.0


def log_density(noise: torch.Tensor, mean: torch.Tensor, log_std: torch.Tensor) -> torch.Tensor:
    """Return the log density of ``squash(mean + std * noise)`` for standard normal noise.

    The normal density of u, less log |d squash / du| = log((1 - tanh(u)^2) / 2), written so
    that it does not overflow where tanh saturates.
    """
    u = mean + log_std.exp() * noise
    log_normal = -0.5 * noise**2 - log_std - 0.5 * float(np.log(2 * np.pi))
    return log_normal - (float(np.log(2.0)) - 2.0 * u - 2.0 * F.softplus(-2.0 * u))


def _linear(n_in: int, n_out: int, generator: torch.Generator) -> nn.Linear:
    # nn.Linear's own initialisation draws from torch's global generator.
    layer = nn.utils.skip_init(nn.Linear, n_in, n_out)
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


def _smaller(critics: nn.ModuleList, states: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    """Return the smaller of the twins' values, since one critic alone overestimates."""
    return torch.minimum(*(critic(states, actions) for critic in critics))


def _tensor(values: NDArray) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float32)
