"""Measure the speed of a search against scikit-learn refits and a naive generator.

For each case (data set / classifier / imbalance ratio) this measures
- loop: the search itself, alternating between scorers, policies' networks and numbers of actors, so
  that a slow phase of the machine affects all of them;
- score: the fast scorer and a refit on the same episodes, with a comparison of their predictions;
- generator: the exact generator and the naive one (``reference``) on the same episodes;
and, in processes of their own,
- run: whole searches, for their time and peak memory.

Without options, a few cases are measured in about five minutes. ``--full`` measures all 24 pairs at
IR 50 and is resumable: what was measured at the same git revision is skipped. It writes
``search.csv``, ``.md``, ``.svg`` and ``.png`` (``search_full.*``) to ``<results-dir>/bench/``.
``--draw`` draws the figure of the last revision in the CSV file and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from bench_cases import CLASSIFIERS, Bench, Case, Variant, loop_row
from bench_common import Row, Table, alone, busy, one_thread, revision
from bench_report import draw, report

from autosmote.data.datasets import DATA_DIR_VARIABLE, PAPER_DATASETS
from autosmote.errors import UserError

COLUMNS = (
    "revision", "kind", "dataset", "clf", "ir", "net", "scoring", "scorer", "actors", "device",
    "iterations", "iterations_per_s", "generate_ms", "score_ms", "learn_ms", "wait_ms",
    "setup_s", "total_s", "peak_memory_mb", "n_synthetic",
    "slow_ms", "fast_ms", "ratio", "against", "compared", "different",
)  # fmt: skip
QUICK = (
    "mozilla4/svm/50", "phoneme/knn/50", "electricity/knn/50", "mozilla4/dt/50",
    "mozilla4/adaboost/50",
)  # fmt: skip
FULL = tuple(f"{name}/{clf}/50" for clf in CLASSIFIERS for name in PAPER_DATASETS)
TOY = tuple(f"toy/{clf}" for clf in CLASSIFIERS)
PAPER_ACTORS = 40


def whole_run(arguments: argparse.Namespace, job: Row) -> Row:
    """Run a whole search, in a process of its own, and return its row."""
    arguments.actors = job["actors"]
    bench, variant = Bench(arguments), Variant(actors=job["actors"])
    case = Case(job["dataset"], job["clf"], job["ir"])
    result = bench.search(case, variant, float("inf"), job["iterations"])
    return {
        **loop_row([result], bench.lag),
        **asdict(variant),
        "total_s": result.seconds["total"],
        "peak_memory_mb": result.peak_memory_mb,
    }


def whole_runs(cases: list[Case], arguments: argparse.Namespace) -> Iterator[Row]:
    """Yield the whole searches to run in processes of their own."""
    actors, iterations = arguments.actors, arguments.iterations
    chosen = cases if arguments.full or arguments.cases else cases[:1]
    for case in chosen:
        yield {**asdict(case), "actors": actors, "iterations": iterations}
    if arguments.cases or cases[0].dataset == "toy":
        return
    # For memory, the largest data set.
    for clf in CLASSIFIERS if arguments.full else ("knn",):
        for n in (actors, PAPER_ACTORS) if arguments.full else (actors,):
            case = Case("electricity", clf, 20.0)
            yield {**asdict(case), "actors": n, "iterations": min(iterations, 50)}


def measure(arguments: argparse.Namespace) -> int:
    """Measure what is requested and not yet measured, and write the report."""
    has_data = bool(arguments.data_dir or os.environ.get(DATA_DIR_VARIABLE))
    chosen = arguments.cases or (FULL if arguments.full else QUICK)
    if not arguments.cases and not has_data:
        print(f"No data sets at hand (--data-dir, {DATA_DIR_VARIABLE}): the toy data instead.")
        chosen = TOY
    cases = [Case.parse(text) for text in chosen]
    bench, load = Bench(arguments), busy()
    base = _base(arguments)
    table = Table(base.with_suffix(".csv"), COLUMNS, keep=arguments.full)
    if arguments.force:
        table.rows = [row for row in table.rows if row["revision"] != revision()]

    def is_new(kind: str, job: Row) -> bool:
        wanted = {"revision": revision(), "kind": kind, **job}
        found = any(all(row[k] == v for k, v in wanted.items()) for row in table.rows)
        if found:
            print(f"measured before at this revision: {kind} {job}; --force measures it again")
        return not found

    with one_thread():
        for case in cases:
            if is_new("score", asdict(case)):
                table.add(bench.case(case, generator=case.clf == cases[0].clf))
    for job in whole_runs(cases, arguments):
        if is_new("run", job):
            print(f"a whole search: {job}", flush=True)
            settings = {k: getattr(arguments, k) for k in ("data_dir", "seed", "device")}
            row = alone(__file__, {"job": job, "settings": settings})
            table.add([{"revision": revision(), "kind": "run", **job, **row}])
    print(report([r for r in table.rows if r["revision"] == revision()], base, load))
    return 0


def redraw(arguments: argparse.Namespace) -> int:
    """Draw the rows of the last revision that was measured."""
    base = _base(arguments)
    rows = Table(base.with_suffix(".csv"), COLUMNS, keep=True).rows
    draw([row for row in rows if row["revision"] == rows[-1]["revision"]], base)
    return 0


def _base(arguments: argparse.Namespace) -> Path:
    return arguments.results_dir / "bench" / ("search_full" if arguments.full else "search")


def main(argv: list[str] | None = None) -> int:
    """Return 0, or 2 after a user's mistake."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all 24 pairs at IR 50; resumable")
    parser.add_argument("--cases", nargs="+", metavar="dataset/clf/ir")
    parser.add_argument("--data-dir", help=f"folder of ARFF files (default: {DATA_DIR_VARIABLE})")
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    parser.add_argument("--iterations", type=int, default=1000, help="of a whole search")
    parser.add_argument("--budget", type=float, default=3.0, help="seconds per loop and round")
    parser.add_argument("--rounds", type=int, default=2, help="turns of the loops")
    parser.add_argument("--episodes", type=int, help="of the naive generator (1; --full: 3)")
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="the learner's: cpu, cuda or auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--draw", action="store_true", help="draw the CSV file anew, no more")
    parser.add_argument("--force", action="store_true", help="measure again what is there")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    arguments.episodes = arguments.episodes or (3 if arguments.full else 1)
    try:
        if arguments.alone:
            given = json.loads(arguments.alone)
            vars(arguments).update(given["settings"])
            print(json.dumps(whole_run(arguments, given["job"])))
            return 0
        return redraw(arguments) if arguments.draw else measure(arguments)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
