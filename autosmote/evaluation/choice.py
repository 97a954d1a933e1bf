"""The choice of a training part for a classifier and metric, on validation alone."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.config.search import SearchConfig
from autosmote.errors import MAX_WARNINGS, describe_warnings, let_interrupts_through
from autosmote.evaluation.results import (
    Evaluation,
    GridPoint,
    Scores,
    SealedLabels,
    both_metrics,
    mean_scores,
)
from autosmote.isolation.sandbox import ChildFailed
from autosmote.scoring.lending import lend, predict_lent
from autosmote.scoring.registry import drop_in_for

if TYPE_CHECKING:
    from autosmote.data.splits import Split
    from autosmote.sampler.folds import Fold
    from autosmote.search.result import SearchResult

Table = tuple[np.ndarray, np.ndarray]
"""Rows and their labels."""


class SplitClassifier:
    """A classifier on a split: its fits and predictions, their seconds and warnings.

    Parameters
    ----------
    estimator : scikit-learn classifier
    split : Split
    given : tuple, optional
        The rows to learn from as they are, and their labels; by default the training part.
    folds : sequence of Fold, optional
        Of the given rows, where validation is the mean over these; none: the validation part.

    Attributes
    ----------
    estimator : scikit-learn classifier
        Unfitted, as it was given.
    folds : sequence of Fold
    drop_in : scikit-learn classifier
        The same or a faster one that predicts the same; this is what is fitted.
    reference : tuple
        The model fitted on the given rows as they are, and its validation scores.
    failure : Exception or None
        Why it cannot be fitted on the given rows as they are.
    warnings : list of str
        Of what all choices for it share.
    """

    def __init__(
        self,
        estimator: Any,
        split: Split,
        given: Table | None = None,
        folds: Sequence[Fold] = (),
    ) -> None:
        self.estimator, self.split = estimator, split
        self.given, self.folds = given or (split.X_train, split.y_train), folds
        self.drop_in = drop_in_for(estimator)
        self.seconds = 0.0
        self.warnings: list[str] = []
        self.failure: Exception | None = None
        try:
            self.reference = self._fit_reference()
        except Exception as error:
            let_interrupts_through(error)
            self.failure = error

    def fit(self, X: np.ndarray, y: np.ndarray, X_val: np.ndarray) -> tuple[Any, Scores]:
        """Fit a clone; return it with its scores on validation."""
        with self.observed():
            model = self._fit(X, y)
            return model, both_metrics(self.split.y_val, predict_lent(model, X_val))

    def _fit_reference(self) -> tuple[Any, Scores]:
        """Fit a clone on the given rows; over folds, score one on each."""
        if not self.folds:
            return self.fit(*self.given, self.split.X_val)
        with self.observed():
            model = self._fit(*self.given)
            predicted = [
                predict_lent(self._fit(fold.X_train, fold.y_train), fold.X_val)
                for fold in self.folds
            ]
        return model, mean_scores(
            [
                both_metrics(fold.y_val, labels)
                for fold, labels in zip(self.folds, predicted, strict=True)
            ]
        )

    def _fit(self, X: np.ndarray, y: np.ndarray) -> Any:
        from sklearn.base import clone

        return clone(self.drop_in).fit(lend(X, self.drop_in), y)

    @cached_property
    def reference_look(self) -> np.ndarray:
        """The reference's predictions for `Split.X_look`, which all choices share."""
        model, _ = self.reference
        return predict_lent(model, self.split.X_look)

    @contextmanager
    def observed(
        self, choice: Choice | None = None, *, timed: bool = True
    ) -> Iterator[list[warnings.WarningMessage]]:
        """Count a block's seconds as this classifier's, and keep its warnings.

        They are those of one choice, or of all: a record must not hold what another run, which
        happened to be done together with it, has warned of.

        Yields
        ------
        list of WarningMessage
            The warnings so far.
        """
        started = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield caught
            finally:
                self.seconds += (time.perf_counter() - started) * timed
                kept = self.warnings if choice is None else choice.warnings
                kept += describe_warnings(caught)


class Choice:
    """The best training part so far for one classifier and metric; never sees the test labels.

    It begins with no resampling, so that a failure leaves exactly that.

    The choice is by `metric`; `search`, the settings of a search, has no effect for other samplers.
    """

    def __init__(self, classifier: SplitClassifier, metric: str, search: SearchConfig) -> None:
        self.classifier, self.metric, self.search = classifier, metric, search
        self.status = "ok"
        self.error: str | None = None
        self.imputed = False
        self.ratio: float | None = None
        self.grid: list[GridPoint] = []
        self.best = -np.inf
        self.searched: SearchResult | None = None  # before a rule has chosen
        self.result: SearchResult | None = None
        self.seconds: dict[str, float] = {"generate": 0.0, "score": 0.0, "learn": 0.0}
        self.sampling_seconds = 0.0
        self.warnings: list[str] = []
        self.peak_memory_mb = 0.0
        self.X, self.y = classifier.given
        self.y_given = self.y
        self.new_features = False
        if classifier.failure is None:
            _, validation = classifier.reference
            self.take(validation, lambda: classifier.reference_look)
            self.reference = validation

    def take(
        self,
        validation: Scores,
        predict_look: Callable[[], np.ndarray],
        resampled: Table | None = None,
    ) -> None:
        """Choose a model by its scores on validation and its predictions for `Split.X_look`."""
        self.validation, self.predict_look = validation, predict_look
        if resampled:
            self.X, self.y = resampled

    def offer(
        self,
        ratio: float | None,
        validation: Scores,
        predict_look: Callable[[], np.ndarray],
        resampled: Table,
    ) -> None:
        """Offer a point of the ratio grid, chosen if it is the best; a tie goes to the first."""
        score = validation[self.metric]
        self.grid.append(GridPoint(ratio, "ok", score))
        if score > self.best:
            self.best, self.ratio = score, ratio
            self.take(validation, predict_look, resampled)

    def fail(self, failure: ChildFailed) -> None:
        """Note why the sampler failed; no resampling stays the choice."""
        self.status, self.error, self.imputed = failure.status, failure.error, True

    def fail_with_best(self, error: str) -> None:
        """Note why the sampler failed, after it had found what is chosen."""
        self.status, self.error = "failed", error

    def evaluation(self) -> Evaluation:
        """Look at the test labels, once, and return the whole evaluation."""
        classifier, split = self.classifier, self.classifier.split
        with classifier.observed():
            none = classifier.reference_look
        with classifier.observed(self):
            predictions = {"final": self.predict_look(), "none": none}
        looked = SealedLabels(split).evaluate(predictions)
        rows = {
            "train": class_counts(self.y_given),
            "resampled": class_counts(self.y),
            "test": class_counts(split.y_test),
            "extended": class_counts(np.append(split.y_test, split.y_extra)),
        }
        self.seconds["score"] += classifier.seconds
        self.seconds["total"] = self.sampling_seconds + classifier.seconds
        return Evaluation(
            status=self.status,
            error=self.error,
            scores={"validation": self.validation, **looked["final"]},
            reference={"validation": self.reference, **looked["none"]},
            ratio=self.ratio,
            n_synthetic=max(0, rows["resampled"][1] - rows["train"][1]),
            imputed=self.imputed,
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


def class_counts(y: np.ndarray) -> list[int]:
    """Return the numbers of majority and of minority rows."""
    n_min = int(np.count_nonzero(y == 1))
    return [y.size - n_min, n_min]
