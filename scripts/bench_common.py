"""Functions that the benchmarks share: the machine's description, tables of rows, processes.

Rows are dictionaries of text, number or None, written as CSV. Each row holds the git revision that
was measured, so that an interrupted benchmark can be resumed.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from autosmote.atomic import write_file
from autosmote.config.names import CONF_DIR
from autosmote.config.schema import ClassifierSettings
from autosmote.config.targets import make_classifier
from autosmote.isolation.processes import usable_cores
from autosmote.records.collected import write_csv
from autosmote.records.figure_style import save_canvas
from autosmote.records.provenance import git_revision
from autosmote.reports.render.writers import markdown_table
from autosmote.search.result import SearchInterrupted, SearchResult

Row = dict[str, Any]

PACKAGES = ("numpy", "numba", "scikit-learn", "torch")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def revision() -> str:
    """Return the code's git revision."""
    return git_revision() or "unknown"


def machine() -> list[str]:
    """Return lines that describe the machine, the git revision and the packages' versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        f"- machine: {usable_cores()} cores, {_cpu_model()}",
        f"- git revision: {revision()}",
        f"- versions: Python {platform.python_version()}, {versions}",
    ]


def busy() -> str:
    """Return a line with the load average, which affects times, and ratios much less."""
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return f"- load average before it: {load}"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def classifier(name: str) -> Any:
    """Return an unfitted classifier as ``clf=name`` makes it."""
    settings = yaml.safe_load((CONF_DIR / "clf" / f"{name}.yaml").read_text())
    return make_classifier(ClassifierSettings(**settings))


@contextmanager
def one_thread() -> Iterator[None]:
    """Restrict numpy, scikit-learn and torch to one thread, as in actors."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def search_within(
    budget: float, at_least: int, search: Callable[[Callable[..., None]], SearchResult]
) -> SearchResult:
    """Run a search to its end, or until the budget and the least number of iterations are over.

    Parameters
    ----------
    budget : float
        In seconds after the first iteration.
    at_least : int
        Iterations that are done however slow they are.
    search : callable
        Runs the search with the `on_iteration` that it is given.
    """
    first: list[float] = []
    enough = False

    def stop(iteration: int, *_: float) -> None:
        nonlocal enough
        now = time.perf_counter()
        if not first:
            first.append(now)
        if iteration >= at_least and now - first[0] > budget:
            enough = True
            raise KeyboardInterrupt

    try:
        return search(stop)
    except SearchInterrupted as interrupted:
        if not enough or interrupted.result is None:
            raise
        return interrupted.result


def alone(script: str, job: Row) -> Row:
    """Run one job of a script in a process of its own, to measure its memory and start apart.

    The script is called with ``--alone`` and the job as JSON, and prints the result as JSON.
    """
    done = subprocess.run(  # noqa: S603 - a script of ours
        [sys.executable, script, "--alone", json.dumps(job)],
        stdout=subprocess.PIPE,
        env={**os.environ, **dict.fromkeys(THREADS, "1")},
        check=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


class Table:
    """A CSV file of rows with fixed columns, replaced atomically at every change.

    Parameters
    ----------
    path : Path
    columns : sequence of str
    keep : bool
        Keep the rows of an existing file, if it has the same columns.
    """

    def __init__(self, path: Path, columns: Sequence[str], *, keep: bool) -> None:
        self.path, self.columns = path, columns
        self.rows: list[Row] = []
        if keep and path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                if reader.fieldnames == list(columns):
                    self.rows = [{k: _number(v) for k, v in row.items()} for row in reader]

    def add(self, rows: Sequence[Row]) -> None:
        """Append rows, rounded as the file has them; a column that a row lacks is left empty."""
        self.rows += [{name: _rounded(row.get(name)) for name in self.columns} for row in rows]
        short = ({name: _short(value) for name, value in row.items()} for row in self.rows)
        write_csv(self.path, self.columns, short)


def markdown(header: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    """Return a Markdown table; numbers at three significant digits, None as an empty cell."""
    return markdown_table(header, [[show(v) for v in line] for line in lines], len(header))


def save_all(canvas: Any, base: Path) -> None:
    """Write a figure as ``<base>.svg`` and ``<base>.png``, in the context of its style."""
    for form in (".svg", ".png"):
        write_file(base.with_suffix(form), partial(save_canvas, canvas))
        canvas.set_layout_engine("none")  # the second form has the layout of the first


def show(value: Any) -> str:
    """Return a number at three significant digits, anything else as text."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def _rounded(value: Any) -> Any:
    return float(_short(value)) if isinstance(value, float) else value


def _number(text: str) -> Any:
    """Return a CSV cell as a number, text or None."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text or None
