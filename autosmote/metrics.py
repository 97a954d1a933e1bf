"""Compute the paper's two metrics (Section 4.1) from the four confusion counts.

The values equal scikit-learn's `f1_score(average="macro", zero_division=0)` and
`matthews_corrcoef`, without its input checks, which would slow down a search.
"""

from collections.abc import Callable, Iterable
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autosmote.errors import UserError

Metric = Callable[[ArrayLike, ArrayLike], float]
Counts = tuple[float, float, float, float]
"""True positives, false positives, false negatives and true negatives."""


def confusion_counts(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[int, int, int, int]:
    """Count true and false positives and negatives.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,)
        Labels; 1 is the minority (positive) class, everything else negative.

    Returns
    -------
    tp, fp, fn, tn : int
    """
    positive = np.asarray(y_true) == 1
    predicted = np.asarray(y_pred) == 1
    if positive.shape != predicted.shape:
        raise ValueError(f"y_true has shape {positive.shape}, y_pred {predicted.shape}")
    tp = int(np.count_nonzero(positive & predicted))
    fp = int(np.count_nonzero(predicted)) - tp
    fn = int(np.count_nonzero(positive)) - tp
    return tp, fp, fn, positive.size - tp - fp - fn


def check_predictions(predicted: ArrayLike, labels: Iterable[Any]) -> NDArray[Any]:
    """Return what a classifier predicts as an array.

    Raises
    ------
    ValueError
        If a prediction is none of the `labels`: NaN, for example, or the text "1" for 1.
    """
    array = np.asarray(predicted)
    known = np.logical_or.reduce([array == label for label in labels])
    if not np.all(known):
        other = array[~known].tolist()[0] if known.shape == array.shape else predicted
        raise ValueError(
            f"the classifier predicts {other!r:.100}, which is no label that it was given"
        )
    return array


def macro_f1(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return the mean of both classes' F1 scores.

    As in scikit-learn, a class that is in neither the labels nor the predictions is left out.
    """
    return _macro_f1(confusion_counts(y_true, y_pred))


def _macro_f1(counts: Counts) -> float:
    tp, fp, fn, tn = counts
    scores = [2 * hit / (2 * hit + fp + fn) for hit in (tp, tn) if hit + fp + fn > 0]
    return sum(scores) / len(scores) if scores else 0.0


def mcc(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Return Matthews' correlation coefficient; 0 where it is undefined (one class only)."""
    return _mcc(confusion_counts(y_true, y_pred))


def _mcc(counts: Counts) -> float:
    tp, fp, fn, tn = counts
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / sqrt(product) if product else 0.0


METRICS: dict[str, Metric] = {"macro_f1": macro_f1, "mcc": mcc}
_OF_COUNTS: dict[str, Callable[[Counts], float]] = {"macro_f1": _macro_f1, "mcc": _mcc}


def weighted_scores(y_true: ArrayLike, y_pred: ArrayLike, ir: float) -> dict[str, float]:
    """Return each metric as it would be with `ir` majority rows for one minority row.

    From the share of minority rows that are found and of majority rows that are not, whatever the
    numbers of rows that these shares come from: weight 1 for the minority class and `ir` for the
    majority class.

    Parameters
    ----------
    y_true, y_pred : array_like of shape (n,)
        Labels, 1 for the minority class; with rows of both classes.
    ir : float
        Imbalance ratio N_maj / N_min.
    """
    tp, fp, fn, tn = confusion_counts(y_true, y_pred)
    found, false_alarms = tp / (tp + fn), fp / (fp + tn)
    counts = found, ir * false_alarms, 1 - found, ir * (1 - false_alarms)
    return {name: metric(counts) for name, metric in _OF_COUNTS.items()}


def score(metric: str, y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Score predictions by a metric's name.

    Raises
    ------
    UserError
        If there is no such metric.
    """
    if metric not in METRICS:
        raise UserError(f"There is no metric '{metric}'; choose one of {', '.join(METRICS)}.")
    return METRICS[metric](y_true, y_pred)
