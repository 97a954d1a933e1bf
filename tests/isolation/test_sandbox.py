"""Sandboxed objects: plain answers, limits, failures with their causes, no process left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from rivals import AtSomeRatios
from waiting import is_running, wait_for_end, wait_until

from autosmote.errors import UserError
from autosmote.isolation import processes
from autosmote.isolation.forkserver import ForkServer, HostEnded
from autosmote.isolation.processes import child_environment, descendants, describe_exit
from autosmote.isolation.sandbox import (
    NEVER,
    ChildFailed,
    CpuLimit,
    Deadline,
    SandboxedObject,
)
from autosmote.isolation.wire import pack, unpack

linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


class Worker:
    """The object in the child; `deed` is one of `rivals.AtSomeRatios`."""

    def __init__(self, first=0):
        self.total = first

    def add(self, x):
        self.total += x
        return {"total": self.total, "double": [2 * np.asarray(x)], "none": None}

    def where(self):
        return [os.getpid(), os.getcwd(), sys.path, os.environ.get("OMP_NUM_THREADS")]

    def do(self, deed, **params):
        getattr(AtSomeRatios(random_state=0, **params), deed)()

    def give(self, what):
        return {"object": object(), "array": np.array([object()]), "set": {1}}[what]

    def mistake(self):
        raise UserError("there is no such thing")

    def preloaded(self):
        return os.preloaded

    def print(self):
        print("not a result")

    def work(self, seconds):
        until = time.process_time() + seconds
        while time.process_time() < until:
            pass

    def interrupt(self, pid):
        os.kill(pid, signal.SIGUSR1)
        self.do("loop")


class Unmakeable:
    def __init__(self):
        raise ValueError("cannot be made")


@dataclass(frozen=True, order=True)
class When(Deadline):
    """A deadline that passes when a condition is true."""

    condition: Callable[[], bool] = lambda: True

    def passed(self):
        return self.condition()


def pids_in(path: Path) -> list[int]:
    return list(map(int, path.read_text().split())) if path.exists() else []


def test_unpack_returns_the_packed_plain_data():
    value = {"a": [1, 2.5, None, "é", {"b": np.arange(6.0).reshape(2, 3)}], "c": np.float64(0.1)}
    value |= {"e": np.array([], dtype=np.int8), "t": (True, False)}
    found = unpack(pack(value))
    array = found["a"][4].pop("b")
    assert np.array_equal(array, np.arange(6.0).reshape(2, 3)) and array.dtype == np.float64
    assert found.pop("e").dtype == np.int8
    assert found == {"a": [1, 2.5, None, "é", {}], "c": 0.1, "t": [True, False]}


@pytest.mark.parametrize("value", [object(), np.array([object()]), {1}, b"x"])
def test_pack_of_other_objects_raises(value):
    with pytest.raises((TypeError, ValueError)):
        pack({"x": value})


def test_object_keeps_its_state_between_calls():
    with SandboxedObject(None, Worker, 10) as child:
        assert child.call("add", 1).value["total"] == 11
        answer = child.call("add", np.arange(3))
    assert np.array_equal(answer.value["total"], [11, 12, 13])
    assert np.array_equal(answer.value["double"][0], [0, 2, 4])
    assert answer.seconds >= 0 and answer.warnings == []
    assert child.peak_memory_mb > 0 or not Path("/proc").exists()


def test_child_is_a_new_process_with_folder_and_path_of_the_parent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for _ in range(2):
        with SandboxedObject(None, Worker) as child:
            found.append(child.call("where").value)
    (first, *around), (second, *_) = found
    assert len({first, second, os.getpid()}) == 3
    assert around[0] == str(tmp_path) and around[1][0] == str(tmp_path) and around[2] == "1"


def test_child_does_not_print_to_stdout(capfd):
    with SandboxedObject(None, Worker) as child:
        child.call("print")
    streams = capfd.readouterr()
    assert streams.out == ""


@pytest.mark.parametrize(
    ("deed", "status", "error"),
    [
        ("fail", "failed", "ValueError: no such ratio in data.csv (at rivals.py:"),
        ("refuse", "memory", "MemoryError"),
        ("odd_error", "failed", "Unpicklable: odd in x.py"),
        ("mute_error", "failed", "Mute"),
        ("sys_exit", "failed", "SystemExit: 3"),
    ],
)
def test_call_that_raises_fails_and_the_child_lives(deed, status, error):
    with SandboxedObject(None, Worker) as child:
        with pytest.raises(ChildFailed) as caught:
            child.call("do", deed)
        assert caught.value.status == status
        assert caught.value.error.startswith(error)
        assert child.alive and child.call("add", 1).value["total"] == 1


@pytest.mark.parametrize("what", ["object", "array", "set"])
def test_call_with_a_result_that_cannot_be_packed_fails(what):
    with SandboxedObject(None, Worker) as child:
        with pytest.raises(ChildFailed, match="Error") as caught:
            child.call("give", what)
        assert caught.value.status == "failed" and child.alive


def test_call_that_raises_a_user_error_raises_it():
    with (
        SandboxedObject(None, Worker) as child,
        pytest.raises(UserError, match=r"^there is no such thing$"),
    ):
        child.call("mistake")


def test_factory_that_raises_fails():
    with pytest.raises(ChildFailed, match="ValueError: cannot be made"):
        SandboxedObject(None, Unmakeable)


@pytest.mark.parametrize(
    ("deed", "status", "error"),
    [
        ("kill", "crashed", "its process ended by signal SIGKILL"),
        ("exit", "crashed", "its process ended with exit code 7"),
        ("loop", "timeout", "it took longer than limits.x=1 allows"),
        pytest.param("eat", "memory", "it used more than limits.memory_mb=400", marks=linux),
    ],
)
def test_child_that_crashes_or_passes_a_limit_fails_with_the_cause(deed, status, error):
    with SandboxedObject(400, Worker) as child:
        pid = child.call("where").value[0]
        deadline = Deadline.after(1, "limits.x") if deed == "loop" else NEVER
        with pytest.raises(ChildFailed) as caught:
            child.call("do", deed, deadline=deadline)
        assert (caught.value.status, caught.value.error) == (status, error)
        assert not child.alive
        assert not is_running(pid)
        if deed == "eat":
            assert child.peak_memory_mb > 400
    with SandboxedObject(None, Worker) as child:  # the server can start the next one
        assert child.call("add", 1).value["total"] == 1


@linux
def test_child_that_passes_a_limit_on_cpu_time_fails_and_earlier_calls_do_not_count():
    limit = CpuLimit(0.4, "limits.x=0.4")
    with SandboxedObject(None, Worker, cpu=limit) as child:
        for _ in range(4):
            child.call("work", 0.15, cpu=limit)
        with pytest.raises(ChildFailed) as caught:
            child.call("do", "loop", cpu=limit)
        assert not child.alive
    error = "it used more CPU seconds than limits.x=0.4 allows"
    assert (caught.value.status, caught.value.error) == ("timeout", error)


@linux
def test_call_that_ends_between_two_looks_passes_its_limit_on_cpu_time_all_the_same():
    with SandboxedObject(None, Worker) as child, pytest.raises(ChildFailed) as caught:
        child.call("work", 0.06, cpu=CpuLimit(0.03, "limits.x=0.03"))
    assert (caught.value.status, child.alive) == ("timeout", False)


@linux
def test_cpu_seconds_are_those_of_all_processes_below_one():
    """Of one that runs, and of one that has ended."""
    code = """
