"""Figures of the experiments on many datasets: gains of the arms, and when what pays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from autosmote.records.figure_style import BLACK, COLOURS, MARKERS, PAGE, new_canvas
from autosmote.reports import names
from autosmote.reports.names import METRICS, OVERALL
from autosmote.reports.render.critical_difference import CAPTION, Ranking, draw_rankings
from autosmote.reports.render.drawing import Figure
from autosmote.reports.studies.many.arms import FORMS
from autosmote.reports.studies.many.gains import OVER_NONE
from autosmote.reports.studies.many.study import Found
from autosmote.reports.studies.many.traits import CLASSIFIER, TRAITS


def draw_figures(found: Found) -> Iterator[Figure]:
    """Draw all figures."""
    if len(gains := _known_gains(found.gains)):
        yield _draw_gains(found, gains)
    if len(found.by_trait):
        yield _draw_traits(found)
    if found.rankings:
        yield _draw_rankings(found)


def _draw_rankings(found: Found) -> Figure:
    """Draw a critical-difference diagram for each metric and form."""
    rankings = []
    for one in found.rankings:
        whole = one.scores[~np.isnan(one.scores).any(axis=1)]
        sources = [found.arms.known[arm].source for arm in one.arms]
        title = f"{METRICS[one.metric]}, {one.form}"
        rankings.append(Ranking(title, "families", sources, whole, one.averages))
    return Figure(
        f"{found.study.experiment}_differences",
        f"{CAPTION} Ranks are means over families, {found.half} half; tests are of their scores.",
        draw_rankings(rankings),
    )


def _known_gains(gains: pd.DataFrame) -> pd.DataFrame:
    """Return the gains over no resampling with all classifiers, of the arms that have runs."""
    if gains.empty:
        return gains
    chosen = (gains["what"] == OVER_NONE) & (gains["group"] == OVERALL)
    return gains[chosen & gains["gain"].notna()]


def _draw_gains(found: Found, frame: pd.DataFrame) -> Figure:
    """Draw the gain of each arm over no resampling, with its interval, by metric."""
    metrics = names.in_order(frame["metric"], METRICS)
    arms = found.arms.in_order(frame["arm"].unique())
    canvas = new_canvas(PAGE, 0.24 * len(arms) + 1.0)
    panels = canvas.subplots(1, len(metrics), squeeze=False, sharey=True)[0]
    place = {arm: i for i, arm in enumerate(arms)}
    for axes, metric in zip(panels, metrics, strict=True):
        rows = frame[frame["metric"] == metric].to_dict("records")
        for row in rows:
            i = FORMS.index(row["form"])
            y, colour = place[row["arm"]] + 0.15 * i, COLOURS[2 - 2 * i]
            axes.plot(row["gain"], y, MARKERS[i], color=colour, markersize=5)
            axes.hlines(y, row["gain_low"], row["gain_high"], color=colour, linewidth=1.2)
        axes.axvline(0, color=BLACK, linewidth=0.8)
        axes.set_yticks(range(len(arms)), [found.arms.title(arm) for arm in arms])
        n = max(row["families"] for row in rows)
        axes.set_title(f"{METRICS[metric]}, n = {n} families")
        axes.set_xlabel("mean gain over no resampling")
    panels[0].invert_yaxis()
    return Figure(
        f"{found.study.experiment}_gains",
        f"Mean gain over no resampling over families of datasets, {found.half} half, with 95% "
        "bootstrap intervals over the families.",
        canvas,
    )


def _draw_traits(found: Found) -> Figure:
    """Draw the differences that say when what pays, by metric and trait, in the vote's form."""
    frame = found.by_trait_of_vote()
    metrics = names.in_order(frame["metric"], METRICS)
    traits = [*(name for name in TRAITS if name in set(frame["trait"])), CLASSIFIER]
    pairs = list(dict.fromkeys(zip(frame["arm"], frame["against"], strict=True)))
    canvas = new_canvas(PAGE, 2.2 * len(metrics) + 0.8)
    panels = canvas.subplots(len(metrics), len(traits), squeeze=False, sharey="row")
    for of_metric, metric in zip(panels, metrics, strict=True):
        for axes, trait in zip(of_metric, traits, strict=True):
            part = frame[(frame["metric"] == metric) & (frame["trait"] == trait)]
            bins = list(dict.fromkeys(part["bin"]))
            for row in part.to_dict("records"):
                i = pairs.index((row["arm"], row["against"]))
                x = bins.index(row["bin"]) + 0.6 * ((i + 0.5) / len(pairs) - 0.5)
                _draw_estimate(axes, x, row, i)
            axes.axhline(0, color=BLACK, linewidth=0.8)
            axes.set_xticks(range(len(bins)), bins, rotation=30, ha="right")
            axes.set_title("classifier" if trait == CLASSIFIER else TRAITS[trait].what)
        of_metric[0].set_ylabel(f"mean difference in {METRICS[metric]}")
    handles = [
        panels[0][0].plot(
            [], [], MARKERS[i % len(MARKERS)], color=COLOURS[i % len(COLOURS)],
            label=" less ".join(map(found.arms.title, pair)),
        )[0]
        for i, pair in enumerate(pairs)
    ]  # fmt: skip
    canvas.legend(handles=handles, loc="outside upper left", ncols=2)
    return Figure(
        f"{found.study.experiment}_when",
        f"When what pays, {found.half} half: mean differences over families of datasets by what a "
        "dataset is like, with 95% intervals where there are enough families.",
        canvas,
    )


def _draw_estimate(axes: Axes, x: float, row: Mapping[str, Any], i: int) -> None:
    colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
    axes.plot(x, row["gain"], marker, color=colour, markersize=4)
    axes.vlines(x, row["gain_low"], row["gain_high"], color=colour, linewidth=1)
