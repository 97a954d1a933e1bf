"""AutoSMOTE against single arms: mean differences in score, on the runs that both have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import FULL, METRICS
from autosmote.reports.render.table import NONE, Cell, Table, format_estimate
from autosmote.reports.statistics import paired
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS
from autosmote.reports.studies.budgets import count_by_arm
from autosmote.reports.study import Study
from autosmote.reports.verdicts import TESTS


def list_rivals(study: Study) -> list[str]:
    """Return the arms that AutoSMOTE is compared with one by one, in the order of tables.

    The controls with as many classifiers and, in Table 2, the two samplers that they are made of;
    ablations and extensions. Empty without AutoSMOTE.
    """
    arms = set(study.runs["arm"])
    wanted = {*study.beside, *names.ABLATIONS, *names.EXTENSIONS}
    wanted |= set(names.OF_CONTROLS) if study.experiment in names.TABLE2_EXPERIMENTS else set()
    return names.arms_in_order(arms & wanted) if FULL in arms else []


def compute_differences(
    study: Study, cells_of: Mapping[str, Cells], pairs: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    """Compute mean differences of pairs of arms over the runs that both have.

    Returns
    -------
    DataFrame
        metric, arm, against, classifiers and classifiers_against (how many a run trains, nan where
        that is not known); configurations, runs, test: mean difference on the test part, with its
        95% interval; the same on the extended test (extended_configurations, extended_runs,
        extended) where there is one; judged: "extended" or "test", by which is concluded; wins,
        ties, losses: configurations, by the judged means.
    """
    trained = count_by_arm(study)
    rows: list[dict[str, Any]] = []
    for metric, cells in cells_of.items():
        there = [pair for pair in pairs if set(pair) <= set(cells.arms)]
        if not there:
            continue
        scores = {"test": cells.test, "extended": cells.extended}
        of = {name: cells.subtract(values, there) for name, values in scores.items()}
        judged = "test" if np.isnan(of["extended"]).all() else "extended"
        found = {name: paired.estimate(values, cells.dataset_of) for name, values in of.items()}
        counts = paired.compare(of[judged])
        for i, (arm, against) in enumerate(there):
            row = {
                "metric": metric,
                "arm": arm,
                "against": against,
                "classifiers": trained.get(arm, np.nan),
                "classifiers_against": trained.get(against, np.nan),
            }
            for name, prefix in (("test", ""), ("extended", "extended_")):
                means = found[name]
                row |= {
                    f"{prefix}configurations": means.configurations[i],
                    f"{prefix}runs": means.runs[i],
                    **means.named(name, i),
                }
            tallies = {name: getattr(counts, name)[i] for name in ("wins", "ties", "losses")}
            rows.append({**row, "judged": judged, **tallies})
    frame = pd.DataFrame(rows)
    if len(frame) and (frame["judged"] == "test").all():
        frame = frame.drop(columns=[name for name in frame if name.startswith("extended")])
    return frame


def make_differences_table(name: str, differences: pd.DataFrame) -> Table:
    """Make the table of AutoSMOTE's differences to its rivals."""
    has_extended = "extended" in differences
    rows = []
    for row in differences.to_dict("records"):
        estimates = [format_estimate(row, "test", 3, sign=True)]
        if has_extended:
            estimates.append(format_estimate(row, "extended", 3, sign=True))
        tallies = "/".join(str(int(row[name])) for name in ("wins", "ties", "losses"))
        rows.append(
            [
                Cell(METRICS[row["metric"]]),
                Cell(names.arm(row["against"])),
                *(_count_cell(row[name]) for name in ("classifiers_against", "classifiers")),
                Cell(f"{row['configurations']} ({row['runs']})", sort=row["runs"]),
                *estimates,
                Cell(tallies, sort=row["wins"]),
            ]
        )
    heads = [f"On the {TESTS[part]} [95%]" for part in ("test", "extended")]
    header = ["Metric", "Against", "It trains", "AutoSMOTE trains", "n (runs)"]
    header += [*heads[: 1 + has_extended], "Wins/ties/losses"]
    judged = TESTS[differences["judged"].iloc[0]]
    notes = [
        "Mean difference in score, AutoSMOTE less the other, over the runs that both have.",
        "Trains: classifiers that one run trains, by its search or its grid of ratios.",
        f"n: configurations, and runs. Wins, ties and losses of AutoSMOTE: configurations, by the "
        f"mean over the seeds on the {judged}.",
        "[95%]: bootstrap over configurations within each dataset and over seeds; none for fewer "
        f"than {MIN_CONFIGURATIONS} configurations.",
    ]
    groups = list(differences["metric"])
    caption = "AutoSMOTE against single arms: mean differences"
    return Table(
        name, caption, header, rows, differences, n_text=2, groups=groups, grouped=True, notes=notes
    )


def _count_cell(n: float) -> Cell:
    return Cell(NONE) if np.isnan(n) else Cell(f"{n:.0f}", sort=n)
