"""Means over families of datasets: each family counts alike, however many datasets it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autosmote.reports.statistics.bootstrap import bounded_means, draw_groups
from autosmote.reports.statistics.ranks import Floats, mean_of_known
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS

MIN_FAMILIES = MIN_CONFIGURATIONS
"""With fewer no interval is given."""


@dataclass(frozen=True)
class FamilyMeans:
    """Means over families; each array of shape (N,), one entry per quantity.

    Attributes
    ----------
    families, datasets : integer ndarray
        In which the quantity is known.
    mean, low, high : ndarray
        The mean and its 95% interval, which is nan for fewer than five families.
    """

    families: NDArray[np.int_]
    datasets: NDArray[np.int_]
    mean: Floats
    low: Floats
    high: Floats


def group_means(values: Floats, groups: Sequence[str]) -> Floats:
    """Return the mean of what is known in each group, in the order in which they first appear.

    The values are of shape (R, ...), a row for each entry of `groups`; the result has a row for
    each group, nan where nothing is known.
    """
    labels = np.asarray(groups)
    return np.array([mean_of_known(values[labels == one], axis=0) for one in dict.fromkeys(groups)])


def estimate_over_families(values: Floats, families: Sequence[str]) -> FamilyMeans:
    """Return means over families of the means over their datasets, with bootstrap intervals.

    Parameters
    ----------
    values : ndarray of shape (D, N)
        A row for each dataset; nan where a quantity is not known.
    families : sequence of str
        Of each dataset.
    """
    of_families = group_means(values, families)
    n_families = (~np.isnan(of_families)).sum(axis=0)
    bounded = bounded_means(of_families, draw_groups(len(of_families)), n_families >= MIN_FAMILIES)
    return FamilyMeans(n_families, (~np.isnan(values)).sum(axis=0), *bounded)
