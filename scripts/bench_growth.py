"""Measure how time and memory of a search grow with its data, its settings and its actors.

Minority rows, neighbours, training rows, features, folds and actors each take a few sizes, powers
of two, while the others stay; the data are generated. Every point is a search of a few iterations
in a process of its own, all in that process but where actors vary. ``growth.csv``, ``.md``,
``.svg`` and ``.png`` go to ``<results-dir>/bench/``, with the fitted exponents: an exponent of 1
means twice the size, twice the cost. ``--draw`` draws the figure from ``growth.csv`` and measures
nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
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
    save_all,
    search_within,
)

from autosmote.config.search import SearchConfig
from autosmote.isolation.processes import proportional_set_size
from autosmote.records.figure_style import (
    BLUE,
    DASHES,
    GREEN,
    MARKERS,
    PAGE,
    SMALL,
    VERMILION,
    label_log_axis,
    new_canvas,
    style,
)
from autosmote.reports.render.writers import write_text
from autosmote.sampler.class_search import ClassSearch, SearchRows
from autosmote.sampler.folds import Fold, shuffled_folds
from autosmote.search.result import SearchResult

COLUMNS = (
    "revision", "clf", "n_minority", "K", "n_train", "n_features", "folds", "actors", "scorer",
    "iterations", "n_synthetic", "wall_ms", "generate_ms", "score_ms", "learn_ms", "setup_s",
    "imports_mb", "peak_memory_mb", "added_mb",
)  # fmt: skip
SIZES = {
    "n_minority": (128, 512, 2048),
    "K": (8, 16, 32),
    "n_train": (2**13, 2**15, 2**17),
    "n_features": (8, 32, 128),
    "folds": (2, 4, 8),
    "actors": (1, 2, 4, 8, 16),
}
BASE = {"n_minority": 512, "K": 16, "n_train": 2**15, "n_features": 8, "folds": 0, "actors": 0}
"""Without folds, rows of their own are held out; without actors, one process does everything."""
CLASSIFIERS = ("dt", "knn")
N_VALIDATION = 2048
COSTS = {
    "wall_ms": ("wall", "ms per iteration"),
    "generate_ms": ("generate", "ms per iteration"),
    "score_ms": ("score", "ms per iteration"),
    "learn_ms": ("learn", "ms per iteration"),
    "added_mb": ("memory beyond the imports", "MB"),
}
"""By column, what it is called, and its unit."""
_WORDS = {
    **{"n_minority": "minority rows N", "K": "neighbours K", "n_train": "training rows"},
    **{"n_features": "features", "folds": "folds", "actors": "actors"},
}
_AT_LEAST = 5
_LAG = 16
"""Episodes in flight where actors vary, so that all of them have work."""


def make_part(
    n_rows: int, n_minority: int, n_features: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw two overlapping normal classes, the minority narrower; rows in random order."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n_rows) < n_minority).astype(np.int8)
    X = rng.standard_normal((n_rows, n_features))
    X[y == 1] = 0.7 * X[y == 1] + 0.8
    return X, y


def search(job: Row, iterations: int, budget: float) -> SearchResult:
    """Run as many iterations as the budget in seconds allows, but at least a few."""
    n_minority, n_features, n_actors = job["n_minority"], job["n_features"], job["actors"]
    X, y = make_part(job["n_train"], n_minority, n_features, 0)
    settings: Row = {"iterations": iterations, "K": job["K"], "actors": n_actors, "device": "cpu"}
    if n_actors:
        settings["lag"] = _LAG
    if job["folds"]:
        config = SearchConfig(**settings, reward="crossfit", folds=job["folds"])
        parts = shuffled_folds(config.folds, 0).split(X, y)
        folds = [Fold(train, X[train], y[train], X[test], y[test]) for train, test in parts]
    else:
        config = SearchConfig(**settings)
        held_out = max(16, N_VALIDATION * n_minority // job["n_train"])
        part = make_part(N_VALIDATION, held_out, n_features, 1)
        folds = [Fold(np.arange(len(y)), X, y, *part)]
    rows = SearchRows.plain(X, y, folds)
    searched = ClassSearch(
        rows, 1, classifier(job["clf"]), metric="macro_f1", seed=0, config=config
    )
    return search_within(budget, min(_AT_LEAST, iterations), searched.run)


def point(job: Row) -> Row:
    """Measure one point, in a process of its own."""
    with one_thread():
        # Import and compile (or load from numba's cache) before memory is measured.
        search({**job, "n_minority": 16, "K": 4, "n_train": 256, "actors": 0}, 2, 0)
        imports = _high_water_mb() or proportional_set_size()
        result = search(job, job["iterations"], job["budget"])
        # Of several processes the search knows the sum.
        peak = (None if job["actors"] else _high_water_mb()) or result.peak_memory_mb
    seconds = {part: result.seconds[part] for part in ("generate", "score", "learn")}
    ends = result.history["seconds"]
    return {
        "scorer": result.scorer,
        "iterations": result.iterations,
        "n_synthetic": float(result.history["n_synthetic"].mean()),
        "wall_ms": 1000 * (ends[-1] - ends[0]) / max(len(ends) - 1, 1),
        **{f"{part}_ms": 1000 * value / result.iterations for part, value in seconds.items()},
        "setup_s": ends[0],
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
    """Return a classifier's rows with a size that varies, the others at their common values."""
    others = [other for other in SIZES if other != name]
    base = {o: _most_common([row[o] for row in rows]) for o in others}
    found = [
        row
        for row in rows
        # A size of 0, of folds and actors, is another way to search.
        if row["clf"] == clf and row[name] and all(row[o] == base[o] for o in others)
    ]
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
    """Write ``<base>.md``, ``.svg`` and ``.png``; return the text of the first."""
    sizes = ("clf", *BASE)
    rest = [name for name in COLUMNS if name not in ("revision", *sizes)]
    points = [[*(row[s] for s in sizes), *(row[name] for name in rest)] for row in rows]
    text = "\n".join(
        [
            "# How a search grows\n\n" + "\n".join([*machine(), load]) + "\n",
            f"Generated data, {N_VALIDATION:,} validation rows or, where there are folds, as many "
            "as a fold holds out; everything in one process, one thread, but where there are "
            f"actors, with {_LAG} episodes in flight. Generate and score are summed over the "
            "actors. The synthetic rows of an iteration follow the majority rows, as G1 follows "
            "the imbalance ratio. Memory is the most that the process ever held, its set-up "
            "included; with actors, the proportional set sizes of all processes together.\n",
            "## Exponents\n\nFitted slopes of log cost over log size.\n\n"
            + markdown(
                ("clf", "what grows", *(label for label, _ in COSTS.values())), exponents(rows)
            ),
            "## Points\n\n" + markdown((*sizes, *rest), points),
            "![growth](growth.svg)\n\nCost of an iteration, and memory, against each size, the "
            "others fixed; each point is one search, so that there is no interval. Both axes are "
            "logarithmic, and an exponent is the slope of a fitted line.\n",
        ]
    )
    write_text(base.with_suffix(".md"), text)
    draw(rows, base)
    return text


