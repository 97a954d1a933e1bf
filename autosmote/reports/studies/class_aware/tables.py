"""Tables of the class-aware search: what each source gains by a rule, and each rule of a source."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from autosmote.reports import names
from autosmote.reports.names import METRICS, OVERALL
from autosmote.reports.render.table import NONE, Cell, Table, format_estimate
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS
from autosmote.reports.studies.class_aware.study import BEST, GAINS, RULES, Found
from autosmote.reports.tables import EXTENDED
from autosmote.reports.verdicts import TESTS


def make_tables(found: Found) -> Iterator[Table]:
    """Make the tables of the questions that the experiment's arms can answer."""
    experiment = found.study.experiment
    if len(found.of(GAINS)):
        yield _make_table(
            found, GAINS, ["reward", "rule"],
            f"Mean difference in score to {names.arm(found.baseline)} by the same reward and rule",
            "Over the runs that both have. Arms with a number of classifiers of their own are "
            "compared with SMOTE's search with as many, where there is one. Of all differences, "
            f"those of the claims too: {experiment}_{GAINS}.csv.",
        )  # fmt: skip
    if len(found.of(RULES)):
        yield _make_table(
            found, RULES, ["source"],
            "Mean difference in score to the best sample set of the same source, reward "
            f"{BEST.reward}",
            "Over the runs that both have. With the reward validation the search has fewer rows "
            "to learn from, and the classifier that it ends with too.",
        )  # fmt: skip


def _make_table(found: Found, question: str, grouped_by: list[str], title: str, note: str) -> Table:
    """Make the table of one question: arms as rows, groups of configurations as columns."""
    frame = found.of(question)
    groups = list(dict.fromkeys(frame["group"]))
    rows: list[list[Cell]] = []
    of_group = []
    for by, part in frame.groupby(["metric", *grouped_by, "arm", "block"], sort=False):
        metric, arm, block = by[0], by[-2], by[-1]
        of = {row["group"]: row for row in part.to_dict("records")}
        for test in found.tests:
            cells = [
                *(Cell(METRICS[str(metric)]), Cell(found.selections[str(arm)].title())),
                *(Cell(str(block)), *[Cell(TESTS[test])] * (len(found.tests) > 1)),
                format_estimate(of[OVERALL], "classifiers", 0),
            ]
            cells += [
                format_estimate(of[group], test, 3, sign=True) if group in of else Cell(NONE)
                for group in groups
            ]
            rows.append(cells)
            of_group.append(by[:-2])
    left = ["Metric", "Arm", "Seeds", *["On the"] * (len(found.tests) > 1)]
    return Table(
        f"{found.study.experiment}_{question}",
        title,
        [*left, "Trained", *(title_group(frame, group) for group in groups)],
        rows,
        frame if question == RULES else found.differences[found.differences["question"] != RULES],
        n_text=len(left),
        groups=of_group,
        grouped=True,
        notes=[
            note,
            "Seeds: decided, by which arms were compared; confirmed, which no decision has seen.",
            "Trained: classifiers that one run trains, in the search and by its rule.",
            "[95%]: bootstrap over configurations within each dataset and over seeds; none for "
            f"fewer than {MIN_CONFIGURATIONS} configurations.",
            *[EXTENDED] * (found.judged == "extended"),
        ],
    )


def title_group(frame: pd.DataFrame, group: str) -> str:
    """Return a group's name, with the number of its configurations."""
    n = frame.loc[frame["group"] == group, "configurations"].max()
    title = "All" if group == OVERALL else names.CLASSIFIERS.get(group, group)
    return f"{title} (n = {n})"
