"""Cross-validate the ways to treat an imbalanced table: `autosmote.compare`."""

from __future__ import annotations

import logging
import os
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length

from autosmote.errors import (
    InputError,
    describe_error,
    interrupts_let_through,
    let_interrupts_through,
)
from autosmote.isolation.processes import end_with_parent
from autosmote.own_table.conclusion import Results, conclude
from autosmote.own_table.estimators import prepare
from autosmote.own_table.intervals import paired_difference
from autosmote.own_table.methods import (
    AS_IT_IS,
    METHODS,
    NotHereError,
    Setting,
    make_method,
    score_with,
)
from autosmote.own_table.ranges import FOLDS, ITERATIONS, REPEATS, SEEDS
from autosmote.progress import StepProgress, duration, logging_to_stderr
from autosmote.sampler.checks import check_kind, check_labels, seed_of
from autosmote.scoring.threads import single_threaded

if TYPE_CHECKING:
    import pandas as pd


logger = logging.getLogger("autosmote")

_LONG = 180.0
"""Seconds from which on a comparison says what would be quicker."""
_FEW = 60
"""Iterations that a first answer takes."""


@dataclass(frozen=True)
class _Fit:
    """One method on one split."""

    method: str
    split: int
    score: float = float("nan")
    seconds: float = float("nan")
    error: str = ""


