"""The look of all figures, and their files, which are the same to the byte each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from autosmote.atomic import write_file
from autosmote.reports.names import FULL, METRICS

# Okabe and Ito's colours, which colour-blind readers can tell apart, from dark to light; shapes
# and dashes differ as well, since in grey some are alike.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", "--", "-.", ":", (0, (6, 1.5)), (0, (1, 1)), (0, (3, 1, 1, 1, 1, 1)))
FULL_COLOUR = "#D55E00"
"""AutoSMOTE's, where it stands out among many."""
FULL_FIRST = (FULL_COLOUR, *(colour for colour in COLOURS if colour != FULL_COLOUR))
OTHERS_COLOUR = "#8C8C8C"
INK = "#333333"
"""Of names that do not stand out."""
Points = Mapping[str, tuple[float, float]]
"""Of each arm, in the data's units."""

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
    """Return the context that figures are drawn and saved in."""
    return matplotlib.rc_context(_STYLE)


def new_canvas(width: float, height: float) -> Canvas:
    """Make a canvas, in inches; not by pyplot, which would keep it and may open a window."""
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


def set_rank_axis(axes: Axes, n_arms: int) -> None:
    """Label the axis of average ranks, and put the best on top."""
    axes.set_ylabel(f"average rank (1 is best, of {n_arms})")
    axes.invert_yaxis()


def draw_gain_lines(axes: Axes, metric: str, points: Points, test: str) -> None:
    """Draw the lines of no gain and of as much gain on the test; validation is rightwards.

    `test` says what it is: "test part" or "extended test".
    """
    low = min(0.0, min(map(min, points.values())))
    high = max(0.01, max(map(max, points.values())))
    line = np.array([low, high])
    axes.plot(line, line, ":", color="black", linewidth=1, label="as much on test", zorder=1)
    axes.axhline(0, color=OTHERS_COLOUR, linewidth=0.8, zorder=0)
    axes.axvline(0, color=OTHERS_COLOUR, linewidth=0.8, zorder=0)
    axes.set_ylabel(f"mean gain in {METRICS[metric]} on the {test}")
    axes.xaxis.set_major_locator(MaxNLocator(6))  # labels of five signs must not touch


def name_points(
    axes: Axes,
    points: Points,
    *,
    lines: Mapping[str, str],
    inks: Mapping[str, str],
    texts: Mapping[str, str],
) -> None:
    """Write the names of arms in a column on the right, in the order of their heights.

    Called when the limits of the axes are final. By arm: `lines` and `inks` are the colours of the
    lines to the names and of these, `texts` the names as they are shown.
    """
    to_axes = axes.transData + axes.transAxes.inverted()
    spots = {arm: to_axes.transform(point) for arm, point in points.items()}
    order = sorted(points, key=lambda arm: spots[arm][1])
    gap = min(0.037, 1 / max(1, len(order)))
    for arm, place in zip(order, _spread([spots[arm][1] for arm in order], gap), strict=True):
        weight = "bold" if arm == FULL else "normal"
        # A line, not an annotation's arrow, which takes as long to draw as all the rest.
        axes.plot(
            [spots[arm][0], 1.02], [spots[arm][1], place], color=lines[arm], linewidth=0.4,
            alpha=0.6, transform=axes.transAxes, clip_on=False, zorder=1,
        )  # fmt: skip
        axes.text(
            1.03, place, texts[arm], transform=axes.transAxes, va="center", fontsize=7,
            fontweight=weight, color=inks[arm],
        )  # fmt: skip


def _spread(heights: Sequence[float], gap: float) -> list[float]:
    """Return places near ascending heights, in [0, 1] and a gap apart."""
    n = len(heights)
    from_below, from_above = [0.0] * n, [0.0] * n
    for i in range(n):
        lowest = from_below[i - 1] + gap if i else 0.0
        from_below[i] = max(lowest, min(heights[i], 1 - gap * (n - 1 - i)))
    for i in reversed(range(n)):
        highest = from_above[i + 1] - gap if i < n - 1 else 1.0
        from_above[i] = min(highest, max(heights[i], gap * i))
    return [(below + above) / 2 for below, above in zip(from_below, from_above, strict=True)]
