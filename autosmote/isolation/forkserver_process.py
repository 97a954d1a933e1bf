"""The process that starts children afresh and cleans up after them.

One *host* is started when the first child is needed. It imports what nearly every sampler needs
once, stays single-threaded, and forks one child at a time, so that a child begins within
milliseconds, with nothing of the parent's (no threads, no CUDA context) and nothing of the child
before. All that a child leaves behind, even a grandchild whose parent has ended, stays below the
host, which ends it. When the parent is gone, be it by ``kill -9``, the host ends everything.

For many children at a time a host forks further hosts, which share what it has loaded.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import cloudpickle

from autosmote.errors import UserError, describe_error, describe_warnings
from autosmote.isolation.processes import descendants
from autosmote.isolation.wire import pack

START, END, LOAD, HOST = b"s", b"e", b"l", b"h"
"""What the parent asks for: a child at the other end of the socket that comes along; its end;
that the host itself makes the call that comes from the socket; another host at the socket."""
READY = struct.Struct("<q")
EXIT = struct.Struct("<q")
"""What the host says: its process id, when it can start children; for every child how it ended,
once."""
GRACE = 2.0
"""Seconds between TERM and KILL."""
_POLL = 0.05
_PRELOAD = ("imblearn.over_sampling", "imblearn.under_sampling", "imblearn.combine")
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36

_forked = False


def main(fd: int) -> None:
    """Serve the parent at the other end of a socket until it is gone."""
    for name in _PRELOAD:
        with contextlib.suppress(Exception):  # whoever needs it will say so
            importlib.import_module(name)
    _serve_until_the_end(socket.socket(fileno=fd))


def can_fork() -> bool:
    """Whether this process may become the parent of a host by a fork.

    That saves the imports. It is so in a host's child, which has loaded what the host had, as
    long as it has no threads: a fork would take their locks along, but not them.
    """
    try:
        return _forked and len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def fork(fd: int) -> int:
    """Fork a host that serves the parent at the other end of a socket; its process id."""
    pid = os.fork()
    if pid == 0:
        try:
            # The parent's sockets too: its own parent waits for their end.
            os.closerange(3, fd)
            os.closerange(fd + 1, os.sysconf("SC_OPEN_MAX"))
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _serve_until_the_end(socket.socket(fileno=fd))
        finally:
            os._exit(1)
    return pid


def _serve_until_the_end(control: socket.socket) -> None:
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        control.sendall(READY.pack(os.getpid()))
        _serve(control)
    finally:
        _end_all(None)
        os._exit(0)


def _serve(control: socket.socket) -> None:
    child: int | None = None
    while True:
        timeout = None if child is None else _POLL
        if select.select([control], [], [], timeout)[0]:
            command, fds, _, _ = socket.recv_fds(control, 1, 1)
            if not command:
                return
            if command == START:
                child = _fork(control, fds[0])
            elif command == LOAD:
                with Connection(fds[0]) as connection:
                    connection.send_bytes(_answer(partial(_load, connection.recv_bytes())))
            elif command == HOST:
                fork(fds[0])
                os.close(fds[0])
            elif child is not None:
                _report(control, _end_all(child))
                child = None
        code = _reap(child)
        if code is not None:
            _end_all(None)
            _report(control, code)
            child = None


def _report(control: socket.socket, code: int) -> None:
    with contextlib.suppress(OSError):  # the parent is gone, as the next look will tell
        control.sendall(EXIT.pack(code))


def _load(message: bytes) -> None:
    function, arguments = cloudpickle.loads(message)
    function(*arguments)
    # What is there is not looked through for garbage again, so children share its pages.
    gc.freeze()


def _fork(control: socket.socket, fd: int) -> int:
    global _forked
    pid = os.fork()
    if pid == 0:
        try:
            _forked = True
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            control.close()
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _live(Connection(fd))
        finally:
            os._exit(0)
    os.close(fd)
    return pid


def _reap(child: int | None) -> int | None:
    """Clear away what has ended; the child's exit code if it is among it."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
    return code


def _end_all(child: int | None) -> int:
    """End all processes below this one, by TERM and then by KILL; the child's exit code."""
    code: int | None = None
    told: set[int] = set()
    number, until = signal.SIGTERM, time.monotonic() + GRACE
    while True:
        left = set(descendants(os.getpid()))
        if child is not None and code is None:
            left.add(child)  # where /proc does not tell, it and its group are what is known
            if child not in told:
                with contextlib.suppress(OSError):
                    os.killpg(child, number)
        if not left:
            return code or 0
        for pid in left - told:
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        told |= left
        time.sleep(0.01)
        found = _reap(child)
        code = found if code is None else code
        if number == signal.SIGTERM and time.monotonic() > until:
            number, told = signal.SIGKILL, set()


def _prctl(option: int, value: int) -> None:
    """A request to the Linux kernel; elsewhere nothing, and only less is cleaned up."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _live(connection: Connection) -> None:
    """A child's life: make an object, call its methods, answer by plain data."""
    made: Any = None

    def call(message: bytes) -> Any:
        nonlocal made
        method, arguments = cloudpickle.loads(message)
        if method is None:
            factory, *arguments = arguments
            made = factory(*arguments)
            return None
        return getattr(made, method)(*arguments)

    with contextlib.suppress(EOFError, OSError):  # until the parent is gone
        around = json.loads(connection.recv_bytes())
        sys.path[:] = around["path"]
        with contextlib.suppress(OSError):  # the folder may be gone
            os.chdir(around["folder"])
        while True:
            connection.send_bytes(_answer(partial(call, connection.recv_bytes())))


def _answer(function: Callable[[], Any]) -> bytes:
    """The value of a call or its error, the text of each warning, and the seconds it took."""
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        def answer(status: str, value: Any = None, error: str | None = None) -> bytes:
            seconds = time.perf_counter() - started
            texts = describe_warnings(caught)
            return pack(
                {"status": status, "value": value, "error": error, "seconds": seconds}
                | {"warnings": texts}
            )

        try:
            return answer("ok", function())
        except UserError as mistake:
            return answer("mistake", error=str(mistake))
        except MemoryError as error:
            return answer("memory", error=_describe(error))
        except BaseException as error:  # SystemExit too: it is the sampler's failure
            return answer("failed", error=_describe(error))


def _describe(error: BaseException) -> str:
    try:
        return describe_error(error)
    except Exception:  # even its text may fail
        return type(error).__name__
