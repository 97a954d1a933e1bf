"""The command `python -m autosmote.sweep`: plan, run what is missing, collect, report.

Exit status: 0 all is done, 1 some runs failed or could not be written, 2 a mistake of the user,
130 interrupted by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""

from __future__ import annotations

import logging
import re
import shlex
import sys
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any, Protocol

from autosmote.config.commandline import FAILED, run_command
from autosmote.config.schema import register_schema
from autosmote.errors import UserError
from autosmote.progress import UnitProgress, duration
from autosmote.records.files import check_writable
from autosmote.runs.execute import check_outcome, show_progress
from autosmote.runs.in_process import Outcome
from autosmote.runs.unit import Data
from autosmote.sweep import collect as gather
from autosmote.sweep.local_pool import LocalPool
from autosmote.sweep.plan import Plan, Unit, make_plan, overview
from autosmote.sweep.settings import PLANNED, SweepConfig, check, plan_name

logger = logging.getLogger("autosmote")

_SHOWN_FAILURES = 20
_OF_THE_TABLES = ("experiment=", "budget=", "allow_missing=", *PLANNED)

_FOLDER_OF_POLICIES = re.compile(r"(init_from[=:]\s*)[^,{}\[\]]*/")
"""A folder of this machine, which a plan that is published does not name."""

Message = tuple[str, Unit, Outcome | None]


class Launcher(Protocol):
    """Runs units, here or elsewhere."""

    workers: int

    def run(self, units: Sequence[Unit]) -> Generator[Message, None, None]:
        """Yield ("begin", unit, None) and ("end", unit, outcome) as they come."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sweep of a command line; return the exit status."""
    register_schema("sweep_schema", SweepConfig)
    return run_command(sys.argv[1:] if argv is None else argv, "sweep", SweepConfig, _job)


def _job(config: SweepConfig) -> int:
    from hydra.core.hydra_config import HydraConfig

    overrides = list(HydraConfig.get().overrides.task)
    config = replace(config, budget=plan_name(config.budget, overrides))
    # The settings that determine the tables, in a fixed order: not those of this machine.
    kept = [
        _FOLDER_OF_POLICIES.sub(r"\1", word)
        for start in _OF_THE_TABLES
        for word in overrides
        if word.lstrip("+").startswith(start)
    ]
    return sweep(config, shlex.join(["python", "-m", "autosmote.sweep", *kept]))


def sweep(config: SweepConfig, command: str = "") -> int:
    """Plan a sweep, do what is missing of it, collect its records and write its reports.

    Parameters
    ----------
    config : SweepConfig
    command : str
        The command line, for the plan.

    Returns
    -------
    int
        0, or 1 where some runs failed, or were left because their jobs ended.

    Raises
    ------
    UserError
        For mistakes in the settings or the data, and where something cannot be read or written.
    KeyboardInterrupt
        Records that are finished stay, and are collected.
    """
    check(config)
    check_writable(config.results_dir)
    data = Data()
    plan = make_plan(config, data)
    if config.dry_run:  # no cluster is started for it
        print(overview(plan, make_launcher(replace(config, launcher="local"), data).workers))
        return 0
    print(overview(plan), flush=True)
    launcher = make_launcher(config, data)
    to_do = plan.to_do()
    expected = sum(unit.seconds for unit in to_do)
    logger.info(
        "%s, budget %s: %d runs in %d units; %d runs left in %d units, about %s with %d workers%s",
        config.name,
        config.budget,
        sum(len(unit.runs) for unit in plan.units),
        len(plan.units),
        sum(len(unit.runs) for unit in to_do),
        len(to_do),
        duration(expected / launcher.workers),
        launcher.workers,
        "" if all(unit.n_records for unit in to_do) else " (partly a rough guess)",
    )
    with _writing():
        gather.write_plan(config, plan, command)
        try:
            left = _run(config, plan, to_do, launcher)
        except KeyboardInterrupt:
            gather.collect(config, plan)
            print("autosmote: start the same command again to go on.", file=sys.stderr)
            raise
        n_ok, failed = gather.collect(config, plan)
        _summarise(plan, n_ok, failed)
        if unreadable := [outcome.error for outcome in left if outcome.state == "unreadable"]:
            raise UserError(
                f"{len(left)} of {len(to_do)} units have no record, and the same command goes on "
                f"with them: {unreadable[0]}"
            )
        if left:
            why = f" ({left[0].error})" if left[0].error else ""
            print(
                f"autosmote: {len(left)} of {len(to_do)} units are left, because their jobs "
                f"ended{why}; start the same command again.",
                file=sys.stderr,
            )
            return FAILED
        if config.reports:
            _report(config)
    counted = [row for row in failed if not (config.imputed_is_ok and row["imputed"] is True)]
    return FAILED if counted else 0


