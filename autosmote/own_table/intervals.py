"""Intervals of differences between methods that were scored on the same splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Difference:
    """A mean difference of scores and its interval; the interval is nan for fewer than 2 splits."""

    mean: float
    low: float
    high: float

    @property
    def above(self) -> bool:
        """Whether the interval lies above 0."""
        return self.low > 0

    @property
    def below(self) -> bool:
        """Whether the interval lies below 0."""
        return self.high < 0


def paired_difference(
    scores: Sequence[float],
    others: Sequence[float],
    *,
    test_share: float,
    confidence: float = 0.95,
) -> Difference:
    """Return the mean of scores - others, split by split, and its corrected t interval.

    Training parts of a repeated cross-validation overlap, so the differences are not independent:
    their variance is raised by the share of test to training rows (Nadeau and Bengio 2003,
    "Inference for the generalization error").

    Parameters
    ----------
    scores, others : sequences of float
        Of the same splits.
    test_share : float
        Test rows by training rows of a split: 1 / (folds - 1).
    confidence : float
    """
    from scipy.stats import t

    differences = np.subtract(scores, others)
    n, mean = len(differences), float(np.mean(differences))
    if n < 2:
        return Difference(mean, float("nan"), float("nan"))
    error = np.sqrt(np.var(differences, ddof=1) * (1 / n + test_share))
    half = float(t.ppf(0.5 + confidence / 2, n - 1) * error)
    return Difference(mean, mean - half, mean + half)
