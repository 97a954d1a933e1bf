"""Measure how time and memory of a search grow with minority rows, neighbours and training rows.

Each of the three takes three sizes, powers of two, while the others stay; the data are generated.
Every point is a search of a few iterations in a process of its own, all in that process
(actors=0). ``growth.csv``, ``.md`` and ``.png`` go to ``<results-dir>/bench/``, with the fitted
exponents: an exponent of 1 means twice the size, twice the cost.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench_common import (
    Row,
    Table,
    alone,
    busy,
    classifier,
    machine,
    markdown,
    one_thread,
    revision,
    search_within,
    show,
)

from autosmote.atomic import write_file
from autosmote.config.search import SearchConfig
from autosmote.isolation.processes import proportional_set_size
from autosmote.reports.render.writers import write_text
from autosmote.sampler.class_search import run_search
from autosmote.search.result import SearchResult

COLUMNS = (
    "revision", "clf", "n_minority", "K", "n_train", "scorer", "iterations", "n_synthetic",
    "generate_ms", "score_ms", "learn_ms", "setup_s", "imports_mb", "peak_memory_mb", "added_mb",
)  # fmt: skip
SIZES = {"n_minority": (128, 512, 2048), "K": (8, 16, 32), "n_train": (2**13, 2**15, 2**17)}
BASE = {"n_minority": 512, "K": 16, "n_train": 2**15}
CLASSIFIERS = ("dt", "knn")
N_FEATURES, N_VALIDATION = 8, 2048
COSTS = {
    "generate_ms": ("generate", "#0072B2", "o"),
    "score_ms": ("score", "#D55E00", "s"),
    "learn_ms": ("learn", "#009E73", "^"),
    "added_mb": ("memory beyond the imports", "#000000", "D"),
}
"""Okabe and Ito's colours, distinguishable by colour-blind readers; shapes differ too."""
_WORDS = {"n_minority": "minority rows N", "K": "neighbours K", "n_train": "training rows"}
_AT_LEAST = 5


