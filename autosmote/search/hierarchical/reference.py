"""Algorithm 1 and Equation 1 in plain steps: read this first, run the others.

Every decision here builds its whole input vector and calls the network once, as the paper writes
it. The fast versions (``episode``, ``vtrace``) are tested against it, and it
is the "naive generator" of the benchmark.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Distribution, Normal, SigmoidTransform, TransformedDistribution

from autosmote.search.hierarchical.parameters import (
    BIN_WIDTH,
    MAX_LOCATION,
    N_BINS,
    SCALE_SHIFT,
    SCALES,
    policy_shapes,
    split,
)
from autosmote.space.base import N_LAMBDAS, Space

Parameters = Mapping[str, Tensor]


@dataclass
class PlainEpisode:
    """The decisions of one pass of Algorithm 1, step by step.

    ``bins`` holds each low-level step's bins of the K slots before the step. Of a flat policy,
    ``g2`` is the number of samples around each row. Where lambda is continuous, ``action`` is the
    slot, and ``weight`` each sample's lambda.
    """

    g1: int
    g1_log_prob: float
    own_bins: list[int] = field(default_factory=list)
    """Each row's bin at its turn."""
    g2: list[int] = field(default_factory=list)
    g2_log_prob: list[float] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    bins: list[list[int]] = field(default_factory=list)
    action: list[int] = field(default_factory=list)
    log_prob: list[float] = field(default_factory=list)
    rows: list[NDArray[np.float64]] = field(default_factory=list)
    """The synthetic rows, computed one by one."""
    under: int = 0
    under_log_prob: float = 0.0
    weight: list[float] = field(default_factory=list)


