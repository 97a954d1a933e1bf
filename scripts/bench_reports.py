"""Measure how long all tables and figures of 20,000 records take.

The records are drawn at random, in the size of the paper's Tables 2 and 4.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from autosmote import reports
from autosmote.records.collected import record_row, write_histories, write_plan, write_records
from autosmote.reports import names

Record = dict[str, Any]

SIX = tuple(names.DATASETS)[:6]
ABLATIONS = ("autosmote", *names.ABLATIONS)
CONTROLS = ("smote_search", "svmsmote_search", "randomsearch")


def make_sweep(
    results_dir: Path,
    experiment: str = "table2",
    budget: str = "paper",
    *,
    arms: Sequence[str] = names.TABLE2,
    datasets: Sequence[str] = SIX,
    irs: Sequence[float | None] = (20, 50, 100),
    clfs: Sequence[str] = tuple(names.CLASSIFIERS),
    seeds: int = 5,
    beside: Sequence[str] = (),
    extended: bool = False,
    n_iterations: int = 0,
    grid: Callable[[str], Mapping[str, Any]] = lambda arm: {},
    change: Callable[[Record], Record | None] = lambda record: record,
) -> int:
    """Write a folder as a sweep does, with records drawn at random; returns their number.

    Parameters
    ----------
    arms : sequence of str
        Each is its sampler's name too.
    beside : sequence of str
        Further arms, which the plan marks to be ranked beside the others.
    extended : bool
        Give each run a score on an extended test.
    n_iterations : int
        Length of the searches' histories; 0 writes none.
    grid : callable
        Gets an arm; returns what the plan's columns say of its source and rule.
    change : callable
        Gets each record before it is written; None from it is a run that is missing.
    """
    rng = np.random.default_rng(0)
    arms = [*arms, *beside]
    strength = dict(zip(arms, rng.normal(0, 0.04, len(arms)), strict=True))
    plan, rows, histories = [], [], []
    cells = product(datasets, irs, clfs, names.METRICS, range(seeds))
    for dataset, ir, clf, metric, seed in cells:
        base, none = rng.uniform(0.55, 0.7), rng.uniform(0.45, 0.6)
        for arm in arms:
            key = f"{dataset}-ir{names.ratio(ir)}-{clf}-{arm}-{metric}-seed{seed}"
            test = none if arm == "none" else base + strength[arm] + rng.normal(0, 0.03)
            record = _record(dataset, ir, clf, arm, metric, seed, float(test), float(none))
            if extended:
                for name, score in (("scores", test), ("reference", none)):
                    record[name]["extended"] = {"macro_f1": score - 0.01, "mcc": score - 0.31}
            row = {"key": key, "arm": arm, **grid(arm)} | {k: record[k] for k in _PLANNED}
            plan.append(row | {"beside": True} if arm in beside else row)
            if (changed := change(record)) is not None:
                rows.append(record_row(key, changed))
                best = np.maximum.accumulate(rng.normal(0.6, 0.05, n_iterations)).tolist()
                histories += [
                    {"key": key, "iteration": i, "reward": x, "best": x, "n_synthetic": 9}
                    for i, x in enumerate(best, start=1)
                ]
    folder = results_dir / experiment
    about = {"experiment": experiment, "budget": budget, "protocol_version": 1}
    command = f"python -m autosmote.sweep experiment={experiment} budget={budget}"
    write_plan(folder, budget, plan, about | {"command": command})
    write_records(folder, rows)
    if histories:
        write_histories(folder, histories)
    return len(rows)


_PLANNED = ("dataset", "ir", "clf", "sampler", "metric", "seed")


def _record(
    dataset: str,
    ir: float | None,
    clf: str,
    sampler: str,
    metric: str,
    seed: int,
    test: float,
    none: float,
) -> Record:
    """Make a record in the form that a run writes, with a score of its own in both metrics."""

    def scores(validation: float, test: float) -> dict[str, dict[str, float]]:
        parts = (("validation", validation), ("test", test))
        return {part: {"macro_f1": x, "mcc": x - 0.3} for part, x in parts}

    is_search = sampler in (names.FULL, *names.ABLATIONS, *CONTROLS)
    kind = "search" if is_search else "resampler"
    return {
        "schema_version": 1,
        "protocol_version": 1,
        "data_fingerprint": f"{dataset:x<64}",
        "data_source": f"local file {dataset}.arff",
        "status": "ok",
        "stopped_by": "iterations" if is_search else None,
        "error": None,
        "dataset": dataset,
        "ir": ir,
        "clf": clf,
        "sampler": sampler,
        "metric": metric,
        "seed": seed,
        "scores": scores(test + 0.05, test),
        "reference": scores(none, none),
        "imputed": False,
        "ratio": None if is_search else 0.3,
        "n_synthetic": 100,
        "rows": {"train": [6262, 125], "resampled": [6262, 225]},
        "grid": [{"ratio": r / 10, "status": "ok", "score": test} for r in range(1, 11)],
        "warnings": [],
        "iterations": 1000 if is_search else None,
        "search": {"device": "cpu"} if is_search else None,
        "seconds": {"total": 20.0 if is_search else 0.5 + len(sampler) / 10},
        "peak_memory_mb": 500.0,
        "config": {
            "clf": {"name": clf, "params": {"random_state": 0}},
            "search": {"reward": "validation", "final": "best", "folds": 5, "keep": 25},
            "sampler": {"kind": kind, "params": {}},
        },
        "versions": {"python": "3.11", "scikit-learn": "1.9"},
        "git_revision": "0" * 40,
        "machine": {"system": "Linux", "architecture": "x86_64"},
    }


def main(argv: list[str] | None = None) -> int:
    """Print the seconds; returns 1 if the processor's are more than asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=20, help="seconds")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        given: dict[str, Any] = {"seeds": arguments.seeds, "extended": True}
        n = make_sweep(folder, "table2", beside=CONTROLS, **given)
        n += make_sweep(folder, "table4", arms=ABLATIONS, datasets=["mozilla4"], **given)
        start, cpu_start = time.perf_counter(), time.process_time()
        n_files = sum(len(reports.write(folder, name, "paper")) for name in ("table2", "table4"))
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    print(
        f"{n} records to {n_files} files: {cpu_seconds:.1f} s of a core (limit "
        f"{arguments.limit:g} s), {seconds:.1f} s by the clock"
    )
    return int(cpu_seconds > arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
