"""Names beside the points of a scatter and at the ends of lines, without overlaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from autosmote.records.figure_style import DPI, SMALL
from autosmote.reports.render.drawing import Points, look

_DIRECTIONS = (
    *((1, 0), (1, 1), (1, -1), (-1, 0), (-1, 1), (-1, -1), (0, 1), (0, -1)),
    *((0.5, 1), (-0.5, 1), (0.5, -1), (-0.5, -1)),
)
"""From a point to its name; of a name above or below, also how far it is moved to a side."""
_DISTANCES = (5, 10, 17, 26, 38)
"""From a point to its name, in points; a line leads to those that are not the nearest."""
_MARK = 3.5
"""Radius of a point, in points."""

Box = NDArray[np.float64]
"""Left, bottom, right and top, in pixels."""
Line = NDArray[np.float64]
"""Both ends, in pixels; of shape (2, 2)."""
Segment = tuple[tuple[float, float], tuple[float, float]]
"""Both ends, in the data's units."""


def fix_layout(canvas: Canvas) -> None:
    """Lay a figure out for good, so that names can be placed; SVG and PNG have the same layout."""
    canvas.draw_without_rendering()
    canvas.set_layout_engine("none")


def name_points(
    axes: Axes, points: Points, texts: Mapping[str, str], others: Sequence[Segment] = ()
) -> list[str]:
    """Write names beside points, each where it covers no point, name or line to a name.

    Called when the limits and the layout (`fix_layout`) are final. Arms that stand out have their
    name even where there is no room.

    Parameters
    ----------
    axes : Axes
    points : dict
        All points of the panel.
    texts : dict
        By key of a point, the names to be written, the most important first.
    others : sequence of (point, point)
        Lines that names cover only where there is no other room.

    Returns
    -------
    list of str
        The keys of the names that were written.
    """
    scale = DPI / 72
    at = {key: axes.transData.transform(point) for key, point in points.items()}
    marks = [
        np.array([*(place - _MARK * scale), *(place + _MARK * scale)]) for place in at.values()
    ]
    frame = axes.get_window_extent()
    to_axes = axes.transAxes.inverted()
    avoided = [axes.transData.transform(one) for one in others if not np.isnan(one).any()]
    boxes: list[Box] = []
    lines: list[Line] = []
    written = []
    for key, text in texts.items():
        own = look(key)
        label = axes.text(
            0, 0, text, fontsize=SMALL, color=own.ink, fontweight=own.weight, va="bottom",
            in_layout=False,
        )  # fmt: skip
        size = label.get_window_extent()
        nearest = None
        foreign = [mark for other, mark in zip(points, marks, strict=True) if other != key]
        # Rather near and upon another line than far from the point.
        places = [*product(_DISTANCES[:3], _DIRECTIONS, [avoided])]
        places += product(_DISTANCES, _DIRECTIONS, [[]])
        for distance, direction, also in places:
            way = np.array(direction) / np.hypot(*direction)
            line = np.array([at[key], at[key] + scale * distance * way])
            box = _place(line[1], direction, size)
            nearest = box if nearest is None else nearest
            led = [line] if distance > _DISTANCES[0] else []
            if (
                _is_inside(box, frame)
                and not _overlap(box, [*marks, *boxes])
                and not _cross([*lines, *also], [box])
                and not _cross(led, [*boxes, *foreign])
                and not any(_meet(one, other) for one in led for other in lines)
            ):
                break
        else:
            if not own.stands_out:
                label.remove()
                continue
            box, led = nearest, []
        label.set_transform(axes.transAxes)
        label.set_position(tuple(to_axes.transform(box[:2])))
        boxes.append(box)
        lines += led
        for line in led:
            axes.plot(
                *to_axes.transform(line).T, color=own.ink, linewidth=0.4, alpha=0.7,
                transform=axes.transAxes, zorder=1.5,
            )  # fmt: skip
        written.append(key)
    return written


def name_line_ends(
    axes: Axes, height: float, ends: Points, texts: Mapping[str, str], inks: Mapping[str, str]
) -> None:
    """Write the names of lines right of the axes, in the order of the heights at which they end.

    Called when the limits of the axes are final; `height` is about that of the axes, in inches.
    """
    to_axes = axes.transData + axes.transAxes.inverted()
    at = {key: to_axes.transform(end) for key, end in ends.items()}
    order = sorted(ends, key=lambda key: (at[key][1], key))
    gap = 1.35 * SMALL / 72 / height
    for key, place in zip(order, _spread([at[key][1] for key in order], gap), strict=True):
        x, y = at[key]
        axes.plot(
            [x, 1.025], [y, place], color=inks[key], linewidth=0.5, transform=axes.transAxes,
            clip_on=False,
        )  # fmt: skip
        axes.text(
            1.035, place, texts[key], transform=axes.transAxes, va="center", fontsize=SMALL,
            fontweight=look(key).weight, color=inks[key],
        )  # fmt: skip


def _place(end: NDArray[np.float64], direction: tuple[float, float], size: Bbox) -> Box:
    """Return the box of a name that touches the end of a line from its point."""
    extent = np.array([size.width, size.height])
    corner = end - extent * (1 - np.array(direction)) / 2
    return np.concatenate([corner, corner + extent])


def _is_inside(box: Box, frame: Bbox) -> bool:
    return frame.x0 <= box[0] and frame.y0 <= box[1] and box[2] <= frame.x1 and box[3] <= frame.y1


def _overlap(box: Box, others: Sequence[Box]) -> bool:
    of = np.array(others).reshape(-1, 4)
    return bool(((of[:, :2] < box[2:]) & (box[:2] < of[:, 2:])).all(axis=1).any())


def _cross(lines: Sequence[Line], boxes: Sequence[Box]) -> bool:
    """Return whether any of the lines runs through any of the boxes."""
    if not lines or not boxes:
        return False
    shares = np.linspace(0.05, 1, 20)[:, None, None]
    ends = np.array(lines)
    along = (ends[:, 0] + shares * (ends[:, 1] - ends[:, 0])).reshape(-1, 1, 2)
    of = np.array(boxes)
    return bool(((of[:, :2] < along) & (along < of[:, 2:])).all(axis=2).any())


def _meet(first: Line, second: Line) -> bool:
    """Return whether two lines cross."""

    def sides(of: Line, points: Line) -> float:
        (dx, dy), away = of[1] - of[0], points - of[0]
        return float(np.prod(dx * away[:, 1] - dy * away[:, 0]))

    return sides(first, second) < 0 and sides(second, first) < 0


def _spread(heights: Sequence[float], gap: float) -> list[float]:
    """Return places near ascending heights, in [0, 1] and a gap apart."""
    n = len(heights)
    gap = min(gap, 1 / max(1, n - 1))
    from_below, from_above = [0.0] * n, [0.0] * n
    for i in range(n):
        lowest = from_below[i - 1] + gap if i else 0.0
        from_below[i] = max(lowest, min(heights[i], 1 - gap * (n - 1 - i)))
    for i in reversed(range(n)):
        highest = from_above[i + 1] - gap if i < n - 1 else 1.0
        from_above[i] = min(highest, max(heights[i], gap * i))
    return [(below + above) / 2 for below, above in zip(from_below, from_above, strict=True)]
