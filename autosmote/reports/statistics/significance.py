"""Tests between two samplers on the same configurations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import friedmanchisquare, rankdata, wilcoxon

LEVEL = 0.05
MIN_CONFIGURATIONS = 5
"""With fewer no one-sided p-value can be below 0.05 (2^-4 = 0.0625), so none is given."""
_ENUMERATED = 13


def signed_rank_p(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    alternative: Literal["greater", "two-sided"] = "greater",
) -> float | None:
    """Return the p-value of Wilcoxon's signed-rank test that x is greater than y (Section 4.2).

    ``scipy.stats.wilcoxon(x, y, alternative, zero_method="wilcox", method="auto")``, except that
    small samples with ties or zeros are enumerated here: to the same p-value, a thousand times as
    fast.

    Returns
    -------
    float or None
        1 if all differences are zero; None for fewer than `MIN_CONFIGURATIONS` pairs.
    """
    if len(x) < MIN_CONFIGURATIONS:
        return None
    differences = x - y
    nonzero = differences[differences != 0]
    if len(nonzero) == 0:
        return 1.0
    simple = len(np.unique(np.abs(nonzero))) == len(differences)
    if len(differences) > _ENUMERATED or simple:
        test = wilcoxon(x, y, alternative=alternative, zero_method="wilcox", method="auto")
        return float(test.pvalue)
    ranks = rankdata(np.abs(nonzero))
    signs = np.array(list(product((0.0, 1.0), repeat=len(ranks))))
    sums, found = signs @ ranks, ranks[nonzero > 0].sum()
    greater = np.mean(sums >= found)
    if alternative == "greater":
        return float(greater)
    return float(min(1.0, 2 * min(greater, np.mean(sums <= found))))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values by Holm's step-down method; None (no test) stays and does not count."""
    order = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for position, (p, i) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - position) * p))
        adjusted[i] = highest
    return adjusted


def friedman_p(means: NDArray[np.float64]) -> float | None:
    """Return the p-value of Friedman's test that all arms have the same ranks.

    Parameters
    ----------
    means : ndarray of shape (C, A)
        Scores.

    Returns
    -------
    float or None
        1 if all scores of each configuration are equal; None for fewer than three arms or than
        `MIN_CONFIGURATIONS` configurations.
    """
    if means.shape[1] < 3 or len(means) < MIN_CONFIGURATIONS:
        return None
    if (means == means[:, :1]).all():
        return 1.0
    return float(friedmanchisquare(*means.T).pvalue)


def find_cliques(means: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Find groups of neighbours, by average rank, without a significant difference among them.

    Two-sided signed-rank tests of all pairs, Holm-adjusted over the pairs; not the mean-rank test
    that usually draws such groups, whose verdict on two samplers depends on the others.

    Parameters
    ----------
    means : ndarray of shape (C, A)
        Scores, arms in the order of their average ranks.

    Returns
    -------
    list of (first, last)
        Maximal groups of at least two arms. Empty if there are too few configurations.
    """
    n_arms = means.shape[1]
    pairs = [(i, j) for i in range(n_arms) for j in range(i + 1, n_arms)]
    tests = holm([signed_rank_p(means[:, i], means[:, j], "two-sided") for i, j in pairs])
    if None in tests:
        return []
    differ = {pair for pair, p in zip(pairs, tests, strict=True) if p is not None and p < LEVEL}
    found: list[tuple[int, int]] = []
    for first in range(n_arms):
        last = first
        while last + 1 < n_arms and not any(
            (i, last + 1) in differ for i in range(first, last + 1)
        ):
            last += 1
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found
