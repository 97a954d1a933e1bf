"""Jobs that submitit runs on this machine: none is left, whether or not it heeds an interrupt."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import wait_for_end

from autosmote.isolation.local_jobs import end_local_jobs
from autosmote.isolation.processes import descendants

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")

CONTROLLER = """
import subprocess, sys
sys.exit(subprocess.call([sys.executable, "-c", sys.argv[2], "submitit.core._submit"]))
"""
HEEDING = """
import signal, sys, threading
def stop(*_):
    print("stopped", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, stop)
print("ready", flush=True)
threading.Event().wait()
"""
IGNORING = HEEDING.replace("signal.SIGINT, stop", "signal.SIGINT, signal.SIG_IGN")


def start(task, *words):
    """Start a process of the same command line as a job's controller; wait for its task."""
    command = [sys.executable, "-c", CONTROLLER, *words, task]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process, descendants(process.pid)


def test_local_job_is_interrupted_by_its_tasks():
    process, tasks = start(HEEDING, "submitit.local._local")
    end_local_jobs()
    wait_for_end([process.pid, *tasks])
    assert process.communicate()[0] == "stopped\n" and process.returncode == 0


def test_local_job_that_ignores_the_interrupt_is_killed():
    process, tasks = start(IGNORING, "submitit.local._local")
    end_local_jobs(grace=0)
    wait_for_end([process.pid, *tasks])
    assert process.communicate()[0] == "" and process.returncode == -signal.SIGKILL


def test_other_processes_are_left_alone():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        end_local_jobs()
        assert other.poll() is None
        other.kill()
