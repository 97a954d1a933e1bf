"""The policies' updates on the CPU: forward and backward passes in numpy, without torch.

The networks are small, so that torch's autograd spends more on its bookkeeping than on products,
and its import takes longer than a short search. Equal to `hierarchical.policies` to rounding;
for a GPU, a continuous lambda and the net "joint" the learner takes those.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from autosmote.search.hierarchical.parameters import N_BINS, Shapes, split
from autosmote.space.base import Space

Array = NDArray[Any]
"""Of float32."""
Steps = Mapping[str, NDArray]


@dataclass(frozen=True)
class ForwardPass:
    """A forward pass over a chunk of B steps; arrays of shape (B,), and what goes backward."""

    log_probs: Array
    values: Array
    kept: dict[str, Any]


class CpuPolicy(ABC):
    """A policy-value network over one flat vector of parameters, and its gradient.

    Parameters
    ----------
    space : Space
    shapes : dict
        Names and shapes of the level's parameters.
    initial : float32 ndarray
    """

    def __init__(self, space: Space, shapes: Shapes, initial: Array) -> None:
        self.flat = initial.copy()
        self.gradient = np.zeros_like(self.flat)
        self.p: dict[str, Array] = split(self.flat, shapes)
        self.g: dict[str, Array] = split(self.gradient, shapes)
        self.x = space.X.astype(np.float32)

    @abstractmethod
    def forward(self, steps: Steps, actions: NDArray[np.int32]) -> ForwardPass:
        """Compute log-probabilities of the actions and values of the states."""

    @abstractmethod
    def backward(
        self, kept: dict[str, Any], d_log_probs: Array, d_values: Array, d_entropy: float
    ) -> None:
        """Compute the gradient of a loss into `gradient`.

        Parameters
        ----------
        kept : dict
            Of the forward pass.
        d_log_probs, d_values : ndarrays of shape (B,)
            Derivatives of the loss by each step's log-probability and value.
        d_entropy : float
            That by each step's entropy.
        """

    @abstractmethod
    def values(self, steps: Steps) -> Array:
        """Compute the values of the states alone, (B,)."""


class Body:
    """The 128-128 body over [features, one-hot bin] of some parameters of a level."""

    def __init__(self, policy: CpuPolicy, prefix: str) -> None:
        names = ("x", "bin", "b1", "w2", "b2")
        self.p = {name: policy.p[prefix + name] for name in names}
        self.g = {name: policy.g[prefix + name] for name in names}

    def forward(self, x: Array, bins: NDArray) -> tuple[Array, Array]:
        """Return both hidden layers, (B, 128) each."""
        p = self.p
        first = x @ p["x"]
        first += p["bin"][bins]
        first += p["b1"]
        np.maximum(first, 0, out=first)
        second = first @ p["w2"]
        second += p["b2"]
        np.maximum(second, 0, out=second)
        return first, second

    def backward(self, x: Array, bins: NDArray, first: Array, second: Array, d: Array) -> None:
        """Add the gradient, given the derivative by the second layer, which is overwritten."""
        p, g = self.p, self.g
        d *= second > 0
        g["w2"][...] = first.T @ d
        g["b2"][...] = d.sum(axis=0)
        d1 = d @ p["w2"].T
        d1 *= first > 0
        g["x"][...] = x.T @ d1
        g["b1"][...] = d1.sum(axis=0)
        g["bin"][...] = 0
        _add_rows(g["bin"], bins, d1)


class CpuHighLevelPolicy(CpuPolicy):
    """pi_h: state -> how much (`policies.HighLevelPolicy`)."""

    def __init__(self, space: Space, shapes: Shapes, initial: Array, *, average: bool) -> None:
        super().__init__(space, shapes, initial)
        if average:
            self.x = self.x.mean(axis=0, keepdims=True)
        self._body = Body(self, "")

    def forward(self, steps: Steps, actions: NDArray[np.int32]) -> ForwardPass:
        p, x, bins = self.p, self.x[steps["row"]], steps["bins"]
        first, second = self._body.forward(x, bins)
        log_policy = _log_softmax(second @ p["policy"] + p["policy_b"])
        values = second @ p["value"] + p["value_b"]
        kept = {"x": x, "bins": bins, "layers": (first, second), "log_policy": log_policy,
                "actions": actions}  # fmt: skip
        return ForwardPass(log_policy[np.arange(len(actions)), actions], values, kept)

    def backward(
        self, kept: dict[str, Any], d_log_probs: Array, d_values: Array, d_entropy: float
    ) -> None:
        p, g = self.p, self.g
        first, second = kept["layers"]
        state = np.arange(len(d_values))
        d_scores = _d_scores(kept["log_policy"], state, kept["actions"], d_log_probs, d_entropy)
        g["policy"][...] = second.T @ d_scores
        g["policy_b"][...] = d_scores.sum(axis=0)
        g["value"][...] = second.T @ d_values
        g["value_b"][...] = d_values.sum()
        d = d_scores @ p["policy"].T
        d += d_values[:, None] * p["value"]
        self._body.backward(kept["x"], kept["bins"], first, second, d)

    def values(self, steps: Steps) -> Array:
        _, second = self._body.forward(self.x[steps["row"]], steps["bins"])
        return second @ self.p["value"] + self.p["value_b"]


class CpuLowLevelPolicy(CpuPolicy):
    """pi_l: (row, bins of its slots) -> which neighbour and which lambda.

    As `policies.LowLevelPolicy` for the net "paper" and a discrete lambda: each distinct state, and
    each distinct bin of a slot in a state, is evaluated once.
    """

    def __init__(self, space: Space, shapes: Shapes, initial: Array) -> None:
        super().__init__(space, shapes, initial)
        self._body = Body(self, "state_")

    def forward(self, steps: Steps, actions: NDArray[np.int32]) -> ForwardPass:
        p = self.p
        rows, bins = steps["row"].astype(np.int64), steps["bins"].astype(np.int64)
        new = np.ones(len(rows), dtype=bool)
        new[1:] = (rows[1:] != rows[:-1]) | (bins[1:] != bins[:-1]).any(axis=1)
        state = np.cumsum(new) - 1
        rows, bins = rows[new], bins[new]
        own = bins[:, 0]
        n_states, K = bins.shape
        x = self.x[rows]
        first, body = self._body.forward(x, own)
        value = body @ p["value"] + p["value_b"]

        # Distinct entries: states share the scores of a slot.
        source, slot_bin = np.repeat(np.arange(n_states), K), bins.ravel()
        key = (rows[source] * N_BINS + own[source]) * N_BINS + slot_bin
        _, chosen, place = np.unique(key, return_index=True, return_inverse=True)
        source, slot_bin = source[chosen], slot_bin[chosen]
        base = (body @ p["representation"] + p["b1"])[source]
        base += p["slot_bin"][slot_bin]
        n_entries, n_lambdas = len(base), len(p["lambda"])
        hidden = np.maximum(base[:, None, :] + p["lambda"], 0).reshape(-1, base.shape[1])
        second = hidden @ p["w2"]
        second += p["b2"]
        np.maximum(second, 0, out=second)
        score = (second @ p["score"] + p["score_b"]).reshape(n_entries, n_lambdas)
        scores = score[place].reshape(n_states, K * n_lambdas)
        if "next" in p:
            next_row = body @ p["next"] + p["next_b"]
            scores = np.concatenate([scores, next_row[:, None]], axis=1)
        log_policy = _log_softmax(scores)
        kept = {
            "state": state, "actions": actions, "own": own, "x": x,
            "layers": (first, body), "source": source, "slot_bin": slot_bin,
            "place": place, "hidden": hidden, "second": second, "log_policy": log_policy,
        }  # fmt: skip
        return ForwardPass(log_policy[state, actions], value[state], kept)

    def backward(
        self, kept: dict[str, Any], d_log_probs: Array, d_values: Array, d_entropy: float
    ) -> None:
        p, g = self.p, self.g
        state, own, source = kept["state"], kept["own"], kept["source"]
        first, body = kept["layers"]
        hidden, second = kept["hidden"], kept["second"]
        n_states, n_lambdas = len(own), len(p["lambda"])
        d_scores = _d_scores(kept["log_policy"], state, kept["actions"], d_log_probs, d_entropy)
        d_value = np.bincount(state, d_values, n_states).astype(np.float32)
        g["value"][...] = body.T @ d_value
        g["value_b"][...] = d_value.sum()
        d_body = d_value[:, None] * p["value"]
        if "next" in p:
            d_next = np.ascontiguousarray(d_scores[:, -1])
            d_scores = d_scores[:, :-1]
            g["next"][...] = body.T @ d_next
            g["next_b"][...] = d_next.sum()
            d_body += d_next[:, None] * p["next"]
        d_score = np.zeros((len(source), n_lambdas), dtype=np.float32)
        _add_rows(d_score, kept["place"], d_scores.reshape(-1, n_lambdas))
        d_flat = d_score.ravel()
        g["score"][...] = second.T @ d_flat
        g["score_b"][...] = d_flat.sum()
        d2 = d_flat[:, None] * p["score"]
        d2 *= second > 0
        g["w2"][...] = hidden.T @ d2
        g["b2"][...] = d2.sum(axis=0)
        d1 = d2 @ p["w2"].T
        d1 *= hidden > 0
        d1 = d1.reshape(len(source), n_lambdas, -1)
        g["lambda"][...] = d1.sum(axis=0)
        d_base = d1.sum(axis=1)
        g["b1"][...] = d_base.sum(axis=0)
        g["slot_bin"][...] = 0
        _add_rows(g["slot_bin"], kept["slot_bin"], d_base)
        by_state = np.zeros((n_states, d_base.shape[1]), dtype=np.float32)
        _add_rows(by_state, source, d_base)
        g["representation"][...] = body.T @ by_state
        d_body += by_state @ p["representation"].T
        self._body.backward(kept["x"], own, first, body, d_body)

    def values(self, steps: Steps) -> Array:
        _, body = self._body.forward(self.x[steps["row"]], steps["bins"][:, 0])
        return body @ self.p["value"] + self.p["value_b"]


def _log_softmax(scores: Array) -> Array:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _d_scores(
    log_policy: Array, state: NDArray, actions: NDArray, d_log_probs: Array, d_entropy: float
) -> Array:
    """Return the derivatives of the loss by the scores of S states, of B steps in them."""
    n_states = len(log_policy)
    policy = np.exp(log_policy)
    entropy = -(policy * log_policy).sum(axis=1, keepdims=True)
    weight = np.bincount(state, d_log_probs, n_states).astype(np.float32)
    n_steps = np.bincount(state, minlength=n_states).astype(np.float32)
    # d log pi(a) = onehot(a) - pi; d H = -pi (log pi + H).
    d = policy * (-weight[:, None] - d_entropy * n_steps[:, None] * (log_policy + entropy))
    _add_at(d, state, actions, d_log_probs)
    return d


@njit(cache=True)
def _add_rows(out, index, rows):
    """Add each row to the row of ``out`` that its index names."""
    for i in range(len(index)):
        for j in range(rows.shape[1]):
            out[index[i], j] += rows[i, j]


@njit(cache=True)
def _add_at(out, first, second, values):
    """Add values at pairs of indices."""
    for i in range(len(values)):
        out[first[i], second[i]] += values[i]