def make_part(n_rows: int, n_minority: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw two overlapping normal classes, the minority narrower; rows in random order."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n_rows) < n_minority).astype(np.int8)
    X = rng.standard_normal((n_rows, N_FEATURES))
    X[y == 1] = 0.7 * X[y == 1] + 0.8
    return X, y


def search(job: Row, iterations: int, budget: float) -> SearchResult:
    """Run as many iterations as the budget in seconds allows, but at least a few."""
    X_train, y_train = make_part(job["n_train"], job["n_minority"], 0)
    n_minority = max(16, N_VALIDATION * job["n_minority"] // job["n_train"])
    X_val, y_val = make_part(N_VALIDATION, n_minority, 1)
    config = SearchConfig(iterations=iterations, K=job["K"], actors=0, device="cpu")

    def run(on_iteration: Callable[..., None]) -> SearchResult:
        return run_search(
            X_train, y_train, X_val, y_val, classifier(job["clf"]),
            metric="macro_f1", ir=None, seed=0, config=config, on_iteration=on_iteration,
        )  # fmt: skip

    return search_within(budget, min(_AT_LEAST, iterations), run)


def point(job: Row) -> Row:
    """Measure one point, in a process of its own."""
    with one_thread():
        # Import and compile (or load from numba's cache) before memory is measured.
        search({**job, "n_minority": 16, "K": 4, "n_train": 256}, 2, 0)
        imports = _high_water_mb() or proportional_set_size()
        result = search(job, job["iterations"], job["budget"])
        peak = _high_water_mb() or result.peak_memory_mb
    seconds = {part: result.seconds[part] for part in ("generate", "score", "learn")}
    return {
        "scorer": result.scorer,
        "iterations": result.iterations,
        "n_synthetic": float(result.history["n_synthetic"].mean()),
        **{f"{part}_ms": 1000 * value / result.iterations for part, value in seconds.items()},
        "setup_s": result.history["seconds"][0],
        "imports_mb": imports,
        "peak_memory_mb": peak,
        "added_mb": None if peak is None or imports is None else peak - imports,
    }


def _high_water_mb() -> float | None:
    """Return the peak memory of this process, set-up included; None where unknown."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)


def exponents(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Return rows of a classifier, the size that grows, and the exponent of each cost."""
    lines = []
    for clf in dict.fromkeys(row["clf"] for row in rows):
        for name in SIZES:
            points = varied(rows, clf, name)
            slopes = [slope(points, name, cost) for cost in COSTS]
            lines.append((clf, _WORDS[name], *slopes))
    return lines


def varied(rows: Sequence[Row], clf: str, name: str) -> list[Row]:
    """Return a classifier's rows in which the other sizes have their most common values."""
    others = [other for other in SIZES if other != name]
    base = {o: _most_common([row[o] for row in rows]) for o in others}
    found = [row for row in rows if row["clf"] == clf and all(row[o] == base[o] for o in others)]
    return sorted(found, key=lambda row: row[name])


def slope(points: Sequence[Row], name: str, cost: str) -> float | None:
    """Return the exponent of a power law fitted to points; None with fewer than two sizes."""
    known = [row for row in points if row[cost] is not None and row[cost] > 0]
    if len({row[name] for row in known}) < 2:
        return None
    x, y = ([np.log(row[key]) for row in known] for key in (name, cost))
    return float(np.polyfit(x, y, 1)[0])


def _most_common(values: Sequence[Any]) -> Any:
    return max(set(values), key=values.count)


def report(rows: Sequence[Row], base: Path, load: str) -> str:
    """Write ``<base>.md`` and ``<base>.png``; return the text of the former."""
    sizes = ("clf", "n_minority", "K", "n_train")
    rest = [name for name in COLUMNS if name not in ("revision", *sizes)]
    points = [[*(row[s] for s in sizes), *(row[name] for name in rest)] for row in rows]
    text = "\n".join(
        [
            "# How a search grows\n\n" + "\n".join([*machine(), load]) + "\n",
            "Generated data of "
            f"{N_FEATURES} features and {N_VALIDATION:,} validation rows; everything in one "
            "process, one thread. The synthetic rows of an iteration follow the majority rows, "
            "as G1 follows the imbalance ratio. Memory is the most that the process ever held, "
            "its set-up included.\n",
            "## Exponents\n\nFitted slopes of log cost over log size.\n\n"
            + markdown(
                ("clf", "what grows", *(label for label, *_ in COSTS.values())), exponents(rows)
            ),
            "## Points\n\n" + markdown((*sizes, *rest), points),
        ]
    )
    write_text(base.with_suffix(".md"), text)
    _figure(rows, base.with_suffix(".png"))
    return text


def _figure(rows: Sequence[Row], path: Path) -> None:
    from matplotlib.figure import Figure

    clfs = list(dict.fromkeys(row["clf"] for row in rows))
    figure = Figure(figsize=(12, 7), dpi=110, layout="constrained")
    grid = figure.subplots(2, len(SIZES), sharey="row")
    for column, name in enumerate(SIZES):
        for cost, (label, colour, marker) in COSTS.items():
            axes = grid[1 if cost == "added_mb" else 0, column]
            for clf, line in zip(clfs, ("-", "--", ":"), strict=False):
                points = varied(rows, clf, name)
                exponent = slope(points, name, cost)
                text = f"{clf}: {label}" if axes is grid[0, column] else clf
                axes.plot(
                    [row[name] for row in points], [row[cost] for row in points],
                    linestyle=line, marker=marker, color=colour,
                    label=f"{text}, {show(exponent)}",
                )  # fmt: skip
        for axes in grid[:, column]:
            ticks = sorted({row[name] for row in rows})
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
            axes.set_xlabel(_WORDS[name])
            axes.grid(alpha=0.3)
            axes.legend(fontsize=7, title="exponent last", title_fontsize=7)
    grid[0, 0].set_ylabel("milliseconds per iteration")
    grid[1, 0].set_ylabel("memory beyond the imports, MB")
    write_file(path, partial(figure.savefig, metadata={"Software": None}))


def jobs() -> list[Row]:
    """Return the points to measure: each size varies while the others are fixed."""
    points = [{**BASE, name: size} for name, values in SIZES.items() for size in values]
    return [dict(key) for key in dict.fromkeys(tuple(p.items()) for p in points)]


def main(argv: list[str] | None = None) -> int:
    """Return 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    parser.add_argument("--iterations", type=int, default=20, help="at most, per point")
    parser.add_argument("--budget", type=float, default=2.0, help="seconds per point")
    parser.add_argument("--clfs", nargs="+", default=list(CLASSIFIERS))
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.alone:
        print(json.dumps(point(json.loads(arguments.alone))))
        return 0
    load = busy()
    path = arguments.results_dir / "bench" / "growth"
    table = Table(path.with_suffix(".csv"), COLUMNS, keep=False)
    settings = {"iterations": arguments.iterations, "budget": arguments.budget}
    for clf in arguments.clfs:
        for job in jobs():
            print(clf, *(f"{name}={size:,}" for name, size in job.items()), flush=True)
            row = alone(__file__, {"clf": clf, **job, **settings})
            table.add([{"revision": revision(), "clf": clf, **job, **row}])
    print(report(table.rows, path, load))
    return 0


if __name__ == "__main__":
    sys.exit(main())
