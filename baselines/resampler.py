"""What every resampler here is: trained once, asked for many ratios, seeded, free of effects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]
Labels = NDArray[np.int8]
Groups = Sequence[tuple[int, int]]


class Resampler:
    """Base of the resamplers: keeps the training part, leaves the features as they are.

    Parameters
    ----------
    random_state : int
        Of everything random: the same one gives the same rows. The global generators of numpy,
        `random` and torch are as before after every call.
    """

    def __init__(self, *, random_state: int) -> None:
        # Some libraries refuse numpy's integers.
        self.random_state = int(random_state)

    def fit(self, X: Features, y: Labels, *, groups: Groups = ()) -> Self:
        """Take the training part, and train whatever there is to train.

        Parameters
        ----------
        X : ndarray of float64, shape (n, D)
            As preprocessed. It is never changed.
        y : ndarray of int8, shape (n,)
            1 for the minority class.
        groups : sequence of (start, stop)
            Column ranges of the one-hot blocks.
        """
        self._X, self._y, self._groups = X, y, tuple(groups)
        return self

    def resample(self, ratio: float | None) -> tuple[Features, Labels]:
        """Make a new training part.

        Parameters
        ----------
        ratio : float or None
            n_min/n_maj after resampling, above the present one; None where the sampler takes
            none, or for its own default.

        Returns
        -------
        X_new : ndarray of float64, shape (m, D'), C-contiguous
        y_new : ndarray of int8, shape (m,)

        Raises
        ------
        Exception
            Whatever the sampler fails with; ValueError where its rows are not finite.
        """
        raise NotImplementedError

    def transform(self, X: Features) -> Features:
        """Bring other rows into the features of `resample`: the identity for almost all."""
        return X

    def _class_counts(self) -> tuple[int, int]:
        """Majority and minority rows."""
        n_minority = int(np.count_nonzero(self._y == 1))
        return len(self._y) - n_minority, n_minority


def training_part(X: np.ndarray, y: np.ndarray) -> tuple[Features, Labels]:
    """Bring a sampler's result into the types of a training part.

    Raises
    ------
    ValueError
        If a value is not finite: a decision tree would take it silently.
    """
    X = np.ascontiguousarray(X, dtype=np.float64)
    if not np.isfinite(X).all():
        raise ValueError("the sampler returned values that are not finite")
    return X, np.asarray(y).astype(np.int8)
