"""Run units as tasks of a Ray cluster: this machine, or many that share the results folder."""

from __future__ import annotations

import functools
import logging
import os
import time
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from autosmote.errors import UserError
from autosmote.isolation.processes import usable_cores
from autosmote.isolation.sandbox import Deadline, share_of_memory
from autosmote.runs.execute import TAKEN_WAIT, execute, record_failure
from autosmote.runs.in_process import Outcome
from autosmote.runs.unit import Data, Run
from autosmote.sweep.plan import Unit
from autosmote.sweep.settings import SweepConfig

_TRIES = 3
"""Number of times that a task is retried after its machine is lost."""


class RayTasks:
    """Launcher that runs units as Ray's tasks, one core each.

    Parameters
    ----------
    config : SweepConfig
        Its `ray` are arguments of ray.init: `address` names an existing cluster, whose machines
        need this project installed and the results folder under the same path.
    data : Data

    Raises
    ------
    UserError
        Without the package, or where the cluster cannot be reached.
    """

    def __init__(self, config: SweepConfig, data: Data) -> None:
        try:
            import ray
        except ImportError as error:
            raise UserError(
                "launcher=ray needs the extra `ray`: pip install -e '.[ray]'"
            ) from error
        settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if "address" not in config.ray:
            settings |= {"include_dashboard": False, "num_cpus": config.workers}
        try:
            ray.init(**settings | config.ray)
        except (ConnectionError, ValueError, TypeError, RuntimeError) as error:
            raise UserError(f"Ray cannot be started with ray={config.ray}: {error}") from error
        self._ray, self._config = ray, config
        self._data = ray.put(data)
        cores = int(ray.cluster_resources().get("CPU", 1))
        self.workers = min(config.workers or cores, cores)

    def run(self, units: Iterable[Unit]) -> Generator[tuple[str, Unit, Outcome | None], None, None]:
        """Do units; as `autosmote.sweep.local_pool.LocalPool.run`."""
        ray, config = self._ray, self._config
        waiting: deque[Unit] = deque(units)
        running: dict[Any, Unit] = {}
        task = ray.remote(num_cpus=1, max_retries=_TRIES)(_do)
        limits = (self.workers, config.unit_seconds, config.unit_memory_mb)
        try:
            while waiting or running:
                while waiting and len(running) < self.workers:
                    unit = waiting.popleft()
                    runs = [_with_absolute_folder(run) for run in unit.runs]
                    running[task.remote(runs, self._data, *limits)] = unit
                    yield "begin", unit, None
                (done, *_), _ = ray.wait(list(running))
                unit = running.pop(done)
                try:
                    outcome = ray.get(done)
                except ray.exceptions.RayError as error:  # its process or its machine is lost
                    text = str(error).strip().splitlines()[0]
                    outcome = record_failure(unit.runs, "crashed", f"Ray: {text}")
                if outcome.state == "taken":
                    waiting.append(unit)
                    time.sleep(TAKEN_WAIT)
                yield "end", unit, outcome
        finally:
            ray.shutdown()


def _with_absolute_folder(run: Run) -> Run:
    """Return a run whose folder does not depend on the working directory, a task's own."""
    results_dir = os.path.abspath(run.config.results_dir)
    config = replace(run.config, results_dir=results_dir)
    return replace(run, config=config, folder=Path(results_dir) / "runs" / run.key)


def _do(
    runs: list[Run], data: Data, workers: int, seconds: float | None, memory_mb: float | None
) -> Outcome:
    """Do a unit in a child of the task's process; tasks of one process share its fork server."""
    deadline = Deadline.after(seconds, "unit_seconds")
    memory_mb = memory_mb or _share_of_memory(min(workers, usable_cores()))
    return execute(runs, data, deadline=deadline, memory_mb=memory_mb)


@functools.cache
def _share_of_memory(n: int) -> float | None:
    """Look once for each process of Ray: later its tasks and others have taken of the memory."""
    return share_of_memory(n)
