"""Run an object in a child process with limits on time, CPU time and memory.

    with SandboxedObject(memory_mb, factory, argument) as sandboxed:
        limit = CpuLimit(60, "limits.some_seconds=60")
        answer = sandboxed.call("method", X, y, cpu=limit)

`factory(argument)` makes the object in the child, where all calls run. Arguments are pickled;
results come back as plain data, errors as text. A child that passes a limit is ended (SIGTERM,
then SIGKILL), and whatever happens to it is raised as a `ChildFailed` that names the cause.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any, Self

import cloudpickle

from autosmote.errors import UserError
from autosmote.isolation.forkserver import ForkServer, HostEnded
from autosmote.isolation.processes import (
    available_memory,
    cpu_seconds,
    descendants,
    describe_exit,
    resident_memory,
)
from autosmote.isolation.wire import unpack

_POLL = 0.1
"""Seconds between two looks at a child's memory and CPU time."""
WALL_FACTOR = 5
"""Wall-clock seconds for each CPU second of a limit, for a child that waits forever."""
SHARE_OF_MEMORY = 0.8
"""Of the available memory, where no limit is given."""

# Process-wide, since it limits this process itself: set once by the parent that also enforces it.
_own_share = math.inf


class ChildFailed(Exception):
    """Failure of work in a child process.

    Attributes
    ----------
    status : {"failed", "memory", "timeout", "crashed", "stopped"}
        The work raised an error; ran out of memory or passed the memory limit; passed a time
        limit; its process ended; was ended because its result is no longer wanted.
    error : str
        The cause in words, without private names.
    """

    def __init__(self, status: str, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


class ChildNotStarted(ChildFailed):
    """No child could be started, since its fork server had ended: no failure of the work."""

    def __init__(self, ended: HostEnded) -> None:
        super().__init__("crashed", str(ended))


@dataclass(frozen=True, order=True)
class Deadline:
    """A point in time by `time.monotonic`, with the setting that it comes from."""

    at: float = math.inf
    setting: str = ""

    @classmethod
    def after(cls, seconds: float | None, name: str) -> Self:
        """Return the deadline so many seconds from now; None means never."""
        if seconds is None:
            return cls()
        return cls(time.monotonic() + seconds, f"{name}={seconds:g}")

    def passed(self) -> bool:
        return time.monotonic() > self.at

    def failure(self) -> ChildFailed:
        return ChildFailed("timeout", f"it took longer than {self.setting} allows")


NEVER = Deadline()


@dataclass(frozen=True)
class CpuLimit:
    """A limit on the CPU seconds of a call, with the setting that it comes from.

    Other than by the clock, whether a call passes it does not depend on what else the machine does.
    The processes that the call starts count too. A call that waits is ended after `WALL_FACTOR`
    times as long. Where the system does not tell the CPU time, the clock's time counts.
    """

    seconds: float = math.inf
    setting: str = ""

    def failure(self) -> ChildFailed:
        return ChildFailed("timeout", f"it used more CPU seconds than {self.setting} allows")

    def backstop(self, has_cpu_time: bool) -> Deadline:
        """Return the deadline, from now on, of a call that does not use CPU time."""
        if not has_cpu_time:
            return Deadline(time.monotonic() + self.seconds, self.setting)
        setting = f"{WALL_FACTOR} times {self.setting}"
        return Deadline(time.monotonic() + WALL_FACTOR * self.seconds, setting)


NO_LIMIT = CpuLimit()


@dataclass(frozen=True, order=True)
class StoppableDeadline(Deadline):
    """A deadline that another thread can bring forward by setting an event."""

    event: threading.Event = field(default_factory=threading.Event, compare=False)

    def passed(self) -> bool:
        return self.event.is_set() or super().passed()

    def failure(self) -> ChildFailed:
        return (
            ChildFailed("stopped", "it was stopped") if self.event.is_set() else super().failure()
        )


@dataclass(frozen=True)
class Answer:
    """The result of a call: its value, its warnings, and the seconds it took in the child."""

    value: Any
    warnings: list[str]
    seconds: float


def share_of_memory(n: int) -> float | None:
    """Return an n-th of 80 % of what is available now, in MB; None where that is not known."""
    available = available_memory()
    return None if available is None else SHARE_OF_MEMORY * available / n


def limit_own_memory(memory_mb: float | None) -> None:
    """Limit children without a limit of their own to a share of this process's limit.

    Otherwise this process would be ended for the memory that a child of it used.

    Parameters
    ----------
    memory_mb : float or None
        What this process and all below it may use, as its parent enforces it.
    """
    global _own_share
    _own_share = math.inf if memory_mb is None else SHARE_OF_MEMORY * memory_mb


class SandboxedObject:
    """An object in a child process, whose methods are called with limits on time and memory.

    Parameters
    ----------
    memory_mb : float or None
        Limit on the memory of the child and all processes below it together. None: 80 % of what
        is available now, or less by `limit_own_memory`.
    factory : callable
        Makes the object, in the child.
    *arguments
        Of the factory.
    deadline : Deadline
        For making the object.
    cpu : CpuLimit
        For making the object.
    server : ForkServer, optional
        Starts the child; by default this process's own server. A server has one child at a time.
    memory_setting : str
        Name of `memory_mb` in error messages.

    Attributes
    ----------
    alive : bool
        False after a failure that ended the child.
    peak_memory_mb : float
        The most memory that the child's processes were seen to use.

    Raises
    ------
    ChildFailed
        If the object cannot be made; `ChildNotStarted` where its making did not begin.
    UserError
        As raised by the factory.
    """

    def __init__(
        self,
        memory_mb: float | None,
        factory: Callable[..., Any],
        *arguments: Any,
        deadline: Deadline = NEVER,
        cpu: CpuLimit = NO_LIMIT,
        server: ForkServer | None = None,
        memory_setting: str = "limits.memory_mb",
    ) -> None:
        if memory_mb is None:
            share = share_of_memory(1) or math.inf
            self._memory_mb = min(share, _own_share)
            of = "80 % of what was available" if share < _own_share else "this process's share"
            self._memory_limit = f"{self._memory_mb:.0f} MB, {of}"
        else:
            self._memory_mb = memory_mb
            self._memory_limit = f"{memory_setting}={memory_mb:g}"
        self.peak_memory_mb = 0.0
        self._server = server or ForkServer.of_this_process()
        try:
            self._server.wait_until_ready()
            self._connection = self._server.start_child()
        except HostEnded as ended:
            raise ChildNotStarted(ended) from ended
        self.alive = True
        place = {"path": [entry or os.getcwd() for entry in sys.path], "folder": os.getcwd()}
        try:
            with contextlib.suppress(OSError):  # it has ended, which the call finds out
                self._connection.send_bytes(json.dumps(place).encode())
            self.call(None, factory, *arguments, deadline=deadline, cpu=cpu)
        except BaseException:
            self.close()
            raise

    def call(
        self,
        method: str | None,
        *arguments: Any,
        deadline: Deadline = NEVER,
        cpu: CpuLimit = NO_LIMIT,
    ) -> Answer:
        """Call a method of the object in the child.

        Raises
        ------
        ChildFailed
            If the method raises, passes a limit, or its process ends.
        UserError
            As raised in the child.
        """
        before = cpu_seconds(self._server.pid, descendants(self._server.pid))
        deadlines = (deadline, cpu.backstop(before is not None))
        try:
            self._connection.send_bytes(cloudpickle.dumps((method, arguments)))
            self._watch(deadlines, cpu, before or 0.0)
            answer = unpack(self._connection.recv_bytes())
        except (EOFError, OSError):
            self.alive = False
            code = self._server.exit_code()
            raise ChildFailed("crashed", f"its process ended {describe_exit(code)}") from None
        except BaseException:
            self.close()
            raise
        if answer["status"] == "mistake":
            raise UserError(answer["error"])
        if answer["status"] != "ok":
            raise ChildFailed(answer["status"], answer["error"])
        return Answer(answer["value"], answer["warnings"], answer["seconds"])

    def close(self) -> None:
        """End the child and all processes below it."""
        if self.alive:
            self.alive = False
            self._server.end_child()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _watch(self, deadlines: Sequence[Deadline], cpu: CpuLimit, cpu_before: float) -> None:
        """Wait for an answer within the limits; EOFError if the child ends."""
        while True:
            ready = wait([self._connection, self._server.control], _POLL)
            below = descendants(self._server.pid)
            used = resident_memory(below, self._memory_mb)
            self.peak_memory_mb = max(self.peak_memory_mb, used)
            answered = self._connection in ready
            if ready and not answered:  # the server ended; one below it may still hold its socket
                raise EOFError
            if used > self._memory_mb and not answered:
                raise ChildFailed("memory", f"it used more than {self._memory_limit}")
            # With the answer too: else the moment of the last look would decide.
            if (cpu_seconds(self._server.pid, below) or 0.0) - cpu_before > cpu.seconds:
                raise cpu.failure()
            if answered:
                return
            for deadline in deadlines:
                if deadline.passed():
                    raise deadline.failure()
