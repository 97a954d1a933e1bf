"""Run units in jobs of SLURM, through submitit: each job is a local pool on the same plan."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from autosmote.errors import UnreadableError, UserError, describe_error
from autosmote.isolation.local_jobs import end_local_jobs
from autosmote.runs.execute import check_outcome
from autosmote.runs.in_process import Outcome
from autosmote.runs.unit import Data, missing
from autosmote.sweep.local_pool import LocalPool
from autosmote.sweep.plan import Unit, make_plan
from autosmote.sweep.settings import SweepConfig

_JOBS = 8
_POLL = 2.0


class SubmititJobs:
    """Launcher that submits an array of jobs; each does the units that no other has claimed.

    Parameters
    ----------
    config : SweepConfig
        `workers` is the number of jobs; its `submitit` are parameters of the executor, of which
        `cluster` (slurm, local) and `cpus_per_task` are the first to set.

    Raises
    ------
    UserError
        Without the package, or with parameters that it does not know.
    """

    def __init__(self, config: SweepConfig) -> None:
        try:
            import submitit
        except ImportError as error:
            raise UserError(
                "launcher=submitit needs the extra `submitit`: pip install -e '.[submitit]'"
            ) from error
        self.workers = config.workers or _JOBS
        self._config = replace(config, results_dir=os.path.abspath(config.results_dir))
        parameters = {"timeout_min": 24 * 60} | config.submitit
        self._folder = Path(self._config.results_dir) / ".submitit"
        try:
            self._executor = submitit.AutoExecutor(
                folder=self._folder, cluster=parameters.pop("cluster", None)
            )
            self._executor.update_parameters(name=f"autosmote-{config.name}", **parameters)
        except (RuntimeError, NameError, ValueError, TypeError) as error:
            raise UserError(f"submitit refuses submitit={config.submitit}: {error}") from error

    def run(self, units: Sequence[Unit]) -> Generator[tuple[str, Unit, Outcome | None], None, None]:
        """Do units as `LocalPool.run` does; they begin and end as their records appear."""
        left = list(units)
        if not left:
            return
        n_jobs = min(self.workers, len(left))
        planned = {run.key: run.planned for unit in left for run in unit.runs if run.planned}
        jobs = self._executor.map_array(
            _job, [self._config] * n_jobs, range(n_jobs), [planned] * n_jobs
        )
        try:
            over = False
            while left:
                over = all(job.done() for job in jobs)  # before the look at the records
                for unit in list(left):
                    if not missing(unit.runs):
                        left.remove(unit)
                        yield "begin", unit, None
                        yield "end", unit, Outcome("done", _statuses(unit))
                if over:
                    break
                time.sleep(_POLL)
            outcome = _why_left(jobs) if left else None
            for unit in left:  # that no job began, or ended: no failure of theirs
                yield "begin", unit, None
                yield "end", unit, outcome
        finally:
            end_local_jobs()  # submitit's own cancelling is ignored below a shell's background
            for job in jobs:
                if not job.done():
                    job.cancel()


def _statuses(unit: Unit) -> tuple[str, ...]:
    return tuple(record["status"] for run in unit.runs if (record := run.record()))


def _why_left(jobs: Sequence[Any]) -> Outcome:
    """Return what is said of units that have no record though all jobs have ended."""
    errors = [job.exception() for job in jobs]
    for job, error in zip(jobs, errors, strict=True):
        if error is None and (mistake := job.result()):
            return Outcome("unreadable", error=mistake)
    found = [describe_error(error) for error in errors if error]
    return Outcome("left", error=found[0] if found else None)


def _as_planned(unit: Unit, planned: Mapping[str, Any]) -> Unit:
    runs = tuple(replace(run, planned=planned.get(run.key)) for run in unit.runs)
    return replace(unit, runs=runs)


def _job(config: SweepConfig, index: int, planned: Mapping[str, Any]) -> str | None:
    """Do, as one job, all units that no other process does, from a start of its own in the plan.

    `planned` are stamps by key of the records that the sweep repeats: what is there beside them
    when this job begins was done by another one. Returns the sentence on what could not be read.
    """
    data, mistake = Data(), None
    try:
        plan = make_plan(config, data)
    except UnreadableError as error:  # here: the sweep's own machine has read them
        return str(error)
    units = [_as_planned(unit, planned) for unit in plan.to_do()]
    units = units[index:] + units[:index] if index < len(units) else units
    pool = LocalPool(data, unit_seconds=config.unit_seconds, unit_memory_mb=config.unit_memory_mb)
    for _, _, outcome in pool.run(units):
        if outcome and outcome.state == "unreadable":
            mistake = outcome.error
        elif outcome:
            check_outcome(outcome)
    return mistake
