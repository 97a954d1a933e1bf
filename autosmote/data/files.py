"""Read a table of the runner: separated text, Parquet, ARFF or Excel."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autosmote.data.arff import parse_arff
from autosmote.data.column_kinds import (
    MISSING,
    find_decimal,
    number_style,
    plain_number,
    style_in_words,
)
from autosmote.data.columns import NUMBER, TEXT, UNDECLARED, RawColumn
from autosmote.data.text_files import read_text_rows, unpacked
from autosmote.errors import UserError, let_interrupts_through

logger = logging.getLogger("autosmote")

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet", ".arff", ".xlsx")


def as_path(given: str | Path) -> Path:
    """Return a file's path: `~` before it is the home folder, unless there is a file so named."""
    path = Path(given)
    with suppress(RuntimeError):  # there is no such user
        return path if os.path.lexists(path) else path.expanduser()
    return path


def suffix_of(path: Path) -> str:
    """Return a file's suffix in small letters, without that of gzip."""
    return _unpacked_name(path).suffix.lower()


def name_of(path: Path) -> str:
    """Return a file's name without its suffixes."""
    return _unpacked_name(path).stem


def _unpacked_name(path: Path) -> Path:
    return Path(path.stem if path.suffix.lower() == ".gz" else path.name)


def read_table(path: str | Path, *, as_given: bool = False) -> list[RawColumn]:
    """Read a table in the format given by its suffix.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.tsv`` or ``.txt`` (a header line; the texts of ``MISSING`` mean missing),
        ``.parquet``, ``.arff`` or ``.xlsx``; all but the last may be packed (``.gz``).
    as_given : bool
        For a user's table: texts of Parquet and Excel are not stripped, and none means missing;
        values that are neither numbers nor text, such as dates, are taken as text.

    Returns
    -------
    list of RawColumn
        In the order of the file.

    Raises
    ------
    UserError
        When the file is missing, unreadable, or not what its suffix says.
    """
    path = as_path(path)
    suffix = suffix_of(path)
    if suffix not in SUFFIXES:
        raise UserError(
            f"{path} has the suffix '{path.suffix}'; save the table as {', '.join(SUFFIXES)}."
        )
    if not path.is_file():
        raise UserError(f"There is no file {path}; check its name and folder.")
    try:
        if suffix in TEXT_SUFFIXES:
            return _read_text(path)
        if suffix == ".arff":
            return parse_arff(unpacked(path), path.name)
        if suffix == ".xlsx":
            return _read_excel(path, as_given)
        return _read_parquet(path, as_given)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise UserError(f"{path} cannot be read: {reason}; check the file.") from exc


def _read_text(path: Path) -> list[RawColumn]:
    table = read_text_rows(path)
    for guess in table.guesses:  # the runner has no options for these
        logger.info("%s: %s (else %s)", path.name, guess.what, guess.remedy)
    cells: list[Sequence[str]] = list(zip(*table.rows, strict=True)) or [()] * len(table.header)
    columns = []
    decimal = find_decimal(cells, table.format.sep)
    for number, (name, column) in enumerate(zip(table.header, cells, strict=True), start=1):
        if not name:
            logger.info("%s: column %d has no name and is left out", path.name, number)
            continue
        columns.append(_interpreted(name, column, decimal, path.name))
    return columns


def _interpreted(name: str, cells: Sequence[str], decimal: str | None, where: str) -> RawColumn:
    """Return a column of text without its blanks and missing words, and its numbers with points."""
    read = [None if (text := cell.strip()) in MISSING else text for cell in cells]
    distinct = list(dict.fromkeys(text for text in read if text is not None))
    remedy = "write it with a decimal point and without thousands"
    style = number_style(name, distinct, decimal, where, remedy=remedy)
    if style and (words := style_in_words(style, distinct)):
        logger.info("%s: column '%s' %s", where, name, words)
        read = [text and plain_number(text, style.decimal, style.grouped) for text in read]
    return RawColumn(name, read, UNDECLARED)


def _read_excel(path: Path, as_given: bool) -> list[RawColumn]:
    import pandas as pd

    if find_spec("openpyxl") is None:
        raise UserError(
            f"{path.name} needs the package openpyxl to be read; install it, or save the table as "
            "CSV."
        )
    try:
        table = pd.read_excel(
            path, header=None, dtype=str, keep_default_na=False, na_filter=False, engine="openpyxl"
        )
    except OSError:
        raise
    except Exception as exc:  # zlib's, XML's and openpyxl's own, by what is damaged
        let_interrupts_through(exc)
        raise UserError(
            f"{path.name} is not a readable Excel file (.xlsx, without a password); save it again."
        ) from exc
    if table.empty:
        raise UserError(f"{path.name} is empty; it needs a header line and rows.")
    columns = []
    for _, (name, *cells) in table.items():
        known = str(name).strip()
        texts = [str(cell) for cell in cells]
        columns.append(
            RawColumn(known, texts, UNDECLARED)
            if as_given
            else _interpreted(known, texts, ".", path.name)
        )
    return columns


def _read_parquet(path: Path, as_given: bool) -> list[RawColumn]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:  # pq.read_table takes no name twice
            table = file.read()
    except pa.ArrowException as exc:
        raise UserError(f"{path.name} is not a readable Parquet file; write it again.") from exc
    columns = []
    for name, values in zip(table.column_names, table.columns, strict=True):
        if name.startswith("__index_level_"):  # pandas' row index, not a feature
            continue
        columns.append(_arrow_column(path.name, name, values, as_given))
    return columns


def _arrow_column(where: str, name: str, values: Any, as_given: bool) -> RawColumn:
    """Convert an Arrow column to text, with NUMBER, TEXT or its categories as declared type."""
    from pyarrow import types

    kind = values.type
    declared: str | tuple[str, ...]
    if types.is_dictionary(kind):
        chunks = [values.chunk(i).dictionary.to_pylist() for i in range(values.num_chunks)]
        declared = tuple(str(category) for chunk in chunks for category in chunk)
    elif types.is_boolean(kind) or types.is_string(kind) or types.is_large_string(kind):
        declared = TEXT
    elif (
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_null(kind)
    ):
        declared = NUMBER
    elif as_given:
        declared = TEXT
    else:
        raise UserError(
            f"{where}, column '{name}' has the type {kind}; store it as numbers, text or booleans."
        )
    # NaN is missing too. str() of a float is exact: parsing it gives the same bits.
    cells = [None if x is None or x != x else str(x) for x in values.to_pylist()]
    if declared != NUMBER and not as_given:
        cells = [cell and (cell.strip() or None) for cell in cells]
    return RawColumn(name, cells, declared)
