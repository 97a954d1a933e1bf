"""Report of one experiment with one budget: tables, figures and sentences."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from autosmote.errors import UserError, describe_error, let_interrupts_through
from autosmote.reports import names, ranked
from autosmote.reports.cells import Cells, make_cells
from autosmote.reports.headlines import write_class_aware_headline, write_ranked_headline
from autosmote.reports.render import drawing
from autosmote.reports.render.drawing import Figure
from autosmote.reports.render.table import Cell, Table
from autosmote.reports.render.writers import to_csv, to_latex, to_markdown, write_text
from autosmote.reports.studies import sensitivity
from autosmote.reports.studies.class_aware.figure import draw_gains
from autosmote.reports.studies.class_aware.findings import (
    write_findings as write_class_aware_findings,
)
from autosmote.reports.studies.class_aware.study import EXPERIMENTS as CLASS_AWARE
from autosmote.reports.studies.class_aware.study import study_class_aware
from autosmote.reports.studies.class_aware.tables import make_tables as make_class_aware_tables
from autosmote.reports.studies.costs import WITHOUT_COSTS, compute_costs, make_costs_table
from autosmote.reports.studies.many.arms import EXPERIMENTS as MANY
from autosmote.reports.studies.many.figure import draw_figures as draw_many_figures
from autosmote.reports.studies.many.findings import write_findings as write_many_findings
from autosmote.reports.studies.many.study import study_many
from autosmote.reports.studies.many.tables import make_tables as make_many_tables
from autosmote.reports.study import Study, load_study

logger = logging.getLogger("autosmote")

TITLES = {
    "table2": "Table 2: samplers",
    "table2_confirmation": "Table 2, on seeds that no decision has seen",
    "table3": "Table 3: SMOTE variants",
    "table4": "Table 4: ablations",
    "extensions": "Table 4, beyond the paper: extensions",
    "figure4": "Figure 4: classifiers and imbalance ratios",
    "figure5": "Figure 5: the course of the search",
    "figure6": "Figure 6: hyperparameters",
    "figure7": "Figure 7: case study",
    "sensitivity": "Table 2 with one decision changed at a time",
    "class_aware": "Class-aware search",
    "class_aware_confirmation": "Class-aware search: confirmation",
    "class_aware_ablations": "Class-aware search: ablations",
    "class_aware_start": "Class-aware search: learned start",
    "many": "A hundred datasets: decision half",
    "many_confirmation": "A hundred datasets: confirmation half",
}

_FIGURES = ("figure4", "figure5", "figure6", "figure7")
_PICTURE = "differences"
"""The figure that is shown first, of experiments that are not a figure themselves."""


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
    headline: str
    """The sentence to read if only one is read."""

    @property
    def picture(self) -> str:
        """The name of the figure to see if only one is seen."""
        experiment = self.study.experiment
        return experiment if experiment in _FIGURES else f"{experiment}_{_PICTURE}"


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
    if experiment in CLASS_AWARE:
        return _class_aware_report(study, cells)
    if experiment in MANY:
        return _many_report(study, cells)
    if experiment == sensitivity.EXPERIMENT:
        return _sensitivity_report(study, cells)
    found = ranked.study_ranked(study, cells)
    if found is None:
        return _report(study, [], _cost_and_failure_tables(study), list)
    tables = ranked.make_tables(title_of(experiment, budget), found)
    return _report(
        study,
        ranked.write_findings(found),
        [*tables, *_cost_and_failure_tables(study)],
        partial(ranked.draw_figures, found),
        write_ranked_headline(found),
    )


def _class_aware_report(study: Study, cells: Mapping[str, Cells]) -> Report:
    """Build the report of an experiment whose arms are compared in pairs, not ranked."""
    found = study_class_aware(study, cells)

    def draw() -> list[Figure]:
        with drawing.style():
            figure = draw_gains(found)
        return [] if figure is None else [figure]

    titles = {arm: what.title() for arm, what in found.selections.items()}
    tables = [*make_class_aware_tables(found), *_cost_and_failure_tables(study, titles)]
    headline = write_class_aware_headline(found)
    return _report(study, write_class_aware_findings(found), tables, draw, headline)


def _many_report(study: Study, cells: Mapping[str, Cells]) -> Report:
    """Build the report of a half of the many datasets, whose families are what is counted."""
    found = study_many(study, cells)

    def draw() -> list[Figure]:
        with drawing.style():
            return list(draw_many_figures(found))

    titles = {arm: found.arms.title(arm) for arm in found.arms.in_order(found.arms.known)}
    tables = [*make_many_tables(found), *_cost_and_failure_tables(study, titles)]
    return _report(study, write_many_findings(found), tables, draw)


def _sensitivity_report(study: Study, cells: Mapping[str, Cells]) -> Report:
    """Build the report of variants of Table 2, each against it."""
    frame = sensitivity.compute_sensitivity(study, cells)
    tables = [sensitivity.make_sensitivity_table(study, frame)]
    tables += _cost_and_failure_tables(study, sensitivity.title_arms(study.runs["arm"]))
    return _report(study, sensitivity.write_findings(frame), tables, list)


def _report(
    study: Study,
    sentences: list[str],
    tables: list[Table],
    draw: Callable[[], list[Figure]],
    headline: str = "",
) -> Report:
    """Make a report; without a headline of its own its first sentence is one."""
    source = _source(study)
    for table in tables:
        table.notes.append(source)
    title = title_of(study.experiment, study.budget)
    headline = headline or next(iter(sentences), "")
    return Report(study, title, sentences, tables, draw, source, _versions(study.runs), headline)


def _cost_and_failure_tables(study: Study, titles: Mapping[str, str] | None = None) -> list[Table]:
    arms = names.arms_in_order(study.runs["arm"])
    titles = titles or {arm: names.arm(arm) for arm in arms}
    tables = [_make_failures_table(study)]
    if study.experiment not in WITHOUT_COSTS:
        costs = make_costs_table(f"{study.experiment}_costs", compute_costs(study), titles)
        tables.insert(0, costs)
    return tables


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
    written: list[Path] = []
    try:
        figures = report.draw()
        for figure in figures:
            written += drawing.save(figure, folder)
        if figures:
            written.append(drawing.save_captions(figures, folder))
    except (OSError, UserError):
        raise
    except Exception as error:  # of matplotlib, as for a name that begins a formula
        let_interrupts_through(error)
        logger.warning("A figure was not drawn (%s); all else is there.", describe_error(error))
    return written
