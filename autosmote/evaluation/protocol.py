"""Split + sampler + classifiers -> scores: choice on validation, one look at the test labels.

Every sampler uses the validation part: AutoSMOTE and methods such as MESA as their reward, every
other one by a grid over the ratio n_min/n_maj after resampling. A resampled training part is made
once and serves all classifiers and metrics that are asked for together, and a search serves all
rules for what becomes of its sample sets. The test labels lie behind `HeldOut`, which opens once
for each of them, when all is chosen.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.config.schema import LimitSettings, SamplerSettings
from autosmote.config.search import SearchConfig
from autosmote.errors import MAX_WARNINGS, describe_error, describe_warnings, let_interrupts_through
from autosmote.evaluation import searched as tried
from autosmote.evaluation.results import Evaluation, GridPoint, HeldOut, Scores, both_metrics
from autosmote.evaluation.sandboxed import LimitedMethod, LimitedResampler
from autosmote.isolation.sandbox import ChildFailed
from autosmote.scoring.registry import drop_in_for

if TYPE_CHECKING:  # all import far more than is needed to read a configuration
    from autosmote.data.splits import Split
    from autosmote.sampler.resamplings import ResamplingsResult
    from autosmote.search.loop import SearchResult

RATIOS = tuple(i / 10 for i in range(1, 11))

Job = tuple[Any, str]
"""An unfitted scikit-learn classifier, and the metric by which to choose."""
Resampled = tuple[np.ndarray, np.ndarray]
OnIteration = tried.OnIteration


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
        are the same but for their settings, resamplings may differ in their metrics too.
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
        even on the training part as it is.

    Raises
    ------
    UserError
        If the sampler cannot be made from its settings.
    SearchInterrupted
        With the best samples so far.
    """
    assert len(jobs) == 1 or sampler.kind != "method"
    if search is None or isinstance(search, SearchConfig):
        search = [search or SearchConfig()] * len(jobs)
    limited: LimitedResampler | LimitedMethod | None = None
    failure: ChildFailed | None = None
    if sampler.kind in ("resampler", "method"):
        kind = LimitedResampler if sampler.kind == "resampler" else LimitedMethod
        try:
            limited = kind(sampler, seed, limits or LimitSettings(), mistakes_fail=mistakes_fail)
        except ChildFailed as error:
            failure = error
    with closing(limited) if limited else nullcontext():
        if on_start:
            on_start()
        classifiers = {id(estimator): Classifier(estimator, split) for estimator, _ in jobs}
        choices = [
            Choice(classifiers[id(estimator)], metric, settings)
            for (estimator, metric), settings in zip(jobs, search, strict=True)
        ]
        possible = [choice for choice in choices if choice.classifier.failure is None]
        if failure:
            for choice in possible:
                choice.fail(failure)
        elif possible and isinstance(limited, LimitedResampler):
            _tune(limited, RATIOS if sampler.takes_ratio else (None,), split, possible)
        elif possible and isinstance(limited, LimitedMethod):
            _apply(limited, split, possible[0])
        elif possible and sampler.kind == "search":
            tried.search(split, possible, seed, on_iteration)
        elif possible and sampler.kind == "resamplings":
            ratios = _ratios_above(split.y_train) if sampler.takes_ratio else (None,)
            tried.try_resamplings(split, possible, sampler, ratios, seed, on_iteration)
    if limited:
        work = "learn" if sampler.kind == "method" else "generate"
        for choice in possible:
            choice.seconds[work] = choice.sampling_seconds = limited.seconds
            choice.warnings += limited.warnings
            choice.peak_memory_mb = limited.peak_memory_mb
    return [choice.classifier.failure or choice.evaluation() for choice in choices]


