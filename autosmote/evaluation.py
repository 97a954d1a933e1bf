"""Split + sampler + classifier -> scores: choice on validation, one look at the test part.

Every sampler uses the validation part: AutoSMOTE as its reward, every other one by a grid over
the ratio n_min/n_maj after resampling. The test part lies behind `HeldOut`, which opens once.
"""

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.classifiers import make_sampler
from autosmote.config import SamplerSettings
from autosmote.errors import UserError
from autosmote.metrics import METRICS, score
from autosmote.privacy import describe_error, scrub
from autosmote.search_config import SearchConfig

if TYPE_CHECKING:  # both import far more than is needed to read a configuration
    from autosmote.search import SearchResult
    from autosmote.splits import Split

RATIOS = tuple(i / 10 for i in range(1, 11))
_MAX_WARNINGS = 10

Scores = dict[str, float]


class HeldOut:
    """The test part, which can be evaluated exactly once."""

    def __init__(self, X: np.ndarray, y: np.ndarray) -> None:
        self._X = X
        self._y = y
        self._opened = False

    def evaluate(self, models: Mapping[str, Any]) -> dict[str, Scores]:
        """Score fitted models in both metrics.

        Raises
        ------
        RuntimeError
            At the second call: a choice could have been made by the first one.
        """
        if self._opened:
            raise RuntimeError("the test part was evaluated before")
        self._opened = True
        return {name: _both(self._y, model.predict(self._X)) for name, model in models.items()}


@dataclass(frozen=True)
class GridPoint:
    """One resampling that was tried.

    `status` is ok, skipped (the ratio is not above the present one), unchanged (the sampler
    returned the rows and labels it was given) or failed; `score` is that on validation.
    """

    ratio: float | None
    status: str
    score: float | None = None
    error: str | None = None


@dataclass
class Evaluation:
    """What one sampler and one classifier did on one split.

    Attributes
    ----------
    status : str
        ok, failed or memory. After a failure `scores` are those of no resampling and
        `imputed` is true.
    scores, reference : dict
        {validation, test} x {macro_f1, mcc}, of the sampler and of no resampling.
    ratio : float or None
        The chosen ratio n_min/n_maj; None for a sampler without one.
    n_synthetic : int
        Minority rows that the sampler added.
    rows : dict
        [majority, minority] rows of the training part before and after.
    X, y : ndarray of shape (n, D), (n,)
        The training part as resampled.
    seconds : dict
        total; generate (resampling or rollouts), score (fits and predictions) and learn.
    warnings : list of str
        What scikit-learn and the sampler warned of, each text once.
    """

    status: str
    error: str | None
    scores: dict[str, Scores]
    reference: dict[str, Scores]
    ratio: float | None
    n_synthetic: int
    imputed: bool
    rows: dict[str, list[int]]
    X: np.ndarray
    y: np.ndarray
    grid: list[GridPoint] = field(default_factory=list)
    search: "SearchResult | None" = None
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def evaluate(
    split: "Split",
    sampler: SamplerSettings,
    estimator: Any,
    *,
    metric: str,
    seed: int,
    search: SearchConfig | None = None,
    on_iteration: Callable[[int, float, float], None] | None = None,
) -> Evaluation:
    """Choose a resampling on validation, retrain, evaluate once on the test part.

    Parameters
    ----------
    split : Split
    sampler : SamplerSettings
    estimator : scikit-learn classifier
        Cloned for every fit.
    metric : {"macro_f1", "mcc"}
        The reward, and the metric by which a ratio is chosen.
    seed : int
        Of the sampler and of the search.
    search : SearchConfig, optional
        AutoSMOTE's settings; the defaults where None.
    on_iteration : callable, optional
        Called by the search with (iteration, reward, best so far).

    Raises
    ------
    UserError
        If the sampler cannot be made from its settings.
    SearchInterrupted
        With the best samples so far.
    """
    held_out = HeldOut(split.X_test, split.y_test)
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        chooser = _Chooser(split, sampler, estimator, metric, seed)
        if sampler.name == "autosmote":
            chooser.search(search, on_iteration)
        elif sampler.name != "none":
            chooser.tune()
        reference = chooser.reference
        test = held_out.evaluate({"final": chooser.model, "reference": reference})
    rows = {"train": _class_counts(split.y_train), "resampled": _class_counts(chooser.y)}
    seconds = chooser.seconds | {"total": time.perf_counter() - started}
    return Evaluation(
        status=chooser.status,
        error=chooser.error,
        scores={"validation": chooser.validate(chooser.model), "test": test["final"]},
        reference={"validation": chooser.validate(reference), "test": test["reference"]},
        ratio=chooser.ratio,
        n_synthetic=max(0, rows["resampled"][1] - rows["train"][1]),
        imputed=chooser.status != "ok",
        rows=rows,
        X=chooser.X,
        y=chooser.y,
        grid=chooser.grid,
        search=chooser.result,
        seconds=seconds,
        warnings=_distinct(caught),
    )


