"""Results of an evaluation: scores, the grid that was tried, and the sealed test labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autosmote.metrics import METRICS, check_predictions, weighted_scores

if TYPE_CHECKING:
    from autosmote.data.splits import Split
    from autosmote.search.result import SearchResult

Scores = dict[str, float]
"""A value for each metric."""
PartScores = dict[str, Scores]
"""Scores by the part that they are of: validation, test, extended."""


def both_metrics(y: np.ndarray, predictions: np.ndarray) -> Scores:
    labels = check_predictions(predictions, (0, 1))
    return {name: float(metric(y, labels)) for name, metric in METRICS.items()}


def mean_scores(scores: Sequence[Scores]) -> Scores:
    return {metric: float(np.mean([found[metric] for found in scores])) for metric in scores[0]}


def score_table(rows: Mapping[str, Mapping[str, Scores | None]]) -> list[str]:
    """Format a table of scores by name: each metric on each part that has scores."""
    parts = {part: None for scores in rows.values() for part, of_part in scores.items() if of_part}
    found = [of_part for scores in rows.values() for of_part in scores.values() if of_part]
    widths = {metric: max(10, len(metric) + 2) for of_part in found for metric in of_part}
    titles = {"extended": "extended test"}
    whole = sum(widths.values()) + 2
    head = "".join(f"{name:>{width}}" for name, width in widths.items())
    lines = [
        f"{'':24}" + "".join(f"{titles.get(part, part):^{whole}}" for part in parts).rstrip(),
        f"{'':24}" + "  ".join([head] * len(parts)),
    ]
    for name, scores in rows.items():
        of_parts = (scores[part] or {} for part in parts)
        cells = ["".join(f"{one[name]:>{n}.4f}" for name, n in widths.items()) for one in of_parts]
        lines.append(f"{name:24}" + "  ".join(cells))
    return lines


class SealedLabels:
    """The labels of the test part and its extension, which can be evaluated exactly once."""

    def __init__(self, split: Split) -> None:
        self._y, self._y_extra, self._ir = split.y_test, split.y_extra, split.ir_whole
        self._opened = False

    def evaluate(self, predictions: Mapping[str, np.ndarray]) -> dict[str, PartScores]:
        """Score predicted labels in both metrics, on the test part and on the extended test.

        The extended test is the test part and the extra rows. Its classes are weighted as in the
        data that were split, so that its scores are those of the test part with less noise.

        Parameters
        ----------
        predictions : dict of ndarray
            By name the labels of `Split.X_look`.

        Returns
        -------
        dict
            By name the scores on test and, where there are extra rows, on extended.

        Raises
        ------
        RuntimeError
            At the second call: a choice could have been made by the first one.
        """
        if self._opened:
            raise RuntimeError("the test part was evaluated before")
        self._opened = True
        return {name: self._scores(labels) for name, labels in predictions.items()}

    def _scores(self, labels: np.ndarray) -> PartScores:
        n = len(self._y)
        if len(labels) != n + len(self._y_extra):
            raise ValueError(f"{len(labels)} predictions for {n} + {len(self._y_extra)} test rows")
        scores = {"test": both_metrics(self._y, labels[:n])}
        if len(self._y_extra):
            y = np.concatenate([self._y, self._y_extra])
            scores["extended"] = weighted_scores(y, check_predictions(labels, (0, 1)), self._ir)
        return scores


@dataclass(frozen=True)
class GridPoint:
    """One resampling that was tried.

    `status` is ok, unchanged (the sampler returned the rows and labels it was given), skipped
    (the ratio is not above the present one, or `error` says why), or how it failed: failed,
    memory, timeout, crashed. `score` is that on validation.
    """

    ratio: float | None
    status: str
    score: float | None = None
    error: str | None = None


@dataclass
class Evaluation:
    """Scores and cost of one sampler and one classifier on one split.

    Attributes
    ----------
    status : str
        ok, failed, memory, timeout or crashed. After a failure `scores` are those of no
        resampling and `imputed` is true; but of a search that diverged those of its best.
    scores, reference : dict
        {validation, test, extended} x {macro_f1, mcc}, of the sampler and of no resampling. With
        `search.reward=crossfit` both learn from the training and validation rows together, and
        validation is the mean over the folds.
        extended is missing where the data keep their own ratio (`SealedLabels`).
    ratio : float or None
        The chosen ratio n_min/n_maj; None for a sampler without one.
    n_synthetic : int
        Minority rows that the sampler added.
    rows : dict
        [majority, minority] rows of the training part before and after (train, resampled), of the
        test part and of the extended test; the last two are equal where there are no extra rows.
    X, y : ndarray of shape (n, D), (n,)
        The training part as resampled.
    new_features : bool
        Whether the columns of X are others than those of the split.
    seconds : dict
        total; generate (resampling or rollouts), score (fits and predictions) and learn (of a
        search or a method). What served several classifiers counts fully in each.
    warnings : list of str
        What scikit-learn and the sampler warned of, each text once.
    peak_memory_mb : float
        Of the sampler's own processes; 0 without any.
    """

    status: str
    error: str | None
    scores: PartScores
    reference: PartScores
    ratio: float | None
    n_synthetic: int
    imputed: bool
    rows: dict[str, list[int]]
    X: np.ndarray
    y: np.ndarray
    new_features: bool = False
    grid: list[GridPoint] = field(default_factory=list)
    search: SearchResult | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    peak_memory_mb: float = 0.0