class Classifier:
    """One of the classifiers of a split: its fits and predictions, their time and warnings."""

    def __init__(self, estimator: Any, split: Split) -> None:
        self.estimator, self.split = estimator, split
        self.equal = drop_in_for(estimator)
        self.seconds = 0.0
        self.warnings: list[str] = []
        self.failure: Exception | None = None
        try:
            self.reference = self.fit(split.X_train, split.y_train, split.X_val)
        except Exception as error:
            let_interrupts_through(error)
            self.failure = error

    def fit(self, X: np.ndarray, y: np.ndarray, X_val: np.ndarray) -> tuple[Any, Scores]:
        """A fitted clone and its scores on validation."""
        from sklearn.base import clone

        with self.observed():
            model = clone(self.equal).fit(X, y)
            return model, both_metrics(self.split.y_val, model.predict(X_val))

    @contextmanager
    def observed(self, *, timed: bool = True) -> Iterator[None]:
        """Count a block's time as this classifier's, and keep what it warns of."""
        started = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield
            finally:
                self.seconds += (time.perf_counter() - started) * timed
                self.warnings += describe_warnings(caught)


class Choice:
    """What is best so far for one classifier and metric; never sees the test labels.

    It begins with no resampling, so that a failure leaves exactly that.
    """

    def __init__(self, classifier: Classifier, metric: str, search: SearchConfig) -> None:
        self.classifier, self.metric, self.search = classifier, metric, search
        self.status = "ok"
        self.error: str | None = None
        self.ratio: float | None = None
        self.grid: list[GridPoint] = []
        self.best = -np.inf
        self.result: SearchResult | ResamplingsResult | None = None
        self.seconds: dict[str, float] = {"generate": 0.0, "score": 0.0, "learn": 0.0}
        self.sampling_seconds = 0.0
        self.warnings: list[str] = []
        self.peak_memory_mb = 0.0
        split = classifier.split
        self.X, self.y = split.X_train, split.y_train
        self.y_given = split.y_train
        self.new_features = False
        if classifier.failure is None:
            model, validation = classifier.reference
            self.take(validation, lambda: model.predict(split.X_test))
            self.reference = validation

    def take(
        self,
        validation: Scores,
        predict_test: Callable[[], np.ndarray],
        resampled: Resampled | None = None,
    ) -> None:
        """Choose what has these scores on validation, and these predictions of the test part."""
        self.validation, self.predict_test = validation, predict_test
        if resampled:
            self.X, self.y = resampled

    def offer(
        self,
        ratio: float | None,
        validation: Scores,
        predict_test: Callable[[], np.ndarray],
        resampled: Resampled,
    ) -> None:
        """A point of the grid, taken if it is the best; a tie goes to the first."""
        score = validation[self.metric]
        self.grid.append(GridPoint(ratio, "ok", score))
        if score > self.best:
            self.best, self.ratio = score, ratio
            self.take(validation, predict_test, resampled)

    def fail(self, failure: ChildFailed) -> None:
        self.status, self.error = failure.status, failure.error

    def evaluation(self) -> Evaluation:
        """Look at the test labels, and put all together."""
        classifier, split = self.classifier, self.classifier.split
        reference, _ = classifier.reference
        with classifier.observed():
            predictions = {"final": self.predict_test(), "none": reference.predict(split.X_test)}
        test = HeldOut(split.y_test).evaluate(predictions)
        rows = {"train": _class_counts(self.y_given), "resampled": _class_counts(self.y)}
        self.seconds["score"] += classifier.seconds
        self.seconds["total"] = self.sampling_seconds + classifier.seconds
        return Evaluation(
            status=self.status,
            error=self.error,
            scores={"validation": self.validation, "test": test["final"]},
            reference={"validation": self.reference, "test": test["none"]},
            ratio=self.ratio,
            n_synthetic=max(0, rows["resampled"][1] - rows["train"][1]),
            imputed=self.status != "ok",
            rows=rows,
            X=self.X,
            y=self.y,
            new_features=self.new_features,
            grid=self.grid,
            search=self.result,
            seconds=self.seconds,
            warnings=list(dict.fromkeys([*self.warnings, *classifier.warnings]))[:MAX_WARNINGS],
            peak_memory_mb=self.peak_memory_mb,
        )


