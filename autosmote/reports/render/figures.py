"""Figures of ranks, gains, differences and costs: Figure 4, and what goes beyond the paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from autosmote.records.figure_style import (
    BLACK,
    BLUE,
    GREY,
    INK,
    PAGE,
    PALE,
    SMALL,
    VERMILION,
    label_log_axis,
    new_canvas,
)
from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import FULL, METRICS, OVERALL
from autosmote.reports.render.critical_difference import CAPTION, Ranking, draw_rankings
from autosmote.reports.render.drawing import (
    INTERVALS,
    Figure,
    Look,
    Points,
    choose_named,
    draw_intervals,
    draw_ticks,
    label_ranks,
    look,
    set_rank_axis,
)
from autosmote.reports.render.forest import Estimate, Panel, draw_forest, order_rows
from autosmote.reports.render.labels import Segment, fix_layout, name_points
from autosmote.reports.studies.summary import Summary
from autosmote.reports.verdicts import ABOVE, BELOW, TESTS, count_configurations, locate

_VERDICTS = {
    ABOVE: Look(VERMILION, "o", 4, False),
    BELOW: Look(BLUE, "o", 4, False),
}
"""By where an interval lies, how a difference is drawn; grey where it holds 0, or there is none."""


def draw_ranks_by_group(name: str, ranks: pd.DataFrame) -> Figure:
    """Draw Figure 4 from `compute_group_ranks`: ranks by classifier and by imbalance ratio."""
    metrics = names.in_order(ranks["metric"], METRICS)
    sizes = ranks.groupby(["by", "group"], sort=False)["n"].max()
    n_arms = ranks["arm"].nunique()
    n_clfs = sum(by == "clf" for by, _ in sizes.index)
    places = [y + 0.35 * (y >= n_clfs) for y in range(len(sizes))]
    canvas = new_canvas(PAGE, 0.95 + 0.36 * (1 + places[-1]))
    panels = canvas.subplots(1, len(metrics), sharex=True, sharey=True, squeeze=False)[0]
    for axes, metric in zip(panels, metrics, strict=True):
        groups = {
            key: rows for key, rows in ranks[ranks["metric"] == metric].groupby(["by", "group"])
        }
        for y, key in zip(places, sizes.index, strict=True):
            if key in groups:
                _draw_group(axes, y, groups[key], n_arms)
        axes.axhline(n_clfs - 0.35, color=GREY, linewidth=0.6)
        axes.set_title(METRICS[metric])
        axes.set_xlabel(label_ranks(n_arms))
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
    panels[0].set_yticks(places, [f"{group}\nn = {n}" for (_, group), n in sizes.items()])
    panels[0].set_ylim(places[-1] + 0.5, -0.65)
    own = look(FULL)
    canvas.legend(
        handles=[
            Line2D([], [], color=own.colour, marker=own.marker, markersize=7, label="AutoSMOTE"),
            *(
                Line2D([], [], linestyle="", marker="|", markersize=7, color=colour, label=label)
                for label, colour in (("no resampling", BLACK), ("another method", GREY))
                if colour == GREY or "none" in set(ranks["arm"])
            ),
        ],
        loc="outside lower right",
        ncols=3,
    )
    return Figure(
        name,
        "Average rank of AutoSMOTE on the test part by base classifier and by imbalance ratio, "
        f"over n configurations, with {INTERVALS}. Ticks: the other methods, the best of them "
        "named.",
        canvas,
    )


def _draw_group(axes: Axes, y: float, rows: pd.DataFrame, n_arms: int) -> None:
    """Draw the ranks of one classifier or ratio as a row."""
    known = rows.dropna(subset=["rank"]).set_index("arm")["rank"]
    others = known.drop(FULL, errors="ignore")
    rivals = others.drop("none", errors="ignore")
    draw_ticks(axes, rivals, y, 0.2, GREY)
    draw_ticks(axes, others[others.index == "none"], y, 0.26, BLACK, 1.4)
    own = look(FULL)
    of_own = rows[rows["arm"] == FULL]
    at = [y] * len(of_own)
    draw_intervals(axes, at, of_own["rank_low"], of_own["rank_high"], own.colour)
    axes.plot(of_own["rank"], at, own.marker, color=own.colour, markersize=own.size, zorder=3)
    if len(rivals):
        best = rivals.idxmin()
        is_right = rivals[best] > 0.6 * n_arms
        axes.annotate(
            names.arm(best), (rivals[best], y - 0.2), xytext=(0, 1), textcoords="offset points",
            ha="right" if is_right else "left", va="bottom", fontsize=SMALL, color=INK,
        )  # fmt: skip


def draw_critical_difference(
    name: str, cells_of: Mapping[str, Cells], summary: Summary
) -> Figure | None:
    """Draw the average ranks of all arms that are ranked together, for each metric."""
    rankings = []
    for metric, cells in cells_of.items():
        arms = summary.ordered(metric)
        means = cells.means()[:, [cells.arms.index(arm) for arm in arms]]
        means = means[~np.isnan(means).any(axis=1)]
        if len(arms) > 1 and len(means):
            rankings.append(Ranking(METRICS[metric], "configurations", arms, means))
    if not rankings:
        return None
    caption = f"{CAPTION} Scores on the {summary.test}, as means over the seeds."
    return Figure(name, caption, draw_rankings(rankings))


def draw_cost(name: str, summary: Summary, costs: pd.DataFrame) -> Figure | None:
    """Draw quality against cost: average rank against seconds per run."""
    seconds = {(row["metric"], row["arm"]): row["seconds"] for row in costs.to_dict("records")}
    points: dict[str, Points] = {}
    for metric in summary.metrics:
        rows = {
            arm: summary.get(metric, OVERALL, arm)
            for arm in [*summary.ordered(metric), *summary.beside]
        }
        points[metric] = {
            arm: (seconds[metric, arm], row["rank"])
            for arm, row in rows.items()
            if seconds.get((metric, arm), 0) > 0 and not np.isnan(row["rank"])
        }
    points = {metric: found for metric, found in points.items() if found}
    if not points:
        return None
    canvas = new_canvas(PAGE, 3.4)
    panels = canvas.subplots(1, len(points), sharey=True, squeeze=False)[0]
    named = {
        metric: choose_named(
            [arm for arm in found if arm not in summary.beside],
            [arm for arm in summary.beside if arm in found],
        )
        for metric, found in points.items()
    }
    obstacles: dict[str, list[Segment]] = {}
    for axes, (metric, found) in zip(panels, points.items(), strict=True):
        axes.set_xscale("log")
        front = _draw_front(axes, [found[arm] for arm in found if arm not in summary.beside])
        obstacles[metric] = list(pairwise(front))
        looks = {arm: look(arm, arm in named[metric]) for arm in found}
        for own in dict.fromkeys(looks.values()):
            at = [found[arm] for arm in found if looks[arm] == own]
            axes.plot(
                *zip(*at, strict=True), own.marker, color=own.colour, markersize=own.size, zorder=2
            )
        for arm in named[metric]:
            row = summary.get(metric, OVERALL, arm)
            low, high = ((found[arm][0], row.get(f"rank_{end}", np.nan)) for end in ("low", "high"))
            axes.plot(
                *zip(low, high, strict=True), color=looks[arm].colour, linewidth=0.6, alpha=0.5
            )
            obstacles[metric].append((low, high))
        seconds_of = [x for x, _ in found.values()]
        span = max(2.0, max(seconds_of) / min(seconds_of))
        # Room for names, which are mostly right of their points.
        axes.set_xlim(min(seconds_of) / span**0.08, max(seconds_of) * span**0.25)
        axes.margins(y=0.07)
        axes.set_xlabel("seconds per run (median)")
        axes.set_title(f"{METRICS[metric]}, n = {summary.n(OVERALL)} configurations")
    set_rank_axis(panels[0], len(summary.arms))
    for axes in panels:
        label_log_axis(axes.xaxis)
    fix_layout(canvas)
    for axes, (metric, found) in zip(panels, points.items(), strict=True):
        texts = {arm: names.arm(arm) for arm in named[metric]}
        name_points(axes, found, texts, obstacles[metric])
    return Figure(
        name,
        f"Quality against cost: average rank on the {summary.test} against the median seconds of "
        "a run (tuning over ten ratios or search, fits and tests included). Upright lines of the "
        f"named: {INTERVALS}; grey steps: no method is both faster and better ranked.",
        canvas,
    )


def _draw_front(axes: Axes, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Draw and return the steps through the points that no other one surpasses in both."""
    steps: list[tuple[float, float]] = []
    for x, y in sorted(points):
        if not steps:
            steps = [(x, y)]
        elif y < steps[-1][1]:
            steps += [(x, steps[-1][1]), (x, y)]
    axes.plot(*zip(*steps, strict=True), color=PALE, linewidth=2.5, zorder=1)
    return steps


