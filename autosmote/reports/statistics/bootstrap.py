"""Bootstrap of runs: configurations within each dataset, and seeds within each configuration.

Both are drawn with replacement. Datasets are not drawn: six do not represent others; where there
are many, families of them are, each with all of its runs (`draw_groups`). Ranks need a score of
every arm, so `draw_scores` takes the seeds that all arms have; a difference needs two scores, so
`draw_counts` takes all seeds and leaves out what is not known.
The stream of random numbers is part of the committed tables.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autosmote.reports.cells import Cells
from autosmote.reports.statistics.ranks import (
    Floats,
    compute_share_above,
    mean_of_known,
    rank,
)

N_DRAWS = 2000
_SEED = 0
_CHUNK = 4_000_000  # numbers at once, 32 MB


@dataclass(frozen=True)
class Draws:
    """Some of the bootstrap draws.

    Attributes
    ----------
    means : ndarray of shape (draws, C, A)
        Test scores of the configurations drawn, as means over the seeds drawn.
    ranks : ndarray of shape (draws, C, A)
        Of these.
    above : ndarray of shape (draws, C, A)
        Share of these seeds in which the reference arm scores higher, ties counted half; empty
        without a reference arm.
    """

    means: Floats
    ranks: Floats
    above: Floats


def _draw_runs(
    datasets: Sequence[str], known: NDArray[np.bool_], n_draws: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw configurations within each dataset, and for each as many of its seeds as there are.

    Parameters
    ----------
    datasets : sequence of str
        Of each of the C configurations; a dataset stays in its places.
    known : ndarray of bool, shape (C, S)
        The seeds that can be drawn.

    Returns
    -------
    ndarray of shape (draws, C), ndarray of shape (draws, C, S)
        The configurations, and the seeds of each: the first n count, where it has n.
    """
    rng = np.random.default_rng(_SEED)
    labels = np.asarray(datasets)
    drawn = np.empty((n_draws, len(labels)), dtype=int)
    for name in dict.fromkeys(datasets):
        (index,) = np.nonzero(labels == name)
        drawn[:, index] = index[rng.integers(0, len(index), (n_draws, len(index)))]
    slots = rng.random((n_draws, *known.shape)) * known.sum(axis=1)[drawn][..., None]
    first = np.argsort(~known, axis=1, kind="stable")  # known seeds come first
    return drawn, np.take_along_axis(first[drawn], slots.astype(int), axis=2)


