"""The distribution over synthetic rows, and its draws.

Eight numbers (`Family`) say how many rows are made, around which minority rows, towards which
neighbours and how far. A sample set is as many independent draws of (row, slot, lambda).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.search.class_aware.features import FEATURES, SLOT_FEATURES
from autosmote.space.base import LAMBDAS, N_LAMBDAS, Samples, Space
from autosmote.space.continuous import Segments
from autosmote.space.hard_majority import SHARES

HIGHEST_RATIO = 1.3
"""Largest ratio of the class to the largest other one after resampling."""
_REACH = 5.0
"""Scale of the neighbours' ranks at first: SMOTE's five."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Numbers:
    """What a draw depends on.

    Attributes
    ----------
    ratio : float
        Between 0, the present ratio, and 1, the highest.
    weights : ndarray of shape (number of features,)
    reach, alpha, beta : float
        Scale of the neighbours' ranks, and the parameters of lambda's beta distribution.
    left_out : float
        Share of the hardest majority rows that is left out.
    slot_weights : ndarray of shape (number of slot features,)
    """

    ratio: float
    weights: Vector
    reach: float
    alpha: float
    beta: float
    left_out: float = 0.0
    slot_weights: Vector = field(default_factory=lambda: np.zeros(0))


class Family:
    """The numbers as points of a space in which the learner's distribution is normal.

    Parameters
    ----------
    features : sequence of str
        Names in ``FEATURES``.
    slot_features : sequence of str
        Names in ``SLOT_FEATURES``.
    under_sampling : bool
        Whether a share of the hardest majority rows is one of the numbers.

    Attributes
    ----------
    names : list of str
    means, deviations : ndarrays
        Of the distribution at first, one entry for each name.
    """

    def __init__(
        self,
        features: Sequence[str],
        slot_features: Sequence[str] = (),
        *,
        under_sampling: bool = False,
    ) -> None:
        self._n_row_features = len(features)
        self.n_features = len(features) + len(slot_features)
        first = {"ratio": (0.0, 1.0)}
        first |= {name: (0.0, FEATURES[name].deviation) for name in features}
        first |= {name: (0.0, SLOT_FEATURES[name].deviation) for name in slot_features}
        first |= {"reach": (0.0, 0.7), "alpha": (0.0, 0.4), "beta": (0.0, 0.4)}
        if under_sampling:
            first["left_out"] = (-1.0, 0.7)
        self.names = list(first)
        self.means, self.deviations = np.array(list(first.values())).T

    def read(self, point: Vector) -> Numbers:
        """Return the numbers at a point."""
        from scipy.special import ndtr

        n = self.n_features
        reach, alpha, beta = np.exp(np.clip(point[n + 1 : n + 4], -5.0, 5.0)).tolist()
        left_out = 0.0
        if len(point) > n + 4:
            left_out = SHARES[min(int(ndtr(point[n + 4]) * len(SHARES)), len(SHARES) - 1)]
        weights, of_slots = np.split(point[1 : n + 1].astype(float), [self._n_row_features])
        ratio = float(ndtr(point[0]))
        return Numbers(ratio, weights, _REACH * reach, alpha, beta, left_out, of_slots)


@dataclass(frozen=True)
class RowPolicy:
    """Draws of the synthetic rows of one part.

    Attributes
    ----------
    space : Space
        Of the part's minority rows.
    features : ndarray of shape (N, number of features)
    n_majority : int
        Rows of the largest other class.
    slot_features : ndarray of shape (N, K, number of slot features)
    """

    space: Space
    features: NDArray[np.float64]
    n_majority: int
    slot_features: NDArray[np.float64]

    def n_synthetic(self, numbers: Numbers) -> int:
        """Return the number of synthetic rows."""
        n, most = self.space.n_rows, self.n_majority
        if n >= HIGHEST_RATIO * most:
            return 0
        ratio = n / most * (HIGHEST_RATIO * most / n) ** numbers.ratio
        return max(0, round(ratio * most) - n)

    def row_weights(self, numbers: Numbers) -> Vector:
        """Return the weight of each minority row, the largest being 1."""
        scores = self.features @ numbers.weights
        return np.exp(scores - scores.max())

    def slot_weights(self, numbers: Numbers) -> Vector:
        """Return the weight of each slot by its rank; the row itself has none beside others."""
        rank = np.arange(self.space.K)
        weights = np.exp(-(rank - 1) / numbers.reach)
        weights[0] = float(self.space.K == 1)
        return weights

    def choose_slots(
        self, numbers: Numbers, row: NDArray[np.intp], uniform: Vector
    ) -> NDArray[np.intp]:
        """Return the slot of each synthetic row, of the minority row that it is made around."""
        by_rank = self.slot_weights(numbers)
        if not len(numbers.slot_weights):
            return choose(by_rank, uniform)
        scores = self.slot_features @ numbers.slot_weights
        ends = np.cumsum(by_rank * np.exp(scores - scores.max(axis=1, keepdims=True)), axis=1)
        aims = uniform * ends[row, -1]
        return (ends[row, :-1] <= aims[:, None]).sum(axis=1, dtype=np.intp)

    def draw(self, numbers: Numbers, rng: np.random.Generator) -> tuple[Samples, NDArray[np.int32]]:
        """Draw a sample set.

        Returns
        -------
        samples : Samples
            Of the part's space.
        row_counts : int32 ndarray of shape (N,)
            Number of synthetic rows made around each minority row.
        """
        n, space = self.n_synthetic(numbers), self.space
        row_uniform, slot_uniform = rng.random((2, n))
        row = choose(self.row_weights(numbers), row_uniform)
        slot = self.choose_slots(numbers, row, slot_uniform)
        row_counts = np.bincount(row, minlength=space.n_rows).astype(np.int32)
        if space.continuous:
            weight = rng.beta(numbers.alpha, numbers.beta, n)
            inside = np.clip(weight, np.finfo(float).tiny, 1 - np.finfo(float).epsneg)
            neighbour = space.neighbours[row, slot]
            return Segments(row.astype(np.int32), neighbour, inside), row_counts
        lambdas = choose(lambda_weights(numbers.alpha, numbers.beta), rng.random(n))
        pool_space: Any = space
        made = pool_space.action_row[row, slot * N_LAMBDAS + lambdas]
        samples = np.bincount(made, minlength=len(pool_space.pool)).astype(np.int32)
        return samples, row_counts


def lambda_weights(alpha: float, beta: float) -> Vector:
    """Return the probability that a beta variate is nearest to each of the five weights."""
    from scipy.special import betainc

    borders = (LAMBDAS[1:] + LAMBDAS[:-1]) / 2
    return np.diff(np.concatenate([[0.0], betainc(alpha, beta, borders), [1.0]]))


def choose(weights: Vector, uniform: Vector) -> NDArray[np.intp]:
    """Return the cell that each uniform number falls into, cells as wide as their weights."""
    ends = np.cumsum(weights)
    return np.searchsorted(ends[:-1], uniform * ends[-1], side="right")
