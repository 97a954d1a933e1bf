"""Units on this machine: a child process for each, forked from what was loaded once."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field

from autosmote.isolation.forkserver import ForkServer
from autosmote.isolation.processes import available_memory, usable_cores
from autosmote.isolation.sandbox import SHARE_OF_MEMORY, Deadline, StoppableDeadline
from autosmote.records.claims import is_claimed
from autosmote.runs import child as worker
from autosmote.runs.child import Outcome
from autosmote.runs.unit import Data, missing
from autosmote.sweep.plan import Unit


@dataclass
class _State:
    """What the slots' threads share."""

    waiting: deque[Unit]
    stop: threading.Event = field(default_factory=threading.Event)
    finished: queue.Queue[tuple[str, Unit, Outcome | None] | BaseException | None] = field(
        default_factory=queue.Queue
    )


class LocalPool:
    """Runs units in child processes of this machine, `workers` at a time.

    One thread here waits for each child; the processes have one thread.

    Parameters
    ----------
    data : Data
        With the datasets of all units loaded.
    workers : int, optional
        The usable cores where None.
    unit_seconds, unit_memory_mb : float, optional
        Limits of a unit; None for the memory is an equal share of 80 % of what is available.
    """

    def __init__(
        self,
        data: Data,
        *,
        workers: int | None = None,
        unit_seconds: float | None = None,
        unit_memory_mb: float | None = None,
    ) -> None:
        self.workers = workers or usable_cores()
        self._data, self._seconds, self._memory_mb = data, unit_seconds, unit_memory_mb

    def run(self, units: Iterable[Unit]) -> Generator[tuple[str, Unit, Outcome | None], None, None]:
        """Do units; yields ("begin", unit, None) and ("end", unit, outcome) as they come.

        A unit that another process works on is left till that has ended. Closing the iterator,
        or an exception in it, ends the units that are being done.
        """
        state = _State(deque(units))
        slots = min(self.workers, len(state.waiting))
        if not slots:
            return
        available = available_memory()
        if self._memory_mb is None and available is not None:
            self._memory_mb = SHARE_OF_MEMORY * available / slots
        server = ForkServer()
        threads: list[threading.Thread] = []
        try:
            learns = worker.learn(run for unit in state.waiting for run in unit.runs)
            server.preload(worker.preload, self._data, learns)
            for _ in range(slots):
                threads.append(
                    threading.Thread(target=self._serve, args=(server.fork(), state), daemon=True)
                )
                threads[-1].start()
            left = slots
            while left:
                message = state.finished.get()
                if isinstance(message, BaseException):
                    raise message
                if message is None:
                    left -= 1
                else:
                    yield message
        finally:
            state.stop.set()
            for thread in threads:
                thread.join()
            server.close()

    def _serve(self, server: ForkServer, state: _State) -> None:
        """One slot: unit after unit, until none is left or all is stopped."""
        try:
            in_a_row = 0
            while not state.stop.is_set():
                try:
                    unit = state.waiting.popleft()
                except IndexError:
                    break
                state.finished.put(("begin", unit, None))
                outcome = self._do(unit, server, state)
                in_a_row = in_a_row + 1 if outcome.state == "taken" else 0
                if in_a_row:
                    state.waiting.append(unit)
                if in_a_row >= len(state.waiting) > 0:  # all that are left
                    state.stop.wait(worker.TAKEN_WAIT)
                    in_a_row = 0
                state.finished.put(("end", unit, outcome))
            state.finished.put(None)
        except BaseException as error:
            state.finished.put(error)
        finally:
            server.close()

    def _do(self, unit: Unit, server: ForkServer, state: _State) -> Outcome:
        # Another sweep may have done it or may be at it: no child is needed to see that.
        runs = missing(unit.runs)
        if not runs:
            return Outcome("done")
        if any(is_claimed(run.config.results_dir, run.key) for run in runs):
            return Outcome("taken")
        limit = Deadline.after(self._seconds, "unit_seconds")
        return worker.do_in_child(
            runs,
            deadline=StoppableDeadline(limit.at, limit.setting, state.stop),
            memory_mb=self._memory_mb,
            server=server,
        )