class _Chooser:
    """Finds the resampled training part that is best on validation; never sees the test part.

    It begins with no resampling as its choice, so that a failure leaves exactly that.
    """

    def __init__(
        self,
        split: "Split",
        sampler: SamplerSettings,
        estimator: Any,
        metric: str,
        seed: int,
    ) -> None:
        self.X, self.y = self.X_train, self.y_train = split.X_train, split.y_train
        self.X_val, self.y_val = split.X_val, split.y_val
        self.ir = split.ir_train if split.ir is None else split.ir
        self.sampler, self.metric, self.seed = sampler, metric, seed
        self.estimator = estimator
        self.seconds = {"generate": 0.0, "score": 0.0, "learn": 0.0}
        self.reference = self.model = self._fit(self.X, self.y)
        self.status = "ok"
        self.error: str | None = None
        self.ratio: float | None = None
        self.grid: list[GridPoint] = []
        self.result: SearchResult | None = None

    def validate(self, model: Any) -> Scores:
        return _both(self.y_val, model.predict(self.X_val))

    def search(
        self,
        config: SearchConfig | None,
        on_iteration: Callable[[int, float, float], None] | None,
    ) -> None:
        from autosmote.search import run_search

        self.result = result = run_search(
            self.X_train,
            self.y_train,
            self.X_val,
            self.y_val,
            self.estimator,
            metric=self.metric,
            ir=self.ir,
            seed=self.seed,
            config=config or SearchConfig(),
            on_iteration=on_iteration,
        )
        self.seconds |= result.seconds
        self.X = np.vstack([self.X_train, result.X_synthetic])
        self.y = np.concatenate([self.y_train, np.ones(len(result.X_synthetic), np.int8)])
        self.model = self._fit(self.X, self.y)

    def tune(self) -> None:
        best = -np.inf
        for ratio in RATIOS if self.sampler.takes_ratio else (None,):
            point, X, y, model = self._try(ratio)
            self.grid.append(point)
            # A tie goes to the smallest ratio, which comes first.
            if point.score is not None and point.score > best:
                best = point.score
                self.ratio, self.X, self.y, self.model = ratio, X, y, model
        if best == -np.inf:
            errors = [point.error for point in self.grid if point.error]
            memory = any(error.startswith("MemoryError") for error in errors)
            self.status = "memory" if memory else "failed"
            self.error = errors[0] if errors else _explain_unchanged(self.grid)

    def _try(self, ratio: float | None) -> tuple[GridPoint, np.ndarray, np.ndarray, Any]:
        """Resample, fit and score at one ratio; an error is the sampler's, not the run's."""
        X, y, model = self.X_train, self.y_train, None
        n_maj, n_min = _class_counts(y)
        if ratio is not None and int(ratio * n_maj) <= n_min:
            return GridPoint(ratio, "skipped"), X, y, model
        try:
            started = time.perf_counter()
            X, y = make_sampler(self.sampler, self.seed, ratio).fit_resample(
                self.X_train, self.y_train
            )
            X, y = np.ascontiguousarray(X, dtype=np.float64), np.asarray(y, dtype=np.int8)
            self.seconds["generate"] += time.perf_counter() - started
            if _same_rows(X, y, self.X_train, self.y_train):
                return GridPoint(ratio, "unchanged"), X, y, model
            model = self._fit(X, y)
            value = score(self.metric, self.y_val, model.predict(self.X_val))
        except UserError:  # a mistake in the settings is no failure of the sampler
            raise
        except Exception as error:
            return GridPoint(ratio, "failed", error=describe_error(error)), X, y, model
        return GridPoint(ratio, "ok", value), X, y, model

    def _fit(self, X: np.ndarray, y: np.ndarray) -> Any:
        from sklearn.base import clone

        started = time.perf_counter()
        model = clone(self.estimator).fit(X, y)
        self.seconds["score"] += time.perf_counter() - started
        return model


def _both(y: np.ndarray, predictions: np.ndarray) -> Scores:
    return {name: float(metric(y, predictions)) for name, metric in METRICS.items()}


def _class_counts(y: np.ndarray) -> list[int]:
    n_min = int(np.count_nonzero(y == 1))
    return [y.size - n_min, n_min]


def _same_rows(X: np.ndarray, y: np.ndarray, X_old: np.ndarray, y_old: np.ndarray) -> bool:
    """Whether two training parts hold the same rows with the same labels, in any order."""
    if X.shape != X_old.shape:
        return False
    new, old = np.column_stack([X, y]), np.column_stack([X_old, y_old])
    return np.array_equal(new[np.lexsort(new.T)], old[np.lexsort(old.T)])


def _explain_unchanged(grid: list[GridPoint]) -> str:
    if all(point.status == "skipped" for point in grid):
        return "every ratio of the grid is at or below that of the data"
    return "the sampler changed neither rows nor labels"


def _distinct(caught: list[warnings.WarningMessage]) -> list[str]:
    texts = (f"{w.category.__name__}: {' '.join(scrub(str(w.message)).split())}" for w in caught)
    return list(dict.fromkeys(texts))[:_MAX_WARNINGS]
