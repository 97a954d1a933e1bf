"""Algorithm 2 in plain steps: read this first, run the others.

One episode at a time, one network call and one decision at a time, gradients by torch. The search
loop with its learner is tested against it; Algorithm 1 in plain steps is ``reference``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autosmote.config.search import SearchConfig
from autosmote.search.hierarchical.parameters import LEVELS
from autosmote.search.hierarchical.reference import (
    PlainEpisode,
    PlainPolicies,
    plain_episode,
    plain_vtrace,
)
from autosmote.space.base import Space
from autosmote.streams import Purpose, stream


@dataclass(frozen=True)
class Step:
    """A decision of one level, with its state; a row of None is the mean over the minority rows."""

    row: int | None
    bins: list[int]
    action: int
    log_prob: float
    reward: float
    end: bool


def plain_search(
    space: Space,
    score: Callable[[NDArray[np.float64]], float],
    initial: Mapping[str, NDArray[np.float32]],
    *,
    G1: int,
    seed: int,
    config: SearchConfig,
) -> tuple[list[float], dict[str, NDArray[np.float32]]]:
    """Search by Algorithm 2, without ablations and extensions.

    Parameters
    ----------
    space : Space
    score : callable
        The reward of an episode's synthetic rows: a validation score.
    initial : dict of float32 ndarrays
        The first parameters of each level.
    G1, seed : int
    config : SearchConfig

    Returns
    -------
    rewards : list of float
    parameters : dict of float32 ndarrays
        After the last iteration.
    """
    less = 0 if config.include_largest else 1
    sizes: dict[str, Any] = {
        "G1": G1 - less, "G2": config.G2 - less, "low_level_net": config.low_level_net,
        "bin_width": config.bin_width,
    }  # fmt: skip
    weights = {level: torch.nn.Parameter(torch.tensor(initial[level])) for level in LEVELS}
    optimizers = {
        level: torch.optim.Adam([weights[level]], lr=config.learning_rate) for level in LEVELS
    }
    # Line 2: a queue for each level, and B, the steps of a chunk; of one or more is an update.
    queues: dict[str, list[Step]] = {level: [] for level in LEVELS}
    batches = {
        "cross": config.buffer_cross, "instance": config.buffer_instance, "low": config.buffer_low,
    }  # fmt: skip
    versions = [_copy(weights)]
    rewards = []
    for n in range(config.iterations):  # line 3
        # Line 4: an episode, with the parameters that an actor has by then.
        rng = stream(seed, Purpose.ITERATION, n)
        behaviour = PlainPolicies(space, versions[max(0, n - config.lag + 1)], **sizes)
        episode = plain_episode(behaviour, rng)
        # Line 5: its reward.
        rows = np.array(episode.rows).reshape(-1, space.X.shape[1])
        rewards.append(score(rows))
        # Line 6: its steps enter the queues.
        for level, steps in _steps(episode, rewards[-1], config.low_level_rows, rng).items():
            queues[level] += steps
        # Lines 7 to 14: update each level while its queue holds the steps.
        for level, queue in queues.items():
            B = batches[level]
            while len(queue) >= B * config.chunks_per_update:
                policies = PlainPolicies(space, weights, **sizes)
                optimizers[level].zero_grad()
                for _ in range(config.chunks_per_update):
                    chunk, queue[:] = queue[:B], queue[B:]
                    _loss(policies, level, chunk, queue[:1], config).backward()
                torch.nn.utils.clip_grad_norm_([weights[level]], config.max_grad_norm)
                optimizers[level].step()
        versions.append(_copy(weights))
    return rewards, versions[-1]


def _steps(
    episode: PlainEpisode, reward: float, low_level_rows: int, rng: np.random.Generator
) -> dict[str, list[Step]]:
    """Return an episode's steps by level; of the low level, those around some rows alone."""
    n = len(episode.g2)
    cross = [Step(None, [0], episode.g1, episode.g1_log_prob, reward, True)]
    instance = [
        Step(i, [own], g2, log_prob, reward * (i == n - 1), i == n - 1)
        for i, (own, g2, log_prob) in enumerate(
            zip(episode.own_bins, episode.g2, episode.g2_log_prob, strict=True)
        )
    ]
    active = np.unique(episode.row).astype(np.int64)
    kept = rng.choice(active, min(low_level_rows, len(active)), replace=False)
    low = []
    for t, i in enumerate(episode.row):
        end = t + 1 == len(episode.row) or episode.row[t + 1] != i
        if i in kept:
            decision = (episode.bins[t], episode.action[t], episode.log_prob[t])
            low.append(Step(i, *decision, reward * end, end))
    return {"cross": cross, "instance": instance, "low": low}


def _loss(
    policies: PlainPolicies, level: str, chunk: list[Step], following: list[Step], config: Any
) -> Tensor:
    """Return the loss of Equation 2 over a chunk, with V-trace targets of Equation 1."""
    evaluated = [_evaluate(policies, level, step) for step in chunk]
    values = torch.stack([value for _, value in evaluated])
    entropy = -sum((log_policy.exp() * log_policy).sum() for log_policy, _ in evaluated)
    log_probs = torch.stack(
        [log_policy[step.action] for (log_policy, _), step in zip(evaluated, chunk, strict=True)]
    )
    bootstrap = 0.0 if chunk[-1].end else _evaluate(policies, level, following[0])[1].item()
    behaviour = np.array([step.log_prob for step in chunk])
    targets, advantages = plain_vtrace(
        log_probs.detach().numpy() - behaviour,
        [step.reward for step in chunk],
        [0.0 if step.end else config.gamma for step in chunk],
        values.tolist(),
        bootstrap,
    )
    policy_loss = -(log_probs * torch.as_tensor(advantages, dtype=torch.float32)).sum()
    value_loss = (torch.as_tensor(targets, dtype=torch.float32) - values).square().sum()
    return policy_loss + config.value_cost * value_loss - config.entropy_cost * entropy


def _evaluate(policies: PlainPolicies, level: str, step: Step) -> tuple[Tensor, Tensor]:
    """Return the log-probabilities of all actions in a step's state, and its value."""
    if level == "low":
        assert step.row is not None
        log_policy, value = policies.low_level(step.row, step.bins)
    else:
        features = policies.x.mean(dim=0) if step.row is None else policies.x[step.row]
        log_policy, value = policies.high_level(level, features, step.bins[0])
    return log_policy, value[0]


def _copy(weights: Mapping[str, Tensor]) -> dict[str, NDArray[np.float32]]:
    return {level: flat.detach().numpy().copy() for level, flat in weights.items()}
