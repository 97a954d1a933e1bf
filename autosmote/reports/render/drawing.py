"""What the figures of reports share: how an arm looks, axes, ticks, and their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from autosmote.atomic import write_file
from autosmote.records.figure_style import BLACK, BLUE, GREY, INK, VERMILION, save_canvas, style
from autosmote.reports.names import FULL
from autosmote.reports.render.writers import escape, write_text

Points = Mapping[str, tuple[float, float]]
"""Of each arm, in the data's units."""
INTERVALS = (
    "95% bootstrap intervals over configurations and seeds, none for fewer than five configurations"
)
"""For captions."""
CLASS_AWARE = ("autosmote_class_aware", "class_aware")
"""The names of the class-aware search, as a sampler and as a source."""
MOST_NAMED = 10
"""Names in a scatter: of AutoSMOTE, of what stands out beside it, and of its best rivals."""


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


@dataclass(frozen=True)
class Look:
    """How an arm looks, the same in every figure.

    Attributes
    ----------
    colour, marker : str
    size : float
        Of the marker, in points.
    stands_out : bool
    """

    colour: str
    marker: str
    size: float
    stands_out: bool = True

    @property
    def ink(self) -> str:
        """The colour of its name."""
        return self.colour if self.stands_out else INK

    @property
    def weight(self) -> str:
        """The weight of its name."""
        return "bold" if self.stands_out else "normal"


_LOOKS = {
    FULL: Look(VERMILION, "*", 8),
    "none": Look(BLACK, "s", 4.5),
    **dict.fromkeys(CLASS_AWARE, Look(BLUE, "D", 4.5)),
}
_RIVAL, _OTHER = Look(INK, "o", 4, False), Look(GREY, "o", 3.5, False)


def look(arm: str, named: bool = True) -> Look:
    """Return how an arm looks; grey if it is not among the named ones of a figure."""
    return _LOOKS.get(arm, _RIVAL if named else _OTHER)


def choose_named(arms: Sequence[str], beside: Sequence[str] = ()) -> list[str]:
    """Return the arms with a name in a scatter: those that stand out, those beside, the best.

    `arms` are in the order of their ranks.
    """
    first = [arm for arm in [FULL, *CLASS_AWARE, "none"] if arm in arms or arm in beside]
    return list(dict.fromkeys([*first, *beside, *arms]))[: max(MOST_NAMED, len(first))]


def save(figure: Figure, folder: Path) -> list[Path]:
    """Write <name>.svg and <name>.png."""
    written = []
    with style():
        for form in ("svg", "png"):
            path = folder / f"{figure.name}.{form}"
            write_file(path, partial(save_canvas, figure.canvas, title=figure.caption))
            written.append(path)
            figure.canvas.set_layout_engine("none")  # the second form has the layout of the first
    return written


def save_captions(figures: Sequence[Figure], folder: Path) -> Path:
    """Write captions.md, which shows the figures of a folder with their captions."""
    texts = [
        f"![{escape(figure.name)}]({quote(figure.name)}.svg)\n\n"
        f"**{escape(figure.name)}.** {escape(figure.caption)}\n"
        for figure in figures
    ]
    path = folder / "captions.md"
    write_text(path, "\n".join(["# Figures\n", *texts]))
    return path


def label_ranks(n_arms: int) -> str:
    """Return the label of an axis of average ranks."""
    return f"average rank (1 is best, of {n_arms})"


def set_rank_axis(axes: Axes, n_arms: int) -> None:
    """Label the axis of average ranks, and put the best on top."""
    axes.set_ylabel(label_ranks(n_arms))
    axes.yaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10]))
    axes.invert_yaxis()


def draw_intervals(
    axes: Axes,
    at: Iterable[float],
    low: Iterable[float],
    high: Iterable[float],
    colour: str,
    *,
    upright: bool = False,
) -> None:
    """Draw intervals as lines, upright or level; nothing where an end is not known.

    All are one path, as an SVG is smaller by it.
    """
    places = np.array(list(at), dtype=float)
    ends = np.column_stack([list(low), list(high), np.full(len(places), np.nan)]).ravel()
    x, y = (np.repeat(places, 3), ends) if upright else (ends, np.repeat(places, 3))
    axes.plot(x, y, color=colour, linewidth=1.2, solid_capstyle="butt", zorder=2)


def draw_ticks(
    axes: Axes, values: Iterable[float], at: float, half: float, colour: str, width: float = 0.7
) -> None:
    """Draw values as upright ticks in one row: one path, since there may be hundreds."""
    known = np.array([value for value in values if not np.isnan(value)], dtype=float)
    x = np.repeat(known, 3)
    y = np.tile([at - half, at + half, np.nan], len(known))
    axes.plot(x, y, color=colour, linewidth=width, solid_capstyle="butt", zorder=1.5)
