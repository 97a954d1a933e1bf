"""One self-contained page of all experiments: results/report/index.html."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path

import pandas as pd

from autosmote.errors import UserError
from autosmote.reports import drawing, names
from autosmote.reports.drawing import Figure
from autosmote.reports.findings import CAVEATS
from autosmote.reports.report import (
    Report,
    build_report,
    experiments,
    title_of,
    write_text,
)
from autosmote.reports.table import Cell, Table, to_html, to_latex

_LISTED = 200  # of missing cells

# Colours with a contrast of at least 4.5:1; the dark ones where the reader's system is dark.
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --faint: #5c5c5c; --line: #c9c9c9;
  --back: #ffffff; --band: #f4f4f4; --link: #00508a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --faint: #a9a9a9; --line: #4a4a4a;
  --back: #161616; --band: #212121; --link: #8cc8ff; } img { background: #ffffff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; color: var(--ink); background: var(--back);
  font: 15px/1.5 system-ui, sans-serif; }
a { color: var(--link); }
h1 { font-size: 1.7rem; } h2 { margin-top: 3rem; border-bottom: 2px solid var(--line); }
nav ul { columns: 20rem; padding-left: 1.2rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 0.3rem 0; }
th, td { padding: 0.2rem 0.6rem; text-align: right; white-space: nowrap; }
thead { border-top: 2px solid var(--ink); border-bottom: 1px solid var(--ink); }
tbody { border-bottom: 2px solid var(--ink); }
tbody tr:hover { background: var(--band); }
tr.rule td { border-top: 1px solid var(--line); }
td.text, th.text { text-align: left; white-space: normal; }
th.span { text-align: center; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid var(--link); }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
small { color: var(--faint); display: block; }
tfoot { border-bottom: 2px solid var(--ink); }
figure { margin: 1.5rem 0; } img { max-width: 100%; height: auto; }
figcaption, .notes { color: var(--faint); font-size: 0.9rem; }
code { background: var(--band); padding: 0.1rem 0.3rem; overflow-wrap: anywhere; }
.warning { border-left: 4px solid #b34700; padding: 0.3rem 0.8rem; }
@media print { details > * { display: block; } th button::after { content: none; } }
"""

