"""Draw the curve of a search."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from autosmote.records.figure_style import (
    BLACK,
    BLUE,
    COLUMN,
    GREY,
    VERMILION,
    new_canvas,
    save_canvas,
    style,
    write_heading,
)


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Return the mean over the last `window` values (fewer at the beginning), at each of them."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return (sums[ends] - sums[starts]) / (ends - starts)


def plot_curve(
    history: Mapping[str, np.ndarray],
    path: Path,
    *,
    metric: str,
    title: str,
    reference: float | None = None,
) -> None:
    """Draw reward, its running mean and the best so far against the iteration, as PNG or SVG.

    Parameters
    ----------
    history : mapping of arrays
        With iteration, reward and best.
    path : Path
    metric : str
        Name of the reward.
    title : str
    reference : float, optional
        Validation score of no resampling, drawn as a line.
    """
    iteration, reward = history["iteration"], history["reward"]
    window = max(1, min(50, len(reward) // 5))
    with style():
        canvas = new_canvas(COLUMN, 2.6)
        axes = canvas.add_subplot()
        axes.plot(
            iteration, reward, ".", color=GREY, markersize=1.8, alpha=0.6, label="one iteration"
        )
        mean = running_mean(reward, window)
        axes.plot(iteration, mean, color=BLUE, label=f"mean of the last {window}")
        axes.step(
            iteration,
            history["best"],
            "--",
            where="post",
            color=VERMILION,
            label="best so far",
        )
        if reference is not None:
            axes.axhline(reference, color=BLACK, linewidth=0.8, ls=":", label="no resampling")
        axes.set_xlabel(f"iteration (n = {len(reward)})")
        axes.set_ylabel(f"validation {metric}")
        write_heading(canvas, title)
        canvas.legend(loc="outside lower center", ncols=2)
        save_canvas(canvas, path)
