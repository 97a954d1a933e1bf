"""Figures of searches: their course (Figure 5) and their hyperparameters (Figure 6)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from autosmote.records.figure_style import BLUE, COLOURS, DASHES, MARKERS, PAGE, PALE, new_canvas
from autosmote.reports import names
from autosmote.reports.claims import OF_PARAMETERS
from autosmote.reports.names import FULL, MERGED, METRICS
from autosmote.reports.render.drawing import INTERVALS, Figure, draw_intervals, set_rank_axis
from autosmote.reports.render.labels import name_line_ends
from autosmote.reports.studies.hyperparameters import PARAMETERS
from autosmote.reports.study import Study
from autosmote.reports.verdicts import count_noun, join_words

_HEIGHT = 2.5
"""Of a panel of Figure 5, in inches."""


def draw_course(name: str, study: Study, histories: pd.DataFrame) -> Figure | None:
    """Draw Figure 5: the best validation score so far against the iteration, for each arm.

    The ablation that trains on the validation part is left out, as in the paper: its score there
    means nothing.
    """
    runs = study.runs[study.runs["arm"] != MERGED]
    curves = histories[["key", "iteration", "best"]].merge(
        runs[["key", "arm", "metric", "dataset", "ir", "clf", "seed"]], on="key"
    )
    if curves.empty:
        return None
    metrics = names.in_order(curves["metric"], METRICS)
    canvas = new_canvas(PAGE, 0.3 + _HEIGHT * len(metrics))
    panels = canvas.subplots(len(metrics), 1, squeeze=False, sharex=True)[:, 0]
    arms = [FULL, *(arm for arm in names.arms_in_order(curves["arm"]) if arm != FULL)]
    inks = {arm: COLOURS[i % len(COLOURS)] for i, arm in enumerate(arms)}
    ends: dict[str, dict[str, tuple[float, float]]] = {metric: {} for metric in metrics}
    texts: dict[str, str] = {}
    for axes, metric in zip(panels, metrics, strict=True):
        of_metric = curves[curves["metric"] == metric]
        for i, arm in enumerate(arms):
            found = of_metric[of_metric["arm"] == arm]
            if found.empty:
                continue
            # One column per search; those that ended early keep their best.
            wide = found.pivot_table(index="iteration", columns="key", values="best").ffill()
            texts[arm] = f"{names.arm(arm)} (n = {wide.shape[1]})"
            lines = _keep_steps(
                pd.DataFrame(
                    {"mean": wide.mean(axis=1), "low": wide.min(axis=1), "high": wide.max(axis=1)}
                )
            )
            axes.plot(
                lines.index, lines["mean"], drawstyle="steps-post", color=inks[arm],
                linestyle=DASHES[i % len(DASHES)], linewidth=1.8 if arm == FULL else 1.2,
                zorder=3 if arm == FULL else 2,
            )  # fmt: skip
            axes.fill_between(
                lines.index, lines["low"], lines["high"], step="post", color=inks[arm],
                alpha=0.12, linewidth=0,
            )  # fmt: skip
            ends[metric][arm] = float(lines.index[-1]), float(lines["mean"].iloc[-1])
        axes.set_ylabel(f"best validation\n{METRICS[metric]} so far")
    panels[0].set_xlim(0, curves["iteration"].max())
    for axes, metric in zip(panels, metrics, strict=True):
        axes.autoscale_view()
        name_line_ends(axes, _HEIGHT - 0.5, ends[metric], texts, inks)
    panels[-1].set_xlabel("iteration (classifiers trained)")
    where = sorted(
        {
            f"{names.dataset(dataset)}, IR {names.ratio(ir)}, {names.CLASSIFIERS.get(clf, clf)}"
            for dataset, ir, clf in zip(curves["dataset"], curves["ir"], curves["clf"], strict=True)
        }
    )
    return Figure(
        name,
        f"Best validation score so far against the iterations of the search; {'; '.join(where)}. "
        "Lines: mean over n searches; bands: their least and greatest.",
        canvas,
    )


def _keep_steps(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in which a line changes, the first and the last: the others draw nothing."""
    changes = (lines != lines.shift()).any(axis=1).to_numpy(copy=True)
    changes[-1] = True
    return lines[changes]


