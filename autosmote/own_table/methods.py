"""The ways to treat an imbalanced table that are compared, each as a classifier to be fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from autosmote.errors import UserError
from autosmote.own_table.estimators import Prepared
from autosmote.own_table.resampling import RATIOS, Resample, ResampledVote, inner_folds
from autosmote.own_table.scorings import Scorer, for_search, make_scoring, of_decisions

AS_IT_IS = "as it is"
THRESHOLD = "tuned threshold"
CLASS_WEIGHTS = "class weights"
RANDOM_OVER = "random over-sampling"
RANDOM_UNDER = "random under-sampling"
UNDER_VOTE = "under-sampling with the vote"
SMOTE = "SMOTE, tuned ratio"
SVMSMOTE = "SVMSMOTE, tuned ratio"
SMOTE_VOTE = "SMOTE with the vote"
AUTOSMOTE = "AutoSMOTE with the vote"

SIMPLE = (AS_IT_IS, THRESHOLD, CLASS_WEIGHTS, RANDOM_OVER, RANDOM_UNDER, UNDER_VOTE)
"""Methods that make no synthetic rows, in the order of trial: by cost, and the threshold before
class weights, which gained less on a hundred datasets (docs/results.md)."""
SYNTHETIC = (SMOTE, SVMSMOTE, SMOTE_VOTE, AUTOSMOTE)
"""Methods that do, the simplest first."""


class NotHereError(UserError):
    """A method that there is not for these rows, this classifier or this score."""


@dataclass(frozen=True)
class Setting:
    """What all methods share.

    Attributes
    ----------
    prepared : Prepared
    scoring : str or callable
    n_classes : int
        The labels are 0 to n_classes - 1, the rarest class last.
    iterations : int
        Of each search.
    time_limit : float or None
        Seconds of each search.
    seed : int
    """

    prepared: Prepared
    scoring: Any
    n_classes: int
    iterations: int
    time_limit: float | None
    seed: int

    @property
    def scorer(self) -> Scorer:
        return make_scoring(self.scoring, self.n_classes)


def make_method(name: str, setting: Setting) -> Any:
    """Return the unfitted classifier of a method.

    Raises
    ------
    NotHereError
        With the reason, in one clause.
    """
    return METHODS[name](setting)


def _as_it_is(setting: Setting) -> Any:
    return setting.prepared.pipeline(clone(setting.prepared.estimator))


class _Delegating(ClassifierMixin, BaseEstimator):
    """Base class of classifiers that predict by `model_`."""

    def predict(self, X: Any) -> NDArray:
        return self.model_.predict(X)

    def __getattr__(self, name: str) -> Any:
        # What a score may ask for beside classes is there if the model has it.
        if name in ("predict_proba", "decision_function") and "model_" in self.__dict__:
            return getattr(self.model_, name)
        raise AttributeError(name)


class Weighted(_Delegating):
    """A classifier trained with a weight for each row, as much in all for each class."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: NDArray) -> Weighted:
        from sklearn.pipeline import Pipeline
        from sklearn.utils.class_weight import compute_sample_weight

        self.model_ = clone(self.estimator)
        steps = self.model_.steps if isinstance(self.model_, Pipeline) else []
        prefix = f"{steps[-1][0]}__" if steps else ""
        weights = {f"{prefix}sample_weight": compute_sample_weight("balanced", y)}
        self.model_.fit(X, y, **weights)
        self.classes_ = self.model_.classes_
        return self


def _class_weights(setting: Setting) -> Any:
    from sklearn.utils.validation import has_fit_parameter

    estimator = clone(setting.prepared.estimator)
    for name in estimator.get_params():
        if name.split("__")[-1] == "class_weight":
            balanced = estimator.set_params(**{name: "balanced"})
            return setting.prepared.pipeline(balanced)
    if not has_fit_parameter(setting.prepared.steps()[1], "sample_weight"):
        raise NotHereError("the classifier takes no weights")
    return setting.prepared.pipeline(Weighted(estimator))


