"""Bootstrap samples of the training part, as in bagging: a control without new rows."""

from __future__ import annotations

import numpy as np

from baselines.resampler import Features, Labels, Resampler


class Bootstrap(Resampler):
    """Draws as many rows of each class as there are, with replacement.

    Parameters
    ----------
    random_state : int
    replace : bool
        False returns the training part itself.
    """

    def __init__(self, *, random_state: int, replace: bool = True) -> None:
        super().__init__(random_state=random_state)
        self._replace = replace

    def resample(self, ratio: float | None) -> tuple[Features, Labels]:
        if not self._replace:
            return self._X, self._y
        from sklearn.utils import resample

        X, y = resample(self._X, self._y, stratify=self._y, random_state=self.random_state)
        return np.ascontiguousarray(X), y


class BalancedBootstrap(Resampler):
    """Draws rows of both classes with replacement, so that the majority has few: balanced bagging.

    There are as many minority rows as before, and n_min / ratio majority rows; by default as many.

    Parameters
    ----------
    random_state : int
    """

    def resample(self, ratio: float | None) -> tuple[Features, Labels]:
        n_majority, n_minority = self._class_counts()
        drawn = round(n_minority / (ratio or 1.0))
        rng = np.random.default_rng(self.random_state)
        majority, minority = (np.flatnonzero((self._y == 1) == is_one) for is_one in (False, True))
        rows = np.concatenate(
            [rng.choice(majority, min(drawn, n_majority)), rng.choice(minority, n_minority)]
        )
        return self._X[rows], self._y[rows]


class WeightedBootstrap(Resampler):
    """Draws a bootstrap sample and gives its classes weights: minority rows are repeated.

    Classifiers take no weights from a resampling, and some take none at all; rows that come
    several times are weights for all of them. For trees and boosting the two are the same but for
    ties and rounding, for a linear support-vector machine up to the scale of its C, and of nearest
    neighbours a repeated row takes several of the k places.

    Parameters
    ----------
    random_state : int
    """

    def resample(self, ratio: float | None) -> tuple[Features, Labels]:
        n_majority, n_minority = self._class_counts()
        weighed = max(n_minority, round(n_majority * (ratio or 1.0)))
        rng = np.random.default_rng(self.random_state)
        majority, minority = (np.flatnonzero((self._y == 1) == is_one) for is_one in (False, True))
        drawn = rng.choice(minority, n_minority)
        rows = np.concatenate([rng.choice(majority, n_majority), np.resize(drawn, weighed)])
        return self._X[rows], self._y[rows]
