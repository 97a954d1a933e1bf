"""Algorithm 1: one episode of the three policies over the minority rows.

The plain, step-by-step version is ``reference``; tests hold the two to the same decisions on the
same random numbers. The loops are ``episode_kernels``. numpy and numba only: this module runs in
the actors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autosmote.search.hierarchical.episode_kernels import LEARNED, decide, replay_bins, run_rows
from autosmote.search.hierarchical.network_kernels import (
    high_level_arrays,
    low_level_arrays,
    next_row_arrays,
)
from autosmote.search.hierarchical.parameters import (
    BIN_WIDTH,
    LEFT_OUT,
    policy_shapes,
    split,
    split_levels,
)
from autosmote.space.base import N_LAMBDAS, Samples, Space
from autosmote.space.continuous import Segments
from autosmote.space.pool import PoolSpace


@dataclass(frozen=True)
class Rules:
    """Rules of the levels: decide by the policy, uniformly at random, or always alike (ablations).

    ``fixed_g1`` and ``fixed_g2`` are used where a level is FIXED. ``flat`` leaves the two levels
    above out: the low-level policy has one more action, "next row", and makes at most G1 x G2
    samples around a row. ``under_sampling`` lets one more level decide first: which share of the
    majority rows to leave out.
    """

    cross: int = LEARNED
    instance: int = LEARNED
    low: int = LEARNED
    fixed_g1: int = 0
    fixed_g2: int = 0
    flat: bool = False
    under_sampling: bool = False
    under: int = LEARNED


@dataclass(frozen=True)
class Episode:
    """One pass of Algorithm 1 over the N minority rows.

    Attributes
    ----------
    g1 : int
        Cross-instance scaling factor, with ``g1_log_prob``. A flat policy's is 1.
    bins, g2, g2_log_prob : ndarrays of shape (N,)
        Bin of each row at its turn, its instance-specific factor, and its log-probability. Of a
        flat policy, g2 is the number of samples around the row, nobody's decision.
    row, bins_low, action, log_prob, end : ndarrays of S low-level steps
        Steps of the low-level episodes that are kept for learning: source row, bins of its K slots
        before the step (slot 0 is the row itself; shape (S, K)), action (K * 5 is a flat policy's
        "next row"), log-probability, and whether the step is the last of its row; the steps of a
        flat policy are one episode, which ends with the last of them. Where lambda is continuous,
        the action is the slot (K is "next row"), and the log-probability that of the slot plus
        the logarithm of lambda's density.
    samples : int32 ndarray of shape (P,), or Segments
        How often each pool row was made, by all rows of the episode; where lambda is continuous,
        its samples in order.
    under : int
        Which of the shares ``LEFT_OUT`` of the majority rows is left out, with
        ``under_log_prob``.
    weight : float64 ndarray of S low-level steps, optional
        lambda, where it is continuous; without meaning where the step is "next row".
    """

    g1: int
    g1_log_prob: float
    bins: NDArray[np.uint8]
    g2: NDArray[np.int32]
    g2_log_prob: NDArray[np.float32]
    row: NDArray[np.int32]
    bins_low: NDArray[np.uint8]
    action: NDArray[np.int32]
    log_prob: NDArray[np.float32]
    end: NDArray[np.bool_]
    samples: Samples
    under: int = 0
    under_log_prob: float = 0.0
    weight: NDArray[np.float64] | None = None

    @property
    def n_synthetic(self) -> int:
        """Number of synthetic rows."""
        return self.g1 * int(self.g2.sum())


class EpisodeGenerator:
    """Makes episodes under given parameters.

    Parameters
    ----------
    space : Space
    G1, G2 : int
        Largest cross-instance and instance-specific scaling factors.
    rules : Rules
    low_level_net : {"joint", "paper"}
    low_level_rows : int
        Low-level episodes of this many rows, drawn among those with g > 0, are kept for learning;
        of a flat policy, this many rows' parts of the one episode.
    bin_width : int
        Use counts in one bin.
    """

    def __init__(
        self,
        space: Space,
        G1: int,
        G2: int,
        *,
        rules: Rules | None = None,
        low_level_net: str = "paper",
        low_level_rows: int = 10,
        bin_width: int = BIN_WIDTH,
    ) -> None:
        self.space, self.G1, self.G2, self.bin_width = space, G1, G2, bin_width
        self.rules = rules or Rules()
        self.joint = low_level_net == "joint"
        self.low_level_rows = min(low_level_rows, space.n_rows)
        self._x32 = space.X.astype(np.float32)
        self._mean32 = space.X.mean(axis=0, keepdims=True).astype(np.float32)
        self.shapes = policy_shapes(
            n_features=space.X.shape[1], G1=G1, G2=G2, low_level_net=low_level_net,
            continuous=space.continuous, flat=self.rules.flat, under=self.rules.under_sampling,
        )  # fmt: skip
        self._per_slot = 1 if space.continuous else N_LAMBDAS
        # Every step of an episode, before the kept ones are chosen.
        most = space.n_rows * G1 * G2
        self._action = np.empty(most, dtype=np.int32)
        self._log_prob = np.empty(most, dtype=np.float32)
        self._weight = np.empty(most if space.continuous else 0)
        # What an action makes, where that is known before; else nothing is counted.
        self._pool = space if isinstance(space, PoolSpace) else None
        self._action_row = self._pool.action_row if self._pool else np.empty((0, 0), dtype=np.int32)

    def load(self, flat: NDArray[np.float32]) -> None:
        """Take over a version of all parameters: the levels' flat vectors, joined."""
        p = {
            level: split(part, self.shapes[level])
            for level, part in split_levels(flat, self.shapes).items()
        }
        if self.rules.under_sampling:
            self._under = high_level_arrays(self._mean32, p["under"])
        if self.rules.flat:
            self._row_net = next_row_arrays(self._x32, p["low"])
        else:
            self._cross = high_level_arrays(self._mean32, p["cross"])
            self._row_net = high_level_arrays(self._x32, p["instance"])
        self._low = low_level_arrays(self._x32, p["low"], self.joint)

    def generate(self, rng: np.random.Generator) -> Episode:
        """Run Algorithm 1 once.

        Random numbers are drawn in this order: one for the majority rows where these may be left
        out, one for g1, then for each row one for g2 and one per low-level step (and after it a
        normal variate, where lambda is continuous), then those that choose the kept rows. A flat
        policy draws neither for g1 nor for g2.
        """
        space, rules = self.space, self.rules
        n = space.n_rows
        bins = np.empty(n, dtype=np.uint8)
        g2 = np.empty(n, dtype=np.int32)
        g2_log_prob = np.empty(n, dtype=np.float32)
        counts = np.zeros(len(self._pool.pool) if self._pool else 0, dtype=np.int32)
        taken = np.empty(n, dtype=np.int64)
        under, under_log_prob = 0, 0.0
        if rules.under_sampling:
            under, under_log_prob = decide(self._under, 0, 0, rules.under, 0, len(LEFT_OUT), rng)
        g1, g1_log_prob = 1, 0.0
        if not rules.flat:
            g1, g1_log_prob = decide(
                self._cross, 0, 0, rules.cross, rules.fixed_g1, self.G1 + 1, rng
            )
        run_rows(
            rng, g1, self.G1, self.G2, self.bin_width, space.neighbours, self._action_row,
            self._row_net, self._low, self.joint,
            rules.flat, rules.instance, rules.fixed_g2, rules.low,
            bins, g2, g2_log_prob, taken, self._action, self._log_prob, self._weight, counts,
        )  # fmt: skip
        active = np.flatnonzero(taken)
        kept = np.sort(
            rng.choice(active, min(self.low_level_rows, len(active)), replace=False)
        ).astype(np.int64)
        n_kept = int(taken[kept].sum())
        row = np.repeat(kept, taken[kept]).astype(np.int32)
        bins_low = np.empty((n_kept, space.K), dtype=np.uint8)
        replay_bins(
            self.bin_width, space.neighbours, taken, self._action, self._per_slot, kept, bins_low
        )
        starts = np.cumsum(taken) - taken
        steps = np.concatenate(
            [np.arange(starts[i], starts[i] + taken[i]) for i in kept] or [np.arange(0)]
        )
        end = np.zeros(n_kept, dtype=bool)
        end[n_kept - 1 if rules.flat else np.cumsum(taken[kept]) - 1] = True
        return Episode(
            g1, g1_log_prob, bins, g2, g2_log_prob,
            row, bins_low, self._action[steps], self._log_prob[steps], end,
            counts if self._pool else self._segments(taken),
            under, under_log_prob, None if self._pool else self._weight[steps],
        )  # fmt: skip

    def _segments(self, taken: NDArray[np.int64]) -> Segments:
        """Return all samples of an episode, in order."""
        source = np.repeat(np.arange(len(taken), dtype=np.int32), taken)
        slot = self._action[: len(source)]
        made = slot < self.space.K  # else "next row"
        source, slot = source[made], slot[made]
        weight = self._weight[: len(made)][made]
        return Segments(source, self.space.neighbours[source, slot], weight)
