"""Load a dataset: one of the paper's six, the embedded toy data, or a user's own file.

Rows are brought into one canonical order before anything random happens, so that a seed selects
the same rows whatever the source.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from autosmote.data.arff import parse_arff
from autosmote.data.columns import (
    NUMBER,
    RawColumn,
    canonical_order,
    is_numeric,
    to_codes,
    to_numbers,
)
from autosmote.data.files import read_table
from autosmote.data.toy import fresh_toy_columns, toy_columns
from autosmote.errors import UserError

DATA_DIR_VARIABLE = "AUTOSMOTE_DATA_DIR"


@dataclass(frozen=True, eq=False)
class Dataset:
    """A two-class table in canonical order: rows sorted by all columns.

    Attributes
    ----------
    name : str
    numeric : ndarray of float64, shape (n, d_num)
        NaN where missing.
    categorical : ndarray of int32, shape (n, d_cat)
        Codes into ``categories``; -1 where missing.
    numeric_names, categorical_names : tuple of str
    categories : tuple of tuple of str
        For each categorical column its declared categories, sorted.
    y : ndarray of int8, shape (n,)
        1 for the minority class, the less frequent one (of two equally frequent classes, the
        second label in sorted order).
    classes : tuple of str
        The majority's label and the minority's.
    fingerprint : str
        Hexadecimal SHA-256 of the canonical table (see `columns.canonical_order`).
    source : str
        Where the data came from, without folder names.
    fresh : callable, optional
        Returns further rows of the same distribution, which no split holds: of generated data
        alone. A command that makes no split does not wait for them.
    """

    name: str
    numeric: np.ndarray
    categorical: np.ndarray
    numeric_names: tuple[str, ...]
    categorical_names: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    y: np.ndarray
    classes: tuple[str, str]
    fingerprint: str
    source: str
    fresh: Callable[[], Dataset] | None = None


@dataclass(frozen=True)
class PaperDataset:
    """One of the six datasets of the paper's Table 1, with the counts that any source must have."""

    openml_id: int  # always version 1
    file_name: str  # OpenML's name of the dataset, as a local folder holds it
    n_majority: int
    n_minority: int
    n_features: int  # after one-hot encoding
    dropped: tuple[str, ...] = ()  # identifier columns, which a local file does not mark


PAPER_DATASETS = {
    "phoneme": PaperDataset(1489, "phoneme.arff", 3818, 1586, 5),
    "phishingwebsites": PaperDataset(4534, "PhishingWebsites.arff", 6157, 4898, 68),
    "eegeyestate": PaperDataset(1471, "eeg-eye-state.arff", 8257, 6723, 14),
    "mozilla4": PaperDataset(1046, "mozilla4.arff", 10437, 5108, 5),
    "magictelescope": PaperDataset(1120, "MagicTelescope.arff", 12332, 6688, 10, ("ID",)),
    "electricity": PaperDataset(151, "electricity.arff", 26075, 19237, 14),
}
DATASET_NAMES = ("toy", "toy2", *PAPER_DATASETS, "file")
_CASE_STUDY = "toy2.csv"


