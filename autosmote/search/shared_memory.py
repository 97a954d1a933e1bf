"""Parameters in memory that the learner and all actors share."""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import Any

import numpy as np

from autosmote.search.method import Parameters


class ParameterRing:
    """The latest versions of the parameters, in shared memory.

    Parameters
    ----------
    fd : int
        File descriptor of the memory (`anonymous_file`), grown if it is too small.
    n_versions : int
        Versions that stay readable: those that an iteration in flight may still need, and the one
        that is written.
    n_parameters : int
    """

    def __init__(self, fd: int, n_versions: int, n_parameters: int) -> None:
        size = max(1, n_versions * n_parameters * 4)
        if os.fstat(fd).st_size < size:
            os.ftruncate(fd, size)
        memory = mmap.mmap(fd, size)
        ring = np.frombuffer(memory, np.float32, n_versions * n_parameters)
        self._ring = ring.reshape(n_versions, n_parameters)

    def publish(self, version: int, parameters: Parameters) -> None:
        """Write a version over the oldest one."""
        self._ring[version % len(self._ring)] = parameters

    def read(self, version: int) -> Parameters:
        """Return a view of a version."""
        return self._ring[version % len(self._ring)]


def anonymous_file() -> Any:
    """Open a file without a name: in memory on Linux (no /dev/shm needed), else on disk."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("autosmote"), "r+b")
    return tempfile.TemporaryFile()
