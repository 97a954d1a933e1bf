"""Critical-difference diagrams of any methods that were scored on the same blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from numpy.typing import NDArray

from autosmote.records.figure_style import BLACK, PAGE, SMALL, new_canvas
from autosmote.reports import names
from autosmote.reports.names import FULL
from autosmote.reports.render.drawing import CLASS_AWARE, look
from autosmote.reports.statistics.ranks import rank
from autosmote.reports.statistics.significance import (
    LEVEL,
    MIN_CONFIGURATIONS,
    find_cliques,
    friedman_p,
)

MOST_COMPARED = 25
"""Methods in a diagram; more lines cannot be read."""
CAPTION = (
    "Critical-difference diagram: average ranks, the best on the left. A bar joins neighbours "
    "among which no pair differs significantly (two-sided Wilcoxon signed-rank tests, "
    f"Holm-adjusted over all pairs, p < {LEVEL:g}); Friedman's test is of the ranks of all."
)
_ROW, _STEP = 0.155, 0.075
"""Heights of a name and of a bar, in inches."""


@dataclass(frozen=True)
class Ranking:
    """Methods that are ranked together.

    Attributes
    ----------
    title : str
        What they are scored by.
    blocks : str
        What the scores are of, such as "configurations" or "datasets".
    arms : sequence of str
        As records name them.
    scores : ndarray of shape (N, A)
        Of each block and method, higher is better; no nan.
    averages : ndarray of shape (A,), optional
        Average ranks; by default those of the scores.
    """

    title: str
    blocks: str
    arms: Sequence[str]
    scores: NDArray[np.float64]
    averages: NDArray[np.float64] | None = None


def draw_rankings(rankings: Sequence[Ranking]) -> Canvas:
    """Draw a critical-difference diagram for each ranking, one below the other.

    Of too many methods, the best are shown, and AutoSMOTE and its class-aware search wherever they
    stand; ranks are among all.
    """
    parts = [_arrange(ranking) for ranking in rankings]
    heights = [0.3 + part.depth + part.height for part in parts]
    canvas = new_canvas(PAGE, sum(heights) + 0.25 * len(heights))
    all_axes = canvas.subplots(len(parts), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, part, ranking in zip(all_axes, parts, rankings, strict=True):
        _draw_scale(axes, part.averages)
        _draw_names(axes, part)
        for level, clique in zip(part.levels, part.cliques, strict=True):
            y = -0.1 - _STEP * level
            axes.plot(part.averages[[*clique]], [y, y], color=BLACK, linewidth=2.5, zorder=3)
        axes.set_title(_title(ranking, len(part.arms)), loc="center")
        axes.set_ylim(-part.depth - part.height, 0.2)
        axes.axis("off")
    return canvas


@dataclass(frozen=True)
class _Part:
    """What is shown of a ranking, in the order of the ranks; lengths in inches."""

    arms: list[str]
    averages: NDArray[np.float64]
    cliques: list[tuple[int, int]]

    @cached_property
    def levels(self) -> list[int]:
        return _stack(self.cliques)

    @property
    def depth(self) -> float:
        """Of the bars, below the scale."""
        return _STEP * (max(self.levels, default=-1) + 1) + 0.1

    @property
    def half(self) -> int:
        """Names on the left."""
        return (len(self.arms) + 1) // 2

    @property
    def height(self) -> float:
        """Of the names, below the bars."""
        return _ROW * self.half


def _arrange(ranking: Ranking) -> _Part:
    averages = ranking.averages
    if averages is None:
        averages = rank(ranking.scores).mean(axis=0)
    order = np.argsort(averages, kind="stable").tolist()
    always = (FULL, *CLASS_AWARE)
    kept = [i for n, i in enumerate(order) if n < MOST_COMPARED or ranking.arms[i] in always]
    arms = [ranking.arms[i] for i in kept]
    return _Part(arms, averages[kept], find_cliques(ranking.scores[:, kept]))


def _title(ranking: Ranking, n_shown: int) -> str:
    n, n_arms = ranking.scores.shape
    which = f"{n_arms} methods" if n_shown == n_arms else f"{n_shown} of {n_arms} methods"
    p = friedman_p(ranking.scores)
    test = "" if p is None else "; Friedman p < 0.001" if p < 0.001 else f"; Friedman p = {p:.3f}"
    few = "; n too small for tests" if n < MIN_CONFIGURATIONS else ""
    return f"{ranking.title}: average ranks of {which}, n = {n} {ranking.blocks}{test}{few}"


def _draw_scale(axes: Axes, averages: NDArray[np.float64]) -> None:
    """Draw the scale from the whole number below the best rank to that above the worst."""
    low = np.floor(averages.min())
    high = max(np.ceil(averages.max()), low + 1)
    axes.set_xlim(low, high)
    axes.plot([low, high], [0, 0], color=BLACK, linewidth=0.8, clip_on=False)
    ticks = np.arange(low, high + 0.5, max(1, round((high - low) / 12)))
    for tick in ticks:
        axes.plot([tick, tick], [0, 0.05], color=BLACK, linewidth=0.8, clip_on=False)
        axes.text(tick, 0.07, f"{tick:g}", ha="center", va="bottom", fontsize=SMALL)


def _draw_names(axes: Axes, part: _Part) -> None:
    """Draw a line from each rank to its name, the better half on the left."""
    edges = axes.get_xlim()
    for i, (arm, average) in enumerate(zip(part.arms, part.averages, strict=True)):
        left = i < part.half
        y = -part.depth - _ROW * (i if left else len(part.arms) - 1 - i)
        own, name = look(arm), names.arm(arm)
        axes.plot(
            [average, average, edges[not left]], [0, y, y], color=own.ink,
            linewidth=1.4 if own.stands_out else 0.6, zorder=2 + own.stands_out, clip_on=False,
        )  # fmt: skip
        text = f"{name} {average:.2f}" if left else f"{average:.2f} {name}"
        axes.text(
            -0.012 if left else 1.012, y, text, ha="right" if left else "left", va="center",
            color=own.ink, fontsize=SMALL, fontweight=own.weight,
            transform=axes.get_yaxis_transform(),
        )  # fmt: skip


def _stack(cliques: Sequence[tuple[int, int]]) -> list[int]:
    """Return a level for each clique, so that those on one level have no method in common."""
    ends: list[int] = []
    found = []
    for first, last in cliques:
        level = next((i for i, end in enumerate(ends) if end < first), len(ends))
        ends[level : level + 1] = [last]
        found.append(level)
    return found
