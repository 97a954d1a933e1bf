"""Tune a resampler's ratio n_min/n_maj on the validation part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from autosmote.errors import describe_error, let_interrupts_through
from autosmote.evaluation.choice import Choice, Table, class_counts
from autosmote.evaluation.results import GridPoint
from autosmote.evaluation.sandboxed import SandboxedResampler
from autosmote.isolation.sandbox import ChildFailed
from autosmote.scoring.lending import predict_lent

if TYPE_CHECKING:
    from autosmote.data.splits import Split

RATIOS = tuple(i / 10 for i in range(1, 11))
"""The grid of ratios of every resampler that takes one."""


def ratios_above(y: np.ndarray) -> list[float]:
    """Return the ratios of the grid that are above the present one."""
    n_maj, n_min = class_counts(y)
    return [ratio for ratio in RATIOS if int(ratio * n_maj) > n_min]


def tune_ratio(
    sampler: SandboxedResampler,
    ratios: Sequence[float | None],
    split: Split,
    choices: Sequence[Choice],
) -> None:
    """Choose a ratio by its score on validation; one resampled training part serves all choices.

    The ratios are (None,) for a resampler without one; those at or below the present are skipped.
    """
    above = [ratio for ratio in ratios if ratio is None or ratio in ratios_above(split.y_train)]
    grid = [GridPoint(ratio, "skipped") for ratio in ratios if ratio not in above]
    X_val, X_look = split.X_val, split.X_look
    try:
        if above:
            sampler.fit(split.X_train, split.y_train, split.groups, n_ratios=len(above))
            X_val, X_look = sampler.transform(X_val), sampler.transform(X_look)
    except ChildFailed as failure:
        above = []
        grid.append(GridPoint(None, failure.status, error=failure.error))
    for choice in choices:
        choice.grid += grid
    by_classifier = {id(choice.classifier): choice.classifier for choice in choices}.values()
    for ratio, resampled in _resample(sampler, above, split):
        if isinstance(resampled, GridPoint):
            for choice in choices:
                choice.grid.append(resampled)
            continue
        for classifier in by_classifier:
            own = [choice for choice in choices if choice.classifier is classifier]
            try:
                model, validation = classifier.fit(*resampled, X_val)
            except Exception as error:  # rows that it cannot learn from
                let_interrupts_through(error)
                status = "memory" if isinstance(error, MemoryError) else "failed"
                for choice in own:
                    choice.grid.append(GridPoint(ratio, status, error=describe_error(error)))
                continue
            for choice in own:
                choice.offer(ratio, validation, partial(predict_lent, model, X_look), resampled)
    for choice in choices:
        if choice.best == -np.inf:
            choice.fail(_explain(choice.grid))
        else:
            choice.new_features = X_val is not split.X_val


def _resample(
    sampler: SandboxedResampler, ratios: Sequence[float | None], split: Split
) -> Iterator[tuple[float | None, GridPoint | Table]]:
    """Yield each ratio with its training part, or with the grid point that says why not."""
    too_much: str | None = None
    for ratio in ratios:
        if too_much:
            yield ratio, GridPoint(ratio, "skipped", error=too_much)
            continue
        try:
            X, y = sampler.resample(ratio)
        except ChildFailed as failure:
            yield ratio, GridPoint(ratio, failure.status, error=failure.error)
            if failure.status in ("timeout", "memory"):  # a larger ratio needs no less
                too_much = f"after the {failure.status} at ratio {ratio}"
        else:
            unchanged = _same_rows(X, y, split.X_train, split.y_train)
            yield ratio, GridPoint(ratio, "unchanged") if unchanged else (X, y)


def _same_rows(X: np.ndarray, y: np.ndarray, X_old: np.ndarray, y_old: np.ndarray) -> bool:
    """Return whether two training parts hold the same labelled rows, in any order."""
    if X.shape != X_old.shape:
        return False
    new, old = np.column_stack([X, y]), np.column_stack([X_old, y_old])
    return np.array_equal(new[np.lexsort(new.T)], old[np.lexsort(old.T)])


def _explain(grid: Sequence[GridPoint]) -> ChildFailed:
    """Return why no point of a grid has a score."""
    for point in grid:
        if point.error:
            return ChildFailed(point.status, point.error)
    if all(point.status == "skipped" for point in grid):
        return ChildFailed("failed", "every ratio of the grid is at or below that of the data")
    return ChildFailed("failed", "the sampler changed neither rows nor labels")
