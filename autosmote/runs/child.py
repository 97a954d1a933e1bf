"""A unit of work in a process of its own, whose end is never the sweep's.

`Worker` lives in the child that `isolation.sandbox` watches. What it cannot do itself, because it
hangs, crashes or eats the memory, its parent puts on record by `put_on_record`.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from autosmote.errors import UserError, scrub
from autosmote.isolation import sandbox as limits
from autosmote.isolation.forkserver import ForkServer
from autosmote.records import record as records
from autosmote.records.claims import claim
from autosmote.runs import unit as units
from autosmote.runs.unit import Data, Run

logger = logging.getLogger("autosmote")

_ALWAYS = ("sklearn.ensemble", "sklearn.neighbors", "sklearn.svm", "sklearn.tree")
# The first optimiser imports torch._dynamo, which takes longer than a short search.
_TO_LEARN = (
    *("torch", "torch._dynamo", "matplotlib.backends.backend_agg", "matplotlib.figure"),
    *(
        "autosmote.search.hierarchical.learner",
        "autosmote.records.curve",
        "autosmote.sampler.autosmote",
    ),
)

TAKEN_WAIT = 1.0
"""Seconds before a unit that another process works on is looked at again."""

# Loaded by a fork server before it forks its children; else by the child itself.
_data = Data()


@dataclass(frozen=True)
class Outcome:
    """What became of a unit.

    Attributes
    ----------
    state : {"done", "taken", "stopped", "unwritable"}
        It has its records; another process works on it; it was ended by a stop of the sweep;
        records cannot be written, as `error` says.
    statuses : tuple of str
        Of the runs that were done.
    """

    state: str
    statuses: tuple[str, ...] = ()
    error: str | None = None


class Worker:
    """Does units in the process where it is made.

    Parameters
    ----------
    memory_mb : float or None
        What a unit's samplers may use at most where their settings name no limit.
    quiet : bool
        Show nothing of what a unit prints: the records hold its errors.
    data : Data, optional
        With the dataset; by default what the fork server has loaded.
    """

    def __init__(
        self, memory_mb: float | None = None, quiet: bool = True, data: Data | None = None
    ) -> None:
        self._quiet, self._data = quiet, data or _data
        limits.limit_own_memory(memory_mb)
        signal.signal(signal.SIGTERM, _interrupt)
        if quiet:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.dup2(nowhere, sys.stderr.fileno())
        else:
            logging.basicConfig(level=logging.INFO, format="%(message)s")

    def do(self, runs: Sequence[Run], mistakes_fail: bool = True) -> dict[str, Any]:
        """Do the runs of a unit that have no record yet; what `Outcome` is made from."""
        with claim(runs[0].config.results_dir, [run.key for run in runs]) as mine:
            if not mine:
                return {"state": "taken"}
            to_do = units.missing(runs)
            try:
                for run in to_do:
                    records.remove_leftovers(run.folder)
                made = self._run(to_do, mistakes_fail) if to_do else []
            except OSError as error:  # from writing: an error in the work itself is on record
                return {"state": "unwritable", "error": error.strerror or type(error).__name__}
        return {"state": "done", "statuses": [record["status"] for record in made]}

    def _run(self, runs: list[Run], mistakes_fail: bool) -> list[units.Record]:
        config = runs[0].config
        split = self._data.split(config)
        if not self._quiet:
            logger.info("%s", units.headline(config, split))
        return units.run_unit(runs, split, mistakes_fail=mistakes_fail, quiet=self._quiet)


def do_in_child(
    runs: Sequence[Run],
    *,
    deadline: limits.Deadline = limits.NEVER,
    memory_mb: float | None = None,
    quiet: bool = True,
    mistakes_fail: bool = True,
    data: Data | None = None,
    server: ForkServer | None = None,
) -> Outcome:
    """Do a unit in a child process, and leave records whatever happens to it.

    Parameters
    ----------
    runs : sequence of Run
    deadline : Deadline
    memory_mb : float, optional
        What the child and all below it may use.
    quiet, data
        Of the `Worker`.
    mistakes_fail : bool
        Put mistakes in the settings on record too.
    server : ForkServer, optional

    Raises
    ------
    KeyboardInterrupt
        After the child has ended.
    UserError
        For mistakes, unless `mistakes_fail`.
    """
    try:
        made = (memory_mb, Worker, memory_mb, quiet, data)
        with limits.SandboxedObject(*made, server=server, memory_setting="unit_memory_mb") as child:
            found = child.call("do", list(runs), mistakes_fail, deadline=deadline).value
        return Outcome(found["state"], tuple(found.get("statuses", ())), found.get("error"))
    except limits.ChildFailed as failure:
        if failure.status == "stopped":
            return Outcome("stopped")
        return put_on_record(runs, failure.status, failure.error)
    except UserError as mistake:
        if not mistakes_fail:
            raise
        return put_on_record(runs, "failed", scrub(str(mistake)))


def wait_while_taken(do: Callable[[], Outcome]) -> Outcome:
    """Do a unit as soon as no other process works on it.

    Raises
    ------
    UserError
        If its records cannot be written.
    """
    while (outcome := do()).state == "taken":
        time.sleep(TAKEN_WAIT)
    if outcome.state == "unwritable":
        raise UserError(f"The results cannot be written ({outcome.error}).")
    return outcome


def put_on_record(runs: Sequence[Run], status: str, error: str) -> Outcome:
    """Give the runs that have no record one that says how their process failed."""
    with claim(runs[0].config.results_dir, [run.key for run in runs]) as mine:
        if not mine:
            return Outcome("taken")
        lacking = units.missing(runs)
        try:
            for run in lacking:
                record = run.make_record(status, error=error)
                records.write_json(run.folder, "record.json", record)
        except OSError as full:
            return Outcome("unwritable", error=full.strerror)
    return Outcome("done", (status,) * len(lacking))


def warm_fork_server(data: Data, runs: Iterable[Run]) -> ForkServer:
    """Return this process's fork server with what its children need for such runs preloaded."""
    server = ForkServer.of_this_process()
    learns = learn(runs)
    if learns not in server.preloaded and True not in server.preloaded:
        server.preload(preload, data, learns)
        server.preloaded.add(learns)
    return server


def learn(runs: Iterable[Run]) -> bool:
    """Whether any of the runs may have networks to train."""
    return any(run.config.sampler.kind in ("search", "method") for run in runs)


def preload(data: Data, learns: bool) -> None:
    """Load, in a fork server, what its children would each have to; starts no threads, uses no GPU.

    Parameters
    ----------
    data : Data
    learns : bool
        Whether any of them has networks to train.
    """
    global _data
    _data = data
    for name in (*_ALWAYS, *(_TO_LEARN if learns else ())):
        importlib.import_module(name)
    importlib.import_module("numba").njit(_identity)(0)  # its registries are filled by a first call
    records.look_up_versions()
    if (threads := _threads()) > 1:
        raise RuntimeError(f"{threads} threads were started, and a fork would lose them")


def _identity(x: int) -> int:
    return x


def _threads() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else 1


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Let an ended search leave what it has."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
