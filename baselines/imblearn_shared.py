"""Samplers of imbalanced-learn that compute once what resamplings of the same rows share.

A resampler is asked for ten ratios, and a search for hundreds of seeds and ratios, of the same
rows. imbalanced-learn starts anew each time, also with what depends on the rows and the seed alone:
SVMSMOTE's SVM and nearest rows, the probabilities of InstanceHardnessThreshold, the initial centres
of ClusterCentroids. The classes below give it estimators that remember these; the rows that come
back are imbalanced-learn's to the bit.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from typing import Any, Self, TypeVar

import numpy as np

from baselines.imblearn_samplers import ImblearnSampler

T = TypeVar("T")

_KEPT = 64
# Process-wide, since each resampling makes, and clones, new estimators: no object that could hold
# the results outlives a call. Keyed by all that decides a result, so a hit changes nothing.
_results: OrderedDict[str, Any] = OrderedDict()


def remembered(
    of: tuple[Any, ...], compute: Callable[[], T], serves: Callable[[T], bool] = lambda _: True
) -> T:
    """Return a result that an equal call has computed, or compute it.

    Parameters
    ----------
    of : tuple
        All that decides the result: arrays, and objects whose `repr` tells them apart.
    compute : callable
    serves : callable
        Whether a remembered result is enough for this call; if not, it is replaced.
    """
    digest = hashlib.sha256()
    for part in of:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(repr(part).encode())
    key = digest.hexdigest()
    if key not in _results or not serves(_results[key]):
        _results[key] = compute()
        if len(_results) > _KEPT:
            _results.popitem(last=False)
    return _results[key]


class SvmSmote(ImblearnSampler):
    """imbalanced-learn's SVMSMOTE, which trains its SVM and finds nearest rows once.

    Parameters
    ----------
    random_state : int
    k_neighbors, m_neighbors : int
        As of SVMSMOTE.
    **params
        Its other arguments.
    """

    def __init__(
        self, *, random_state: int, k_neighbors: int = 5, m_neighbors: int = 10, **params: Any
    ) -> None:
        neighbours = _remembered_neighbours()
        super().__init__(
            random_state=random_state,
            sampler="imblearn.over_sampling.SVMSMOTE",
            # The row itself is the nearest.
            k_neighbors=neighbours(n_neighbors=k_neighbors + 1),
            m_neighbors=neighbours(n_neighbors=m_neighbors + 1),
            **({"svm_estimator": _remembered_svc()()} | params),
        )


class InstanceHardnessThreshold(ImblearnSampler):
    """imbalanced-learn's InstanceHardnessThreshold, which cross-validates its forest once.

    Parameters
    ----------
    random_state : int
    **params
        Arguments of InstanceHardnessThreshold.
    """

    def __init__(self, *, random_state: int, **params: Any) -> None:
        super().__init__(
            random_state=random_state,
            sampler="imblearn.under_sampling.InstanceHardnessThreshold",
            **({"estimator": _remembered_forest()(int(random_state))} | params),
        )


class ClusterCentroids(ImblearnSampler):
    """imbalanced-learn's ClusterCentroids, which shares initial centres between ratios.

    k-means++ draws one centre after another, so that fewer centres are the first of more, as long
    as it tries as many candidates for each: their number is 2 + int(log(number of centres)).

    Parameters
    ----------
    random_state : int
    **params
        Arguments of ClusterCentroids.
    """

    def __init__(self, *, random_state: int, **params: Any) -> None:
        from sklearn.cluster import KMeans

        seed = int(random_state)
        # As KMeans starts by default: once, by k-means++.
        estimator = KMeans(n_init=1, init=_initial_centres, random_state=seed)
        super().__init__(
            random_state=seed,
            sampler="imblearn.under_sampling.ClusterCentroids",
            **({"estimator": estimator} | params),
        )


def _initial_centres(
    X: np.ndarray, n_clusters: int, random_state: np.random.RandomState
) -> np.ndarray:
    """Return KMeans' initial centres; called with its generator before any draw from it."""
    from sklearn.cluster import kmeans_plusplus

    n_trials = 2 + int(np.log(n_clusters))
    state = random_state.get_state(legacy=False)["state"]
    centres = remembered(
        ("k-means++", n_trials, state["key"], state["pos"], X),
        lambda: kmeans_plusplus(X, n_clusters, random_state=random_state, n_local_trials=n_trials)[
            0
        ],
        lambda found: len(found) >= n_clusters,
    )
    return centres[:n_clusters].copy()


@cache
def _remembered_svc() -> type:
    """Return the class RememberedSVC, defined here so that scikit-learn is imported only then."""
    from sklearn.svm import SVC

    class RememberedSVC(SVC):
        """An `SVC` that reuses the fit of an equal one on the same rows.

        Training is deterministic (`probability` is off), so the result is the same.
        """

        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
            parameters = self.get_params()

            def state() -> dict[str, Any]:
                super(RememberedSVC, self).fit(X, y, sample_weight)
                return {k: v for k, v in self.__dict__.items() if k not in parameters}

            of = ("SVC", sorted(parameters.items()), X, y, sample_weight)
            self.__dict__.update(remembered(of, state))
            return self

    return RememberedSVC


@cache
def _remembered_neighbours() -> type:
    """Return the class RememberedNeighbours (see `_remembered_svc`)."""
    from sklearn.neighbors import NearestNeighbors

    class RememberedNeighbours(NearestNeighbors):
        """A `NearestNeighbors` that reuses the answer of an equal one on the same rows."""

        def fit(self, X: Any, y: Any = None) -> Self:
            self._rows = X
            return self

        def kneighbors(self, X: Any, n_neighbors: Any = None, return_distance: bool = True) -> Any:
            of = ("neighbours", self.get_params(), self._rows, X, n_neighbors, return_distance)

            def neighbours() -> Any:
                found = NearestNeighbors(**self.get_params()).fit(self._rows)
                return found.kneighbors(X, n_neighbors, return_distance)

            return remembered(of, neighbours)

    return RememberedNeighbours


@cache
def _remembered_forest() -> type:
    """Return the class RememberedForest (see `_remembered_svc`)."""
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.ensemble import RandomForestClassifier

    class RememberedForest(ClassifierMixin, BaseEstimator):
        """InstanceHardnessThreshold's own forest, whose probabilities are remembered.

        Its seed is not called ``random_state``: imbalanced-learn would set it to a drawn number,
        which it does not do to its own forest, and shuffle the folds otherwise.
        """

        def __init__(self, seed: int) -> None:
            self.seed = seed

        def fit(self, X: Any, y: Any) -> Self:
            self.classes_ = np.unique(y)
            self._part = X, y
            return self

        def predict_proba(self, X: Any) -> np.ndarray:
            def probabilities() -> np.ndarray:
                forest = RandomForestClassifier(n_estimators=100, random_state=self.seed)
                return forest.fit(*self._part).predict_proba(X)

            return remembered(("forest", self.seed, *self._part, X), probabilities)

    return RememberedForest