def write_course(study: Study, histories: pd.DataFrame) -> list[str]:
    """Say which search ends with the best validation score, and which is ahead half-way.

    The paper has AutoSMOTE first in both, and random search and the flat policy stuck.
    """
    runs = study.runs[study.runs["arm"] != MERGED]
    curves = histories[["key", "iteration", "best"]].merge(
        runs[["key", "arm", "metric", "dataset", "ir", "clf"]], on="key"
    )
    sentences = []
    for metric in names.in_order(curves["metric"], METRICS):
        found = curves[curves["metric"] == metric]
        if FULL not in set(found["arm"]):
            continue
        last = found["iteration"].max()
        places = []
        for when in (last, last // 2):
            reached = found[found["iteration"] <= when].groupby(["arm", "key"])["best"].max()
            means = reached.groupby("arm").mean().sort_values(ascending=False, kind="stable")
            place = 1 + int((means > means[FULL]).sum())
            listed = join_words([f"{names.arm(arm)} {score:.3f}" for arm, score in means.items()])
            verdict = "as in the paper" if place == 1 else "which contradicts the paper"
            places.append(
                f"after {when} iterations AutoSMOTE is number {place} of {len(means)} ({listed}), "
                f"{verdict}"
            )
        n = found.groupby("arm")["key"].nunique().max()
        where = count_noun(len(found[["dataset", "ir", "clf"]].drop_duplicates()), "configuration")
        sentences.append(
            f"{METRICS[metric]}, best validation score so far, mean of each arm's searches (n = "
            f"{n}, {where}), all with as many classifiers: {'; '.join(places)}. There is no "
            "interval, so no order is sure."
        )
    return sentences


def draw_hyperparameters(name: str, ranks: pd.DataFrame) -> Figure | None:
    """Draw Figure 6 from `compute_hyperparameter_ranks`: rank and score against each of them."""
    if ranks.empty:
        return None
    parameters = names.in_order(ranks["parameter"], PARAMETERS)
    metrics = names.in_order(ranks["metric"], METRICS)
    canvas = new_canvas(PAGE, 3.8)
    panels = canvas.subplots(2, len(parameters), squeeze=False, sharey="row", sharex="col")
    for column, parameter in enumerate(parameters):
        of_parameter = ranks[ranks["parameter"] == parameter]
        values = sorted(of_parameter["value"].unique())
        default = OF_PARAMETERS.get(parameter, (None,))[0]
        for m, metric in enumerate(metrics):
            found = of_parameter[of_parameter["metric"] == metric]
            shift = 0.14 * (m - (len(metrics) - 1) / 2)
            at = np.array([values.index(value) for value in found["value"]]) + shift
            colour, marker = (COLOURS[0], BLUE)[m % 2], MARKERS[m % len(MARKERS)]
            for row, what in enumerate(("rank", "score")):
                axes = panels[row, column]
                axes.plot(at, found[what], marker=marker, color=colour, linewidth=0.8)
                ends = found[f"{what}_low"], found[f"{what}_high"]
                draw_intervals(axes, at, *ends, colour, upright=True)
        for axes in panels[:, column]:
            axes.grid(axis="x", visible=False)
            if default in values:
                place = values.index(default)
                axes.axvspan(place - 0.35, place + 0.35, color=PALE, alpha=0.5, lw=0, zorder=0)
        panels[1, column].set_xticks(range(len(values)), [f"{x:g}" for x in values])
        panels[1, column].set_xlim(-0.5, len(values) - 0.5)
        is_known = parameter in PARAMETERS  # as a formula
        panels[1, column].set_xlabel(PARAMETERS.get(parameter, parameter), parse_math=is_known)
        panels[0, column].set_title(
            f"n = {count_noun(int(of_parameter['n'].max()), 'configuration')}"
        )
    set_rank_axis(panels[0, 0], ranks.groupby("parameter")["value"].nunique().max())
    panels[1, 0].set_ylabel(f"mean test {'/'.join(METRICS[metric] for metric in metrics)}")
    handles: list[Artist] = [
        Line2D([], [], color=(COLOURS[0], BLUE)[m % 2], marker=MARKERS[m], label=METRICS[metric])
        for m, metric in enumerate(metrics)
    ]
    handles.append(Patch(color=PALE, alpha=0.5, label="the default"))
    canvas.legend(handles=handles, loc="outside lower right", ncols=3)
    return Figure(
        name,
        "Average rank among the values of one hyperparameter (above) and mean test score (below), "
        f"the other hyperparameters at their defaults; {INTERVALS}.",
        canvas,
    )
