"""Processes: environment, cores, exit codes, descendants, memory and CPU time in use.

Some functions need Linux's /proc; without it, limits and clean-up are incomplete.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import re
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)  # fmt: skip

# pandas imports pyarrow, whose allocator starts a thread; a process that forks must have none.
_NO_BACKGROUND_THREAD = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_CGROUPS = (  # a container's memory limit, usage and statistics: cgroup version 2, version 1
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)


def prepare_process() -> None:
    """Keep this process from starting threads, so that it may fork, and choose numpy's kernels.

    To be called before numpy and pandas are imported. What the user has set stays.
    `isolation.spawn` forks; `blas_kernels` says why they are chosen.
    """
    chosen = {"OPENBLAS_NUM_THREADS": "1", **blas_kernels(), **_NO_BACKGROUND_THREAD}
    for name, value in chosen.items():
        os.environ.setdefault(name, value)


def child_environment() -> dict[str, str]:
    """Return the environment of a child: one thread, `blas_kernels`, this process's import path."""
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    fixed = {**dict.fromkeys(_THREAD_VARIABLES, "1"), **_NO_BACKGROUND_THREAD, "PYTHONPATH": path}
    return {**blas_kernels(), **os.environ, **fixed}


def blas_kernels(cpu: Path = Path("/proc/cpuinfo")) -> dict[str, str]:
    """Return the variable by which OpenBLAS takes the same kernels on each x86 CPU with AVX2.

    It would choose them by the model of the CPU, and each kind sums in an order of its own: the
    last bits of a product, and in time the rewards of a search that learns, would differ from one
    machine to the next.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return {}
    try:
        has_avx2 = re.search(r"^flags\s*:.*\bavx2\b", cpu.read_text(), re.MULTILINE)
    except OSError:
        return {}
    return {"OPENBLAS_CORETYPE": "Haswell"} if has_avx2 else {}


def end_with_parent(parent: int) -> None:
    """Have the system kill this process when the thread that started it ends, even by ``kill -9``.

    Processes of joblib would finish what they have and wait minutes for more. On Linux alone.

    Parameters
    ----------
    parent : int
        The id of the process that started this one.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of the processes below this one whose own has ended. On Linux alone."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def usable_cores() -> int:
    """Return the number of cores that this process may use; the machine may have more."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def describe_exit(code: int) -> str:
    """Describe how a process ended by its exit code, as the end of a sentence."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by signal {signal.Signals(-code).name}"
    except ValueError:  # real-time signals have no names
        return f"by signal {-code}"


def descendants(pid: int) -> list[int]:
    """Return the ids of all processes below one; none without /proc."""
    tree = [pid]
    for parent in tree:  # grows while it is read
        with contextlib.suppress(OSError):  # the process has ended
            for thread in os.listdir(f"/proc/{parent}/task"):
                with open(f"/proc/{parent}/task/{thread}/children") as file:
                    tree += map(int, file.read().split())
    return tree[1:]


def cpu_seconds(pid: int, below: Iterable[int]) -> float | None:
    """Return the CPU seconds of the processes below one, of those that have ended too.

    Parameters
    ----------
    pid : int
        Its own CPU time does not count.
    below : iterable of int
        Its `descendants`.

    Returns
    -------
    float or None
        None without /proc, or if the process has ended.
    """
    own = _cpu_times(pid)
    if own is None:
        return None
    # A process that has been waited for counts in the third and fourth number of its parent.
    return sum(own[2:]) + sum(sum(_cpu_times(child) or ()) for child in below)


def proportional_set_size(pids: Iterable[int] = ()) -> float | None:
    """Return the summed PSS of this process and of ``pids`` in MB; None without /proc.

    The proportional set size (PSS) divides shared memory among the processes that share it, so
    that common arrays count once and not once for each actor.
    """
    own = _pss(os.getpid())
    return None if own is None else (own + sum(_pss(pid) or 0 for pid in pids)) / 1024


def resident_memory(pids: Iterable[int], limit: float) -> float:
    """Return the memory of processes in MB, exact where it is above ``limit``; 0 without /proc.

    Resident set sizes are cheap to read but count shared memory once for each process. The exact
    proportional set sizes are read only where their sum passes the limit.
    """
    pids = list(pids)
    total = sum(map(_rss, pids)) / 1024
    if total > limit:
        exact = [_pss(pid) for pid in pids]
        if any(exact):
            return sum(size or 0 for size in exact) / 1024
    return total


def available_memory(root: Path = Path("/")) -> float | None:
    """Return the memory in MB that new processes may use in this container; None without /proc."""
    try:
        meminfo = (root / "proc/meminfo").read_text()
        (free,) = (line for line in meminfo.splitlines() if line.startswith("MemAvailable:"))
    except (OSError, ValueError):
        return None
    found = [int(free.split()[1]) / 1024]
    for names in _CGROUPS:
        try:
            limit, used, parts = ((root / "sys/fs/cgroup" / name).read_text() for name in names)
            cached = re.findall(r"^(?:total_)?inactive_file (\d+)$", parts, re.MULTILINE)
            free_of_group = int(limit) - int(used) + max(map(int, cached), default=0)
        except (OSError, ValueError):  # no such file, or "max"
            continue
        found.append(max(0, free_of_group) / 2**20)
    return min(found)


def _cpu_times(pid: int) -> list[float] | None:
    """Return a process's seconds in user and system mode, and those of its ended children."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()  # its name may contain anything
    except OSError:
        return None
    return [int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in fields[11:15]]


def _pss(pid: int) -> int | None:
    """Return the proportional set size in kB; None without /proc or if the process has ended."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except OSError:
        return None


def _rss(pid: int) -> float:
    """Return the resident set size in kB; 0 without /proc or if the process has ended."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024
    except OSError:
        return 0
