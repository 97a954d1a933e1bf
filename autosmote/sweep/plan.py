"""Plan of a sweep: its units, the status of their runs, and the expected seconds of the rest."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autosmote.errors import UserError
from autosmote.records import collected
from autosmote.records.files import read_record
from autosmote.records.identity import PROTOCOL_VERSION
from autosmote.runs.unit import Data, Run
from autosmote.runs.unit import plan as plan_units
from autosmote.sweep.estimate import Estimate
from autosmote.sweep.settings import SweepConfig, expand, grid_arms, list_beside
from autosmote.sweep.variants import by_label

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Unit:
    """Runs that share a resampling, with the seconds that they are expected to take."""

    runs: tuple[Run, ...]
    seconds: float
    n_records: int
    """Number of records behind the expectation; 0 for a rough guess."""

    @property
    def sampler(self) -> str:
        return self.runs[0].config.sampler.name

    @property
    def title(self) -> str:
        config = self.runs[0].config
        return f"{config.sampler.name} on {config.dataset.name}"


@dataclass(frozen=True)
class Plan:
    """Units, table rows and statuses of a sweep.

    Attributes
    ----------
    units : list of Unit
        Long ones first, so that none is left for the end.
    rows : list of dict
        Of the plan's table: a run's key, the label of its arm, and its settings.
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
        """Return the units that have runs to be done, with these alone."""
        left = []
        for unit in self.units:
            if runs := tuple(run for run in unit.runs if self.is_missing(run)):
                share = unit.seconds * len(runs) / len(unit.runs)
                left.append(Unit(runs, share, unit.n_records))
        return left


def make_plan(config: SweepConfig, data: Data) -> Plan:
    """Plan a sweep: its units, those with long runs first, and which of its runs are done.

    Raises
    ------
    UserError
        For mistakes in the settings or the data.
    """
    labels, configs = zip(*expand(config), strict=True)
    planned = plan_units(configs, data)
    of_config = {id(run.config): run for unit in planned for run in unit}
    folder = Path(config.results_dir) / config.name
    found = collected.read_records(folder)
    samplers = {one.sampler.name for one in configs}
    estimate = Estimate(*_alike(config.results_dir, folder, found, samplers))
    sources = {arm.label: source for source, arm in grid_arms(config.grid)}
    variants, beside = by_label(config.variants), list_beside(config)
    rows = []
    for label, run_config in zip(labels, configs, strict=True):
        row = _row(label, _run_of(run_config, of_config, data), sources.get(label))
        if label in variants:  # it stands beside the arm whose classifier it replaces
            row["clf"] = variants[label].replaced(row["clf"])
        if label in beside:
            row[collected.BESIDE] = True
        rows.append(row)
    long_first = sorted(
        (Unit(tuple(unit), *estimate.unit(unit, data)) for unit in planned),
        key=lambda unit: -unit.seconds,
    )
    return Plan(long_first, rows, _statuses(found, planned))


def _alike(
    results_dir: str, own: Path, found: pd.DataFrame, samplers: Collection[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the records of some samplers, in all experiments of this protocol, and their costs.

    `found` are the experiment's own records.
    """
    import pandas as pd

    records, costs = [], []
    for path in sorted(Path(results_dir).glob(f"*/{collected.RECORDS}")):
        # A damaged table of another experiment costs its estimates alone.
        with nullcontext() if path.parent == own else suppress(UserError):
            table = found if path.parent == own else collected.read_records(path.parent)
            is_alike = table["sampler"].isin(samplers)
            is_alike &= table["protocol_version"] == PROTOCOL_VERSION
            if is_alike.any():
                records.append(table[is_alike])
                costs.append(collected.read_costs(path.parent))
    if not records:
        return found[:0], collected.read_costs(own)[:0]
    # An experiment may share runs with another one.
    return pd.concat(records).drop_duplicates("key"), pd.concat(costs).drop_duplicates("key")


def _run_of(config: Any, of_config: dict[int, Run], data: Data) -> Run:
    """Return the run of a configuration, which may be that of an equal one."""
    return of_config.get(id(config)) or plan_units([config], data)[0][0]


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
    """Return statuses by the records in runs/, or by the collected ones where these are gone.

    A damaged record is not gone: its run is done again.
    """
    known = dict(zip(table["key"], table["status"], strict=True))
    found = {}
    for run in (run for unit in planned for run in unit):
        if record := read_record(run.folder):
            found[run.key] = record["status"]
        elif run.key in known and not os.path.lexists(run.folder / "record.json"):
            found[run.key] = known[run.key]
    return found


def overview(plan: Plan, workers: int | None = None) -> str:
    """Return a table of a plan by sampler: runs, done, failed, to do and core-hours to go.

    With a number of workers, a last line says how many hours they take.
    """
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
