"""How all figures look, and how they become files that are the same to the byte each time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from autosmote.records import write_file

# Okabe and Ito's colours, which colour-blind readers can tell apart, from dark to light; shapes
# and dashes differ as well, since in grey some are alike.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (6, 1.5)), (0, (1, 1)), (0, (3, 1, 1, 1, 1, 1)))
FULL_COLOUR = "#D55E00"
"""AutoSMOTE's, where it stands out among many."""
OTHERS_COLOUR = "#8C8C8C"

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "autosmote",  # ids in the file come from it and the content, not from chance
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Figure:
    """A figure for readers.

    Attributes
    ----------
    name : str
        Of its files.
    caption : str
    canvas : matplotlib.figure.Figure
    """

    name: str
    caption: str
    canvas: Canvas


def style() -> Any:
    """The context that figures are drawn and saved in."""
    return matplotlib.rc_context(_STYLE)


def new_canvas(width: float, height: float) -> Canvas:
    """A canvas, inches wide and high; not pyplot's, which would keep it and may open a window."""
    return Canvas(figsize=(width, height), dpi=150, layout="constrained")


def save(figure: Figure, folder: Path) -> list[Path]:
    """Write <name>.svg and <name>.png, without dates and versions in them."""
    metadata: dict[str, dict[str, str | None]] = {
        "svg": {"Date": None, "Creator": None, "Title": figure.caption},
        "png": {"Software": None, "Title": figure.caption},
    }
    written = []
    with style():
        for form, about in metadata.items():
            path = folder / f"{figure.name}.{form}"
            write_file(path, partial(figure.canvas.savefig, format=form, metadata=about))
            written.append(path)
            figure.canvas.set_layout_engine("none")  # the second form has the layout of the first
    return written


def rank_axis(axes: Axes, n_arms: int) -> None:
    """Average ranks upwards, the best on top."""
    axes.set_ylabel(f"average rank (1 is best, of {n_arms})")
    axes.invert_yaxis()
