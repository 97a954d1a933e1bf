"""Memory: what processes use, and what is left for them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

_CGROUPS = (  # a container's limit, use, and what the use is made of: version 2, version 1
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)


def proportional_set_size(pids: Iterable[int] = ()) -> float | None:
    """Summed PSS of this process and of ``pids`` in MB; None where the system does not tell.

    Memory that processes share counts once in all, so that forty actors with common arrays are
    not made to look forty times as large.
    """
    own = _pss(os.getpid())
    return None if own is None else (own + sum(_pss(pid) or 0 for pid in pids)) / 1024


def resident_memory(pids: Iterable[int], limit: float) -> float:
    """Memory of processes in MB, exact where it is above ``limit``.

    The resident set sizes are cheap to read, but count shared memory several times; only where
    they pass the limit are the proportional ones asked for. 0 where the system does not tell.
    """
    pids = list(pids)
    total = sum(map(_rss, pids)) / 1024
    if total > limit:
        exact = [_pss(pid) for pid in pids]
        if any(exact):
            return sum(size or 0 for size in exact) / 1024
    return total


def available_memory(root: Path = Path("/")) -> float | None:
    """What new processes may use in MB, in this container too; None where it is not told."""
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


def _pss(pid: int) -> int | None:
    """In kB; None where the process has ended or the system does not tell."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except OSError:
        return None


def _rss(pid: int) -> float:
    """In kB."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024
    except OSError:
        return 0
