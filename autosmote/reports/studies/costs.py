"""What the runs of an experiment cost: the only numbers of a report that differ each time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.names import METRICS
from autosmote.reports.render.table import Cell, Table, format_number, spread
from autosmote.reports.study import Study

WITHOUT_COSTS = (
    *("class_aware_confirmation", "class_aware_ablations", "class_aware_start"),
    "table2_confirmation",
)
"""Run on several machines or beside other work: `class_aware` and `table2` have the seconds of
their arms."""


def compute_costs(study: Study) -> pd.DataFrame:
    """Compute what the runs of each arm cost.

    Returns
    -------
    DataFrame
        metric, arm, runs, seconds (median per run), hours (of all), peak_memory_mb (median); empty
        for `WITHOUT_COSTS`.
    """
    costs = study.costs if study.experiment not in WITHOUT_COSTS else study.costs.iloc[:0]
    runs = study.runs[["key", "metric", "arm"]].merge(costs, on="key")
    found = runs.groupby(["metric", "arm"], sort=False).agg(
        runs=("key", "size"),
        seconds=("seconds.total", "median"),
        hours=("seconds.total", "sum"),
        peak_memory_mb=("peak_memory_mb", "median"),
    )
    return found.reset_index().assign(hours=lambda table: table["hours"] / 3600)


def make_costs_table(name: str, costs: pd.DataFrame, titles: Mapping[str, str]) -> Table:
    """Make the table of `compute_costs`; the arms have their names from `titles`."""
    metrics = names.in_order(costs["metric"], METRICS)
    of = {(row["metric"], row["arm"]): row for row in costs.to_dict("records")}
    rows: list[list[Cell]] = []
    own: list[int] = []
    for arm in titles:
        found = [of[metric, arm] for metric in metrics if (metric, arm) in of]
        if found:
            own += [len(rows)] * (arm == names.FULL)
            seconds = [of.get((metric, arm), {}).get("seconds", np.nan) for metric in metrics]
            runs, hours = (sum(row[name] for row in found) for name in ("runs", "hours"))
            memory = float(np.median([row["peak_memory_mb"] for row in found]))
            rows.append(
                [
                    Cell(titles[arm]),
                    Cell(str(runs), sort=runs),
                    *(Cell(format_number(value, 1), sort=value) for value in seconds),
                    Cell(format_number(hours, 2), sort=hours),
                    Cell(format_number(memory, 0), sort=memory),
                ]
            )
    shown = [METRICS[metric] for metric in metrics]
    right = ["Hours", "Peak memory, MB"]
    header, spans = spread(["Method", "Runs"], ["Seconds"] * bool(shown), shown, right)
    notes = [
        "From costs.csv.gz, by the machines that ran it; the same sweep run again has other costs. "
        "Seconds and memory: median per run; hours: of all runs.",
        "What served several classifiers, such as one resampling, counts fully in each of them; of "
        "rules that share a search, a later one takes less than it would alone.",
    ]
    return Table(name, "Costs", header, rows, costs, spans=spans, notes=notes, pinned=own)
