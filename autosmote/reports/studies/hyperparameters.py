"""Ranks and scores by the value of a hyperparameter: Figure 6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.claims import OF_PARAMETERS
from autosmote.reports.names import METRICS
from autosmote.reports.render.table import HIGHEST, LOWEST, Cell, Table, format_estimate
from autosmote.reports.statistics.bootstrap import draw_scores, interval
from autosmote.reports.statistics.ranks import rank
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS

PARAMETERS = {"G1xG2/IR": "$G_1 \\times G_2 / IR$", "G2": "$G_2$", "K": "$K$"}
_N_DRAWS = 1000
_BY = ["metric", "parameter", "value", "arm"]


def compute_hyperparameter_ranks(cells_of: Mapping[str, Cells]) -> pd.DataFrame:
    """Compute ranks and scores of arms such as "G2=5" among those of the same hyperparameter.

    Returns
    -------
    DataFrame
        metric, parameter, value, arm, n (configurations), rank, score, each with its 95% interval
        (_low, _high), which is nan for fewer than five configurations; where there is an extended
        test, the same on it, with names that begin with extended_. Empty without such arms.
    """
    found = _rank_values(cells_of)
    extended = {metric: cells.on_extended() for metric, cells in cells_of.items()}
    on_extended = _rank_values({metric: cells for metric, cells in extended.items() if cells})
    if on_extended.empty:
        return found
    names_of = {name: f"extended_{name}" for name in on_extended if name not in _BY}
    return found.merge(on_extended.rename(columns=names_of), on=_BY, how="left")


def _rank_values(cells_of: Mapping[str, Cells]) -> pd.DataFrame:
    rows = []
    for metric, cells in cells_of.items():
        labels = [(*label, arm) for arm in cells.arms if (label := names.split_label(arm))]
        for parameter in names.in_order({label[0] for label in labels}, PARAMETERS):
            values = sorted((value, arm) for name, value, arm in labels if name == parameter)
            part = cells.only([arm for _, arm in values])
            part = part.where(part.shared().any(axis=1))
            # A configuration counts where all values of the parameter have a score.
            part = part.where(~np.isnan(part.means()).any(axis=1))
            if part.configurations:
                for row, (value, arm) in zip(_estimates(part), values, strict=True):
                    what = {"metric": metric, "parameter": parameter, "value": value, "arm": arm}
                    rows.append(what | row)
    return pd.DataFrame(rows)


def _estimates(part: Cells) -> list[dict[str, float]]:
    """Return n, rank and score of each arm, with their intervals."""
    means = part.means()
    n = len(means)
    estimates = {"rank": rank(means).mean(axis=0), "score": means.mean(axis=0)}
    found: dict[str, np.ndarray] = {"n": np.full(len(part.arms), n)}
    draws = list(draw_scores(part, n_draws=_N_DRAWS))
    for name, estimate in estimates.items():
        values = [(one.ranks if name == "rank" else one.means).mean(axis=1) for one in draws]
        ends = interval(estimate, np.concatenate(values))
        low, high = np.clip(ends, 1, len(part.arms)) if name == "rank" else ends
        known = n >= MIN_CONFIGURATIONS
        found |= {
            name: estimate,
            f"{name}_low": np.where(known, low, np.nan),
            f"{name}_high": np.where(known, high, np.nan),
        }
    return [{name: values[a] for name, values in found.items()} for a in range(len(part.arms))]


def pair_values(arms: Sequence[str]) -> list[tuple[str, str]]:
    """Return the default of each hyperparameter with each other value, as arms."""
    defaults = {f"{name}={default:g}" for name, (default, *_) in OF_PARAMETERS.items()}
    return [
        (default, other)
        for default in arms
        if default in defaults
        for other in arms
        if other != default and other.rpartition("=")[0] == default.rpartition("=")[0]
    ]


def make_hyperparameters_table(name: str, caption: str, ranks: pd.DataFrame) -> Table:
    """Make the table of the ranks of `compute_hyperparameter_ranks`, the data of Figure 6."""
    has_extended = "extended_rank" in ranks
    shown = [("rank", 2), ("score", 3)]
    shown += [(f"extended_{what}", digits) for what, digits in shown] * has_extended
    rows = [
        [
            Cell(METRICS[row["metric"]]),
            Cell(row["arm"]),
            Cell(str(row["n"]), sort=row["n"]),
            *(format_estimate(row, what, digits) for what, digits in shown),
        ]
        for row in ranks.to_dict("records")
    ]
    groups = list(zip(ranks["metric"], ranks["parameter"], strict=True))
    header = ["Metric", "Value", "n", "Rank [95%]", "Test score [95%]"]
    header += ["Rank, extended [95%]", "Extended score [95%]"] * has_extended
    notes = ["Ranks among the values of one hyperparameter, the others at their defaults."]
    best = {
        i: LOWEST if what.endswith("rank") else HIGHEST
        for i, (what, _) in enumerate(shown, start=3)
    }
    return Table(
        name, caption, header, rows, ranks, n_text=2, groups=groups, notes=notes, best=best
    )
