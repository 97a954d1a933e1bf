"""Start a process of our own: by a fork where that is safe, else as a new interpreter."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

from autosmote.isolation.processes import child_environment

_POLL = 0.005


class Process(Protocol):
    """A started process; `subprocess.Popen` is one."""

    pid: int

    def poll(self) -> int | None: ...
    def kill(self) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


def n_threads() -> int | None:
    """Return the number of this process's threads, those of OpenMP and CUDA included.

    None where the system does not tell.
    """
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return None


def is_single_threaded() -> bool:
    """Return whether this process may fork: it has one thread, so no lock is held by another.

    A process that has begun to use OpenMP or CUDA may not. False where the system does not tell.
    """
    return n_threads() == 1


def start_process(module: str, function: str, fds: Sequence[int]) -> Process:
    """Start a process that calls a function with file descriptors, in a session of its own.

    A fork inherits what this process has imported, a new interpreter imports it again. Either way
    the process has no other open files than the standard ones, and none of its signal handlers:
    the terminal's Ctrl-C is this process's to handle.

    Parameters
    ----------
    module, function : str
        The function is called with the list of the descriptors, which keep their numbers.
    fds : sequence of int
    """
    if is_single_threaded():
        return _fork(module, function, fds)
    code = f"from {module} import {function}; {function}({list(fds)})"
    return subprocess.Popen(  # noqa: S603 - this interpreter, with code of our own
        [sys.executable, "-c", code],
        pass_fds=fds,
        stdin=subprocess.DEVNULL,
        env=child_environment(),
        start_new_session=True,
    )


def _fork(module: str, function: str, fds: Sequence[int]) -> Forked:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()  # else the child has what is in the buffers, too
    pid = os.fork()
    if pid:
        return Forked(pid)
    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        gc.freeze()  # a file object that is collected later would close a descriptor used anew
        _close_all_but(fds)
        getattr(import_module(module), function)(list(fds))
    finally:
        os._exit(1)


def _close_all_but(fds: Sequence[int]) -> None:
    """Close all files but the standard ones and some: other processes wait for their end."""
    kept = sorted({2, *fds})
    for fd, following in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(fd + 1, following)


class Forked:
    """A child of this process, started by `os.fork`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs."""
        return self._reap(os.WNOHANG)

    def kill(self) -> None:
        """Kill the process, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code.

        Raises
        ------
        subprocess.TimeoutExpired
            If it takes longer than `timeout` seconds.
        """
        if timeout is None:
            code = self._reap(0)
            assert code is not None
            return code
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(_POLL)
        return code

    def _reap(self, options: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, options)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code
