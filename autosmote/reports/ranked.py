"""Report of an experiment whose arms are ranked: its tables, figures and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from autosmote.records.collected import read_histories
from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.claims import (
    RANDOM,
    write_ablations,
    write_controls,
    write_extensions,
    write_hyperparameters,
)
from autosmote.reports.comparison_tables import make_statistics_table, make_tests_table
from autosmote.reports.findings import write_doubts, write_standing, write_tests
from autosmote.reports.paper import read_paper_ranks
from autosmote.reports.render import drawing, figures
from autosmote.reports.render.drawing import Figure
from autosmote.reports.render.table import Table
from autosmote.reports.studies.breakdowns import compute_group_ranks, make_groups_table
from autosmote.reports.studies.case_study import draw_case_study, write_case_study
from autosmote.reports.studies.costs import compute_costs
from autosmote.reports.studies.countings import EXPERIMENTS as COUNTED
from autosmote.reports.studies.countings import (
    compute_countings,
    make_countings_table,
    write_countings,
)
from autosmote.reports.studies.courses import draw_course, draw_hyperparameters, write_course
from autosmote.reports.studies.differences import (
    compute_differences,
    list_rivals,
    make_differences_table,
)
from autosmote.reports.studies.gains import compute_gains
from autosmote.reports.studies.hyperparameters import (
    compute_hyperparameter_ranks,
    make_hyperparameters_table,
    pair_values,
)
from autosmote.reports.studies.summary import Summary, summarise_all
from autosmote.reports.study import Study
from autosmote.reports.tables import make_rank_tables, make_top_table


@dataclass(frozen=True)
class Ranked:
    """All that is computed from the records of an experiment whose arms are ranked.

    Attributes
    ----------
    study : Study
    cells_of : Mapping of str to Cells
        By metric.
    summary : Summary
    by_group, by_value, countings : DataFrame
        Empty where the experiment has none.
    differences, of_random, of_values : DataFrame
        Of AutoSMOTE to single arms, of random search to the others, of the defaults of
        hyperparameters to their other values; empty where there are none.
    """

    study: Study
    cells_of: Mapping[str, Cells]
    summary: Summary
    by_group: pd.DataFrame
    by_value: pd.DataFrame
    countings: pd.DataFrame
    differences: pd.DataFrame
    of_random: pd.DataFrame
    of_values: pd.DataFrame


def study_ranked(study: Study, cells_of: Mapping[str, Cells]) -> Ranked | None:
    """Compute all results of an experiment; None if no arms have a seed in common."""
    summary = summarise_all(cells_of, study.beside, read_paper_ranks(study.experiment))
    return None if summary is None else _complete(study, cells_of, summary)


def _complete(study: Study, cells_of: Mapping[str, Cells], summary: Summary) -> Ranked:
    beside, arms = study.beside, names.arms_in_order(study.runs["arm"])
    ranked = {
        metric: cells.only([arm for arm in cells.arms if arm not in beside])
        for metric, cells in cells_of.items()
    }
    several = summary.n(names.OVERALL) > 1
    rivals = list_rivals(study) if several else []
    of_random = [(RANDOM, arm) for arm in rivals + [names.FULL] if RANDOM in rivals != [RANDOM]]
    pairs = {
        "differences": [(names.FULL, rival) for rival in rivals],
        "of_random": [pair for pair in of_random if pair[0] != pair[1]],
        "of_values": pair_values(arms),
    }
    counted = study.experiment in COUNTED and names.FULL in arms
    return Ranked(
        study,
        cells_of,
        summary,
        compute_group_ranks(ranked),
        compute_hyperparameter_ranks(ranked),
        compute_countings(cells_of, beside) if counted else pd.DataFrame(),
        **{name: compute_differences(study, cells_of, of) for name, of in pairs.items()},
    )


def write_findings(found: Ranked) -> list[str]:
    """Say what holds, what the paper's claims are and which of them the records contradict."""
    study, summary = found.study, found.summary
    sentences = []
    for metric in summary.metrics:
        if len(found.countings):
            printed = summary.get(metric, names.OVERALL, names.FULL)["paper_rank"]
            sentences += write_countings(found.countings, metric, study.beside, printed)
            sentences += write_controls(found.differences, metric, study.beside)
        elif names.FULL in summary.arms:
            sentences += write_standing(summary, metric)
        sentences += write_ablations(found.differences, found.of_random, metric)
        sentences += write_extensions(found.differences, metric)
        sentences += write_hyperparameters(found.of_values, metric)
        if names.FULL in summary.arms and summary.get(metric, names.OVERALL, names.FULL)["n"]:
            sentences += write_tests(summary, metric)
    sentences += write_course(study, read_histories(study.folder))
    sentences += write_case_study(study)
    if summary.extended is None:
        sentences.append("No record here has an extended test: all is on the test part.")
    return sentences + write_doubts(
        study, "Samplers are compared on the seeds that all of a configuration's samplers have."
    )


