"""What the page shows of a table: its head, its rows in groups, and the parts of its cells."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from autosmote.reports.render.table import HIGHEST, LOWEST, Cell, Table

_NUMBER = re.compile(r"[-+]?\d+(?:\.(\d+))?")
_PARTS = re.compile(r"(?P<text>.*?)(?P<mark>[▲†‡]*)(?: (?P<interval>\[[^\]]*\]))?", re.DOTALL)
_CHOICES = range(2, 13)
"""How many different texts of a column a reader can choose from."""
_MANY_INTERVALS = 5
"""Columns of intervals from which on there is little room for each."""
_FEW = 5
"""Rows of a table in which nothing has to be looked for."""


@dataclass(frozen=True)
class Shown:
    """A cell of the page.

    Attributes
    ----------
    text, mark, interval : str
        The number, its footnote marks and its interval.
    beside, beside_mark, beside_interval : str
        What stands beside it, with the same parts.
    sort : str
        What it is sorted by, where its text does not begin with that number.
    is_text : bool
    is_best : bool
    """

    text: str
    mark: str = ""
    interval: str = ""
    beside: str = ""
    beside_mark: str = ""
    beside_interval: str = ""
    sort: str = ""
    is_text: bool = False
    is_best: bool = False


@dataclass(frozen=True)
class Column:
    """A column of the page.

    Attributes
    ----------
    name : str
    place : int
        Of its cells in a row.
    is_text : bool
    is_choice : bool
        Rows can be chosen by its texts.
    best_is_high : bool
    """

    name: str
    place: int
    is_text: bool
    is_choice: bool
    best_is_high: bool


@dataclass(frozen=True)
class Head:
    """A cell of the first line of the head: a column, or a name over several.

    Attributes
    ----------
    name : str
        Of the columns below; empty where it is a single column.
    columns : list of Column
    """

    name: str
    columns: list[Column]


@dataclass(frozen=True)
class Group:
    """Rows under a title; without a title they are but set apart from those above.

    Attributes
    ----------
    title : str
    rows : list of list of Shown
    """

    title: str
    rows: list[list[Shown]]


@dataclass(frozen=True)
class Layout:
    """All that the page shows of a table.

    Attributes
    ----------
    heads : list of Head
    is_spanned : bool
        The head has a second line, of the columns below the names over several.
    group_name : str
        What the titles of the groups are, such as "Metric".
    pinned : list of list of Shown
        Rows that stay on top.
    groups, footer : list of Group
    n_columns : int
    has_many_intervals : bool
        So that the page sets its columns close together.
    """

    heads: list[Head]
    is_spanned: bool
    group_name: str
    pinned: list[list[Shown]]
    groups: list[Group]
    footer: list[Group]
    n_columns: int
    has_many_intervals: bool


def lay_out(table: Table) -> Layout:
    """Return what the page shows of a table.

    Titles of groups take the place of the first column where that names the groups; rows that stay
    on top are above the groups, without a title.
    """
    first = int(table.grouped)  # of the columns that are shown
    is_text = [_is_text(table, j) for j in range(len(table.header))]
    best = _find_best(table)
    rows = [
        [_show(cell, is_text[j], (i, j) in best) for j, cell in enumerate(row)][first:]
        for i, row in enumerate(table.rows)
    ]
    footer = [[_show(cell, is_text[j]) for j, cell in enumerate(row)] for row in table.footer]
    columns = list(_columns(table, is_text))[first:]
    return Layout(
        list(_heads(table, columns)),
        any(name for name, _ in table.spans),
        table.header[0] if table.grouped else "",
        [rows[i] for i in table.pinned],
        [
            Group(str(title) if table.grouped else "", [rows[i] for i in places])
            for title, places in _groups(table)
        ],
        list(_footer(footer, first)),
        len(columns),
        sum(any(row[j].interval for row in rows) for j in range(len(columns))) > _MANY_INTERVALS,
    )


def _groups(table: Table) -> Iterator[tuple[object, list[int]]]:
    """Yield each group with the places of its rows, without those that stay on top."""
    group_of = table.group_of or [""] * len(table.rows)
    places = [i for i in range(len(table.rows)) if i not in table.pinned]
    for group, found in groupby(places, key=lambda i: group_of[i]):
        yield group, list(found)


def _footer(rows: Sequence[list[Shown]], first: int) -> Iterator[Group]:
    """Yield the rows below; where there is a column of groups, its text begins one."""
    title = ""
    group: list[list[Shown]] = []
    for row in rows:
        if first and row[0].text and group:
            yield Group(title, group)
            group = []
        title = row[0].text if first and row[0].text else title
        group.append(row[first:])
    if group:
        yield Group(title, group)


def _columns(table: Table, is_text: Sequence[bool]) -> Iterator[Column]:
    n_rows = len(table.rows) if table.sortable else 0
    for j, name in enumerate(table.header):
        found = {row[j].text for row in table.rows}
        # The column that names the rows is searched, not chosen from.
        is_row_name = j == int(table.grouped)
        is_choice = is_text[j] and not is_row_name and len(found) in _CHOICES
        is_choice = is_choice and n_rows > _FEW and 2 * len(found) <= n_rows
        is_high = table.best.get(j) == HIGHEST
        yield Column(name, j - int(table.grouped), is_text[j], is_choice, is_high)


def _is_text(table: Table, j: int) -> bool:
    """Return whether a column holds text: one on the left, or one of words without numbers."""
    if j < table.n_text:
        return True
    cells = [row[j] for row in table.rows]
    return any(cell.sort is None and re.search("[A-Za-z]", cell.text) for cell in cells)


def _heads(table: Table, columns: Sequence[Column]) -> Iterator[Head]:
    """Yield the first line of the head: names over several columns, and single columns."""
    by_place = {column.place: column for column in columns}
    place = -int(table.grouped)
    for name, width in table.spans or [("", len(table.header))]:
        below = [by_place[i] for i in range(place, place + width) if i in by_place]
        place += width
        if name:
            yield Head(name, below)
        else:
            yield from (Head("", [column]) for column in below)


def _show(cell: Cell, is_text: bool, is_best: bool = False) -> Shown:
    """Return the parts of a cell; text of a record is whole, whatever it looks like."""
    if is_text:
        return Shown(cell.text, beside=cell.beside, is_text=True)
    parts = (*_part(cell.text), *_part(cell.beside))
    return Shown(*parts, sort=_sort_key(cell), is_best=is_best)


def _part(text: str) -> tuple[str, str, str]:
    """Return a number, its marks and its interval."""
    found = _PARTS.fullmatch(text)
    return (found["text"], found["mark"], found["interval"] or "") if found else (text, "", "")


def _sort_key(cell: Cell) -> str:
    """Return the number to sort by; nothing where the text begins with it, as rounded."""
    if cell.sort is None or math.isnan(cell.sort):
        return ""
    found = _NUMBER.match(cell.text)
    if found and abs(float(found[0]) - cell.sort) < 0.51 * 10 ** -len(found[1] or ""):
        return ""
    return f"{cell.sort:.6g}"


def _find_best(table: Table) -> set[tuple[int, int]]:
    """Return row and column of the best values: those that are printed alike are all the best."""
    group_of = [] if table.categories else table.group_of
    group_of = group_of or [""] * len(table.rows)
    found = set()
    for j, which in table.best.items():
        for group in dict.fromkeys(group_of):
            values = {}
            for i, row in enumerate(table.rows):
                value = row[j].sort
                if group_of[i] == group and value is not None and not math.isnan(value):
                    values[i] = value
            if len(values) > 1:
                best = (min if which == LOWEST else max)(values.values())
                text = next(_part(table.rows[i][j].text)[0] for i in values if values[i] == best)
                found |= {(i, j) for i in values if _part(table.rows[i][j].text)[0] == text}
    return found
