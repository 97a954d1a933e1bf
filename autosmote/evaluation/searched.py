"""A search, and what it is compared with, for a split: many sample sets, and one conclusion."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.config.schema import SamplerSettings
from autosmote.config.search import SearchConfig, resolve_G1
from autosmote.errors import UserError, describe_error, let_interrupts_through
from autosmote.evaluation.results import Scores, both_metrics
from autosmote.isolation.sandbox import ChildFailed

if TYPE_CHECKING:
    from autosmote.data.splits import Split
    from autosmote.evaluation.protocol import Choice, Resampled
    from autosmote.sampler.search_trials import SearchTrials
    from autosmote.sampler.selection import Conclusion, Trials
    from autosmote.search.candidates import Candidate

OnIteration = Callable[[int, float, float], None]


def search(
    split: Split, choices: Sequence[Choice], seed: int, on_iteration: OnIteration | None
) -> None:
    """Search once with AutoSMOTE, and let each choice's rule conclude."""
    from autosmote.sampler.autosmote import AutoSMOTE

    class Searching(AutoSMOTE):
        """Keeps what it tried, for several rules."""

        trials: SearchTrials

        def _conclude(self, trials: SearchTrials, config: SearchConfig) -> Candidate:
            self.trials = trials
            return trials.candidates[0]

    # The settings that keep most sample sets serve the others.
    config = max((choice.search for choice in choices), key=lambda config: config.n_kept)
    given, validation = _given(split, config)
    sampler = Searching(
        choices[0].classifier.estimator,
        scoring=choices[0].metric,
        validation=None if config.ablation == "merge_train_val" else validation,
        standardize=False,  # the split is preprocessed
        random_state=seed,
        callback=on_iteration,
        search_options=asdict(config)
        | {"G1": resolve_G1(config, split.ir_train if split.ir is None else split.ir)},
    )

    def work() -> None:
        sampler.fit_resample(*given)

    def conclude_one(choice: Choice) -> None:
        choice.result = sampler.trials.result_of(_conclude(choice, sampler.trials, split, given))
        choice.seconds |= choice.result.seconds

    _do(choices, work, conclude_one)


def try_resamplings(
    split: Split,
    choices: Sequence[Choice],
    settings: SamplerSettings,
    ratios: Sequence[float | None],
    seed: int,
    on_iteration: OnIteration | None,
) -> None:
    """Try a resampler's ratios and seeds once, and let each choice's rule conclude."""
    from sklearn.model_selection import StratifiedKFold

    from autosmote.config.targets import make_sampler
    from autosmote.sampler.folds import Fold, make_folds
    from autosmote.sampler.resamplings import Resamplings

    config = choices[0].search
    given, validation = _given(split, config)
    in_folds = StratifiedKFold(config.folds, shuffle=True, random_state=seed)

    def resample(seed: int, ratio: float | None, X: np.ndarray, y: np.ndarray) -> Resampled:
        return make_sampler(settings, seed).fit(X, y, groups=split.groups).resample(ratio)

    def folds_of(rows: Resampled, validation: Resampled | None = None) -> list[Fold]:
        cv = in_folds if validation is None else None
        return make_folds(*rows, fraction=0, validation=validation, cv=cv, seed=seed)

    tried = Resamplings(
        resample,
        ratios,
        seed,
        choices[0].classifier.estimator,
        *given,
        folds=folds_of(given, validation),
        apart=validation is not None,
    )

    def work() -> None:
        tried.run(config.iterations, choices[0].metric, on_iteration)

    def conclude_one(choice: Choice) -> None:
        trials = tried.trials[choice.metric]
        if not trials.candidates:
            choice.fail(ChildFailed("failed", tried.errors[0]))
            return
        choice.result = tried.result(choice.metric, _conclude(choice, trials, split, given))
        choice.warnings += tried.errors

    _do(choices, work, conclude_one)


def _do(
    choices: Sequence[Choice], work: Callable[[], None], conclude_one: Callable[[Choice], None]
) -> None:
    """Work once for all choices, then conclude each."""
    started = time.perf_counter()
    try:
        with choices[0].classifier.observed(timed=False):
            work()
        seconds = time.perf_counter() - started
        for choice in choices:
            conclude_one(choice)
            choice.sampling_seconds += seconds
    except UserError:
        raise
    except Exception as error:
        let_interrupts_through(error)
        traceback.print_exc()
        status = "memory" if isinstance(error, MemoryError) else "failed"
        for choice in choices:
            choice.fail(ChildFailed(status, describe_error(error)))


def _given(split: Split, config: SearchConfig) -> tuple[Resampled, Resampled | None]:
    """Rows to learn from, and those to score by where they are others."""
    if config.ablation == "merge_train_val" or config.reward != "validation":
        return _joined(split), None
    return (split.X_train, split.y_train), (split.X_val, split.y_val)


def _joined(split: Split) -> Resampled:
    """The rows of the training and the validation part."""
    return np.vstack([split.X_train, split.X_val]), np.append(split.y_train, split.y_val)


def _conclude(choice: Choice, trials: Trials, split: Split, given: Resampled) -> Any:
    """Let a choice's rule choose among what was tried, or make a vote of it; the candidate."""
    from autosmote.sampler.selection import conclude

    config, classifier = choice.search, choice.classifier
    with classifier.observed(timed=False), trials.charged() as seconds:
        conclusion = conclude(trials, config.final, config.keep)
        if config.reward == "validation":
            seen = conclusion.called(0) if trials.apart else conclusion.calls(split.X_val)
            scores = both_metrics(split.y_val, seen.astype(np.int8))
        else:
            choice.reference, scores = _scores_on_folds(conclusion, classifier.equal)
        predictions = conclusion.calls(split.X_test).astype(np.int8)
        choice.sampling_seconds += seconds()
    choice.take(scores, lambda: predictions, trials.table(conclusion.chosen))
    choice.y_given = given[1]
    return conclusion.chosen


def _scores_on_folds(conclusion: Conclusion, estimator: Any) -> tuple[Scores, Scores]:
    """Mean scores over the folds: of the classifier as it is, and of the conclusion's."""
    from sklearn.base import clone

    plain, concluded = [], []
    for index, fold in enumerate(conclusion.trials.held_out):
        model = clone(estimator).fit(fold.X_train, fold.y_train)
        plain.append(both_metrics(fold.y_val, model.predict(fold.X_val)))
        concluded.append(both_metrics(fold.y_val, conclusion.called(index).astype(np.int8)))
    return _mean(plain), _mean(concluded)


def _mean(scores: Sequence[Scores]) -> Scores:
    return {metric: float(np.mean([found[metric] for found in scores])) for metric in scores[0]}
