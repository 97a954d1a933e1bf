"""Draw the curve of a search."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

# Two colours of Okabe and Ito's palette, which colour-blind readers can tell apart, and a grey.
_FAINT, _MEAN, _BEST = "#999999", "#0072B2", "#D55E00"


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Return the mean over the last `window` values (fewer at the beginning), at each of them."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return (sums[ends] - sums[starts]) / (ends - starts)


def load_matplotlib() -> Any:
    """Import what a curve needs of matplotlib, which takes half a second; return its Figure.

    The object interface: pyplot would keep the figure, and pick a backend with a window.
    """
    from matplotlib.figure import Figure

    return Figure


def plot_curve(
    history: Mapping[str, np.ndarray],
    path: Path,
    *,
    metric: str,
    title: str,
    reference: float | None = None,
) -> None:
    """Draw reward, its running mean and the best so far against the iteration, as PNG.

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
    Figure = load_matplotlib()
    iteration, reward = history["iteration"], history["reward"]
    window = max(1, min(50, len(reward) // 5))
    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(iteration, reward, ".", color=_FAINT, markersize=3, alpha=0.5, label="one episode")
    mean = running_mean(reward, window)
    axes.plot(iteration, mean, color=_MEAN, linewidth=2, label=f"mean of the last {window}")
    axes.step(
        iteration,
        history["best"],
        "--",
        where="post",
        color=_BEST,
        label="best so far",
        linewidth=2,
    )
    if reference is not None:
        axes.axhline(reference, color="black", linewidth=1, linestyle=":", label="no resampling")
    axes.set_xlabel("iteration")
    axes.set_ylabel(f"validation {metric}")
    # Names are text as they are: a dollar sign in one begins no formula.
    axes.set_title(title, fontsize=10, parse_math=False)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="best")
    figure.savefig(path, metadata={"Software": None})
