"""Actors: where sample sets are proposed and scored (Section 3.3, "Multi-Processing").

In this process (`InlinePool`) or in processes of their own (`ProcessPool`), with the same results.
Parameters travel in shared memory, since all actors read each version; a rollout, of some ten to a
hundred kilobytes, is pickled through its actor's socket.
"""

from __future__ import annotations

import contextlib
import pickle
import socket
import subprocess
import warnings
from collections.abc import Iterable
from multiprocessing.connection import Connection, wait
from typing import Any, NoReturn, Protocol

import cloudpickle
from threadpoolctl import threadpool_limits

from autosmote.isolation.processes import descendants, describe_exit
from autosmote.isolation.spawn import start_process
from autosmote.search.actor_process import DONE, TASK
from autosmote.search.method import Method, Parameters
from autosmote.search.rollout import Rollout, RolloutWorker, SentWarning
from autosmote.search.shared_memory import ParameterRing, anonymous_file

_EXIT_WAIT = 2.0


class ActorError(RuntimeError):
    """An actor or the actors' host died, at whatever moment; the message says how.

    What it raised is raised here as well, as by a search without actors; with its traceback there
    as the cause, an `ActorError`. Only an error that cannot be sent is one itself.
    """


def raise_remote(sent: tuple[bytes | None, str]) -> NoReturn:
    """Raise an error of another process: pickled, if it could be, and its traceback's text."""
    pickled, text = sent
    if pickled is None:
        raise ActorError(text)
    raise pickle.loads(pickled) from ActorError(text)  # noqa: S301 - an actor of ours sent it


def warn_again(sent: Iterable[SentWarning], shown: dict[Any, Any]) -> None:
    """Warn here of what another process has warned of, under the filters that hold here.

    `shown` is the registry by which a filter tells what it has shown before.
    """
    for pickled, name, text, file, line in sent:
        # Else of a class of its name, of which records have no more.
        message = pickle.loads(pickled) if pickled else type(name, (UserWarning,), {})(text)  # noqa: S301
        warnings.warn_explicit(message, type(message), file, line, registry=shown)


class ActorPool(Protocol):
    """Actors that make rollouts."""

    n_actors: int
    scorer_name: str

    def publish(self, version: int, parameters: Parameters) -> None:
        """Make a version of the parameters known; older ones stay readable for a ring's length."""

    def dispatch(self, n: int, version: int) -> None:
        """Ask for iteration n under a version that was published."""

    def result(self, n: int) -> Rollout:
        """Wait for iteration n.

        Raises
        ------
        ActorError
            If an actor raised or died.
        """

    def pids(self) -> list[int]:
        """Return the ids of the pool's processes."""

    def close(self) -> None:
        """End all processes."""


class InlinePool:
    """Makes rollouts in this process, when they are asked for.

    Parameters
    ----------
    method : Method
    n_versions : int
        Versions of the parameters that stay readable.
    """

    n_actors = 0

    def __init__(self, method: Method, n_versions: int) -> None:
        # One thread, as in the actors: a product's last bits depend on how it is divided.
        self._limits = threadpool_limits(limits=1)
        try:
            self._worker = RolloutWorker(method)
        except BaseException:
            self.close()
            raise
        self.scorer_name: str = self._worker.generator.scorer_name
        self._versions: dict[int, Parameters] = {}
        self._n_versions = n_versions
        self._tasks: dict[int, int] = {}

    def publish(self, version: int, parameters: Parameters) -> None:
        self._versions[version % self._n_versions] = parameters

    def dispatch(self, n: int, version: int) -> None:
        self._tasks[n] = version

    def result(self, n: int) -> Rollout:
        version = self._tasks.pop(n)
        return self._worker.run(n, version, self._versions[version % self._n_versions])

    def pids(self) -> list[int]:
        return []

    def close(self) -> None:
        self._limits.restore_original_limits()


