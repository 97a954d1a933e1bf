"""Tell what a user's column holds, and write values as that column's own cells.

A kind is found once, from the texts of all cells, and then used for whatever comes after: values of
given cells, cells of synthetic values, and the same columns of another file.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.data.columns import DATE, MAX_CATEGORIES, NUMBER, UNDECLARED
from autosmote.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

WHOLE, DECIMAL, CATEGORY, LEFT_OUT = "whole", "decimal", "category", "left out"
MISSING = frozenset(["", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null"])
"""Stripped cells that mean a missing number."""
MISSING_TEXT = MISSING - {"NA"}
"""Stripped cells that mean a missing category: NA may be Namibia."""
LARGEST_WHOLE = 2**53
"""Up to here every whole number is a 64-bit float."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_GROUPED = {
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?"),
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?"),
}
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_CODE = re.compile(r"[+-]?0\d+|\+\d{7,}")
"""Digits that are no number: with leading zeros, or a phone number."""
_DAY = r"(0?[1-9]|[12]\d|3[01])"  # or a month
_YEAR_FIRST = rf"\d{{4}}(?P<a>[-/.]){_DAY}(?P=a){_DAY}"
_YEAR_LAST = rf"{_DAY}(?P<b>[-/.]){_DAY}(?P=b)(\d{{4}}|\d\d)"
_TIME = r"([T ]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AP]M)?( ?(Z|UTC|[+-]\d{2}:?\d{2}))?)?"
_DATE = re.compile(f"({_YEAR_FIRST}|{_YEAR_LAST}){_TIME}", re.IGNORECASE)
_DATES = ("holds dates", "give --categorical to use them as they are")
_PERCENT = re.compile(r"[+-]?\d[\d.,]*\s*%")
_NO_PERCENT = "write them without % to use them as numbers"
_ID_NAME = re.compile(r"(?i:(.*[\W_])?(id|uuid|guid|key|index|idx|nr|no|number))|.*[a-z]I[dD]")
_NO_NAME = re.compile(r"(Unnamed: \d+)?")
"""None, or what pandas calls such a column when it writes the table again."""
_FEWEST_IDS = 10
"""Rows from which on values that are all different are taken for ids."""
_FEWEST_RARE, _ROWS_A_TEXT = 50, 10
"""Of as many texts each needs as many rows, or they tell a classifier nothing and cost columns."""


@dataclass(frozen=True)
class ColumnKind:
    """What a column holds.

    Attributes
    ----------
    kind : {"whole", "decimal", "category", "left out"}
    decimal : {".", ","}
        The decimal sign of numbers.
    grouped : bool
        Whether thousands are separated, by the other sign.
    digits : tuple of int
        Fewest and most digits after the decimal sign.
    significant : int
        Where some numbers are written with an exponent: most significant digits; else 0.
    spellings : tuple of (str, str)
        For categories that are not always written as their stripped text: category and text.
    why : str
        Of columns that are left out.
    """

    kind: str
    decimal: str = "."
    grouped: bool = False
    digits: tuple[int, int] = (0, 0)
    significant: int = 0
    spellings: tuple[tuple[str, str], ...] = ()
    why: str = ""

    @property
    def is_number(self) -> bool:
        return self.kind in (WHOLE, DECIMAL)

    def values(self, cells: Sequence[str], where: str, name: str) -> pd.Series:
        """Return a feature's values: whole numbers, floats, or text with None where missing.

        Raises
        ------
        UserError
            When a cell is no number, or beyond what is computed with exactly.
        """
        import pandas as pd

        if not self.is_number:
            texts = (cell.strip() for cell in cells)
            return pd.Series([None if t in MISSING_TEXT else t for t in texts], dtype=object)
        numbers = np.empty(len(cells))
        known: dict[str, float] = {}
        for row, cell in enumerate(cells):
            if cell not in known:
                known[cell] = self._number(cell, f"{where}, column '{name}', data row {row + 1}")
            numbers[row] = known[cell]
        if self.kind == DECIMAL:
            return pd.Series(numbers)
        gaps = np.isnan(numbers)
        if not gaps.any():
            return pd.Series(numbers.astype(np.int64))
        whole = pd.array(np.where(gaps, 0, numbers).astype(np.int64), dtype="Int64")
        whole[gaps] = pd.NA
        return pd.Series(whole)

    def _number(self, cell: str, where: str) -> float:
        text = cell.strip()
        if text in MISSING:
            return math.nan
        plain = plain_number(text, self.decimal, self.grouped)
        if plain is None:
            raise UserError(
                f"{where}: '{text}' is text in a column of numbers; correct it, or leave it empty "
                "if it is missing."
            )
        number = float(plain) + 0.0
        if not math.isfinite(number):
            raise UserError(
                f"{where}: '{text}' is too large for a 64-bit number; correct it, or give --drop."
            )
        if self.kind == WHOLE:
            if not _WHOLE.fullmatch(plain):
                raise UserError(
                    f"{where}: '{text}' is no whole number, as those before were; correct it."
                )
            if abs(int(plain.split(".")[0])) > LARGEST_WHOLE:
                raise UserError(
                    f"{where}: {text} is beyond 2**53, where 64-bit floats skip whole numbers; "
                    "give --id if it is an id, or --categorical if it is a code."
                )
        return number

    def texts(self, values: Sequence[Any]) -> list[str]:
        """Return the cells of synthetic values; a missing one is empty."""
        if self.kind == LEFT_OUT:
            return [""] * len(values)
        if self.kind == CATEGORY:
            spelling = dict(self.spellings)
            return ["" if _is_missing(v) else spelling.get(str(v), str(v)) for v in values]
        return ["" if _is_missing(value) else self._number_text(value) for value in values]

    def _number_text(self, value: Any) -> str:
        fewest, most = self.digits
        if self.kind == WHOLE:
            text = str(int(value)) if not self.grouped else f"{int(value):,}"
            text += "." + "0" * most if most else ""
        elif self.significant:
            text = f"{value:.{self.significant}g}"
        else:
            text = f"{value:{',' if self.grouped else ''}.{most}f}"
            if most > fewest:
                stripped = text.rstrip("0")
                kept = max(fewest - (len(stripped) - stripped.index(".") - 1), 0)
                text = (stripped + "0" * kept).rstrip(".")
            if float(text.replace(",", "")) == 0:
                text = text.lstrip("-")
        return text if self.decimal == "." else text.translate(_SWAP)


