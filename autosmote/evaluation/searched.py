"""Evaluate a search, or the resamplings it is compared with, on a split.

One search serves several choices, which differ in the rule that makes the final classifier
(`search.final`); resamplings, and a search that learns nothing, serve several metrics too.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.config.schema import SamplerSettings
from autosmote.config.search import SearchConfig
from autosmote.errors import UserError, describe_error, let_interrupts_through
from autosmote.evaluation.choice import SplitClassifier
from autosmote.evaluation.results import Scores, both_metrics, mean_scores
from autosmote.isolation.sandbox import ChildFailed

if TYPE_CHECKING:
    from autosmote.data.splits import Split
    from autosmote.evaluation.choice import Choice, Table
    from autosmote.sampler.folds import Fold
    from autosmote.sampler.search_trials import Trials
    from autosmote.sampler.selection import FinalChoice
    from autosmote.search.loop import OnIteration
    from autosmote.search.result import SearchResult

    Found = tuple[SearchResult, Trials]


def classifier_without_resampling(
    estimator: Any, split: Split, config: SearchConfig, seed: int
) -> SplitClassifier:
    """Fit a classifier as it is, on the rows that a search's final classifiers learn from.

    With `search.reward=crossfit` these are the training and validation rows: compared with the
    training part alone, a search would be credited with the rows that it was given more. The
    ablation merge_train_val joins the parts too, and keeps the training part's reference: its
    validation scores mean nothing.
    """
    from autosmote.sampler.folds import make_folds, shuffled_folds

    if config.reward != "crossfit":
        return SplitClassifier(estimator, split)
    given = _rows_to_learn_from(split, config)
    cv = shuffled_folds(config.folds, seed)
    folds = make_folds(*given, fraction=0, validation=None, cv=cv, seed=seed)
    return SplitClassifier(estimator, split, given, folds)


def search_split(
    split: Split, choices: Sequence[Choice], seed: int, on_iteration: OnIteration | None
) -> None:
    """Search once for the minority class of a split, and let each choice's rule select.

    The choices are of one classifier and, unless the search learns nothing, of one metric; their
    settings differ in `final` and `keep` alone. `on_iteration` is called with the scores of the
    first choice's metric.
    """
    from autosmote.sampler.class_search import ClassSearch, SearchRows, seeded

    # The settings that keep most candidates serve the others.
    config = max((choice.search for choice in choices), key=lambda config: config.n_kept)
    X, y = given = _rows_to_learn_from(split, config)
    metrics = _metrics(choices)

    def run() -> Callable[[Choice], Found]:
        rows = SearchRows.plain(X, y, _folds(choices[0].classifier, given, config, seed))
        searched = ClassSearch(
            rows,
            1,
            seeded(choices[0].classifier.estimator, seed),
            metric=metrics[0],
            further=metrics[1:],
            seed=seed,
            config=config,
            ir=split.ir_train if split.ir is None else split.ir,
        )
        results = searched.run_by_each(on_iteration)

        def found(choice: Choice) -> Found:
            result, apart = results[metrics.index(choice.metric)], not config.joins_parts
            return result, searched.trials(result, X, y, apart=apart, metric=choice.metric)

        return found

    _evaluate(split, choices, given, run)


def search_resamplings(
    split: Split,
    choices: Sequence[Choice],
    settings: SamplerSettings,
    ratios: Sequence[float | None],
    seed: int,
    on_iteration: OnIteration | None,
) -> None:
    """Search a resampler's seeds and, in turn, ratios, and let each choice's rule select.

    The choices are of one classifier; their settings differ in `final` and `keep` alone.
    `on_iteration` is called with the scores of the first choice's metric.
    """
    from autosmote.config.targets import make_sampler
    from autosmote.sampler.search_trials import ResampledTables, Trials
    from autosmote.search.loop import search
    from autosmote.search.resamplings import ResamplingMethod, make_fold_scorers

    # These three are no part of the identity of such a run.
    config = max((choice.search for choice in choices), key=lambda config: config.n_kept)
    config = replace(config, patience=None, time_limit=None, ablation="none")
    X, y = given = _rows_to_learn_from(split, config)
    folds = _folds(choices[0].classifier, given, config, seed)
    estimator, groups = choices[0].classifier.estimator, split.groups

    def resample(seed: int, ratio: float | None, X: np.ndarray, y: np.ndarray) -> Table:
        return make_sampler(settings, seed).fit(X, y, groups=groups).resample(ratio)

    metrics = _metrics(choices)

    def run() -> Callable[[Choice], Found]:
        method = ResamplingMethod(resample, ratios, seed, estimator, folds, metrics)
        results = search(method, config, n_metrics=len(metrics), on_iteration=on_iteration)
        scorers = make_fold_scorers(estimator, folds)
        tables = ResampledTables(resample, X, y, folds, scorers)

        def found(choice: Choice) -> Found:
            result = results[metrics.index(choice.metric)]
            trials = Trials(
                result.candidates, tables, estimator, folds,
                apart=not config.joins_parts, label=1, metric=choice.metric,
            )  # fmt: skip
            return result, trials

        return found

    _evaluate(split, choices, given, run)


def _metrics(choices: Iterable[Choice]) -> list[str]:
    """Return each metric of some choices once."""
    return list(dict.fromkeys(choice.metric for choice in choices))


def _evaluate(
    split: Split,
    choices: Sequence[Choice],
    given: Table,
    run: Callable[[], Callable[[Choice], Found]],
) -> None:
    """Search once for all choices, then let each one's rule select."""
    started = time.perf_counter()
    try:
        with choices[0].classifier.observed(timed=False):
            found = run()
    except Exception as error:
        _fail(choices, error)
        return
    seconds = time.perf_counter() - started
    by_metric: dict[str, Found] = {}
    for choice in choices:
        if choice.metric not in by_metric:
            by_metric[choice.metric] = found(choice)
        choice.searched, _ = by_metric[choice.metric]
    for choice in choices:
        choice.sampling_seconds += seconds
        try:
            _choose(choice, *by_metric[choice.metric], split, given)
        except Exception as error:  # of this rule: the others have theirs
            _fail([choice], error)


