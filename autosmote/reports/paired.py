"""Mean differences over paired runs: each pair of arms on the runs that both have.

Unlike ranks, which need a score of every arm, a difference needs two. So a run that one arm lacks
takes nothing from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autosmote.reports.ranks import N_DRAWS, Floats, interval, mean_of_known
from autosmote.reports.significance import MIN_CONFIGURATIONS, holm, signed_rank_p

_SEED = 0


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


@dataclass(frozen=True)
class SignedRanks:
    """Of differences, by the configurations' means over their seeds; one entry per difference.

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


def draw_runs(datasets: Sequence[str], n_seeds: int, n_draws: int = N_DRAWS) -> Floats:
    """How often each run is in each bootstrap draw; of shape (draws, C x S).

    Drawn are configurations within each dataset, and seeds within each configuration drawn, as
    `autosmote.reports.ranks.bootstrap` does.

    Parameters
    ----------
    datasets : sequence of str, of length C
        Each configuration's.
    n_seeds : int
    """
    rng = np.random.default_rng(_SEED)
    labels = np.asarray(datasets)
    drawn = np.empty((n_draws, len(labels)), dtype=int)
    for name in dict.fromkeys(datasets):
        (index,) = np.nonzero(labels == name)
        drawn[:, index] = index[rng.integers(0, len(index), (n_draws, len(index)))]
    seeds = rng.integers(0, max(1, n_seeds), (n_draws, len(labels), n_seeds))
    n_runs = len(labels) * n_seeds
    places = (drawn[..., None] * n_seeds + seeds).reshape(n_draws, -1)
    places += n_runs * np.arange(n_draws)[:, None]
    counts = np.bincount(places.ravel(), minlength=n_draws * n_runs)
    return counts.reshape(n_draws, n_runs).astype(float)


def means(values: Floats, datasets: Sequence[str]) -> Means:
    """Means over all runs, with bootstrap intervals.

    Parameters
    ----------
    values : ndarray of shape (C, N, S)
        nan where a run lacks the quantity.
    datasets : sequence of str, of length C
    """
    n_quantities = values.shape[1]
    flat = values.transpose(0, 2, 1).reshape(-1, n_quantities)
    known = ~np.isnan(flat)
    times = draw_runs(datasets, values.shape[2])
    counts = times @ known
    # Of the runs drawn the mean of those that are known, however many these are.
    sums = times @ np.where(known, flat, 0.0)
    drawn = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    mean = mean_of_known(flat, axis=0)
    low, high = interval(mean, drawn)
    configurations = (~np.isnan(values)).any(axis=2).sum(axis=0)
    enough = configurations >= MIN_CONFIGURATIONS
    return Means(
        configurations,
        known.sum(axis=0),
        mean,
        np.where(enough, low, np.nan),
        np.where(enough, high, np.nan),
    )


def tests(differences: Floats) -> SignedRanks:
    """Compare by the configurations' means.

    Parameters
    ----------
    differences : ndarray of shape (C, N, S)
        nan where one of a pair has no score.
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
