"""Forest plots: an estimate with its interval in each row, the rows' names on the left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, nan

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from autosmote.records.figure_style import BLACK, GREY, INK, PAGE, new_canvas
from autosmote.reports.render.drawing import Look, draw_intervals, draw_ticks, look

ROW = 0.165
"""Height of a row, in inches."""
MOST_ROWS = 30
"""More cannot be taken in; beyond them the best have rows, and the rest share one."""
_KEPT = 20


@dataclass(frozen=True)
class Estimate:
    """A row's mark.

    Attributes
    ----------
    value, low, high : float
        An estimate with its 95% interval, which may be nan.
    beside : float
        A second value, drawn as a ring.
    """

    value: float
    low: float = nan
    high: float = nan
    beside: float = nan


@dataclass(frozen=True)
class Panel:
    """A panel of a forest plot.

    Attributes
    ----------
    title, label : str
        `label` is that of its axis.
    rows : dict
        By key, those that the panel has.
    looks : dict
        By key, where it is not that of the arm of this name.
    """

    title: str
    label: str
    rows: Mapping[str, Estimate]
    looks: Mapping[str, Look] = field(default_factory=dict)

    def look(self, key: str) -> Look:
        """Return how a row looks."""
        return self.looks.get(key) or look(key)


def choose_rows(order: Sequence[str]) -> list[str]:
    """Return the keys that have rows of their own, of all in the order of the plot.

    All, or the first and those that stand out.
    """
    if len(order) <= MOST_ROWS:
        return list(order)
    return [key for i, key in enumerate(order) if i < _KEPT or look(key).stands_out]


def order_rows(panels: Sequence[Panel]) -> list[str]:
    """Return all keys, the largest mean value over the panels first."""
    keys = dict.fromkeys(key for panel in panels for key in panel.rows)

    def mean(key: str) -> float:
        known = [panel.rows[key].value for panel in panels if key in panel.rows]
        known = [value for value in known if not isnan(value)]
        return sum(known) / len(known) if known else -float("inf")

    return sorted(keys, key=lambda key: (-mean(key), key))


def draw_forest(
    panels: Sequence[Panel],
    order: Sequence[str],
    names_of: Mapping[str, str],
    *,
    mark: str,
    ring: str = "",
) -> Canvas:
    """Draw panels side by side, which share their rows.

    Parameters
    ----------
    panels : sequence of Panel
    order : sequence of str
        Keys of all rows, from the top; of too many, the last share one row.
    names_of : dict
        What is written for a key.
    mark, ring : str
        What the legend says of an estimate, and of the second value.
    """
    own = choose_rows(order)
    rest = [key for key in order if key not in own]
    n_rows = len(own) + bool(rest)
    canvas = new_canvas(PAGE, 0.95 + ROW * n_rows)
    all_axes = canvas.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel in zip(all_axes, panels, strict=True):
        axes.axvline(0, color=BLACK, linewidth=0.8, zorder=1)
        for one in dict.fromkeys(panel.look(key) for key in own):
            alike = [
                (y, panel.rows[key])
                for y, key in enumerate(own)
                if key in panel.rows and panel.look(key) == one
            ]
            _draw_rows(axes, one, alike)
        values = [panel.rows[key].value for key in rest if key in panel.rows]
        draw_ticks(axes, values, len(own), 0.35, GREY)
        axes.set_title(panel.title)
        axes.set_xlabel(panel.label)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    first = all_axes[0]
    texts = [names_of[key] for key in own] + [f"{len(rest)} others"] * bool(rest)
    first.set_yticks(range(n_rows), texts)
    first.set_ylim(n_rows - 0.4, -0.6)
    for text, key in zip(first.get_yticklabels(), own, strict=False):
        text.set(color=look(key).ink, fontweight=look(key).weight)
    canvas.legend(handles=_legend(mark, ring), loc="outside lower right", ncols=2)
    return canvas


def _draw_rows(axes: Axes, own: Look, rows: Sequence[tuple[int, Estimate]]) -> None:
    """Draw the rows that look alike, together."""
    if not rows:
        return
    places = [y for y, _ in rows]
    lows, highs = [row.low for _, row in rows], [row.high for _, row in rows]
    draw_intervals(axes, places, lows, highs, own.colour)
    axes.plot(
        [row.beside for _, row in rows], places, "o", color=own.colour, markerfacecolor="white",
        markersize=3, markeredgewidth=0.7, zorder=2.5,
    )  # fmt: skip
    axes.plot(
        [row.value for _, row in rows], places, own.marker, color=own.colour, markersize=own.size,
        zorder=3,
    )  # fmt: skip


def _legend(mark: str, ring: str) -> list[Line2D]:
    handles = [Line2D([], [], color=INK, marker="o", markersize=4, label=mark)]
    if ring:
        handles.append(
            Line2D(
                [], [], color=INK, linestyle="", marker="o", mfc="white", markersize=3, mew=0.7,
                label=ring,
            )
        )  # fmt: skip
    return handles
