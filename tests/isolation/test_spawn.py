"""Processes of our own: what they are given, what they inherit, how their end is seen."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from autosmote.isolation import spawn
from autosmote.isolation.spawn import start_process

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
CALLER = """
import os, signal, sys, threading
from autosmote.isolation import spawn
signal.signal(signal.SIGTERM, lambda *_: None)
foreign, foreign_end = os.pipe()
ours, theirs = os.pipe()
if {threads}:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
process = spawn.start_process("spawned", {function!r}, [theirs])
os.close(theirs)
print(type(process).__name__)
with os.fdopen(ours) as answers:
    print(answers.read())
print(process.wait(30), flush=True)
os._exit(0)
"""


def started(function, *, threads=False):
    """Start a process from a fresh interpreter; return its lines."""
    code = CALLER.format(function=function, threads=threads)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.split()


@linux
@pytest.mark.parametrize(("threads", "way"), [(False, "Forked"), (True, "Popen")])
def test_process_has_its_descriptors_alone_and_no_handlers(threads, way):
    found, n_files, handled, own_session, code = started("describe", threads=threads)
    assert found == way
    assert (n_files, handled, own_session) == ("4", "False", "True")  # 0, 1, 2 and its own
    assert code == "7"


@linux
@pytest.mark.parametrize(
    ("function", "code"), [("fail", 1), ("end_by_signal", -signal.SIGKILL), ("describe", 7)]
)
def test_exit_code_of_a_forked_process(function, code):
    assert started(function)[-1] == str(code)


@linux
def test_process_with_threads_is_not_forked(monkeypatch):
    release = threading.Event()
    threading.Thread(target=release.wait, daemon=True).start()
    assert not spawn.is_single_threaded()
    release.set()


def test_killed_process_has_the_signal_for_its_code():
    ours, theirs = os.pipe()
    process = start_process("spawned", "wait_for_ever", [theirs])
    os.close(theirs)
    with os.fdopen(ours, "rb") as answers:
        assert answers.read(1) == b"r"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.kill()
        assert process.wait() == -signal.SIGKILL == process.poll()
