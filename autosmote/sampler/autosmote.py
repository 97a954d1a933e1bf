"""AutoSMOTE as an imbalanced-learn sampler.

Longer than other modules by the class's docstring, which is its reference. The search itself is
`sampler.class_search`, which the runner calls too (`evaluation.searched`).
"""

from __future__ import annotations

import dataclasses
import re
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from imblearn.base import BaseSampler
from imblearn.utils import check_target_type
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import get_scorer_names
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from autosmote.config.search import FINALS, SearchConfig
from autosmote.errors import InputError, UserError, let_interrupts_through
from autosmote.interrupts import HeldInterrupts
from autosmote.metrics import METRICS
from autosmote.progress import Progress, logging_to_stderr
from autosmote.sampler.checks import (
    check_kind,
    check_labels,
    check_no_regressor,
    check_rows,
    check_validation,
    dense,
    seed_of,
)
from autosmote.sampler.class_search import ClassSearch, SearchRows, seeded
from autosmote.sampler.encoding import Encoder, categorical_columns, tabular
from autosmote.sampler.folds import make_folds, shuffled_folds
from autosmote.sampler.selection import VOTES, FinalChoice, select_final
from autosmote.scoring.lending import lend
from autosmote.scoring.reward import Part, Reward, Score, resolve_scoring
from autosmote.search.candidates import Candidate
from autosmote.search.loop import OnIteration
from autosmote.search.method import SpaceProblem
from autosmote.search.result import DIVERGED, SearchResult

_METHODS = {"class_aware": "class_aware", "paper": "hierarchical"}
"""`search.method` of each value of the sampler's `method`."""
_FIELDS = [field.name for field in dataclasses.fields(SearchConfig)]
_SETTING = re.compile(rf"\bsearch\.(?=({'|'.join(_FIELDS)})\b)")
"""What stands before a setting's name in the search's messages."""


