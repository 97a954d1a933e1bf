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
    majority : ndarray of shape (M, D)
        States of the part's training rows of other classes.
    """

    space: Space
    near_majority: NDArray[np.bool_]
    majority: Values

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
        return _log(mean)

    def log_majority_distance(self) -> Values:
        """Return the logarithm of the distance to the nearest majority row; 0 likewise."""
        from scipy.spatial import cKDTree

        if not len(self.majority):
            return np.zeros(self.space.n_rows)
        return _log(np.asarray(cKDTree(self.majority).query(self.space.X)[0], dtype=float))

    def log_distances_of_middles(self) -> tuple[Values, Values]:
        """Return logarithms of the distances from the middles of all segments.

        Returns
        -------
        minority, majority : ndarrays of shape (N, K)
            To the nearest minority row and to the nearest majority row; 0 where there is none.
        """
        from scipy.spatial import cKDTree

        X, neighbours = self.space.X, self.space.neighbours
        middles = ((X[:, None] + X[neighbours]) / 2).reshape(-1, X.shape[1])
        found = []
        for rows in (X, self.majority):
            nearest = cKDTree(rows).query(middles)[0] if len(rows) else np.ones(len(middles))
            found.append(_log(np.asarray(nearest, dtype=float)).reshape(neighbours.shape))
        return found[0], found[1]


def _log(distance: Values) -> Values:
    """Return logarithms of distances, those of zero as of the smallest above it."""
    positive = distance[distance > 0]
    if not len(positive):
        return np.zeros(len(distance))
    return np.log(np.where(distance > 0, distance, positive.min()))


def standardise(values: Values) -> Values:
    """Return values with mean 0 and deviation 1; zeros where all are equal."""
    centred = values - values.mean()
    deviation = float(np.sqrt(np.mean(np.square(centred))))
    return centred / deviation if deviation > 1e-12 else np.zeros(values.shape)


def _middle(around: Surroundings) -> Values:
    minority, majority = around.log_distances_of_middles()
    return _standardise_slots(minority - majority)


def _neighbour_distance(around: Surroundings) -> Values:
    return _standardise_slots(around.log_distance()[around.space.neighbours])


def _standardise_slots(values: Values) -> Values:
    """Return values of all slots, standardised over those that are other rows."""
    found = np.zeros(values.shape)
    found[:, 1:] = standardise(values[:, 1:]) if values.shape[1] > 1 else 0.0
    return found


class Feature(NamedTuple):
    """How a feature is computed, and the deviation of its weight at first."""

    values: Callable[[Surroundings], Values]
    deviation: float


FEATURES = {
    "h5": Feature(lambda around: standardise(around.majority_share(5)), 0.7),
    "h5_squared": Feature(lambda around: np.square(standardise(around.majority_share(5))), 0.4),
    "h30": Feature(lambda around: standardise(around.majority_share(30)), 0.7),
    "distance": Feature(lambda around: standardise(around.log_distance()), 0.7),
    "majority_distance": Feature(lambda around: standardise(around.log_majority_distance()), 0.7),
}
"""Of minority rows, each of shape (N,)."""
SLOT_FEATURES = {
    "middle": Feature(_middle, 0.7),
    "neighbour_distance": Feature(_neighbour_distance, 0.7),
}
"""Of minority rows and their slots, each of shape (N, K); slot 0, the row itself, has 0."""
DEFAULT_FEATURES = ("h5", "h5_squared", "h30", "distance")


def feature_matrix(around: Surroundings, names: Sequence[str]) -> Values:
    """Return the named features of each minority row, of shape (N, number of features)."""
    columns = [FEATURES[name].values(around) for name in names]
    return np.array(columns).reshape(len(names), around.space.n_rows).T.copy()


def slot_feature_matrix(around: Surroundings, names: Sequence[str]) -> Values:
    """Return the named features of each slot, of shape (N, K, number of features)."""
    found = [SLOT_FEATURES[name].values(around) for name in names]
    return np.stack(found, axis=-1) if found else np.zeros((*around.space.neighbours.shape, 0))