import subprocess, sys, time
spin = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.run([sys.executable, "-c", spin])
with subprocess.Popen([sys.executable, "-c", spin + "\\nprint(1, flush=True); time.sleep(99)"],
                      stdout=subprocess.PIPE) as running:
    running.stdout.readline()
    print(2, flush=True)
    sys.stdin.read()
    running.kill()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        process.stdout.readline()
        found = processes.cpu_seconds(process.pid, descendants(process.pid))
        process.stdin.close()
    assert found >= 0.55  # 0.3 of each, counted in hundredths
    assert processes.cpu_seconds(process.pid, []) is None


class Leaver(Worker):
    def leave(self, pids):
        self.do("leave_child", pids=pids)


@linux
def test_timeout_ends_grandchildren(tmp_path):
    file = tmp_path / "pids"
    deadline = When(setting="limits.x=1", condition=lambda: len(pids_in(file)) == 2)
    with (
        SandboxedObject(None, Leaver) as child,
        pytest.raises(ChildFailed, match=r"limits\.x=1"),
    ):
        child.call("leave", str(file), deadline=deadline)
    assert not any(map(is_running, pids_in(file)))


@linux
def test_killed_parent_leaves_no_process(tmp_path):
    file = tmp_path / "pids"
    code = f"""
from test_sandbox import Leaver, SandboxedObject
SandboxedObject(None, Leaver).call("leave", {str(file)!r})
"""
    process = subprocess.Popen([sys.executable, "-c", code], env=child_environment())
    try:
        wait_until(lambda: len(pids_in(file)) == 2)
        below = descendants(process.pid)
        assert set(pids_in(file)) < set(below)  # the fork server too
    finally:
        process.kill()
        process.wait()
    wait_for_end(below)