class AutoSMOTE(BaseSampler):
    """Over-sample by the synthetic rows with which a classifier scores best on held-out rows.

    A search of `iterations` episodes trains the classifier with ever other synthetic rows, and
    learns from its score how many rows to make in all, around which minority rows, and where
    between which neighbours.

    Parameters
    ----------
    estimator : scikit-learn classifier, default=None
        The classifier to make rows for. It is trained on rows as they will be returned, so for
        columns of text it needs an encoder in front (`autosmote.encoding.tabular`). None is a
        decision tree, with one-hot encoding in front where it needs it. Wherever a `random_state`
        is None, it is set by that of the sampler.
    scoring : str or callable, default="macro_f1"
        "macro_f1" or "mcc"; the name of a scikit-learn scorer, or a scorer
        ``(estimator, X, y) -> float``. For the first two, episodes are scored without a refit
        where that gives the same: `KNeighborsClassifier`, `DecisionTreeClassifier`,
        `RandomForestClassifier`, `AdaBoostClassifier` and `LinearSVC` with near-default settings,
        two classes of which the rarer is the last in sorted order, and columns of 64-bit floats or
        whole numbers.
    sampling_strategy : {"auto", "not majority", "minority"}, default="auto"
        The classes that get synthetic rows: all but the largest ("auto" is the same), or the
        smallest alone. Several are searched for one after another, the smallest first, each with
        the rows found for those before it in place: one search over all would need a policy for
        each class, and more iterations than their sum.
    validation_fraction : float, default=0.25
        Share of each class that is held out to score by. Synthetic rows are made from the others.
    validation : tuple (X, y), default=None
        Rows to score by, instead of some of the given ones. They are not returned.
    cv : int, cross-validation splitter or iterable, default=None
        Score by the mean over folds, instead; for data with few minority rows. A fold's classifier
        gets those synthetic rows that can be made from its training rows alone, so with k folds
        a little less than a share of (k - 1) / k of them.
    method : {"class_aware", "paper"}, default="class_aware"
        How synthetic rows are searched for. "class_aware": by eight numbers that prefer rows by
        how much of the majority lies around them, learned by cross-entropy. "paper": by three
        policies, networks that see a minority row's features and how often it was used
        (Algorithm 2 of the paper); needs torch where there is a GPU to use.
    iterations : int, default=300
        Episodes, one classifier trained (for each fold) and scored in each; the paper has 1000. 0,
        of method="class_aware": one sample set without a search, and without a score.
    final : {"best", "vote", "tuned_vote", "diverse_vote"}, default="best"
        Rule that makes the final classifier. Every rule returns the sample set with the best
        score. The votes also make `ensemble_`: `keep` copies of `estimator`, each trained with
        one of the best sample sets, that vote by majority ("vote"), or by the share of votes that
        scores best ("tuned_vote"); "diverse_vote" is a tuned vote of copies that were chosen, from
        four times as many, to differ as well. For two classes.
    keep : int, default=25
        Number of sample sets that vote.
    G1, G2 : int, default=None and 10
        Of the paper's method: around minority row i go g1 x g2[i] synthetic rows, with g1 in 0..G1
        and g2[i] in 0..G2; None is max(1, round(4 IR / G2)) for an imbalance ratio IR.
    K : int, default=30
        Neighbours of a minority row, itself included.
    categorical_features : {"auto", None} or array-like, default="auto"
        Columns that hold categories, by position, name or mask. "auto" takes a DataFrame's columns
        of text, categories and truth values. A synthetic row has the category of the nearer of
        the two rows that it lies between; in the middle, of the row that it was made around.
    allow_nan : bool, default=False
        Accept missing values. Given rows keep them; for distances and synthetic rows, medians and
        most frequent categories stand in. The estimator must accept them too.
    standardize : bool, default=True
        Measure distances between, and show the policies, standardised numbers. Synthetic rows are
        in the given units in any case.
    time_limit : float, default=None
        Seconds after which the search stops with what it has; one iteration is always done.
    n_jobs : int, default=None
        Processes that generate and score episodes: None or 1 work in this one, -1 takes all
        cores. The result is the same for any number; more than 4 do not help. In each of them the
        classifier has one thread: its own `n_jobs` is for the fits after the search.
    device : {"auto", "cpu", "cuda"}, default="auto"
        Where the policies of the paper's method learn.
    random_state : int, RandomState instance or None, default=None
        Of the held-out rows, the search, and the estimator where it has none.
    verbose : int, default=0
        Above 0: show the progress.
    callback : callable, default=None
        Called after every iteration with its number (from 1), its score, and the best so far.
    search_options : dict, default=None
        Further settings of the search, fields of `autosmote.config.search.SearchConfig`.

    Attributes
    ----------
    best_score_ : float
        The score on the held-out rows with the synthetic rows that are returned. No synthetic
        rows are a candidate too, and ties go to fewer rows: where none are better, none are made.
        With 0 iterations nothing is scored, and it is nan.
    baseline_score_ : float
        The score without synthetic rows.
    sampling_strategy_ : dict
        Number of synthetic rows of each class.
    sampling_counts_ : int ndarray of shape (n_samples,)
        Number of synthetic rows made around each given row.
    parents_ : structured ndarray of shape (n_synthetic,)
        Of each synthetic row, in their order: "row" and "neighbour", the positions of the given
        rows that it lies between, and "weight", that of the neighbour, from 0 to 1.
    ensemble_ : classifier
        Where `final` is a vote: fitted, with `predict` and `predict_proba`, the share of votes.
    left_out_ : int ndarray
        Positions of given rows that are not returned: majority rows, with the search option
        `under_sampling` alone.
    history_ : dict of ndarrays
        "label", "iteration", "reward", "best", "n_synthetic" and "seconds", one entry for each
        iteration.
    policies_ : dict
        For each class the final "means" and "deviations" of the eight numbers; or, of the paper's
        method, the parameters of the policies "cross", "instance" and "low".
    searches_ : dict
        For each class the `autosmote.search.result.SearchResult`.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where the columns have names.

    Notes
    -----
    Everything is returned: the given rows, unchanged and in their order, held-out ones included
    (save for `left_out_`), then the synthetic rows. Sparse matrices are made dense inside.

    The best of many scores on few held-out minority rows is optimistic. Judge by rows that the
    sampler has not seen: put it into imbalanced-learn's `Pipeline` and cross-validate that.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from autosmote import AutoSMOTE
    >>> X, y = make_classification(n_samples=200, weights=[0.9], random_state=1)
    >>> sampler = AutoSMOTE(DecisionTreeClassifier(max_depth=3), iterations=20, random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> bool((X_new[:200] == X).all()), bool((y_new[200:] == 1).all())
    (True, True)
    >>> sampler.best_score_ >= sampler.baseline_score_
    True
    """

    _sampling_type = "over-sampling"
    _held: HeldInterrupts | None = None
    """Interrupts that wait, but in searches: those they end with the best so far. Of commands."""
    _interrupt: KeyboardInterrupt | None = None
    """What ended a search whose best so far was kept."""

    _parameter_constraints: ClassVar[dict] = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "scoring": [StrOptions({*METRICS, *get_scorer_names()}), callable],
        "sampling_strategy": [StrOptions({"auto", "not majority", "minority"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "validation": [tuple, list, None],
        "cv": ["cv_object"],
        "method": [StrOptions(set(_METHODS))],
        "iterations": [Interval(Integral, 0, None, closed="left")],
        "final": [StrOptions(set(FINALS))],
        "keep": [Interval(Integral, 1, None, closed="left")],
        "G1": [Interval(Integral, 1, None, closed="left"), None],
        "G2": [Interval(Integral, 1, None, closed="left")],
        "K": [Interval(Integral, 1, None, closed="left")],
        "categorical_features": ["array-like", StrOptions({"auto"}), None],
        "allow_nan": ["boolean"],
        "standardize": ["boolean"],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "n_jobs": [Integral, None],
        "device": [StrOptions({"auto", "cpu", "cuda"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "callback": [callable, None],
        "search_options": [dict, None],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        scoring: Any = "macro_f1",
        sampling_strategy: str = "auto",
        validation_fraction: float = 0.25,
        validation: tuple[Any, Any] | None = None,
        cv: Any = None,
        method: str = "class_aware",
        iterations: int = 300,
        final: str = "best",
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
        super().__init__(sampling_strategy=sampling_strategy)
        self.estimator = estimator
        self.scoring = scoring
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
        tags.input_tags.allow_nan = self.allow_nan
        return tags

    def _check_X_y(self, X: Any, y: Any, accept_sparse: Any = None) -> tuple[Any, NDArray, bool]:
        y, binarize_y = check_target_type(y, indicate_one_vs_all=True)
        X = check_rows(self, X, reset=True, **self._rows())
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        return X, y, binarize_y

    # Without the base class's **params, which it would ignore.
    def fit(self, X: Any, y: Any) -> AutoSMOTE:
        """Check the rows and labels alone."""
        check_kind(X)
        return super().fit(X, y)

    def fit_resample(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Search, and return the given rows followed by synthetic ones.

        Parameters
        ----------
        X : {array-like, DataFrame, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)

        Returns
        -------
        X_resampled : of the kind of X
        y_resampled : of the kind of y
        """
        check_kind(X)
        if np.ndim(y) == 1:  # else it is a table of indicators, which imbalanced-learn checks
            check_labels(y)
        try:
            return super().fit_resample(X, y)
        except InputError:
            raise
        except UserError as error:  # the search's word, with the names of the runner's settings
            raise InputError(_SETTING.sub("", str(error))) from error

    def _fit_resample(self, X: Any, y: NDArray) -> tuple[Any, NDArray]:
        given, X = X, dense(X)
        seed, config = seed_of(self.random_state), self._config()
        labels = self._labels(y)
        classes = np.unique(y)
        _check_classes(config, classes)
        encoder = Encoder(X, categorical_columns(X, self.categorical_features))
        estimator = self._estimator(encoder, seed)
        metric = resolve_scoring(self.scoring, len(classes))
        validation, cv = self._held_out(X, y, config, seed)
        folds = make_folds(
            X, y, fraction=self.validation_fraction, validation=validation, cv=cv, seed=seed
        )
        rows = SearchRows(y, folds, encoder, standardize=self.standardize)

        self.searches_: dict[Any, SearchResult] = {}
        self.sampling_counts_ = np.zeros(len(y), dtype=int)
        self.sampling_strategy_ = {}
        parents = []
        y_given, started = y, time.perf_counter()
        plain: Sequence[Part] = ()
        for done, label in enumerate(labels):
            result: SearchResult | None = None
            try:
                with self._held.released() if self._held else nullcontext():
                    searched = ClassSearch(
                        rows, label, estimator, metric=metric, seed=seed, config=config
                    )
                    score = _baseline(searched, encoder)
                    if done == 0:
                        plain, self.baseline_score_ = searched.problem.parts, score.values[0]
                    if self.time_limit is not None:
                        left = self.time_limit - (time.perf_counter() - started)
                        config.time_limit = max(left, 1e-9) / (len(labels) - done)
                    with self._progress(config.iterations) as report:
                        result = searched.run(report, fewer_rows=True)
            except KeyboardInterrupt as interrupt:
                result = result or getattr(interrupt, "result", None)
                if not self._held or (result is None and not done):
                    raise
                self._interrupt = interrupt
                if result is None:  # of this class; of others there are rows
                    break
            result = _with_nothing(result, searched.nothing(score), config.n_kept)
            if result.stopped_by == DIVERGED:
                warnings.warn(result.errors[-1], ConvergenceWarning, stacklevel=3)
            apart = validation is not None and not config.joins_parts
            trials = searched.trials(result, given, y_given, apart=apart)
            final = select_final(trials, config.final, config.keep)
            if config.final in VOTES:
                self.ensemble_ = final.model()
            chosen = final.chosen.sample_set
            for index, (fold, part) in enumerate(zip(folds, searched.problem.parts, strict=True)):
                fold.add(part, chosen.for_part(index))
            given, y_given = trials.table(final.chosen)
            self.searches_[label] = result
            self.sampling_counts_[searched.minority] = chosen.row_counts
            self.sampling_strategy_[label] = int(chosen.row_counts.sum())
            parents.append(searched.parents(chosen))
            self.left_out_ = searched.left_out(chosen)
            if self._interrupt is not None:
                break
        self.best_score_ = final.chosen.score
        self.parents_ = np.concatenate(parents)
        self.policies_ = {label: found.parameters for label, found in self.searches_.items()}
        self.history_ = _history(self.searches_)
        self._found(final, plain, estimator)
        return given, y_given

    def _found(self, final: FinalChoice, plain: Sequence[Part], estimator: Any) -> None:
        """Take what the search came to; the classifier built on this one makes its model of it.

        `plain` are the training and held-out parts without synthetic rows of any class.
        """

    def _held_out(
        self, X: Any, y: NDArray, config: SearchConfig, seed: int
    ) -> tuple[tuple[Any, NDArray] | None, Any]:
        """Return the rows to score by, or the folds, where there are such."""
        if config.ablation == "merge_train_val":
            if self.validation is not None or self.cv is not None:
                raise InputError(
                    "The ablation merge_train_val scores on the rows that it trains on; give "
                    "neither validation nor cv with it."
                )
            return (X, y), None
        if config.reward != "validation":
            if self.validation is not None:
                raise InputError(
                    f"reward={config.reward} holds out folds of the given rows; put those of "
                    "validation among them, and give no validation."
                )
            return None, shuffled_folds(config.folds, seed) if self.cv is None else self.cv
        if self.validation is None:
            return None, self.cv
        return check_validation(self, X, self.validation, **self._rows()), self.cv

    def _rows(self) -> dict[str, Any]:
        return {"categorical_features": self.categorical_features, "allow_nan": self.allow_nan}

    def _config(self) -> SearchConfig:
        n_jobs = effective_n_jobs(self.n_jobs)
        settings = {
            "method": _METHODS[self.method],
            "iterations": int(self.iterations),
            "final": self.final,
            "keep": int(self.keep),
            "G1": None if self.G1 is None else int(self.G1),
            "G2": int(self.G2),
            "K": int(self.K),
            "device": self.device,
            "actors": 0 if n_jobs == 1 else n_jobs,
        }
        if unknown := sorted(set(self.search_options or ()) - set(_FIELDS)):
            raise InputError(
                f"search_options has no {unknown[0]!r}; there are {', '.join(sorted(_FIELDS))}."
            )
        config = SearchConfig(**{**settings, **(self.search_options or {})})
        config.check()
        return config

    def _labels(self, y: NDArray) -> list[Any]:
        """Return the classes to over-sample, the smallest first."""
        sizes = {label: int(np.count_nonzero(y == label)) for label in self.sampling_strategy_}
        labels = sorted(sizes, key=sizes.__getitem__)
        for label in labels:
            if sizes[label] < 2:
                raise InputError(
                    f"Class {label} has {sizes[label]} row, and a search needs 2: one to make "
                    "rows from, and one to be judged by. Get more data, or leave the class out."
                )
        return labels

    def _estimator(self, encoder: Encoder, seed: int) -> Any:
        """Return the classifier, reproducible."""
        if self.estimator is None:
            tree = seeded(DecisionTreeClassifier(), seed)
            return tabular(tree, categorical=encoder.categorical) if encoder.has_text else tree
        check_no_regressor(self.estimator)
        return seeded(self.estimator, seed)

    @contextmanager
    def _progress(self, total: int) -> Iterator[OnIteration | None]:
        if not self.verbose:
            yield self.callback
            return
        name = self.scoring if isinstance(self.scoring, str) else "score"
        with logging_to_stderr(), Progress(total, name) as progress:

            def report(iteration: int, reward: float, best: float) -> None:
                progress.update(iteration, reward, best)
                if self.callback is not None:
                    self.callback(iteration, reward, best)

            yield report


def _check_classes(config: SearchConfig, classes: NDArray) -> None:
    """Refuse what works for two classes alone."""
    for setting, value in (("under_sampling", config.under_sampling), ("final", config.final)):
        if value not in (False, "best") and len(classes) > 2:
            raise InputError(
                f"{setting}={value} works for two classes, but there are {len(classes)}; leave it "
                "out."
            )


def _baseline(searched: ClassSearch, encoder: Encoder) -> Score:
    """Score without synthetic rows; a fault of the estimator or the scorer shows here first."""
    try:
        problem = searched.problem
        reward = Reward(problem.estimator, problem.parts, problem.metric, scoring="refit")
        return reward.score([part.maker.space.no_samples() for part in problem.parts])
    except (TypeError, ValueError) as error:
        if _refuses_labels(problem):
            raise InputError(
                f"The estimator fails on the labels ({error}), and not on 0, 1 and so on in their "
                "place; give it these, as sklearn.preprocessing.LabelEncoder makes them."
            ) from error
        if not encoder.has_text:
            raise
        raise InputError(
            f"The estimator fails on the given rows, which hold categories ({error}). It is "
            "trained on rows as they are returned: put an encoder in front, as "
            "autosmote.encoding.tabular(estimator) does."
        ) from error


def _refuses_labels(problem: SpaceProblem) -> bool:
    """Return whether a classifier that failed does not if the labels are 0, 1 and so on."""
    part = problem.parts[0]
    labels, codes = np.unique(part.y_train, return_inverse=True)
    if np.array_equal(labels, np.arange(len(labels))):
        return False
    try:
        clone(problem.estimator).fit(lend(part.X_train, problem.estimator), codes)
    except Exception as error:  # of any kind, as it failed before
        let_interrupts_through(error)
        return False
    return True


def _with_nothing(result: SearchResult, nothing: Candidate, n_kept: int) -> SearchResult:
    """Put "no synthetic rows" among the candidates; ties go to fewer rows."""
    empty = nothing.sample_set.content()
    found = [one for one in result.candidates if one.sample_set.content() != empty]
    if np.isfinite(nothing.score):
        found.append(nothing)
    found.sort(key=lambda one: (-one.score, int(one.sample_set.row_counts.sum())))
    return dataclasses.replace(result, candidates=tuple(found[:n_kept]))


def _history(searches: Mapping[Any, SearchResult]) -> dict[str, NDArray]:
    labels = np.repeat(list(searches), [found.iterations for found in searches.values()])
    columns = [found.history for found in searches.values()]
    return {"label": labels} | {
        name: np.concatenate([column[name] for column in columns]) for name in columns[0]
    }
