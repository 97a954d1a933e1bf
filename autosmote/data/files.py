"""Read a user's own table: CSV, Parquet or ARFF."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from autosmote.data.arff import parse_arff
from autosmote.data.columns import NUMBER, TEXT, UNDECLARED, RawColumn
from autosmote.errors import UserError

CSV_MISSING = frozenset(["", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null"])


def read_table(path: str | Path) -> list[RawColumn]:
    """Read a table in the format given by its suffix.

    Parameters
    ----------
    path : str or Path
        ``.csv`` (UTF-8, commas, a header line; the texts of ``CSV_MISSING`` mean missing),
        ``.parquet`` or ``.arff``.

    Returns
    -------
    list of RawColumn
        In the order of the file.

    Raises
    ------
    UserError
        When the file is missing, unreadable, or not what its suffix says.
    """
    path = Path(path).expanduser()
    readers = {".csv": _read_csv, ".parquet": _read_parquet, ".arff": _read_arff}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UserError(
            f"{path} has the suffix '{path.suffix}'; save the table as {', '.join(readers)}."
        )
    if not path.is_file():
        raise UserError(f"There is no file {path}; check dataset.path.")
    try:
        return reader(path)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise UserError(f"{path} cannot be read: {reason}; check the file.") from exc


def _read_arff(path: Path) -> list[RawColumn]:
    return parse_arff(path.read_bytes(), path.name)


def _read_csv(path: Path) -> list[RawColumn]:
    # The csv module rather than pandas, which silently pads short rows.
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        rows: list[list[str | None]] = []
        try:
            header = [name.strip() for name in next(reader, [])]
            for row in reader:
                if not row:  # an empty line
                    continue
                if len(row) != len(header):
                    raise UserError(
                        f"{path.name}, line {reader.line_num}: {len(row)} values where the header "
                        f"names {len(header)} columns; correct the row (commas between values)."
                    )
                values = [value.strip() for value in row]
                rows.append([None if value in CSV_MISSING else value for value in values])
        except UnicodeDecodeError as exc:
            raise UserError(f"{path.name} is not text in UTF-8; save it as UTF-8.") from exc
        except csv.Error as exc:
            raise UserError(
                f"{path.name}, line {reader.line_num}: {exc}; check the quotes of that row."
            ) from exc
    if not header:
        raise UserError(f"{path.name} is empty; it needs a header line and rows.")
    cells = list(zip(*rows, strict=True)) or [()] * len(header)
    return [RawColumn(*pair, UNDECLARED) for pair in zip(header, cells, strict=True)]


def _read_parquet(path: Path) -> list[RawColumn]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as exc:
        raise UserError(f"{path.name} is not a readable Parquet file; write it again.") from exc
    columns = []
    for name, values in zip(table.column_names, table.columns, strict=True):
        if name.startswith("__index_level_"):  # pandas' row index, not a feature
            continue
        columns.append(_arrow_column(path.name, name, values))
    return columns


def _arrow_column(where: str, name: str, values: Any) -> RawColumn:
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
    else:
        raise UserError(
            f"{where}, column '{name}' has the type {kind}; store it as numbers, text or booleans."
        )
    # NaN is missing too. str() of a float is exact: parsing it gives the same bits.
    cells = [None if x is None or x != x else str(x) for x in values.to_pylist()]
    if declared != NUMBER:
        cells = [cell and (cell.strip() or None) for cell in cells]
    return RawColumn(name, cells, declared)
