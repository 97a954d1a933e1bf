"""Figures of ranks, scores and costs: Figure 4 of the paper, and what goes beyond it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import FULL, METRICS, OVERALL
from autosmote.reports.render.drawing import (
    COLOURS,
    FULL_COLOUR,
    INK,
    MARKERS,
    OTHERS_COLOUR,
    Figure,
    draw_gain_lines,
    name_points,
    new_canvas,
    set_rank_axis,
)
from autosmote.reports.statistics.ranks import rank
from autosmote.reports.statistics.significance import LEVEL, MIN_CONFIGURATIONS, find_cliques
from autosmote.reports.studies.summary import Summary

_LOOKS = {FULL: (FULL_COLOUR, "*", 15), "none": ("black", "s", 6)}
_MOST_NAMED = 27
"""Points with a name in a figure; of more arms only the best have one."""
_MOST_COMPARED = 25
"""Arms in a critical-difference diagram; more lines cannot be read."""


def draw_ranks_by_group(name: str, ranks: pd.DataFrame) -> Figure:
    """Draw Figure 4 from `compute_group_ranks`: AutoSMOTE's rank by classifier and by IR."""
    canvas = new_canvas(9, 4)
    panels = canvas.subplots(1, 2, sharey=True, width_ratios=(4, 3))
    metrics = names.in_order(ranks["metric"], METRICS)
    titles = {"clf": "base classifier", "ir": "imbalance ratio"}
    for axes, (by, title) in zip(panels, titles.items(), strict=True):
        sizes = ranks[ranks["by"] == by].groupby("group", sort=False)["n"].max()
        for m, metric in enumerate(metrics):
            found = ranks[(ranks["by"] == by) & (ranks["metric"] == metric)]
            places = {
                group: x + 0.2 * (m - (len(metrics) - 1) / 2) for x, group in enumerate(sizes.index)
            }
            others, own = found[found["arm"] != FULL], found[found["arm"] == FULL]
            axes.plot(
                others["group"].map(places), others["rank"], "_",
                color=OTHERS_COLOUR, markersize=9, alpha=0.8,
            )  # fmt: skip
            colour, at = (FULL_COLOUR, COLOURS[1])[m % 2], own["group"].map(places)
            label = f"AutoSMOTE, {METRICS[metric]}" if by == "clf" else None
            axes.plot(at, own["rank"], MARKERS[m], color=colour, markersize=7, label=label)
            axes.vlines(at, own["rank_low"], own["rank_high"], color=colour, linewidth=1.8)
        axes.set_xticks(range(len(sizes)), [f"{group}\nn = {n}" for group, n in sizes.items()])
        axes.set_xlim(-0.5, len(sizes) - 0.5)
        axes.set_title(f"by {title}")
        axes.grid(axis="x", visible=False)
    set_rank_axis(panels[0], ranks["arm"].nunique())
    canvas.legend(loc="outside upper left", ncols=2)
    return Figure(
        name,
        "Average rank of AutoSMOTE on the test part by base classifier and by imbalance ratio, "
        "with 95% bootstrap intervals; grey: the other samplers.",
        canvas,
    )


