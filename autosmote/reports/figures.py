"""Figures of ranks, scores and costs: Figure 4 of the paper, and what goes beyond it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.typing import FillStyleType

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.drawing import (
    COLOURS,
    FULL_COLOUR,
    MARKERS,
    OTHERS_COLOUR,
    Figure,
    new_canvas,
    rank_axis,
)
from autosmote.reports.names import FULL, METRICS, OVERALL
from autosmote.reports.ranks import rank
from autosmote.reports.significance import LEVEL, MIN_CONFIGURATIONS, cliques
from autosmote.reports.summary import Summary
from autosmote.search_config import REWARDS

_LOOKS = {FULL: (FULL_COLOUR, "*", 15), "none": ("black", "s", 6)}
_MOST_NAMED = 27
"""Points with a name in a figure; of more arms only the best have one."""
_MOST_COMPARED = 25
"""Arms in a critical-difference diagram; more lines cannot be read."""


def by_classifier_and_ratio(name: str, ranks: pd.DataFrame) -> Figure:
    """Figure 4: AutoSMOTE's average rank by classifier and by imbalance ratio, among all others.

    Parameters
    ----------
    name : str
    ranks : DataFrame
        Of `breakdowns.group_ranks`.
    """
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
    rank_axis(panels[0], ranks["arm"].nunique())
    canvas.legend(loc="outside upper left", ncols=2)
    return Figure(
        name,
        "Average rank of AutoSMOTE on the test part by base classifier and by imbalance ratio, "
        "with 95% bootstrap intervals; grey: the other samplers.",
        canvas,
    )


def critical_difference(
    name: str, cells_of: Mapping[str, Cells], summary: Summary
) -> Figure | None:
    """Average ranks on a line; bars join arms without a significant difference among them."""
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
        _draw_differences(axes, arms, averages, cliques(means))
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
        "Critical-difference diagram: average ranks, best on the left; bars join neighbours among "
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
    """A level for each group, so that those on one level have no arm in common."""
    ends: list[int] = []
    found = []
    for first, last in groups:
        level = next((i for i, end in enumerate(ends) if end < first), len(ends))
        ends[level : level + 1] = [last]
        found.append(level)
    return found


def cost(name: str, summary: Summary) -> Figure | None:
    """Quality against cost: average rank against seconds per run."""
    points = {
        metric: {
            arm: (row["seconds"], row["rank"])
            for arm in summary.ordered(metric)
            if (row := summary.get(metric, OVERALL, arm))["seconds"] > 0
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
    rank_axis(panels[0], len(summary.arms))
    for axes, found in zip(panels, points.values(), strict=True):
        _name_points(axes, found)
    return Figure(
        name,
        "Quality against cost: average rank on the test part against the median seconds of a run "
        "(tuning over ten ratios or search, fits and tests included).",
        canvas,
    )


def gains(name: str, summary: Summary) -> Figure:
    """What is gained on validation, by which samplers choose, against what is left on test."""
    canvas = new_canvas(12, 5)
    panels = canvas.subplots(1, len(summary.metrics), squeeze=False)[0]
    for axes, metric in zip(panels, summary.metrics, strict=True):
        found = {
            arm: (row["validation_gain"], row["test_gain"])
            for arm in summary.ordered(metric)
            if not np.isnan((row := summary.get(metric, OVERALL, arm))["validation_gain"])
        }
        _scatter(axes, found)
        _compare_gains(axes, metric, found)
        axes.set_xlabel(f"mean gain in {METRICS[metric]} on the validation part")
        axes.set_title(f"{METRICS[metric]}, n = {summary.n(OVERALL)} configurations")
        axes.legend(loc="upper left", fontsize=8)
        _name_points(axes, found)
    return Figure(
        name,
        "Gain over no resampling on the test part against that on the validation part, by which "
        "every sampler was tuned; below the dotted line the choice was optimistic.",
        canvas,
    )


def rules(name: str, arms: pd.DataFrame) -> Figure | None:
    """What rules gain on held-out rows, by which they choose, against what is left on test.

    Parameters
    ----------
    name : str
    arms : DataFrame
        Of `selection.arms_frame`, one block.
    """
    arms = arms.dropna(subset=["validation_gain", "test_gain"])
    if arms.empty:
        return None
    metrics = names.in_order(arms["metric"], METRICS)
    sources = list(dict.fromkeys(arms["source"]))
    looks = {
        source: (COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)])
        for i, source in enumerate(sources)
    }
    filled: tuple[FillStyleType, ...] = ("full", "none", "bottom")
    fills = dict(zip(REWARDS, filled, strict=True))
    canvas = new_canvas(14, 7)
    panels = canvas.subplots(1, len(metrics), squeeze=False)[0]
    for axes, metric in zip(panels, metrics, strict=True):
        rows = arms[arms["metric"] == metric]
        found, colours = {}, {}
        for row in rows.to_dict("records"):
            colour, marker = looks[row["source"]]
            found[row["arm"]] = row["validation_gain"], row["test_gain"]
            colours[row["arm"]] = colour
            axes.plot(
                *found[row["arm"]], marker, color=colour, fillstyle=fills[row["reward"]],
                markerfacecoloralt="white", markersize=7, zorder=2,
            )  # fmt: skip
        _compare_gains(axes, metric, found)
        axes.margins(0.06)
        axes.set_xlabel(f"mean gain in {METRICS[metric]} on the held-out rows")
        n = rows["configurations"].max()
        axes.set_title(f"{METRICS[metric]}, n = {n} configurations, {rows['runs'].max()} runs")
        _name_points(axes, found, colours)
    handles = [
        *(
            Line2D([], [], color=colour, marker=marker, linestyle="", label=names.arm(source))
            for source, (colour, marker) in looks.items()
        ),
        *(
            Line2D(
                [], [], color="#333333", marker="o", linestyle="", fillstyle=fill,
                markerfacecoloralt="white", label=f"reward: {reward}",
            )
            for reward, fill in fills.items() if reward in set(arms["reward"])
        ),
        *panels[0].get_legend_handles_labels()[0],
    ]  # fmt: skip
    canvas.legend(handles=handles, loc="outside upper left", ncols=5)
    return Figure(
        name,
        "Gain over no resampling on the test part against that on the held-out rows, by which "
        "every rule chose; below the dotted line the choice was optimistic.",
        canvas,
    )


def _compare_gains(axes: Axes, metric: str, points: Mapping[str, tuple[float, float]]) -> None:
    """Lines of no gain, and of as much gain on the test part."""
    low = min(0.0, min(map(min, points.values())))
    high = max(0.01, max(map(max, points.values())))
    line = np.array([low, high])
    axes.plot(line, line, ":", color="black", linewidth=1, label="as much on test", zorder=1)
    axes.axhline(0, color=OTHERS_COLOUR, linewidth=0.8, zorder=0)
    axes.axvline(0, color=OTHERS_COLOUR, linewidth=0.8, zorder=0)
    axes.set_ylabel(f"mean gain in {METRICS[metric]} on the test part")


def _scatter(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Points; AutoSMOTE and no resampling stand out."""
    for arm, (x, y) in points.items():
        colour, marker, size = _LOOKS.get(arm, (COLOURS[1], "o", 5))
        axes.plot(x, y, marker, color=colour, markersize=size, zorder=2 + (arm == FULL))
    axes.margins(0.06)
    axes.autoscale_view()


