"""Ranks of arms within configurations, and means of what is known."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]


def rank(scores: Floats) -> Floats:
    """Rank along the last axis, the highest score first; ties share the mean of their ranks.

    A missing score (nan) has no rank, and the others are ranked without it.
    """
    lacking = np.isnan(scores)
    ranks = rankdata(np.where(lacking, np.inf, -scores), axis=-1)
    return np.where(lacking, np.nan, ranks)


def compute_share_above(test: Floats, reference: int) -> Floats:
    """Return 1 where the reference arm scores higher than an arm on the same seed, 1/2 for ties.

    Scores and result are of shape (C, A, S); `reference` is an arm's index.
    """
    own = test[:, [reference], :]
    above = (own > test) + 0.5 * (own == test)
    return np.where(np.isnan(own) | np.isnan(test), np.nan, above)


def mean_of_known(values: Floats, axis: int | None = None) -> Any:
    """Return the mean of the values that are there; nan where none is."""
    return _of_known(np.mean, np.nanmean, values, axis)


def median_of_known(values: Floats, axis: int | None = None) -> Any:
    """Return the median of the values that are there; nan where none is."""
    return _of_known(np.median, np.nanmedian, values, axis)


def _of_known(
    whole: Callable[..., Any], of_known: Callable[..., Any], values: Floats, axis: int | None
) -> Any:
    if values.size and not np.isnan(values).any():
        return whole(values, axis=axis)  # many times as fast
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where no value is there
        return of_known(values, axis=axis)