def draw_gains(name: str, gains: pd.DataFrame, test: str) -> Figure | None:
    """Draw the gains of `compute_gains` on a test, and those on validation as rings."""
    metrics = names.in_order(gains["metric"], METRICS) if len(gains) else []
    panels = []
    for metric in metrics:
        found = gains[gains["metric"] == metric].dropna(subset=["test_gain"])
        rows = {
            row["arm"]: Estimate(
                row["test_gain"],
                row["test_gain_low"],
                row["test_gain_high"],
                row["validation_gain"],
            )
            for row in found.to_dict("records")
        }
        title = f"{METRICS[metric]}, n = {found['n'].max()} configurations"
        panels.append(Panel(title, f"mean gain in {METRICS[metric]}", rows))
    order = order_rows(panels)
    if not order:
        return None
    canvas = draw_forest(
        panels, order, {arm: names.arm(arm) for arm in order},
        mark=f"on the {test}, with 95% interval", ring="on the validation part",
    )  # fmt: skip
    caption = (
        f"Mean gain over no resampling on the {test}, with {INTERVALS}; rings: on the validation "
        "part, by which every method was tuned. The further a ring lies to the right of its mark, "
        "the more optimistic was the choice."
    )
    return Figure(name, caption, canvas)


def draw_differences(name: str, differences: pd.DataFrame) -> Figure | None:
    """Draw AutoSMOTE's differences to single arms, of `compute_differences`."""
    if differences.empty:
        return None
    judged = differences["judged"].iloc[0]
    panels = []
    for metric in names.in_order(differences["metric"], METRICS):
        records = differences[differences["metric"] == metric].dropna(subset=[judged])
        found = {row["against"]: row for row in records.to_dict("records")}
        if not found:
            continue
        rows = {
            arm: Estimate(row[judged], row[f"{judged}_low"], row[f"{judged}_high"])
            for arm, row in found.items()
        }
        n = max(count_configurations(row) for row in found.values())
        panels.append(
            Panel(
                f"{METRICS[metric]}, n = {n} configurations",
                f"difference in {METRICS[metric]}\n← the other better · AutoSMOTE better →",
                rows,
                {a: _VERDICTS.get(locate(row), look("", False)) for a, row in found.items()},
            )
        )
    order = order_rows(panels)
    if not order:
        return None
    canvas = draw_forest(
        panels, order, {arm: names.arm(arm) for arm in order},
        mark=f"AutoSMOTE less the other on the {TESTS[judged]}, with 95% interval",
    )  # fmt: skip
    return Figure(
        name,
        f"Mean difference in score, AutoSMOTE less the method named, on the {TESTS[judged]}, over "
        f"the runs that both have, with {INTERVALS}. Coloured where the interval leaves out 0: "
        "vermilion AutoSMOTE, blue the other is better.",
        canvas,
    )