def _threshold(setting: Setting) -> Any:
    from sklearn.model_selection import TunedThresholdClassifierCV

    if setting.n_classes > 2:
        raise NotHereError("a threshold is for two classes")
    if not of_decisions(setting.scorer):
        raise NotHereError("the score does not depend on a threshold")
    if not hasattr(setting.scorer, "_score_func"):
        raise NotHereError("a threshold is tuned for a score by name, or one of make_scorer, alone")
    if not any(
        hasattr(setting.prepared.estimator, name) for name in ("predict_proba", "decision_function")
    ):
        raise NotHereError("the classifier has neither probabilities nor a decision function")
    return _Tuned(TunedThresholdClassifierCV, _as_it_is(setting), setting.scorer, setting.seed)


class _Tuned(ClassifierMixin, BaseEstimator):
    """A threshold tuned on as many folds as the smallest class allows.

    The classifier as it is where it is equally sure of all rows of a fold: any threshold then
    gives all of them one class.
    """

    def __init__(self, factory: Any, estimator: Any, scorer: Scorer, seed: int) -> None:
        self.factory, self.estimator, self.scorer, self.seed = factory, estimator, scorer, seed

    def fit(self, X: Any, y: NDArray) -> _Tuned:
        folds = inner_folds(y, self.seed)
        model = self.factory(self.estimator, scoring=self.scorer, cv=folds)
        try:
            self.model_ = model.fit(X, y)
        except ValueError as error:
            if "constant predictions" not in str(error):
                raise
            self.model_ = clone(self.estimator).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X: Any) -> NDArray:
        return self.model_.predict(X)


def _random(kind: str) -> Callable[[Setting], Any]:
    def make(setting: Setting) -> Any:
        from imblearn.pipeline import Pipeline

        before, last = setting.prepared.steps()
        sampler = Resample(kind, 1.0, setting.seed)
        steps = [*((name, clone(step)) for name, step in before)]
        return Pipeline([*steps, ("resample", sampler), ("classifier", clone(last))])

    return make


class TunedRatio(_Delegating):
    """A resampler before a classifier, its ratio tuned on inner folds; no rows is a ratio too."""

    def __init__(self, pipeline: Any, scorer: Scorer, seed: int) -> None:
        self.pipeline, self.scorer, self.seed = pipeline, scorer, seed

    def fit(self, X: Any, y: NDArray) -> TunedRatio:
        from sklearn.model_selection import GridSearchCV

        grid = {"resample__ratio": [0.0, *RATIOS]}
        folds = inner_folds(y, self.seed)
        self.model_ = GridSearchCV(self.pipeline, grid, scoring=self.scorer, cv=folds).fit(X, y)
        self.classes_ = self.model_.classes_
        return self


def _tuned_ratio(kind: str) -> Callable[[Setting], Any]:
    return lambda setting: TunedRatio(_random(kind)(setting), setting.scorer, setting.seed)


def _vote(kind: str) -> Callable[[Setting], Any]:
    def make(setting: Setting) -> Any:
        if setting.n_classes > 2:
            raise NotHereError("the vote is for two classes")
        metric = for_search(setting.scoring, 2)
        return ResampledVote(_random(kind)(setting), metric, seed=setting.seed)

    return make


def _search(setting: Setting) -> Any:
    from autosmote.sampler.classifier import AutoSMOTEClassifier

    search = AutoSMOTEClassifier(
        clone(setting.prepared.estimator),
        scoring=for_search(setting.scoring, setting.n_classes),
        iterations=setting.iterations,
        time_limit=setting.time_limit,
        allow_nan=True,
        random_state=setting.seed,
    )
    return setting.prepared.pipeline(search)


METHODS: Mapping[str, Callable[[Setting], Any]] = {
    AS_IT_IS: _as_it_is,
    THRESHOLD: _threshold,
    CLASS_WEIGHTS: _class_weights,
    RANDOM_OVER: _random("over"),
    RANDOM_UNDER: _random("under"),
    UNDER_VOTE: _vote("under"),
    SMOTE: _tuned_ratio("smote"),
    SVMSMOTE: _tuned_ratio("svmsmote"),
    SMOTE_VOTE: _vote("smote"),
    AUTOSMOTE: _search,
}
"""How each method is made, in the order of the tables."""


def score_with(scorer: Scorer, model: Any, X: Any, y: NDArray) -> float:
    """Return a fitted model's score on rows that it has not seen."""
    return float(np.asarray(scorer(model, X, y)))
