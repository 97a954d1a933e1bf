"""Do units on this machine, each in a child forked from a process that has loaded all once."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field

from autosmote.isolation.forkserver import ForkServer, HostEnded
from autosmote.isolation.processes import usable_cores
from autosmote.isolation.sandbox import Deadline, StoppableDeadline, share_of_memory
from autosmote.runs.child import modules_for, preload
from autosmote.runs.execute import execute, execute_in_turn
from autosmote.runs.in_process import Outcome
from autosmote.runs.unit import Data
from autosmote.sweep.plan import Unit


@dataclass
class _State:
    """State that the threads share."""

    waiting: deque[Unit]
    stop: threading.Event = field(default_factory=threading.Event)
    finished: queue.Queue[tuple[str, Unit, Outcome | None] | BaseException | None] = field(
        default_factory=queue.Queue
    )


class LocalPool:
    """Launcher that runs units in child processes of this machine, `workers` at a time.

    A thread of this process waits for each child; children have one thread.

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

        A unit that another process works on is tried again later. Closing the iterator, or an
        exception in it, ends the units that are being done.
        """
        state = _State(deque(units))
        slots = min(self.workers, len(state.waiting))
        if not slots:
            return
        if self._memory_mb is None:
            self._memory_mb = share_of_memory(slots)
        # Not this process's own server, which ends all processes below it when a child of it ends.
        server = ForkServer()
        threads: list[threading.Thread] = []
        try:
            modules = modules_for(run for unit in state.waiting for run in unit.runs)
            server.preload(preload, self._data, modules)
            for _ in range(slots):
                threads.append(
                    threading.Thread(
                        target=self._serve, args=(server, server.fork(), state), daemon=True
                    )
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

    def _serve(self, root: ForkServer, server: ForkServer, state: _State) -> None:
        """Do, in one thread, unit after unit until none is left or all is stopped.

        A server that has ended (for want of memory, or hung) is replaced by another fork of the
        root; only where that ends too is a unit left "unstarted".
        """

        def attempt(unit: Unit) -> Outcome:
            limit = Deadline.after(self._seconds, "unit_seconds")
            deadline = StoppableDeadline(limit.at, limit.setting, state.stop)
            return execute(
                unit.runs, self._data, deadline=deadline, memory_mb=self._memory_mb, server=server
            )

        def do(unit: Unit) -> Outcome:
            nonlocal server
            outcome = attempt(unit)
            if outcome.state != "unstarted":
                return outcome
            server.close()
            try:
                server = root.fork()
            except HostEnded as ended:
                return Outcome("unstarted", error=str(ended))
            return attempt(unit)

        try:
            for message in execute_in_turn(state.waiting, do, state.stop.wait):
                state.finished.put(message)
                if state.stop.is_set():
                    break
            state.finished.put(None)
        except BaseException as error:
            state.finished.put(error)
        finally:
            server.close()
