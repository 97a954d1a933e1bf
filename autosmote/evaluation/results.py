"""Results of an evaluation: scores, the grid that was tried, and the sealed test labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from autosmote.metrics import METRICS

if TYPE_CHECKING:
    from autosmote.search.result import SearchResult

Scores = dict[str, float]
"""A value for each metric."""


def both_metrics(y: np.ndarray, predictions: np.ndarray) -> Scores:
    return {name: float(metric(y, predictions)) for name, metric in METRICS.items()}


def score_table(rows: Mapping[str, Sequence[float]]) -> list[str]:
    """Format a table of scores: by name Macro-F1 and MCC on validation, then on test."""
    lines = [
        f"{'':24}{'validation':^22}{'test':^22}",
        f"{'':24}{'macro_f1':>10}{'mcc':>10}  {'macro_f1':>10}{'mcc':>10}",
    ]
    for name, (macro_f1, mcc, test_macro_f1, test_mcc) in rows.items():
        lines.append(
            f"{name:24}{macro_f1:>10.4f}{mcc:>10.4f}  {test_macro_f1:>10.4f}{test_mcc:>10.4f}"
        )
    return lines


class SealedLabels:
    """The labels of the test part, which can be evaluated exactly once."""

    def __init__(self, y: np.ndarray) -> None:
        self._y = y
        self._opened = False

    def evaluate(self, predictions: Mapping[str, np.ndarray]) -> dict[str, Scores]:
        """Score predicted labels in both metrics.

        Raises
        ------
        RuntimeError
            At the second call: a choice could have been made by the first one.
        """
        if self._opened:
            raise RuntimeError("the test part was evaluated before")
        self._opened = True
        return {name: both_metrics(self._y, labels) for name, labels in predictions.items()}


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
        resampling and `imputed` is true.
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
    scores: dict[str, Scores]
    reference: dict[str, Scores]
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