def draw(rows: Sequence[Row], base: Path) -> None:
    """Write ``<base>.svg`` and ``<base>.png``: a row of panels for each cost, a column per size."""
    from matplotlib.lines import Line2D

    clfs = list(dict.fromkeys(row["clf"] for row in rows))
    looks = dict(
        zip(clfs, zip((VERMILION, BLUE, GREEN), MARKERS, DASHES, strict=False), strict=False)
    )
    with style():
        canvas = new_canvas(PAGE, 1.25 * len(COSTS) + 0.5)
        grid = canvas.subplots(len(COSTS), len(SIZES), sharey="row", sharex="col", squeeze=False)
        for of_cost, (cost, (title, unit)) in zip(grid, COSTS.items(), strict=True):
            for axes, name in zip(of_cost, SIZES, strict=True):
                for i, (clf, (colour, marker, dash)) in enumerate(looks.items()):
                    points = [row for row in varied(rows, clf, name) if (row[cost] or 0) > 0]
                    x, y = ([row[key] for row in points] for key in (name, cost))
                    axes.plot(x, y, linestyle=dash, marker=marker, color=colour)
                    exponent = slope(points, name, cost)
                    text = "" if exponent is None else f"{clf}: {exponent:.2f}"
                    text = text.replace("-", "−")
                    axes.annotate(
                        text, (0, 1), xytext=(3, -1 - 8.5 * i), xycoords="axes fraction",
                        textcoords="offset points", va="top", fontsize=SMALL, color=colour,
                    )  # fmt: skip
                axes.set_xscale("log", base=2)
                axes.set_yscale("log")
            # Room above the lines for the exponents.
            low, high = of_cost[0].get_ylim()
            of_cost[0].set_ylim(low, high * (high / low) ** (0.22 * len(looks)))
            label_log_axis(of_cost[0].yaxis)
            short = title.replace(" beyond", "\nbeyond")
            of_cost[0].set_ylabel(f"{short}\n({unit})")
        for axes, name in zip(grid[-1], SIZES, strict=True):
            ticks = sorted({row[name] for row in rows} - {0})
            axes.set_xticks(ticks, [f"{tick // 1024}k" if tick >= 1024 else tick for tick in ticks])
            axes.minorticks_off()
            axes.set_xlabel(_WORDS[name])
        handles = [
            Line2D([], [], color=colour, marker=marker, linestyle=dash, label=clf)
            for clf, (colour, marker, dash) in looks.items()
        ]
        canvas.legend(handles=handles, loc="outside upper right", ncols=len(handles))
        save_all(canvas, base)


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
    parser.add_argument("--draw", action="store_true", help="draw growth.csv anew, no more")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.alone:
        print(json.dumps(point(json.loads(arguments.alone))))
        return 0
    path = arguments.results_dir / "bench" / "growth"
    if arguments.draw:
        draw(Table(path.with_suffix(".csv"), COLUMNS, keep=True).rows, path)
        return 0
    load = busy()
    table = Table(path.with_suffix(".csv"), COLUMNS, keep=False)
    for clf in arguments.clfs:
        for job in jobs():
            print(clf, *(f"{name}={size:,}" for name, size in job.items()), flush=True)
            # Enough for each actor to make some.
            iterations = arguments.iterations * (10 if job["actors"] else 1)
            settings = {"iterations": iterations, "budget": arguments.budget}
            row = alone(__file__, {"clf": clf, **job, **settings})
            table.add([{"revision": revision(), "clf": clf, **job, **row}])
    print(report(table.rows, path, load))
    return 0


if __name__ == "__main__":
    sys.exit(main())
