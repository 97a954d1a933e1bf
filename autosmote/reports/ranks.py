"""Ranks of arms within configurations, and bootstrap draws of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from autosmote.reports.cells import Cells

Floats = NDArray[np.float64]

N_DRAWS = 2000
_SEED = 0
_CHUNK = 4_000_000  # numbers at once, 32 MB


def rank(scores: Floats) -> Floats:
    """Ranks along the last axis, the highest score first; ties share the mean of their ranks.

    A missing score (nan) has no rank, and the others are ranked without it.
    """
    lacking = np.isnan(scores)
    ranks = rankdata(np.where(lacking, np.inf, -scores), axis=-1)
    return np.where(lacking, np.nan, ranks)


def mean_of_known(values: Floats, axis: int | None = None) -> Any:
    """Mean of the values that are there; nan where none is."""
    return _of_known(np.mean, np.nanmean, values, axis)


def median_of_known(values: Floats, axis: int | None = None) -> Any:
    """Median of the values that are there; nan where none is."""
    return _of_known(np.median, np.nanmedian, values, axis)


def _of_known(
    whole: Callable[..., Any], of_known: Callable[..., Any], values: Floats, axis: int | None
) -> Any:
    if values.size and not np.isnan(values).any():
        return whole(values, axis=axis)  # many times as fast
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where no value is there
        return of_known(values, axis=axis)


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


def share_above(test: Floats, reference: int) -> Floats:
    """1 where the reference arm scores higher than an arm on the same seed, ties 1/2; (C, A, S)."""
    own = test[:, [reference], :]
    above = (own > test) + 0.5 * (own == test)
    return np.where(np.isnan(own) | np.isnan(test), np.nan, above)


def bootstrap(
    cells: Cells, reference: int | None = None, n_draws: int = N_DRAWS
) -> Iterator[Draws]:
    """Draw configurations within each dataset and seeds within each configuration.

    Both with replacement; the seeds drawn are the same for all arms, since a seed is a split that
    they share. Datasets are not drawn: what another dataset would bring, six cannot tell.

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
    rng = np.random.default_rng(_SEED)
    shared = cells.shared()
    n_seeds = shared.sum(axis=1)
    first = np.argsort(~shared, axis=1, kind="stable")  # shared seeds come first
    scores = cells.test.transpose(0, 2, 1)
    above = None if reference is None else share_above(cells.test, reference).transpose(0, 2, 1)
    labels = [dataset for dataset, _, _ in cells.configurations]
    starts = [labels.index(name) for name in cells.datasets]
    sizes = [labels.count(name) for name in cells.datasets]

    step = max(1, _CHUNK // max(1, scores.size))
    for begin in range(0, n_draws, step):
        n = min(step, n_draws - begin)
        drawn = np.concatenate(
            [
                start + rng.integers(0, size, (n, size))
                for start, size in zip(starts, sizes, strict=True)
            ],
            axis=1,
        )
        slots = rng.random((n, len(labels), shared.shape[1]))
        slots = (slots * n_seeds[drawn][..., None]).astype(int)
        seeds = np.take_along_axis(first[drawn], slots, axis=2)
        # As many seeds are drawn as the configuration has.
        weights = np.arange(shared.shape[1]) < n_seeds[drawn][..., None]
        weights = weights / n_seeds[drawn][..., None]

        def mean(
            values: Floats,
            drawn: NDArray = drawn,
            seeds: NDArray = seeds,
            weights: Floats = weights,
        ) -> Floats:
            # A seed of weight 0 must not bring in its nan.
            taken = np.where(weights[..., None] > 0, values[drawn[..., None], seeds], 0.0)
            return np.einsum("bcsa,bcs->bca", taken, weights)

        means = mean(scores)
        yield Draws(means, rank(means), np.empty(0) if above is None else mean(above))


def interval(estimate: Floats, draws: Floats) -> tuple[Floats, Floats]:
    """95% interval from bootstrap draws along the first axis, moved by their bias.

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
