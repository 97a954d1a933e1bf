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
