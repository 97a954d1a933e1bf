"""Draw README's figure of gains at equal budget, from the committed table of the confirmation.

    python scripts/readme_gains.py

Mean differences to SMOTE's seeds and ratios by the diverse vote over folds, of each source that
trains as many classifiers: over all configurations, by classifier and by imbalance ratio.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from readme_picture import FOLDER, Look, tint, write_looks

from autosmote.reports import names
from autosmote.reports.studies.class_aware.study import GAINS, SUBJECT, place_source

_STUDY = "class_aware_confirmation"
TABLE = FOLDER.parents[1] / "results" / _STUDY / "tables" / "quick" / f"{_STUDY}_gains.csv"
REWARD, RULE = "crossfit", "diverse vote 25"
"""What the experiment chose (conf/experiment/class_aware_confirmation.yaml)."""
_TEST = "extended"
_METRICS = {"macro_f1": ("o", "full"), "mcc": ("s", "synthetic")}
"""Marker and colour of each."""


def read_gains(table: Path) -> pd.DataFrame:
    """Return the rows of the figure: source, group, metric, mean difference and its interval."""
    found = pd.read_csv(table)
    by_rule = (found["reward"] == REWARD) & (found["rule"] == RULE)
    found = found[by_rule & (found["question"] == GAINS)]
    shown = ["source", "group", "metric", "configurations"]
    return found[[*shown, _TEST, f"{_TEST}_low", f"{_TEST}_high"]]


def draw(gains: pd.DataFrame, look: Look) -> Figure:
    """Draw a panel for each group, a row for each source."""
    groups = list(dict.fromkeys(gains["group"]))
    sources = sorted(gains["source"].unique(), key=place_source)
    canvas = Figure(figsize=(9.6, 0.9 + 0.3 * len(sources)), layout="constrained")
    canvas.set_facecolor(look["paper"])
    panels = canvas.subplots(1, len(groups), sharex=True, sharey=True, squeeze=False)[0]
    for axes, group in zip(panels, groups, strict=True):
        axes.axvline(0, color=look["ink"], linewidth=0.9, zorder=0)
        for n, (metric, (marker, colour)) in enumerate(_METRICS.items()):
            rows = gains[(gains["group"] == group) & (gains["metric"] == metric)]
            y = rows["source"].map(sources.index) + 0.3 * n - 0.15
            ends = rows[_TEST] - rows[f"{_TEST}_low"], rows[f"{_TEST}_high"] - rows[_TEST]
            axes.errorbar(
                rows[_TEST], y, xerr=ends, fmt=marker, color=look[colour], markersize=4,
                elinewidth=1.4, label=names.METRICS[metric],
            )  # fmt: skip
        n = gains.loc[gains["group"] == group, "configurations"].max()
        title = {names.OVERALL: "all"}.get(group, names.CLASSIFIERS.get(group, group))
        axes.set_title(f"{title}\nn = {n}", color=look["ink"], fontsize=8)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "−"))
        tint(axes, look)
    # Without that of 0, where the line is: the panels are narrow.
    ticks = MaxNLocator(2, steps=[1, 2, 5, 10]).tick_values(*panels[0].get_xlim())
    panels[0].set_xticks([tick for tick in ticks[1:-1] if tick])
    panels[0].set_yticks(range(len(sources)), [names.arm(source) for source in sources])
    panels[0].set_ylim(len(sources) - 0.5, -0.5)
    panels[0].get_yticklabels()[sources.index(SUBJECT)].set_fontweight("bold")
    canvas.supxlabel(
        "gain over SMOTE with as many classifiers, by the same vote, on rows that nothing has seen",
        color=look["ink"], fontsize=9,
    )  # fmt: skip
    handles, labels = panels[0].get_legend_handles_labels()
    canvas.legend(
        handles, labels, loc="outside upper right", ncols=2, labelcolor=look["ink"], fontsize=8
    )
    return canvas


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the figure in both looks; return the exit status."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write")
    options = parser.parse_args(arguments)
    gains = read_gains(TABLE)
    write_looks(options.folder, "gains", "Gains at equal budget", lambda look: draw(gains, look))
    return 0


if __name__ == "__main__":
    sys.exit(main())
