"""Figure of the class-aware search's gains: each source, by group of configurations."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.typing import FillStyleType

from autosmote.records.figure_style import (
    BLACK,
    GREEN,
    INK,
    MARKERS,
    PAGE,
    SMALL,
    TEXT,
    new_canvas,
)
from autosmote.reports import names
from autosmote.reports.names import METRICS
from autosmote.reports.render.drawing import INTERVALS, Figure, draw_intervals, look
from autosmote.reports.studies.class_aware.study import GAINS, Found, place_source
from autosmote.reports.studies.class_aware.tables import title_group
from autosmote.reports.studies.selections import CONFIRMED, DECIDED
from autosmote.reports.verdicts import TESTS

_ROW = 0.24
"""Height of a source's row, in inches."""
_MOST = 8.0
"""Of all of them, as a journal's page is no longer."""
_BELOW = 0.6
"""How far the panels reach below 0, as a share of above: the arms that are far worse, such as no
resampling, are arrows at the edge with their number, or they would take all of the room."""


def draw_gains(found: Found) -> Figure | None:
    """Draw the table's differences on the judged test: a row of panels for each reward and rule.

    A column of panels is a group of configurations; the sources share the rows.
    """
    test = found.judged
    frame = found.of(GAINS)
    frame = frame if frame.empty else frame.dropna(subset=[test])
    if frame.empty:
        return None
    rules = {by: of for by, of in frame.groupby(["reward", "rule"], sort=False)}
    sources = {by: sorted(of["source"].unique(), key=place_source) for by, of in rules.items()}
    groups = list(dict.fromkeys(frame["group"]))
    fills: dict[str, FillStyleType] = {DECIDED: "full", CONFIRMED: "none"}
    looks = {
        (metric, block): (colour, marker, fill)
        for metric, colour, marker in zip(METRICS, (INK, GREEN), MARKERS, strict=False)
        for block, fill in fills.items()
        if len(frame[(frame["metric"] == metric) & (frame["block"] == block)])
    }
    shifts = {one: 0.8 * ((i + 0.5) / len(looks) - 0.5) for i, one in enumerate(looks)}
    height = min(_ROW, _MOST / sum(map(len, sources.values())))
    heights = [0.1 + height * len(of) for of in sources.values()]
    canvas = new_canvas(PAGE, 1.1 + sum(heights))
    most = max(frame[[test, f"{test}_high"]].max(axis=None), 0.01)
    left = -_BELOW * most
    panels = canvas.subplots(
        len(rules), len(groups), squeeze=False, sharex=True, sharey="row", height_ratios=heights
    )
    for of_rule, (by, part) in zip(panels, rules.items(), strict=True):
        for axes, group in zip(of_rule, groups, strict=True):
            axes.axvline(0, color=BLACK, linewidth=0.8, zorder=1)
            of_group = part[part["group"] == group]
            for (metric, block), (colour, marker, fill) in looks.items():
                rows = of_group[(of_group["metric"] == metric) & (of_group["block"] == block)]
                y = rows["source"].map(sources[by].index) + shifts[metric, block]
                beyond = rows[test] < left
                for value, at in zip(rows[test][beyond], y[beyond], strict=True):
                    text = f" {value:.2f}".replace("-", "−")
                    axes.plot(left, at, "<", color=colour, markersize=3.5, clip_on=False)
                    axes.text(left, at, text, color=colour, fontsize=SMALL - 1, va="center")
                rows, y = rows[~beyond], y[~beyond]
                ends = rows[f"{test}_low"].clip(lower=left), rows[f"{test}_high"]
                draw_intervals(axes, y, *ends, colour)
                axes.plot(
                    rows[test], y, marker, color=colour, markersize=3.5, fillstyle=fill,
                    markerfacecoloralt="white", markeredgewidth=0.8, zorder=3,
                )  # fmt: skip
            axes.tick_params(axis="y", length=0)
        first = of_rule[0]
        labels = [_label(found, part, one) for one in sources[by]]
        first.set_yticks(range(len(sources[by])), labels)
        for label, one in zip(first.get_yticklabels(), sources[by], strict=True):
            label.set(color=look(one).ink, fontweight=look(one).weight)
        first.set_ylim(len(sources[by]) - 0.5, -0.5)
        first.set_ylabel(f"{by[0]},\n{by[1]}")
    for axes, group in zip(panels[0], groups, strict=True):
        title = title_group(frame, group).replace(" (", "\n(").replace("DecisionTree", "Tree")
        axes.set_title(title, fontsize=SMALL, fontweight="normal")
    panels[0, 0].set_xlim(left, 1.05 * most)
    panels[0, 0].set_xticks([_round_down(most)])  # one, as the panels are narrow; the line is at 0
    panels[0, 0].xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
    canvas.supxlabel(
        f"mean difference in score to {names.arm(found.baseline)} on the {TESTS[test]}",
        fontsize=TEXT,
    )
    handles = [
        Line2D(
            [], [], color=colour, marker=marker, markersize=3.5, fillstyle=fill,
            markerfacecoloralt="white", label=f"{METRICS[metric]}, {block}",
        )
        for (metric, block), (colour, marker, fill) in looks.items()
    ]  # fmt: skip
    canvas.legend(handles=handles, loc="outside upper right", ncols=4)
    return Figure(
        f"{found.study.experiment}_gains",
        f"Mean difference in score to {names.arm(found.baseline)} by the same reward and rule (on "
        f"the left) on the {TESTS[test]}, over n configurations, with {INTERVALS}. Decided: seeds "
        "by which arms were compared; confirmed: others. Arrows: further to the left, by their "
        "number.",
        canvas,
    )


def _label(found: Found, rows: pd.DataFrame, source: str) -> str:
    """Return a source's name, and whom it is compared with where that is not the baseline."""
    against = found.selections[rows.loc[rows["source"] == source, "against"].iloc[0]].source
    if against == found.baseline:
        return names.arm(source)
    return f"{names.arm(source)}, less {names.arm(against.rpartition(' ')[0])}'s"


def _round_down(value: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not above a positive value."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in (1, 2, 5) if step * power <= value)
