"""Draw a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autosmote.records.curve import load_matplotlib

if TYPE_CHECKING:
    import pandas as pd

# Of Okabe and Ito's palette, which colour-blind readers can tell apart, and a grey.
_SIMPLE, _SYNTHETIC, _ZERO = "#0072B2", "#D55E00", "#999999"


def draw(found: pd.DataFrame, path: Path, *, title: str) -> None:
    """Draw each method's difference to the table as it is, with its interval, as PNG.

    Parameters
    ----------
    found : DataFrame
        As `autosmote.compare` returns it.
    path : Path
    title : str
    """
    from autosmote.own_table.methods import SYNTHETIC

    Figure = load_matplotlib()
    shown = found[found["note"] == ""].iloc[::-1]
    figure = Figure(figsize=(8, 1.5 + 0.4 * len(shown)), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.axvline(0.0, color=_ZERO, linewidth=1)
    for place, (name, row) in enumerate(shown.iterrows()):
        color = _SYNTHETIC if name in SYNTHETIC else _SIMPLE
        axes.plot([row["low"], row["high"]], [place, place], color=color, linewidth=2)
        axes.plot(row["difference"], place, "o", color=color)
    labels = [
        f"{name} ({score:.3f}, {seconds:.1f} s)"
        for name, score, seconds in zip(shown.index, shown["score"], shown["seconds"], strict=True)
    ]
    axes.set_yticks(range(len(shown)), labels)
    axes.set_xlabel(f"{found.attrs['metric']} more than the table as it is, with 95% interval")
    axes.set_title(title, fontsize="medium")
    figure.savefig(path, format="png")
