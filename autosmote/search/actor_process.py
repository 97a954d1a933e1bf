"""Main functions of the actors' host and of the actors, which are processes of their own.

The host has no threads or CUDA context of its parent (`isolation.spawn`). It makes the generator
once, which imports what that needs and precomputes what scoring needs, and forks the actors, which
share all of it copy-on-write. Every process ends when its parent's end of a socket closes: nothing
stays behind even after a ``kill -9``.

Neither torch nor openml is imported here.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import struct
import traceback
import warnings
from collections.abc import Iterable
from dataclasses import replace
from multiprocessing.connection import Connection

import cloudpickle
from threadpoolctl import threadpool_limits

from autosmote.isolation.processes import describe_exit
from autosmote.search.rollout import RolloutWorker, SentWarning
from autosmote.search.shared_memory import ParameterRing

TASK = struct.Struct("<qq")
"""A request to an actor: the iteration, and the version of the parameters."""
DONE, FAILED = b"d", b"f"
"""First byte of an actor's answer; a pickled (iteration, Rollout) follows, or what `as_sent`
makes of an error."""
_HOST_POLL = 0.2


def serve_actors(fds: Iterable[int]) -> None:
    """Run the host: build once, fork the actors, watch them and the parent.

    Parameters
    ----------
    fds : iterable of int
        File descriptors of the shared memory, of the host's socket, and of one for each actor.
    """
    memory, *sockets = fds
    control, *actors = (Connection(fd) for fd in sockets)
    try:
        method, n_versions, n_parameters = cloudpickle.loads(control.recv_bytes())
        # A fork may have inherited more; of the libraries that are loaded by now.
        threadpool_limits(limits=1)
        ring = ParameterRing(memory, n_versions, n_parameters)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            worker = RolloutWorker(method)
        # Not of the warm-up, which a search without actors does not have.
        worker.generator.warm_up(n_parameters)
    except BaseException as error:
        with contextlib.suppress(OSError):
            control.send_bytes(pickle.dumps(("error", as_sent(error))))
        os._exit(1)
    children = {}
    for index, connection in enumerate(actors):
        pid = os.fork()
        if pid == 0:
            for other in (control, *actors):
                if other is not connection:
                    other.close()
            _act(worker, ring, connection)
            os._exit(0)
        children[pid] = index
    for connection in actors:
        connection.close()
    ready = (worker.generator.scorer_name, take_warnings(caught, set()))
    control.send_bytes(pickle.dumps(("ready", ready)))
    _watch(control, children)


def _watch(control: Connection, children: dict[int, int]) -> None:
    """Report actors that die; end them all when the parent is gone."""
    try:
        while children:
            if control.poll(_HOST_POLL):
                control.recv_bytes()  # the parent never writes here again: this is its end
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid in children:
                code = os.waitstatus_to_exitcode(status)
                message = ("exit", (children.pop(pid), describe_exit(code)))
                control.send_bytes(pickle.dumps(message))
    except (EOFError, OSError):
        pass
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os._exit(0)


def _act(worker: RolloutWorker, ring: ParameterRing, connection: Connection) -> None:
    """Make the rollouts that are asked for until the parent is gone."""
    sent: set[tuple[str, str]] = set()
    try:
        # Around all iterations, since each start of it costs.
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            while True:
                n, version = TASK.unpack(connection.recv_bytes())
                rollout = worker.run(n, version, ring.read(version))
                if caught:
                    rollout = replace(rollout, warnings=take_warnings(caught, sent))
                connection.send_bytes(DONE + pickle.dumps((n, rollout), pickle.HIGHEST_PROTOCOL))
    except (EOFError, OSError):
        return
    except BaseException as error:
        with contextlib.suppress(OSError):
            connection.send_bytes(FAILED + pickle.dumps(as_sent(error)))


def take_warnings(
    caught: list[warnings.WarningMessage], sent: set[tuple[str, str]]
) -> tuple[SentWarning, ...]:
    """Empty a list of warnings; return those that were not sent before, by class and text."""
    new: list[SentWarning] = []
    for one in caught:
        key = (one.category.__name__, str(one.message))
        if key not in sent and isinstance(one.message, Warning):
            sent.add(key)
            new.append((as_sent(one.message)[0], *key, one.filename, one.lineno))
    caught.clear()
    return tuple(new)


def as_sent(error: BaseException) -> tuple[bytes | None, str]:
    """Return an error pickled, or None where that cannot be, and its traceback as text."""
    text = "".join(traceback.format_exception(error))
    pickled = None
    if isinstance(error, Exception):  # SystemExit is the actor's end, not the parent's
        with contextlib.suppress(Exception):
            found = pickle.dumps(error)
            # Fails where its class asks for other arguments than it keeps.
            pickle.loads(found)  # noqa: S301 - made a line above
            pickled = found
    return pickled, text
