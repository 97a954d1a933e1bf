"""The fork server's process: it forks children and cleans up after them.

A fork server is started when the first child is needed. It imports once what nearly every sampler
needs, stays single-threaded, and has one child at a time. A fork takes milliseconds, and the
child inherits nothing of the parent (no threads, no CUDA context) and nothing of earlier
children. The server is the subreaper of all processes below it: it ends whatever a child leaves
behind, even orphaned grandchildren. When the parent has ended, even by ``kill -9``, the server
ends all processes below it and exits.

For several children at a time a server forks further servers, which share what it has loaded.
"""

from __future__ import annotations

import contextlib
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
from autosmote.isolation.processes import adopt_orphans, descendants, end_with_parent
from autosmote.isolation.spawn import is_single_threaded
from autosmote.isolation.wire import pack

START, END, PRELOAD, FORK_SERVER = b"s", b"e", b"l", b"h"
"""Requests of the parent: start a child at the other end of the socket that is sent along; end
it; make the call that is read from that socket in the server itself; fork a server that serves
that socket."""
READY = struct.Struct("<q")
"""The server's first message, sent when it can start children: its process id."""
EXIT = struct.Struct("<q")
"""The server's message when a child has ended, once for each: its exit code."""
GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""
_POLL = 0.05
"""Seconds between two looks for ended processes."""
_PRELOAD = ("imblearn.over_sampling", "imblearn.under_sampling", "imblearn.combine")

# Whether this process is a child of a fork server: a fact about the process, hence global.
_is_child = False


def main(fd: int) -> None:
    """Serve the parent at the other end of a socket until the parent ends."""
    for name in _PRELOAD:
        with contextlib.suppress(Exception):  # the sampler that needs it will fail and say so
            importlib.import_module(name)
    _serve_until_end(socket.socket(fileno=fd))


def can_fork() -> bool:
    """Return whether this process may start a fork server by a fork, which saves the imports.

    True in a fork server's child, which has what the server has loaded, as long as it has only
    one thread: a fork would copy the locks of other threads, but not the threads.
    """
    return _is_child and is_single_threaded()


def fork(fd: int) -> int:
    """Fork a server that serves the parent at the other end of a socket; return its pid."""
    pid = os.fork()
    if pid == 0:
        try:
            # Including this process's own connection, on whose end its parent waits.
            os.closerange(3, fd)
            os.closerange(fd + 1, os.sysconf("SC_OPEN_MAX"))
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _serve_until_end(socket.socket(fileno=fd))
        finally:
            os._exit(1)
    return pid


def _serve_until_end(control: socket.socket) -> None:
    """Serve until the parent ends, then end all processes below this one and this one."""
    adopt_orphans()
    try:
        control.sendall(READY.pack(os.getpid()))
        _serve(control)
    finally:
        _end_all(None)
        os._exit(0)


def _serve(control: socket.socket) -> None:
    """Answer requests and report the child's exit codes until the parent ends."""
    child: int | None = None
    while True:
        timeout = None if child is None else _POLL
        if select.select([control], [], [], timeout)[0]:
            command, fds, _, _ = socket.recv_fds(control, 1, 1)
            if not command:
                return
            if command == START:
                child = _fork_child(control, fds[0])
            elif command == PRELOAD:
                with Connection(fds[0]) as connection:
                    connection.send_bytes(_answer(partial(_preload, connection.recv_bytes())))
            elif command == FORK_SERVER:
                fork(fds[0])
                os.close(fds[0])
            elif child is not None:
                _report_exit(control, _end_all(child))
                child = None
        code = _reap(child)
        if code is not None:
            _end_all(None)
            _report_exit(control, code)
            child = None


def _report_exit(control: socket.socket, code: int) -> None:
    with contextlib.suppress(OSError):  # the parent has ended, which the next select shows
        control.sendall(EXIT.pack(code))


def _preload(message: bytes) -> None:
    """Make a pickled call in the server itself."""
    function, arguments = cloudpickle.loads(message)
    function(*arguments)
    # Exempt what is loaded from garbage collection, which would copy the pages that children share.
    gc.freeze()


def _fork_child(control: socket.socket, fd: int) -> int:
    """Fork a child that answers at the other end of a socket; return its pid."""
    global _is_child
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        try:
            _is_child = True
            end_with_parent(parent)
            control.close()
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            _run_child(Connection(fd))
        finally:
            os._exit(0)
    os.close(fd)
    return pid


def _reap(child: int | None) -> int | None:
    """Reap all ended processes; return the child's exit code if it is one of them."""
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
    """End all processes below this one by SIGTERM, then SIGKILL; return the child's exit code."""
    code: int | None = None
    signalled: set[int] = set()
    number, until = signal.SIGTERM, time.monotonic() + GRACE
    while True:
        left = set(descendants(os.getpid()))
        if child is not None and code is None:
            left.add(child)  # without /proc, only it and its process group are known
            if child not in signalled:
                with contextlib.suppress(OSError):
                    os.killpg(child, number)
        if not left:
            return code or 0
        for pid in left - signalled:
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        signalled |= left
        time.sleep(0.01)
        found = _reap(child)
        code = found if code is None else code
        if number == signal.SIGTERM and time.monotonic() > until:
            number, signalled = signal.SIGKILL, set()


def _run_child(connection: Connection) -> None:
    """Make an object, call its methods as requested, and send the answers as plain data."""
    made: Any = None

    def call(message: bytes) -> Any:
        nonlocal made
        method, arguments = cloudpickle.loads(message)
        if method is None:
            factory, *arguments = arguments
            made = factory(*arguments)
            return None
        return getattr(made, method)(*arguments)

    with contextlib.suppress(EOFError, OSError):  # until the parent ends
        place = json.loads(connection.recv_bytes())
        sys.path[:] = place["path"]
        with contextlib.suppress(OSError):  # the folder may be gone
            os.chdir(place["folder"])
        while True:
            connection.send_bytes(_answer(partial(call, connection.recv_bytes())))


def _answer(function: Callable[[], Any]) -> bytes:
    """Call a function; pack its value or error, its warnings' texts and the seconds it took."""
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
        except BaseException as error:  # SystemExit too: the sampler's failure, not the child's end
            return answer("failed", error=_describe(error))


def _describe(error: BaseException) -> str:
    try:
        return describe_error(error)
    except Exception:  # str(error) may fail too
        return type(error).__name__
