"""Limits on time and memory: work in a child process that the parent watches.

    with Child(memory_mb, factory, argument) as child:
        answer = child.call("method", X, y, deadline=Deadline.after(60, "limits.some_seconds"))

The object that `factory(argument)` makes and all calls live in the child (see `autosmote.host`).
Arguments are pickled; what comes back is plain data, an error as its text. A child that passes a
limit is ended, by TERM and then by KILL, and whatever happens to it is a `ChildFailed` that names
the cause.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Self

import cloudpickle

from autosmote import host
from autosmote.errors import UserError
from autosmote.memory import available_memory, resident_memory
from autosmote.plain import unpack
from autosmote.processes import child_environment, descendants, how_it_ended

_POLL = 0.1
"""Seconds between two looks at a child's memory."""
_EXIT_WAIT = host.GRACE + 5
_SHARE_OF_MEMORY = 0.8


class ChildFailed(Exception):
    """Work in a child process came to nothing.

    Attributes
    ----------
    status : {"failed", "memory", "timeout", "crashed"}
        It raised an error; it ran out of memory or passed the limit; it passed a limit on time;
        its process ended.
    error : str
        The cause in words, without private names.
    """

    def __init__(self, status: str, error: str) -> None:
        super().__init__(error)
        self.status, self.error = status, error


@dataclass(frozen=True, order=True)
class Deadline:
    """When something must have ended, by the clock `time.monotonic`, and which setting says so."""

    at: float = math.inf
    setting: str = ""

    @classmethod
    def after(cls, seconds: float | None, name: str) -> Self:
        """So many seconds from now; never for None."""
        if seconds is None:
            return cls()
        return cls(time.monotonic() + seconds, f"{name}={seconds:g}")

    def passed(self) -> bool:
        return time.monotonic() > self.at

    def failure(self) -> ChildFailed:
        return ChildFailed("timeout", f"it took longer than {self.setting} allows")


NEVER = Deadline()


@dataclass(frozen=True)
class Answer:
    """What a call gave back, what it warned of, and the seconds it took in the child."""

    value: Any
    warnings: list[str]
    seconds: float


def prepare() -> None:
    """Begin to start what starts the children: it takes seconds, which can be used meanwhile."""
    _Host.of_this_process()


def wait_until_ready() -> None:
    """Wait for what `prepare` began, so that no deadline of a child has to count it."""
    _Host.of_this_process().wait_until_ready()


class Child:
    """An object in a process of its own; one such process at a time.

    Parameters
    ----------
    memory_mb : float or None
        What the process and all below it may use together; None: 80 % of what is available now.
    factory : callable
        Makes the object, in the child.
    *arguments
        Of the factory.
    deadline : Deadline
        For the making.

    Attributes
    ----------
    alive : bool
        False after a failure that ended the process.
    peak_memory_mb : float
        The most that its processes were seen to use.

    Raises
    ------
    ChildFailed
        Where the object cannot be made.
    UserError
        As raised by the factory.
    """

    def __init__(
        self,
        memory_mb: float | None,
        factory: Callable[..., Any],
        *arguments: Any,
        deadline: Deadline = NEVER,
    ) -> None:
        available = available_memory()
        if memory_mb is None:
            self._memory_mb = math.inf if available is None else _SHARE_OF_MEMORY * available
            self._memory_limit = f"{self._memory_mb:.0f} MB, 80 % of what was available"
        else:
            self._memory_mb = memory_mb
            self._memory_limit = f"limits.memory_mb={memory_mb:g}"
        self.peak_memory_mb = 0.0
        wait_until_ready()
        self._host = _Host.of_this_process()
        self._connection = self._host.start_child()
        self.alive = True
        around = {"path": [entry or os.getcwd() for entry in sys.path], "folder": os.getcwd()}
        try:
            self._connection.send_bytes(json.dumps(around).encode())
            self.call(None, factory, *arguments, deadline=deadline)
        except BaseException:
            self.close()
            raise

    def call(self, method: str | None, *arguments: Any, deadline: Deadline = NEVER) -> Answer:
        """Call a method of the object in the child.

        Raises
        ------
        ChildFailed
        UserError
            As raised in the child.
        """
        try:
            self._connection.send_bytes(cloudpickle.dumps((method, arguments)))
            self._watch(deadline)
            answer = unpack(self._connection.recv_bytes())
        except (EOFError, OSError):
            self.alive = False
            code = self._host.exit_code()
            raise ChildFailed("crashed", f"its process ended {how_it_ended(code)}") from None
        except BaseException:
            self.close()
            raise
        if answer["status"] == "mistake":
            raise UserError(answer["error"])
        if answer["status"] != "ok":
            raise ChildFailed(answer["status"], answer["error"])
        return Answer(answer["value"], answer["warnings"], answer["seconds"])

    def close(self) -> None:
        """End the process and all below it."""
        if self.alive:
            self.alive = False
            self._host.end_child()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _watch(self, deadline: Deadline) -> None:
        """Wait for an answer, or the end of the process, within the limits."""
        while True:
            ready = wait([self._connection, self._host.control], _POLL)
            used = resident_memory(descendants(self._host.pid), self._memory_mb)
            self.peak_memory_mb = max(self.peak_memory_mb, used)
            if self._connection in ready:
                return
            if ready:  # the host says that it has ended; something below it may hold its socket
                raise EOFError
            if used > self._memory_mb:
                raise ChildFailed("memory", f"it used more than {self._memory_limit}")
            if deadline.passed():
                raise deadline.failure()


class _Host:
    """The process that starts this one's children: started when needed, ends with this one."""

    _current: _Host | None = None

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from autosmote import host; host.main({theirs.fileno()})"],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=2,  # this one's output is for its results
                env=child_environment(),
                start_new_session=True,  # the terminal's Ctrl-C is this one's to handle
            )
        self.control, self.pid, self._owner = ours, self._process.pid, os.getpid()
        self._ready = False
        atexit.register(self._close)

    @classmethod
    def of_this_process(cls) -> _Host:
        found = cls._current
        if found is None or found._owner != os.getpid() or found._process.poll() is not None:
            cls._current = found = cls()
        return found

    def wait_until_ready(self) -> None:
        if not self._ready:
            self.control.settimeout(None)
            if self.control.recv(len(host.READY)) != host.READY:
                how = how_it_ended(self._ended())
                raise RuntimeError(f"no process can be started: the host ended {how}")
            self._ready = True

    def start_child(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self.control, [host.START], [theirs.fileno()])
        return Connection(ours.detach())

    def end_child(self) -> None:
        with contextlib.suppress(OSError):
            self.control.sendall(host.END)
        self.exit_code()

    def exit_code(self) -> int:
        """How the child ended; a host that does not answer is ended, and this is its code."""
        self.control.settimeout(_EXIT_WAIT)
        try:
            message = self.control.recv(host.EXIT.size, socket.MSG_WAITALL)
            if message:
                return host.EXIT.unpack(message)[0]
        except OSError:
            self._process.kill()  # with it, all below it
        except BaseException:  # else the next child's parent would read the answer
            self._process.kill()
            self._ended()
            raise
        return self._ended()

    def _close(self) -> None:
        """Let it go at this one's end; were this one killed, it would notice by itself."""
        if self._owner != os.getpid() or self._process.poll() is not None:
            return
        if not self._ready:  # it has no children, and importing takes it seconds
            self._process.kill()
        self._ended()

    def _ended(self) -> int:
        self.control.close()
        return self._process.wait()
