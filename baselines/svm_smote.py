"""SVMSMOTE that trains its SVM once for many resamplings of the same rows."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from functools import cache
from typing import Any, Self

import numpy as np

from baselines.imblearn_samplers import ImblearnSampler

_KEPT = 16
# Process-wide, since each resampling makes, and SVMSMOTE clones, a new SVC: no object that could
# hold the fitted state outlives a call. Keyed by parameters and data, so a hit changes no result.
_fitted: OrderedDict[str, dict[str, Any]] = OrderedDict()


@cache
def _remembered_svc() -> type:
    """Return the class RememberedSVC, defined here so that scikit-learn is imported only then."""
    from sklearn.svm import SVC

    class RememberedSVC(SVC):
        """An `SVC` that reuses the fit of an equal one on the same rows.

        Training is deterministic (`probability` is off), so the result is the same.
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
    """imbalanced-learn's SVMSMOTE, faster when the same rows are resampled repeatedly.

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
