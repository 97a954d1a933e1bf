"""Do units: one function for single runs, groups of samplers, and each launcher of a sweep.

A unit is claimed, so that no other process does it too; leftovers of a killed process are removed;
and each of its runs leaves a record, whatever happens to its process.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from autosmote.errors import UserError, scrub
from autosmote.isolation.forkserver import ForkServer, HostEnded
from autosmote.isolation.sandbox import (
    NEVER,
    ChildFailed,
    ChildNotStarted,
    Deadline,
    SandboxedObject,
    share_of_memory,
)
from autosmote.progress import UnitProgress
from autosmote.records.claims import claim, is_claimed, leave_no_trace
from autosmote.records.files import write_json
from autosmote.runs.child import UnitWorker, modules_for, preload
from autosmote.runs.in_process import Outcome, Show, do_unit
from autosmote.runs.unit import Data, Run, missing

logger = logging.getLogger("autosmote")

TAKEN_WAIT = 1.0
"""Seconds before a unit that another process works on is tried again."""

T = TypeVar("T")


def execute(
    runs: Sequence[Run],
    data: Data,
    *,
    in_child: bool = True,
    server: ForkServer | None = None,
    deadline: Deadline = NEVER,
    memory_mb: float | None = None,
    show: Show = "nothing",
    mistakes_fail: bool = True,
) -> Outcome:
    """Do the runs of a unit that have no record.

    Parameters
    ----------
    runs : sequence of Run
        Of one unit.
    data : Data
    in_child : bool
        Do them in a child process: if it hangs, crashes or needs too much memory, their records
        say so, and this process goes on.
    server : ForkServer, optional
        Starts the child, with `data` preloaded; by default that of this process.
    deadline : Deadline
        Of the child.
    memory_mb : float, optional
        Limit of the child and all below it together; by default 80 % of what is available.
    show : {"nothing", "search", "all"}
    mistakes_fail : bool
        Record mistakes in the settings as failures, instead of raising them. What cannot be read is
        no failure: its runs have no record, and the outcome says so.

    Raises
    ------
    UserError
        For mistakes, unless `mistakes_fail`; no record is written then.
    KeyboardInterrupt
        After the child, if any, has ended, and a partial.json was written for each run.
    """
    runs = missing(runs)
    if not runs:
        return Outcome("done")
    results_dir = runs[0].config.results_dir
    try:
        if not in_child:
            return do_unit(runs, data, show=show, mistakes_fail=mistakes_fail)
        if any(is_claimed(results_dir, run.key) for run in runs):
            return Outcome("taken")  # no child is needed to see that
        server = server or warm_server(data, runs)
        # The child knows its limit: its samplers must have less, or it is ended for what they use.
        made = (memory_mb, UnitWorker, memory_mb or share_of_memory(1), show)
        with SandboxedObject(*made, server=server, memory_setting="unit_memory_mb") as child:
            found = child.call("do", runs, mistakes_fail, deadline=deadline).value
        return Outcome(found["state"], tuple(found["statuses"]), found["error"])
    except (ChildNotStarted, HostEnded) as ended:  # no failure of these runs: nothing is recorded
        return Outcome("unstarted", error=str(ended))
    except ChildFailed as failure:
        if failure.status == "stopped":
            return Outcome("stopped")
        return record_failure(runs, failure.status, failure.error)
    except UserError as mistake:
        if not mistakes_fail:
            leave_no_trace(results_dir)
            raise
        return record_failure(runs, "failed", scrub(str(mistake)))


def record_failure(runs: Sequence[Run], status: str, error: str) -> Outcome:
    """Write the records of a unit whose process could not, for those runs that have none."""
    with claim(runs[0].config.results_dir, [run.key for run in runs]) as mine:
        if not mine:
            return Outcome("taken")
        lacking = missing(runs)
        try:
            for run in lacking:
                write_json(run.folder, "record.json", run.make_record(status, error=error))
                (run.folder / "partial.json").unlink(missing_ok=True)
        except OSError as full:
            return Outcome("unwritable", error=full.strerror)
    return Outcome("done", (status,) * len(lacking))


def execute_in_turn(
    waiting: deque[T], do: Callable[[T], Outcome], pause: Callable[[float], object] = time.sleep
) -> Iterator[tuple[str, T, Outcome | None]]:
    """Do units one after the other; those that another process works on are tried again later.

    Parameters
    ----------
    waiting : deque of T
        Units to do, in any form; several threads may share it.
    do : callable
        Does one.
    pause : callable
        Called with seconds to wait while all units that are left are taken.

    Yields
    ------
    ("begin", unit, None), ("end", unit, outcome)
    """
    in_a_row, told = 0, False
    while True:
        try:
            unit = waiting.popleft()
        except IndexError:
            return
        yield "begin", unit, None
        outcome = do(unit)
        is_taken = outcome.state == "taken"
        if is_taken:
            waiting.append(unit)
        yield "end", unit, outcome
        in_a_row = in_a_row + 1 if is_taken else 0
        if in_a_row >= len(waiting) > 0:
            if not told:
                logger.info("Another process works on this now; waiting for it to end.")
                told = True
            pause(TAKEN_WAIT)
            in_a_row = 0


def show_progress(
    progress: UnitProgress, name: str, outcome: Outcome | None, seconds: float = 1.0
) -> None:
    """Show a message of `execute_in_turn` or of a launcher on a unit.

    The outcome is None at the unit's beginning; `seconds` are those expected for it.
    """
    if outcome is None:
        progress.begin(name, seconds)
    elif outcome.state == "done":
        progress.end(name, failed=outcome.failed)
    else:
        progress.put_off(name)


def check_outcome(outcome: Outcome) -> None:
    """Raise UserError where a unit could not be begun, or something not be read or written."""
    if outcome.state == "unstarted":
        raise UserError(
            f"The work stopped, since {outcome.error}. Nothing is recorded of what is left; start "
            "the same command again."
        )
    if outcome.state == "unreadable":
        raise UserError(str(outcome.error))
    if outcome.state == "unwritable":
        raise UserError(f"The results cannot be written ({outcome.error}).")


def warm_server(data: Data, runs: Iterable[Run]) -> ForkServer:
    """Return this process's fork server with what its children need for such runs preloaded."""
    server = ForkServer.of_this_process()
    modules = modules_for(runs)
    if not any(keys == data.keys and modules <= loaded for keys, loaded in server.preloaded):
        server.preload(preload, data, modules)
        server.preloaded = {(data.keys, modules)}
    return server
