"""Figure 7: what samplers add to the toy data, and what a decision tree makes of it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from autosmote.records.figure_style import (
    BLACK,
    BLUE,
    GREY,
    INK,
    PAGE,
    PALE,
    SMALL,
    VERMILION,
    new_canvas,
)
from autosmote.reports import names
from autosmote.reports.names import FULL
from autosmote.reports.render.drawing import Figure, look
from autosmote.reports.statistics.families import estimate_over_families
from autosmote.reports.study import Study
from autosmote.reports.verdicts import count_noun, join_words

_ORDER = (FULL, "smote", "borderlinesmote", "adasyn", "svmsmote", "ctgan", "none")
_REGION = "#FBE3D6"
_REGIONS = ListedColormap(["#FFFFFF", _REGION])
_WINNER = "#F3B48C"
_STEPS = 300
_COLUMNS = 4


def read_training_part(study: Study, key: str) -> pd.DataFrame | None:
    """Read a run's training part as resampled, where the sweep kept it (save_data=true)."""
    path = study.folder / "data" / f"{key}.csv.gz"
    return pd.read_csv(path, float_precision="round_trip") if path.exists() else None


def draw_case_study(name: str, study: Study) -> Figure | None:
    """Draw Figure 7, for the first seed and Macro-F1 if there are several.

    The last panel compares the test scores, as means over all seeds.

    Returns
    -------
    Figure or None
        None unless the resampled rows were kept (save_data=true) and have two features.
    """
    runs = study.runs.dropna(subset=["status"])
    if runs.empty:
        return None
    metric = names.in_order(runs["metric"], names.METRICS)[0]
    of_metric = runs[runs["metric"] == metric]
    seed = of_metric["seed"].min()
    parts = {}
    for _, run in of_metric[of_metric["seed"] == seed].drop_duplicates("arm").iterrows():
        part = read_training_part(study, run["key"])
        if part is not None and part.shape[1] == 3:
            parts[run["arm"]] = (part, run)
    if "none" not in parts:
        return None
    original = parts["none"][0]
    arms = names.in_order(parts, _ORDER)
    n_columns = min(_COLUMNS, len(arms) + 1)
    n_rows = math.ceil((len(arms) + 1) / n_columns)
    canvas = new_canvas(PAGE, 1.9 * n_rows + 0.3)
    grid = canvas.add_gridspec(n_rows, n_columns)
    limits = _limits([part for part, _ in parts.values()])
    first = None
    for i, arm in enumerate(arms):
        place = grid[i // n_columns, i % n_columns]
        axes = canvas.add_subplot(place, sharex=first, sharey=first)
        first = first or axes
        part, run = parts[arm]
        _draw(axes, original, part, json.loads(run["config"])["clf"]["params"], limits)
        imputed = ", imputed" if run["imputed"] else ""
        below = f"{len(part) - len(original)} synthetic; score {run[_column(metric)]:.3f}"
        _set_titles(axes, f"{names.arm(arm)}{imputed}", below, look(arm).ink)
        x, y = original.columns[:2]
        is_lowest = i + n_columns >= len(arms)
        axes.set_xlabel(f"{x} (scaled)" if is_lowest else "")
        axes.set_ylabel(f"{y} (scaled)" if i % n_columns == 0 else "")
        axes.tick_params(labelbottom=is_lowest, labelleft=i % n_columns == 0)
    # The rest of the last row, or of a row of its own, is one panel: none is empty.
    last = canvas.add_subplot(grid[-1, len(arms) % n_columns :])
    _draw_scores(last, of_metric[of_metric["arm"].isin(arms)], arms, metric)
    assert first is not None
    handles, labels = first.get_legend_handles_labels()
    handles.append(Patch(facecolor=_REGION, edgecolor=VERMILION, linewidth=0.6))
    canvas.legend(
        handles, [*labels, "the tree's minority region"], loc="outside lower center", ncols=4
    )
    n_minority = int(original[original.columns[-1]].sum())
    n_seeds = count_noun(of_metric["seed"].nunique(), "seed")
    return Figure(
        name,
        f"Training part of the toy data, n = {len(original) - n_minority} majority and "
        f"{n_minority} minority rows (seed {seed}), the synthetic rows of each sampler, and the "
        "region that a decision tree gives to the minority; score: "
        f"{names.METRICS[metric]} on the test part. Last panel: the same, mean over {n_seeds} "
        "(dots: each). One small data set.",
        canvas,
    )


def _column(metric: str) -> str:
    return f"scores.test.{metric}"


def _set_titles(axes: Axes, title: str, below: str, ink: str = BLACK) -> None:
    """Write a title, and below it a line in plain."""
    axes.set_title(title, pad=4 + 1.3 * SMALL, color=ink)
    axes.annotate(
        below, (0, 1), xytext=(0, 3), xycoords="axes fraction", textcoords="offset points",
        fontsize=SMALL, color=INK,
    )  # fmt: skip


def _draw_scores(axes: Axes, runs: pd.DataFrame, arms: Sequence[str], metric: str) -> None:
    """Draw each sampler's mean test score over the seeds as a bar, the best on top."""
    by_arm = {arm: runs.loc[runs["arm"] == arm, _column(metric)].dropna() for arm in arms}
    means = {arm: float(of.mean()) for arm, of in by_arm.items() if len(of)}
    order = sorted(means, key=lambda arm: (-means[arm], arms.index(arm)))
    best = [arm for arm in order if means[arm] == means[order[0]]]
    for y, arm in enumerate(order):
        wins = arm in best
        axes.barh(y + 0.27, means[arm], height=0.3, color=_WINNER if wins else PALE, zorder=1)
        dots = by_arm[arm]
        axes.plot(dots, [y + 0.27] * len(dots), ".", color=INK, markersize=3, zorder=3)
        for x, text, side in ((0, names.arm(arm), "left"), (1, f"{means[arm]:.3f}", "right")):
            axes.text(
                x, y - 0.18, text, ha=side, va="center", fontsize=SMALL, color=look(arm).ink,
                fontweight="bold" if wins else "normal",
            )  # fmt: skip
    n = count_noun(runs["seed"].nunique(), "seed")
    winners = join_words([names.arm(arm) for arm in best])
    _set_titles(axes, f"Best: {winners}", f"mean over {n}; dots: each")
    axes.set_xlim(0, 1)
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_yticks([])
    axes.set_xlabel(f"test {names.METRICS[metric]}")
    axes.grid(visible=False)


def write_case_study(study: Study) -> list[str]:
    """Say how many synthetic rows lie among the majority, and how AutoSMOTE scores.

    In the paper all samplers but AutoSMOTE make rows between the minority's clusters, and it has a
    Macro-F1 of 1.0 (Section 4.6).
    """
    runs = study.runs[study.runs["metric"] == "macro_f1"].dropna(subset=["status"])
    shares: dict[str, list[float]] = {}
    for _, of_seed in runs.drop_duplicates(["arm", "seed"]).groupby("seed"):
        read = {run["arm"]: read_training_part(study, run["key"]) for _, run in of_seed.iterrows()}
        parts = {arm: part for arm, part in read.items() if part is not None}
        if "none" in parts:
            for arm, part in parts.items():
                added = find_synthetic_rows(parts["none"], part)
                if len(added):
                    shares.setdefault(arm, []).append(_share_among_majority(parts["none"], added))
    if FULL not in set(runs["arm"]) or not shares:
        return []
    means = {arm: float(np.mean(shares[arm])) for arm in names.in_order(shares, _ORDER)}
    listed = join_words([f"{names.arm(arm)} {100 * share:.0f}%" for arm, share in means.items()])
    if FULL not in means:
        verdict = "AutoSMOTE adds no rows"
    elif len(means) == 1:
        verdict = "No other sampler adds rows to compare with"
    elif all(means[FULL] < share for arm, share in means.items() if arm != FULL):
        verdict = "AutoSMOTE has the smallest share, as in the paper"
    else:
        verdict = "AutoSMOTE does not have the smallest share, which contradicts the paper"
    by_seed = runs.pivot_table("scores.test.macro_f1", "seed", "arm", dropna=False)
    scores = by_seed.mean()
    n = count_noun(runs["seed"].nunique(), "seed")
    return [
        f"Synthetic rows that are nearer to a majority row than to any minority row of the "
        f"training part, over {n}: {listed}. {verdict}.",
        f"AutoSMOTE's test Macro-F1 is {scores[FULL]:.3f}, mean over {n}; in the paper it is 1.0, "
        f"above all others. Here {_best_others(scores)}{_interval(by_seed)}. "
        "One small data set, and no control with as many classifiers.",
    ]


def _best_others(scores: pd.Series) -> str:
    others = scores.drop(FULL).dropna()
    if others.empty:
        return "no other has a score"
    best = join_words([names.arm(arm) for arm in others.index[others == others.max()]])
    if scores[FULL] > others.max():
        return f"it is above all others as well, of which {best} has {others.max():.3f}"
    if scores[FULL] == others.max():
        return f"{best} has as much, which contradicts the paper"
    return f"{best} has {others.max():.3f}, which contradicts the paper"


def _interval(by_seed: pd.DataFrame) -> str:
    """Give AutoSMOTE less the best other, with a bootstrap over the splits if they are enough."""
    others = by_seed.drop(columns=FULL).mean().dropna()
    if others.empty:
        return ""
    best = others.idxmax()
    # Each split counts alike, as a family does elsewhere.
    differences = (by_seed[FULL] - by_seed[best]).to_numpy()[:, None]
    found = estimate_over_families(differences, [str(seed) for seed in by_seed.index])
    if np.isnan(found.low[0]):
        return ""
    bounds = f"{found.mean[0]:+.3f} [{found.low[0]:+.3f}, {found.high[0]:+.3f}]"
    return (
        f" (AutoSMOTE less {names.arm(best)} {bounds}, bootstrap over the splits, which overlap; "
        "the best was chosen by the same scores)"
    )


def _share_among_majority(original: pd.DataFrame, added: pd.DataFrame) -> float:
    """Return the share of rows that are nearer to a majority row than to any minority row."""
    *features, label = original.columns
    nearest = [
        cdist(added[features], original.loc[original[label] == y, features]).min(axis=1)
        for y in (0, 1)
    ]
    return float(np.mean(nearest[0] < nearest[1]))


def find_synthetic_rows(original: pd.DataFrame, part: pd.DataFrame) -> pd.DataFrame:
    """Return the minority rows of `part` beyond those of `original`, each as often as added."""
    columns = list(part.columns)
    minority = part[part[columns[-1]] == 1]
    before = original.groupby(columns).size().rename("before")
    nth = minority.groupby(columns).cumcount()
    counts = minority.join(before, on=columns)["before"].fillna(0)
    return minority[nth >= counts]


def _limits(parts: list[pd.DataFrame]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and highest value of both features, with a margin."""
    points = np.concatenate([part.to_numpy(dtype=float)[:, :2] for part in parts])
    low, high = points.min(axis=0), points.max(axis=0)
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def _draw(
    axes: Axes,
    original: pd.DataFrame,
    part: pd.DataFrame,
    tree_params: dict[str, object],
    limits: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    from sklearn.tree import DecisionTreeClassifier

    x, y, label = original.columns
    tree = DecisionTreeClassifier(**tree_params)
    tree.fit(part[[x, y]].to_numpy(dtype=float), part[label].to_numpy(dtype=int))
    (left, bottom), (right, top) = limits
    grid = np.meshgrid(np.linspace(left, right, _STEPS), np.linspace(bottom, top, _STEPS))
    region = tree.predict(np.column_stack([axis.ravel() for axis in grid])).reshape(_STEPS, _STEPS)
    axes.imshow(
        region, extent=(left, right, bottom, top), origin="lower", aspect="auto", cmap=_REGIONS,
        vmin=0, vmax=1, interpolation="nearest", zorder=0,
    )  # fmt: skip
    axes.contour(*grid, region, levels=[0.5], colors=VERMILION, linewidths=0.6, zorder=1)
    axes.grid(False)
    majority, minority = original[original[label] == 0], original[original[label] == 1]
    added = find_synthetic_rows(original, part)
    axes.plot(
        majority[x], majority[y], ".", color=GREY, markersize=3.5, markeredgewidth=0,
        label="majority", zorder=2,
    )  # fmt: skip
    axes.plot(
        added[x], added[y], "x", color=BLUE, markersize=2.5, markeredgewidth=0.6,
        label="synthetic", zorder=3,
    )  # fmt: skip
    axes.plot(
        minority[x], minority[y], "o", color=BLACK, fillstyle="none", markersize=3.5,
        markeredgewidth=0.8, label="minority", zorder=4,
    )  # fmt: skip
    # Thousands of marks would be thousands of elements of the SVG.
    axes.set_rasterization_zorder(3.5)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
