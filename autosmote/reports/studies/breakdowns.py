"""Ranks by classifier, by imbalance ratio, and by the value of a hyperparameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import METRICS
from autosmote.reports.render.table import Cell, Table, format_estimate, format_number
from autosmote.reports.statistics.bootstrap import draw_scores, interval
from autosmote.reports.statistics.ranks import mean_of_known, rank
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS

PARAMETERS = {"G1xG2/IR": "$G_1 \\times G_2 / IR$", "G2": "$G_2$", "K": "$K$"}
_N_DRAWS = 1000


def list_groups(cells: Cells) -> Iterator[tuple[str, str, Cells]]:
    """Yield parts of the configurations: "clf" or "ir", the group's name, and its cells."""
    for by, position in (("clf", 2), ("ir", 1)):
        values = [configuration[position] for configuration in cells.configurations]
        for value in sorted(set(values), key=lambda value: (value is None, value or 0)):
            if isinstance(value, str):
                name = names.CLASSIFIERS.get(value, value)
            else:
                name = f"IR {names.ratio(value)}"
            yield by, name, cells.where([other == value for other in values])


def compute_group_ranks(cells_of: Mapping[str, Cells]) -> pd.DataFrame:
    """Compute average ranks over the configurations of a classifier, and of an imbalance ratio.

    Returns
    -------
    DataFrame
        metric, by (clf or ir), group, arm, n (configurations), rank, and its 95% interval
        (rank_low, rank_high), which is nan for fewer than five configurations.
    """
    rows = []
    for metric, cells in cells_of.items():
        for by, group, part in list_groups(cells):
            part = part.where(part.shared().any(axis=1))
            ranks = rank(part.means())
            averages = mean_of_known(ranks, axis=0)
            low = high = np.full(len(part.arms), np.nan)
            if len(ranks) >= MIN_CONFIGURATIONS:
                draws = draw_scores(part, n_draws=_N_DRAWS)
                drawn = [mean_of_known(one.ranks, axis=1) for one in draws]
                low, high = _clipped(interval(averages, np.concatenate(drawn)), len(part.arms))
            counts = np.sum(~np.isnan(ranks), axis=0)
            values = zip(part.arms, counts, averages, low, high, strict=True)
            rows += [(metric, by, group, *value) for value in values]
    columns = ["metric", "by", "group", "arm", "n", "rank", "rank_low", "rank_high"]
    return pd.DataFrame(rows, columns=columns)


def make_groups_table(name: str, ranks: pd.DataFrame) -> Table:
    """Make the table of the ranks of `compute_group_ranks`, the data of Figure 4."""
    sizes = ranks.groupby(["by", "group"], sort=False)["n"].max()
    metrics = names.in_order(ranks["metric"], METRICS)
    keys = zip(ranks["metric"], ranks["by"], ranks["group"], ranks["arm"], strict=True)
    found = dict(zip(keys, ranks["rank"], strict=True))
    rows = []
    for arm in names.arms_in_order(ranks["arm"]):
        row = [Cell(names.arm(arm))]
        for by, group in sizes.index:
            values = [found.get((metric, by, group, arm), np.nan) for metric in metrics]
            row.append(Cell("/".join(format_number(value, 2) for value in values), sort=values[0]))
        rows.append(row)
    header = ["Method", *(f"{group} (n = {n})" for (_, group), n in sizes.items())]
    shown = "/".join(METRICS[metric] for metric in metrics)
    caption = f"Average ranks of {shown} by classifier and by imbalance ratio"
    return Table(name, caption, header, rows, ranks)


def compute_hyperparameter_ranks(cells_of: Mapping[str, Cells]) -> pd.DataFrame:
    """Compute ranks and scores of arms such as "G2=5" among those of the same hyperparameter.

    Returns
    -------
    DataFrame
        metric, parameter, value, arm, n (configurations), rank, score, each with its 95% interval
        (_low, _high), which is nan for fewer than five configurations. Empty without such arms.
    """
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
        low, high = _clipped(ends, len(part.arms)) if name == "rank" else ends
        known = n >= MIN_CONFIGURATIONS
        found |= {
            name: estimate,
            f"{name}_low": np.where(known, low, np.nan),
            f"{name}_high": np.where(known, high, np.nan),
        }
    return [{name: values[a] for name, values in found.items()} for a in range(len(part.arms))]


def _clipped(ends: tuple[np.ndarray, np.ndarray], n_arms: int) -> tuple[np.ndarray, np.ndarray]:
    return np.clip(ends[0], 1, n_arms), np.clip(ends[1], 1, n_arms)


def make_hyperparameters_table(name: str, caption: str, ranks: pd.DataFrame) -> Table:
    """Make the table of the ranks of `compute_hyperparameter_ranks`, the data of Figure 6."""
    rows = [
        [
            Cell(METRICS[row["metric"]]),
            Cell(row["arm"]),
            Cell(str(row["n"]), sort=row["n"]),
            format_estimate(row, "rank", 2),
            format_estimate(row, "score", 3),
        ]
        for row in ranks.to_dict("records")
    ]
    groups = list(zip(ranks["metric"], ranks["parameter"], strict=True))
    header = ["Metric", "Value", "n", "Rank [95%]", "Test score [95%]"]
    notes = ["Ranks among the values of one hyperparameter, the others at their defaults."]
    return Table(name, caption, header, rows, ranks, n_text=2, groups=groups, notes=notes)
