"""The paper's protocol: choose on validation, retrain, look at the test labels once.

Every sampler uses the validation part: a search and methods such as MESA as their reward, every
other one by a grid over the ratio n_min/n_maj (`evaluation.ratio_grid`). A resampled training part
is made once and serves all classifiers and metrics that are asked for together, and a search serves
all rules for its candidates (`evaluation.searched`). The test labels are `SealedLabels`, which
open once for each choice, when all is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from autosmote.config.kinds import KINDS
from autosmote.config.schema import LimitSettings, SamplerSettings
from autosmote.config.search import SearchConfig
from autosmote.evaluation import searched
from autosmote.evaluation.choice import Choice, SplitClassifier
from autosmote.evaluation.ratio_grid import RATIOS, ratios_above, tune_ratio
from autosmote.evaluation.results import Evaluation, both_metrics
from autosmote.evaluation.sandboxed import SandboxedMethod, SandboxedResampler
from autosmote.isolation.sandbox import ChildFailed

if TYPE_CHECKING:  # all import far more than is needed to read a configuration
    from autosmote.data.splits import Split
    from autosmote.search.loop import OnIteration

Job = tuple[Any, str]
"""An unfitted scikit-learn classifier, and the metric by which to choose."""


def evaluate(
    split: Split,
    sampler: SamplerSettings,
    jobs: Sequence[Job],
    *,
    seed: int,
    limits: LimitSettings | None = None,
    search: SearchConfig | Sequence[SearchConfig] | None = None,
    on_start: Callable[[], None] | None = None,
    on_iteration: OnIteration | None = None,
    mistakes_fail: bool = False,
) -> list[Evaluation | Exception]:
    """Choose a resampling on validation, retrain, evaluate once on the test part.

    Parameters
    ----------
    split : Split
    sampler : SamplerSettings
    jobs : sequence of (classifier, metric)
        The metric is the reward, or that by which a ratio is chosen. One and the same classifier
        is fitted once for all its metrics. A method takes one job; a search takes several that
        are the same but for their settings, and, if it learns nothing, their metrics.
    seed : int
        Of the sampler and of the search.
    limits : LimitSettings, optional
        Of a resampler or a method.
    search : SearchConfig, or a sequence of them, optional
        Settings of the search, or those of each job: these differ in `final` and `keep` alone.
    on_start : callable, optional
        Called when the sampler is made, before the first fit.
    on_iteration : callable, optional
        Called by the search with (iteration, reward, best so far).
    mistakes_fail : bool
        Let a sampler that cannot be made be a failure, instead of the user's mistake.

    Returns
    -------
    list
        For each job its evaluation, or the error with which its classifier cannot be trained
        even on the rows as they are.

    Raises
    ------
    UserError
        If the sampler cannot be made from its settings.
    SearchInterrupted
        With the results so far, one for each metric, in the order of the jobs.
    """
    kind = KINDS[sampler.kind]
    assert len(jobs) == 1 or not kind.is_classifier
    if search is None or isinstance(search, SearchConfig):
        search = [search or SearchConfig()] * len(jobs)
    child: SandboxedResampler | SandboxedMethod | None = None
    failure: ChildFailed | None = None
    if kind.is_sandboxed:
        make = SandboxedMethod if kind.is_classifier else SandboxedResampler
        try:
            child = make(sampler, seed, limits or LimitSettings(), mistakes_fail=mistakes_fail)
        except ChildFailed as error:
            failure = error

    def fit_as_it_is(estimator: Any) -> SplitClassifier:
        if kind.is_search:  # all jobs have the same reward
            return searched.classifier_without_resampling(estimator, split, search[0], seed)
        return SplitClassifier(estimator, split)

    choices: list[Choice] = []
    with _interrupted_with_results(choices):
        with closing(child) if child else nullcontext():
            if on_start:
                on_start()
            classifiers = {id(estimator): fit_as_it_is(estimator) for estimator, _ in jobs}
            choices += [
                Choice(classifiers[id(estimator)], metric, settings)
                for (estimator, metric), settings in zip(jobs, search, strict=True)
            ]
            possible = [choice for choice in choices if choice.classifier.failure is None]
            if failure:
                for choice in possible:
                    choice.fail(failure)
            elif possible and isinstance(child, SandboxedResampler):
                tune_ratio(child, RATIOS if sampler.takes_ratio else (None,), split, possible)
            elif possible and isinstance(child, SandboxedMethod):
                _evaluate_method(child, split, possible[0])
            elif possible and kind.params_are_search_settings:
                searched.search_split(split, possible, seed, on_iteration)
            elif possible and kind.is_search:
                ratios = ratios_above(split.y_train) if sampler.takes_ratio else (None,)
                searched.search_resamplings(split, possible, sampler, ratios, seed, on_iteration)
        if child:
            work = "learn" if kind.is_classifier else "generate"
            for choice in possible:
                choice.seconds[work] = choice.sampling_seconds = child.seconds
                choice.warnings += child.warnings
                choice.peak_memory_mb = child.peak_memory_mb
        return [choice.classifier.failure or choice.evaluation() for choice in choices]


@contextmanager
def _interrupted_with_results(choices: Sequence[Choice]) -> Iterator[None]:
    """Let an interrupt after a search have its results, too."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        found = {choice.metric: choice.searched for choice in choices}
        if not any(found.values()):  # it has its own results, or there are none
            raise
        from autosmote.search.result import SearchInterrupted

        raise SearchInterrupted(list(found.values())) from interrupt


def _evaluate_method(method: SandboxedMethod, split: Split, choice: Choice) -> None:
    """Evaluate a method, which is its own classifier."""
    try:
        method.fit(
            *(split.X_train, split.y_train, split.X_val, split.y_val),
            estimator=choice.classifier.drop_in,
            metric=choice.metric,
        )
        validation, look = method.predict(split.X_val), method.predict(split.X_look)
    except ChildFailed as failure:
        choice.fail(failure)
    else:
        choice.take(both_metrics(split.y_val, validation), lambda: look)
