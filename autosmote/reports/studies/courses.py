"""Figures of searches: their course (Figure 5) and their hyperparameters (Figure 6)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.names import FULL, MERGED, METRICS
from autosmote.reports.render.drawing import (
    COLOURS,
    DASHES,
    FULL_COLOUR,
    FULL_FIRST,
    MARKERS,
    Figure,
    new_canvas,
    set_rank_axis,
)
from autosmote.reports.studies.hyperparameters import PARAMETERS
from autosmote.reports.study import Study
from autosmote.reports.verdicts import count_noun, join_words


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
    canvas = new_canvas(5.2 * len(metrics), 4)
    panels = canvas.subplots(1, len(metrics), squeeze=False)[0]
    arms = [FULL, *(arm for arm in names.arms_in_order(curves["arm"]) if arm != FULL)]
    for axes, metric in zip(panels, metrics, strict=True):
        of_metric = curves[curves["metric"] == metric]
        for i, arm in enumerate(arms):
            found = of_metric[of_metric["arm"] == arm]
            if found.empty:
                continue
            # One column per search; those that ended early keep their best.
            wide = found.pivot_table(index="iteration", columns="key", values="best").ffill()
            colour = FULL_FIRST[i % len(FULL_FIRST)]
            label = f"{names.arm(arm)} (n = {wide.shape[1]})"
            dash = DASHES[i % len(DASHES)]
            width = 2.2 if arm == FULL else 1.5
            axes.plot(
                wide.index,
                wide.mean(axis=1),
                linestyle=dash,
                linewidth=width,
                color=colour,
                label=label,
            )
            low, high = wide.min(axis=1), wide.max(axis=1)
            axes.fill_between(wide.index, low, high, color=colour, alpha=0.1, linewidth=0)
        axes.set_xlabel("iteration")
        axes.set_ylabel(f"best validation {METRICS[metric]} so far")
        axes.set_title(METRICS[metric])
        axes.legend(loc="lower right", fontsize=8)
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
    canvas = new_canvas(1.2 + 3.2 * len(parameters), 6)
    panels = canvas.subplots(2, len(parameters), squeeze=False, sharey="row", sharex="col")
    for column, parameter in enumerate(parameters):
        of_parameter = ranks[ranks["parameter"] == parameter]
        values = sorted(of_parameter["value"].unique())
        for m, metric in enumerate(metrics):
            found = of_parameter[of_parameter["metric"] == metric]
            shift = 0.08 * (m - (len(metrics) - 1) / 2)
            at = np.array([values.index(value) for value in found["value"]]) + shift
            colour, marker = (FULL_COLOUR, COLOURS[1])[m % 2], MARKERS[m]
            label = METRICS[metric] if column == 0 else None
            for row, what in enumerate(("rank", "score")):
                axes = panels[row, column]
                text = label if row == 0 else None
                axes.plot(at, found[what], marker=marker, color=colour, label=text, linewidth=1.2)
                axes.vlines(
                    at, found[f"{what}_low"], found[f"{what}_high"], color=colour, linewidth=1
                )
        panels[1, column].set_xticks(range(len(values)), [f"{x:g}" for x in values])
        panels[1, column].set_xlabel(PARAMETERS.get(parameter, parameter))
        panels[0, column].set_title(f"n = {of_parameter['n'].max()} configurations")
    set_rank_axis(panels[0, 0], ranks.groupby("parameter")["value"].nunique().max())
    panels[1, 0].set_ylabel("mean test score")
    canvas.legend(loc="outside upper left", ncols=2)
    return Figure(
        name,
        "Average rank among the values of one hyperparameter (above) and mean test score (below), "
        "the other hyperparameters at their defaults; 95% bootstrap intervals.",
        canvas,
    )
