"""Report of ``bench_search.py``: its rows against the targets, as Markdown and as a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from bench_common import Row, machine, markdown, show

from autosmote.atomic import write_file
from autosmote.config.search import LOW_LEVEL_NETS, SearchConfig
from autosmote.reports.render.writers import write_text

# Okabe and Ito's colours, which colour-blind readers can tell apart; shapes differ too.
_PARTS = {
    "generate": ("generate_ms", "#0072B2", "o"),
    "score": ("score_ms", "#D55E00", "s"),
    "learn": ("learn_ms", "#009E73", "^"),
}
_MUST, _STRETCH = "#000000", "#999999"
# Targets for scoring, must and stretch, and how cases are taken together.
_SCORING = {
    "knn": (50, 200, "least"),
    "adaboost": (8, 20, "mean"),
    "dt": (1.5, 4, "mean"),
    "svm": (1.5, 3, "mean"),
}
_GENERATOR = (100, 300)
_NAIVE_MS = 1.0
"""A naive step that takes longer is no fair measure."""
_ITERATIONS, _PAIRS = 1000, 24


def report(rows: Sequence[Row], base: Path, load: str) -> str:
    """Write ``<base>.md`` and ``<base>.png``; returns the former's text.

    Parameters
    ----------
    rows : sequence of dict
        All of one git revision; see ``bench_search.COLUMNS``.
    base : Path
    load : str
        A line on how busy the machine was.
    """
    by_kind: dict[str, list[Row]] = {
        kind: [row for row in rows if row["kind"] == kind]
        for kind in ("loop", "score", "generator", "run")
    }
    devices = sorted({row["device"] for row in rows if row["device"]})
    where = [*machine(), f"- learner on: {', '.join(devices)}", load]
    sections = [
        "# The search, measured\n\n" + "\n".join(where) + "\n",
        "## Against the targets\n\n"
        + markdown(
            ("figure", "measured", "must", "stretch", "verdict"), list(targets(by_kind, rows))
        ),
        _loops(by_kind["loop"]),
        _scores(by_kind["score"]),
        _generators(by_kind["generator"]),
        _runs(by_kind["run"]),
    ]
    text = "\n".join(sections)
    write_text(base.with_suffix(".md"), text)
    _figure(by_kind, base.with_suffix(".png"))
    return text


def targets(by_kind: dict[str, list[Row]], rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    """Yield lines of figure, measured, must, stretch, verdict."""
    toy = bool(rows) and all(row["dataset"] == "toy" for row in rows)

    def line(figure: str, measured: str, value: float | None, must: float, stretch: float | None,
             unit: str, *, least: bool = True) -> tuple[str, ...]:  # fmt: skip
        wanted = tuple("" if t is None else f"{t:g}{unit}" for t in (must, stretch))
        if value is None:
            return figure, measured or "not measured", *wanted, ""
        met = [t is not None and (value >= t if least else value <= t) for t in (must, stretch)]
        verdict = "stretch met" if met[1] else "met" if met[0] else "not met"
        return figure, measured, *wanted, "(toy data)" if toy else verdict

    for net in LOW_LEVEL_NETS:
        generators = [row for row in by_kind["generator"] if row["net"] == net]
        fair = [row for row in generators if row["slow_ms"] <= _NAIVE_MS]
        worst = min(fair, key=lambda row: row["ratio"], default=None)
        text = f"{show(worst['ratio'])}x ({_case(worst)})" if worst else ""
        if len(fair) < len(generators):
            text += f" {len(generators) - len(fair)} of {len(generators)} do not count: a naive "
            text += f"step took more than {_NAIVE_MS:g} ms"
        value = worst["ratio"] if worst else None
        figure = f"exact generator against naive, per synthetic row, {net} net"
        yield line(figure, text, value, *_GENERATOR, "x")

    for clf, (must, stretch, how) in _SCORING.items():
        found = [row for row in by_kind["score"] if row["clf"] == clf]
        figure = f"{clf} score against refit, {'each data set' if how == 'least' else 'mean'}"
        if not found:
            yield line(figure, "", None, must, stretch, "x")
            continue
        worst = min(found, key=lambda row: row["ratio"])
        least, mean = worst["ratio"], _geometric_mean([row["ratio"] for row in found])
        text = f"least {show(least)}x ({worst['dataset']}), geometric mean {show(mean)}x of "
        text += f"{len(found)} data sets"
        yield line(figure, text, least if how == "least" else mean, must, stretch, "x")
        if clf == "adaboost":
            yield line(f"{clf} score against refit, least", f"{show(least)}x", least, 4, None, "x")

    whole = [row for row in by_kind["run"] if row["iterations"] == _ITERATIONS]
    at_50 = [row for row in whole if row["ir"] == 50]
    one = [row for row in at_50 if (row["dataset"], row["clf"]) == ("mozilla4", "svm")]
    seconds = one[0]["total_s"] if one else None
    text = f"{show(seconds)} s, {one[0]['actors']} actors" if one else ""
    yield line(f"search of {_ITERATIONS} iterations, mozilla4/svm, IR 50", text, seconds, 25, 11,
               " s", least=False)  # fmt: skip
    average = float(np.mean([row["total_s"] for row in at_50])) if at_50 else None
    text = f"{show(average)} s over {len(at_50)} of {_PAIRS} pairs" if at_50 else ""
    yield line(f"the same, mean over the {_PAIRS} pairs", text,
               average if len(at_50) == _PAIRS else None, 45, 20, " s", least=False)  # fmt: skip

    dominated = [
        row for row in by_kind["loop"]
        if row["actors"] == 0 and (row["against"] or "").endswith(", 2 actors")
        and row["score_ms"] > 0.5 * (row["generate_ms"] + row["score_ms"] + row["learn_ms"])
    ]  # fmt: skip
    worst = min(dominated, key=lambda row: row["ratio"], default=None)
    text = f"{show(worst['ratio'])}x ({_case(worst)}, {worst['scorer']})" if worst else ""
    yield line("2 actors against inline, where scoring dominates", text,
               worst["ratio"] if worst else None, 1.6, 1.9, "x")  # fmt: skip

    for actors, must, stretch in ((2, 2, 1), (40, 12, 6)):
        found = [
            row for row in by_kind["run"]
            if (row["dataset"], row["ir"], row["actors"]) == ("electricity", 20, actors)
            and row["peak_memory_mb"] is not None
        ]  # fmt: skip
        worst = max(found, key=lambda row: row["peak_memory_mb"], default=None)
        peak = worst["peak_memory_mb"] / 1024 if worst else None
        text = f"{show(peak)} GB ({worst['clf']})" if worst else ""
        yield line(f"peak memory, electricity, IR 20, {actors} actors", text, peak, must, stretch,
                   " GB", least=False)  # fmt: skip


def _case(row: Row) -> str:
    return f"{row['dataset']}/{row['clf']}" + (f", IR {row['ir']:g}" if row["ir"] else "")


def _geometric_mean(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))


def _of(row: Row) -> str:
    return "" if row["different"] is None else f"{row['different']:,} of {row['compared']:,}"


def _loops(rows: list[Row]) -> str:
    header = (
        "case", "net", "scoring", "actors", "iterations/s", "generate ms", "score ms", "learn ms",
        "wait ms", "set-up s", "times as long", "as", "rewards that differ",
    )  # fmt: skip
    lines = [
        (
            _case(r), r["net"], r["scorer"], r["actors"],
            *(float(r[name]) for name in ("iterations_per_s", "generate_ms", "score_ms",
                                          "learn_ms", "wait_ms", "setup_s")),
            r["ratio"], r["against"], _of(r),
        )
        for r in rows
    ]  # fmt: skip
    return (
        "## The loop\n\nMilliseconds per iteration; generate and score are summed over the "
        "actors, learn and wait are the learner's. The variants of a case took turns; ratios are "
        "of wall time over the iterations that both did.\n\n" + markdown(header, lines)
    )


def _scores(rows: list[Row]) -> str:
    lines = [
        (_case(r), r["scorer"], r["iterations"], float(r["slow_ms"]), float(r["fast_ms"]),
         float(r["ratio"]), _of(r))
        for r in rows
    ]  # fmt: skip
    header = ("case", "scorer", "episodes", "refit ms", "fast ms", "ratio", "predictions differ")
    return (
        "## Scoring\n\nMedian CPU time of one thread over the same episodes, in turns.\n\n"
        + markdown(header, lines)
    )


def _generators(rows: list[Row]) -> str:
    lines = [
        (_case(r), r["net"], r["n_synthetic"], float(r["slow_ms"]), 1000 * r["fast_ms"],
         float(r["ratio"]), "yes" if r["slow_ms"] <= _NAIVE_MS else "no", _of(r))
        for r in rows
    ]  # fmt: skip
    header = (
        "case", "net", "synthetic rows", "naive ms per step", "exact µs per step", "ratio",
        "counts", "episodes that differ",
    )  # fmt: skip
    return (
        "## The generator\n\nCPU time of one thread per synthetic row, for the same episodes "
        "under the parameters that the loop ended with. The naive one makes one batch-of-one "
        f"torch call per step; the ratio counts only where that takes {_NAIVE_MS:g} ms or less."
        "\n\n" + markdown(header, lines)
    )


def _runs(rows: list[Row]) -> str:
    names = ("total_s", "setup_s", "iterations_per_s", "generate_ms", "score_ms", "learn_ms")
    lines = [
        (_case(r), r["actors"], r["iterations"], *(float(r[name]) for name in names),
         r["peak_memory_mb"])
        for r in rows
    ]  # fmt: skip
    header = (
        "case", "actors", "iterations", "total s", "set-up s", "iterations/s", "generate ms",
        "score ms", "learn ms", "peak memory MB",
    )  # fmt: skip
    return (
        "## Whole searches\n\nEach in a process of its own; memory is the summed proportional "
        "set size of all its processes.\n\n" + markdown(header, lines)
    )


def _figure(by_kind: dict[str, list[Row]], path: Path) -> None:
    """Draw milliseconds per part of an iteration (left) and ratios beside their targets (right)."""
    from matplotlib.figure import Figure

    pooled = [
        r for r in by_kind["loop"] if r["actors"] > 0 and r["net"] == SearchConfig.low_level_net
    ]
    fast = [r for r in pooled if r["scoring"] == "auto"]
    ratios: list[tuple[str, float, float, float]] = [
        (f"score, {_case(r)}", r["ratio"], *_SCORING[r["clf"]][:2]) for r in by_kind["score"]
    ]
    ratios += [
        (f"generate, {_case(r)}, {r['net']}", r["ratio"], *_GENERATOR) for r in by_kind["generator"]
    ]
    height = 1.8 + 0.27 * max(len(fast), len(ratios), 4)
    figure = Figure(figsize=(13, height), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2)

    names = [_case(r) for r in fast]
    for label, (column, colour, marker) in _PARTS.items():
        left.plot([r[column] for r in fast], names, marker, color=colour, label=label)
    refit = {_case(r): r["score_ms"] for r in pooled if r["scoring"] == "refit"}
    left.plot(
        [refit.get(name, np.nan) for name in names], names, "s", mfc="none",
        color=_PARTS["score"][1], label="score by a refit",
    )  # fmt: skip
    left.set_xlabel("milliseconds per iteration, summed over processes")
    left.set_title("Parts of an iteration", fontsize=10, pad=26)

    labels = [label for label, *_ in ratios]
    right.plot([r[1] for r in ratios], labels, "D", color="#0072B2", label="measured")
    bars = (([r[2] for r in ratios], _MUST, "must"), ([r[3] for r in ratios], _STRETCH, "stretch"))
    for values, colour, label in bars:
        right.plot(values, labels, "|", color=colour, ms=11, mew=2.5, label=label)
    right.set_xlabel("times as fast")
    right.set_title("Against a refit, and against the naive generator", fontsize=10, pad=26)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.invert_yaxis()
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=4)

    write_file(path, partial(figure.savefig, metadata={"Software": None}))