def _name_points(
    axes: Axes,
    points: Mapping[str, tuple[float, float]],
    colours: Mapping[str, str] | None = None,
) -> None:
    """Names of points in a column on the right, in the order of their heights.

    Called when the limits of the axes are as they will be. Of many points without colours only
    the first are named.
    """
    named = dict.fromkeys([*list(points)[:_MOST_NAMED], *(arm for arm in points if arm in _LOOKS)])
    if colours is not None:
        named = dict.fromkeys(points)
    else:
        colours = {arm: _LOOKS.get(arm, ("#333333",))[0] for arm in named}
    to_axes = axes.transData + axes.transAxes.inverted()
    spots = {arm: to_axes.transform(points[arm]) for arm in named}
    order = sorted(named, key=lambda arm: spots[arm][1])
    gap = min(0.037, 1 / max(1, len(order)))
    for arm, place in zip(order, _spread([spots[arm][1] for arm in order], gap), strict=True):
        colour = colours[arm]
        weight = "bold" if arm == FULL else "normal"
        # A line, not an annotation's arrow, which takes as long to draw as all the rest.
        axes.plot(
            [spots[arm][0], 1.02], [spots[arm][1], place], color=colour, linewidth=0.4, alpha=0.6,
            transform=axes.transAxes, clip_on=False, zorder=1,
        )  # fmt: skip
        axes.text(
            1.03, place, names.arm(arm), transform=axes.transAxes, va="center", fontsize=7,
            fontweight=weight, color=colour,
        )  # fmt: skip


def _spread(heights: Sequence[float], gap: float) -> list[float]:
    """Places near ascending heights, in [0, 1] and a gap apart."""
    n = len(heights)
    from_below, from_above = [0.0] * n, [0.0] * n
    for i in range(n):
        lowest = from_below[i - 1] + gap if i else 0.0
        from_below[i] = max(lowest, min(heights[i], 1 - gap * (n - 1 - i)))
    for i in reversed(range(n)):
        highest = from_above[i + 1] - gap if i < n - 1 else 1.0
        from_above[i] = min(highest, max(heights[i], gap * i))
    return [(below + above) / 2 for below, above in zip(from_below, from_above, strict=True)]
