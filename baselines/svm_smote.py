"""SVMSMOTE for many resamplings of the same rows: its support vectors are found once."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from functools import cache
from typing import Any, Self

import numpy as np

from baselines.imblearn_samplers import ImblearnSampler

_KEPT = 16
_fitted: OrderedDict[str, dict[str, Any]] = OrderedDict()


@cache
def _remembered_svc() -> type:
    """The class, made when it is needed: scikit-learn is not loaded before."""
    from sklearn.svm import SVC

    class RememberedSVC(SVC):
        """An `SVC` that is not trained again with rows that one like it was trained with.

        Training takes no random numbers (`probability` is off), so the answer is the same.
        """

        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
            X, y = np.ascontiguousarray(X), np.ascontiguousarray(y)
            digest = hashlib.sha256(repr(sorted(self.get_params().items())).encode())
            for array in (X, y):
                digest.update(f"{array.dtype} {array.shape}".encode())
                digest.update(array)
            key = digest.hexdigest()
            if key not in _fitted:
                super().fit(X, y, sample_weight)
                parameters = self.get_params()
                _fitted[key] = {k: v for k, v in self.__dict__.items() if k not in parameters}
                if len(_fitted) > _KEPT:
                    _fitted.popitem(last=False)
            self.__dict__.update(_fitted[key])
            return self

    return RememberedSVC


class SvmSmote(ImblearnSampler):
    """imbalanced-learn's SVMSMOTE, quicker where the same rows are resampled again.

    Parameters
    ----------
    random_state : int
    **params
        Arguments of SVMSMOTE.
    """

    def __init__(self, *, random_state: int, **params: Any) -> None:
        super().__init__(
            random_state=random_state,
            sampler="imblearn.over_sampling.SVMSMOTE",
            svm_estimator=_remembered_svc()(),
            **params,
        )
