"""Write a user's rows as they were, and further ones as their columns' own kinds.

Nothing is written half: the rows go to a temporary file beside the output, which takes its place
when it is whole.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from autosmote.atomic import try_to_write, write_file
from autosmote.data.files import TEXT_SUFFIXES, as_path, suffix_of
from autosmote.data.text_files import TextFormat
from autosmote.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from autosmote.data.user_table import UserTable

SUFFIXES = (*TEXT_SUFFIXES, *(f"{suffix}.gz" for suffix in TEXT_SUFFIXES))
"""Of files that rows are written to."""
_SAMPLE_ROWS = 200
"""Rows that tell which columns are in quotes."""
_PROBE_BYTES = 2**12
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def check_output(path: Path, given: Path, suffixes: tuple[str, ...] = SUFFIXES) -> None:
    """Check, before any work, that a file can be written to a place; nothing is left there.

    Parameters
    ----------
    path : Path
    given : Path
        The input, which is not to be overwritten.
    suffixes : tuple of str
        Endings of names that are allowed, in lower case.

    Raises
    ------
    UserError
    """
    if not path.name.lower().endswith(suffixes):
        raise UserError(f"The output {path.name} must be a {', '.join(suffixes)} file.")
    if path.resolve() == as_path(given).resolve():
        raise UserError(f"The output {path} is the input; give another name.")
    check_place("output", path)
    try:
        try_to_write(path.resolve().parent, _PROBE_BYTES)
    except OSError as exc:
        raise UserError(
            f"The output {path} cannot be written ({exc.strerror}); give another place."
        ) from exc


def check_place(what: str, path: Path) -> None:
    """Check that a path leads to a file, or to none in a folder that is there.

    Raises
    ------
    UserError
    """
    if not path.resolve().parent.is_dir():
        raise UserError(f"There is no folder for the {what} {path}; make it first.")
    if path.exists() and not path.is_file():  # a folder, a pipe, a device
        raise UserError(f"The {what} {path} is no file; give another name.")


def write_output(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file as `atomic.write_file` does; a link stays.

    Raises
    ------
    UserError
        When the file cannot be written; an older one is left as it was.
    """
    try:
        write_file(path, write, follow=True)
    except OSError as exc:
        raise UserError(
            f"The output {path} cannot be written ({exc.strerror}); what was there is left as it "
            "was."
        ) from exc


def check_exact(table: UserTable) -> None:
    """Check, before any work, that the rows can be written byte for byte as they were.

    Raises
    ------
    UserError
    """
    if not table.format.is_exact:
        raise UserError(
            f"{table.name} has characters that {table.format.encoding} writes in more than one "
            "way, so its rows could not be written as they were; save it as UTF-8."
        )


def write_rows(
    path: Path,
    table: UserTable,
    synthetic: pd.DataFrame | None = None,
    labels: Sequence[object] = (),
    *,
    extra: Mapping[str, Sequence[str]] | None = None,
    kept: Sequence[int] | None = None,
    quote_formulas: bool = False,
) -> None:
    """Write the given rows, byte for byte as they were, and then synthetic ones.

    Columns that are no features are empty in synthetic rows.

    Parameters
    ----------
    path : Path
        Written as the given file is: the same separator, encoding, quotes and line ends. Where that
        is no separated text, a .tsv file has tabs.
    table : UserTable
    synthetic : DataFrame, optional
        Further rows, with the columns of ``table.frame``.
    labels : sequence
        Their labels.
    extra : mapping of str to sequence of str, optional
        Columns that are added at the end, of given and synthetic rows.
    kept : sequence of int, optional
        Positions of the given rows to write; all by default.
    quote_formulas : bool
        Put an apostrophe before texts that a spreadsheet would take for a formula, in all rows.

    Raises
    ------
    UserError
        When the file cannot be written; an older one is left as it was.
    """
    extra = extra or {}
    n_synthetic = 0 if synthetic is None else len(synthetic)
    positions = range(len(table.cells[0])) if kept is None else kept
    if clash := set(extra) & set(table.names):
        raise UserError(f"{table.name} has a column '{min(clash)}' already; give another name.")
    columns: list[list[str]] = []
    for name, kind in zip(table.names, table.kinds, strict=True):
        if synthetic is None:
            columns.append([])
        elif name == table.target:
            columns.append(kind.texts(list(labels)))
        elif name in synthetic.columns:
            columns.append(kind.texts(list(synthetic[name])))
        else:
            columns.append([""] * n_synthetic)
    added = (
        list(zip(*extra.values(), strict=True)) if extra else [()] * (len(positions) + n_synthetic)
    )
    new = [
        [*row, *more]
        for row, more in zip(
            zip(*columns, strict=True) if n_synthetic else [], added[len(positions) :], strict=True
        )
    ]
    form = table.format
    if table.raw is None and suffix_of(path) == ".tsv":
        form = TextFormat(sep="\t")
    try:
        text = _text(table, form, positions, list(extra), added, new, quote_formulas)
        data = form.mark + text.encode(form.encoding)
        if path.suffix.lower() == ".gz":
            data = gzip.compress(data, mtime=0)
    except UnicodeEncodeError as exc:
        raise UserError(
            f"{exc.object[exc.start : exc.end]!r} cannot be written as {form.encoding}; "
            "save the table as UTF-8."
        ) from exc
    write_output(path, lambda temporary: temporary.write_bytes(data))


