"""Draw the picture of README: what the policies do to the toy data, and what it gains.

    make picture                from the records that are committed beside it
    make picture ARGS=--runs    after doing its runs again, some minutes

The runs are those of ``python -m autosmote.run clf=...`` on the embedded toy data, by each of
`SAMPLERS` with seeds 0 to `N_SEEDS` - 1 and the defaults of all else. ``policies.csv`` has their
scores on the extended test, ``policies-rows.csv`` the training parts as resampled, of the seed with
which AutoSMOTE gains the median.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from scipy.stats import t as student

from autosmote.config.groups import load_group
from autosmote.config.schema import ClassifierSettings
from autosmote.config.targets import make_classifier
from autosmote.reports import names
from autosmote.reports.studies.case_study import find_synthetic_rows

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
CLF = "svm"
SAMPLERS = ("none", "smote", "svmsmote", "autosmote")
N_SEEDS = 20
_STEPS = 240
_CAPTION = (
    "Left and middle: training rows of the toy data (the seed with the median gain), synthetic "
    "rows, and the region that a linear SVM gives to the rare class. Right: gain in Macro-F1 over "
    f"no resampling on 20,000 fresh rows, mean and 95% interval over {N_SEEDS} seeds."
)

STYLE: dict[Any, Any] = {
    "svg.hashsalt": "autosmote",  # ids come from it and the content: the same bytes each time
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}

Look = Mapping[str, str]
LIGHT: Look = {
    "name": "light", "paper": "#FFFFFF", "ink": "#24292F", "majority": "#9AA4AF",
    "minority": "#111111", "synthetic": "#0072B2", "region": "#FBE3D6", "full": "#D55E00",
}  # fmt: skip
DARK: Look = {
    "name": "dark", "paper": "#0D1117", "ink": "#E6EDF3", "majority": "#6E7681",
    "minority": "#FFFFFF", "synthetic": "#56B4E9", "region": "#4A2A14", "full": "#FF8C42",
}  # fmt: skip


def do_runs(folder: Path, n_seeds: int, settings: Sequence[str] = ()) -> None:
    """Do the runs, and write their scores and the training parts of a typical seed to a folder."""
    found = {
        (seed, sampler): do_run(seed, sampler, settings)
        for seed in range(n_seeds)
        for sampler in SAMPLERS
    }
    scores = pd.DataFrame([score for score, _ in found.values()])
    seed = typical_seed(scores)
    rows = [found[seed, sampler][1].assign(sampler=sampler) for sampler in SAMPLERS]
    folder.mkdir(parents=True, exist_ok=True)
    scores.to_csv(folder / "policies.csv", index=False, float_format="%.6f")
    write_rows(folder, seed, rows)


def do_run(seed: int, sampler: str, settings: Sequence[str]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Do one run; return its scores and the training part as resampled."""
    from autosmote.run import main as run

    with tempfile.TemporaryDirectory() as results:
        status = run([
            f"clf={CLF}", f"sampler={sampler}", f"seed={seed}", "save_data=true",
            f"results_dir='{results}'", *settings,
        ])  # fmt: skip
        if status != 0:
            raise RuntimeError(f"{sampler} failed with seed {seed}")
        (path,) = Path(results).glob("runs/*/record.json")
        part = pd.read_csv(path.with_name("train_resampled.csv.gz"))
        return _score(json.loads(path.read_text(encoding="utf-8"))), part


def write_rows(folder: Path, seed: int, rows: Sequence[pd.DataFrame]) -> None:
    """Write the training parts of a seed."""
    table = pd.concat(rows).assign(seed=seed)
    table.to_csv(folder / "policies-rows.csv", index=False, float_format="%.5f")


