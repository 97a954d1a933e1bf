"""The three policy-value networks as the learner sees them (Section 3.3). torch only here.

A policy answers one question, ``evaluate(steps, actions)``: log-probabilities, entropies and values
of a chunk of steps, with gradients. The learner knows nothing else about it, so that a level can
be replaced by another policy.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import relu

from autosmote.search.hierarchical.parameters import (
    MAX_LOCATION,
    N_BINS,
    SCALE_SHIFT,
    SCALES,
    Shapes,
    split,
)
from autosmote.space.base import Space

Steps = Mapping[str, NDArray]
"""States of a chunk by column: "row" (B,), and "bins" (B,) or, at the low level, (B, K). Where
lambda is continuous, "weight" (B,) is the part of the actions that is no whole number."""


@dataclass(frozen=True)
class Evaluation:
    """Log-probabilities, entropies and values of a chunk of B steps; all of shape (B,)."""

    log_probs: Tensor
    entropies: Tensor
    values: Tensor


class Policy(ABC):
    """A policy-value network over one flat vector of parameters."""

    def __init__(
        self, space: Space, shapes: Shapes, initial: NDArray[np.float32], device: torch.device
    ) -> None:
        self.device = device
        self.shapes = shapes
        self.flat = torch.nn.Parameter(torch.from_numpy(initial.copy()).to(device))
        self.x = torch.as_tensor(space.X, dtype=torch.float32, device=device)

    def parameters(self) -> dict[str, Tensor]:
        """Return views of the flat vector by name."""
        return split(self.flat, self.shapes)

    def index(self, array: NDArray) -> Tensor:
        """Return an index array on the device."""
        return torch.as_tensor(array.astype(np.int64), device=self.device)

    @abstractmethod
    def evaluate(self, steps: Steps, actions: NDArray[np.int32]) -> Evaluation:
        """Return log-probabilities of the actions, entropies and values, with gradients."""

    @abstractmethod
    def values(self, steps: Steps) -> Tensor:
        """Return the values of the states alone, (B,)."""


class HighLevelPolicy(Policy):
    """pi_h: state -> how much; the cross-instance and the instance-specific sub-policy.

    Parameters
    ----------
    average : bool
        See one state only, the mean of the rows' features: the cross-instance sub-policy, which
        decides before any row's turn.
    """

    def __init__(
        self,
        space: Space,
        shapes: Shapes,
        initial: NDArray[np.float32],
        device: torch.device,
        *,
        average: bool = False,
    ) -> None:
        super().__init__(space, shapes, initial, device)
        if average:
            self.x = self.x.mean(dim=0, keepdim=True)

    def _representation(self, steps: Steps, p: dict[str, Tensor]) -> Tensor:
        row, bins = self.index(steps["row"]), self.index(steps["bins"])
        return _body(self.x, row, bins, p)

    def evaluate(self, steps: Steps, actions: NDArray[np.int32]) -> Evaluation:
        p = self.parameters()
        hidden = self._representation(steps, p)
        log_policy = torch.log_softmax(hidden @ p["policy"] + p["policy_b"], dim=-1)
        return Evaluation(
            log_policy.gather(1, self.index(actions)[:, None])[:, 0],
            -(log_policy.exp() * log_policy).sum(dim=-1),
            hidden @ p["value"] + p["value_b"],
        )

    def values(self, steps: Steps) -> Tensor:
        p = self.parameters()
        return self._representation(steps, p) @ p["value"] + p["value_b"]


class LowLevelPolicy(Policy):
    """pi_l: (row, bins of its slots) -> which neighbour and which lambda.

    A row's steps share one state until a count crosses a bin's border, and an action's score
    depends on its own slot alone. So each distinct (row, slot, bins) is evaluated once and gathered
    (docs/performance.md, fact 3): the same loss and gradient for a fraction of the work.

    A flat policy's has one more action, "next row", scored by a head on the state's body.

    Where lambda is continuous, an action is a slot, and lambda is drawn from a distribution of the
    slot's own: the log-probability is that of the slot plus the logarithm of lambda's density. The
    entropy is that of the slot plus what is expected, over the slots, of the normal distribution's
    before it is squashed: the squashed one's has no closed form, and is largest where lambda is
    uniform, while this one grows with sigma, which is bounded.
    """

    def __init__(
        self, space: Space, shapes: Shapes, initial: NDArray[np.float32], device: torch.device
    ) -> None:
        super().__init__(space, shapes, initial, device)
        self.neighbours = space.neighbours.astype(np.int64)
        self.joint = "slot_x" in shapes

    def evaluate(self, steps: Steps, actions: NDArray[np.int32]) -> Evaluation:
        p = self.parameters()
        rows, bins = steps["row"].astype(np.int64), steps["bins"].astype(np.int64)
        new = np.ones(len(rows), dtype=bool)
        new[1:] = (rows[1:] != rows[:-1]) | (bins[1:] != bins[:-1]).any(axis=1)
        state = self.index(np.cumsum(new) - 1)
        rows, bins = rows[new], bins[new]

        value, representation = self._value(rows, bins[:, 0], p)
        scores, mu, sigma = self._scores(rows, bins, representation, p)
        if "next" in p:
            next_row = representation @ p["next"] + p["next_b"]
            scores = torch.cat([scores, next_row[:, None]], dim=1)
        log_policy = torch.log_softmax(scores, dim=-1)
        entropy = -(log_policy.exp() * log_policy).sum(dim=-1)
        log_probs = log_policy[state, self.index(actions)]
        if mu is not None and sigma is not None:
            K = self.neighbours.shape[1]
            of_normal = sigma.log() + 0.5 * (1.0 + math.log(2.0 * math.pi))
            entropy = entropy + (log_policy[:, :K].exp() * of_normal).sum(dim=-1)
            sample = self.index(np.flatnonzero(actions < K))  # else "next row"
            chosen = state[sample], self.index(actions)[sample]
            density = self._log_density(steps["weight"][actions < K], mu[chosen], sigma[chosen])
            log_probs = log_probs.index_add(0, sample, density)
        return Evaluation(log_probs, entropy[state], value[state])

    def values(self, steps: Steps) -> Tensor:
        rows, bins = steps["row"].astype(np.int64), steps["bins"].astype(np.int64)
        return self._value(rows, bins[:, 0], self.parameters())[0]

    def _value(
        self, rows: NDArray[np.int64], own: NDArray[np.int64], p: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return the values of the states, and the body's representation of them."""
        body = {key[6:]: part for key, part in p.items() if key.startswith("state_")}
        hidden = _body(self.x, self.index(rows), self.index(own), body)
        return hidden @ p["value"] + p["value_b"], hidden

    def _scores(
        self,
        rows: NDArray[np.int64],
        bins: NDArray[np.int64],
        representation: Tensor,
        p: dict[str, Tensor],
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return the scores of all samples in S states, (S, K * 5).

        Where lambda is continuous (S, K), with the two parameters of its distributions.
        """
        n_states, K = bins.shape
        source = np.repeat(np.arange(n_states), K)
        own, slot_bin = np.repeat(bins[:, 0], K), bins.ravel()
        if self.joint:
            target = self.neighbours[rows].ravel()
            n = self.neighbours.shape[0]
            key = ((rows[source] * n + target) * N_BINS + own) * N_BINS + slot_bin
        else:  # the neighbour's features do not enter
            key = (rows[source] * N_BINS + own) * N_BINS + slot_bin
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        slot_bin_ = self.index(slot_bin[first])
        if self.joint:
            entry_rows, entry_own = self.index(rows[source[first]]), self.index(own[first])
            base = (self.x @ p["x"] + p["b1"])[entry_rows] + p["bin"][entry_own]
            base = base + (self.x @ p["slot_x"])[self.index(target[first])]
        else:
            base = (representation @ p["representation"] + p["b1"])[self.index(source[first])]
        base = base + p["slot_bin"][slot_bin_]
        base = base[:, None, :]
        hidden = relu(base + p["lambda"] if "lambda" in p else base)
        hidden = relu(hidden @ p["w2"] + p["b2"])
        score = hidden @ p["score"] + p["score_b"]
        place = self.index(inverse)
        scores = score[place].reshape(n_states, K * score.shape[1])
        if "weight" not in p:
            return scores, None, None
        shape = (hidden @ p["weight"] + p["weight_b"])[place].reshape(n_states, K, 2)
        mu = MAX_LOCATION * torch.tanh(shape[..., 0] / MAX_LOCATION)
        scale = torch.sigmoid(shape[..., 1] + SCALE_SHIFT)
        return scores, mu, SCALES[0] + (SCALES[1] - SCALES[0]) * scale

    def _log_density(self, weight: NDArray[np.float64], mu: Tensor, sigma: Tensor) -> Tensor:
        """Return the logarithm of the density of each lambda (``hierarchical.parameters``)."""
        # In 64 bits: 1 - lambda may be far smaller than what 32 bits can tell from nothing.
        log, log_rest = np.log(weight), np.log1p(-weight)
        z, log_slope = (
            torch.as_tensor(part, dtype=torch.float32, device=self.device)
            for part in (log - log_rest, log + log_rest)
        )
        normal = (z - mu) / sigma
        return -0.5 * (normal.square() + math.log(2.0 * math.pi)) - sigma.log() - log_slope


def _body(x: Tensor, row: Tensor, bins: Tensor, p: dict[str, Tensor]) -> Tensor:
    """Compute the 128-128 body over [features, one-hot bin], (B, 128)."""
    hidden = relu(x[row] @ p["x"] + p["bin"][bins] + p["b1"])
    return relu(hidden @ p["w2"] + p["b2"])