def _tune(
    sampler: LimitedResampler,
    ratios: Sequence[float | None],
    split: Split,
    choices: Sequence[Choice],
) -> None:
    """Choose a ratio by its score on validation."""
    above = [ratio for ratio in ratios if ratio is None or ratio in _ratios_above(split.y_train)]
    grid = [GridPoint(ratio, "skipped") for ratio in ratios if ratio not in above]
    X_val, X_test = split.X_val, split.X_test
    try:
        if above:
            sampler.fit(split.X_train, split.y_train, split.groups, n_ratios=len(above))
            X_val, X_test = sampler.transform(X_val), sampler.transform(X_test)
    except ChildFailed as failure:
        above = []
        grid.append(GridPoint(None, failure.status, error=failure.error))
    for choice in choices:
        choice.grid += grid
    by_classifier = {id(choice.classifier): choice.classifier for choice in choices}.values()
    for ratio, resampled in _resample(sampler, above, split):
        if isinstance(resampled, GridPoint):
            for choice in choices:
                choice.grid.append(resampled)
            continue
        for classifier in by_classifier:
            own = [choice for choice in choices if choice.classifier is classifier]
            try:
                model, validation = classifier.fit(*resampled, X_val)
            except Exception as error:  # rows that it cannot learn from
                let_interrupts_through(error)
                status = "memory" if isinstance(error, MemoryError) else "failed"
                for choice in own:
                    choice.grid.append(GridPoint(ratio, status, error=describe_error(error)))
                continue
            for choice in own:
                choice.offer(ratio, validation, partial(model.predict, X_test), resampled)
    for choice in choices:
        if choice.best == -np.inf:
            choice.fail(_explain(choice.grid))
        else:
            choice.new_features = X_val is not split.X_val


def _resample(
    sampler: LimitedResampler, ratios: Sequence[float | None], split: Split
) -> Iterator[tuple[float | None, GridPoint | Resampled]]:
    """For each ratio the resampled training part, or the grid point that says why there is none."""
    too_much: str | None = None
    for ratio in ratios:
        if too_much:
            yield ratio, GridPoint(ratio, "skipped", error=too_much)
            continue
        try:
            X, y = sampler.resample(ratio)
        except ChildFailed as failure:
            yield ratio, GridPoint(ratio, failure.status, error=failure.error)
            if failure.status in ("timeout", "memory"):  # a larger ratio needs no less
                too_much = f"after the {failure.status} at ratio {ratio}"
        else:
            unchanged = _same_rows(X, y, split.X_train, split.y_train)
            yield ratio, GridPoint(ratio, "unchanged") if unchanged else (X, y)


def _apply(method: LimitedMethod, split: Split, choice: Choice) -> None:
    """Let a method make its own classifier."""
    try:
        method.fit(
            *(split.X_train, split.y_train, split.X_val, split.y_val),
            estimator=choice.classifier.equal,
            metric=choice.metric,
        )
        validation, test = method.predict(split.X_val), method.predict(split.X_test)
    except ChildFailed as failure:
        choice.fail(failure)
    else:
        choice.take(both_metrics(split.y_val, validation), lambda: test)


def _ratios_above(y: np.ndarray) -> list[float]:
    """Ratios of the grid that are above the present one."""
    n_maj, n_min = _class_counts(y)
    return [ratio for ratio in RATIOS if int(ratio * n_maj) > n_min]


def _class_counts(y: np.ndarray) -> list[int]:
    n_min = int(np.count_nonzero(y == 1))
    return [y.size - n_min, n_min]


def _same_rows(X: np.ndarray, y: np.ndarray, X_old: np.ndarray, y_old: np.ndarray) -> bool:
    """Whether two training parts hold the same rows with the same labels, in any order."""
    if X.shape != X_old.shape:
        return False
    new, old = np.column_stack([X, y]), np.column_stack([X_old, y_old])
    return np.array_equal(new[np.lexsort(new.T)], old[np.lexsort(old.T)])


def _explain(grid: Sequence[GridPoint]) -> ChildFailed:
    """Why no point of a grid has a score."""
    for point in grid:
        if point.error:
            return ChildFailed(point.status, point.error)
    if all(point.status == "skipped" for point in grid):
        return ChildFailed("failed", "every ratio of the grid is at or below that of the data")
    return ChildFailed("failed", "the sampler changed neither rows nor labels")
