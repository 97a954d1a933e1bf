"""Ranks by classifier and by imbalance ratio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import METRICS
from autosmote.reports.render.table import LOWEST, Cell, Table, format_number, places_of, spread
from autosmote.reports.statistics.bootstrap import draw_scores, interval
from autosmote.reports.statistics.ranks import mean_of_known, rank
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS

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
        (rank_low, rank_high), which is nan for fewer than five configurations; where there is an
        extended test, the same on it, with names that begin with extended_.
    """
    found = _rank_groups(cells_of)
    extended = {metric: cells.on_extended() for metric, cells in cells_of.items()}
    on_extended = _rank_groups({metric: cells for metric, cells in extended.items() if cells})
    if on_extended.empty:
        return found
    by = ["metric", "by", "group", "arm"]
    names_of = {name: f"extended_{name}" for name in on_extended if name not in by}
    return found.merge(on_extended.rename(columns=names_of), on=by, how="left")


def _rank_groups(cells_of: Mapping[str, Cells]) -> pd.DataFrame:
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
                low, high = np.clip(interval(averages, np.concatenate(drawn)), 1, len(part.arms))
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
    found = dict(zip(keys, ranks.to_dict("records"), strict=True))
    has_extended = "extended_rank" in ranks
    rows = []
    arms = names.arms_in_order(ranks["arm"])
    for arm in arms:
        row = [Cell(names.arm(arm))]
        for by, group in sizes.index:
            for metric in metrics:
                of = found.get((metric, by, group, arm), {})
                text, beside = (
                    format_number(of.get(what, np.nan), 2) for what in ("rank", "extended_rank")
                )
                row.append(Cell(text, beside * has_extended, of.get("rank")))
        rows.append(row)
    heads = [f"{group} (n = {n})" for (_, group), n in sizes.items()]
    header, spans = spread(["Method"], heads, [METRICS[metric] for metric in metrics])
    caption = "Average ranks by classifier and by imbalance ratio"
    notes = ["Beside each rank: that on the extended test."] * has_extended
    return Table(
        name,
        caption,
        header,
        rows,
        ranks,
        spans=spans,
        notes=notes,
        best=dict.fromkeys(range(1, len(header)), LOWEST),
        pinned=places_of(names.FULL, arms),
        choices="Classifier or ratio",
    )
