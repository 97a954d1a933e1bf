"""Processes of our own: what they inherit, how they end, what lives below them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip


# pandas imports pyarrow, whose allocator starts a thread; who forks must have none.
_NO_BACKGROUND_THREAD = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}


def child_environment() -> dict[str, str]:
    """One thread per process, and the parent's import path."""
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    threads = dict.fromkeys(_THREAD_VARIABLES, "1")
    return {**os.environ, **threads, **_NO_BACKGROUND_THREAD, "PYTHONPATH": path}


def usable_cores() -> int:
    """Cores that this process may use, which may be fewer than the machine has."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by signal {signal.Signals(-code).name}"
    except ValueError:  # real-time signals have no names
        return f"by signal {-code}"


def descendants(pid: int) -> list[int]:
    """All processes below one; none where the system does not tell (it needs Linux's /proc)."""
    tree = [pid]
    for parent in tree:  # which grows
        with contextlib.suppress(OSError):  # a process that has ended
            for thread in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{thread}/children") as file:
                    tree += map(int, file.read().split())
    return tree[1:]
