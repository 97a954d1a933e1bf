"""Measure what a user waits for besides the iterations of a search.

    python scripts/bench_startup.py [--rounds 5] [--iterations 10]

Runs `python -m autosmote.run` as whole processes, inline and with two actors in turn, and notes
when each phase is over. Writes <results-dir>/bench/startup.{csv,md}, medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench_common import Row, Table, busy, machine, markdown, revision

from autosmote.reports.render.writers import write_text

PHASES = {
    "imports": "interpreter, command line, settings, dataset, scikit-learn",
    "reference": "the classifier on the training part as it is",
    "start": "actors started, torch imported",
    "first": "first episode, with what scoring precomputes",
    "iterations": "the other iterations",
    "final": "final classifier and its test scores",
    "files": "history, curve, record",
    "end": "summary, end of the interpreter",
}
COLUMNS = ("revision", "case", "iterations", "rounds", *PHASES, "wall_s")
CHILD = Path(__file__).with_name("run_marked.py")
CASES = {"inline": ["search.actors=0"], "2 actors": ["search.actors=2"]}


def measure(case: str, iterations: int) -> dict[str, float]:
    """Run a search in a process of its own; return the seconds of each phase and of the whole."""
    with tempfile.TemporaryDirectory() as folder:
        settings = [f"search.iterations={iterations}", f"results_dir={folder}", *CASES[case]]
        started = time.time()
        done = subprocess.run(  # noqa: S603 - a script of ours
            [sys.executable, CHILD, *settings],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            text=True,
        )
        ended = time.time()
    marks = json.loads(done.stdout.splitlines()[-1]) | {"end": ended}
    seconds, before = {"wall_s": ended - started}, started
    for phase in PHASES:
        seconds[phase] = marks[phase] - before
        before = marks[phase]
    return seconds


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all cases; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=10)
    options = parser.parse_args(argv)
    lines = ["# Start and end of a run", "", *machine(), busy(), ""]
    found: dict[str, list[dict[str, float]]] = {case: [] for case in CASES}
    for _ in range(options.rounds):
        for case, rounds in found.items():
            rounds.append(measure(case, options.iterations))
    rows: list[Row] = [
        {"revision": revision(), "case": case, "iterations": options.iterations,
         "rounds": len(rounds),
         **{name: statistics.median(one[name] for one in rounds) for name in rounds[0]}}
        for case, rounds in found.items()
    ]  # fmt: skip
    folder = options.results_dir / "bench"
    Table(folder / "startup.csv", COLUMNS, keep=False).add(rows)
    lines += [
        f"Seconds of `python -m autosmote.run search.iterations={options.iterations}` on the toy "
        f"data, medians of {options.rounds} runs in turn. Made by `scripts/bench_startup.py`.",
        "",
        markdown(
            ("phase", "ends with", *CASES),
            [
                *([name, text, *(row[name] for row in rows)] for name, text in PHASES.items()),
                ["all", "", *(row["wall_s"] for row in rows)],
            ],
        ),
    ]
    write_text(folder / "startup.md", "\n".join(lines) + "\n")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
