"""Tables for readers, and their numbers; `writers` and the page make files of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

NONE = "–"
LOWEST, HIGHEST = "lowest", "highest"
"""Which value of a column is the best one."""


@dataclass(frozen=True)
class Cell:
    """One entry of a table.

    Attributes
    ----------
    text : str
    beside : str
        The paper's own, set off.
    sort : float, optional
        What the page sorts by; the text if absent.
    """

    text: str
    beside: str = ""
    sort: float | None = None


def format_number(value: float, digits: int, sign: bool = False) -> str:
    """Format a number with so many decimals, and its sign if asked for; a dash for nan."""
    return NONE if math.isnan(value) else f"{value:{'+' if sign else ''}.{digits}f}"


def format_estimate(row: Mapping[str, Any], name: str, digits: int, sign: bool = False) -> Cell:
    """Format an estimate with its interval, or without one if there is none."""
    text = format_number(row[name], digits, sign)
    if not math.isnan(row.get(f"{name}_low", math.nan)):
        low, high = (format_number(row[f"{name}_{end}"], digits, sign) for end in ("low", "high"))
        text += f" [{low}, {high}]"
    return Cell(text, sort=row[name])


def spread(
    left: Sequence[str], groups: Sequence[str], columns: Sequence[str], right: Sequence[str] = ()
) -> tuple[list[str], list[tuple[str, int]]]:
    """Return the header and the spans of a table with the same columns in each group."""
    header = [*left, *(list(columns) * len(groups)), *right]
    spans = [("", len(left)), *((group, len(columns)) for group in groups)]
    return header, [*spans, *[("", len(right))] * bool(right)]


def places_of(item: str, items: Sequence[str]) -> list[int]:
    """Return where an item is in a list."""
    return [i for i, other in enumerate(items) if other == item]


@dataclass(frozen=True)
class Table:
    """A table for readers, and the numbers behind it.

    Attributes
    ----------
    name : str
        Of its files.
    caption : str
    header : list of str
    rows : list of list of Cell
    data : DataFrame
        What the CSV holds.
    spans : list of (str, int)
        Names over several columns, from the left; the widths sum to that of the table.
    n_text : int
        Columns of text on the left; the others hold numbers.
    groups : list
        The group of each row; lines set groups apart.
    grouped : bool
        The first column names the groups; where rows cannot be sorted, once per group.
    categories : bool
        Groups are mere categories: rows are compared across them, and sorting mixes them.
    footer : list of list of Cell
        Rows that stay below when others are sorted.
    notes : list of str
    best : dict of int to str
        By column, whether the `LOWEST` or the `HIGHEST` value of a group (of all rows, where groups
        are categories) is the best; the page sets it in bold.
    pinned : list of int
        Rows that the page keeps on top.
    choices : str
        What the names in `spans` are, where a reader may look at one of them alone.
    sortable : bool
        Each row is of one thing, so that it can be sorted.
    """

    name: str
    caption: str
    header: list[str]
    rows: list[list[Cell]]
    data: pd.DataFrame
    spans: list[tuple[str, int]] = field(default_factory=list)
    n_text: int = 1
    groups: Sequence[Any] = ()
    grouped: bool = False
    categories: bool = False
    footer: list[list[Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    best: Mapping[int, str] = field(default_factory=dict)
    pinned: Sequence[int] = ()
    choices: str = ""
    sortable: bool = True

    @property
    def titles(self) -> list[str]:
        """The names of the columns, each with the name that spans it."""
        over = [name for name, width in self.spans for _ in range(width)] or [""] * len(self.header)
        return [f"{a}: {b}" if a else b for a, b in zip(over, self.header, strict=True)]

    @property
    def group_of(self) -> list[Any]:
        """The group of each row; empty where there are none."""
        return [row[0].text for row in self.rows] if self.grouped else list(self.groups)

    def starts_group(self, i: int) -> bool:
        """Return whether row `i` is of another group than the row above it."""
        groups = self.group_of
        return 0 < i < len(groups) and groups[i] != groups[i - 1]
