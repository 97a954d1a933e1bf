"""Summary of an experiment: the rows of all metrics, on both tests, looked up by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import FULL, METRICS, OVERALL
from autosmote.reports.studies.summarise import COLUMNS, summarise

_ON_TEST = [
    name
    for name in COLUMNS
    if name not in ("metric", "column", "arm", "n_planned", "imputed", "runs")
    and not name.startswith("validation_")
]
"""What the extended test changes: columns that it has with a name of its own."""
_NO_ROW = {"n": 0, "n_planned": 0} | dict.fromkeys(
    ("rank", "score", "validation_gain", "test_gain"), np.nan
)


def summarise_all(
    cells_of: Mapping[str, Cells], beside: Sequence[str], paper: pd.DataFrame
) -> Summary | None:
    """Summarise all metrics, on the test part and on the extended test where there is one.

    Parameters
    ----------
    cells_of : dict of str to Cells
        By metric, those of the arms beside among them.
    beside : sequence of str
        Arms that are ranked each alone among the others.
    paper : DataFrame
        Of `autosmote.reports.paper.read_paper_ranks`.

    Returns
    -------
    Summary or None
        None if no arms have a seed in common.
    """
    rows = _rows(cells_of, beside)
    extended = {metric: cells.on_extended() for metric, cells in cells_of.items()}
    found = _rows({metric: cells for metric, cells in extended.items() if cells}, beside)
    # The paper has no extended test to compare with.
    on_extended = (
        None if found.empty else Summary(found, paper.iloc[:0], beside, test="extended test")
    )
    return None if rows.empty else Summary(rows, paper, beside, on_extended)


def _rows(cells_of: Mapping[str, Cells], beside: Sequence[str]) -> pd.DataFrame:
    has_full = any(FULL in cells.arms for cells in cells_of.values())
    reference = FULL if has_full else None
    found = []
    for cells in cells_of.values():
        others = [arm for arm in cells.arms if arm not in beside]
        found.append(summarise(cells.only(others), reference))
        for arm in (arm for arm in beside if arm in cells.arms):
            found.append(summarise(cells.only([*others, arm]), reference, [arm]))
    known = [rows for rows in found if len(rows)]
    return pd.concat(known, ignore_index=True) if known else pd.DataFrame()


class Summary:
    """Rows of `summarise` of all metrics, with the paper's beside them, looked up by name.

    Attributes
    ----------
    rows : DataFrame
    metrics, columns : list of str
    arms, beside : list of str
        Those that are ranked together, and those that are ranked each alone among them.
    test : str
        What its scores are of: "test part" or "extended test".
    extended : Summary or None
        The same on the extended test; None where no record has one.
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        paper: pd.DataFrame,
        beside: Sequence[str] = (),
        extended: Summary | None = None,
        test: str = "test part",
    ) -> None:
        by = ["metric", "column", "arm"]
        printed = paper.rename(columns={"rank": "paper_rank", "better": "paper_better"})
        self.rows = rows.merge(printed, on=by, how="left")
        self.metrics = names.in_order(rows["metric"], METRICS)
        self.columns = names.in_order(set(rows["column"]) - {OVERALL}, names.DATASETS) + [OVERALL]
        arms = names.arms_in_order(rows["arm"])
        self.arms = [arm for arm in arms if arm not in beside]
        self.beside = [arm for arm in arms if arm in beside]
        self.test = test
        self.extended = extended
        keys = zip(*(self.rows[name] for name in by), strict=True)
        self._rows = dict(zip(keys, self.rows.to_dict("records"), strict=True))

    @property
    def judged(self) -> Summary:
        """The summary that conclusions are drawn on: that of the extended test if there is one."""
        return self.extended or self

    def data(self) -> pd.DataFrame:
        """Return the rows, with what the extended test says in columns of their own.

        A column `beside` marks the arms that are ranked each alone among the others.
        """
        table = self.rows
        if self.beside:
            table = table.assign(beside=table["arm"].isin(self.beside))
        if self.extended is None:
            return table
        by = ["metric", "column", "arm"]
        kept = self.extended.rows[[*by, *_ON_TEST]]
        return table.merge(
            kept.rename(columns={name: f"extended_{name}" for name in _ON_TEST}), on=by, how="left"
        )

    def get(self, metric: str, column: str, arm: str) -> dict[str, Any]:
        """Return a row; with n = 0 where there is none."""
        return self._rows.get((metric, column, arm), _NO_ROW)

    def n(self, column: str) -> int:
        """Return the number of configurations of a column."""
        return max(
            self.get(metric, column, arm)["n"] for metric in self.metrics for arm in self.arms
        )

    def ordered(self, metric: str) -> list[str]:
        """Return the arms with a score, from the best overall rank to the worst."""
        ranks = {arm: self.get(metric, OVERALL, arm)["rank"] for arm in self.arms}
        known = [arm for arm in self.arms if not np.isnan(ranks[arm])]
        return sorted(known, key=lambda arm: (ranks[arm], arm))

    def spearman(self, metric: str, column: str) -> tuple[float, int]:
        """Return the rank correlation with the paper's column, and over how many arms."""
        rows = self.rows[(self.rows["metric"] == metric) & (self.rows["column"] == column)]
        both = rows.dropna(subset=["rank", "paper_rank"])
        if len(both) < 3:
            return np.nan, len(both)
        return float(spearmanr(both["rank"], both["paper_rank"]).statistic), len(both)

    def imputed(self, arm: str) -> tuple[int, int]:
        """Return the numbers of imputed and of all runs of an arm."""
        found = [self.get(metric, OVERALL, arm) for metric in self.metrics]
        return sum(row.get("imputed", 0) for row in found), sum(row.get("runs", 0) for row in found)
