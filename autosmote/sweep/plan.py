"""The plan of a sweep: its units, what of them is done, and how long the rest may take."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autosmote.config.schema import SEARCHES, search_settings
from autosmote.config.search import SearchConfig
from autosmote.records import collected
from autosmote.records import record as records
from autosmote.runs import unit as units
from autosmote.runs.unit import Data, Run
from autosmote.sweep.settings import SweepConfig, expand, grid_arms

if TYPE_CHECKING:
    import pandas as pd


_ALIKE = ("sampler", "dataset", "clf", "reward", "ir")
"""What makes runs take as long as each other, the most telling first."""


class _Mean(NamedTuple):
    """Seconds per iteration of a search, or of a run, and the number of records behind them."""

    alone: float
    shared: float
    n: int


@dataclass(frozen=True)
class Unit:
    """Runs that share a resampling, with what their seconds are expected to be."""

    runs: tuple[Run, ...]
    seconds: float
    n_records: int
    """That the expectation rests on; 0 for a rough guess."""

    @property
    def sampler(self) -> str:
        return self.runs[0].config.sampler.name

    @property
    def title(self) -> str:
        config = self.runs[0].config
        return f"{config.sampler.name} on {config.dataset.name}"


@dataclass(frozen=True)
class Plan:
    """All runs of a sweep.

    Attributes
    ----------
    units : list of Unit
        Long ones first, so that none is left for the end.
    rows : list of dict
        Of the plan's table: a run's key, the label of its arm, and what it is.
    statuses : dict
        Status by key of the runs that have a record, here or among the collected ones.
    """

    units: list[Unit]
    rows: list[dict[str, Any]]
    statuses: dict[str, str]

    def is_missing(self, run: Run) -> bool:
        status = self.statuses.get(run.key)
        return status is None or run.is_repeated(status)

    def to_do(self) -> list[Unit]:
        """The units that have runs to be done, with these alone."""
        left = []
        for unit in self.units:
            if runs := tuple(run for run in unit.runs if self.is_missing(run)):
                share = unit.seconds * len(runs) / len(unit.runs)
                left.append(Unit(runs, share, unit.n_records))
        return left


def make_plan(config: SweepConfig, data: Data) -> Plan:
    """Plan a sweep: what it needs, what is done, in which order the rest is best done.

    Raises
    ------
    UserError
        For mistakes in the settings or the data.
    """
    labels, configs = zip(*expand(config), strict=True)
    for run_config in configs:
        if run_config.sampler.kind in SEARCHES:
            search_settings(run_config.sampler, run_config.search).check()
    planned = units.plan(configs, data)
    # A ratio that the data cannot have is said now, not by each unit.
    firsts = {(run.config.dataset.name, run.config.ir): run.config for (run, *_) in planned}
    for run_config in firsts.values():
        data.split(run_config)
    of_config = {id(run.config): run for unit in planned for run in unit}
    folder = Path(config.results_dir) / config.name
    found = collected.read_records(folder)
    estimate = Estimate(found, collected.read_costs(folder))
    sources = {arm.label: source for source, arm in grid_arms(config.grid)}
    rows = [
        _row(label, _run_of(run_config, of_config, data), sources.get(label))
        for label, run_config in zip(labels, configs, strict=True)
    ]
    long_first = sorted(
        (Unit(tuple(unit), *estimate.unit(unit, data)) for unit in planned),
        key=lambda unit: -unit.seconds,
    )
    return Plan(long_first, rows, _statuses(found, planned))


def _run_of(config: Any, of_config: dict[int, Run], data: Data) -> Run:
    """The run of a configuration, which may be that of an equal one."""
    return of_config.get(id(config)) or units.plan([config], data)[0][0]


def _row(label: str, run: Run, source: str | None) -> dict[str, Any]:
    """Return a row of the plan's table; of an arm of a grid with its source and rule."""
    config, search = run.config, run.config.search
    of_grid: dict[str, Any] = {}
    if source is not None:
        keep = None if search.final == "best" else search.keep
        of_grid = {"source": source, "reward": search.reward, "final": search.final, "keep": keep}
    return {
        "key": run.key,
        "arm": label,
        "dataset": config.dataset.name,
        "ir": run.identity["ir"],
        "clf": config.clf.name,
        "sampler": config.sampler.name,
        "metric": config.metric,
        "seed": config.seed,
        **of_grid,
    }


def _statuses(table: pd.DataFrame, planned: Iterable[Sequence[Run]]) -> dict[str, str]:
    """By the records in runs/, and by the collected ones where these are gone."""
    known = dict(zip(table["key"], table["status"], strict=True))
    found = {}
    for run in (run for unit in planned for run in unit):
        record = records.read_record(run.folder)
        if status := record["status"] if record else known.get(run.key):
            found[run.key] = status
    return found


