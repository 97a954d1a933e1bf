"""A table, and its four forms: CSV for programs; Markdown, LaTeX and HTML for readers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "[": "{[}",  # after a line's end it would begin an argument
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "▲": r"$^\blacktriangle$",
    "†": r"\dag{}",
    "–": "--",
    "−": "$-$",
    "×": r"$\times$",
    "ρ": r"$\rho$",
}


NONE = "–"
_TEXT = ' class="text"'


@dataclass(frozen=True)
class Cell:
    """One entry.

    Attributes
    ----------
    text : str
    beside : str
        The paper's own, set off.
    sort : float, optional
        What the page sorts by; the text if absent.
    hint : str
        What the page shows under the pointer.
    """

    text: str
    beside: str = ""
    sort: float | None = None
    hint: str = ""


def number(value: float, digits: int, sign: bool = False) -> str:
    """A number with so many decimals, and its sign if asked for; a dash for nan."""
    return NONE if math.isnan(value) else f"{value:{'+' if sign else ''}.{digits}f}"


def with_interval(row: Mapping[str, Any], name: str, digits: int, sign: bool = False) -> Cell:
    """An estimate with its interval, or without one if there is none."""
    text = number(row[name], digits, sign)
    if not math.isnan(row.get(f"{name}_low", math.nan)):
        low, high = (number(row[f"{name}_{end}"], digits, sign) for end in ("low", "high"))
        text += f" [{low}, {high}]"
    return Cell(text, sort=row[name])


@dataclass(frozen=True)
class Table:
    """A table for readers, and its numbers.

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
    rules : set of int
        Rows with a line above them.
    grouped : bool
        The first column names groups of rows; where rows cannot be sorted, once per group.
    footer : list of list of Cell
        Rows that stay below when others are sorted.
    notes : list of str
    """

    name: str
    caption: str
    header: list[str]
    rows: list[list[Cell]]
    data: pd.DataFrame
    spans: list[tuple[str, int]] = field(default_factory=list)
    n_text: int = 1
    rules: frozenset[int] = frozenset()
    grouped: bool = False
    footer: list[list[Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _printed_rows(table: Table) -> list[list[Cell]]:
    """Rows for a medium that cannot sort them."""
    rows, last = [], None
    for row in table.rows:
        rows.append([Cell(""), *row[1:]] if table.grouped and row[0].text == last else row)
        last = row[0].text
    return rows + table.footer


def to_csv(table: Table) -> str:
    return table.data.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def to_markdown(table: Table) -> str:
    def text(cell: Cell) -> str:
        shown = f"{cell.text} ({cell.beside})" if cell.beside else cell.text
        return re.sub(r"([|*_<\\`])", r"\\\1", shown)

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    marks = ["---"] * table.n_text + ["---:"] * (len(table.header) - table.n_text)
    lines = [f"**{table.caption}**", "", line(table.header), line(marks)]
    lines += [line([text(cell) for cell in row]) for row in _printed_rows(table)]
    lines += ["", *(f"- {note}" for note in table.notes)] if table.notes else []
    return "\n".join(lines) + "\n"


def to_latex(table: Table) -> str:
    """A table* for the packages booktabs, amssymb, graphicx and xcolor."""
    lines = [
        "% packages: booktabs, amssymb, graphicx, xcolor",
        r"\begin{table*}",
        r"\centering",
        # LaTeX has numbers of its own.
        rf"\caption{{{_latex(re.sub(r'^(Table|Figure) [0-9]+: ', '', table.caption))}}}",
        rf"\label{{tab:{table.name}}}",
        r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{'l' * table.n_text}{'r' * (len(table.header) - table.n_text)}}}",
        r"\toprule",
    ]
    if table.spans:
        lines.append(
            " & ".join(
                rf"\multicolumn{{{width}}}{{c}}{{{_latex(name)}}}" for name, width in table.spans
            )
            + r" \\"
        )
        begin = 1
        for name, width in table.spans:
            if name:
                lines.append(rf"\cmidrule(lr){{{begin}-{begin + width - 1}}}")
            begin += width
    lines += [" & ".join(map(_latex, table.header)) + r" \\", r"\midrule"]
    for i, row in enumerate(_printed_rows(table)):
        if i in table.rules or (table.footer and i == len(table.rows)):
            lines.append(r"\midrule")
        lines += _latex_row(row)
    lines += [r"\bottomrule", r"\end{tabular}}"]
    if table.notes:
        notes = r" \par ".join(map(_latex, table.notes))
        lines.append(
            rf"\par\smallskip\begin{{minipage}}{{\textwidth}}\footnotesize {notes}\end{{minipage}}"
        )
    lines.append(r"\end{table*}")
    return "\n".join(lines) + "\n"


def _latex_row(row: Sequence[Cell]) -> list[str]:
    """A row; what stands beside is below it, since a page is not wide enough for seven of them."""
    first = " & ".join(_latex(cell.text) for cell in row)
    if not any(cell.beside for cell in row):
        return [first + r" \\"]
    small = (
        rf"\textcolor{{gray}}{{\scriptsize {_latex(c.beside)}}}" if c.beside else "" for c in row
    )
    return [first + r" \\[-0.6ex]", " & ".join(small) + r" \\"]


def _latex(text: str) -> str:
    # Of an error's text, LaTeX refuses what its fonts lack.
    known = (_LATEX.get(character, character) for character in text)
    return "".join(shown if shown[0] < "\u0250" else "?" for shown in known)


def to_html(table: Table) -> str:
    """A table whose columns the page's script sorts; all text is escaped."""
    parts = [
        '<div class="scroll"><table>',
        f"<caption>{escape(table.caption)}</caption>",
        "<thead>",
    ]
    if table.spans:
        spans = "".join(
            f'<th colspan="{width}" class="span">{escape(name)}</th>' for name, width in table.spans
        )
        parts.append(f"<tr>{spans}</tr>")
    heads = "".join(
        f'<th scope="col"{_TEXT if j < table.n_text else ""}>'
        f'<button type="button">{escape(name)}</button></th>'
        for j, name in enumerate(table.header)
    )
    parts.append(f'<tr class="columns">{heads}</tr></thead><tbody>')
    for i, row in enumerate(table.rows):
        kind = ' class="rule"' if i in table.rules else ""
        parts.append(f"<tr{kind}>{_html_cells(row, table.n_text)}</tr>")
    parts.append("</tbody>")
    if table.footer:
        rows = "".join(f"<tr>{_html_cells(row, table.n_text)}</tr>" for row in table.footer)
        parts.append(f"<tfoot>{rows}</tfoot>")
    parts.append("</table></div>")
    if table.notes:
        parts.append("<ul>" + "".join(f"<li>{escape(note)}</li>" for note in table.notes) + "</ul>")
    return "\n".join(parts) + "\n"


def _html_cells(row: Sequence[Cell], n_text: int) -> str:
    return "".join(_html_cell(cell, j < n_text) for j, cell in enumerate(row))


def _html_cell(cell: Cell, is_text: bool) -> str:
    attributes = _TEXT if is_text else ""
    if cell.sort is not None and cell.sort == cell.sort:
        attributes += f' data-sort="{cell.sort:.6g}"'
    if cell.hint:
        attributes += f' title="{escape(cell.hint)}"'
    beside = f" <small>{escape(cell.beside)}</small>" if cell.beside else ""
    return f"<td{attributes}>{escape(cell.text)}{beside}</td>"