class PlainPolicies:
    """The three networks over whole input vectors, one call at a time.

    ``next_row`` gives the low level the action "next row": it is a flat policy. ``under`` adds the
    level that leaves majority rows out. In a space where lambda is continuous, the low level
    chooses a slot, and gives each the distribution of its lambda.
    """

    def __init__(
        self,
        space: Space,
        flat: Mapping[str, NDArray[np.float32] | Tensor],
        *,
        G1: int,
        G2: int,
        low_level_net: str = "paper",
        next_row: bool = False,
        under: bool = False,
        bin_width: int = BIN_WIDTH,
    ) -> None:
        self.space = space
        self.bin_width = bin_width
        self.next_row = next_row
        self.joint = low_level_net == "joint"
        self.x = torch.as_tensor(space.X, dtype=torch.float32)
        self.neighbours = torch.as_tensor(space.neighbours, dtype=torch.int64)
        self._bins = torch.eye(N_BINS)
        self.per_slot = 1 if space.continuous else N_LAMBDAS
        # Action a is slot a // 5, with lambda a % 5; without one where lambda is continuous.
        n_inputs = 0 if space.continuous else N_LAMBDAS
        self._lambdas = torch.eye(self.per_slot, n_inputs).repeat(space.K, 1)
        shapes = policy_shapes(
            n_features=space.X.shape[1], G1=G1, G2=G2, low_level_net=low_level_net,
            continuous=space.continuous, flat=next_row, under=under,
        )  # fmt: skip
        self.p = {
            level: split(torch.as_tensor(flat[level]), of_level)
            for level, of_level in shapes.items()
        }
        low = self.p["low"]
        first = ("x", "bin", "slot_bin", "slot_x", "lambda") if self.joint else (
            "representation", "slot_bin", "lambda",
        )  # fmt: skip
        self._first = torch.cat([low[name] for name in first if name in low])
        self._states = {
            level: torch.cat([self.p[level]["x"], self.p[level]["bin"]])
            for level in shapes
            if level != "low"
        }
        self._states["low"] = torch.cat([low["state_x"], low["state_bin"]])

    def state(self, features: Tensor, bin_: int) -> Tensor:
        """Return [features, one-hot bin] (Section 3.2)."""
        return torch.cat([features, self._bins[bin_]])

    def bins(self, counts: NDArray[np.int_], rows: Iterable[int]) -> list[int]:
        """Return the bins of how often rows were used so far."""
        return [min(int(counts[row]) // self.bin_width, N_BINS - 1) for row in rows]

    def high_level(self, level: str, features: Tensor, bin_: int) -> tuple[Tensor, Tensor]:
        """Return the log-probabilities of the scaling factors, and the value."""
        p = self.p[level]
        hidden = torch.relu(self.state(features, bin_) @ self._states[level] + p["b1"])
        hidden = torch.relu(hidden @ p["w2"] + p["b2"])
        log_policy = torch.log_softmax(hidden @ p["policy"] + p["policy_b"], dim=0)
        return log_policy, hidden @ p["value"] + p["value_b"]

    def low_level(self, i: int, bins: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return log-probabilities of row i's K x 5 actions (and "next row"), and the value."""
        p = self.p["low"]
        body, hidden = self._low_hidden(i, bins)
        scores = hidden @ p["score"] + p["score_b"]
        if self.next_row:
            scores = torch.cat([scores, body @ p["next"] + p["next_b"]])
        return torch.log_softmax(scores, dim=0), body @ p["value"] + p["value_b"]

    def weight(self, i: int, bins: Sequence[int], slot: int) -> tuple[Normal, Distribution]:
        """Return a normal distribution for a row's slot, and the same squashed: that of lambda."""
        _, hidden = self._low_hidden(i, bins)
        first, second = hidden[slot] @ self.p["low"]["weight"] + self.p["low"]["weight_b"]
        low, high = SCALES
        normal = Normal(
            MAX_LOCATION * torch.tanh(first / MAX_LOCATION),
            low + (high - low) * torch.sigmoid(second + SCALE_SHIFT),
        )
        return normal, TransformedDistribution(normal, SigmoidTransform())

    def _low_hidden(self, i: int, bins: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return the low level's representation of the state, and of each of its actions."""
        p = self.p["low"]
        state = self.state(self.x[i], bins[0])
        body = torch.relu(state @ self._states["low"] + p["state_b1"])
        body = torch.relu(body @ p["state_w2"] + p["state_b2"])
        slots = self._bins[torch.as_tensor(bins)]
        if self.joint:
            slots = torch.cat([slots, self.x[self.neighbours[i]]], dim=1)
        slots = slots.repeat_interleave(self.per_slot, dim=0)
        own = (state if self.joint else body).expand(len(slots), -1)
        actions = torch.cat([own, slots, self._lambdas], dim=1)
        hidden = torch.relu(actions @ self._first + p["b1"])
        return body, torch.relu(hidden @ p["w2"] + p["b2"])


@torch.no_grad()
def plain_episode(policies: PlainPolicies, rng: np.random.Generator) -> PlainEpisode:
    """Run Algorithm 1: one uniform number, one network call, one decision at a time."""
    space = policies.space
    counts = np.zeros(space.n_rows, dtype=int)

    under: dict[str, Any] = {}
    if "under" in policies.p:
        log_policy, _ = policies.high_level("under", policies.x.mean(dim=0), 0)
        share, log_prob = _draw(log_policy, rng)
        under = {"under": share, "under_log_prob": log_prob}
    # Line 2: how much over-sampling in all.
    log_policy, _ = policies.high_level("cross", policies.x.mean(dim=0), 0)
    g1, log_prob = _draw(log_policy, rng)
    episode = PlainEpisode(g1, log_prob, **under)
    for i in range(space.n_rows):  # line 3
        # Lines 4 and 5: how many samples around this row.
        (own,) = policies.bins(counts, [i])
        log_policy, _ = policies.high_level("instance", policies.x[i], own)
        g2, log_prob = _draw(log_policy, rng)
        episode.own_bins.append(own)
        episode.g2.append(g2)
        episode.g2_log_prob.append(log_prob)
        for _ in range(g1 * g2):  # line 6
            # Line 7: which neighbour, and where between the two.
            bins = policies.bins(counts, space.neighbours[i])
            log_policy, _ = policies.low_level(i, bins)
            action, log_prob = _draw(log_policy, rng)
            weight, log_density = _weight(policies, i, bins, action, rng)
            _note(episode, i, bins, action, log_prob + log_density)
            _interpolate(episode, space, counts, i, action // policies.per_slot, weight)
    return episode


@torch.no_grad()
def plain_flat_episode(
    policies: PlainPolicies, most: int, rng: np.random.Generator
) -> PlainEpisode:
    """Run the flat policy of Section 4.4: at each step a sample or "next row".

    At most ``most`` samples are made around a row.
    """
    space = policies.space
    counts = np.zeros(space.n_rows, dtype=int)
    episode = PlainEpisode(1, 0.0)
    for i in range(space.n_rows):
        episode.g2.append(0)
        while episode.g2[i] < most:
            bins = policies.bins(counts, space.neighbours[i])
            log_policy, _ = policies.low_level(i, bins)
            action, log_prob = _draw(log_policy, rng)
            if action == space.K * policies.per_slot:  # "next row"
                _note(episode, i, bins, action, log_prob)
                break
            weight, log_density = _weight(policies, i, bins, action, rng)
            _note(episode, i, bins, action, log_prob + log_density)
            _interpolate(episode, space, counts, i, action // policies.per_slot, weight)
            episode.g2[i] += 1
    return episode


def _note(episode: PlainEpisode, i: int, bins: list[int], action: int, log_prob: float) -> None:
    """Note a low-level step."""
    episode.row.append(i)
    episode.bins.append(bins)
    episode.action.append(action)
    episode.log_prob.append(log_prob)


@torch.no_grad()
def _weight(
    policies: PlainPolicies, i: int, bins: list[int], action: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return an action's lambda, or draw a continuous one, with its log-density."""
    if not policies.space.continuous:
        return action % N_LAMBDAS / (N_LAMBDAS - 1), 0.0
    normal, squashed = policies.weight(i, bins, action)
    z = normal.loc.double() + normal.scale.double() * rng.standard_normal()
    weight = torch.sigmoid(z)
    return float(weight), float(squashed.log_prob(weight))


def _interpolate(
    episode: PlainEpisode, space: Space, counts: NDArray[np.int_], i: int, slot: int, weight: float
) -> None:
    """Make the sample that an action asks for, and count the two rows that it uses."""
    j = int(space.neighbours[i, slot])
    episode.weight.append(weight)
    episode.rows.append(space.X[i] + weight * (space.X[j] - space.X[i]))
    counts[i] += 1
    counts[j] += 1


def _draw(log_policy: Tensor, rng: np.random.Generator) -> tuple[int, float]:
    """Draw an action by inverse CDF; return it with its log-probability."""
    cdf = np.cumsum(np.exp(log_policy.numpy().astype(np.float64)))
    action = int(np.searchsorted(cdf, rng.random() * cdf[-1], side="right"))
    return action, float(log_policy[action])


def plain_vtrace(
    log_ratios: Sequence[float] | NDArray,
    rewards: Sequence[float],
    discounts: Sequence[float],
    values: Sequence[float],
    bootstrap: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute Equation 1 as printed, sums and products written out, and Equation 2's advantages."""
    n = len(values)
    rho = np.minimum(1.0, np.exp(np.asarray(log_ratios, dtype=float)))
    following = np.append(values, bootstrap)
    delta = [rho[t] * (rewards[t] + discounts[t] * following[t + 1] - values[t]) for t in range(n)]
    targets = np.array(
        [
            values[s]
            + sum(np.prod([discounts[i] * rho[i] for i in range(s, t)]) * delta[t]
                  for t in range(s, n))
            for s in range(n)
        ]
    )  # fmt: skip
    next_targets = np.append(targets[1:], bootstrap)
    advantages = rho * (rewards + np.asarray(discounts) * next_targets - values)
    return targets, advantages