class Estimate:
    """Seconds that units will take, from those that others took.

    Runs as alike as there are tell: first those of the same sampler, dataset, classifier, reward
    and ratio, at last those of the sampler alone.

    Parameters
    ----------
    found : DataFrame
        Of `collected.read_records`.
    costs : DataFrame
        Of `collected.read_costs`.
    """

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
        # By what they have in common, which is as long as it is telling.
        self._means: dict[tuple[Any, ...], _Mean] = {}
        for n in range(1, len(_ALIKE) + 1):
            self._means |= self._mean_by(table, list(_ALIKE[:n]))

    @staticmethod
    def _mean_by(table: pd.DataFrame, by: list[str]) -> dict[tuple[Any, ...], _Mean]:
        means = table.groupby(by).agg(
            alone=("alone", "mean"), shared=("shared", "mean"), n=("key", "size")
        )
        return {
            key if isinstance(key, tuple) else (key,): _Mean(alone, shared, int(n))
            for key, alone, shared, n in means.itertuples()
        }

    def _of(self, run: Run) -> _Mean | None:
        config = run.config
        alike = (
            config.sampler.name,
            config.dataset.name,
            config.clf.name,
            config.search.reward,
            run.identity["ir"],
        )
        known = (self._means.get(alike[:n]) for n in range(len(alike), 0, -1))
        return next((mean for mean in known if mean), None)

    def unit(self, runs: Sequence[Run], data: Data) -> tuple[float, int]:
        """Seconds of a unit, and the number of records that they come from."""
        config = runs[0].config
        found = [mean for run in runs if (mean := self._of(run))]
        if not found:  # of a sampler, either all have records or none
            return self._guess(runs, data), 0
        n = min(mean.n for mean in found)
        if config.sampler.kind in SEARCHES:  # its scoring is a part of it, not another step
            mean = found[0]
            iterations = search_settings(config.sampler, config.search).iterations
            return iterations * (2 * mean.alone + mean.shared), n
        shared = sum(mean.shared for mean in found) / len(found)
        return sum(mean.alone for mean in found) + shared, n

    @staticmethod
    def _guess(runs: Sequence[Run], data: Data) -> float:
        """Without any record: rough, but it puts long units first."""
        config = runs[0].config
        size = len(data.dataset(config).y) / 10_000
        if config.sampler.kind in SEARCHES:
            iterations = search_settings(config.sampler, config.search).iterations
            return 5 + iterations * 0.02 * math.sqrt(size)
        per_kind = {"none": 0.2, "resampler": 2.0 * (10 if config.sampler.takes_ratio else 1)}
        return size * per_kind.get(config.sampler.kind, 100.0)


def overview(plan: Plan, workers: int | None = None) -> str:
    """What a plan holds, by sampler: runs, done, failed, left, core-hours to go; and the hours
    that so many workers take."""
    left: dict[str, list[Unit]] = {}
    for unit in plan.to_do():
        left.setdefault(unit.sampler, []).append(unit)
    runs: dict[str, list[str | None]] = {}
    for unit in plan.units:
        statuses = [plan.statuses.get(run.key) for run in unit.runs]
        runs.setdefault(unit.sampler, []).extend(statuses)
    width = max(len("all"), *(len(name) for name in runs))
    lines = [
        f"{'sampler':{width}} {'runs':>6} {'done':>6} {'failed':>6} {'to do':>6} "
        f"{'core-hours':>10}  from"
    ]
    total = 0.0
    for name, statuses in sorted(runs.items(), key=lambda item: (-_hours(left, item[0]), item[0])):
        ok = statuses.count("ok")
        failed = len(statuses) - ok - statuses.count(None)
        to_do = sum(len(unit.runs) for unit in left.get(name, ()))
        hours = _hours(left, name)
        total += hours
        n = max((unit.n_records for unit in left.get(name, ())), default=None)
        basis = "" if n is None else f"{n} records" if n else "a rough guess"
        counts = f"{len(statuses):>6} {ok:>6} {failed:>6} {to_do:>6}"
        lines.append(f"{name:{width}} {counts} {hours:>10.2f}  {basis}")
    every = [status for statuses in runs.values() for status in statuses]
    ok, to_do = every.count("ok"), sum(len(unit.runs) for units in left.values() for unit in units)
    lines.append(
        f"{'all':{width}} {len(every):>6} {ok:>6} {len(every) - ok - every.count(None):>6} "
        f"{to_do:>6} {total:>10.2f}"
    )
    if workers and total:
        lines.append(f"about {total / workers:.1f} hours with {workers} workers")
    return "\n".join(line.rstrip() for line in lines)


def _hours(left: dict[str, list[Unit]], name: str) -> float:
    return sum(unit.seconds for unit in left.get(name, ())) / 3600