def make_launcher(config: SweepConfig, data: Data) -> Launcher:
    """Return the launcher: processes of this machine, Ray's tasks or submitit's jobs."""
    if config.launcher == "ray":
        from autosmote.sweep.ray_tasks import RayTasks

        return RayTasks(config, data)
    if config.launcher == "submitit":
        from autosmote.sweep.submitit_jobs import SubmititJobs

        return SubmititJobs(config)
    return LocalPool(
        data,
        workers=config.workers,
        unit_seconds=config.unit_seconds,
        unit_memory_mb=config.unit_memory_mb,
    )


@contextmanager
def _writing() -> Generator[None, None, None]:
    """Raise errors of writing as user errors with a remedy."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"The results cannot be written ({error.strerror or error}); make room, or whatever "
            "it takes, and start the same command again: what is finished is kept."
        ) from error


def _run(
    config: SweepConfig, plan: Plan, to_do: Sequence[Unit], launcher: Launcher
) -> list[Outcome]:
    """Run units; return the outcomes of those that were left.

    Raises
    ------
    OSError
        Where a record cannot be written.
    UserError
        Where no process can be started.
    """
    collected = time.monotonic()
    left = []
    expected = sum(unit.seconds for unit in to_do)
    progress = UnitProgress(len(to_do), what="units", expected=expected)
    with progress, closing(launcher.run(to_do)) as messages:
        for _, unit, outcome in messages:
            if outcome and outcome.state == "unwritable":
                raise OSError(outcome.error)
            if outcome and outcome.state in ("left", "unreadable"):
                left.append(outcome)  # the other units may be done
            elif outcome:
                check_outcome(outcome)
            show_progress(progress, unit.title, outcome, unit.seconds)
            if outcome and time.monotonic() - collected > config.collect_every:
                gather.collect(config, plan)
                collected = time.monotonic()
    return left


def _summarise(plan: Plan, n_ok: int, failed: Sequence[dict[str, Any]]) -> None:
    """Print the number of ok and failed runs, and the most frequent errors by sampler."""
    n_runs = len({run.key for unit in plan.units for run in unit.runs})
    n_left = n_runs - n_ok - len(failed)
    left = f", {n_left} not done" if n_left else ""
    print(f"{n_runs} runs: {n_ok} ok, {len(failed)} failed{left}")
    causes = Counter((row["sampler"], row["status"], str(row["error"])) for row in failed)
    for (sampler, status, error), n in causes.most_common(_SHOWN_FAILURES):
        print(f"  {sampler}: {n} x {status}: {error}")
    if len(causes) > _SHOWN_FAILURES:
        print(f"  and {len(causes) - _SHOWN_FAILURES} other causes: see failures.csv")


def _report(config: SweepConfig) -> None:
    from autosmote import reports

    paths = reports.write(
        config.results_dir, config.name, config.budget, allow_missing=config.allow_missing
    )
    print(f"{len(paths)} tables and figures in {config.results_dir}/{config.name}/")
