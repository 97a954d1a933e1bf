"""Figure of the gains of each rule on the test part and on the held-out rows."""

from __future__ import annotations

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.typing import FillStyleType

from autosmote.reports import names
from autosmote.reports.names import FULL, METRICS
from autosmote.reports.render.drawing import (
    FULL_FIRST,
    INK,
    MARKERS,
    Figure,
    draw_gain_lines,
    name_points,
    new_canvas,
)
from autosmote.reports.studies.selection.questions import SOURCES, Selection
from autosmote.reports.verdicts import TESTS


def draw_gains(name: str, arms: pd.DataFrame, test: str) -> Figure | None:
    """Draw the gains of one block of `compute_gains`: on a test against those on held-out rows."""
    gain = f"{test}_gain"
    arms = arms.dropna(subset=["validation_gain", gain])
    if arms.empty:
        return None
    metrics = names.in_order(arms["metric"], METRICS)
    sources = names.in_order(arms["source"], SOURCES)
    # A source looks the same whichever others there are.
    order = names.in_order([*sources, *SOURCES], SOURCES)
    looks = {
        source: (
            FULL_FIRST[(i := order.index(source)) % len(FULL_FIRST)],
            MARKERS[i % len(MARKERS)],
        )
        for source in sources
    }
    fills: dict[str, FillStyleType] = {"validation": "full", "crossfit": "none"}
    canvas = new_canvas(14, 7)
    canvas.set_layout_engine("constrained", w_pad=0.12)  # names are wider in the PNG than here
    panels = canvas.subplots(1, len(metrics), squeeze=False)[0]
    for axes, metric in zip(panels, metrics, strict=True):
        rows = arms[arms["metric"] == metric]
        found, lines, inks, texts = {}, {}, {}, {}
        for row in rows.to_dict("records"):
            colour, marker = looks[row["source"]]
            found[row["arm"]] = row["validation_gain"], row[gain]
            lines[row["arm"]] = colour
            inks[row["arm"]] = colour if row["source"] == FULL else INK
            texts[row["arm"]] = Selection(row["source"], row["reward"], row["rule"]).title()
            axes.plot(
                *found[row["arm"]], marker, color=colour, fillstyle=fills[row["reward"]],
                markerfacecoloralt="white", markersize=7, zorder=2,
            )  # fmt: skip
        draw_gain_lines(axes, metric, found, TESTS[test])
        axes.margins(0.06)
        axes.autoscale_view()
        axes.set_xlabel(f"mean gain in {METRICS[metric]} on the held-out rows")
        n = rows["configurations"].max()
        axes.set_title(f"{METRICS[metric]}, n = {n} configurations, {rows['runs'].max()} runs")
        name_points(axes, found, lines=lines, inks=inks, texts=texts)
    handles = [
        *(
            Line2D([], [], color=colour, marker=marker, linestyle="", label=names.arm(source))
            for source, (colour, marker) in looks.items()
        ),
        *(
            Line2D(
                [], [], color=INK, marker="o", linestyle="", fillstyle=fill,
                markerfacecoloralt="white", label=f"reward: {reward}",
            )
            for reward, fill in fills.items() if reward in set(arms["reward"])
        ),
        *panels[0].get_legend_handles_labels()[0],
    ]  # fmt: skip
    canvas.legend(handles=handles, loc="outside upper left", ncols=5)
    return Figure(
        name,
        f"Gain over no resampling on the {TESTS[test]} against that on the held-out rows, by which "
        "every rule chose; below the dotted line the choice was optimistic.",
        canvas,
    )
