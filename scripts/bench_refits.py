"""Estimate what a search costs for tables of some sizes, by classifier.

    python scripts/bench_refits.py [--rows 10000 100000] [--estimators dt forest] [--write]

Tables are made up: ten features, one row in 21 of the rarer class. `AutoSMOTE` with its defaults
does a few iterations in this process, on one thread; the CPU seconds of a search of 300 are those
before the first iteration is done and after the last one, and 299 times the mean of those between.
A forest is measured with ten of its trees, and its seconds are multiplied by ten. From 50,000 rows
on neither folds are measured nor refits to compare with: five folds count as five times the
validation part, by their training rows. Prints a Markdown table; ``--write`` writes ``refits.csv``
and ``.md`` to ``<results-dir>/bench/`` as well.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from bench_common import Row, Table, busy, machine, markdown, one_thread, revision
from sklearn.datasets import make_classification

from autosmote import AutoSMOTE
from autosmote.own_table.estimators import ESTIMATORS, make_estimator
from autosmote.reports.render.writers import write_text

COLUMNS = (
    "revision", "rows", "estimator", "scorer", "folds", "iterations", "n_synthetic", "once_s",
    "iteration_s", "search_s",
)  # fmt: skip
CLASSIFIERS = ("dt", "knn", "svm", "logistic", "forest", "histgb", "lightgbm")
ITERATIONS = 300
FOLDS = 5
_TREES, _MEASURED_TREES = 100, 10
_IR = 20
_LARGE = 50_000
_FOLDS_TO_PART = FOLDS * (1 - 1 / FOLDS) / (1 - 0.25)
"""Training rows of five folds against those of the default validation part."""


def make_table(n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Make a table up, its columns standardised."""
    X, y = make_classification(
        n_rows, 10, n_informative=6, n_redundant=2, weights=[_IR / (_IR + 1)], flip_y=0.01,
        class_sep=0.8, random_state=0,
    )  # fmt: skip
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def measure(name: str, n_rows: int, folds: int, iterations: int, scoring: str = "auto") -> Row:
    """Measure a search of a few iterations, by a validation part where there are no folds."""
    X, y = make_table(n_rows)
    estimator, factor = make_estimator(name), 1.0
    if name == "forest":
        estimator.set_params(n_estimators=_MEASURED_TREES)
        factor = _TREES / _MEASURED_TREES
    ends: list[float] = []
    sampler = AutoSMOTE(
        estimator, iterations=iterations, cv=folds or None, random_state=0,
        callback=lambda *_: ends.append(time.process_time()), search_options={"scoring": scoring},
    )  # fmt: skip
    started = time.process_time()
    sampler.fit_resample(X, y)
    used, between = time.process_time() - started, ends[-1] - ends[0]
    once, each = factor * (used - between), factor * between / (len(ends) - 1)
    n_synthetic = sampler.history_["n_synthetic"]
    (found,) = sampler.searches_.values()
    return {
        "revision": revision(), "rows": n_rows, "estimator": name, "scorer": found.scorer,
        "folds": folds, "iterations": iterations, "n_synthetic": float(n_synthetic[1:].mean()),
        "once_s": once, "iteration_s": each, "search_s": once + (ITERATIONS - 1) * each,
    }  # fmt: skip


def measure_all(names: Sequence[str], sizes: Sequence[int], iterations: int) -> Iterator[Row]:
    """Yield the rows of each classifier and size: by a validation part, by folds, by refits."""
    for name in names:
        measure(name, 400, 0, 2)  # compiles, or loads from numba's cache
    for n_rows in sizes:
        for name in names:
            row = measure(name, n_rows, 0, iterations)
            yield row
            if n_rows >= _LARGE:
                continue
            yield measure(name, n_rows, FOLDS, iterations)
            if row["scorer"] != "refit":
                yield measure(name, n_rows, 0, iterations, "refit")


def report(rows: Sequence[Row]) -> str:
    """Return the table: seconds of whole searches, and a refit's against a fast score's."""
    lines: list[list[Any]] = []
    for n_rows, name in dict.fromkeys((row["rows"], row["estimator"]) for row in rows):
        part, *others = (r for r in rows if (r["rows"], r["estimator"]) == (n_rows, name))
        folds, refit = ([*others, None, None])[:2]
        of_folds = folds["search_s"] if folds else _FOLDS_TO_PART * part["search_s"]
        ratio = refit["iteration_s"] / part["iteration_s"] if refit else None
        fast = "refits" if part["scorer"] == "refit" else part["scorer"]
        lines.append([n_rows, name, fast, part["search_s"], of_folds, ratio])
    header = (
        "rows", "classifier", "scored by", "one validation part, s", "five folds, s",
        "a refit against it, times",
    )  # fmt: skip
    return markdown(header, lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all cases; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", type=int, default=[10_000, 100_000])
    parser.add_argument("--estimators", nargs="+", choices=list(ESTIMATORS))
    parser.add_argument("--iterations", type=int, default=3, help="that are measured (3)")
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    parser.add_argument("--write", action="store_true", help="write refits.csv and refits.md")
    options = parser.parse_args(argv)
    if options.iterations < 2:
        parser.error("--iterations must be at least 2")
    here = [name for name in CLASSIFIERS if find_spec(ESTIMATORS[name].path.partition(".")[0])]
    load = busy()
    found = []
    with one_thread():
        for row in measure_all(options.estimators or here, options.rows, options.iterations):
            found.append(row)
            kind = "folds" if row["folds"] else row["scorer"]
            text = f"{row['rows']} rows, {row['estimator']}, {kind}: {row['search_s']:.0f} s"
            print(text, file=sys.stderr, flush=True)
    lines = [
        "# What a search costs", "", *machine(), load, "",
        report(found),
        f"CPU seconds of a core for {ITERATIONS} iterations of `AutoSMOTE`; ten features, one row "
        f"in {_IR + 1} of the rarer class; scaled from {options.iterations} iterations, a forest's "
        f"{_TREES} trees from {_MEASURED_TREES}; from {_LARGE:,} rows on, five folds from the "
        "validation part.", "",
        "Made by `scripts/bench_refits.py`.",
    ]  # fmt: skip
    if options.write:
        folder = options.results_dir / "bench"
        Table(folder / "refits.csv", COLUMNS, keep=False).add(found)
        write_text(folder / "refits.md", "\n".join(lines) + "\n")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
