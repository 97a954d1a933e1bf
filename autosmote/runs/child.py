"""Child process of a unit: its preloading by a fork server, and the object that does the unit."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from types import FrameType
from typing import Any

from autosmote.config.kinds import KINDS
from autosmote.config.search import resolve_learner
from autosmote.isolation.sandbox import limit_own_memory
from autosmote.isolation.spawn import n_threads
from autosmote.progress import logging_to_stderr
from autosmote.records.provenance import look_up_versions
from autosmote.runs.in_process import Show, do_unit
from autosmote.runs.unit import Data, Run

_ALWAYS = ("sklearn.ensemble", "sklearn.neighbors", "sklearn.svm", "sklearn.tree")
_FOR_SEARCHES = (
    *("matplotlib.backends.backend_agg", "matplotlib.figure", "autosmote.records.curve"),
    *("autosmote.sampler.autosmote", "autosmote.search.resamplings"),
)
_OF_METHODS = {
    "hierarchical": "autosmote.search.hierarchical.learner",
    "class_aware": "autosmote.search.class_aware.method",
}
_FOR_TORCH = ("autosmote.search.hierarchical.torch_level", "torch")

# Process-wide, since a child cannot be given an object of the server from which it is forked: it
# inherits this one. Empty where nothing was preloaded; the child then loads the data itself.
_data = Data()


class UnitWorker:
    """Does units in the child process where it is made.

    Parameters
    ----------
    memory_mb : float or None
        What a unit's samplers may use at most where their settings name no limit.
    show : {"nothing", "search", "all"}
        Output of a unit; "nothing" silences the process, since the records hold its errors.
    """

    def __init__(self, memory_mb: float | None, show: Show) -> None:
        self._show: Show = show
        self._logging = ExitStack()  # never closed: for as long as the process lives
        limit_own_memory(memory_mb)
        signal.signal(signal.SIGTERM, _interrupt)
        if show == "nothing":
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.dup2(nowhere, sys.stderr.fileno())
        else:
            self._logging.enter_context(logging_to_stderr())

    def do(self, runs: Sequence[Run], mistakes_fail: bool) -> dict[str, Any]:
        """Do the runs of a unit that have no record; return the fields of an `Outcome`."""
        return asdict(do_unit(runs, _data, show=self._show, mistakes_fail=mistakes_fail))


def modules_for(runs: Iterable[Run]) -> frozenset[str]:
    """Return the modules that children with such runs would each have to import."""
    found = set(_ALWAYS)
    for run in runs:
        kind = KINDS[run.config.sampler.kind]
        if run.search:
            found.update(_FOR_SEARCHES)
        if run.search and kind.trains_networks and run.search.method in _OF_METHODS:
            found.add(_OF_METHODS[run.search.method])
            has_networks = run.search.method == "hierarchical"
            if has_networks and resolve_learner(run.search)[0] == "torch":
                found.update(_FOR_TORCH)
    return frozenset(found)


def preload(data: Data, modules: Iterable[str]) -> None:
    """Load, in a fork server, data and the modules of `modules_for`; uses no GPU.

    Raises
    ------
    RuntimeError
        If that started a thread, which a fork would lose.
    """
    global _data
    _data = data
    for name in sorted(modules):
        importlib.import_module(name)
    importlib.import_module("numba").njit(_identity)(0)  # its registries are filled by a first call
    look_up_versions()
    if (threads := n_threads() or 1) > 1:
        raise RuntimeError(f"{threads} threads were started, and a fork would lose them")


def _identity(x: int) -> int:
    return x


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Let an ended search write what it has."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
