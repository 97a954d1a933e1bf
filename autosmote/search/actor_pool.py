"""Actors: processes that generate and score episodes (Section 3.3, "Multi-Processing").

One *host* process is started afresh (no threads or CUDA context of the parent are inherited),
imports numpy, numba and the classifier's module once, builds the scorer, and forks the actors,
which share all of it copy-on-write. Parameters and episodes lie in shared memory; a message is a
few bytes. The memory has no name in any file system, and every process ends when its parent's end
of a socket closes, so that nothing stays behind even after a ``kill -9``.

Neither torch nor openml is imported here.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

import cloudpickle
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from autosmote.isolation.processes import child_environment, descendants, how_it_ended
from autosmote.scoring.reward import Part, Reward, Scoring
from autosmote.search.hierarchical.episode import Episode, EpisodeGenerator, Rules
from autosmote.search.hierarchical.parameters import LEFT_OUT
from autosmote.space.base import Space

_TASK = struct.Struct("<qq")
# Arrays of an episode: one entry per minority row, or per kept low-level step.
_PER_ROW = ("g2", "g2_log_prob", "bins")
_PER_STEP = ("row", "action", "log_prob", "bins_low", "end")
_EXIT_WAIT = 2.0
_HOST_POLL = 0.2


class ActorError(RuntimeError):
    """An actor raised or died; the message holds its traceback or the signal's name."""


@dataclass(frozen=True)
class Problem:
    """All that an actor needs to know, once per search."""

    space: Space
    parts: tuple[Part, ...]
    estimator: Any
    metric: Scoring
    seed: int
    G1: int
    G2: int
    rules: Rules
    low_level_net: str
    low_level_rows: int
    scoring: str
    scoring_memory: int


@dataclass(frozen=True)
class Result:
    """An episode with its reward and what it took, in seconds."""

    episode: Episode
    reward: float
    generate_seconds: float
    score_seconds: float


class Worker:
    """Generates and scores episodes: one iteration of Algorithm 2 but for the learning."""

    def __init__(self, problem: Problem) -> None:
        self._seed = problem.seed
        self.generator = EpisodeGenerator(
            problem.space,
            problem.G1,
            problem.G2,
            rules=problem.rules,
            low_level_net=problem.low_level_net,
            low_level_rows=problem.low_level_rows,
        )
        # One for each share of the majority rows that an episode may leave out.
        shares = LEFT_OUT if problem.rules.under_sampling else LEFT_OUT[:1]
        self.rewards = [
            Reward(
                problem.estimator,
                [part.without_hardest(share) for part in problem.parts],
                problem.metric,
                scoring=problem.scoring,
                memory_bytes=problem.scoring_memory // len(shares),
            )
            for share in shares
        ]
        self._plain_rewards: dict[int, float] = {}
        self._nothing = problem.space.nothing()
        self._version = -1

    def run(self, n: int, version: int, parameters: NDArray[np.float32]) -> Result:
        """Episode n under a version of the parameters; its random numbers come from (seed, n)."""
        start = time.perf_counter()
        if version != self._version:
            self.generator.load(parameters)
            self._version = version
        episode = self.generator.generate(np.random.default_rng([self._seed, n]))
        generated = time.perf_counter()
        if not episode.n_synthetic:
            reward = self._plain_reward(episode.under)
        else:
            reward = self.rewards[episode.under](episode.samples)
        return Result(episode, reward, generated - start, time.perf_counter() - generated)

    def _plain_reward(self, under: int) -> float:
        """An episode without samples is legal (g1 = 0) and always scores as the plain classifier.

        Not known before it is needed: a refit might start threads in a process that is to fork.
        """
        if under not in self._plain_rewards:
            self._plain_rewards[under] = self.rewards[under](self._nothing)
        return self._plain_rewards[under]

    def warm_up(self, n_parameters: int) -> None:
        """Compile (or load from numba's cache) what makes episodes, before the actors fork."""
        self.generator.load(np.zeros(n_parameters, dtype=np.float32))
        self.generator.generate(np.random.default_rng(0))


class Pool(Protocol):
    """Where episodes are made: in this process or in others, with the same results."""

    n_actors: int
    scorer_name: str

    def publish(self, version: int, parameters: NDArray[np.float32]) -> None:
        """Make a version of the parameters known; older ones stay readable for a ring's length."""

    def dispatch(self, n: int, version: int) -> None:
        """Ask for episode n under a version that was published."""

    def result(self, n: int) -> Result:
        """Wait for episode n; valid until episode n + lag is dispatched."""

    def pids(self) -> list[int]:
        """Processes that belong to the pool."""

    def close(self) -> None:
        """End all processes."""


