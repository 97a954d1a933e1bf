"""The scores by which methods are compared: six names of our own, and scikit-learn's scorers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autosmote.config.names import did_you_mean
from autosmote.errors import InputError
from autosmote.metrics import METRICS

Scorer = Callable[[Any, Any, Any], float]

_UP_TO_ONE = (
    "accuracy", "average_precision", "balanced_accuracy", "f1", "jaccard", "matthews_corrcoef",
    "precision", "recall", "roc_auc", "top_k_accuracy",
)  # fmt: skip
"""How names of scikit-learn's scorers begin whose values lie between 0 or -1 and 1."""

OWN = ("macro_f1", "mcc", "balanced_accuracy", "average_precision", "f2", "geometric_mean")


def make_scoring(name: Any, n_classes: int) -> Scorer:
    """Return the scorer of a name, for labels 0 to n_classes - 1, the rarest class last.

    Parameters
    ----------
    name : str or callable
        One of `OWN`, the name of a scikit-learn scorer, or a scorer. f2 and average precision are
        the rarer class's of two, and means over more.
    n_classes : int

    Raises
    ------
    InputError
        Where there is no such name, or it is neither a name nor a scorer.
    """
    from imblearn.metrics import geometric_mean_score
    from sklearn.metrics import (
        average_precision_score,
        f1_score,
        fbeta_score,
        get_scorer,
        get_scorer_names,
        make_scorer,
        matthews_corrcoef,
    )

    if callable(name):
        return name
    if not isinstance(name, str):
        raise InputError(
            f"scoring={name!r} is no score; give a name, or a scorer (estimator, X, y) -> float."
        )
    if name == "macro_f1":
        return make_scorer(f1_score, average="macro", zero_division=0)
    if name == "mcc":
        return make_scorer(matthews_corrcoef)
    if name == "f2":
        average = "binary" if n_classes == 2 else "macro"
        return make_scorer(fbeta_score, beta=2, average=average, zero_division=0)
    if name == "geometric_mean":
        return make_scorer(geometric_mean_score)
    if name == "average_precision":
        by_class = ("decision_function", "predict_proba") if n_classes == 2 else "predict_proba"
        return make_scorer(average_precision_score, response_method=by_class)
    names = [*OWN, *get_scorer_names()]
    if name not in names:
        raise InputError(
            f"There is no score '{name}'{did_you_mean(name, names)}; choose one of "
            f"{', '.join(OWN)}, or the name of a scikit-learn scorer."
        )
    return get_scorer(name)


def for_search(name: Any, n_classes: int) -> Any:
    """Return what a search is given: one of the paper's metrics by name, which is faster."""
    return name if isinstance(name, str) and name in METRICS else make_scoring(name, n_classes)


def is_up_to_one(name: str) -> bool:
    """Return whether a score is known to lie between 0 or -1 and 1, so that 0.05 is little."""
    return name in OWN or name.startswith(_UP_TO_ONE)


def of_decisions(scorer: Scorer) -> bool:
    """Return whether a scorer looks at predicted classes, which a threshold changes."""
    return getattr(scorer, "_response_method", "predict") == "predict"
