"""Figure of the gains of each rule on the test part and on the held-out rows."""

from __future__ import annotations

import pandas as pd

from autosmote.reports import names
from autosmote.reports.names import METRICS
from autosmote.reports.render.drawing import Figure, look
from autosmote.reports.render.figures import describe_gains
from autosmote.reports.render.forest import Estimate, Panel, draw_forest, order_rows
from autosmote.reports.studies.selection.questions import Selection
from autosmote.reports.verdicts import TESTS


def draw_gains(name: str, arms: pd.DataFrame, test: str) -> Figure | None:
    """Draw the gains of one block of `compute_gains`: on a test, and on held-out rows as rings."""
    gain = f"{test}_gain"
    arms = arms.dropna(subset=["validation_gain", gain])
    panels = []
    for metric in names.in_order(arms["metric"], METRICS):
        found = arms[arms["metric"] == metric]
        rows, looks = {}, {}
        for row in found.to_dict("records"):
            ends = row[f"{gain}_low"], row[f"{gain}_high"]
            rows[row["arm"]] = Estimate(row[gain], *ends, row["validation_gain"])
            looks[row["arm"]] = look(row["source"])
        n = f"n = {found['configurations'].max()} ({found['runs'].max()} runs)"
        title = f"{METRICS[metric]}, {n}"
        panels.append(Panel(title, f"mean gain in {METRICS[metric]}", rows, looks))
    order = order_rows(panels)
    if not order:
        return None
    titles = {
        row["arm"]: Selection(row["source"], row["reward"], row["rule"]).title()
        for row in arms.to_dict("records")
    }
    canvas = draw_forest(
        panels, order, titles,
        mark=f"on the {TESTS[test]}, with 95% interval", ring="on the held-out rows",
    )  # fmt: skip
    caption = describe_gains(TESTS[test], "held-out rows", "rule chose")
    return Figure(name, f"{caption} n: configurations.", canvas)
