"""Report of one experiment with one budget: tables, figures and sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pandas as pd

from autosmote.records.collected import read_histories
from autosmote.reports import names
from autosmote.reports.cells import Cells, Study, load_study, make_cells
from autosmote.reports.findings import write_findings
from autosmote.reports.paper import read_paper_ranks
from autosmote.reports.render import drawing, figures
from autosmote.reports.render.drawing import Figure
from autosmote.reports.render.table import Cell, Table
from autosmote.reports.render.writers import to_csv, to_latex, to_markdown, write_text
from autosmote.reports.studies.breakdowns import (
    compute_group_ranks,
    compute_hyperparameter_ranks,
    make_groups_table,
    make_hyperparameters_table,
)
from autosmote.reports.studies.case_study import draw_case_study
from autosmote.reports.studies.courses import draw_course, draw_hyperparameters
from autosmote.reports.studies.selection.figure import draw_gains
from autosmote.reports.studies.selection.findings import write_findings as write_selection_findings
from autosmote.reports.studies.selection.gains import study_selection
from autosmote.reports.studies.selection.questions import EXPERIMENTS as SELECTIONS
from autosmote.reports.studies.selection.tables import make_tables as make_selection_tables
from autosmote.reports.studies.summary import Summary, summarise
from autosmote.reports.tables import (
    make_rank_table,
    make_statistics_table,
    make_tests_table,
    make_top_table,
)

TITLES = {
    "table2": "Table 2: samplers",
    "table3": "Table 3: SMOTE variants",
    "table4": "Table 4: ablations",
    "extensions": "Table 4, beyond the paper: extensions",
    "figure4": "Figure 4: classifiers and imbalance ratios",
    "figure5": "Figure 5: the course of the search",
    "figure6": "Figure 6: hyperparameters",
    "figure7": "Figure 7: case study",
    "selection": "Choosing among the sample sets that were tried",
    "selection_confirmation": "Choosing among sample sets: confirmation",
}


@dataclass(frozen=True)
class Report:
    """Report of one experiment and budget; `write_tables` and `write_figures` make files of it."""

    study: Study
    title: str
    findings: list[str]
    tables: list[Table]
    draw: Callable[[], list[Figure]]
    """Makes the figures, which takes longer than all the rest."""
    source: str
    """The records that it came from, and the command that made them."""
    versions: dict[str, list[str]]


def title_of(experiment: str, budget: str) -> str:
    return f"{TITLES.get(experiment, experiment)} ({budget})"


def list_experiments(results_dir: str | Path) -> list[tuple[str, str]]:
    """Return the experiments and budgets that have a plan: tables, figures, then others."""
    plans = Path(results_dir).glob("*/plans/*.csv.gz")
    found = [(path.parent.parent.name, path.name.removesuffix(".csv.gz")) for path in plans]
    order, budgets = list(TITLES), ["paper", "quick", "smoke"]

    def place(item: tuple[str, str]) -> tuple[int, str, int, str]:
        experiment, budget = item
        first = order.index(experiment) if experiment in order else len(order)
        second = budgets.index(budget) if budget in budgets else len(budgets)
        return first, experiment, second, budget

    return sorted(found, key=place)


def build_report(results_dir: str | Path, experiment: str, budget: str) -> Report:
    """Build a report from the records that are there, missing cells marked.

    Raises
    ------
    UserError
        If there is no plan, or its records cannot be compared.
    """
    study = load_study(results_dir, experiment, budget)
    cells = {metric: make_cells(study, metric) for metric in study.metrics}
    if experiment in SELECTIONS:
        return _selection_report(study, cells)
    has_full = any(names.FULL in one.arms for one in cells.values())
    rows = [summarise(one, names.FULL if has_full else None) for one in cells.values()]
    rows = [row for row in rows if len(row)]
    title = title_of(experiment, budget)
    tables, sentences = [_make_failures_table(study)], []
    draw: Callable[[], list[Figure]] = list
    if rows:
        summary = Summary(pd.concat(rows, ignore_index=True), read_paper_ranks(experiment))
        sentences = write_findings(study, summary)
        by_group, by_value = compute_group_ranks(cells), compute_hyperparameter_ranks(cells)
        tables = [
            *_tables(experiment, title, summary, by_group, by_value),
            _make_failures_table(study),
        ]
        draw = partial(_figures, study, cells, summary, by_group, by_value)
    return _report(study, sentences, tables, draw)


def _selection_report(study: Study, cells: Mapping[str, Cells]) -> Report:
    """Build the report of an experiment whose arms are compared in pairs, not ranked."""
    name = study.experiment
    found = study_selection(study, cells)

    def draw() -> list[Figure]:
        whole = found.arms[found.arms["block"] == found.blocks[0].name]
        with drawing.style():
            figure = draw_gains(f"{name}_gains", whole)
        return [] if figure is None else [figure]

    tables = [*make_selection_tables(name, found), _make_failures_table(study)]
    return _report(study, write_selection_findings(found), tables, draw)


def _report(
    study: Study, sentences: list[str], tables: list[Table], draw: Callable[[], list[Figure]]
) -> Report:
    source = _source(study)
    for table in tables:
        table.notes.append(source)
    title = title_of(study.experiment, study.budget)
    return Report(study, title, sentences, tables, draw, source, _versions(study.runs))


def _tables(
    experiment: str, title: str, summary: Summary, by_group: pd.DataFrame, by_value: pd.DataFrame
) -> Iterable[Table]:
    if experiment == "table3":
        yield make_top_table(experiment, title, summary)
        yield make_rank_table(f"{experiment}_all", f"{title}, all", summary)
    elif len(by_value):
        yield make_hyperparameters_table(experiment, title, by_value)
    else:
        yield make_rank_table(experiment, title, summary, by_dataset=experiment != "table4")
    for metric in summary.metrics:
        yield make_statistics_table(f"{experiment}_statistics_{metric}", summary, metric)
        if names.FULL in summary.arms:
            yield make_tests_table(f"{experiment}_tests_{metric}", summary, metric)
    yield make_groups_table(f"{experiment}_by_classifier_and_ratio", by_group)


def _figures(
    study: Study,
    cells_of: Mapping[str, Cells],
    summary: Summary,
    by_group: pd.DataFrame,
    by_value: pd.DataFrame,
) -> list[Figure]:
    """Draw the paper's figures where the experiment has them, then those that every one has."""
    experiment = study.experiment
    figure4 = "figure4" if experiment in ("table2", "figure4") else f"{experiment}_by_group"
    with drawing.style():
        drawn = [
            draw_course(f"{experiment}_course", study, read_histories(study.folder)),
            draw_hyperparameters(f"{experiment}_hyperparameters", by_value),
            draw_case_study(f"{experiment}_rows", study),
        ]
        if names.FULL in summary.arms and summary.n(names.OVERALL) > 1:
            drawn += [
                figures.draw_ranks_by_group(figure4, by_group),
                figures.draw_critical_difference(f"{experiment}_differences", cells_of, summary),
                figures.draw_cost(f"{experiment}_cost", summary),
                figures.draw_gains(f"{experiment}_gains", summary),
            ]
    # Figure 5 is figure5.svg, not figure5_course.svg.
    own = {"figure5": "course", "figure6": "hyperparameters", "figure7": "rows"}
    return [
        replace(figure, name=experiment)
        if figure.name == f"{experiment}_{own.get(experiment)}"
        else figure
        for figure in drawn
        if figure is not None
    ]