# Sorting moves rows only; without scripts the page is whole.
_SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const heads = [...table.querySelectorAll("tr.columns th")];
  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = row => {
      const cell = row.cells[column];
      return "sort" in cell.dataset ? Number(cell.dataset.sort) : cell.textContent.trim();
    };
    const order = (a, b) => {
      const [x, y] = [value(a), value(b)];
      if (typeof x === "number" && typeof y === "number") return up ? x - y : y - x;
      if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
      return up ? x.localeCompare(y) : y.localeCompare(x);
    };
    [...body.rows].sort(order).forEach(row => body.append(row));
  }));
}
"""


def write_page(results_dir: str | Path) -> Path:
    """Write <results_dir>/report/index.html: every experiment and budget that has a plan.

    Unlike the tables of `write`, it shows what is not complete, marked as such.

    Raises
    ------
    UserError
        If there is nothing to show.
    """
    results_dir = Path(results_dir)
    table1 = _table1(results_dir)
    reports: list[Report] = []
    refused: list[tuple[str, str]] = []
    for experiment, budget in experiments(results_dir):
        try:
            reports.append(build_report(results_dir, experiment, budget))
        except UserError as error:
            refused.append((title_of(experiment, budget), str(error)))
    if table1 is None and not reports and not refused:
        raise UserError(
            f"There is nothing to report in '{results_dir}'; run a sweep first, "
            "as by make reproduce-table2 BUDGET=smoke."
        )
    path = results_dir / "report" / "index.html"
    write_text(path, _page(table1, reports, refused))
    return path


def _page(table1: Table | None, reports: list[Report], refused: list[tuple[str, str]]) -> str:
    sections = [("how", "How to read this", _how_to_read())]
    if reports or refused:
        sections.append(("runs", "What was planned and what is there", _completeness(reports)))
    for title, error in refused:
        text = f'<p class="warning">{escape(error)}</p>'
        sections.append((f"refused-{len(sections)}", title, text))
    if table1 is not None:
        sections.append(("table1", table1.caption, to_html(table1)))
    sections += [
        (f"{report.study.experiment}-{report.study.budget}", report.title, _section(report))
        for report in reports
    ]
    if reports:
        sections.append(("versions", "Versions", _versions(reports)))
    links = "".join(f'<li><a href="#{key}">{escape(title)}</a></li>' for key, title, _ in sections)
    body = "".join(
        f'<section id="{key}"><h2>{escape(title)}</h2>\n{text}</section>\n'
        for key, title, text in sections
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Nothing may come from anywhere else, and nothing may be sent.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
        f"<title>AutoSMOTE: results</title>\n<style>{_STYLE}</style></head>\n"
        f"<body><h1>AutoSMOTE: results</h1>\n<nav><ul>{links}</ul></nav>\n"
        f"{body}<script>{_SCRIPT}</script></body></html>\n"
    )


def _how_to_read() -> str:
    texts = [
        "Samplers are ranked within each configuration (dataset, imbalance ratio, classifier) by "
        "the mean test score over the seeds, and the ranks are averaged; 1 is best. Each metric "
        "has runs of its own, which were tuned on it. Click on a column's name to sort by it; "
        "small grey numbers are the paper's.",
        *CAVEATS,
    ]
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>\n"


def _completeness(reports: list[Report]) -> str:
    rows = []
    for report in reports:
        runs, n_missing = report.study.runs, len(report.study.missing)
        n_failed = int((runs["status"].notna() & (runs["status"] != "ok")).sum())
        n_imputed = int(runs["imputed"].fillna(False).sum())
        counts = (len(runs), len(runs) - n_missing, n_missing, n_failed, n_imputed)
        rows.append(
            [
                Cell(report.title),
                Cell(str(report.study.about.get("command") or "")),
                *(Cell(str(count), sort=count) for count in counts),
                Cell("complete" if not n_missing else "preliminary"),
            ]
        )
    header = ["Report", "Command", "Planned cells", "With scores", "Without", "Failed", "Imputed"]
    header.append("State")
    notes = [
        "A cell is a run for a row of a table. Failed samplers count as no resampling (imputed).",
        "This page: make report.",
    ]
    return to_html(Table("runs", "Cells", header, rows, pd.DataFrame(), n_text=2, notes=notes))


def _section(report: Report) -> str:
    study = report.study
    parts = []
    if study.missing:
        n = len(study.missing)
        listed = "".join(f"<li>{escape(line)}</li>" for line in study.missing[:_LISTED])
        more = f"<li>and {n - _LISTED} more</li>" if n > _LISTED else ""
        parts.append(
            f'<details class="warning"><summary>Preliminary: {n} of {len(study.runs)} planned '
            f"cells have no score</summary><ul>{listed}{more}</ul></details>\n"
        )
    parts.append("<ul>" + "".join(f"<li>{escape(text)}</li>" for text in report.findings) + "</ul>")
    first, others = report.tables[:1], report.tables[1:]
    parts += [to_html(table) for table in first]
    parts += [_figure(figure) for figure in report.draw()]
    for table in others:
        caption = escape(table.caption)
        parts.append(f"<details><summary>{caption}</summary>{to_html(table)}</details>\n")
    parts.append(f'<p class="notes">{escape(report.source)}</p>\n')
    return "".join(parts)


def _figure(figure: Figure) -> str:
    buffer = io.BytesIO()
    with drawing.style():
        figure.canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    data = base64.b64encode(buffer.getvalue()).decode()
    caption = escape(figure.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>\n"
    )


def _versions(reports: list[Report]) -> str:
    found: dict[str, set[str]] = {}
    for report in reports:
        for name, versions in report.versions.items():
            found.setdefault(name, set()).update(versions)
    rows = [[Cell(name), Cell(", ".join(sorted(found[name])))] for name in sorted(found)]
    caption = "Of the packages that the records were made with"
    return to_html(
        Table("versions", caption, ["Package", "Versions"], rows, pd.DataFrame(), n_text=2)
    )


def _table1(results_dir: Path) -> Table | None:
    """Table 1 as `make reproduce-table1` left it; writes its LaTeX form beside it."""
    path = results_dir / "table1" / "tables" / "table1.csv"
    if not path.exists():
        return None
    data = pd.read_csv(path)
    counts = [name.removesuffix(" (ours)") for name in data.columns if name.endswith(" (ours)")]
    rows = [
        [
            Cell(names.dataset(row["dataset"])),
            *(
                Cell(str(row[f"{name} (ours)"]), str(row[f"{name} (paper)"]), row[f"{name} (ours)"])
                for name in counts
            ),
        ]
        for row in data.to_dict("records")
    ]
    notes = ["Counts after under-sampling and one-hot encoding; beside them the paper's."]
    title = "Table 1: datasets"
    table = Table("table1", title, ["Dataset", *counts], rows, data, notes=notes)
    write_text(path.with_suffix(".tex"), to_latex(table))
    return table
