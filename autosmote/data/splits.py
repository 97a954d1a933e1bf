"""Under-sample the minority, split 60/20/20 and preprocess (the paper's Section 4.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from autosmote.data.datasets import Dataset
from autosmote.errors import UserError
from autosmote.streams import Purpose, stream

FIT_ON = ("train", "all")
MIN_MINORITY_PER_PART = 2
MAX_EXTRA = 3000
"""Rows that were removed and are test rows too, at most: more would tell little more."""


@dataclass(frozen=True, eq=False)
class Split:
    """Training, validation and test part of a dataset for one imbalance ratio and seed.

    Attributes
    ----------
    X_train, X_val, X_test : ndarray of float64, shape (n_part, D), C-contiguous
        Scaled numeric features, followed by one-hot blocks.
    y_train, y_val, y_test : ndarray of int8, shape (n_part,)
        1 for the minority class.
    feature_names : tuple of str
        ``name`` of a numeric feature, ``name=category`` of a one-hot column.
    groups : list of tuple of int
        Column range (start, stop) of each categorical feature's one-hot block.
    ir : float or None
        The requested imbalance ratio; None for the dataset's own.
    ir_train : float
        N_maj / N_min of the training part.
    ir_whole : float
        N_maj / N_min of all parts together; the classes' weights in the extended test.
    X_extra, y_extra : ndarray of float64, shape (n_extra, D), and of int8, shape (n_extra,)
        Rows of the extended test beside those of the test part: minority rows that the
        under-sampling removed, or, of a generated dataset, fresh rows of both classes. Empty where
        there are none.
    fingerprint, dataset : str
        Fingerprint and name of the whole dataset, before under-sampling.
    seed : int
    """

    X_train: np.ndarray
    y_train: np.ndarray
    X_val: np.ndarray
    y_val: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    feature_names: tuple[str, ...]
    groups: list[tuple[int, int]]
    ir: float | None
    ir_train: float
    fingerprint: str
    dataset: str
    seed: int
    ir_whole: float
    X_extra: np.ndarray
    y_extra: np.ndarray

    @cached_property
    def X_look(self) -> np.ndarray:
        """The rows of the one look at the end: the test part, then the extra rows."""
        return np.concatenate([self.X_test, self.X_extra])


def make_split(dataset: Dataset, *, ir: float | None, seed: int, fit_on: str = "train") -> Split:
    """Under-sample, split and preprocess a dataset, in this order.

    The minority class of the whole dataset is under-sampled to ``floor(N_maj / ir)`` rows, which
    gives the counts of the paper's Table 1; then each class is split at 60 % and 80 % of its
    rows. For one seed, the rows at a higher ratio are a subset of those at a lower one, and the
    extra rows of the extended test are the same.

    Parameters
    ----------
    dataset : Dataset
    ir : float or None
        Imbalance ratio N_maj / N_min; None keeps all rows.
    seed : int
        Of the under-sampling and the split.
    fit_on : {"train", "all"}
        Rows that the preprocessing is fitted on. "all", as in the paper, means all rows after
        under-sampling, which leaks test rows into the preprocessing.

    Raises
    ------
    UserError
        When ``ir`` is not a positive number, lies below the data's own ratio, or leaves fewer than
        two minority rows in a part; or when ``seed`` or ``fit_on`` is not valid.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UserError(f"seed={seed} is not valid; give a whole number from 0 on.")
    if fit_on not in FIT_ON:
        raise UserError(
            f"preprocess.fit_on={fit_on} is not valid; choose from {', '.join(FIT_ON)}."
        )
    rng = stream(seed, Purpose.SPLIT)
    majority = rng.permutation(np.flatnonzero(dataset.y == 0))
    minority = np.flatnonzero(dataset.y == 1)
    minority = stream(seed, Purpose.UNDER_SAMPLING).permutation(minority)
    ratio = None if ir is None else _checked_ratio(ir, len(majority), len(minority))
    removed = minority[:0]
    if ratio is not None:
        n_kept = math.floor(len(majority) / ratio + 1e-9)
        # From the end, where no ratio but the data's own keeps rows.
        removed = minority[max(n_kept, len(minority) - MAX_EXTRA) :]
        minority = minority[:n_kept]
    parts = [
        # Shuffled, since the canonical order sorts the rows by their first feature.
        rng.permutation(np.concatenate(of_both_classes))
        for of_both_classes in zip(_cut(majority), _cut(minority), strict=True)
    ]
    smallest = min(int(dataset.y[rows].sum()) for rows in parts)
    if smallest < MIN_MINORITY_PER_PART:
        asked = f"ir={ir} leaves" if ir is not None else f"{dataset.name} has"
        remedy = "choose a smaller ir" if ir is not None else "get more data"
        raise UserError(
            f"{asked} {len(minority)} minority rows, too few for {MIN_MINORITY_PER_PART} in each "
            f"of training, validation and test part; {remedy}."
        )

    preprocess = _Preprocessing(dataset, parts[0] if fit_on == "train" else np.concatenate(parts))
    X_train, X_val, X_test = (preprocess.features(dataset, rows) for rows in parts)
    y_train, y_val, y_test = (dataset.y[rows] for rows in parts)
    source, extra = dataset, removed
    if dataset.fresh is not None:
        source = dataset.fresh()
        extra = np.arange(len(source.y))
    feature_names, groups = _layout(dataset)
    n_minority = int(y_train.sum())
    return Split(
        X_train=X_train,
        y_train=y_train,
        X_val=X_val,
        y_val=y_val,
        X_test=X_test,
        y_test=y_test,
        feature_names=feature_names,
        groups=groups,
        ir=ratio,
        ir_train=(len(y_train) - n_minority) / n_minority,
        fingerprint=dataset.fingerprint,
        dataset=dataset.name,
        seed=int(seed),
        ir_whole=len(majority) / len(minority) if ratio is None else ratio,
        X_extra=preprocess.features(source, extra),
        y_extra=source.y[extra],
    )