def draw_critical_difference(
    name: str, cells_of: Mapping[str, Cells], summary: Summary
) -> Figure | None:
    """Draw average ranks on a line; bars join arms without a significant difference among them."""
    panels = []
    for metric, cells in cells_of.items():
        arms = summary.ordered(metric)
        means = cells.means()
        means = means[:, [cells.arms.index(arm) for arm in arms]]
        means = means[~np.isnan(means).any(axis=1)]
        if len(arms) < 2 or len(means) < 1:
            continue
        kept = arms[:_MOST_COMPARED]
        kept += [FULL] if FULL in arms[_MOST_COMPARED:] else []
        averages = rank(means).mean(axis=0)[[arms.index(arm) for arm in kept]]
        order = np.argsort(averages, kind="stable")
        means = means[:, [arms.index(kept[i]) for i in order]]
        panels.append((metric, [kept[i] for i in order], averages[order], means, len(arms)))
    if not panels:
        return None
    rows = [(len(panel[1]) + 1) // 2 for panel in panels]
    canvas = new_canvas(9, sum(1.3 + 0.2 * n for n in rows))
    all_axes = canvas.subplots(len(panels), 1, squeeze=False, height_ratios=rows)[:, 0]
    for axes, (metric, arms, averages, means, n_all) in zip(all_axes, panels, strict=True):
        _draw_differences(axes, arms, averages, find_cliques(means))
        n = len(means)
        too_few = "; n too small for tests" if n < MIN_CONFIGURATIONS else ""
        which = f"{n_all} methods"
        if len(arms) < n_all:
            which = f"the best {_MOST_COMPARED} of {n_all}" + " and AutoSMOTE" * (
                len(arms) > _MOST_COMPARED
            )
        axes.set_title(f"{METRICS[metric]}: average ranks of {which}, n = {n}{too_few}")
    return Figure(
        name,
        f"Critical-difference diagram: average ranks on the {summary.test}, best on the left; bars "
        "join neighbours among "
        f"which no pair differs significantly (two-sided Wilcoxon tests, Holm, p < {LEVEL:g}).",
        canvas,
    )


def _draw_differences(
    axes: Axes, arms: list[str], averages: np.ndarray, groups: list[tuple[int, int]]
) -> None:
    low, high = np.floor(averages.min()), np.ceil(averages.max())
    high = max(high, low + 1)
    span = high - low
    levels = _levels(groups)
    depth = (max(levels, default=-1) + 1) * 0.5 + 0.4
    half = (len(arms) + 1) // 2
    for i, (arm, average) in enumerate(zip(arms, averages, strict=True)):
        left = i < half
        y = -depth - 1.0 * (i if left else len(arms) - 1 - i) - 0.4
        edge = low - 0.04 * span if left else high + 0.04 * span
        colour = FULL_COLOUR if arm == FULL else "black"
        width = 1.6 if arm == FULL else 0.8
        axes.plot([average, average, edge], [0, y, y], color=colour, linewidth=width)
        text = f"{names.arm(arm)} {average:.2f}" if left else f"{average:.2f} {names.arm(arm)}"
        axes.text(
            edge, y, f" {text} ", ha="right" if left else "left", va="center", color=colour,
            fontsize=8, fontweight="bold" if arm == FULL else "normal",
        )  # fmt: skip
    for level, (first, last) in zip(levels, groups, strict=True):
        y = -0.4 - 0.5 * level
        ends = averages[first] - 0.006 * span, averages[last] + 0.006 * span
        axes.plot(ends, (y, y), color=COLOURS[1], linewidth=3.5, solid_capstyle="butt")
    ticks = np.arange(low, high + 1, max(1, round(span / 12)))
    axes.plot([low, high], [0, 0], color="black", linewidth=1)
    for tick in ticks:
        axes.plot([tick, tick], [0, 0.25], color="black", linewidth=1)
        axes.text(tick, 0.4, f"{tick:g}", ha="center", va="bottom", fontsize=8)
    axes.set_xlim(low - 0.45 * span, high + 0.45 * span)
    axes.set_ylim(-depth - half - 0.4, 1.6)
    axes.axis("off")


def _levels(groups: list[tuple[int, int]]) -> list[int]:
    """Return a level for each group, so that those on one level have no arm in common."""
    ends: list[int] = []
    found = []
    for first, last in groups:
        level = next((i for i, end in enumerate(ends) if end < first), len(ends))
        ends[level : level + 1] = [last]
        found.append(level)
    return found


def draw_cost(name: str, summary: Summary, costs: pd.DataFrame) -> Figure | None:
    """Draw quality against cost: average rank against seconds per run."""
    seconds = {(row["metric"], row["arm"]): row["seconds"] for row in costs.to_dict("records")}
    points = {
        metric: {
            arm: (seconds[metric, arm], summary.get(metric, OVERALL, arm)["rank"])
            for arm in summary.ordered(metric)
            if seconds.get((metric, arm), 0) > 0
        }
        for metric in summary.metrics
    }
    if not any(points.values()):
        return None
    canvas = new_canvas(12, 5)
    panels = canvas.subplots(1, len(points), sharey=True, squeeze=False)[0]
    for axes, (metric, found) in zip(panels, points.items(), strict=True):
        axes.set_xscale("log")
        _scatter(axes, found)
        axes.set_xlabel("seconds per run (median, log scale)")
        axes.set_title(f"{METRICS[metric]}, n = {summary.n(OVERALL)} configurations")
    set_rank_axis(panels[0], len(summary.arms))
    for axes, found in zip(panels, points.values(), strict=True):
        _name_points(axes, found)
    return Figure(
        name,
        f"Quality against cost: average rank on the {summary.test} against the median seconds of "
        "a run (tuning over ten ratios or search, fits and tests included).",
        canvas,
    )


def draw_gains(name: str, summary: Summary) -> Figure:
    """Draw the gain on the test part against that on validation, by which samplers choose."""
    canvas = new_canvas(12, 5)
    panels = canvas.subplots(1, len(summary.metrics), squeeze=False)[0]
    for axes, metric in zip(panels, summary.metrics, strict=True):
        found = {
            arm: (row["validation_gain"], row["test_gain"])
            for arm in summary.ordered(metric)
            if not np.isnan((row := summary.get(metric, OVERALL, arm))["validation_gain"])
        }
        _scatter(axes, found)
        draw_gain_lines(axes, metric, found, summary.test)
        axes.set_xlabel(f"mean gain in {METRICS[metric]} on the validation part")
        axes.set_title(f"{METRICS[metric]}, n = {summary.n(OVERALL)} configurations")
        axes.legend(loc="upper left", fontsize=8)
        _name_points(axes, found)
    return Figure(
        name,
        f"Gain over no resampling on the {summary.test} against that on the validation part, by "
        "which every sampler was tuned; below the dotted line the choice was optimistic.",
        canvas,
    )


def _scatter(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Draw points; AutoSMOTE and no resampling stand out."""
    for arm, (x, y) in points.items():
        colour, marker, size = _LOOKS.get(arm, (COLOURS[1], "o", 5))
        axes.plot(x, y, marker, color=colour, markersize=size, zorder=2 + (arm == FULL))
    axes.margins(0.06)
    axes.autoscale_view()


def _name_points(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Name the best points, and those that stand out."""
    named = dict.fromkeys([*list(points)[:_MOST_NAMED], *(arm for arm in points if arm in _LOOKS)])
    colours = {arm: _LOOKS[arm][0] if arm in _LOOKS else INK for arm in named}
    texts = {arm: names.arm(arm) for arm in named}
    shown = {arm: points[arm] for arm in named}
    name_points(axes, shown, lines=colours, inks=colours, texts=texts)
