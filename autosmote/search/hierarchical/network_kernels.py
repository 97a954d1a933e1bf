"""The policies' networks in compiled loops: arrays, and the scores of actions.

What makes them fast is exact (docs/performance.md, fact 1): the first layer is linear and its input
one-hot but for the features, so it is a sum of look-ups; hidden units that ReLU made zero are
skipped.

The low level has ``L`` scores a slot: five, one for each lambda; or, where lambda is continuous,
one, with two more numbers that say how lambda is distributed (``parameters``).

Loops run in a fixed order without fastmath or BLAS: a score has the same bits whatever was
computed before or beside it.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from autosmote.search.hierarchical.parameters import HIDDEN

_H = HIDDEN
UNROLL = 4
"""Inputs that `_hidden` adds at a time."""


def high_level_arrays(x, p):
    """Return a high-level network's arrays, its first layer already applied to the features."""
    return (
        _affine(x, p["x"], p["b1"]), p["bin"].copy(), _padded(p["w2"]), p["b2"].copy(),
        p["policy"].copy(), p["policy_b"].copy(),
    )  # fmt: skip


def next_row_arrays(x, p):
    """Return the arrays of the network that scores "next row": a head on the state's body."""
    body = {key: p[f"state_{key}"] for key in ("x", "bin", "b1", "w2", "b2")}
    return high_level_arrays(x, {**body, "policy": p["next"][:, None], "policy_b": p["next_b"]})


def low_level_arrays(x, p, joint):
    """Return a low-level network's arrays; of the net "paper", without the slots' features."""
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
    """Append a row of zeros to a matrix, so that an unrolled loop can end there."""
    padded = np.zeros((w.shape[0] + 1, w.shape[1]), dtype=np.float32)
    padded[:-1] = w
    return padded


@njit(cache=True)
def _affine(x, w, b):
    """Compute x @ w + b, summed over the inputs in order."""
    out = np.empty((x.shape[0], w.shape[1]), dtype=np.float32)
    for i in range(x.shape[0]):
        out[i] = b
        for d in range(x.shape[1]):
            for o in range(w.shape[1]):
                out[i, o] += x[i, d] * w[d, o]
    return out


@njit(cache=True)
def _hidden(h, n, w, b, used, acc):
    """Compute acc[l] = h[l] @ w + b for the first n rows of h, skipping inputs that are all zero.

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
    while n_used % UNROLL != 0:
        used[n_used] = _H  # the row of zeros
        n_used += 1
    for r in range(n):
        for o in range(_H):
            acc[r, o] = b[o]
    for t in range(0, n_used, UNROLL):
        m0, m1, m2, m3 = used[t], used[t + 1], used[t + 2], used[t + 3]
        for r in range(n):
            a0, a1, a2, a3 = h[r, m0], h[r, m1], h[r, m2], h[r, m3]
            for o in range(_H):
                acc[r, o] += (a0 * w[m0, o] + a1 * w[m1, o]) + (a2 * w[m2, o] + a3 * w[m3, o])


@njit(cache=True)
def slot_scores(base, slot, slot_bin, weights, w2, b2, heads, heads_b, h, used, acc, out):
    """Compute the M heads' numbers for the L lambdas of one (row, slot), into out (L x M,).

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
def high_level_scores(net, i, b):
    """Return the scores of a high-level network's actions for row i in bin b."""
    row, row_bin, w2, b2, policy, policy_b = net
    h = np.zeros((1, _H + 1), dtype=np.float32)
    acc = np.empty((1, _H), dtype=np.float32)
    used = np.empty(_H + UNROLL, dtype=np.int64)
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
def row_base(low, joint, i, b, h, used, acc, out):
    """Compute the share of row i in bin b in the first layer of all its actions, into ``out``."""
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
