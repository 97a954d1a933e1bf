"""Write tables: CSV for programs, Markdown and LaTeX for readers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from autosmote.atomic import write_file
from autosmote.reports.render.table import Cell, Table

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


def _printed_rows(table: Table) -> list[list[Cell]]:
    """Return the rows for a medium that cannot sort them."""
    rows, last = [], None
    for row in table.rows:
        rows.append([Cell(""), *row[1:]] if table.grouped and row[0].text == last else row)
        last = row[0].text
    return rows + table.footer


def to_csv(table: Table) -> str:
    """Return the numbers of a table, six significant digits each."""
    return table.data.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], n_text: int) -> str:
    """Return a table in Markdown; the columns after the first `n_text` are aligned right."""
    marks = ["---"] * n_text + ["---:"] * (len(header) - n_text)
    return "".join("| " + " | ".join(line) + " |\n" for line in (header, marks, *rows))


def to_markdown(table: Table) -> str:
    """Return a table in Markdown, its caption above it and its notes below."""

    def text(cell: Cell) -> str:
        return escape(f"{cell.text} ({cell.beside})" if cell.beside else cell.text)

    rows = [[text(cell) for cell in row] for row in _printed_rows(table)]
    header = [_escape_markup(name) for name in table.header]
    notes = "".join(f"- {_escape_markup(note)}\n" for note in table.notes)
    return (
        f"**{_escape_markup(table.caption)}**\n\n{markdown_table(header, rows, table.n_text)}"
        + f"\n{notes}" * bool(notes)
    )


def escape(text: str) -> str:
    """Return text of a record as one line of Markdown in which nothing is markup."""
    return re.sub(r"([|*_<\\`]|\](?=[(\[]))", r"\\\1", " ".join(text.split()))


def _escape_markup(text: str) -> str:
    """Return text of ours that may hold names: formatting stays, links and HTML do not."""
    return re.sub(r"(\||<(?=[A-Za-z/!?])|\](?=[(\[]))", r"\\\1", " ".join(text.split()))


def to_latex(table: Table) -> str:
    """Return a table* for the packages booktabs, amssymb, graphicx and xcolor."""
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
        if table.starts_group(i) or (table.footer and i == len(table.rows)):
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
    """Return a row; what stands beside is below it: a page is not wide enough for seven."""
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


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step."""
    write_file(path, partial(Path.write_text, data=text, encoding="utf-8", newline="\n"))