def _fail(choices: Iterable[Choice], error: Exception) -> None:
    """Note an error as that of some choices; a user's mistake is raised."""
    let_interrupts_through(error)
    if isinstance(error, UserError):
        raise error
    traceback.print_exception(error)
    status = "memory" if isinstance(error, MemoryError) else "failed"
    for choice in choices:
        choice.fail(ChildFailed(status, describe_error(error)))


def _choose(
    choice: Choice, result: SearchResult, trials: Trials, split: Split, given: Table
) -> None:
    choice.warnings += result.errors
    if result.candidates:
        _select(choice, result, trials, split, given)
    else:
        choice.fail(ChildFailed("failed", result.errors[0]))


def _rows_to_learn_from(split: Split, config: SearchConfig) -> Table:
    """Return the rows that synthetic rows are made from, and their labels."""
    if config.joins_parts:
        return np.vstack([split.X_train, split.X_val]), np.append(split.y_train, split.y_val)
    return split.X_train, split.y_train


def _folds(
    classifier: SplitClassifier, given: Table, config: SearchConfig, seed: int
) -> list[Fold]:
    """Return the training parts and the held-out rows that go with them."""
    from autosmote.sampler.folds import make_folds

    if classifier.folds:  # the same as those by which "no resampling" is scored
        return list(classifier.folds)
    split = classifier.split
    held_out = given if config.joins_parts else (split.X_val, split.y_val)
    return make_folds(*given, fraction=0, validation=held_out, cv=None, seed=seed)


def _select(
    choice: Choice, result: SearchResult, trials: Trials, split: Split, given: Table
) -> None:
    """Apply a choice's rule to the candidates of a search."""
    from autosmote.sampler.selection import select_final
    from autosmote.search.result import DIVERGED

    config, classifier = choice.search, choice.classifier
    with (
        classifier.observed(choice, timed=False) as caught,
        trials.rule_alone(caught) as seconds,
    ):
        final = select_final(trials, config.final, config.keep)
        if config.reward == "validation":
            predicted = (
                final.predict_held_out(0) if trials.apart else final.predict_minority(split.X_val)
            )
            scores = both_metrics(split.y_val, predicted.astype(np.int8))
        else:
            scores = _score_on_folds(final)
        predictions = final.predict_minority(split.X_look).astype(np.int8)
        choice.sampling_seconds += seconds()
    table = trials.table(final.chosen)
    # All at once, now that nothing can fail: an imputed run has the scores of no resampling alone.
    choice.result = result
    choice.seconds |= result.seconds
    choice.take(scores, lambda: predictions, table)
    choice.y_given = given[1]
    if result.stopped_by == DIVERGED:
        choice.fail_with_best(result.errors[-1])


def _score_on_folds(final: FinalChoice) -> Scores:
    """Return a final choice's mean scores over the folds."""
    return mean_scores(
        [
            both_metrics(fold.y_val, final.predict_held_out(index).astype(np.int8))
            for index, fold in enumerate(final.trials.held_out)
        ]
    )
