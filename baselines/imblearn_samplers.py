"""Wrap imbalanced-learn's samplers, and others with its interface, as resamplers."""

from __future__ import annotations

from typing import Any

from autosmote.config.targets import from_target
from autosmote.errors import UserError
from baselines.random_state import isolated
from baselines.resampler import Features, Labels, Resampler, training_part


class ImblearnSampler(Resampler):
    """A resampler that calls `fit_resample` of a class, given by its import path.

    Parameters
    ----------
    random_state : int
        Passed to the class if it takes a ``random_state``.
    sampler : str
        Import path such as ``imblearn.over_sampling.SMOTE``.
    **params
        Further arguments of the class.

    Raises
    ------
    UserError
        If the class cannot be found, does not take the parameters, or has no `fit_resample`.

    Notes
    -----
    A ratio is passed as ``sampling_strategy``. Cleaning methods such as TomekLinks take no number
    there: they are called with ratio None.
    """

    def __init__(self, *, random_state: int, sampler: str, **params: Any) -> None:
        super().__init__(random_state=random_state)
        self._target, self._params = sampler, params
        # Raises mistakes in the settings before any work. The import may draw random numbers.
        with isolated(self.random_state):
            self._make()

    def resample(self, ratio: float | None) -> tuple[Features, Labels]:
        strategy = {} if ratio is None else {"sampling_strategy": float(ratio)}
        with isolated(self.random_state):
            X, y = self._make(**strategy).fit_resample(self._X.copy(), self._y.copy())
        return training_part(X, y)

    def _make(self, **offered: Any) -> Any:
        sampler = from_target(
            "sampler", self._target, self._params, random_state=self.random_state, **offered
        )
        if not hasattr(sampler, "fit_resample"):
            raise UserError(
                f"sampler._target_ {self._target} has no fit_resample; "
                "name a sampler with imbalanced-learn's interface."
            )
        return sampler
