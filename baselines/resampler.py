"""Base class of the resamplers: fitted once, resample at many ratios, no side effects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]
Labels = NDArray[np.int8]
Groups = Sequence[tuple[int, int]]


class Resampler:
    """Base class of the resamplers; keeps the training part and does not change the features.

    Parameters
    ----------
    random_state : int
        Of everything random: the same value gives the same rows. Every call leaves the states of
        the global generators of numpy, `random` and torch unchanged.
    """

    def __init__(self, *, random_state: int) -> None:
        # Some libraries take no numpy integers.
        self.random_state = int(random_state)

    def fit(self, X: Features, y: Labels, *, groups: Groups = ()) -> Self:
        """Keep the training part, and train models that the resampler has.

        Parameters
        ----------
        X : ndarray of float64, shape (n, D)
            Preprocessed; never modified.
        y : ndarray of int8, shape (n,)
            1 for the minority class.
        groups : sequence of (start, stop)
            Column ranges of the one-hot blocks.
        """
        self._X, self._y, self._groups = X, y, tuple(groups)
        return self

    def resample(self, ratio: float | None) -> tuple[Features, Labels]:
        """Return a resampled training part.

        Parameters
        ----------
        ratio : float or None
            n_min/n_maj after resampling, above the current one; None for the sampler's default, or
            where it takes no ratio.

        Returns
        -------
        X_new : ndarray of float64, shape (m, D'), C-contiguous
        y_new : ndarray of int8, shape (m,)

        Raises
        ------
        Exception
            Any error of the sampler; ValueError if its rows are not finite.
        """
        raise NotImplementedError

    def transform(self, X: Features) -> Features:
        """Map other rows to the features of `resample`: the identity for most resamplers."""
        return X

    def _class_counts(self) -> tuple[int, int]:
        """Return the numbers of majority and minority rows."""
        n_minority = int(np.count_nonzero(self._y == 1))
        return len(self._y) - n_minority, n_minority


def training_part(X: np.ndarray, y: np.ndarray) -> tuple[Features, Labels]:
    """Convert a sampler's result to the types of a training part.

    Raises
    ------
    ValueError
        If a value is not finite; a decision tree would accept it silently.
    """
    X = np.ascontiguousarray(X, dtype=np.float64)
    if not np.isfinite(X).all():
        raise ValueError("the sampler returned values that are not finite")
    return X, np.asarray(y).astype(np.int8)
