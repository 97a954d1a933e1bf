"""Rows with their classes, and the nearest of them: where the majority lies around the minority.

A fold's nearest rows are to come from its own training rows alone. They are found for all folds at
once: a fold's are the first of a row's sorted neighbours that the fold trains on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-9
"""Relative error below which two distances of the tree may be in another order than exact ones."""


@dataclass(frozen=True)
class LabelledRows:
    """All rows that a search trains on.

    Attributes
    ----------
    states : ndarray of shape (n, D)
        As in `autosmote.space.base.Space`.
    y : ndarray of shape (n,)
    label : scalar
        The class that gets synthetic rows; its rows are the space's, in their order.
    parts : sequence of bool ndarrays of shape (n,)
        Which rows each part trains on.
    """

    states: NDArray[np.float64]
    y: NDArray
    label: object
    parts: Sequence[NDArray[np.bool_]]

    @property
    def is_minority(self) -> NDArray[np.bool_]:
        """Which rows are of the class."""
        return np.asarray(self.y == self.label)

    def n_largest(self, used: NDArray[np.bool_]) -> int:
        """Return the number of rows of the largest other class among some rows."""
        others = self.y[used & ~self.is_minority]
        return int(np.unique(others, return_counts=True)[1].max()) if len(others) else 0


class NearestRows:
    """Nearest other rows of some rows, by Euclidean distance, ties by position.

    Parameters
    ----------
    X : ndarray of shape (n, D)
    of : integer ndarray
        Positions of the rows whose nearest rows are asked for.
    k : int
        How many; fewer where there are fewer.
    """

    def __init__(self, X: NDArray[np.float64], of: NDArray[np.integer], k: int) -> None:
        from scipy.spatial import cKDTree

        self._X, self._of, self._k = X, of, k
        self._tree = cKDTree(X)
        # Twice as many as needed: mostly enough for a fold that trains on four fifths.
        self._lists = self._sorted(of, 2 * k + 1)

    def among(self, used: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return the nearest used rows of those rows that are used themselves.

        Parameters
        ----------
        used : bool ndarray of shape (n,)

        Returns
        -------
        integer ndarray of shape (number of used ones of the rows, k)
        """
        k = min(self._k, int(np.count_nonzero(used)) - 1)
        chosen = np.flatnonzero(used[self._of])
        found = np.empty((len(chosen), max(k, 0)), dtype=np.intp)
        if k < 1:
            return found
        lists, size = self._lists[chosen], self._lists.shape[1]
        pending = np.arange(len(chosen))
        while len(pending):
            eligible = (lists >= 0) & used[lists] & (lists != self._of[chosen[pending], None])
            order = np.cumsum(eligible, axis=1)
            enough = order[:, -1] >= k
            taken = eligible[enough] & (order[enough] <= k)
            found[pending[enough]] = lists[enough][taken].reshape(-1, k)
            pending = pending[~enough]
            size = min(2 * size, len(self._X))
            if len(pending):
                lists = self._sorted(self._of[chosen[pending]], size)
        return found

    def _sorted(self, of: NDArray[np.integer], size: int) -> NDArray[np.intp]:
        """Return the nearest rows in order, -1 from where on some that are as near are missing."""
        size = min(size, len(self._X))
        roughly, near = self._tree.query(self._X[of], k=np.arange(1, size + 1))
        # Sums of squares feature by feature, as in `space.base.nearest_neighbours`.
        distance = np.zeros(near.shape)
        for feature in self._X.T:
            distance += np.square(feature[of][:, None] - feature[near])
        order = np.lexsort((near, distance), axis=1)
        near = np.take_along_axis(near, order, axis=1)
        if size < len(self._X):
            limit = np.square(roughly[:, -1:]) * (1 - _ROUNDING)
            near[np.take_along_axis(distance, order, axis=1) >= limit] = -1
        return near
