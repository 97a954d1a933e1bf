"""Summary of one metric: one row per arm and column of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autosmote.reports.cells import Cells
from autosmote.reports.names import OVERALL
from autosmote.reports.statistics.bootstrap import Draws, draw_scores, interval
from autosmote.reports.statistics.ranks import (
    Floats,
    compute_share_above,
    mean_of_known,
    median_of_known,
    rank,
)
from autosmote.reports.statistics.significance import LEVEL, MIN_CONFIGURATIONS, holm, signed_rank_p

COLUMNS = (
    *("metric", "column", "arm", "n", "n_planned", "rank", "rank_low", "rank_high"),
    "validation_rank",
    *("score", "score_low", "score_high", "validation_gain", "test_gain", "imputed", "runs"),
    *("n_pairs", "p", "p_holm", "better", "wins", "ties", "losses"),
    *("gain", "gain_low", "gain_high", "improvement", "improvement_low", "improvement_high"),
)


def summarise(
    cells: Cells, reference: str | None, wanted: Sequence[str] | None = None
) -> pd.DataFrame:
    """Compute ranks, scores, and comparisons with the reference arm, by dataset and over all.

    The reference is normally autosmote; None compares nothing. All arms are ranked; of some
    `wanted` ones there are rows alone, without intervals and adjusted p-values.

    Returns
    -------
    DataFrame
        metric, column (a dataset or "overall"), arm; n: configurations with a score, of n_planned;
        rank, rank_low, rank_high: average rank and its 95% interval; validation_rank: by the
        validation scores; score (and interval), the mean test score; validation_gain, test_gain:
        mean difference to no resampling; imputed: of `runs` runs, those that count as no
        resampling. Against the reference, over n_pairs configurations: p (one-sided, the reference
        is better), p_holm, better (the paper's triangle: p < 0.05); wins, ties, losses of the
        reference; gain (and interval): the median of its score less the arm's; improvement (and
        interval): the probability that it scores higher on the same configuration and seed. No
        intervals and no tests for fewer than five configurations.
    """
    planned = cells
    cells = cells.where(cells.shared().any(axis=1))
    if not cells.configurations:
        return pd.DataFrame()
    slices = {OVERALL: slice(None)} | {name: _slice(cells, name) for name in cells.datasets}
    own = cells.arms.index(reference) if reference in cells.arms else None
    intervals = {} if wanted else _intervals(cells, slices, own)
    ranks = rank(cells.means())
    validation_ranks = rank(cells.means(cells.validation))
    rows: list[dict[str, Any]] = []
    for column, where in slices.items():
        part = cells if column == OVERALL else cells.where(_is(cells, column))
        whole = planned if column == OVERALL else planned.where(_is(planned, column))
        found = [
            {
                "metric": cells.metric,
                "column": column,
                "arm": arm,
                "n_planned": int(whole.planned[:, whole.arms.index(arm)].sum()),
                **_of_arm(part, a, ranks[where, a]),
                "validation_rank": mean_of_known(validation_ranks[where, a]),
                **({} if own is None or a == own else _against(part, own, a)),
            }
            for a, arm in enumerate(cells.arms)
            if wanted is None or arm in wanted
        ]
        if wanted is None:
            for row, adjusted in zip(found, holm([row.get("p") for row in found]), strict=True):
                row["p_holm"] = adjusted
        for name, (low, high) in intervals.get(column, {}).items():
            for a, row in enumerate(found):
                if row["n"] >= MIN_CONFIGURATIONS and name in row:
                    row |= {f"{name}_low": low[a], f"{name}_high": high[a]}
        rows += found
    table = pd.DataFrame(rows)
    return table.reindex(columns=[*COLUMNS, *(c for c in table.columns if c not in COLUMNS)])


def _is(cells: Cells, dataset: str) -> NDArray[np.bool_]:
    return np.array(cells.dataset_of) == dataset


def _slice(cells: Cells, dataset: str) -> slice:
    index = np.flatnonzero(_is(cells, dataset))
    return slice(int(index[0]), int(index[-1]) + 1)


def _of_arm(part: Cells, a: int, ranks: Floats) -> dict[str, Any]:
    """Summarise an arm without comparing it."""
    has_score = ~np.isnan(part.test[:, a])
    return {
        "n": int(np.sum(~np.isnan(ranks))),
        "rank": mean_of_known(ranks),
        "score": mean_of_known(part.means()[:, a]),
        "validation_gain": mean_of_known(part.means(part.validation_gain)[:, a]),
        "test_gain": mean_of_known(part.means(part.test_gain)[:, a]),
        "imputed": int((part.imputed[:, a] & has_score).sum()),
        "runs": int(has_score.sum()),
    }


def _against(part: Cells, own: int, other: int) -> dict[str, Any]:
    """Compare the reference with an arm, over the configurations that both have."""
    means = part.means()
    x, y = means[:, own], means[:, other]
    both = ~np.isnan(x) & ~np.isnan(y)
    x, y = x[both], y[both]
    p = signed_rank_p(x, y)
    above = part.means(compute_share_above(part.test, own))[:, other]
    return {
        "n_pairs": len(x),
        "p": p,
        "better": p is not None and p < LEVEL,
        "wins": int((x > y).sum()),
        "ties": int((x == y).sum()),
        "losses": int((x < y).sum()),
        "gain": median_of_known(x - y),
        "improvement": mean_of_known(above),
    }


def _intervals(
    cells: Cells, slices: dict[str, slice], own: int | None
) -> dict[str, dict[str, tuple[Floats, Floats]]]:
    """Compute bootstrap intervals of each arm: column -> statistic -> (low, high)."""
    statistics: dict[str, Callable[[Draws, slice], Floats]] = {
        "rank": lambda draws, where: mean_of_known(draws.ranks[:, where], axis=1),
        "score": lambda draws, where: mean_of_known(draws.means[:, where], axis=1),
    }
    # Both bounds of a rank and of a probability.
    limits = {"rank": (1.0, float(len(cells.arms))), "improvement": (0.0, 1.0)}
    if own is not None:
        statistics["gain"] = lambda draws, where: median_of_known(
            draws.means[:, where, [own]] - draws.means[:, where], axis=1
        )
        statistics["improvement"] = lambda draws, where: mean_of_known(
            draws.above[:, where], axis=1
        )
    drawn: dict[tuple[str, str], list[Floats]] = {}
    for draws in draw_scores(cells, own):
        for column, where in slices.items():
            for name, statistic in statistics.items():
                drawn.setdefault((column, name), []).append(statistic(draws, where))
    above = np.empty(0) if own is None else cells.means(compute_share_above(cells.test, own))
    means = cells.means()
    estimates = Draws(means[None], rank(means)[None], above[None])
    found: dict[str, dict[str, tuple[Floats, Floats]]] = {column: {} for column in slices}
    for (column, name), chunks in drawn.items():
        estimate = statistics[name](estimates, slices[column])[0]
        low, high = interval(estimate, np.concatenate(chunks))
        bounds = limits.get(name, (-np.inf, np.inf))
        found[column][name] = (np.clip(low, *bounds), np.clip(high, *bounds))
    return found