def preprocess_all(dataset: Dataset) -> np.ndarray:
    """Return the features of all rows, scaled by all: to describe a dataset, not to learn."""
    rows = np.arange(len(dataset.y))
    return _Preprocessing(dataset, rows).features(dataset, rows)


def _checked_ratio(ir: float, n_majority: int, n_minority: int) -> float:
    try:
        ratio = math.nan if isinstance(ir, bool) else float(ir)
    except (TypeError, ValueError):
        ratio = math.nan
    if not (math.isfinite(ratio) and ratio > 0):
        raise UserError(
            f"ir={ir} is not a positive number; give the ratio of majority to minority rows, "
            "such as ir=50, or ir=null to keep the data's own."
        )
    own = n_majority / n_minority
    if ratio < own * (1 - 1e-9):  # with a tolerance, for the own ratio written in decimals
        raise UserError(
            f"ir={ir} is below the data's own ratio of {own:.4g} ({n_majority:,} to "
            f"{n_minority:,} rows), and only minority rows are removed; give a larger ir, or "
            "ir=null to keep the data's own."
        )
    return ratio


def _cut(rows: np.ndarray) -> list[np.ndarray]:
    """Split rows at 60 % and 80 %, rounded half up (in integers, hence exactly)."""
    n = len(rows)
    return np.split(rows, [(6 * n + 5) // 10, (8 * n + 5) // 10])


class _Preprocessing:
    """Standardise numeric columns by the statistics of some rows; one-hot encode the others.

    A missing number becomes 0 (the mean), a missing category a block of zeros.
    """

    def __init__(self, dataset: Dataset, fit_rows: np.ndarray) -> None:
        self._scaler = None
        if dataset.numeric_names:
            from sklearn.preprocessing import StandardScaler

            # A column without values in these rows has no mean and becomes 0 everywhere.
            numbers = dataset.numeric[fit_rows]
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                self._scaler = StandardScaler().fit(numbers)
            _check_scales(dataset, numbers, self._scaler)

    def features(self, dataset: Dataset, rows: np.ndarray) -> np.ndarray:
        """Return the features of some rows, C-contiguous."""
        blocks = []
        if self._scaler is not None:
            numbers = dataset.numeric[rows]
            scaled = self._scaler.transform(numbers) if len(rows) else numbers
            if np.isinf(scaled).any():
                _refuse(dataset, numbers, int(np.argwhere(np.isinf(scaled))[0][1]))
            blocks.append(np.nan_to_num(scaled, nan=0.0))
        for codes, categories in zip(dataset.categorical[rows].T, dataset.categories, strict=True):
            blocks.append((codes[:, None] == np.arange(len(categories))).astype(np.float64))
        return np.ascontiguousarray(np.concatenate(blocks, axis=1))


def _check_scales(dataset: Dataset, numbers: np.ndarray, scaler: Any) -> None:
    """Refuse columns whose deviation overflows: all of their values would silently become 0."""
    has_values = ~np.isnan(numbers).all(axis=0)
    faulty = has_values & ~(np.isfinite(scaler.mean_) & np.isfinite(scaler.var_))
    if faulty.any():
        _refuse(dataset, numbers, int(np.flatnonzero(faulty)[0]))


def _refuse(dataset: Dataset, numbers: np.ndarray, j: int) -> NoReturn:
    largest = numbers[np.nanargmax(np.abs(numbers[:, j])), j]
    raise UserError(
        f"{dataset.name}, column '{dataset.numeric_names[j]}': {largest:g} is so large that the "
        "column's deviation overflows; correct it, or rescale the column."
    )


def _layout(dataset: Dataset) -> tuple[tuple[str, ...], list[tuple[int, int]]]:
    """Return the feature names and the column range of each one-hot block."""
    names = list(dataset.numeric_names)
    groups = []
    for column, categories in zip(dataset.categorical_names, dataset.categories, strict=True):
        groups.append((len(names), len(names) + len(categories)))
        names += [f"{column}={category}" for category in categories]
    return tuple(names), groups