def draw_scores(
    cells: Cells, reference: int | None = None, n_draws: int = N_DRAWS
) -> Iterator[Draws]:
    """Draw configurations and, of each, as many of its shared seeds as it has.

    The seeds drawn are the same for all arms, since a seed is a split that they share.

    Parameters
    ----------
    cells : Cells
        Each configuration with a shared seed.
    reference : int, optional
        Index of the arm that the others are compared with.
    n_draws : int

    Yields
    ------
    Draws
        Some draws at a time. Datasets stay in their places along C.
    """
    shared = cells.shared()
    n_seeds = shared.sum(axis=1)
    all_drawn, all_seeds = _draw_runs(cells.dataset_of, shared, n_draws)
    scores = cells.test.transpose(0, 2, 1)
    above = (
        None if reference is None else compute_share_above(cells.test, reference).transpose(0, 2, 1)
    )

    step = max(1, _CHUNK // max(1, scores.size))
    for begin in range(0, n_draws, step):
        drawn, seeds = (of[begin : begin + step] for of in (all_drawn, all_seeds))
        weights = np.arange(shared.shape[1]) < n_seeds[drawn][..., None]
        weights = weights / n_seeds[drawn][..., None]
        means = _mean_of_drawn(scores, drawn, seeds, weights)
        yield Draws(
            means,
            rank(means),
            np.empty(0) if above is None else _mean_of_drawn(above, drawn, seeds, weights),
        )


def draw_means(cells: Cells, values: Floats, n_draws: int = N_DRAWS) -> Floats:
    """Draw runs as `draw_scores` does; return means over the configurations drawn.

    Parameters
    ----------
    cells : Cells
        Each configuration with a shared seed.
    values : ndarray of shape (C, A, S)
        Of its runs, nan where an arm lacks one.
    n_draws : int

    Returns
    -------
    ndarray of shape (draws, A)
        Over those configurations drawn that an arm has; nan where it has none of them.
    """
    shared = cells.shared()
    n_seeds = shared.sum(axis=1)
    n_runs = shared.size
    drawn, seeds = _draw_runs(cells.dataset_of, shared, n_draws)
    weights = (np.arange(shared.shape[1]) < n_seeds[drawn][..., None]) / n_seeds[drawn][..., None]
    places = drawn[..., None] * shared.shape[1] + seeds
    places += n_runs * np.arange(n_draws)[:, None, None]
    times = np.bincount(places.ravel(), weights.ravel(), n_draws * n_runs).reshape(n_draws, n_runs)
    return _means_of_known(values.transpose(0, 2, 1).reshape(n_runs, -1), times)


def bounded_means(
    values: Floats, times: Floats, enough: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Return means with their 95% intervals.

    Parameters
    ----------
    values : ndarray of shape (R, N)
        Of R units, nan where a quantity is not known.
    times : ndarray of shape (draws, R)
        How often each unit is drawn.
    enough : ndarray of bool, shape (N,)
        Of which quantities an interval is given; it is nan for the others.

    Returns
    -------
    mean, low, high : ndarray of shape (N,)
    """
    mean = mean_of_known(values, axis=0)
    low, high = interval(mean, _means_of_known(values, times))
    return mean, np.where(enough, low, np.nan), np.where(enough, high, np.nan)


def _means_of_known(values: Floats, times: NDArray) -> Floats:
    """Return the means over the units drawn, of those that are known, however many these are."""
    known = ~np.isnan(values)
    sums, counts = times @ np.where(known, values, 0.0), times @ known
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def _mean_of_drawn(values: Floats, drawn: NDArray, seeds: NDArray, weights: Floats) -> Floats:
    # A seed of weight 0 must not bring in its nan.
    taken = np.where(weights[..., None] > 0, values[drawn[..., None], seeds], 0.0)
    return np.einsum("bcsa,bcs->bca", taken, weights)


def draw_counts(datasets: Sequence[str], n_seeds: int) -> Floats:
    """Draw configurations and seeds; return how often each run is drawn, of shape (draws, C x S).

    `datasets` names the dataset of each of the C configurations.
    """
    drawn, seeds = _draw_runs(datasets, np.ones((len(datasets), n_seeds), dtype=bool), N_DRAWS)
    n_runs = len(datasets) * n_seeds
    places = (drawn[..., None] * n_seeds + seeds).reshape(N_DRAWS, -1)
    places += n_runs * np.arange(N_DRAWS)[:, None]
    counts = np.bincount(places.ravel(), minlength=N_DRAWS * n_runs)
    return counts.reshape(N_DRAWS, n_runs).astype(float)


def draw_groups(n_groups: int) -> Floats:
    """Draw groups of datasets with replacement; return how often each comes, (draws, groups).

    Unlike datasets within a configuration, groups are drawn: many of them represent others.
    """
    rng = np.random.default_rng(_SEED)
    return rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), N_DRAWS).astype(float)


def interval(estimate: Floats, draws: Floats) -> tuple[Floats, Floats]:
    """Return the 95% interval from bootstrap draws along the first axis, moved by their bias.

    Drawing seeds adds noise, and noise draws every average rank to the middle: plain percentiles
    may leave out the estimate itself. Moved by (mean of the draws - estimate) they covered the
    true average rank of 25 simulated samplers in 94% to 96% of repetitions with 6 x 12
    configurations and 5 seeds, and in 88% to 90% with 2 x 4 configurations and 2 seeds; the plain
    percentiles in as few as 53% for single samplers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an arm without any score stays nan
        low, high = np.nanpercentile(draws, [2.5, 97.5], axis=0)
        bias = np.nanmean(draws, axis=0) - estimate
    return low - bias, high - bias
