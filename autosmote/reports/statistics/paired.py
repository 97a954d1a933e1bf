"""Mean differences over paired runs, each pair of arms on the runs that both have.

Unlike ranks, which need a score of every arm, a difference needs two. So a run that one arm lacks
takes nothing from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autosmote.reports.statistics.bootstrap import bounded_means, draw_counts
from autosmote.reports.statistics.ranks import Floats, mean_of_known
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS, holm, signed_rank_p


@dataclass(frozen=True)
class Means:
    """Means over runs; each array of shape (N,), one entry per quantity.

    Attributes
    ----------
    configurations, runs : integer ndarray
        In which the quantity is known, and over which its mean is.
    mean, low, high : ndarray
        The mean and its 95% interval, which is nan for fewer than five configurations.
    """

    configurations: NDArray[np.int_]
    runs: NDArray[np.int_]
    mean: Floats
    low: Floats
    high: Floats

    def named(self, name: str, i: int) -> dict[str, float]:
        """Return the mean and the ends of the interval of one quantity, as columns of a row."""
        return {name: self.mean[i], f"{name}_low": self.low[i], f"{name}_high": self.high[i]}


@dataclass(frozen=True)
class SignedRanks:
    """Signed-rank tests of differences of the configurations' means; one entry per difference.

    Attributes
    ----------
    wins, ties, losses : integer ndarray
    p, p_holm : list of (float or None)
        Two-sided Wilcoxon signed-rank test, and adjusted over all of them.
    """

    wins: NDArray[np.int_]
    ties: NDArray[np.int_]
    losses: NDArray[np.int_]
    p: list[float | None]
    p_holm: list[float | None]


def estimate(values: Floats, datasets: Sequence[str]) -> Means:
    """Return means over all runs, with bootstrap intervals.

    The values are of shape (C, N, S), nan where a run lacks the quantity.
    """
    flat = values.transpose(0, 2, 1).reshape(-1, values.shape[1])
    configurations = (~np.isnan(values)).any(axis=2).sum(axis=0)
    bounded = bounded_means(
        flat, draw_counts(datasets, values.shape[2]), configurations >= MIN_CONFIGURATIONS
    )
    return Means(configurations, (~np.isnan(flat)).sum(axis=0), *bounded)


def compare(differences: Floats) -> SignedRanks:
    """Test differences by the configurations' means over their seeds.

    The differences are of shape (C, N, S), nan where one of a pair has no score.
    """
    of_configurations = mean_of_known(differences, axis=2)
    p = []
    for column in of_configurations.T:
        known = column[~np.isnan(column)]
        p.append(signed_rank_p(known, np.zeros(len(known)), "two-sided"))
    return SignedRanks(
        wins=(of_configurations > 0).sum(axis=0),
        ties=(of_configurations == 0).sum(axis=0),
        losses=(of_configurations < 0).sum(axis=0),
        p=p,
        p_holm=holm(p),
    )
