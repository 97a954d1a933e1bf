"""Convert a table's columns from text to numbers and category codes, in canonical order.

Every reader (ARFF, CSV, Parquet, the toy data) returns the same `RawColumn`: the text of each
cell and the type that the source declares. Values are interpreted only here.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autosmote.errors import UserError

NUMBER, TEXT, DATE, UNDECLARED = "number", "text", "date", "undeclared"
MAX_CATEGORIES = 1000

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, eq=False)
class RawColumn:
    """One column as read from its source.

    Attributes
    ----------
    name : str
    cells : sequence of str or None
        The stripped text of each row; None where the value is missing.
    declared : str or tuple of str
        ``NUMBER``; ``TEXT``; ``DATE``; the declared categories; or ``UNDECLARED``, when the source
        (CSV) leaves it to the values.
    """

    name: str
    cells: Sequence[str | None]
    declared: str | tuple[str, ...]


def is_numeric(column: RawColumn, where: str) -> bool:
    """Return whether a column holds numbers.

    Raises
    ------
    UserError
        When a column holds dates, or, without a declared type, numbers and other text; the message
        names the first row of the rarer kind.
    """
    if column.declared == DATE:
        raise UserError(
            f"{where}, column '{column.name}' holds dates; leave it out, or store it as "
            "numbers or text."
        )
    if column.declared != UNDECLARED:
        return column.declared == NUMBER
    kinds = {cell: bool(_NUMBER.fullmatch(cell)) for cell in set(column.cells) if cell is not None}
    if len(set(kinds.values())) < 2:
        return all(kinds.values())
    n_numbers = sum(kinds[cell] for cell in column.cells if cell is not None)
    n_present = sum(cell is not None for cell in column.cells)
    rarer = n_numbers < n_present - n_numbers
    row, value = next(
        (row, cell)
        for row, cell in enumerate(column.cells, start=1)
        if cell is not None and kinds[cell] is rarer
    )
    what = "a number in a column of text" if rarer else "text in a column of numbers"
    raise UserError(
        f"{where}, column '{column.name}', data row {row}: '{value}' is {what}; correct it, leave "
        "it empty if it is missing, or write every value of the column as text."
    )


def to_numbers(column: RawColumn, where: str) -> np.ndarray:
    """Parse a numeric column.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where missing.

    Raises
    ------
    UserError
        When a cell is not a finite number.
    """
    parsed: dict[str | None, float] = {None: math.nan}
    for cell in dict.fromkeys(column.cells):
        if cell is None:
            continue
        number = float(cell) if _NUMBER.fullmatch(cell) else math.inf
        if not math.isfinite(number):
            raise UserError(
                f"{where}, column '{column.name}', data row {column.cells.index(cell) + 1}: "
                f"'{cell}' is not a finite number; correct it, or mark it as missing."
            )
        parsed[cell] = number + 0.0  # -0.0 becomes 0.0, which prints and sorts alike everywhere
    return np.array([parsed[cell] for cell in column.cells], dtype=np.float64)


def to_codes(column: RawColumn, where: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Encode a column of categories.

    Returns
    -------
    codes : ndarray of int32, shape (n,)
        Index into ``categories``; -1 where missing.
    categories : tuple of str
        The declared categories, or the present ones where none are declared, in sorted order:
        sources list them in different orders, and that must not change a feature's place.

    Raises
    ------
    UserError
        When a value is not declared, or undeclared text has more than ``MAX_CATEGORIES`` values.
    """
    present = dict.fromkeys(cell for cell in column.cells if cell is not None)
    if isinstance(column.declared, tuple):
        categories = tuple(sorted(set(column.declared)))
        unknown = next((cell for cell in present if cell not in column.declared), None)
        if unknown is not None:
            raise UserError(
                f"{where}, column '{column.name}', data row {column.cells.index(unknown) + 1}: "
                f"'{unknown}' is none of the declared categories; correct it, or declare it."
            )
    else:
        categories = tuple(sorted(present))
        if len(categories) > MAX_CATEGORIES:
            raise UserError(
                f"{where}, column '{column.name}' has {len(categories):,} different texts, more "
                f"than the {MAX_CATEGORIES:,} that are one-hot encoded; leave the column out, or "
                "group its values."
            )
    code: dict[str | None, int] = {category: i for i, category in enumerate(categories)}
    code[None] = -1
    return np.array([code[cell] for cell in column.cells], dtype=np.int32), categories


def canonical_order(
    numbers: np.ndarray,
    codes: np.ndarray,
    categories: Sequence[tuple[str, ...]],
    labels: np.ndarray,
) -> tuple[np.ndarray, str]:
    """Return the order that sorts the rows, and the fingerprint of the sorted table.

    Both are the same whatever source the table came from. Numbers are compared as printed with
    9 significant digits, since two sources of one table may differ in a number's last bits.

    Parameters
    ----------
    numbers : ndarray of float64, shape (n, d_num)
    codes : ndarray of int, shape (n, d_cat)
        Indices into ``categories``; -1 where missing.
    categories : sequence of tuple of str
        Of each categorical column.
    labels : ndarray of str, shape (n,)

    Returns
    -------
    order : ndarray of int, shape (n,)
    fingerprint : str
        Hexadecimal SHA-256.
    """
    texts, ranks = [], []
    for column in numbers.T:
        values, inverse = np.unique(column, return_inverse=True)
        printed = np.array([f"{value:.9g}" for value in values], dtype=object)
        texts.append(printed[inverse])
        ranks.append(np.concatenate([[0], np.cumsum(printed[1:] != printed[:-1])])[inverse])
    label_rank = np.unique(labels, return_inverse=True)[1]
    # The exact numbers come last: they only order rows that print alike.
    keys = [*ranks, *codes.T, label_rank, *numbers.T]
    order = np.lexsort(keys[::-1])

    digest = hashlib.sha256()
    for text in texts:
        digest.update(json.dumps(list(text[order])).encode())
    for column, names in zip(codes.T, categories, strict=True):
        cells = np.array([*names, None], dtype=object)[column[order]]  # code -1 selects None
        digest.update(json.dumps([names, list(cells)]).encode())
    digest.update(json.dumps(list(labels[order])).encode())
    return order, digest.hexdigest()
