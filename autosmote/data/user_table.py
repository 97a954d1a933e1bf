"""Read a user's own table as it is, and say what was found out about it.

`read_user_table` keeps the text of every cell beside the values that are computed with;
`autosmote.data.write_rows` writes given rows from the texts, byte for byte, and synthetic ones as
the column's own kind.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autosmote.data.column_kinds import (
    LEFT_OUT,
    MISSING,
    ColumnKind,
    as_written,
    category,
    classify,
    find_decimal,
    find_other_decimal,
    numeric,
)
from autosmote.data.columns import NUMBER, UNDECLARED
from autosmote.data.files import TEXT_SUFFIXES, as_path, read_table, suffix_of
from autosmote.data.text_files import TextFormat, read_text_rows
from autosmote.errors import UserError

if TYPE_CHECKING:
    import argparse

    import pandas as pd


@dataclass(frozen=True)
class ReadOptions:
    """What a user says of a table; the rest is found out.

    Attributes
    ----------
    target : str, optional
        The column with the classes; None where there is none.
    sep, decimal, encoding : str, optional
        Of separated text.
    drop, categorical, id, numeric : collections of str
        Names of columns that are left out, are categories, are ids (left out too), are numbers.
    """

    target: str | None = None
    sep: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    drop: Collection[str] = ()
    categorical: Collection[str] = ()
    id: Collection[str] = ()
    numeric: Collection[str] = ()


@dataclass
class UserTable:
    """A table as a user gave it.

    Attributes
    ----------
    name : str
        The file's name.
    names : list of str
        Of all columns, in the order of the file.
    cells : list of sequences of str
        Of each column, the texts as they are in the file.
    kinds : list of ColumnKind
        Of each column; "left out" for those that are no features.
    target : str or None
    frame : DataFrame
        The features: whole numbers (int64, or Int64 with gaps), float64, or text with None.
    labels : ndarray of object or None
        The stripped labels.
    notes : list of str
        Sentences that say what was found out, with the option that overrides it.
    format : TextFormat
        How the file is written; of no meaning where it is no separated text.
    raw : list of str or None
        The text of the header and of each row, where the file is separated text.
    """

    name: str
    names: list[str]
    cells: list[Sequence[str]]
    kinds: list[ColumnKind]
    target: str | None
    frame: pd.DataFrame
    labels: np.ndarray | None
    notes: list[str] = field(default_factory=list)
    format: TextFormat = field(default_factory=TextFormat)
    raw: list[str] | None = None
    declared: list[str | tuple[str, ...]] = field(default_factory=list)
    """The type that the file declares for each column."""

    @property
    def features(self) -> dict[str, ColumnKind]:
        """The kinds of the features by name, for `read_user_table` of another file."""
        return {
            name: kind
            for name, kind in zip(self.names, self.kinds, strict=True)
            if kind.kind != LEFT_OUT and name != self.target
        }


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `options_of` to a command's parser."""
    add_reading_options(parser)
    for name, what in {
        "drop": "leave out",
        "categorical": "take as categories",
        "id": "leave out as ids",
        "numeric": "take as numbers",
    }.items():
        parser.add_argument(
            f"--{name}", action="append", default=[], metavar="COLUMN", help=f"a column to {what}"
        )


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how separated text is written."""
    add = parser.add_argument
    add("--sep", help="what separates values; found out by default")
    add("--decimal", choices=(".", ","), help="the decimal sign; found out by default")
    add("--encoding", help="of the text, such as cp1252; found out by default")


def options_of(parsed: argparse.Namespace) -> ReadOptions:
    """Return the options that `add_options` added, and `target` where there is one."""
    names = ("sep", "decimal", "encoding", "drop", "categorical", "id", "numeric")
    chosen = {name: getattr(parsed, name) for name in names}
    return ReadOptions(target=getattr(parsed, "target", None), **chosen)


def read_user_table(
    path: str | Path,
    options: ReadOptions = ReadOptions(),
    *,
    like: Mapping[str, ColumnKind] | None = None,
) -> UserTable:
    """Read a table and tell its features from what are none.

    Parameters
    ----------
    path : str or Path
        Separated text (.csv, .tsv, .txt), Parquet, ARFF or Excel; text may be packed (.gz).
    options : ReadOptions
    like : mapping of str to ColumnKind, optional
        `UserTable.features` of the table that a model was made from: these columns, of these
        kinds, are the features, in this order; all others are left out. Their numbers may be
        written with another decimal sign.

    Raises
    ------
    UserError
        When the file cannot be read, a column is not there, or a cell is not what its column is.
    """
    path = as_path(path)
    table = _read(path, options)
    _check_names(table, options, like)
    decimal = options.decimal or _decimal(table, like)
    for j, name in enumerate(table.names):
        kind, said = _kind(table, j, decimal, options, like)
        table.kinds.append(kind)
        if said:
            quoted = f"'{name}'" if name else j + 1
            table.notes.append(f"column {quoted} {said}")
    found = dict(zip(table.names, table.kinds, strict=True))
    features = table.features if like is None else {name: found[name] for name in like}
    if not features:
        raise UserError(
            f"{table.name} has no feature beside '{options.target}'"
            + (f" ({'; '.join(table.notes)})" if table.notes else "")
            + "; add some."
        )
    import pandas as pd

    columns = {
        name: kind.values(table.cells[table.names.index(name)], table.name, name)
        for name, kind in features.items()
    }
    table.frame = pd.DataFrame(columns)
    if options.target is not None:
        table.labels = _labels(table, options.target)
    return table


def _read(path: Path, options: ReadOptions) -> UserTable:
    """Read the cells alone."""
    import pandas as pd

    empty = pd.DataFrame()
    if suffix_of(path) in TEXT_SUFFIXES:
        if not path.is_file():
            raise UserError(f"There is no file {path}; check its name and folder.")
        try:
            sep = options.sep
            text = read_text_rows(path, sep=sep, encoding=options.encoding)
        except OSError as exc:
            raise UserError(
                f"{path} cannot be read: {exc.strerror or exc}; check the file."
            ) from exc
        cells: list[Sequence[str]] = list(zip(*text.rows, strict=True))
        notes = [f"{guess.what} (else give {guess.option})" for guess in text.guesses]
        table = UserTable(
            path.name, text.header, cells or [()] * len(text.header), [], options.target, empty,
            None, notes, text.format, text.raw, [UNDECLARED] * len(text.header),
        )  # fmt: skip
    else:
        columns = read_table(path, as_given=True)
        table = UserTable(
            path.name,
            [column.name for column in columns],
            [["" if cell is None else cell for cell in column.cells] for column in columns],
            [], options.target, empty, None, declared=[column.declared for column in columns],
        )  # fmt: skip
    if not table.cells or not len(table.cells[0]):
        raise UserError(f"{table.name} has a header but no rows; add some.")
    return table


def _check_names(
    table: UserTable, options: ReadOptions, like: Mapping[str, ColumnKind] | None
) -> None:
    """Refuse names that are not there or not clear."""
    named = [name for name in table.names if name]
    shown = ", ".join(named[:20]) + (f" and {len(named) - 20:,} more" if len(named) > 20 else "")
    if len(set(named)) < len(named):
        twice = next(name for i, name in enumerate(named) if name in named[:i])
        raise UserError(f"{table.name} has more than one column '{twice}'; rename one of them.")
    if options.target is not None and options.target not in named:
        raise UserError(f"{table.name} has no column '{options.target}'; its columns are {shown}.")
    for option in ("drop", "categorical", "id", "numeric"):
        for name in getattr(options, option):
            if name not in named:
                raise UserError(
                    f"--{option} names '{name}', but {table.name} has no such column; its columns "
                    f"are {shown}."
                )
            if name == options.target:
                raise UserError(f"--{option} names '{name}', which is the target.")
    for name in like or ():
        if name not in named:
            raise UserError(
                f"{table.name} has no column '{name}', which the model needs; its columns are "
                f"{shown}."
            )


def _decimal(table: UserTable, like: Mapping[str, ColumnKind] | None) -> str | None:
    """Return the decimal sign that the cells tell; None where they leave it open."""
    if table.raw is None:
        return "."
    if like is None:
        return find_decimal(table.cells, table.format.sep)
    columns = zip(table.names, table.cells, strict=True)
    return find_other_decimal([(like[name], cells) for name, cells in columns if name in like])


def _kind(
    table: UserTable,
    j: int,
    decimal: str | None,
    options: ReadOptions,
    like: Mapping[str, ColumnKind] | None,
) -> tuple[ColumnKind, str]:
    """Return a column's kind, and what is to be said of it."""
    name, cells = table.names[j], table.cells[j]
    if table.declared[j] == NUMBER:
        decimal = "."  # as values are printed here, whatever the sign in columns of text
    if name == options.target:
        return category(cells), ""
    if like is not None and name not in like:
        return ColumnKind(LEFT_OUT, why="is none of the model's columns"), ""
    if like is not None:
        return as_written(like[name], name, cells, decimal, table.name)
    if name in options.drop or name in options.id:
        return ColumnKind(LEFT_OUT, why="is dropped" if name in options.drop else "is an id"), ""
    if name in options.categorical:
        return category(cells), ""
    if name in options.numeric:
        return numeric(name, cells, decimal, table.name), ""
    return classify(name, cells, decimal, where=table.name, declared=table.declared[j])


def _labels(table: UserTable, target: str) -> np.ndarray:
    labels = [cell.strip() for cell in table.cells[table.names.index(target)]]
    missing = next((row for row, label in enumerate(labels) if label in MISSING), None)
    if missing is not None:
        raise UserError(
            f"{table.name}, target '{target}': the label of data row {missing + 1} is missing; "
            "fill it in or remove the row."
        )
    return np.array(labels, dtype=object)