def load_dataset(
    name: str,
    *,
    data_dir: str | Path | None = None,
    path: str | Path | None = None,
    target: str | None = None,
    cache_dir: str | Path | None = None,
    source: str | None = None,
    openml_id: int | None = None,
    version: int | None = None,
) -> Dataset:
    """Load a dataset by name.

    Parameters
    ----------
    name : str
        One of ``DATASET_NAMES``; with a `source` a table's name there.
    data_dir : str or Path, optional
        Folder with the six datasets' ARFF files; by default the folder that the environment
        variable AUTOSMOTE_DATA_DIR names.  Without either they come from OpenML.
    path, target : optional
        The user's file and its target column, for ``name="file"``; of OpenML's tables the target
        alone.
    cache_dir : str or Path, optional
        Root of the openml client's cache; by default the client's own.
    source : {"openml", "imblearn", "common"}, optional
        A public collection (`autosmote.data.public_tables`).
    openml_id, version : int, optional
        For the source "openml": the one, or the other and its name.

    Raises
    ------
    UserError
        If the name, the source, or its contents are not valid.
    """
    if source is not None:
        from autosmote.data.public_tables import public_columns

        if path is not None:
            raise UserError(f"dataset.path belongs to dataset=file, not to dataset={source}.")
        columns, found, where = public_columns(
            source, name, openml_id=openml_id, version=version, target=target, cache_dir=cache_dir
        )
        return build_dataset(name, columns, found, where=where, source=where)
    for key, given in {"id": openml_id, "version": version}.items():
        if given is not None:
            raise UserError(f"dataset.{key} belongs to dataset=openml, not to dataset={name}.")
    if name not in DATASET_NAMES:
        raise UserError(f"There is no dataset '{name}'; choose from {', '.join(DATASET_NAMES)}.")
    if name == "file":
        if path is None or target is None:
            raise UserError(
                "dataset=file needs dataset.path=... (CSV, Parquet or ARFF) and "
                "dataset.target=... (the column of labels)."
            )
        file = Path(path).name
        return build_dataset(name, read_table(path), target, where=file, source=f"file {file}")
    if path is not None or target is not None:
        raise UserError(
            f"dataset.path and dataset.target belong to dataset=file, not to dataset={name}."
        )
    if name == "toy":
        toy = build_dataset(name, toy_columns(), "label", where="toy", source="generated")
        return replace(toy, fresh=_fresh_toy)
    folder = data_dir or os.environ.get(DATA_DIR_VARIABLE)
    if name == "toy2":
        path = Path(folder).expanduser() / _CASE_STUDY if folder else None
        if path is None or not path.exists():
            return build_dataset(name, toy_columns(), "label", where="toy", source="generated")
        found = f"local file {_CASE_STUDY}"
        return build_dataset(name, read_table(path), "label", where=_CASE_STUDY, source=found)
    return _load_paper_dataset(name, Path(folder) if folder else None, cache_dir)


@cache
def _fresh_toy() -> Dataset:
    """Return the rows of the toy data's extended test."""
    return build_dataset("toy", fresh_toy_columns(), "label", where="toy", source="generated")


def _load_paper_dataset(name: str, folder: Path | None, cache_dir: str | Path | None) -> Dataset:
    """Load one of the six datasets from a local folder or from OpenML; check its counts."""
    expected = PAPER_DATASETS[name]
    dropped = expected.dropped
    target = None
    if folder is not None:
        where = expected.file_name
        source = f"local file {expected.file_name}"
        try:
            data = (folder.expanduser() / expected.file_name).read_bytes()
        except OSError as exc:
            raise UserError(
                f"The data folder {folder} has no readable {expected.file_name} "
                f"({exc.strerror}); put it there under this name, or unset data_dir and "
                f"{DATA_DIR_VARIABLE} to fetch it from OpenML."
            ) from exc
    else:
        from autosmote.data.openml import fetch

        where = source = f"OpenML {expected.openml_id}"
        download = fetch(expected.openml_id, name, cache_dir)
        data, target, dropped = download.arff, download.target, dropped + download.dropped
    columns = [column for column in parse_arff(data, where) if column.name not in dropped]
    dataset = build_dataset(name, columns, target, where=where, source=source)
    _check_counts(dataset, expected, where)
    return dataset


def _check_counts(dataset: Dataset, expected: PaperDataset, where: str) -> None:
    n_minority = int(dataset.y.sum())
    found = (len(dataset.y) - n_minority, n_minority, n_features(dataset))
    wanted = (expected.n_majority, expected.n_minority, expected.n_features)
    if found != wanted:
        raise UserError(
            f"{where} has {found[0]:,} majority rows, {found[1]:,} minority rows and {found[2]} "
            f"features where version 1 of {dataset.name} has {wanted[0]:,}, {wanted[1]:,} and "
            f"{wanted[2]}; it is cut short or another version: fetch it again."
        )