def _source(study: Study) -> str:
    runs = study.runs
    done = runs.dropna(subset=["protocol_version"])
    protocol = "/".join(f"{v:g}" for v in sorted(done["protocol_version"].unique())) or "none"
    revisions = sorted({revision[:12] for revision in done["git_revision"].dropna()})
    command = study.about.get("command")
    return (
        f"From {study.experiment}/records.csv.gz, {len(done)} of the {len(runs)} cells of "
        f"plans/{study.budget}.csv.gz; protocol {protocol}, code at "
        f"{', '.join(revisions) or 'an unknown revision'}"
        + (f"; made by: {command}" if command else "")
    )


def _make_failures_table(study: Study) -> Table:
    """Count failed runs by cause; without any the table is empty, so that no old one is left."""
    runs = study.runs
    failed = runs[runs["status"].notna() & (runs["status"] != "ok")]
    error = failed["error"].fillna("").str.slice(0, 160)
    counts = (
        failed.assign(error=error, imputed=failed["imputed"].fillna(False).astype(int))
        .groupby(["arm", "status", "error"], sort=True)
        .agg(runs=("key", "size"), imputed=("imputed", "sum"))
        .reset_index()
    )
    rows = [
        [
            Cell(names.arm(row.arm)),
            Cell(row.status),
            Cell(row.error),
            Cell(str(row.runs), sort=row.runs),
            Cell(str(row.imputed), sort=row.imputed),
        ]
        for row in counts.itertuples()
    ]
    header = ["Method", "Status", "Error", "Runs", "Imputed"]
    return Table("failures", f"Runs that failed: {len(failed)}", header, rows, counts, n_text=3)


def _versions(runs: pd.DataFrame) -> dict[str, list[str]]:
    """Return the versions of each package in the records; more than one where they mix."""
    found: dict[str, set[str]] = {}
    for text in runs["versions"].dropna().unique():
        for name, version in json.loads(text).items():
            found.setdefault(name, set()).add(str(version))
    return {name: sorted(found[name]) for name in sorted(found)}


def write_tables(report: Report) -> list[Path]:
    """Write <experiment>/tables/<budget>/, each file in one step."""
    folder = report.study.folder / "tables" / report.study.budget
    forms: dict[str, Callable[[Table], str]] = {"csv": to_csv, "md": to_markdown, "tex": to_latex}
    written = []
    for table in report.tables:
        for ending, form in forms.items():
            path = folder / f"{table.name}.{ending}"
            write_text(path, form(table))
            written.append(path)
    return written


def write_figures(report: Report) -> list[Path]:
    """Write <experiment>/figures/<budget>/, each file in one step."""
    folder = report.study.folder / "figures" / report.study.budget
    return [path for figure in report.draw() for path in drawing.save(figure, folder)]
