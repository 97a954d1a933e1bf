"""AutoSMOTE as a classifier: the search, its vote and a decision threshold in one estimator.

Longer than other modules by the class's docstring, which is its reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from autosmote.sampler.autosmote import AutoSMOTE
from autosmote.sampler.checks import check_kind, check_labels, check_rows, dense, seed_of
from autosmote.sampler.folds import shuffled_folds
from autosmote.sampler.plain import Thresholded, label_share, tuned_threshold
from autosmote.sampler.selection import FinalChoice
from autosmote.sampler.vote import Vote
from autosmote.scoring.lending import lend
from autosmote.scoring.reward import Part
from autosmote.search.loop import OnIteration

AS_IT_IS, THRESHOLD, SYNTHETIC = "as it is", "tuned threshold", "synthetic rows"
"""The kinds of model that a fit chooses from, the simplest first."""


_MARGIN = 1e-6
"""Between a row at the threshold and 1/2: seen in the six digits of `autosmote predict`."""


class AutoSMOTEClassifier(ClassifierMixin, BaseEstimator):
    """Classify by models trained with the synthetic rows that score best on held-out rows.

    The search of `AutoSMOTE` with a vote of several of its sample sets, and beside it the plain
    classifier with its own and with a tuned decision threshold. What scores best on the held-out
    rows is kept; of equal ones the simplest, so that a fit is never worse there than the plain
    classifier.

    Parameters
    ----------
    estimator : scikit-learn classifier, default=None
        The classifier to train; None is a decision tree. For columns of text it needs an encoder
        in front (`autosmote.encoding.tabular`).
    scoring : str or callable, default="macro_f1"
        "macro_f1" or "mcc"; the name of a scikit-learn scorer, or a scorer
        ``(estimator, X, y) -> float``.
    sampling_strategy : {"auto", "not majority", "minority"}, default="auto"
        The classes that get synthetic rows.
    validation_fraction : float, default=0.25
        Share of each class that is held out to score by, where `cv` is None.
    validation : tuple (X, y), default=None
        Rows to score by, where `cv` is None; no model is trained on them.
    cv : int, cross-validation splitter or iterable, default=5
        Folds to score by. A number is that of shuffled folds, stratified and drawn by
        `random_state`; it is lowered to that of the smallest class's rows.
    method : {"class_aware", "paper"}, default="class_aware"
        How synthetic rows are searched for.
    iterations : int, default=300
        Episodes, one classifier trained for each fold and scored in each.
    final : {"best", "vote", "tuned_vote", "diverse_vote"}, default="diverse_vote"
        How the search's candidates become a model. The votes are for two classes; of more the best
        candidate alone is taken ("best").
    keep : int, default=25
        Number of sample sets that vote.
    G1, G2 : int, default=None and 10
    K : int, default=30
    categorical_features : {"auto", None} or array-like, default="auto"
    allow_nan : bool, default=False
    standardize : bool, default=True
    time_limit : float, default=None
    n_jobs : int, default=None
    device : {"auto", "cpu", "cuda"}, default="auto"
    random_state : int, RandomState instance or None, default=None
    verbose : int, default=0
    callback : callable, default=None
    search_options : dict, default=None
        All from `G1` on as of `AutoSMOTE`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    model_ : fitted classifier
        What predicts: the plain classifier, one with a threshold, or a vote.
    chosen_ : {"as it is", "tuned threshold", "synthetic rows"}
        Which kind it is.
    scores_ : dict
        The score on the held-out rows of each kind that was tried.
    threshold_ : float or None
        Share of votes, or probability, from which on a row is of the rarer class; None where the
        classifier decides by itself.
    sampling_strategy_ : dict
        Number of synthetic rows of each class in the search's best sample set.
    history_ : dict of ndarrays
        Of the search, as of `AutoSMOTE`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the columns have names.

    Notes
    -----
    `scores_` are optimistic, as each is the best of many on the same rows. Judge by rows that the
    fit has not seen: cross-validate this estimator, or use `autosmote.compare`.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from autosmote import AutoSMOTEClassifier
    >>> X, y = make_classification(n_samples=200, weights=[0.9], random_state=1)
    >>> tree = DecisionTreeClassifier(max_depth=3)
    >>> model = AutoSMOTEClassifier(tree, iterations=20, random_state=0).fit(X, y)
    >>> model.predict(X).shape, model.predict_proba(X).shape
    ((200,), (200, 2))
    >>> model.scores_[model.chosen_] == max(model.scores_.values())
    True
    """

    _parameter_constraints: ClassVar[dict] = AutoSMOTE._parameter_constraints

    def __init__(
        self,
        estimator: Any = None,
        *,
        scoring: Any = "macro_f1",
        sampling_strategy: str = "auto",
        validation_fraction: float = 0.25,
        validation: tuple[Any, Any] | None = None,
        cv: Any = 5,
        method: str = "class_aware",
        iterations: int = 300,
        final: str = "diverse_vote",
        keep: int = 25,
        G1: int | None = None,
        G2: int = 10,
        K: int = 30,
        categorical_features: Any = "auto",
        allow_nan: bool = False,
        standardize: bool = True,
        time_limit: float | None = None,
        n_jobs: int | None = None,
        device: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
        callback: OnIteration | None = None,
        search_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.estimator = estimator
        self.scoring = scoring
        self.sampling_strategy = sampling_strategy
        self.validation_fraction = validation_fraction
        self.validation = validation
        self.cv = cv
        self.method = method
        self.iterations = iterations
        self.final = final
        self.keep = keep
        self.G1 = G1
        self.G2 = G2
        self.K = K
        self.categorical_features = categorical_features
        self.allow_nan = allow_nan
        self.standardize = standardize
        self.time_limit = time_limit
        self.n_jobs = n_jobs
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.callback = callback
        self.search_options = search_options

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.allow_nan
        return tags

    def fit(self, X: Any, y: Any) -> AutoSMOTEClassifier:
        """Search, and keep the model that scores best on the held-out rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        AutoSMOTEClassifier
            Itself.

        Raises
        ------
        ValueError
            For what cannot be searched, as of `AutoSMOTE.fit_resample`.
        """
        check_kind(X)
        settings = self.get_params(deep=False)
        validate_parameter_constraints(
            self._parameter_constraints, settings, caller_name=type(self).__name__
        )
        if y is None:
            raise ValueError(
                "This AutoSMOTEClassifier estimator requires y to be passed, but the target y is "
                "None."
            )
        y = check_labels(y)
        # Checked here, in this estimator's name, and by the sampler again.
        X = check_rows(self, X, reset=True, **self._rows())
        self.classes_, sizes = np.unique(y, return_counts=True)
        if len(self.classes_) > 2:
            settings["final"] = "best"
        settings["random_state"] = seed_of(self.random_state)
        if isinstance(self.cv, Integral):
            n_folds = min(int(self.cv), max(2, int(sizes.min())))
            settings["cv"] = shuffled_folds(n_folds, settings["random_state"])
        sampler = _Search(**settings)
        sampler.fit_resample(X, y)
        self.sampling_strategy_, self.history_ = sampler.sampling_strategy_, sampler.history_
        self._choose(sampler, dense(X), y)
        return self

    def _choose(self, sampler: _Search, X: Any, y: NDArray) -> None:
        """Take the best model on the held-out rows, of equal ones the simplest."""
        final, estimator = sampler.choice, sampler.classifier
        trials = final.trials
        self.scores_ = {AS_IT_IS: sampler.baseline_score_}
        threshold = None
        if len(self.classes_) == 2:
            threshold, score = tuned_threshold(
                estimator, sampler.plain, trials.metric, trials.label
            )
            self.scores_[THRESHOLD] = score
        self.scores_[SYNTHETIC] = final.held_out_score()
        self.chosen_ = max(self.scores_, key=self.scores_.__getitem__)
        if self.chosen_ == SYNTHETIC:
            self.model_, self.threshold_ = final.model(), final.threshold
            return
        self.model_ = clone(estimator).fit(lend(X, estimator), y)
        self.threshold_ = threshold if self.chosen_ == THRESHOLD else None
        if self.threshold_ is not None:
            self.model_ = Thresholded(self.model_, trials.label, self.threshold_)

    def predict(self, X: Any) -> NDArray:
        """Predict the class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        X = self._checked(X)
        return np.asarray(self.model_.predict(X))

    @available_if(lambda self: self._has_proba())
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return a number for each row and class that grows with how sure the class is.

        Of a vote it is the share of the votes, of a classifier without probabilities the logistic
        function of its decision function. Where there is a threshold, numbers below and above it
        are stretched so that it lies at 1/2: the larger of two numbers is the predicted class.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`; each row's sum is 1.
        """
        X = self._checked(X)
        if len(self.classes_) > 2:
            return np.asarray(self.model_.predict_proba(X))
        label = self.classes_[1]
        if isinstance(self.model_, Vote | Thresholded):
            label = self.model_.label
            share = _stretched(self.model_.share(X), self.model_.threshold)
        else:
            share = label_share(self.model_, X, label)
        return np.column_stack([share if one == label else 1 - share for one in self.classes_])

    def _has_proba(self) -> bool:
        """Return whether there are two classes, as far as is known, or the estimator has some."""
        two = len(getattr(self, "classes_", (0, 1))) == 2
        return two or self.estimator is None or hasattr(self.estimator, "predict_proba")

    def _checked(self, X: Any) -> Any:
        check_is_fitted(self)
        check_kind(X)
        return lend(dense(check_rows(self, X, reset=False, **self._rows())), self.model_)

    def _rows(self) -> dict[str, Any]:
        return {"categorical_features": self.categorical_features, "allow_nan": self.allow_nan}


class _Search(AutoSMOTE):
    """The sampler, which keeps what a model is made of."""

    choice: FinalChoice
    plain: Sequence[Part]
    classifier: Any

    def _found(self, final: FinalChoice, plain: Sequence[Part], estimator: Any) -> None:
        self.choice, self.plain, self.classifier = final, plain, estimator


def _stretched(share: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Return shares in [0, 1] moved so that the threshold lies just above 1/2."""
    reached = share >= threshold - 1e-9
    below = 0.5 * share / threshold if threshold > 0 else np.zeros_like(share)
    room = 1 - threshold
    above = 0.5 + 0.5 * (share - threshold) / room if room > 0 else np.ones_like(share)
    return np.where(reached, np.clip(above, 0.5 + _MARGIN, 1.0), np.clip(below, 0.0, 0.5 - _MARGIN))
