"""Resamplers with one ratio for any number of classes, and the vote of many of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import _safe_indexing

from autosmote.sampler.selection import share_scorer
from autosmote.sampler.vote import Vote
from autosmote.scoring.lending import lend
from autosmote.scoring.reward import Scoring

RATIOS = tuple(round(0.1 * tenths, 1) for tenths in range(1, 11))
"""Of a class's rows to the largest class's, after resampling."""

_FOLDS = 5
_NEIGHBOURS = 5


def inner_folds(y: NDArray, seed: int) -> StratifiedKFold:
    """Return five folds, or as many as the smallest class has rows."""
    smallest = int(np.unique(y, return_counts=True)[1].min())
    return StratifiedKFold(min(_FOLDS, max(2, smallest)), shuffle=True, random_state=seed)


class Resample(BaseEstimator):
    """Bring each class to at least a ratio of the largest one's rows, by imbalanced-learn.

    Parameters
    ----------
    kind : {"over", "under", "smote", "svmsmote"}
        "under" takes rows of larger classes away, the others add rows to smaller ones.
    ratio : float
        0 changes nothing, as does a ratio that all classes have.
    seed : int
    """

    def __init__(self, kind: str = "smote", ratio: float = 1.0, seed: int = 0) -> None:
        self.kind, self.ratio, self.seed = kind, ratio, seed

    def fit_resample(self, X: Any, y: NDArray) -> tuple[Any, NDArray]:
        from imblearn.over_sampling import SMOTE, SVMSMOTE, RandomOverSampler
        from imblearn.under_sampling import RandomUnderSampler

        labels, counts = np.unique(y, return_counts=True)
        if self.kind == "under":
            most = int(counts.min() / self.ratio) if self.ratio else int(counts.max())
            wanted = {label: min(n, most) for label, n in zip(labels, counts, strict=True)}
        else:
            least = round(self.ratio * counts.max())
            wanted = {label: max(n, least) for label, n in zip(labels, counts, strict=True)}
        changed = [n for label, n in zip(labels, counts, strict=True) if wanted[label] != n]
        if not changed:
            return X, y
        shared = {"sampling_strategy": wanted, "random_state": self.seed}
        neighbours = min(_NEIGHBOURS, int(min(changed)) - 1)
        if self.kind == "under":
            sampler = RandomUnderSampler(**shared)
        elif self.kind == "over" or neighbours < 1:
            sampler = RandomOverSampler(**shared)
        elif self.kind == "smote":
            sampler = SMOTE(k_neighbors=neighbours, **shared)
        else:
            sampler = SVMSMOTE(k_neighbors=neighbours, m_neighbors=min(10, len(y) - 1), **shared)
        return sampler.fit_resample(X, y)


@dataclass(frozen=True)
class _HeldOut:
    X_val: Any
    y_val: NDArray


class ResampledVote(ClassifierMixin, BaseEstimator):
    """A vote of classifiers, each trained with a resampling of its own seed and ratio.

    The share of the votes that it takes is tuned on inner folds. What a search's vote is compared
    with: the same vote over rows that nothing was learned for.

    Parameters
    ----------
    pipeline : imblearn Pipeline
        With a `Resample` as its step "resample".
    metric : str or callable
        As for `autosmote.scoring.reward.Reward`; the labels are 0 and 1, the rarer class.
    members : int
    seed : int
    """

    def __init__(self, pipeline: Any, metric: Scoring, members: int = 25, seed: int = 0) -> None:
        self.pipeline, self.metric, self.members, self.seed = pipeline, metric, members, seed

    def fit(self, X: Any, y: NDArray) -> ResampledVote:
        shares, held_out = [], []
        for train, test in inner_folds(y, self.seed).split(np.zeros(len(y)), y):
            fitted = self._fit_all(_safe_indexing(X, train), y[train])
            X_val = _safe_indexing(X, test)
            shares.append(Vote(fitted, 1).share(X_val))
            held_out.append(_HeldOut(X_val, y[test]))
        score = share_scorer(shares, held_out, self.metric, 1)
        thresholds = [count / self.members for count in range(1, self.members + 1)]
        best = max(sorted(thresholds, key=lambda t: abs(t - 0.5)), key=score)
        self.vote_ = Vote(self._fit_all(X, y), 1, best)
        self.classes_ = self.vote_.classes_
        return self

    def _fit_all(self, X: Any, y: NDArray) -> list[Any]:
        fitted = []
        for number in range(self.members):
            model = clone(self.pipeline).set_params(
                resample__ratio=RATIOS[number % len(RATIOS)], resample__seed=self.seed + number
            )
            fitted.append(model.fit(lend(X, model), y))
        return fitted

    def predict(self, X: Any) -> NDArray:
        return self.vote_.predict(X)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        return self.vote_.predict_proba(X)