def typical_seed(scores: pd.DataFrame) -> int:
    """Return the seed with which AutoSMOTE gains the median, of two the lower one."""
    gains = compute_gains(scores)[names.FULL].sort_values(kind="stable")
    return int(gains.index[(len(gains) - 1) // 2])


def _score(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "protocol": record["protocol_version"],
        "clf": record["clf"],
        "sampler": record["sampler"],
        "seed": record["seed"],
        "n_synthetic": record["n_synthetic"],
        "macro_f1_test": record["scores"]["test"]["macro_f1"],
        "macro_f1_extended": record["scores"]["extended"]["macro_f1"],
    }


def compute_gains(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the gains over no resampling: a row for each seed, a column for each sampler."""
    table = scores.pivot_table("macro_f1_extended", "seed", "sampler")
    return table.sub(table["none"], axis=0)[[name for name in SAMPLERS if name != "none"]]


def draw(scores: pd.DataFrame, rows: pd.DataFrame, look: Look) -> Figure:
    """Draw the three panels."""
    canvas = Figure(figsize=(9.6, 3.4), layout="constrained", facecolor=look["paper"])
    left, middle, right = canvas.subplots(1, 3, width_ratios=[1, 1, 1.15])
    parts = {name: rows.loc[rows["sampler"] == name, ["x", "y", "label"]] for name in SAMPLERS}
    limits = _limits(rows)
    for axes, name in ((left, "smote"), (middle, "autosmote")):
        _draw_rows(axes, parts["none"], parts[name], limits, look)
        n_added = len(parts[name]) - len(parts["none"])
        of_seed = (scores["seed"] == rows["seed"].iloc[0]) & (scores["sampler"] == name)
        score = scores.loc[of_seed, "macro_f1_extended"].item()
        axes.set_title(
            f"{names.arm(name)}: {n_added} synthetic rows\nMacro-F1 {score:.3f} on fresh rows",
            color=look["ink"],
        )
    _draw_gains(right, compute_gains(scores), look)
    handles, labels = left.get_legend_handles_labels()
    canvas.legend(
        handles, labels, loc="outside lower left", ncols=4, labelcolor=look["ink"], fontsize=8
    )
    return canvas


def _limits(rows: pd.DataFrame) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top of the rows, with a margin."""
    low, high = rows[["x", "y"]].min(), rows[["x", "y"]].max()
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    return low["x"], high["x"], low["y"], high["y"]


def _draw_rows(
    axes: Axes,
    original: pd.DataFrame,
    part: pd.DataFrame,
    limits: tuple[float, float, float, float],
    look: Look,
) -> None:
    classifier = make_classifier(load_group("clf", CLF, ClassifierSettings))
    classifier.fit(part[["x", "y"]].to_numpy(), part["label"].to_numpy())
    x, y = np.linspace(*limits[:2], _STEPS), np.linspace(*limits[2:], _STEPS)
    grid = np.column_stack([axis.ravel() for axis in np.meshgrid(x, y)])
    axes.contourf(
        x, y, classifier.predict(grid).reshape(_STEPS, _STEPS), levels=[0.5, 1.5],
        cmap=ListedColormap([look["region"]]), zorder=0,
    )  # fmt: skip
    majority, minority = original[original["label"] == 0], original[original["label"] == 1]
    added = find_synthetic_rows(original, part)
    axes.plot(
        majority["x"], majority["y"], ".", color=look["majority"], markersize=3.5, label="majority"
    )
    axes.plot(
        added["x"], added["y"], "x", color=look["synthetic"], markersize=4, alpha=0.8,
        markeredgewidth=0.9, label="synthetic",
    )  # fmt: skip
    axes.plot(
        minority["x"], minority["y"], "o", color=look["minority"], fillstyle="none",
        markersize=5.5, markeredgewidth=1.1, label="minority",
    )  # fmt: skip
    axes.set_xlim(*limits[:2])
    axes.set_ylim(*limits[2:])
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    tint(axes, look)


def _draw_gains(axes: Axes, gains: pd.DataFrame, look: Look) -> None:
    """Draw each seed's gain, and the means with their intervals."""
    order = list(gains.columns)[::-1]
    for place, name in enumerate(order):
        values = gains[name].to_numpy()
        colour = look["full"] if name == names.FULL else look["synthetic"]
        spread = np.linspace(-0.16, 0.16, len(values))
        axes.plot(values, place + spread, ".", color=look["majority"], markersize=4, zorder=1)
        mean = values.mean()
        half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
        axes.errorbar(
            mean, place, xerr=half, fmt="o", color=colour, markersize=7, capsize=4, elinewidth=2,
            zorder=2,
        )  # fmt: skip
        axes.annotate(
            f"{mean:+.3f}", (mean, place), xytext=(0, 11), textcoords="offset points",
            ha="center", color=colour, fontsize=9, fontweight="bold",
        )  # fmt: skip
    axes.axvline(0, color=look["ink"], linewidth=0.9, zorder=0)
    axes.set_yticks(range(len(order)), [names.arm(name) for name in order])
    axes.set_ylim(-0.6, len(order) - 0.35)
    axes.set_xlabel("gain in Macro-F1 over no resampling, fresh rows")
    axes.set_title(f"All {len(gains)} seeds\nmean and 95% interval", color=look["ink"])
    axes.grid(axis="y", visible=False)
    tint(axes, look)


def tint(axes: Axes, look: Look) -> None:
    """Give the axes the colours of a look."""
    axes.set_facecolor(look["paper"])
    axes.tick_params(colors=look["ink"])
    axes.xaxis.label.set_color(look["ink"])
    for spine in axes.spines.values():
        spine.set_color(look["majority"])


def write_looks(folder: Path, name: str, title: str, draw: Callable[[Look], Figure]) -> None:
    """Write a picture in both looks, the same bytes each time."""
    for look in (LIGHT, DARK):
        path = folder / f"{name}-{look['name']}.svg"
        about = {"Date": None, "Creator": None, "Title": title}
        with matplotlib.rc_context(STYLE):
            draw(look).savefig(path, metadata=about)
        print(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the picture in both looks; return the exit status."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--runs", action="store_true", help="do the runs again, some minutes")
    parser.add_argument("--seeds", type=int, default=N_SEEDS, help="default: %(default)s")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of records and pictures")
    options = parser.parse_args(arguments)
    if options.runs:
        do_runs(options.folder, options.seeds)
    scores = pd.read_csv(options.folder / "policies.csv")
    rows = pd.read_csv(options.folder / "policies-rows.csv")
    write_looks(options.folder, "policies", _CAPTION, lambda look: draw(scores, rows, look))
    gains = compute_gains(scores)
    print(gains.mean().map("{:+.3f}".format).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
