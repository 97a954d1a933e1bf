"""Measure whole processes, as a user waits for them, against the targets of docs/performance.md.

    python scripts/bench_whole.py [--cases mozilla4/svm toy/dt] [--iterations 1000] [--rounds 3]

By default all 24 pairs of dataset and classifier at IR 50 (about four minutes on two cores): the
paper's search of 1000 iterations, and the class-aware search of 60 iterations by five folds, which
trains 300 classifiers. Before them the first result of a short search and the import of AutoSMOTE,
as medians of some rounds. Writes <results-dir>/bench/whole.{csv,md}. Wall time is of the process
from start to end, CPU time of all its processes; memory is the largest sum of its processes'
proportional set sizes, from its record. As in a user's environment, modules are compiled once, and
there is no pytest, which imbalanced-learn would load with scikit-learn's checks.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from math import exp, log
from pathlib import Path

from bench_common import Row, Table, busy, machine, markdown, revision

from autosmote.data.datasets import DATA_DIR_VARIABLE, PAPER_DATASETS
from autosmote.reports.render.writers import write_text

CLASSIFIERS = ("svm", "knn", "dt", "adaboost")
PAIRS = tuple(f"{name}/{clf}" for name in PAPER_DATASETS for clf in CLASSIFIERS)
COLUMNS = (
    "revision", "kind", "case", "iterations", "rounds", "wall_s", "cpu_s", "peak_memory_mb",
)  # fmt: skip
_IMPORT = "import sys; sys.modules['pytest'] = None; from autosmote import AutoSMOTE"
PAPER, CLASS_AWARE, FIRST, IMPORT = "paper", "class_aware", "first result", "import"
SEARCHES = {
    PAPER: ["sampler=autosmote"],
    CLASS_AWARE: ["sampler=autosmote_class_aware", "search.reward=crossfit"],
}
# The authors' public implementation on two cores: iterations per second, geometric mean of 24.
PUBLIC_PER_SECOND = 0.89
TARGETS = {
    FIRST: ("`python -m autosmote.run search.iterations=10`, wall s", 4.0, 2.5),
    IMPORT: ('`python -c "from autosmote import AutoSMOTE"`, CPU s', 1.5, 0.8),
    PAPER: ("1000 iterations, whole process, mean of the pairs, wall s", 12.0, 8.0),
    "public": ("the same against the public implementation, geometric mean, times", 100.0, 200.0),
    CLASS_AWARE: (
        "class-aware, 300 classifiers by five folds, mean of the pairs, wall s",
        6.0,
        3.0,
    ),
}


def timed(arguments: Sequence[str]) -> tuple[float, float]:
    """Run a process of this Python; return its wall and CPU seconds."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before, started = os.times(), time.perf_counter()
    subprocess.run(  # noqa: S603 - this project's commands
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    wall, after = time.perf_counter() - started, os.times()
    used = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    return wall, used


def run(settings: Sequence[str]) -> Row:
    """Do one run in an empty folder of results; return its seconds and memory."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = timed(["-m", "autosmote.run", f"results_dir={folder}", *settings])
        (path,) = Path(folder).glob("runs/*/record.json")
        record = json.loads(path.read_text(encoding="utf-8"))
    return {"wall_s": wall, "cpu_s": cpu, "peak_memory_mb": record["peak_memory_mb"]}


def measure_first(rounds: int) -> list[Row]:
    """Measure the first result and the import, in turn; return the medians."""
    found: dict[str, list[Row]] = {FIRST: [], IMPORT: []}
    for _ in range(rounds):
        found[FIRST].append(run(["search.iterations=10"]))
        wall, cpu = timed(["-c", _IMPORT])
        found[IMPORT].append({"wall_s": wall, "cpu_s": cpu, "peak_memory_mb": None})
    rows = []
    for kind, measured in found.items():
        row: Row = {"kind": kind, "case": "toy/dt" if kind == FIRST else None, "rounds": rounds}
        for name in ("wall_s", "cpu_s", "peak_memory_mb"):
            values = [one[name] for one in measured if one[name] is not None]
            row[name] = statistics.median(values) if values else None
        rows.append(row)
    return rows


def verdicts(rows: Sequence[Row]) -> list[Sequence[object]]:
    """Return a line for each target: measured, must, stretch, verdict."""
    of = {kind: [row for row in rows if row["kind"] == kind] for kind in (*SEARCHES, FIRST, IMPORT)}
    measured: dict[str, float | None] = {
        FIRST: of[FIRST][0]["wall_s"],
        IMPORT: of[IMPORT][0]["cpu_s"],
        **{kind: statistics.mean(row["wall_s"] for row in of[kind]) for kind in SEARCHES},
    }
    rates = [row["iterations"] / row["wall_s"] for row in of[PAPER]]
    measured["public"] = exp(statistics.mean(map(log, rates))) / PUBLIC_PER_SECOND
    lines = []
    for name, (what, must, stretch) in TARGETS.items():
        value = measured[name]
        assert value is not None
        more_is_better = stretch > must
        met = [value >= goal if more_is_better else value <= goal for goal in (must, stretch)]
        verdict = "stretch met" if met[1] else "met" if met[0] else "not met"
        lines.append((what, round(value, 2), must, stretch, verdict))
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all cases; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    parser.add_argument("--cases", nargs="+", default=PAIRS, help="dataset/classifier")
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(argv)
    needs_data = any(not case.startswith("toy/") for case in options.cases)
    if needs_data and DATA_DIR_VARIABLE not in os.environ:
        parser.error(f"set {DATA_DIR_VARIABLE} to the folder with the six datasets")
    lines = ["# Whole processes", "", *machine(), busy(), ""]
    folder = options.results_dir / "bench"
    table = Table(folder / "whole.csv", COLUMNS, keep=False)
    table.add([{"revision": revision(), **row} for row in measure_first(options.rounds)])
    # Of 1000 iterations the class-aware search has 60 with five fits each.
    iterations = {PAPER: options.iterations, CLASS_AWARE: max(1, options.iterations * 6 // 100)}
    for case in options.cases:
        dataset, clf = case.split("/")
        for kind, settings in SEARCHES.items():
            n = iterations[kind]
            found = run([f"dataset={dataset}", f"clf={clf}", f"search.iterations={n}", *settings])
            table.add([{"revision": revision(), "kind": kind, "case": case, "rounds": 1,
                        "iterations": n, **found}])  # fmt: skip
            print(f"{case} {kind}: {found['wall_s']:.1f} s", flush=True)
    header = ("figure", "measured", "must", "stretch", "verdict")
    lines += ["## Against the targets", "", markdown(header, verdicts(table.rows)), ""]
    lines += [
        f"Over {len(options.cases)} pairs at IR 50 (the toy data at its own). The public "
        f"implementation: {PUBLIC_PER_SECOND} iterations per second, measured elsewhere.",
        "", "## All", "",
        markdown(COLUMNS[1:], [[row[name] for name in COLUMNS[1:]] for row in table.rows]), "",
        "Made by `scripts/bench_whole.py`.",
    ]  # fmt: skip
    write_text(folder / "whole.md", "\n".join(lines) + "\n")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
