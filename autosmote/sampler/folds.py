"""Training parts and held-out parts of a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, check_cv
from sklearn.utils import _safe_indexing

from autosmote.errors import InputError
from autosmote.scoring.reward import Part
from autosmote.scoring.scorers.refit import stack
from autosmote.space.base import RowMaker, Samples
from autosmote.streams import Purpose, derived_seed, stream


@dataclass
class Fold:
    """One training part, and the held-out rows that go with it.

    Attributes
    ----------
    rows : integer ndarray
        Positions of its training rows among the given ones.
    X_train, y_train
        The training rows, and the synthetic rows found for other classes before.
    X_val, y_val
        The held-out rows.
    """

    rows: NDArray[np.integer]
    X_train: Any
    y_train: NDArray
    X_val: Any
    y_val: NDArray

    def part(
        self, maker: RowMaker, minority: NDArray[np.integer], label: Any, *, fast: bool
    ) -> Part:
        """Make the part of a search for one class from this fold.

        Parameters
        ----------
        maker : RowMaker
            Of the whole space's rows, as they will be returned.
        minority : integer ndarray
            Positions of the space's minority rows among the given ones.
        label : scalar
        fast : bool
            Whether the rows are such that a fast scorer may be tried.
        """
        return Part(
            X_train=self.X_train,
            y_train=self.y_train,
            maker=maker.restricted_to(np.isin(minority, self.rows)),
            X_val=self.X_val,
            y_val=self.y_val,
            label=label,
            fast=fast,
        )

    def add(self, part: Part, samples: Samples) -> None:
        """Add a class's samples, as the part's maker takes them, for the classes after it."""
        new = part.maker.rows(part.maker.restrict(samples))
        self.X_train = stack(self.X_train, new)
        self.y_train = np.append(self.y_train, np.full(len(new), part.label, self.y_train.dtype))


def make_folds(
    X: Any,
    y: NDArray,
    *,
    fraction: float,
    validation: tuple[Any, NDArray] | None,
    cv: Any,
    seed: int,
) -> list[Fold]:
    """Hold rows out: given ones, a fraction of each class, or the folds of a cross-validation.

    The fraction is used if neither `validation` (X, y) nor `cv` (a number, splitter or iterable) is
    given: at least one row of each class, drawn by the seed.

    Raises
    ------
    InputError
        When both `validation` and `cv` are given, or a class is missing in a part.
    """
    everything = np.arange(len(y))
    if validation is not None:
        if cv is not None:
            raise InputError("Give either validation or cv, not both.")
        X_val, y_val = validation
        folds = [Fold(everything, X, y, X_val, y_val)]
    elif cv is not None:
        folds = [
            _fold(X, y, np.sort(train), held_out)
            for train, held_out in check_cv(cv, y, classifier=True).split(X, y)
        ]
    else:
        rng = stream(seed, Purpose.HELD_OUT)
        held_out = np.concatenate(
            [
                rng.permutation(np.flatnonzero(y == label))[: max(1, round(fraction * count))]
                for label, count in zip(*np.unique(y, return_counts=True), strict=True)
            ]
        )
        folds = [_fold(X, y, np.setdiff1d(everything, held_out), np.sort(held_out))]
    for fold in folds:
        _check_classes(fold, np.unique(y))
    return folds


def shuffled_folds(n_folds: int, seed: int) -> StratifiedKFold:
    """Return folds whose rows are drawn by the seed, so that a table's order has no say."""
    random_state = derived_seed(seed, Purpose.FOLDS)
    return StratifiedKFold(n_folds, shuffle=True, random_state=random_state)


def _fold(X: Any, y: NDArray, train: NDArray[np.integer], held_out: NDArray[np.integer]) -> Fold:
    # A DataFrame's rows are numbered anew, as in what is returned.
    parts = [_safe_indexing(X, rows) for rows in (train, held_out)]
    X_train, X_val = (
        part.reset_index(drop=True) if hasattr(part, "iloc") else part for part in parts
    )
    return Fold(train, X_train, y[train], X_val, y[held_out])


def _check_classes(fold: Fold, classes: NDArray) -> None:
    for what, labels in (("training", fold.y_train), ("validation", fold.y_val)):
        missing = np.setdiff1d(classes, labels)
        if missing.size:
            raise InputError(
                f"The {what} part has no row of class {missing[0]}; hold out another share of "
                "the rows (validation_fraction), fewer folds (cv), or rows of your own "
                "(validation)."
            )
    unknown = np.setdiff1d(fold.y_val, classes)
    if unknown.size:
        raise InputError(
            f"The validation part has class {unknown[0]}, which is not among the given rows."
        )