class ComparisonInterrupted(KeyboardInterrupt):
    """An interrupt after some splits.

    Attributes
    ----------
    table : DataFrame
        As of `compare`, of the splits that every method has finished; its "conclusion" says that
        there is none.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        super().__init__()
        self.table = table


def compare(
    X: Any,
    y: Any,
    estimator: Any = None,
    *,
    scoring: Any = "macro_f1",
    methods: Sequence[str] | None = None,
    folds: int = 5,
    repeats: int = 2,
    iterations: int = 300,
    time_limit: float | None = None,
    n_jobs: int | None = None,
    random_state: Any = 0,
    verbose: int = 0,
) -> pd.DataFrame:
    """Compare the ways to treat an imbalanced table on rows that none of them has seen.

    Repeated stratified cross-validation; whatever a method tunes, it tunes on folds of a split's
    training rows.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        Of two or more classes.
    estimator : str or scikit-learn classifier, default=None
        A name, as of `autosmote compare --estimator`, an import path, or a classifier; None is a
        decision tree. Behind an encoder where the table holds categories or gaps.
    scoring : str or callable, default="macro_f1"
        "macro_f1", "mcc", "balanced_accuracy", "average_precision", "f2", "geometric_mean", the
        name of a scikit-learn scorer, or a scorer. Scorers see labels 0, 1, ..., the rarest class
        last.
    methods : sequence of str, default=None
        Names of `autosmote.own_table.methods.METHODS`, all by default. The table as it is, which
        the others are compared with, is always among them.
    folds, repeats : int, default=5 and 2
        Of the cross-validation.
    iterations : int, default=300
        Of each search.
    time_limit : float, default=None
        Seconds after which each search takes the best so far.
    n_jobs : int, default=None
        Fits at a time; -1 for as many as there are cores.
    random_state : int, RandomState instance or None, default=0
        Of the splits, the methods, and the estimator where it has none.
    verbose : int, default=0
        Above 0: show the progress.

    Returns
    -------
    DataFrame
        A row for each method: "score" and "std" over the splits, "difference" to the table as it
        is with its 95% interval "low" to "high", CPU "seconds" of a fit, and a "note" where there
        is no score. Its `attrs` hold "conclusion", one sentence, "metric", and "splits", the
        scores of each method.

    Raises
    ------
    InputError
        Where a class has fewer than four rows, a label is missing, a name is not known, the
        estimator is no classifier, or X is another package's table, has two columns of one name, a
        column that is neither of numbers nor of categories, numbers that overflow, or so many
        categories that their one-hot columns would not fit into memory.
    ValueError
        Where X and y are not equally long, or y holds no classes, such as decimals.
    autosmote.own_table.comparison.ComparisonInterrupted
        At Ctrl-C, with the table of the splits so far, where every method has finished one.

    Examples
    --------
    >>> import autosmote
    >>> from sklearn.datasets import make_classification
    >>> X, y = make_classification(n_samples=200, weights=[0.8], random_state=1)
    >>> found = autosmote.compare(X, y, "logistic", methods=["tuned threshold"], repeats=1)
    >>> list(found.index)
    ['as it is', 'tuned threshold']
    """
    check_kind(X)
    X = X if hasattr(X, "shape") else np.asarray(X)  # of lists
    labels, y = encode_labels(y)
    check_consistent_length(X, y)
    random_state = seed_of(random_state)
    _check(methods, folds, repeats, iterations, time_limit, random_state)
    smallest = check_classes(labels, y, 4, "to cross-validate with")
    # At least two rows of each class have to be left to train on, and one to be scored by.
    folds = min(folds, max(2, smallest))
    prepared = prepare("dt" if estimator is None else estimator, X, random_state)
    if effective_n_jobs(n_jobs) > 1:  # a classifier's own threads would compete with other fits
        prepared = replace(prepared, estimator=single_threaded(prepared.estimator))
    setting = Setting(prepared, scoring, len(labels), iterations, time_limit, random_state)
    _ = setting.scorer  # an unknown name is found before any work
    names = [name for name in METHODS if methods is None or name in methods or name == AS_IT_IS]
    models: dict[str, Any] = {}
    notes: dict[str, str] = {}
    for name in names:
        try:
            models[name] = make_method(name, setting)
        except NotHereError as error:
            notes[name] = str(error)
    n_splits = folds * repeats
    metric = scoring if isinstance(scoring, str) else "score"
    fits: list[_Fit] = []
    try:
        with interrupts_let_through():
            splits = _splits(y, folds, repeats, random_state)
            _fit_all(models, X, y, splits, n_splits, setting, n_jobs, verbose, fits)
    except KeyboardInterrupt as interrupt:
        n_fits = Counter(fit.split for fit in fits)
        whole = [fit for fit in fits if n_fits[fit.split] == len(models)]
        if not whole:
            raise
        with suppress(InputError):  # there is nothing to compare with: no more than an interrupt
            table = _table(names, whole, notes, folds, metric)
            table.attrs["conclusion"] = (
                f"Interrupted after {len(whole) // len(models)} of {n_splits} splits: the table "
                "is of these alone, and nothing is concluded from it."
            )
            raise ComparisonInterrupted(table) from interrupt
        raise
    table = _table(names, fits, notes, folds, metric)
    results = Results(table.attrs["splits"], metric, folds, smallest, str(labels[-1]))
    table.attrs["conclusion"] = conclude(results)
    return table


def encode_labels(y: Any) -> tuple[NDArray, NDArray[np.int64]]:
    """Return the classes from the largest to the rarest, and each row's number in them.

    Raises
    ------
    ValueError
        As `autosmote.sampler.checks.check_labels` does.
    """
    with warnings.catch_warnings():
        # check_classes says it with the name of a class that has one row.
        warnings.filterwarnings("ignore", "The number of unique classes")
        check_labels(y)
    labels = np.asarray(y).reshape(-1)  # whole numbers that pandas holds are floats once checked
    classes, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(classes), dtype=np.int64)
    rank[order] = np.arange(len(classes))
    return classes[order], rank[codes]


def check_classes(labels: NDArray, y: NDArray[np.int64], least: int, purpose: str) -> int:
    """Return the size of the rarest of the classes that `encode_labels` found.

    Raises
    ------
    InputError
        Where there is one class alone, or its rows are too few: in the names that the user knows.
    """
    if len(labels) < 2:
        raise InputError(f"All rows are of class '{labels[0]}', and two are needed {purpose}.")
    smallest = int(np.bincount(y).min())
    if smallest < least:
        rows = f"{smallest} row{'s' * (smallest > 1)}"
        raise InputError(
            f"Class '{labels[-1]}' has {rows}, and {least} are needed {purpose}; get more, or "
            "leave the class out."
        )
    return smallest


def _check(
    methods: Sequence[str] | None,
    folds: int,
    repeats: int,
    iterations: int,
    time_limit: float | None,
    random_state: int,
) -> None:
    for name in methods or ():
        if name not in METHODS:
            raise InputError(f"There is no method '{name}'; there are {', '.join(METHODS)}.")
    for name, value, (least, most) in (
        ("folds", folds, FOLDS),
        ("repeats", repeats, REPEATS),
        ("iterations", iterations, ITERATIONS),
        ("random_state", random_state, SEEDS),
    ):
        if not (isinstance(value, Integral) and least <= value <= most):
            raise InputError(
                f"{name} must be a whole number from {least:,} to {most:,}, not {value!r}."
            )
    if time_limit is not None and not (isinstance(time_limit, Real) and 0 < time_limit < np.inf):
        raise InputError(f"time_limit must be a number of seconds above 0, not {time_limit!r}.")


def _splits(
    y: NDArray, folds: int, repeats: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    from sklearn.model_selection import RepeatedStratifiedKFold

    cv = RepeatedStratifiedKFold(n_splits=folds, n_repeats=repeats, random_state=seed)
    yield from cv.split(np.zeros(len(y)), y)


def _fit_all(
    models: dict[str, Any],
    X: Any,
    y: NDArray,
    splits: Iterable[tuple[NDArray, NDArray]],
    n_splits: int,
    setting: Setting,
    n_jobs: int | None,
    verbose: int,
    found: list[_Fit],
) -> None:
    """Append the fits as they end, so that those before an interrupt are there."""
    from contextlib import ExitStack

    from joblib import Parallel, delayed, parallel_config

    n_fits = n_splits * len(models)
    started = time.monotonic()
    with ExitStack() as stack:
        if verbose:
            stack.enter_context(logging_to_stderr())
        progress = stack.enter_context(StepProgress(n_fits, "fits")) if verbose else None
        # A fit's own threads would compete with the other fits.
        # What starts the processes must not be a thread that ends before them.
        in_main = threading.current_thread() is threading.main_thread()
        ending = {"initializer": end_with_parent, "initargs": (os.getpid(),)} if in_main else {}
        stack.enter_context(parallel_config("loky", inner_max_num_threads=1, **ending))
        parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")
        done: Iterable[_Fit] = parallel(
            delayed(_fit_one)(name, number, model, X, y, *split, setting.scorer)
            for number, split in enumerate(splits)
            for name, model in models.items()
        )
        for fit in done:
            found.append(fit)
            if progress:
                progress.update(len(found), fit.method)
            if verbose and len(found) == len(models):
                _advise((time.monotonic() - started) * n_splits, setting.iterations)


def _advise(seconds: float, iterations: int) -> None:
    """Say what is quicker than a comparison that will take so long."""
    if seconds > _LONG:
        logger.info(
            "All will take about %s; for a first answer take fewer repeats, folds, iterations or "
            "methods%s.",
            duration(seconds),
            f", such as --repeats 1 --iterations {_FEW}" if iterations > _FEW else "",
        )


def _fit_one(
    name: str,
    split: int,
    model: Any,
    X: Any,
    y: NDArray,
    train: NDArray,
    test: NDArray,
    scorer: Any,
) -> _Fit:
    """Fit a method on a split's training rows and score it on the others."""
    from sklearn.base import clone
    from sklearn.utils import _safe_indexing

    started = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of each of thousands of inner fits
            fitted = clone(model).fit(_safe_indexing(X, train), y[train])
            seconds = time.process_time() - started
            score = score_with(scorer, fitted, _safe_indexing(X, test), y[test])
    except Exception as error:
        let_interrupts_through(error)
        return _Fit(name, split, error=describe_error(error))
    if not np.isfinite(score):
        return _Fit(name, split, error=f"the score is {score}")
    return _Fit(name, split, score, seconds)


