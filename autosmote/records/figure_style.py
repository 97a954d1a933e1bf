"""Style of every figure: widths of journal columns, sizes of text, colours, and how files are made.

The same content gives the same bytes: no dates and no versions are in a file, and the font comes
with matplotlib, which is imported where it is used. Text in an SVG stays text, as journals ask.
"""

from __future__ import annotations

import io
import re
import textwrap
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure as Canvas

COLUMN, PAGE = 3.5, 7.2
"""Widths of a journal's column and of its page, in inches."""
DPI = 300
_RASTER_DPI = 120
"""Of what an SVG holds as pixels."""
TEXT, SMALL = 8, 7
"""Sizes of labels, and of the smallest text, in points."""

# Okabe and Ito's colours, which colour-blind readers can tell apart; shapes and dashes differ as
# well, since in grey some are alike.
BLACK, BLUE, VERMILION, GREEN = "#000000", "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY = "#CC79A7", "#E69F00", "#56B4E9"
COLOURS = (VERMILION, BLACK, BLUE, GREEN, PURPLE, ORANGE, SKY)
"""In the order of use: the first is AutoSMOTE's."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (6, 1.5)), (0, (1, 1)), (0, (3, 1, 1, 1, 1, 1)))
INK = "#404040"
"""Of names and marks that do not stand out."""
GREY, PALE = "#9A9A9A", "#DDDDDD"
"""Of what is there for comparison, and of lines behind the data."""

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "autosmote",  # ids in the file come from it and the content, not from chance
    "svg.fonttype": "none",
    "savefig.dpi": _RASTER_DPI,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "text.parse_math": False,  # names are text as they are: a dollar sign begins no formula
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": TEXT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.title_fontsize": SMALL,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": PALE,
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
}

_TRACES = {"png": ["Software"], "svg": ["Date", "Creator"], "pdf": ["CreationDate", "Creator"]}
"""By form, what would tell when and by which version a file was made."""


def load_matplotlib() -> None:
    """Import what a figure needs of matplotlib, which takes half a second."""
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401


def style() -> AbstractContextManager[None]:
    """Return the context that figures are drawn and saved in."""
    import matplotlib

    return matplotlib.rc_context(_STYLE)


def new_canvas(width: float, height: float) -> Canvas:
    """Make a canvas, in inches; not by pyplot, which would keep it and may open a window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def save_canvas(canvas: Canvas, path: Path, title: str | None = None) -> None:
    """Write a figure in the form that its file's ending names, in the context of `style`."""
    form = path.suffix[1:].lower() or "png"
    if form == "svg":
        path.write_text(to_svg(canvas, title), encoding="utf-8", newline="\n")
        return
    canvas.savefig(path, format=form, dpi=DPI, metadata=_about(form, title))


def to_svg(canvas: Canvas, title: str | None = None) -> str:
    """Return a figure as SVG, in the context of `style`; a fifth smaller than matplotlib's own.

    Coordinates have two digits after the point, 1/100 point; no indentation, no turns by 0 degrees.
    """
    buffer = io.BytesIO()
    canvas.savefig(buffer, format="svg", dpi=_RASTER_DPI, metadata=_about("svg", title))
    text = re.sub(r' transform="rotate\(-?0 [^"]*"', "", buffer.getvalue().decode())
    text = re.sub(r' (d|x|y)="[^"]*"', lambda found: re.sub(r"(\.\d\d)\d+", r"\1", found[0]), text)
    return re.sub(r"\n\s+", "\n", text)


def _about(form: str, title: str | None) -> dict[str, str | None]:
    """Return what is written in a file about it: its title, not when and by what it was made."""
    about: dict[str, str | None] = dict.fromkeys(_TRACES.get(form, ()))
    return about | ({"Title": title} if title else {})


def write_heading(canvas: Canvas, text: str) -> None:
    """Write a line over the whole figure, on the left; more lines if it is long."""
    # Not by matplotlib's own wrapping, to which a dollar sign begins a formula.
    n_letters = int(canvas.get_size_inches()[0] * 72 / (0.7 * SMALL))
    lines = textwrap.fill(text, n_letters)
    canvas.suptitle(lines, x=0.01, ha="left", fontsize=SMALL, fontweight="bold")


def label_log_axis(axis: Axis) -> None:
    """Label a logarithmic axis by plain numbers: each power of ten, and 2 and 5 on a short axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 50 * low else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
