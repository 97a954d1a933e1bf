"""Features of minority rows that say where the majority lies.

A feature is a function and an entry of `FEATURES`; the policy gives each a weight. All are computed
from the training rows of one part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from autosmote.space.base import Space

N_NEAREST = 30
"""Nearest rows of all classes that a feature can look at."""
_NEAREST_MINORITY = 5

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Surroundings:
    """A part's minority rows, and what lies around them.

    Attributes
    ----------
    space : Space
        Of the part's minority rows alone.
    near_majority : bool ndarray of shape (N, at most N_NEAREST)
        Which of a row's nearest training rows are not of its class, the nearest first.
    """

    space: Space
    near_majority: NDArray[np.bool_]

    def majority_share(self, k: int) -> Values:
        """Return the share of majority rows among the k nearest rows."""
        near = self.near_majority[:, :k]
        return near.mean(axis=1) if near.shape[1] else np.zeros(len(near))

    def log_distance(self) -> Values:
        """Return the logarithm of the mean distance to the 5 nearest minority rows.

        A distance of zero, of rows that there are many of, counts as the smallest above zero.
        """
        X, near = self.space.X, self.space.neighbours[:, 1 : _NEAREST_MINORITY + 1]
        if not near.shape[1]:
            return np.zeros(len(X))
        squares = np.zeros(near.shape)
        for feature in X.T:
            squares += np.square(feature[:, None] - feature[near])
        mean = np.sqrt(squares).mean(axis=1)
        positive = mean[mean > 0]
        return np.log(np.where(mean > 0, mean, positive.min())) if len(positive) else 0 * mean


def standardise(values: Values) -> Values:
    """Return values with mean 0 and deviation 1; zeros where all are equal."""
    centred = values - values.mean()
    deviation = float(np.sqrt(np.mean(np.square(centred))))
    return centred / deviation if deviation > 1e-12 else np.zeros(len(values))


class Feature(NamedTuple):
    """How a feature is computed, and the deviation of its weight at first."""

    values: Callable[[Surroundings], Values]
    deviation: float


FEATURES = {
    "h5": Feature(lambda around: standardise(around.majority_share(5)), 0.7),
    "h5_squared": Feature(lambda around: np.square(standardise(around.majority_share(5))), 0.4),
    "h30": Feature(lambda around: standardise(around.majority_share(30)), 0.7),
    "distance": Feature(lambda around: standardise(around.log_distance()), 0.7),
}


def feature_matrix(around: Surroundings, names: Sequence[str]) -> Values:
    """Return the named features of each minority row, of shape (N, number of features)."""
    columns = [FEATURES[name].values(around) for name in names]
    return np.array(columns).reshape(len(names), around.space.n_rows).T.copy()
