"""Algorithm 1 in compiled loops: the rows of an episode (`hierarchical.episode`).

An action's score depends on its row, its slot and the two bins alone, so it is computed again only
when a count crosses the border of a bin (docs/performance.md, fact 1).
"""

import numpy as np
from numba import njit

from autosmote.search.hierarchical.network_kernels import (
    UNROLL,
    high_level_scores,
    row_base,
    slot_scores,
)
from autosmote.search.hierarchical.parameters import (
    HIDDEN,
    MAX_LOCATION,
    N_BINS,
    SCALE_SHIFT,
    SCALES,
)

LEARNED, UNIFORM, FIXED = 0, 1, 2
"""Rules of a level: decide by its policy, uniformly at random, or always the same."""

_H = HIDDEN
_LAST_BIN = N_BINS - 1
_LOG_ROOT_2PI = 0.5 * np.log(2.0 * np.pi)
_LEAST = 2.0**-53


@njit(cache=True)
def _bin(count, width):
    return min(count // width, _LAST_BIN)


@njit(cache=True)
def _cumulate(scores, n, cdf):
    """Write running sums of exp(score - largest) into ``cdf``; return the log of the normaliser."""
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
    """Return the first index whose running sum exceeds u times the whole (inverse CDF)."""
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
def decide(net, i, b, rule, fixed, n_actions, rng):
    """Return a high-level decision for row i in bin b: the action, and its log-probability."""
    u = rng.random()
    if rule == FIXED:
        return fixed, 0.0
    if rule == UNIFORM:
        return min(int(u * n_actions), n_actions - 1), -np.log(n_actions)
    scores = high_level_scores(net, i, b)
    cdf = np.empty(n_actions)
    log_total = _cumulate(scores, n_actions, cdf)
    action = _draw(cdf, n_actions, u)
    return action, np.float64(scores[action]) - log_total


@njit(cache=True)
def _draw_weight(first, second, rng):
    """Draw a lambda from the network's two numbers for it; return it and its log-density."""
    mu = MAX_LOCATION * np.tanh(np.float64(first) / MAX_LOCATION)
    sigma = SCALES[0] + (SCALES[1] - SCALES[0]) / (1.0 + np.exp(-np.float64(second) - SCALE_SHIFT))
    normal = rng.standard_normal()
    z = mu + sigma * normal
    # d lambda / d z = lambda (1 - lambda), whose logarithm is -|z| - 2 log(1 + exp(-|z|)).
    log_slope = -abs(z) - 2.0 * np.log1p(np.exp(-abs(z)))
    log_density = -0.5 * normal * normal - np.log(sigma) - _LOG_ROOT_2PI - log_slope
    return 1.0 / (1.0 + np.exp(-z)), log_density


@njit(cache=True)
def run_rows(
    rng, g1, G1, G2, width, neighbours, action_row, row_net, low, joint,
    flat, instance_rule, fixed_g2, low_rule,
    bins, g2, g2_log_prob, taken, action, log_prob, weight, counts,
):  # fmt: skip
    """Make all rows of one episode (Algorithm 1).

    Fills the last eight arrays; ``counts`` must come in as zeros.

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
    used = np.empty(_H + UNROLL, dtype=np.int64)
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
        own = _bin(used_count[i], width)
        bins[i] = own
        if flat:
            g2[i], g2_log_prob[i] = 0, 0.0
            g = G1 * G2
        else:
            g2[i], g2_log_prob[i] = decide(row_net, i, own, instance_rule, fixed_g2, G2 + 1, rng)
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
            slot_bins[k] = _bin(used_count[neighbours[i, k]], width)
        for t in range(g):
            if changed:
                if own != slot_bins[0]:
                    own = slot_bins[0]
                    row_base(low, joint, i, own, h, used, acc, base)
                    if flat:
                        scores[n_actions] = high_level_scores(row_net, i, own)[0]
                    stale[:] = True
                    known[:] = False
                for k in range(K):
                    if stale[k]:
                        stale[k] = False
                        b = slot_bins[k]
                        if joint:
                            slot_scores(
                                base, slot[neighbours[i, k]], slot_bin[b], weights,
                                w2, b2, heads, heads_b, h, used, acc, by_bin[b],
                            )  # fmt: skip
                        elif not known[b]:
                            known[b] = True
                            slot_scores(
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
                b = _bin(used_count[neighbours[i, s]], width)
                if b != slot_bins[s]:
                    slot_bins[s] = b
                    stale[s] = True
                    changed = True


@njit(cache=True)
def replay_bins(width, neighbours, taken, action, per_slot, kept, bins_low):
    """Compute the bins of the K slots before each kept step, by counting the actions again."""
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
                    bins_low[out, k] = _bin(used_count[neighbours[i, k]], width)
                out += 1
            k = action[step] // per_slot
            if k < K:  # else "next row", which uses none
                used_count[i] += 1
                used_count[neighbours[i, k]] += 1
            step += 1