@linux
def test_fork_server_has_one_thread():
    with SandboxedObject(None, Worker):
        tasks = Path(f"/proc/{ForkServer.of_this_process().pid}/task")
        names = [path.read_text().strip() for path in tasks.glob("*/comm")]
    # The thread of Arrow's allocator survives forks.
    assert len([name for name in names if not name.startswith("jemalloc")]) == 1


def test_killed_fork_server_is_replaced():
    with SandboxedObject(None, Worker) as child:
        pid = child.call("where").value[0]
        os.kill(ForkServer.of_this_process().pid, signal.SIGKILL)
        with pytest.raises(ChildFailed) as caught:
            child.call("do", "loop")
    assert caught.value.status == "crashed"
    wait_for_end([pid])
    with SandboxedObject(None, Worker) as child:
        assert child.call("add", 1).value["total"] == 1


def test_interrupted_call_ends_the_child():
    previous = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    try:
        with SandboxedObject(None, Worker) as child:
            pid = child.call("where").value[0]
            with pytest.raises(KeyboardInterrupt):
                child.call("interrupt", os.getpid())
            assert not child.alive and not is_running(pid)
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_forked_fork_server_has_what_its_parent_preloaded():
    server = ForkServer()
    server.preload(setattr, os, "preloaded", 7)
    forked = server.fork()
    try:
        assert forked.pid not in (0, server.pid)
        with SandboxedObject(None, Worker, server=forked) as child:
            assert child.call("preloaded").value == 7
    finally:
        forked.close()
        server.close()
    wait_for_end([forked.pid, server.pid])


def test_fork_by_a_killed_fork_server_raises():
    server = ForkServer()
    server.wait_until_ready()
    os.kill(server.pid, signal.SIGSTOP)
    forked = ForkServer(parent=server)
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match="no process can be started"):
        forked.wait_until_ready()
    server.close()


@pytest.mark.parametrize("moment", ["starting", "ready", "preloading", "making"])
def test_killed_fork_server_is_one_error_at_every_moment(moment):
    server = ForkServer()
    if moment != "starting":
        server.wait_until_ready()
    if moment in ("starting", "ready"):
        server._process.kill()
        server._process.wait()
    if moment == "preloading":
        with pytest.raises(HostEnded, match="the host ended by signal SIGKILL"):
            server.preload(kill_self)
    else:
        with pytest.raises(ChildFailed, match="ended by signal SIGKILL") as caught:
            SandboxedObject(None, kill_parent, server=server)
        assert caught.value.status == "crashed"
    server.close()


def kill_self():
    os.kill(os.getpid(), signal.SIGKILL)


def kill_parent():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "with exit code 0"),
        (3, "with exit code 3"),
        (-9, "by signal SIGKILL"),
        (-40, "by signal 40"),
    ],
)
def test_describe_exit_names_the_code_or_signal(code, words):
    assert describe_exit(code) == words


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8000),
        ({"memory.max": "max\n", "memory.current": "1", "memory.stat": ""}, 8000),
        (
            {
                "memory.max": str(3000 * 2**20),
                "memory.current": str(1200 * 2**20),
                "memory.stat": f"anon 5\ninactive_file {200 * 2**20}\n",
            },
            2000,
        ),
        (
            {
                "memory/memory.limit_in_bytes": str(3000 * 2**20),
                "memory/memory.usage_in_bytes": str(1200 * 2**20),
                "memory/memory.stat": f"inactive_file 7\ntotal_inactive_file {100 * 2**20}\n",
            },
            1900,
        ),
    ],
    ids=["no group", "no limit", "version 2", "version 1"],
)
def test_available_memory_is_limited_by_the_cgroup(tmp_path, files, expected):
    assert processes.available_memory(tmp_path) is None
    files = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in {"proc/meminfo": f"MemAvailable: {8000 * 1024} kB\n", **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert processes.available_memory(tmp_path) == expected


@linux
def test_resident_memory_above_the_limit_counts_shared_memory_once():
    pids = [os.getpid()] * 2
    assert (
        processes.resident_memory(pids, limit=np.inf) > processes.resident_memory(pids, limit=0) > 0
    )