_SWAP = str.maketrans(".,", ",.")


def _is_missing(value: Any) -> bool:
    import pandas as pd

    return value is None or bool(pd.isna(value))


def plain_number(text: str, decimal: str, grouped: bool) -> str | None:
    """Return a number's text with a decimal point and nothing else; None for what is no number."""
    if grouped and _GROUPED[decimal].fullmatch(text):
        text = text.replace("," if decimal == "." else ".", "")
    if decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".", 1)
    return text if _NUMBER.fullmatch(text) else None


def find_decimal(columns: Sequence[Sequence[str]], sep: str) -> str | None:
    """Return the decimal sign of a table's numbers; None where they leave it open.

    A column tells where all of its cells are numbers with one of the signs and not with the other.
    """
    told = {sign for cells in columns for sign in _only_sign(cells)}
    if told:
        return "," if "," in told else "."
    return None if sep == "," else ","


def find_other_decimal(columns: Sequence[tuple[ColumnKind, Sequence[str]]]) -> str | None:
    """Return the decimal sign of a table that has another one than its columns' kinds; else None.

    None leaves each column to its kind: a table that contradicts no kind is written as the one
    that they were found in, which may have columns with either sign.
    """
    numbers = [(kind, cells) for kind, cells in columns if kind.is_number]
    if all(_only_sign(cells) in ("", kind.decimal) for kind, cells in numbers):
        return None
    return find_decimal([cells for _, cells in numbers], ",")


def _only_sign(cells: Sequence[str]) -> str:
    """Return the only decimal sign with which all of a column's cells are numbers; "" if none."""
    texts = set(_present(cells, MISSING))
    readable = [sign for sign in ".," if texts and all(plain_number(t, sign, True) for t in texts)]
    return readable[0] if len(readable) == 1 else ""


def classify(
    name: str,
    cells: Sequence[str],
    decimal: str | None,
    *,
    where: str = "",
    declared: str | tuple[str, ...] = UNDECLARED,
) -> tuple[ColumnKind, str]:
    """Return a column's kind and what is to be said of it; "" where it is plain to see.

    Parameters
    ----------
    name : str
    cells : sequence of str
    decimal : {".", ","} or None
        The table's decimal sign; None for what the cells say.
    where : str
        Name of the table in error messages.
    declared : str or tuple of str
        As in `autosmote.data.columns.RawColumn`.

    Raises
    ------
    UserError
        When the column mixes numbers and text, or its numbers can be read in two ways.
    """
    if _NO_NAME.fullmatch(name):
        return _left_out("has no name", "name it to use it")
    present = _present(cells, MISSING)
    if not present:
        return _left_out("is empty", "fill it in to use it")
    if declared == DATE:
        return _left_out(*_DATES)
    readable = declared in (NUMBER, UNDECLARED)
    style = number_style(name, present, decimal, where) if readable else None
    if style is None:
        return _classify_text(name, cells, where, (decimal or ".") if readable else None)
    distinct, all_different = set(present), _all_different(present)
    plain = [plain_number(text, style.decimal, style.grouped) or "" for text in distinct]
    if any(_CODE.fullmatch(text) for text in plain):
        if all_different:
            return _left_out("has other digits in every row", "give --categorical to use it")
        said = "is text: digits with leading zeros or a plus sign (else --numeric)"
        return _category_if_few(cells, present, said)
    kind = _with_digits(style, present)
    if kind.kind == WHOLE and all_different and (why := _id_reason(name, plain)):
        return _left_out(why, "give --numeric to use it")
    return kind, _style_said(kind, distinct)


