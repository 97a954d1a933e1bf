"""Start and watch fork servers (the parent's side of `forkserver_process`)."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import cloudpickle

from autosmote.isolation import forkserver_process
from autosmote.isolation.processes import child_environment, describe_exit
from autosmote.isolation.spawn import Forked, Process
from autosmote.isolation.wire import unpack

_EXIT_WAIT = forkserver_process.GRACE + 5
"""Seconds to wait for a child's exit code before the server counts as hung."""


class HostEnded(RuntimeError):
    """A fork server ended, at whatever moment; the message says how."""


class ForkServer:
    """A process that forks children, one at a time; it ends with this process or by `close`.

    Parameters
    ----------
    parent : ForkServer, optional
        Forks this server, which then has all that the parent has preloaded.

    Attributes
    ----------
    control : socket
        For requests and exit codes; at its end once the server has ended.
    pid : int
        Known once the server is ready; 0 before, where another server forks it.
    preloaded : set
        For the owner, to note what has been preloaded.
    """

    # Process-wide, since a start costs seconds of imports and every sandbox can use the same
    # server in turn; whoever needs several at a time passes its own.
    _current: ForkServer | None = None

    def __init__(self, parent: ForkServer | None = None) -> None:
        self._process: Process
        if parent is None:
            self.control, theirs = socket.socketpair()
            with theirs:
                self._process = _start_process(theirs)
        else:
            self.control = parent._request(forkserver_process.FORK_SERVER)
            self._process = _Grandchild()
        self._owner, self._ready = os.getpid(), False
        self.preloaded: set[Any] = set()
        atexit.register(self.close)

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    def of_this_process(cls) -> ForkServer:
        """Return this process's server; begin to start it if there is none, without waiting."""
        found = cls._current
        if found is None or found._owner != os.getpid() or found._process.poll() is not None:
            cls._current = found = cls()
        return found

    def fork(self) -> ForkServer:
        """Return a further server, forked from this one with all that this one has preloaded."""
        found = ForkServer(parent=self)
        found.wait_until_ready()
        return found

    def preload(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function in the server itself, so that its children need not.

        The function must not start threads: a fork would not take them along.

        Raises
        ------
        HostEnded
            If the server ends instead.
        RuntimeError
            If the function fails, with its error.
        """
        self.wait_until_ready()
        call = cloudpickle.dumps((function, arguments))
        with Connection(self._request(forkserver_process.PRELOAD).detach()) as connection:
            try:
                connection.send_bytes(call)
                answer = unpack(connection.recv_bytes())
            except (EOFError, OSError):
                raise self._ended() from None
        if answer["status"] != "ok":
            raise RuntimeError(f"{function.__name__} has failed in the host: {answer['error']}")

    def wait_until_ready(self) -> None:
        """Wait until children can be started.

        Raises
        ------
        HostEnded
            If the server ended instead.
        """
        if not self._ready:
            ready = forkserver_process.READY
            try:
                self.control.settimeout(None)
                message = self.control.recv(ready.size, socket.MSG_WAITALL)
            except OSError:  # reset, as after a request that it did not read
                message = b""
            if len(message) < ready.size:
                raise self._ended()
            (self._process.pid,) = ready.unpack(message)
            self._ready = True

    def start_child(self) -> Connection:
        """Start a child and return the connection to it."""
        return Connection(self._request(forkserver_process.START).detach())

    def end_child(self) -> None:
        """End the child and all processes below it."""
        with contextlib.suppress(OSError):
            self.control.sendall(forkserver_process.END)
        self.exit_code()

    def exit_code(self) -> int:
        """Wait for the child to end and return its exit code.

        A server that does not answer is killed, and its own code is returned.
        """
        code = forkserver_process.EXIT
        self.control.settimeout(_EXIT_WAIT)
        try:
            message = self.control.recv(code.size, socket.MSG_WAITALL)
            if message:
                return code.unpack(message)[0]
        except OSError:
            self._process.kill()  # and with it all processes below it
        except BaseException:  # the next child's exit code would be taken for this answer
            self._process.kill()
            self._wait_for_end()
            raise
        return self._wait_for_end()

    def close(self) -> None:
        """End the server. If this process is killed first, the server ends by itself."""
        atexit.unregister(self.close)
        if self._owner != os.getpid() or self._process.poll() is not None:
            return
        if not self._ready:  # it has no children yet, and its imports take seconds
            self._process.kill()
        self._wait_for_end()

    def _request(self, request: bytes) -> socket.socket:
        """Send a request with one end of a new socket pair; return the other end.

        Raises
        ------
        HostEnded
            If the server has ended.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self.control, [request], [theirs.fileno()])
            except OSError:
                ours.close()
                raise self._ended() from None
        return ours

    def _ended(self) -> HostEnded:
        """Return the error that says how the server has ended."""
        how = describe_exit(self._wait_for_end())
        return HostEnded(f"no process can be started: the host ended {how}")

    def _wait_for_end(self) -> int:
        self.control.close()
        return self._process.wait()


def _start_process(theirs: socket.socket) -> Process:
    """Start a server by a fork where that is safe, else as a new interpreter."""
    if forkserver_process.can_fork():
        return Forked(forkserver_process.fork(theirs.fileno()))
    code = f"from {__package__} import forkserver_process as s; s.main({theirs.fileno()})"
    return subprocess.Popen(  # noqa: S603 - this interpreter, with code of our own
        [sys.executable, "-c", code],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=2,  # this process's stdout is for its results
        env=child_environment(),
        start_new_session=True,  # the terminal's Ctrl-C is this process's to handle
    )


@dataclass
class _Grandchild:
    """A server forked by another server, which reaps it: its exit code is not known here."""

    pid: int = 0  # until it is known
    ended: bool = False

    def poll(self) -> int | None:
        return -signal.SIGKILL if self.ended else None

    def kill(self) -> None:
        if self.pid:
            with contextlib.suppress(OSError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        self.ended = True  # it ends when its socket is closed, or has been killed
        return -signal.SIGKILL
