"""Estimates of the seconds that runs take, from the records of runs like them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
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
        import numpy as np
        import pandas as pd

        table = found.merge(costs, on="key")
        # Records from before there was a choice of rewards do not name theirs.
        configs = [json.loads(text) for text in table["config"]]
        table["reward"] = [
            config.get("search", {}).get("reward", SearchConfig.reward) for config in configs
        ]
        # A search's time grows with its iterations, which differ from budget to budget, and that of
        # what a class learns with its steps, if its settings tell them.
        per = pd.to_numeric(table["iterations"]).fillna(1).clip(lower=1)
        steps = [_steps(config.get("sampler", {})) for config in configs]
        table["counted"] = table["sampler"] + [f" by {name}" for name, _ in steps]
        n_steps = np.array([n for _, n in steps])
        # What served several runs of a unit counts in each of them.
        shared = table["seconds.total"] - table["seconds.score"]
        table["alone"] = table["seconds.score"].fillna(0) / 2 / per  # both metrics have it
        table["shared"] = shared.clip(lower=0).fillna(0) / per / n_steps
        alike = ("counted", "dataset", "clf", "reward", "ir")
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
        _, n_steps = _steps(asdict(runs[0].config.sampler))
        return alone + n_steps * sum(mean.values[1] for mean in found) / len(found), n

    def _of(self, run: Run) -> Mean | None:
        config = run.config
        return self._means.of(
            f"{config.sampler.name} by {_steps(asdict(config.sampler))[0]}",
            config.dataset.name,
            config.clf.name,
            config.search.reward,
            run.identity["ir"],
        )


def _steps(sampler: Mapping[str, Any]) -> tuple[str | None, float]:
    """Return the param of a sampler's settings that counts its steps, and their number."""
    name = sampler.get("steps")
    params = sampler.get("params", {})
    return (name, float(params[name])) if name in params else (None, 1.0)


def _guess(run: Run, data: Data) -> float:
    """Return seconds for want of any record: rough, but enough to put long units first."""
    sampler = run.config.sampler
    size = len(data.dataset(run.config).y) / 10_000
    if run.search:
        return 5 + run.search.iterations * 0.02 * math.sqrt(size)
    return size * KINDS[sampler.kind].seconds * (10 if sampler.takes_ratio else 1)
