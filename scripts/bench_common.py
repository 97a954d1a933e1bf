"""What the benchmarks share: the machine in words, rows kept as they come, processes of their own.

Rows are dictionaries of text, number or None, written as CSV; a row holds the git revision that it
was measured at, so that an interrupted benchmark can go on.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from autosmote.config.names import CONF_DIR
from autosmote.config.schema import ClassifierSettings
from autosmote.config.targets import make_classifier
from autosmote.isolation.processes import usable_cores
from autosmote.records.collected import write_csv
from autosmote.records.provenance import git_revision
from autosmote.reports.render.writers import markdown_table

Row = dict[str, Any]

PACKAGES = ("numpy", "numba", "scikit-learn", "torch")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def revision() -> str:
    """The code's git revision."""
    return git_revision() or "unknown"


def machine() -> list[str]:
    """Lines that say where and with what was measured."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        f"- machine: {usable_cores()} cores, {_cpu_model()}",
        f"- git revision: {revision()}",
        f"- versions: Python {platform.python_version()}, {versions}",
    ]


def busy() -> str:
    """How busy the machine is: load shows in times, much less in ratios."""
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
    """An unfitted classifier as ``clf=name`` makes it."""
    settings = yaml.safe_load((CONF_DIR / "clf" / f"{name}.yaml").read_text())
    return make_classifier(ClassifierSettings(**settings))


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep numpy, scikit-learn and torch to one thread, as the actors are."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def alone(script: str, job: Row) -> Row:
    """Let a script do one job in a process of its own, whose memory and start are its own too.

    The script is called with ``--alone`` and the job as JSON, and prints its answer as JSON.
    """
    done = subprocess.run(
        [sys.executable, script, "--alone", json.dumps(job)],
        stdout=subprocess.PIPE,
        env={**os.environ, **dict.fromkeys(THREADS, "1")},
        check=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


class Table:
    """A CSV of rows with fixed columns, written as a whole and in one step at every change.

    Parameters
    ----------
    path : Path
    columns : sequence of str
    keep : bool
        Go on with the rows that are there; of a file with other columns, with none.
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
        """Append rows; a column that a row lacks stays empty."""
        self.rows += [{name: row.get(name) for name in self.columns} for row in rows]
        shown = [{name: _short(value) for name, value in row.items()} for row in self.rows]
        write_csv(self.path, self.columns, shown)


def markdown(header: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; numbers at three digits, None as an empty cell."""
    return markdown_table(header, [[show(value) for value in line] for line in lines], len(header))


def show(value: Any) -> str:
    """A number at three significant digits, other things as they are."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def _number(text: str) -> Any:
    """A cell as the number that it was, the text, or None."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text or None