def _table(
    names: Sequence[str],
    fits: Sequence[_Fit],
    notes: dict[str, str],
    folds: int,
    metric: str,
) -> pd.DataFrame:
    """Return the table of a comparison by the fits of whole splits.

    Raises
    ------
    InputError
        If the table as it is has no scores.
    """
    import pandas as pd

    fits = sorted(fits, key=lambda fit: fit.split)  # they ended in any order
    notes = {fit.method: fit.error for fit in reversed(fits) if fit.error} | notes
    if AS_IT_IS in notes:
        raise InputError(f"The classifier fails on the table as it is: {notes[AS_IT_IS]}")
    scored = {
        name: [fit for fit in fits if fit.method == name] for name in names if name not in notes
    }
    scores = {name: [fit.score for fit in own] for name, own in scored.items()}
    rows = {}
    for name in names:
        row: dict[str, Any] = dict.fromkeys(
            ("score", "std", "difference", "low", "high", "seconds"), float("nan")
        )
        if name in scores:
            found = paired_difference(scores[name], scores[AS_IT_IS], test_share=1 / (folds - 1))
            row["score"] = np.mean(scores[name])
            if len(scores[name]) > 1:
                row["std"] = np.std(scores[name], ddof=1)
            row |= {"difference": found.mean, "low": found.low, "high": found.high}
            row["seconds"] = np.mean([fit.seconds for fit in scored[name]])
        rows[name] = row | {"note": notes.get(name, "")}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")
    table.attrs |= {"metric": metric, "splits": scores}
    return table
