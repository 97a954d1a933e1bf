"""Names beside the points of a scatter and at the ends of lines, without overlaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from autosmote.records.figure_style import DPI, SMALL
from autosmote.reports.render.drawing import Points, look

_DIRECTIONS = (
    *((1, 0), (1, 1), (1, -1), (-1, 0), (-1, 1), (-1, -1), (0, 1), (0, -1)),
    *((0.5, 1), (-0.5, 1), (0.5, -1), (-0.5, -1)),
)
"""From a point to its name; of a name above or below, also how far it is moved to a side."""
_DISTANCES = (5, 10, 17, 26, 38, 50)
"""From a point to its name, in points; a line leads to those that are not the nearest."""
_TRIES = 6
_MARK = 3.5
"""Radius of a point, in points."""
_APART = 7
"""What a name keeps off other points where it can, in points."""

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
    labels = {key: _measured(axes, key, text) for key, text in texts.items()}
    panel = _Panel(
        {key: axes.transData.transform(point) for key, point in points.items()},
        {key: label.get_window_extent() for key, label in labels.items()},
        axes.get_window_extent(),
        [axes.transData.transform(one) for one in others if not np.isnan(one).any()],
    )
    # Where names find no room, those that did not are first in the next try.
    order, best = list(texts), panel.arrange(list(texts))
    for _ in range(_TRIES):
        found = panel.arrange(order)
        best = max(best, found, key=len)
        left = [key for key in order if key not in found]
        if not left:
            break
        order = sorted(order, key=lambda key: (not look(key).stands_out, key not in left))
    to_axes = axes.transAxes.inverted()
    for key, label in labels.items():
        if key not in best:
            if not look(key).stands_out:
                label.remove()
                continue
            best[key] = panel.nearest(key), None
        box, led = best[key]
        label.set_transform(axes.transAxes)
        label.set_position(tuple(to_axes.transform(box[:2])))
        if led is not None:
            axes.plot(
                *to_axes.transform(led).T, color=look(key).ink, linewidth=0.4, alpha=0.7,
                transform=axes.transAxes, zorder=1.5,
            )  # fmt: skip
    return [key for key in texts if key in best]


def _measured(axes: Axes, key: str, text: str) -> Text:
    """Write a name that has no place yet, so that its size is known."""
    own = look(key)
    return axes.text(
        0, 0, text, fontsize=SMALL, color=own.ink, fontweight=own.weight, va="bottom",
        in_layout=False,
    )  # fmt: skip


@dataclass(frozen=True)
class _Panel:
    """What names have to keep off, in pixels: points, the frame, lines; and the names' sizes."""

    at: Mapping[str, NDArray[np.float64]]
    sizes: Mapping[str, Bbox]
    frame: Bbox
    avoided: Sequence[Line]

    @cached_property
    def marks(self) -> dict[str, Box]:
        """The boxes of the points."""
        return {key: _around(place, _MARK) for key, place in self.at.items()}

    def arrange(self, order: Sequence[str]) -> dict[str, tuple[Box, Line | None]]:
        """Return the box of each name that finds room, and the line to it; first come first."""
        found: dict[str, tuple[Box, Line | None]] = {}
        for key in order:
            boxes = [box for box, _ in found.values()]
            lines = [line for _, line in found.values() if line is not None]
            others = {other: place for other, place in self.at.items() if other != key}
            foreign = [self.marks[other] for other in others]
            # A name that touches another point would be taken for that one's.
            apart = [_around(place, _APART) for place in others.values()]
            # How far it may be, and what it keeps off, and the line to it; less with each try.
            tries: list[tuple[Sequence[float], Sequence[Line], Sequence[Box], Sequence[Box]]] = [
                (_DISTANCES[:3], self.avoided, apart, foreign),
                (_DISTANCES, (), apart, foreign),
                (_DISTANCES, (), foreign, foreign),
            ]
            if look(key).stands_out:
                tries.append((_DISTANCES, (), foreign, ()))
            for distances, avoided, points, off_line in tries:
                for distance, direction in product(distances, _DIRECTIONS):
                    box, line = self._place(key, distance, direction)
                    led = [line] if distance > _DISTANCES[0] else []
                    if (
                        _is_inside(box, self.frame)
                        and not _overlap(box, [self.marks[key], *points, *boxes])
                        and not _cross([*lines, *avoided], [box])
                        and not _cross(led, [*boxes, *off_line])
                        and not any(_meet(one, other) for one in led for other in lines)
                    ):
                        found[key] = box, (line if led else None)
                        break
                if key in found:
                    break
        return found

    def nearest(self, key: str) -> Box:
        """Return the first place of a name, whatever it covers."""
        return self._place(key, _DISTANCES[0], _DIRECTIONS[0])[0]

    def _place(self, key: str, distance: float, direction: tuple[float, float]) -> tuple[Box, Line]:
        """Return the box of a name that touches the end of a line from its point, and this."""
        way = np.array(direction) / np.hypot(*direction)
        line = np.array([self.at[key], self.at[key] + distance * DPI / 72 * way])
        extent = np.array([self.sizes[key].width, self.sizes[key].height])
        corner = line[1] - extent * (1 - np.array(direction)) / 2
        return np.concatenate([corner, corner + extent]), line


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


def _around(place: NDArray[np.float64], radius: float) -> Box:
    """Return the box around a place in pixels; the radius is in points."""
    margin = radius * DPI / 72
    return np.concatenate([place - margin, place + margin])


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
