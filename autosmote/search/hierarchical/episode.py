"""Algorithm 1, exact and fast: one episode of the three policies over the minority rows.

The plain, step-by-step version of the same algorithm is ``reference``; tests hold the two
to the same decisions on the same random numbers. What makes this one fast is exact:

- the first layer is linear and its input one-hot but for the features, so it is a sum of look-ups;
- an action's score depends on its row, its slot and the two bins alone, so it is computed again
  only when a count crosses the border of a bin;
- hidden units that ReLU made zero are skipped.

The low level has ``L`` scores a slot: five, one for each lambda; or, where lambda is continuous,
one, with two more numbers that say how lambda is distributed (``hierarchical.parameters``).

Loops run in a fixed order without fastmath or BLAS: a score has the same bits whatever was
computed before or beside it. numpy and numba only: this module runs in the actors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from autosmote.search.hierarchical.parameters import (
    BIN_WIDTH,
    HIDDEN,
    LEFT_OUT,
    MAX_LOCATION,
    N_BINS,
    SCALE_SHIFT,
    SCALES,
    policy_shapes,
    split,
    split_levels,
)
from autosmote.space.base import N_LAMBDAS, Samples, Space
from autosmote.space.continuous import Segments
from autosmote.space.pool import PoolSpace

LEARNED, UNIFORM, FIXED = 0, 1, 2

_H = HIDDEN
_LAST_BIN = N_BINS - 1
_WIDTH = BIN_WIDTH
_UNROLL = 4
_LOG_ROOT_2PI = 0.5 * np.log(2.0 * np.pi)
_LEAST = 2.0**-53


@dataclass(frozen=True)
class Rules:
    """How each level decides: by its policy, uniformly at random, or always the same (ablations).

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
    ) -> None:
        self.space, self.G1, self.G2 = space, G1, G2
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
            self._under = _high_level(self._mean32, p["under"])
        if self.rules.flat:
            self._row_net = _next_row(self._x32, p["low"])
        else:
            self._cross = _high_level(self._mean32, p["cross"])
            self._row_net = _high_level(self._x32, p["instance"])
        self._low = _low_level(self._x32, p["low"], self.joint)

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
            under, under_log_prob = _decide(self._under, 0, 0, rules.under, 0, len(LEFT_OUT), rng)
        g1, g1_log_prob = 1, 0.0
        if not rules.flat:
            g1, g1_log_prob = _decide(
                self._cross, 0, 0, rules.cross, rules.fixed_g1, self.G1 + 1, rng
            )
        _run(
            rng, g1, self.G1, self.G2, space.neighbours, self._action_row,
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
        _replay(space.neighbours, taken, self._action, self._per_slot, kept, bins_low)
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
        """All samples of an episode, in order."""
        source = np.repeat(np.arange(len(taken), dtype=np.int32), taken)
        slot = self._action[: len(source)]
        made = slot < self.space.K  # else "next row"
        source, slot = source[made], slot[made]
        weight = self._weight[: len(made)][made]
        return Segments(source, self.space.neighbours[source, slot], weight)


def _high_level(x, p):
    """Arrays of a high-level network, its first layer already applied to the features."""
    return (
        _affine(x, p["x"], p["b1"]), p["bin"].copy(), _padded(p["w2"]), p["b2"].copy(),
        p["policy"].copy(), p["policy_b"].copy(),
    )  # fmt: skip


def _next_row(x, p):
    """Arrays of the network that scores "next row": a head on the body of the state."""
    body = {key: p[f"state_{key}"] for key in ("x", "bin", "b1", "w2", "b2")}
    return _high_level(x, {**body, "policy": p["next"][:, None], "policy_b": p["next_b"]})


def _low_level(x, p, joint):
    """Arrays of a low-level network. Where the net is "paper", the slots' features do not count."""
    zero = np.zeros(_H, dtype=np.float32)
    if joint:
        row, row_bin = _affine(x, p["x"], p["b1"]), p["bin"].copy()
        slot = _affine(x, p["slot_x"], zero)
        body = (_padded(p["w2"]), zero, np.zeros((_H, _H), np.float32))
    else:
        row, row_bin = _affine(x, p["state_x"], p["state_b1"]), p["state_bin"].copy()
        slot = np.zeros((x.shape[0], _H), dtype=np.float32)
        body = (_padded(p["state_w2"]), p["state_b2"].copy(), p["representation"].copy())
    inputs: tuple[NDArray[np.float32], ...] = (zero,)
    heads: tuple[NDArray[np.float32], ...]
    if "weight" in p:  # lambda is no input
        heads = tuple(head.copy() for head in (p["score"], *p["weight"].T))
        heads_b = np.concatenate([p["score_b"], p["weight_b"]])
    else:
        inputs = tuple(row.copy() for row in p["lambda"])
        heads = (p["score"].copy(),)
        heads_b = p["score_b"].copy()
    return (
        row, row_bin, slot, p["slot_bin"].copy(), inputs,
        _padded(p["w2"]), p["b2"].copy(), heads, heads_b,
        body, p["b1"].copy(),
    )  # fmt: skip


def _padded(w):
    """A matrix with one row of zeros behind it, so that an unrolled loop can end there."""
    padded = np.zeros((w.shape[0] + 1, w.shape[1]), dtype=np.float32)
    padded[:-1] = w
    return padded


@njit(cache=True)
def _affine(x, w, b):
    """x @ w + b, summed over the inputs in order."""
    out = np.empty((x.shape[0], w.shape[1]), dtype=np.float32)
    for i in range(x.shape[0]):
        out[i] = b
        for d in range(x.shape[1]):
            for o in range(w.shape[1]):
                out[i, o] += x[i, d] * w[d, o]
    return out


@njit(cache=True)
def _hidden(h, n, w, b, used, acc):
    """acc[l] = h[l] @ w + b for the first n rows of h (nonnegative), skipping inputs all zero.

    An input is skipped where every row has a zero there; a zero that is not skipped adds exactly
    nothing, and the n rows are always computed together, so the sums never depend on the caller.
    """
    n_used = 0
    for m in range(_H):
        total = np.float32(0.0)
        for r in range(n):
            total += h[r, m]
        used[n_used] = m
        n_used += int(total > 0.0)
    while n_used % _UNROLL != 0:
        used[n_used] = _H  # the row of zeros
        n_used += 1
    for r in range(n):
        for o in range(_H):
            acc[r, o] = b[o]
    for t in range(0, n_used, _UNROLL):
        m0, m1, m2, m3 = used[t], used[t + 1], used[t + 2], used[t + 3]
        for r in range(n):
            a0, a1, a2, a3 = h[r, m0], h[r, m1], h[r, m2], h[r, m3]
            for o in range(_H):
                acc[r, o] += (a0 * w[m0, o] + a1 * w[m1, o]) + (a2 * w[m2, o] + a3 * w[m3, o])


@njit(cache=True)
def _scores(base, slot, slot_bin, weights, w2, b2, heads, heads_b, h, used, acc, out):
    """The heads' numbers for the L lambdas of one (row, slot) under given bins, into out (L x M,).

    The M heads are one, the score; or three, with what lambda's distribution is made of.
    """
    L, M = len(weights), len(heads)
    for r in range(L):
        w = weights[r]
        for m in range(_H):
            h[r, m] = max(base[m] + slot[m] + slot_bin[m] + w[m], np.float32(0.0))
    _hidden(h, L, w2, b2, used, acc)
    for r in range(L):
        for m in range(M):
            # Sixteen running sums, then one: a fixed order that the compiler can vectorise.
            head = heads[m]
            s = r if m == M - 1 else L  # the last head needs no row of its own
            for o in range(_H):
                acc[s, o] = max(acc[r, o], np.float32(0.0)) * head[o]
            half = _H // 2
            while half >= 1:
                for o in range(half):
                    acc[s, o] += acc[s, o + half]
                half //= 2
            out[r * M + m] = acc[s, 0] + heads_b[m]


@njit(cache=True)
def _bin(count):
    return min(count // _WIDTH, _LAST_BIN)


@njit(cache=True)
def _cumulate(scores, n, cdf):
    """Running sums of exp(score - largest), and the log of the normaliser."""
    top = scores[0]
    for a in range(1, n):
        top = max(top, scores[a])
    total = 0.0
    for a in range(n):
        total += np.exp(np.float64(scores[a]) - top)
        cdf[a] = total
    return top + np.log(total)


@njit(cache=True)
def _draw(cdf, n, u):
    """The first index whose running sum exceeds u times the whole (inverse CDF)."""
    target = u * cdf[n - 1]
    low, high = 0, n - 1
    while low < high:
        middle = (low + high) // 2
        if cdf[middle] > target:
            high = middle
        else:
            low = middle + 1
    return low


@njit(cache=True)
def _decide(net, i, b, rule, fixed, n_actions, rng):
    """A high-level policy's decision for row i in bin b: the action, and its log-probability."""
    u = rng.random()
    if rule == FIXED:
        return fixed, 0.0
    if rule == UNIFORM:
        return min(int(u * n_actions), n_actions - 1), -np.log(n_actions)
    scores = _head(net, i, b)
    cdf = np.empty(n_actions)
    log_total = _cumulate(scores, n_actions, cdf)
    action = _draw(cdf, n_actions, u)
    return action, np.float64(scores[action]) - log_total


@njit(cache=True)
def _head(net, i, b):
    """Scores of a high-level network's actions for row i in bin b."""
    row, row_bin, w2, b2, policy, policy_b = net
    h = np.zeros((1, _H + 1), dtype=np.float32)
    acc = np.empty((1, _H), dtype=np.float32)
    used = np.empty(_H + _UNROLL, dtype=np.int64)
    for m in range(_H):
        h[0, m] = max(row[i, m] + row_bin[b, m], np.float32(0.0))
    _hidden(h, 1, w2, b2, used, acc)
    scores = policy_b.copy()
    for m in range(_H):
        if acc[0, m] > 0.0:
            for a in range(len(scores)):
                scores[a] += acc[0, m] * policy[m, a]
    return scores


@njit(cache=True)
def _row_base(low, joint, i, b, h, used, acc, out):
    """What row i in bin b adds to the first layer of all its actions."""
    row, row_bin, body, b1 = low[0], low[1], low[9], low[10]
    for m in range(_H):
        out[m] = row[i, m] + row_bin[b, m]
    if not joint:
        for m in range(_H):
            h[0, m] = max(out[m], np.float32(0.0))
        _hidden(h, 1, body[0], body[1], used, acc)
        for m in range(_H):
            out[m] = b1[m]
        for m in range(_H):
            if acc[0, m] > 0.0:
                for o in range(_H):
                    out[o] += acc[0, m] * body[2][m, o]


@njit(cache=True)
def _draw_weight(first, second, rng):
    """A lambda, and the logarithm of its density, of the network's two numbers for it."""
    mu = MAX_LOCATION * np.tanh(np.float64(first) / MAX_LOCATION)
    sigma = SCALES[0] + (SCALES[1] - SCALES[0]) / (1.0 + np.exp(-np.float64(second) - SCALE_SHIFT))
    normal = rng.standard_normal()
    z = mu + sigma * normal
    # d lambda / d z = lambda (1 - lambda), whose logarithm is -|z| - 2 log(1 + exp(-|z|)).
    log_slope = -abs(z) - 2.0 * np.log1p(np.exp(-abs(z)))
    log_density = -0.5 * normal * normal - np.log(sigma) - _LOG_ROOT_2PI - log_slope
    return 1.0 / (1.0 + np.exp(-z)), log_density


@njit(cache=True)
def _run(
    rng, g1, G1, G2, neighbours, action_row, row_net, low, joint,
    flat, instance_rule, fixed_g2, low_rule,
    bins, g2, g2_log_prob, taken, action, log_prob, weight, counts,
):  # fmt: skip
    """All rows of one episode. Fills the last eight arrays; ``counts`` must come in as zeros.

    ``row_net`` decides about a whole row: the instance-specific net, or, where the policy is flat,
    the one that scores "next row". ``taken`` is the number of each row's low-level steps.
    Where lambda is continuous, ``weight`` is filled, and ``counts`` is empty; else the other way
    round.
    """
    n, K = neighbours.shape
    slot, slot_bin, weights = low[2], low[3], low[4]
    w2, b2, heads, heads_b = low[5], low[6], low[7], low[8]
    continuous = len(weight) > 0
    L, M = len(weights), len(heads)
    n_actions = K * L
    n_choices = n_actions + int(flat)
    used_count = np.zeros(n, dtype=np.int64)
    h = np.zeros((L, _H + 1), dtype=np.float32)
    acc = np.empty((L + 1, _H), dtype=np.float32)
    used = np.empty(_H + _UNROLL, dtype=np.int64)
    base = np.empty(_H, dtype=np.float32)
    scores = np.empty(n_choices, dtype=np.float32)
    by_bin = np.empty((N_BINS, L * M), dtype=np.float32)
    shape = np.empty((K, 2), dtype=np.float32)
    cdf = np.empty(n_choices)
    slot_bins = np.empty(K, dtype=np.int64)
    stale = np.empty(K, dtype=np.bool_)
    known = np.empty(N_BINS, dtype=np.bool_)
    step = 0
    for i in range(n):
        own = _bin(used_count[i])
        bins[i] = own
        if flat:
            g2[i], g2_log_prob[i] = 0, 0.0
            g = G1 * G2
        else:
            g2[i], g2_log_prob[i] = _decide(row_net, i, own, instance_rule, fixed_g2, G2 + 1, rng)
            g = g1 * g2[i]
        taken[i] = g
        if g == 0:
            continue
        if low_rule == UNIFORM:
            for _ in range(g):
                a = min(int(rng.random() * n_actions), n_actions - 1)
                action[step], log_prob[step] = a, -np.log(n_actions)
                if continuous:
                    weight[step] = max(rng.random(), _LEAST)
                else:
                    counts[action_row[i, a]] += 1
                step += 1
                used_count[i] += 1
                used_count[neighbours[i, a // L]] += 1
            continue
        own = -1  # nothing is computed yet
        changed = True
        log_total = 0.0
        for k in range(K):
            slot_bins[k] = _bin(used_count[neighbours[i, k]])
        for t in range(g):
            if changed:
                if own != slot_bins[0]:
                    own = slot_bins[0]
                    _row_base(low, joint, i, own, h, used, acc, base)
                    if flat:
                        scores[n_actions] = _head(row_net, i, own)[0]
                    stale[:] = True
                    known[:] = False
                for k in range(K):
                    if stale[k]:
                        stale[k] = False
                        b = slot_bins[k]
                        if joint:
                            _scores(
                                base, slot[neighbours[i, k]], slot_bin[b], weights,
                                w2, b2, heads, heads_b, h, used, acc, by_bin[b],
                            )  # fmt: skip
                        elif not known[b]:
                            known[b] = True
                            _scores(
                                base, slot[0], slot_bin[b], weights,
                                w2, b2, heads, heads_b, h, used, acc, by_bin[b],
                            )  # fmt: skip
                        if continuous:
                            scores[k] = by_bin[b, 0]
                            shape[k] = by_bin[b, 1:]
                        else:
                            scores[k * L : (k + 1) * L] = by_bin[b]
                log_total = _cumulate(scores, n_choices, cdf)
                changed = False
            a = _draw(cdf, n_choices, rng.random())
            action[step], log_prob[step] = a, np.float64(scores[a]) - log_total
            if a == n_actions:  # "next row"
                if continuous:
                    weight[step] = 0.5
                step += 1
                taken[i] = t + 1
                break
            k = a // L
            if continuous:
                weight[step], log_density = _draw_weight(shape[k, 0], shape[k, 1], rng)
                log_prob[step] += log_density
            else:
                counts[action_row[i, a]] += 1
            step += 1
            if flat:
                g2[i] += 1
            j = neighbours[i, k]
            used_count[i] += 1
            used_count[j] += 1
            for s in (0, k):
                b = _bin(used_count[neighbours[i, s]])
                if b != slot_bins[s]:
                    slot_bins[s] = b
                    stale[s] = True
                    changed = True


@njit(cache=True)
def _replay(neighbours, taken, action, per_slot, kept, bins_low):
    """Bins of the K slots before each step of the kept rows, by counting the actions again."""
    n, K = neighbours.shape
    used_count = np.zeros(n, dtype=np.int64)
    step = 0
    out = 0
    next_kept = 0
    for i in range(n):
        keep = next_kept < len(kept) and kept[next_kept] == i
        next_kept += keep
        for _ in range(taken[i]):
            if keep:
                for k in range(K):
                    bins_low[out, k] = _bin(used_count[neighbours[i, k]])
                out += 1
            k = action[step] // per_slot
            if k < K:  # else "next row", which uses none
                used_count[i] += 1
                used_count[neighbours[i, k]] += 1
            step += 1