class ProcessPool:
    """Makes rollouts in processes of their own, which a host forks (`actor_process`).

    Parameters
    ----------
    method : Method
    n_actors : int
    n_versions : int
        Versions of the parameters that stay readable.
    n_parameters : int
    """

    def __init__(self, method: Method, n_actors: int, n_versions: int, n_parameters: int) -> None:
        self.n_actors = n_actors
        with anonymous_file() as memory:
            pairs = [socket.socketpair() for _ in range(n_actors + 1)]
            fds = [memory.fileno(), *(child.fileno() for _, child in pairs)]
            self._host = start_process("autosmote.search.actor_process", "serve_actors", fds)
            for _, child in pairs:
                child.close()
            self._ring = ParameterRing(memory.fileno(), n_versions, n_parameters)
        self._control, *self._actors = (Connection(ours.detach()) for ours, _ in pairs)
        self._assigned: list[list[int]] = [[] for _ in range(n_actors)]
        self._done: dict[int, Rollout] = {}
        self.scorer_name = ""
        self._is_ready = False
        self._shown: dict[Any, Any] = {}
        try:
            message = cloudpickle.dumps((method, n_versions, n_parameters))
            try:
                self._control.send_bytes(message)
            except OSError:
                self._receive_from_host()  # what it has said last, or how it has ended
                raise ActorError("the actors' host does not listen") from None
        except BaseException:
            self.close()
            raise

    def publish(self, version: int, parameters: Parameters) -> None:
        self._ring.publish(version, parameters)

    def dispatch(self, n: int, version: int) -> None:
        actor = min(range(self.n_actors), key=lambda a: (len(self._assigned[a]), a))
        try:
            self._actors[actor].send_bytes(TASK.pack(n, version))
        except OSError:
            self._raise_for(actor)
        self._assigned[actor].append(n)

    def result(self, n: int) -> Rollout:
        while n not in self._done or not self._is_ready:
            for connection in wait([*self._actors, self._control]):
                if connection is self._control:
                    self._receive_from_host()
                else:
                    self._receive(self._actors.index(connection))  # type: ignore[arg-type]
        rollout = self._done.pop(n)
        if rollout.warnings:  # now, since results are asked for in the order of the iterations
            warn_again(rollout.warnings, self._shown)
        return rollout

    def pids(self) -> list[int]:
        return [self._host.pid, *descendants(self._host.pid)]

    def close(self) -> None:
        for connection in (*self._actors, self._control):
            connection.close()
        try:
            self._host.wait(_EXIT_WAIT)
        except subprocess.TimeoutExpired:
            self._host.kill()
            self._host.wait()

    def _receive(self, actor: int) -> None:
        """Take one answer of an actor: a rollout, or the text of its error."""
        try:
            message = self._actors[actor].recv_bytes()
        except (EOFError, OSError):
            self._raise_for(actor)
        if message[:1] != DONE:
            raise_remote(pickle.loads(memoryview(message)[1:]))  # noqa: S301 - an actor of ours
        n, rollout = pickle.loads(memoryview(message)[1:])  # noqa: S301 - an actor of ours
        self._assigned[actor].remove(n)
        self._done[n] = rollout

    def _raise_for(self, actor: int) -> None:
        """Raise the error that says why an actor is gone, as its host knows it."""
        reason = "without a word"
        with contextlib.suppress(EOFError, OSError):
            while self._control.poll(_EXIT_WAIT):
                kind, content = self._receive_control()
                if kind == "error":
                    raise_remote(content)
                if kind == "exit" and content[0] == actor:
                    reason = content[1]
                    break
        raise ActorError(f"actor {actor} ended {reason} while it made episodes of the search")

    def _receive_from_host(self) -> None:
        kind, content = self._receive_control()
        if kind == "exit":
            raise ActorError(f"actor {content[0]} ended {content[1]}")
        if kind == "error":
            raise_remote(content)
        self.scorer_name, caught = content
        self._is_ready = True
        warn_again(caught, self._shown)

    def _receive_control(self) -> tuple[str, Any]:
        try:
            return pickle.loads(self._control.recv_bytes())  # noqa: S301 - our own host sent it
        except (EOFError, OSError):
            try:
                how = describe_exit(self._host.wait(_EXIT_WAIT))
            except subprocess.TimeoutExpired:
                how = "without a word"
            raise ActorError(f"the actors' host ended {how}") from None