class InlinePool:
    """Runs everything in this process, when asked for the result."""

    n_actors = 0

    def __init__(self, problem: Problem, versions: int, n_parameters: int) -> None:
        # One thread, as in the actors: a product's last bits depend on how it is divided.
        self._limits = threadpool_limits(limits=1)
        self._worker = Worker(problem)
        self.scorer_name: str = self._worker.rewards[0].name
        self._ring = np.empty((versions, n_parameters), dtype=np.float32)
        self._tasks: dict[int, int] = {}

    def publish(self, version: int, parameters: NDArray[np.float32]) -> None:
        self._ring[version % len(self._ring)] = parameters

    def dispatch(self, n: int, version: int) -> None:
        self._tasks[n] = version

    def result(self, n: int) -> Result:
        version = self._tasks.pop(n)
        return self._worker.run(n, version, self._ring[version % len(self._ring)])

    def pids(self) -> list[int]:
        return []

    def close(self) -> None:
        self._limits.restore_original_limits()


class Shared:
    """The shared memory: a ring of parameter versions, and a slot for each episode in flight."""

    def __init__(self, fd: int, problem: Problem, versions: int, lag: int, n_parameters: int):
        n, K = problem.space.neighbours.shape
        steps = min(problem.low_level_rows, n) * problem.G1 * problem.G2
        self._space = problem.space
        layout = self._space.layout(n * problem.G1 * problem.G2)
        self._per_step = _PER_STEP + (("weight",) if self._space.continuous else ())
        slot = np.dtype(
            [
                ("samples", [(name, *of) for name, of in layout.items()]),
                ("n_samples", np.int64),
                ("g2", np.int32, (n,)),
                ("g2_log_prob", np.float32, (n,)),
                ("row", np.int32, (steps,)),
                ("action", np.int32, (steps,)),
                ("log_prob", np.float32, (steps,)),
                ("bins", np.uint8, (n,)),
                ("bins_low", np.uint8, (steps, K)),
                ("end", np.bool_, (steps,)),
                ("weight", np.float64, (steps if self._space.continuous else 0,)),
                ("g1", np.int64),
                ("n_steps", np.int64),
                ("g1_log_prob", np.float64),
                ("under", np.int64),
                ("under_log_prob", np.float64),
                ("reward", np.float64),
                ("seconds", np.float64, (2,)),
            ],
            align=True,
        )
        ring_bytes = -(-versions * n_parameters * 4 // 64) * 64
        size = ring_bytes + lag * slot.itemsize
        if os.fstat(fd).st_size < size:
            os.ftruncate(fd, size)
        memory = mmap.mmap(fd, size)
        self.ring = np.frombuffer(memory, np.float32, versions * n_parameters)
        self.ring = self.ring.reshape(versions, n_parameters)
        self._slots = np.frombuffer(memory, slot, lag, offset=ring_bytes)

    def write(self, n: int, result: Result) -> None:
        """Store the result of episode n in its slot."""
        slot = self._slots[n % len(self._slots)]
        episode = result.episode
        n_steps = len(episode.row)
        for name in _PER_ROW:
            slot[name][:] = getattr(episode, name)
        for name in self._per_step:
            slot[name][:n_steps] = getattr(episode, name)
        for name, column in self._space.columns(episode.samples).items():
            slot["samples"][name][: len(column)] = column
            slot["n_samples"] = len(column)
        slot["n_steps"] = n_steps
        slot["g1"], slot["g1_log_prob"] = episode.g1, episode.g1_log_prob
        slot["under"], slot["under_log_prob"] = episode.under, episode.under_log_prob
        slot["reward"] = result.reward
        slot["seconds"][:] = result.generate_seconds, result.score_seconds

    def read(self, n: int) -> Result:
        """The result of episode n; its arrays are views of the slot."""
        slot = self._slots[n % len(self._slots)]
        n_steps, n_samples = int(slot["n_steps"]), int(slot["n_samples"])
        samples = slot["samples"]
        episode = Episode(
            samples=self._space.samples(
                {name: samples[name][:n_samples] for name in samples.dtype.names}
            ),
            g1=int(slot["g1"]),
            g1_log_prob=float(slot["g1_log_prob"]),
            under=int(slot["under"]),
            under_log_prob=float(slot["under_log_prob"]),
            **{name: slot[name] for name in _PER_ROW},
            **{name: slot[name][:n_steps] for name in self._per_step},
        )
        generate, score = (float(seconds) for seconds in slot["seconds"])
        return Result(episode, float(slot["reward"]), generate, score)


class ProcessPool:
    """Actors in processes of their own."""

    def __init__(
        self, problem: Problem, n_actors: int, versions: int, lag: int, n_parameters: int
    ) -> None:
        self.n_actors = n_actors
        with _anonymous_file() as memory:
            pairs = [socket.socketpair() for _ in range(n_actors + 1)]
            fds = [memory.fileno(), *(child.fileno() for _, child in pairs)]
            code = f"from autosmote.search.actor_pool import _host; _host({fds})"
            # In a session of its own: the terminal's Ctrl-C is the parent's to handle.
            self._host = subprocess.Popen(
                [sys.executable, "-c", code],
                pass_fds=fds,
                stdin=subprocess.DEVNULL,
                env=child_environment(),
                start_new_session=True,
            )
            for _, child in pairs:
                child.close()
            self._shared = Shared(memory.fileno(), problem, versions, lag, n_parameters)
        self._control, *self._actors = (Connection(ours.detach()) for ours, _ in pairs)
        self._assigned: list[list[int]] = [[] for _ in range(n_actors)]
        self._done: set[int] = set()
        self.scorer_name = ""  # known when the host is ready, before the first result
        self._control.send_bytes(cloudpickle.dumps((problem, versions, lag, n_parameters)))

    def publish(self, version: int, parameters: NDArray[np.float32]) -> None:
        self._shared.ring[version % len(self._shared.ring)] = parameters

    def dispatch(self, n: int, version: int) -> None:
        actor = min(range(self.n_actors), key=lambda a: (len(self._assigned[a]), a))
        try:
            self._actors[actor].send_bytes(_TASK.pack(n, version))
        except OSError:
            self._fail(actor)
        self._assigned[actor].append(n)

    def result(self, n: int) -> Result:
        while n not in self._done:
            for connection in wait([*self._actors, self._control]):
                if connection is self._control:
                    self._host_message()
                else:
                    self._collect(self._actors.index(connection))  # type: ignore[arg-type]
        self._done.discard(n)
        return self._shared.read(n)

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

    def _collect(self, actor: int) -> None:
        """Take one message of an actor: a finished episode, or the text of its error."""
        try:
            message = self._actors[actor].recv_bytes()
        except (EOFError, OSError):
            self._fail(actor)
        if len(message) != _TASK.size:
            raise ActorError(message.decode())
        n, _ = _TASK.unpack(message)
        self._assigned[actor].remove(n)
        self._done.add(n)

    def _fail(self, actor: int) -> None:
        """Say why an actor is gone, as its host knows it."""
        reason = "without a word"
        with contextlib.suppress(EOFError, OSError):
            while self._control.poll(_EXIT_WAIT):
                kind, content = self._receive_control()
                if kind == "exit" and content[0] == actor:
                    reason = content[1]
                    break
        raise ActorError(f"actor {actor} ended {reason} while it made episodes of the search")

    def _host_message(self) -> None:
        kind, content = self._receive_control()
        if kind == "exit":
            raise ActorError(f"actor {content[0]} ended {content[1]}")
        if kind == "error":
            raise ActorError(content)
        self.scorer_name = content

    def _receive_control(self) -> tuple[str, Any]:
        try:
            return cloudpickle.loads(self._control.recv_bytes())
        except (EOFError, OSError):
            code = self._host.wait(_EXIT_WAIT)
            raise ActorError(f"the actors' host ended {how_it_ended(code)}") from None


def _anonymous_file() -> Any:
    """A file without a name: in memory on Linux (no /dev/shm needed), else a temporary one."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("autosmote"), "r+b")
    return tempfile.TemporaryFile()


def _host(fds: Iterable[int]) -> None:
    """Main of the host process: build once, fork the actors, watch them and the parent."""
    memory, *sockets = fds
    control, *actors = (Connection(fd) for fd in sockets)
    try:
        problem, versions, lag, n_parameters = cloudpickle.loads(control.recv_bytes())
        shared = Shared(memory, problem, versions, lag, n_parameters)
        worker = Worker(problem)
        worker.warm_up(n_parameters)
    except BaseException:
        with contextlib.suppress(OSError):
            control.send_bytes(cloudpickle.dumps(("error", traceback.format_exc())))
        os._exit(1)
    children = {}
    for index, connection in enumerate(actors):
        pid = os.fork()
        if pid == 0:
            for other in (control, *actors):
                if other is not connection:
                    other.close()
            _actor(worker, shared, connection)
            os._exit(0)
        children[pid] = index
    for connection in actors:
        connection.close()
    control.send_bytes(cloudpickle.dumps(("ready", worker.rewards[0].name)))
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
                message = ("exit", (children.pop(pid), how_it_ended(code)))
                control.send_bytes(cloudpickle.dumps(message))
    except (EOFError, OSError):
        pass
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os._exit(0)


def _actor(worker: Worker, shared: Shared, connection: Connection) -> None:
    """An actor's life: make the episodes that it is asked for until the parent is gone."""
    try:
        while True:
            n, version = _TASK.unpack(connection.recv_bytes())
            result = worker.run(n, version, shared.ring[version % len(shared.ring)])
            shared.write(n, result)
            connection.send_bytes(_TASK.pack(n, version))
    except (EOFError, OSError):
        return
    except BaseException:
        with contextlib.suppress(OSError):
            connection.send_bytes(traceback.format_exc().encode())
