"""Figure 7: what samplers add to the toy data, and what a decision tree makes of it."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from autosmote.reports import names
from autosmote.reports.names import FULL
from autosmote.reports.render.drawing import COLOURS, FULL_COLOUR, OTHERS_COLOUR, Figure, new_canvas
from autosmote.reports.study import Study
from autosmote.reports.verdicts import count_noun, join_words

_ORDER = (FULL, "smote", "borderlinesmote", "adasyn", "svmsmote", "ctgan", "none")
_REGIONS = ListedColormap(["#FFFFFF", "#FBE3D6"])
_STEPS = 300


def read_training_part(study: Study, key: str) -> pd.DataFrame | None:
    """Read a run's training part as resampled, where the sweep kept it (save_data=true)."""
    path = study.folder / "data" / f"{key}.csv.gz"
    return pd.read_csv(path, float_precision="round_trip") if path.exists() else None


def draw_case_study(name: str, study: Study) -> Figure | None:
    """Draw Figure 7, for the first seed and Macro-F1 if there are several.

    Returns
    -------
    Figure or None
        None unless the resampled rows were kept (save_data=true) and have two features.
    """
    runs = study.runs.dropna(subset=["status"])
    if runs.empty:
        return None
    metric = names.in_order(runs["metric"], names.METRICS)[0]
    runs = runs[(runs["metric"] == metric) & (runs["seed"] == runs["seed"].min())]
    parts = {}
    for _, run in runs.drop_duplicates("arm").iterrows():
        part = read_training_part(study, run["key"])
        if part is not None and part.shape[1] == 3:
            parts[run["arm"]] = (part, run)
    if "none" not in parts:
        return None
    original = parts["none"][0]
    arms = names.in_order(parts, _ORDER)
    n_columns = min(4, len(arms))
    n_rows = math.ceil(len(arms) / n_columns)
    canvas = new_canvas(3.1 * n_columns, 3.2 * n_rows + 0.4)
    panels = canvas.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True).ravel()
    limits = _limits([part for part, _ in parts.values()])
    for axes, arm in zip(panels, arms, strict=False):
        part, run = parts[arm]
        _draw(axes, original, part, json.loads(run["config"])["clf"]["params"], limits)
        imputed = ", imputed" if run["imputed"] else ""
        axes.set_title(
            f"{names.arm(arm)}{imputed}\n{len(part) - len(original)} synthetic, "
            f"test {names.METRICS[metric]} {run[f'scores.test.{metric}']:.3f}"
        )
    for axes in panels[len(arms) :]:
        axes.axis("off")
    columns = list(original.columns)
    for axes in panels[: len(arms)]:
        axes.set_xlabel(f"{columns[0]} (scaled)")
        axes.set_ylabel(f"{columns[1]} (scaled)")
        axes.label_outer()
    handles, labels = panels[0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside upper left", ncols=4)
    n_minority = int(original[columns[-1]].sum())
    return Figure(
        name,
        f"Training part of the toy data, n = {len(original) - n_minority} majority and "
        f"{n_minority} minority rows (seed {runs['seed'].min()}), the synthetic rows of each "
        "sampler, and the region (shaded) that a decision tree gives to the minority.",
        canvas,
    )


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
    scores = runs.groupby("arm")["scores.test.macro_f1"].mean()
    n = count_noun(runs["seed"].nunique(), "seed")
    return [
        f"Synthetic rows that are nearer to a majority row than to any minority row of the "
        f"training part, over {n}: {listed}. {verdict}.",
        f"AutoSMOTE's test Macro-F1 is {scores[FULL]:.3f}, mean over {n}; in the paper it is 1.0, "
        f"above all others. Here {_best_others(scores)}. One small data set: no interval, and no "
        "control with as many classifiers.",
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
    axes.contour(*grid, region, levels=[0.5], colors=FULL_COLOUR, linewidths=0.7, zorder=1)
    axes.grid(False)
    majority, minority = original[original[label] == 0], original[original[label] == 1]
    added = find_synthetic_rows(original, part)
    axes.plot(majority[x], majority[y], ".", color=OTHERS_COLOUR, markersize=3, label="majority")
    axes.plot(added[x], added[y], "x", color=COLOURS[1], markersize=4, label="synthetic")
    axes.plot(
        minority[x],
        minority[y],
        "o",
        color="black",
        fillstyle="none",
        markersize=5,
        label="minority",
    )
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