def as_written(
    kind: ColumnKind, name: str, cells: Sequence[str], decimal: str | None, where: str
) -> tuple[ColumnKind, str]:
    """Return a known column's kind as another table writes it, and what is to be said of it.

    Numbers may have another sign there. Whole ones may have fractions, which a model can take,
    though a synthetic row may not.

    Parameters
    ----------
    kind : ColumnKind
        What the column was in the table that it is known from.
    name, cells, decimal, where
        As for `classify`; without a ``decimal`` the kind's own is the likely one.

    Raises
    ------
    UserError
        When the numbers can be read in two ways.
    """
    if not kind.is_number:
        return kind, ""
    # Text among the numbers is left to `ColumnKind.values`, which names its row.
    numbers = [t for t in _present(cells, MISSING) if any(plain_number(t, s, True) for s in ".,")]
    if decimal is None and kind.grouped:
        decimal = kind.decimal
    style = number_style(name, numbers, decimal, where, likely=kind.decimal)
    if style is None:
        return replace(kind, decimal=decimal or kind.decimal), ""
    read = replace(kind, decimal=style.decimal, grouped=style.grouped)
    said = [_style_said(read, set(numbers))]
    if kind.kind == WHOLE and (fraction := _first_inexact(read, numbers)):
        read = replace(read, kind=DECIMAL)
        said.append(f"holds '{fraction}' where the model has seen whole numbers only")
    return read, "; it ".join(filter(None, said))


def _first_inexact(style: ColumnKind, numbers: Sequence[str]) -> str:
    """Return the first text that is no whole number that a float holds exactly; "" if none."""
    for text in numbers:
        plain = plain_number(text, style.decimal, style.grouped) or ""
        if not _WHOLE.fullmatch(plain) or abs(float(plain)) > LARGEST_WHOLE:
            return text
    return ""


def category(cells: Sequence[str]) -> ColumnKind:
    """Return the kind of a column of categories, with each one's most frequent text."""
    counts = Counter(cell for cell in cells if cell.strip() not in MISSING_TEXT)
    spelling: dict[str, str] = {}
    for cell, _ in counts.most_common():
        spelling.setdefault(cell.strip(), cell)
    different = tuple((text, cell) for text, cell in spelling.items() if text != cell)
    return ColumnKind(CATEGORY, spellings=different)


def numeric(name: str, cells: Sequence[str], decimal: str | None, where: str) -> ColumnKind:
    """Return the kind of a column that is said to hold numbers."""
    present = _present(cells, MISSING) or ["0"]
    style = number_style(name, present, decimal, where)
    if style is None:
        raise UserError(f"{where}, column '{name}' is given as --numeric, but holds text.")
    return _with_digits(style, present)


def number_style(
    name: str,
    present: Sequence[str],
    decimal: str | None,
    where: str,
    *,
    likely: str = ".",
    remedy: str = "give --decimal , or --decimal . to say which",
) -> ColumnKind | None:
    """Return how stripped numbers are written, with the digits left open; None for text.

    Without a `decimal` the likely sign is tried first, and a column that may have thousands or the
    other sign is refused with the remedy.
    """
    distinct = set(present)
    first = decimal or likely
    signs = (first, "," if first == "." else ".")
    for sign, other in zip(signs, signs[::-1], strict=True):
        for grouped in (False, True):
            if all(plain_number(text, sign, grouped) is not None for text in distinct):
                if (
                    grouped
                    and decimal is None
                    and all(plain_number(text, other, False) is not None for text in distinct)
                ):
                    example = next(text for text in present if other in text)
                    raise UserError(
                        f"{where}, column '{name}': '{example}' may be a decimal number or "
                        f"thousands; {remedy}."
                    )
                return ColumnKind(DECIMAL, decimal=sign, grouped=grouped)
    return None


def style_in_words(style: ColumnKind, distinct: Collection[str]) -> str:
    """Say how a column's numbers are written; "" where they are plain."""
    if not style.grouped and not any("," in text for text in distinct):
        return ""
    what = "a decimal comma" if style.decimal == "," else "commas between thousands"
    if style.decimal == "," and style.grouped:
        what = "points between thousands"
    return f"holds numbers with {what}"


