"""Work in a child process: plain answers, limits that hold, causes by name, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rivals import AtSomeRatios

from autosmote.errors import UserError
from autosmote.isolation import processes
from autosmote.isolation.forkserver import ForkServer
from autosmote.isolation.processes import child_environment, descendants, how_it_ended
from autosmote.isolation.sandbox import NEVER, ChildFailed, Deadline, SandboxedObject
from autosmote.isolation.wire import pack, unpack

linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


class Worker:
    """What the tests below have in a child; `deed` is one of those of a misbehaving sampler."""

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

    def print(self):
        print("for the eyes only")


class Unmakeable:
    def __init__(self):
        raise ValueError("cannot be made")


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def gone(pids, seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(alive, pids))


def test_plain_data_survive():
    value = {"a": [1, 2.5, None, "é", {"b": np.arange(6.0).reshape(2, 3)}], "c": np.float64(0.1)}
    value |= {"e": np.array([], dtype=np.int8), "t": (True, False)}
    found = unpack(pack(value))
    array = found["a"][4].pop("b")
    assert np.array_equal(array, np.arange(6.0).reshape(2, 3)) and array.dtype == np.float64
    assert found.pop("e").dtype == np.int8
    assert found == {"a": [1, 2.5, None, "é", {}], "c": 0.1, "t": [True, False]}


@pytest.mark.parametrize("value", [object(), np.array([object()]), {1}, b"x"])
def test_what_is_not_plain_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        pack({"x": value})


def test_a_child_keeps_its_object():
    with SandboxedObject(None, Worker, 10) as child:
        assert child.call("add", 1).value["total"] == 11
        answer = child.call("add", np.arange(3))
    assert np.array_equal(answer.value["total"], [11, 12, 13])
    assert np.array_equal(answer.value["double"][0], [0, 2, 4])
    assert answer.seconds >= 0 and answer.warnings == []
    assert child.peak_memory_mb > 0 or not Path("/proc").exists()


def test_a_child_starts_afresh_where_its_parent_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for _ in range(2):
        with SandboxedObject(None, Worker) as child:
            found.append(child.call("where").value)
    (first, *around), (second, *_) = found
    assert len({first, second, os.getpid()}) == 3
    assert around[0] == str(tmp_path) and around[1][0] == str(tmp_path) and around[2] == "1"


def test_a_child_prints_where_results_are_not(capfd):
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
def test_an_error_comes_as_text_and_the_child_goes_on(deed, status, error):
    with SandboxedObject(None, Worker) as child:
        with pytest.raises(ChildFailed) as caught:
            child.call("do", deed)
        assert caught.value.status == status
        assert caught.value.error.startswith(error)
        assert child.alive and child.call("add", 1).value["total"] == 1


@pytest.mark.parametrize("what", ["object", "array", "set"])
def test_what_cannot_come_back_is_a_failure(what):
    with SandboxedObject(None, Worker) as child:
        with pytest.raises(ChildFailed, match="Error") as caught:
            child.call("give", what)
        assert caught.value.status == "failed" and child.alive


def test_a_user_s_mistake_stays_one():
    with (
        SandboxedObject(None, Worker) as child,
        pytest.raises(UserError, match=r"^there is no such thing$"),
    ):
        child.call("mistake")


def test_what_cannot_be_made():
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
def test_a_child_is_ended_and_the_cause_named(deed, status, error):
    with SandboxedObject(400, Worker) as child:
        pid = child.call("where").value[0]
        deadline = Deadline.after(1, "limits.x") if deed == "loop" else NEVER
        with pytest.raises(ChildFailed) as caught:
            child.call("do", deed, deadline=deadline)
        assert (caught.value.status, caught.value.error) == (status, error)
        assert not child.alive
        assert gone([pid], 0)
        if deed == "eat":
            assert 400 < child.peak_memory_mb < 600
    with SandboxedObject(None, Worker) as child:  # the next one is none the worse
        assert child.call("add", 1).value["total"] == 1


class Leaver(Worker):
    def leave(self, pids):
        self.do("leave_child", pids=pids)


@linux
def test_a_limit_ends_grandchildren_too(tmp_path):
    pids = tmp_path / "pids"
    with SandboxedObject(None, Leaver) as child, pytest.raises(ChildFailed, match=r"limits\.x=1"):
        child.call("leave", str(pids), deadline=Deadline.after(1, "limits.x"))
    assert gone(map(int, pids.read_text().split()), 0)


@linux
def test_nothing_is_left_when_the_parent_is_killed(tmp_path):
    code = f"""
from test_sandbox import SandboxedObject, Leaver
SandboxedObject(None, Leaver).call("leave", {str(tmp_path / "pids")!r})
"""
    process = subprocess.Popen([sys.executable, "-c", code], env=child_environment())
    try:
        until = time.monotonic() + 120
        while len(pids := _read(tmp_path / "pids").split()) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        below = descendants(process.pid)
        assert set(map(int, pids)) < set(below)  # and their host
    finally:
        process.kill()
        process.wait()
    assert gone(below)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@linux
def test_a_child_inherits_no_threads():
    with SandboxedObject(None, Worker):
        host = ForkServer.of_this_process().pid
        names = [path.read_text().strip() for path in Path(f"/proc/{host}/task").glob("*/comm")]
    # Arrow's allocator has a thread of its own, and knows how to fork.
    assert len([name for name in names if not name.startswith("jemalloc")]) == 1


def test_a_host_that_is_gone_is_replaced():
    with SandboxedObject(None, Worker) as child:
        pid = child.call("where").value[0]
        os.kill(ForkServer.of_this_process().pid, signal.SIGKILL)
        with pytest.raises(ChildFailed) as caught:
            child.call("do", "loop")
    assert caught.value.status == "crashed"
    assert gone([pid])
    with SandboxedObject(None, Worker) as child:
        assert child.call("add", 1).value["total"] == 1


def test_an_interruption_ends_the_child():
    def interrupt(number, frame):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        with SandboxedObject(None, Worker) as child:
            pid = child.call("where").value[0]
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(KeyboardInterrupt):
                child.call("do", "loop")
            assert not child.alive and gone([pid], 0)
    finally:
        signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "with exit code 0"),
        (3, "with exit code 3"),
        (-9, "by signal SIGKILL"),
        (-40, "by signal 40"),
    ],
)
def test_how_it_ended(code, words):
    assert how_it_ended(code) == words


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
def test_available_memory_is_the_container_s(tmp_path, files, expected):
    assert processes.available_memory(tmp_path) is None
    files = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in {"proc/meminfo": f"MemAvailable: {8000 * 1024} kB\n", **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert processes.available_memory(tmp_path) == expected


@linux
def test_shared_memory_counts_once_near_the_limit():
    pids = [os.getpid()] * 2
    assert (
        processes.resident_memory(pids, limit=np.inf) > processes.resident_memory(pids, limit=0) > 0
    )