def _text(
    table: UserTable,
    form: TextFormat,
    positions: Sequence[int],
    names: list[str],
    added: Sequence[Sequence[str]],
    new: Sequence[Sequence[str]],
    quote_formulas: bool,
) -> str:
    safe = _without_formulas if quote_formulas else list
    head, body = (quoted + [all(quoted)] * len(names) for quoted in _quoted_columns(table))
    further = zip([names, *added[: len(positions)]], chain([head], repeat(body)), strict=False)
    out: list[str] = []
    if table.raw is None or quote_formulas:
        rows = list(zip(*table.cells, strict=True))
        given = [table.names, *(rows[position] for position in positions)]
        for row, (more, quoted) in zip(given, further, strict=True):
            out.append(_line(safe([*row, *more]), quoted, form) + form.line_end)
    else:
        lines = [table.raw[0], *(table.raw[1 + position] for position in positions)]
        for line, (more, quoted) in zip(lines, further, strict=True):
            bare = line.rstrip("\r\n")
            end = line[len(bare) :] or form.line_end
            if more:
                bare += form.sep + _line(safe(more), quoted[len(table.names) :], form)
            out.append(bare + end)
    out.extend(_line(safe(row), body, form) + form.line_end for row in new)
    return "".join(out)


def _quoted_columns(table: UserTable) -> tuple[list[bool], list[bool]]:
    """Return whether each name, and each column's cells, are in quotes that they do not need."""
    none = [False] * len(table.names)
    if table.raw is None:
        return none, none
    sep = re.escape(table.format.sep)
    field = re.compile(rf'(?:\A|{sep})(?:(")((?:[^"]|"")*+)"|[^{sep}\r\n]*+)')
    lines = [
        [mark and not _needs_quotes(text, table.format.sep) for mark, text in field.findall(line)]
        for line in (text.lstrip("\r\n") for text in table.raw[: 1 + _SAMPLE_ROWS])
    ]
    return [bool(mark) for mark in lines[0]], [any(marks) for marks in zip(*lines[1:], strict=True)]


def _line(cells: Sequence[str], quoted: Sequence[bool], form: TextFormat) -> str:
    """Return a row's text without its end; cells that need quotes have them too."""
    texts = [
        '"' + cell.replace('"', '""') + '"' if quote or _needs_quotes(cell, form.sep) else cell
        for cell, quote in zip(cells, quoted, strict=True)
    ]
    return form.sep.join(texts) or '""'


def _needs_quotes(cell: str, sep: str) -> bool:
    return sep in cell or '"' in cell or "\n" in cell or "\r" in cell


def _without_formulas(cells: Sequence[str]) -> list[str]:
    """Put an apostrophe before what is a formula to a spreadsheet; numbers stay."""
    return [
        f"'{cell}" if cell.startswith(_FORMULA) and not _is_number(cell) else cell for cell in cells
    ]


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