def n_features(dataset: Dataset) -> int:
    """Return the number of features after one-hot encoding."""
    return dataset.numeric.shape[1] + sum(map(len, dataset.categories))


def build_dataset(
    name: str, columns: Sequence[RawColumn], target: str | None, *, where: str, source: str
) -> Dataset:
    """Convert columns to a dataset in canonical order.

    Parameters
    ----------
    name : str
    columns : sequence of RawColumn
        Including the target.
    target : str or None
        Name of the target column; None for the last one.
    where : str
        Name of the data in error messages.
    source : str
        Stored in the dataset.

    Raises
    ------
    UserError
        When the target is not among the columns, a label is missing, there are not exactly two
        classes, or a feature cannot be read (`columns`).
    """
    names = [column.name for column in columns]
    repeated = [column_name for column_name, count in Counter(names).items() if count > 1]
    if repeated:
        raise UserError(f"{where} has more than one column '{repeated[0]}'; rename one of them.")
    if target is not None and target not in names:
        raise UserError(f"{where} has no column '{target}'; its columns are {_shortened(names)}.")
    label_column = columns[-1 if target is None else names.index(target)]
    features = [column for column in columns if column is not label_column]
    labels, classes = _labels(label_column, where)

    kinds = [is_numeric(column, where) for column in features]
    numeric = [column for column, is_number in zip(features, kinds, strict=True) if is_number]
    categorical = [
        column for column, is_number in zip(features, kinds, strict=True) if not is_number
    ]
    n = len(labels)
    numbers = np.empty((n, len(numeric)))
    for j, column in enumerate(numeric):
        numbers[:, j] = to_numbers(column, where)
    codes = np.empty((n, len(categorical)), dtype=np.int32)
    categories = []
    for j, column in enumerate(categorical):
        codes[:, j], declared = to_codes(column, where)
        categories.append(declared)

    if not numeric and not any(categories):
        raise UserError(f"{where} has no feature beside '{label_column.name}'; add some.")

    y = (labels == classes[1]).astype(np.int8)
    order, fingerprint = canonical_order(numbers, codes, categories, labels)
    return Dataset(
        name=name,
        numeric=numbers[order],
        categorical=codes[order],
        numeric_names=tuple(column.name for column in numeric),
        categorical_names=tuple(column.name for column in categorical),
        categories=tuple(categories),
        y=y[order],
        classes=classes,
        fingerprint=fingerprint,
        source=source,
    )


def _labels(column: RawColumn, where: str) -> tuple[np.ndarray, tuple[str, str]]:
    """Return each row's label and the two classes, the majority first."""
    if not column.cells:
        raise UserError(f"{where} has no rows; add some.")
    cells = [cell for cell in column.cells if cell is not None]
    n_missing = len(column.cells) - len(cells)
    if n_missing:
        raise UserError(
            f"{where}, target '{column.name}': {n_missing:,} labels are missing, the first in "
            f"data row {column.cells.index(None) + 1}; fill them in or remove the rows."
        )
    if column.declared == NUMBER:  # so that 1 and 1.0 are one class
        cells = [f"{value:.15g}" for value in to_numbers(column, where)]
    counts = Counter(sorted(cells))
    if len(counts) != 2:
        raise UserError(
            f"{where}, target '{column.name}' has {len(counts):,} classes "
            f"({_shortened(list(counts))}); over-sampling here needs exactly two."
        )
    # most_common keeps the sorted order of equal counts: in a tie the second is the minority.
    (majority, _), (minority, _) = counts.most_common()
    return np.array(cells, dtype=object), (majority, minority)


def _shortened(names: Sequence[str]) -> str:
    shown = ", ".join(names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20:,} more"