def make_tables(title: str, found: Ranked) -> Iterator[Table]:
    """Make all tables but those of costs and failures."""
    study, summary = found.study, found.summary
    name = study.experiment
    if name == "table3":
        yield make_top_table(name, title, summary)
        yield from make_rank_tables(f"{name}_all", f"{title}, all", summary)
    elif len(found.by_value):
        yield make_hyperparameters_table(name, title, found.by_value)
    else:
        of_datasets = name != "table4"
        yield from make_rank_tables(name, title, summary, by_dataset=of_datasets)
    if len(found.countings):
        yield make_countings_table(f"{name}_countings", found.countings, study.beside)
    if len(found.differences):
        yield make_differences_table(f"{name}_pairs", found.differences)
    for metric in summary.metrics:
        yield make_statistics_table(f"{name}_statistics_{metric}", summary, metric)
        if names.FULL in summary.arms:
            yield make_tests_table(f"{name}_tests_{metric}", summary, metric)
    yield make_groups_table(f"{name}_by_classifier_and_ratio", found.by_group)


def draw_figures(found: Ranked) -> list[Figure]:
    """Draw the paper's figures where the experiment has them, then those that every one has.

    The paper's are on the test part, the others on the test by which is concluded.
    """
    study, summary = found.study, found.summary
    judged = summary.judged
    experiment = study.experiment
    figure4 = "figure4" if experiment in ("table2", "figure4") else f"{experiment}_by_group"
    with drawing.style():
        drawn = [
            draw_course(f"{experiment}_course", study, read_histories(study.folder)),
            draw_hyperparameters(f"{experiment}_hyperparameters", found.by_value),
            draw_case_study(f"{experiment}_rows", study),
        ]
        if names.FULL in summary.arms and judged.n(names.OVERALL) > 1:
            scored = found.cells_of
            if summary.extended is not None:
                on = {metric: cells.on_extended() for metric, cells in scored.items()}
                scored = {metric: cells for metric, cells in on.items() if cells}
            drawn += [
                figures.draw_ranks_by_group(figure4, found.by_group),
                figures.draw_critical_difference(f"{experiment}_differences", scored, judged),
                figures.draw_cost(f"{experiment}_cost", judged, compute_costs(study)),
                figures.draw_gains(
                    f"{experiment}_gains", compute_gains(scored, study.beside), judged.test
                ),
            ]
            # The gains show the samplers of Table 2 itself.
            if set(found.differences.get("against", ())) - set(names.OF_CONTROLS):
                drawn.append(figures.draw_differences(f"{experiment}_pairs", found.differences))
    # Figure 5 is figure5.svg, not figure5_course.svg.
    own = {"figure5": "course", "figure6": "hyperparameters", "figure7": "rows"}
    return [
        replace(figure, name=experiment)
        if figure.name == f"{experiment}_{own.get(experiment)}"
        else figure
        for figure in drawn
        if figure is not None
    ]
