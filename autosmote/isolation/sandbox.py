"""Limits on time and memory: work in a child process that the parent watches.

    with Child(memory_mb, factory, argument) as child:
        answer = child.call("method", X, y, deadline=Deadline.after(60, "limits.some_seconds"))

The object that `factory(argument)` makes and all calls live in the child.
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
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol, Self

import cloudpickle

from autosmote.errors import UserError
from autosmote.isolation import forkserver_process as host
from autosmote.isolation.memory import available_memory, resident_memory
from autosmote.isolation.processes import child_environment, descendants, how_it_ended
from autosmote.isolation.wire import unpack

_POLL = 0.1
"""Seconds between two looks at a child's memory."""
_EXIT_WAIT = host.GRACE + 5
SHARE_OF_MEMORY = 0.8
"""Of what is available, where no limit is given."""
_at_most = math.inf


class ChildFailed(Exception):
    """Work in a child process came to nothing.

    Attributes
    ----------
    status : {"failed", "memory", "timeout", "crashed", "stopped"}
        It raised an error; it ran out of memory or passed the limit; it passed a limit on time;
        its process ended; it was ended because its result is not wanted any more.
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


@dataclass(frozen=True, order=True)
class UntilStopped(Deadline):
    """A deadline that an event, set by another thread, brings forward."""

    event: threading.Event = field(default_factory=threading.Event, compare=False)

    def passed(self) -> bool:
        return self.event.is_set() or super().passed()

    def failure(self) -> ChildFailed:
        return (
            ChildFailed("stopped", "it was stopped") if self.event.is_set() else super().failure()
        )


@dataclass(frozen=True)
class Answer:
    """What a call gave back, what it warned of, and the seconds it took in the child."""

    value: Any
    warnings: list[str]
    seconds: float


def prepare() -> None:
    """Begin to start what starts the children: it takes seconds, which can be used meanwhile."""
    Host.of_this_process()


def wait_until_ready() -> None:
    """Wait for what `prepare` began, so that no deadline of a child has to count it."""
    Host.of_this_process().wait_until_ready()


def use_at_most(memory_mb: float | None) -> None:
    """Let children that are given no limit use less than this process may use itself.

    Else it would be this one that is ended for what a child used.
    """
    global _at_most
    _at_most = math.inf if memory_mb is None else SHARE_OF_MEMORY * memory_mb


class Child:
    """An object in a process of its own; one such process at a time.

    Parameters
    ----------
    memory_mb : float or None
        What the process and all below it may use together; None: 80 % of what is available now,
        or less by `use_at_most`.
    factory : callable
        Makes the object, in the child.
    *arguments
        Of the factory.
    deadline : Deadline
        For the making.
    host : Host, optional
        Which starts the process; this process's own one where None. A host has one child at a
        time.
    memory_setting : str
        What `memory_mb` is called in an error.

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
        host: Host | None = None,
        memory_setting: str = "limits.memory_mb",
    ) -> None:
        if memory_mb is None:
            available = available_memory()
            share = math.inf if available is None else SHARE_OF_MEMORY * available
            self._memory_mb = min(share, _at_most)
            of = "80 % of what was available" if share < _at_most else "this process's share"
            self._memory_limit = f"{self._memory_mb:.0f} MB, {of}"
        else:
            self._memory_mb = memory_mb
            self._memory_limit = f"{memory_setting}={memory_mb:g}"
        self.peak_memory_mb = 0.0
        self._host = host or Host.of_this_process()
        self._host.wait_until_ready()
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


class Host:
    """A process that starts children, one at a time; it ends with this one, or by `close`.

    Attributes
    ----------
    control : socket
    pid : int
        Known when it is ready.
    loaded : set
        For its owner to note what it has let it load.
    """

    _current: Host | None = None

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair()
        with theirs:
            self._process = _start_host(theirs)
        self.pid = self._process.pid
        self._begin()

    def _begin(self) -> None:
        self._owner, self._ready = os.getpid(), False
        self.loaded: set[Any] = set()
        atexit.register(self.close)

    @classmethod
    def of_this_process(cls) -> Host:
        found = cls._current
        if found is None or found._owner != os.getpid() or found._process.poll() is not None:
            cls._current = found = cls()
        return found

    def another(self) -> Host:
        """A host that this one forks: it has what this one has loaded."""
        found = object.__new__(Host)
        found.control = self._ask(host.HOST)
        found._begin()
        found.wait_until_ready()
        found._process = _Elsewhere(found.pid)
        return found

    def load(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function in the host itself, so that its children need not.

        It must start no threads.

        Raises
        ------
        RuntimeError
            With its error.
        """
        self.wait_until_ready()
        with Connection(self._ask(host.LOAD).detach()) as connection:
            connection.send_bytes(cloudpickle.dumps((function, arguments)))
            answer = unpack(connection.recv_bytes())
        if answer["status"] != "ok":
            raise RuntimeError(f"{function.__name__} has failed in the host: {answer['error']}")

    def wait_until_ready(self) -> None:
        if not self._ready:
            self.control.settimeout(None)
            message = self.control.recv(host.READY.size, socket.MSG_WAITALL)
            if len(message) < host.READY.size:
                how = how_it_ended(self._ended())
                raise RuntimeError(f"no process can be started: the host ended {how}")
            (self.pid,) = host.READY.unpack(message)
            self._ready = True

    def start_child(self) -> Connection:
        return Connection(self._ask(host.START).detach())

    def _ask(self, what: bytes) -> socket.socket:
        """Send a request with one end of a new socket; the other end."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self.control, [what], [theirs.fileno()])
        return ours

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

    def close(self) -> None:
        """Let it go; were this process killed, it would notice by itself."""
        atexit.unregister(self.close)
        if self._owner != os.getpid() or self._process.poll() is not None:
            return
        if not self._ready:  # it has no children, and importing takes it seconds
            self._process.kill()
        self._ended()

    def _ended(self) -> int:
        self.control.close()
        return self._process.wait()


class _Process(Protocol):
    pid: int

    def poll(self) -> int | None: ...
    def kill(self) -> None: ...
    def wait(self) -> int: ...


def _start_host(theirs: socket.socket) -> _Process:
    if host.can_fork():
        return _Forked(host.fork(theirs.fileno()))
    return subprocess.Popen(
        [sys.executable, "-c", f"from autosmote import host; host.main({theirs.fileno()})"],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=2,  # this one's output is for its results
        env=child_environment(),
        start_new_session=True,  # the terminal's Ctrl-C is this one's to handle
    )


@dataclass
class _Forked:
    """A child of this process."""

    pid: int
    code: int | None = None

    def poll(self, options: int = os.WNOHANG) -> int | None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, options)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        code = self.poll(0)
        assert code is not None
        return code


@dataclass
class _Elsewhere:
    """A process whose parent, another host, clears it away."""

    pid: int
    ended: bool = False

    def poll(self) -> int | None:
        return -signal.SIGKILL if self.ended else None

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        self.ended = True  # its socket is closed: it ends, or has been ended
        return -signal.SIGKILL
