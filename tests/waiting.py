"""Wait in tests for what other processes do, on conditions and not for fixed times."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

_GIVE_UP = 120.0
"""Seconds after which a condition counts as never true: only a failing test takes so long."""


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as a condition is true; fail the test if it never is."""
    end = time.monotonic() + _GIVE_UP
    while not condition():
        assert time.monotonic() < end, "the condition was never true"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Return whether a process runs; a zombie does not, nor does any without /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_for_end(pids: Iterable[int]) -> None:
    """Return as soon as none of some processes runs."""
    pids = list(pids)
    wait_until(lambda: not any(map(is_running, pids)))
