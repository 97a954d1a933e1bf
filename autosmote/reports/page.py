"""One self-contained page of all experiments: results/report/index.html."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from autosmote.errors import UserError, describe_error, let_interrupts_through
from autosmote.reports import names
from autosmote.reports.findings import CAVEATS
from autosmote.reports.render.drawing import Figure
from autosmote.reports.render.html import Section, render
from autosmote.reports.render.table import Cell, Table
from autosmote.reports.render.writers import to_latex, write_text
from autosmote.reports.report import Report, build_report, list_experiments, title_of
from autosmote.reports.verdicts import count_noun

_LISTED = 200  # of missing cells
_HOW_TO_READ = (
    "Samplers are ranked within each configuration (dataset, imbalance ratio, classifier) by the "
    "mean test score over the seeds, and the ranks are averaged; 1 is best. Each metric has runs "
    "of its own, which were tuned on it. Extended is the extended test: the test part and the "
    "minority rows that under-sampling removed, weighted to the same imbalance ratio. It is less "
    "noisy, and conclusions are drawn on it; the paper has the test part alone.",
    "In tables the best value is bold, and intervals are below their numbers. Small grey numbers "
    "are the paper's, or of the extended test where the notes of the table say so. A click on a "
    "column's name sorts by it, best first; another turns the order, a third restores it.",
)
_UNNAMED = "custom"
"""The plan of a sweep that was told to run something else than its budget says."""


def write_page(results_dir: str | Path) -> Path:
    """Write <results_dir>/report/index.html: every experiment and budget that has a plan.

    A custom plan, such as of a part that was run alone, is left out beside one of a budget.

    Unlike the tables of `autosmote.reports.write`, it shows what is not complete, marked as such.

    Raises
    ------
    UserError
        If there is nothing to show.
    """
    results_dir = Path(results_dir)
    reports: list[Report] = []
    refused: list[tuple[str, str]] = []
    table1 = None
    try:
        table1 = _table1(results_dir)
    except (ValueError, KeyError, TypeError):
        refused.append(
            ("Table 1", "table1.csv is damaged; make it again by make reproduce-table1.")
        )
    for experiment, budget in _shown(list_experiments(results_dir)):
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
    write_text(path, render(_sections(table1, reports, refused)))
    return path


def _shown(planned: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    named = {experiment for experiment, budget in planned if budget != _UNNAMED}
    return [
        (experiment, budget)
        for experiment, budget in planned
        if budget != _UNNAMED or experiment not in named
    ]


def _sections(
    table1: Table | None, reports: Sequence[Report], refused: Sequence[tuple[str, str]]
) -> list[Section]:
    sections = [_section(report) for report in reports]
    if table1 is not None:
        sections.append(
            Section("table1", table1.caption, verdict=_compare_counts(table1), tables=[table1])
        )
    for title, error in refused:
        sections.append(Section(f"refused-{len(sections)}", title, warning=error))
    texts = [*_HOW_TO_READ, *CAVEATS]
    sections.append(Section("how", "How to read this", texts=texts, is_folded=False))
    if reports or refused:
        title = "What was planned and what is there"
        sections.append(Section("runs", title, tables=[_completeness(reports)], is_folded=False))
    if reports:
        sections.append(Section("versions", "Versions", tables=[_versions(reports)]))
    return sections


def _section(report: Report) -> Section:
    study = report.study
    missing: list[str] = []
    if study.missing:
        n = len(study.missing)
        missing = [
            f"Preliminary: {n} of {len(study.runs)} planned cells have no score",
            *study.missing[:_LISTED],
            *[f"and {n - _LISTED} more"] * (n > _LISTED),
        ]
    figures: list[Figure] = []
    warning = ""
    try:
        figures = sorted(report.draw(), key=lambda figure: figure.name != report.picture)
    except Exception as error:
        let_interrupts_through(error)
        warning = f"The figures could not be drawn ({describe_error(error)})."
    return Section(
        f"{study.experiment}-{study.budget}",
        report.title,
        verdict=report.headline,
        warning=warning,
        figures=figures,
        missing=missing,
        texts=report.findings,
        tables=[table for table in report.tables if table.rows],
        source=report.source,
        folder=f"{study.experiment}/figures/{study.budget}",
    )


def _compare_counts(table1: Table) -> str:
    """Say for how many datasets all counts are the paper's."""
    same = [all(cell.text == cell.beside for cell in row[table1.n_text :]) for row in table1.rows]
    return f"The counts of {sum(same)} of {count_noun(len(same), 'dataset')} are the paper's."


def _completeness(reports: Sequence[Report]) -> Table:
    """Return how many cells of each report are planned, have scores, failed, or are imputed."""
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
    return Table("runs", "Cells", header, rows, pd.DataFrame(), n_text=2, notes=notes)


def _versions(reports: Sequence[Report]) -> Table:
    found: dict[str, set[str]] = {}
    for report in reports:
        for name, versions in report.versions.items():
            found.setdefault(name, set()).update(versions)
    rows = [[Cell(name), Cell(", ".join(sorted(found[name])))] for name in sorted(found)]
    caption = "Of the packages that the records were made with"
    return Table("versions", caption, ["Package", "Versions"], rows, pd.DataFrame(), n_text=2)


def _table1(results_dir: Path) -> Table | None:
    """Return Table 1 as `make reproduce-table1` left it; write its LaTeX form beside it."""
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
