"""Draw a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autosmote.records.figure_style import (
    BLACK,
    BLUE,
    INK,
    SMALL,
    VERMILION,
    new_canvas,
    save_canvas,
    style,
    write_heading,
)

if TYPE_CHECKING:
    import pandas as pd

_WIDTH, _ROW = 6.0, 0.22
"""In inches."""
_COLUMNS = (36, 72)
"""Right ends of the columns beside the panel, in points from it."""


def draw(found: pd.DataFrame, path: Path, *, title: str) -> None:
    """Draw each method's difference to the table as it is, with its interval.

    Beside it are its score and its seconds.

    Parameters
    ----------
    found : DataFrame
        As `autosmote.compare` returns it.
    path : Path
        Of a PNG or an SVG.
    title : str
    """
    from matplotlib.lines import Line2D

    from autosmote.own_table.methods import AS_IT_IS, SYNTHETIC

    shown = found[found["note"] == ""]
    metric = found.attrs["metric"]
    looks = {
        "as it is": (BLACK, "s"),
        "without synthetic rows": (BLUE, "o"),
        "with synthetic rows": (VERMILION, "D"),
    }
    with style():
        canvas = new_canvas(_WIDTH, 1.25 + _ROW * len(shown))
        axes = canvas.add_subplot()
        axes.axvline(0.0, color=BLACK, linewidth=0.8)
        used = set()
        for y, (name, row) in enumerate(shown.iterrows()):
            kind = "with synthetic rows" if name in SYNTHETIC else "without synthetic rows"
            kind = "as it is" if name == AS_IT_IS else kind
            colour, marker = looks[kind]
            used.add(kind)
            axes.plot([row["low"], row["high"]], [y, y], color=colour, solid_capstyle="butt")
            axes.plot(row["difference"], y, marker, color=colour)
            texts = f"{row['score']:.3f}", f"{row['seconds']:.2f}"
            for x, text in zip(_COLUMNS, texts, strict=True):
                axes.annotate(
                    text, (1, y), xytext=(x, 0), xycoords=axes.get_yaxis_transform(),
                    textcoords="offset points", ha="right", va="center", fontsize=SMALL, color=INK,
                )  # fmt: skip
        for x, text in zip(_COLUMNS, ("score", "CPU s"), strict=True):
            axes.annotate(
                text, (1, 1), xytext=(x, 3), xycoords="axes fraction", ha="right",
                textcoords="offset points", fontsize=SMALL, fontweight="bold",
            )  # fmt: skip
        axes.set_yticks(range(len(shown)), shown.index)
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        n = len(found.attrs["splits"][AS_IT_IS])
        axes.set_xlabel(
            f"difference in {metric} to the table as it is\n(mean of n = {n} splits, 95% interval)"
        )
        write_heading(canvas, title)
        handles = [
            Line2D([], [], color=colour, marker=marker, label=kind)
            for kind, (colour, marker) in looks.items()
            if kind in used and kind != "as it is"
        ]
        if handles:
            canvas.legend(handles=handles, loc="outside lower right", ncols=2)
        save_canvas(canvas, path)
