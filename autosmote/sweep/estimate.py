"""Estimates of the seconds that runs take, from the records of runs like them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from autosmote.config.kinds import KINDS
from autosmote.config.search import SearchConfig

if TYPE_CHECKING:
    import pandas as pd

    from autosmote.runs.unit import Data, Run


class Mean(NamedTuple):
    """Means of some columns over `n` records."""

    values: tuple[float, ...]
    n: int


class MeansOfAlike:
    """Means over the records that are most alike.

    Parameters
    ----------
    table : DataFrame
        A row per record.
    alike : sequence of str
        Columns that tell which records are alike, the most telling first. The first is needed.
    values : sequence of str
        Columns to average.
    """

    def __init__(self, table: pd.DataFrame, alike: Sequence[str], values: Sequence[str]) -> None:
        self._means: dict[tuple[Any, ...], Mean] = {}
        for n in range(1, len(alike) + 1):
            groups = table.groupby(list(alike[:n]))
            means, sizes = groups[list(values)].mean(), groups.size()
            for (key, *found), size in zip(means.itertuples(name=None), sizes, strict=True):
                self._means[key if isinstance(key, tuple) else (key,)] = Mean(tuple(found), size)

    def of(self, *alike: Any) -> Mean | None:
        """Return the means by as many of these values, in the columns' order, as records share."""
        known = (self._means.get(alike[:n]) for n in range(len(alike), 0, -1))
        return next((mean for mean in known if mean), None)


class Estimate:
    """Seconds that units will take, from the collected records and costs of others."""

    def __init__(self, found: pd.DataFrame, costs: pd.DataFrame) -> None:
        import pandas as pd

        table = found.merge(costs, on="key")
        # Records from before there was a choice of rewards do not name theirs.
        searches = [json.loads(text)["search"] for text in table["config"]]
        table["reward"] = [search.get("reward", SearchConfig.reward) for search in searches]
        # A search's time grows with its iterations, which differ from budget to budget.
        per = pd.to_numeric(table["iterations"]).fillna(1).clip(lower=1)
        # What served several runs of a unit counts in each of them.
        shared = table["seconds.total"] - table["seconds.score"]
        table["alone"] = table["seconds.score"].fillna(0) / 2 / per  # both metrics have it
        table["shared"] = shared.clip(lower=0).fillna(0) / per
        alike = ("sampler", "dataset", "clf", "reward", "ir")
        self._means = MeansOfAlike(table, alike, ("alone", "shared"))

    def unit(self, runs: Sequence[Run], data: Data) -> tuple[float, int]:
        """Return the seconds of a unit, and the number of records that they come from.

        The number is 0 for a rough guess.
        """
        found = [mean for run in runs if (mean := self._of(run))]
        if not found:  # of a sampler, either all have records or none
            return _guess(runs[0], data), 0
        n = min(mean.n for mean in found)
        if search := runs[0].search:  # its scoring is a part of it, not another step
            alone, shared = found[0].values
            return search.iterations * (2 * alone + shared), n
        alone = sum(mean.values[0] for mean in found)
        return alone + sum(mean.values[1] for mean in found) / len(found), n

    def _of(self, run: Run) -> Mean | None:
        config = run.config
        return self._means.of(
            config.sampler.name,
            config.dataset.name,
            config.clf.name,
            config.search.reward,
            run.identity["ir"],
        )


def _guess(run: Run, data: Data) -> float:
    """Return seconds for want of any record: rough, but enough to put long units first."""
    sampler = run.config.sampler
    size = len(data.dataset(run.config).y) / 10_000
    if run.search:
        return 5 + run.search.iterations * 0.02 * math.sqrt(size)
    return size * KINDS[sampler.kind].seconds * (10 if sampler.takes_ratio else 1)
