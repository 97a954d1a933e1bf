"""End the jobs that submitit runs on this machine.

As on a cluster, they outlive the process that submits them, and Hydra's launcher does not cancel
them when it is interrupted. A job is a controller, which is a child of that process, and its tasks,
which ignore SIGTERM.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from autosmote.isolation.processes import descendants

_CONTROLLER, _TASK = b"submitit.local._local", b"submitit.core._submit"
"""What the command lines of the two have."""
_GRACE = 10.0
"""Seconds in which a task writes what it has so far."""
_POLL = 0.05


def end_local_jobs(grace: float = _GRACE) -> None:
    """Interrupt the tasks of submitit's local jobs below this process; kill what does not end.

    They may ignore the interrupt, as all that a shell starts in the background. Without /proc
    nothing is done.
    """
    told: set[int] = set()
    until = time.monotonic() + grace
    found = _processes()
    with contextlib.suppress(KeyboardInterrupt):  # a second Ctrl-C: no longer wait
        while found and time.monotonic() < until:
            tasks = {pid for pid, what in found.items() if what == _TASK} - told
            for pid in tasks:
                _send(pid, signal.SIGINT)
            told |= tasks
            time.sleep(_POLL)
            found = _processes()
    for pid in sorted(found, key=lambda pid: found[pid] == _TASK):  # tasks after controllers
        _send(pid, signal.SIGKILL)


def _processes() -> dict[int, bytes]:
    """Return the processes of local jobs below this one, and which of the two each is."""
    found = {}
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):  # it has ended
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            for what in {_CONTROLLER, _TASK} & set(words):
                found[pid] = what
    return found


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):  # it has ended
        os.kill(pid, number)