def _style_said(style: ColumnKind, distinct: Collection[str]) -> str:
    words = style_in_words(style, distinct)
    return words and f"{words} (else --decimal {'.' if style.decimal == ',' else ','})"


def _left_out(why: str, remedy: str) -> tuple[ColumnKind, str]:
    return ColumnKind(LEFT_OUT, why=why), f"{why} and is left out ({remedy})"


def _present(cells: Sequence[str], missing: frozenset[str]) -> list[str]:
    return [text for cell in cells if (text := cell.strip()) not in missing]


def _all_different(present: Sequence[str]) -> bool:
    return len(present) >= _FEWEST_IDS and len(set(present)) == len(present)


def _with_digits(style: ColumnKind, present: Sequence[str]) -> ColumnKind:
    """Return the kind of numbers that are written in a style."""
    plain = [plain_number(text, style.decimal, style.grouped) or "" for text in set(present)]
    mantissas = [re.split("[eE]", text)[0] for text in plain]
    after = [len(m.partition(".")[2]) for m in mantissas]
    whole = all(_WHOLE.fullmatch(text) for text in plain)
    scientific = any("e" in text.lower() for text in plain)
    significant = max(len(m.strip("+-").replace(".", "").lstrip("0")) for m in mantissas)
    return ColumnKind(
        WHOLE if whole else DECIMAL,
        decimal=style.decimal,
        grouped=style.grouped,
        digits=(min(after), max(after)),
        significant=max(significant, 1) if scientific else 0,
    )


def _id_reason(name: str, plain: Sequence[str]) -> str:
    """Return why whole numbers, all different, are an id; "" where they are not."""
    numbers = [int(text.split(".")[0][:400]) for text in plain]  # longer ones are no floats
    span = max(numbers) - min(numbers) + 1
    if span <= 1.5 * len(numbers):
        return "numbers the rows"
    if _ID_NAME.fullmatch(name) or max(map(abs, numbers)) > LARGEST_WHOLE:
        return "is an id, different in every row,"
    return ""


def _classify_text(
    name: str, cells: Sequence[str], where: str, decimal: str | None
) -> tuple[ColumnKind, str]:
    """Classify a column that is not all numbers; without a `decimal` its numbers are text."""
    present = _present(cells, MISSING_TEXT)
    distinct = set(present)
    if all(_DATE.fullmatch(text) for text in distinct - MISSING):
        return _left_out(*_DATES)
    if decimal is not None:
        numbers = {text for text in distinct if plain_number(text, decimal, True) is not None}
        if numbers and not any(_CODE.fullmatch(text) for text in numbers):
            _refuse_mixed(name, cells, numbers, where)
    percent = all(_PERCENT.fullmatch(text) for text in distinct - MISSING)
    if _all_different(present):
        what = "percentages that are" if percent else "text that is"
        remedy = _NO_PERCENT if percent else "give --categorical to use it"
        return _left_out(f"is {what} different in every row", remedy)
    said = [f"is text: percentages ({_NO_PERCENT})"] if percent else []
    if "NA" in distinct:
        said.append("takes NA for a value, not for missing (else leave those cells empty)")
    return _category_if_few(cells, present, "; it ".join(said))


def _category_if_few(
    cells: Sequence[str], present: Sequence[str], said: str
) -> tuple[ColumnKind, str]:
    """Return the kind of a column of text, which is left out where it would be too many columns."""
    n_texts = len(set(present))
    if n_texts > MAX_CATEGORIES:
        why = f"has {n_texts:,} different texts, too many for categories,"
        return _left_out(why, "group its values")
    if n_texts >= _FEWEST_RARE and _ROWS_A_TEXT * n_texts > len(present):
        why = f"has {n_texts:,} different texts in {len(present):,} rows"
        return _left_out(why, "group its values, or give --categorical to use it")
    return category(cells), said


def _refuse_mixed(name: str, cells: Sequence[str], numbers: set[str], where: str) -> None:
    """Refuse a column of numbers with little text, or the other way round."""
    texts = [cell.strip() for cell in cells]
    present = [text for text in texts if text not in MISSING]
    n_numbers = sum(text in numbers for text in present)
    rarer = n_numbers < len(present) - n_numbers
    row = next(i for i, t in enumerate(texts) if t not in MISSING and (t in numbers) is rarer)
    what = "a number in a column of text" if rarer else "text in a column of numbers"
    raise UserError(
        f"{where}, column '{name}', data row {row + 1}: '{texts[row]}' is {what}; correct it, "
        "leave it empty if it is missing, or give --categorical to take all as text."
    )
