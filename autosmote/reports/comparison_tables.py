"""Tables beyond the paper: statistics of every arm, and the tests behind the triangles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autosmote.reports import names
from autosmote.reports.names import METRICS, OVERALL
from autosmote.reports.render.table import (
    HIGHEST,
    LOWEST,
    NONE,
    Cell,
    Table,
    format_estimate,
    places_of,
    spread,
)
from autosmote.reports.statistics.significance import LEVEL, MIN_CONFIGURATIONS
from autosmote.reports.studies.summary import Summary
from autosmote.reports.tables import BETTER, EXTENDED, format_p, p_cell, sample_size

_EXTENDED_BESIDE = "Beside each: the same on the extended test."


def make_statistics_table(name: str, summary: Summary, metric: str) -> Table:
    """Make a table of one metric over all datasets: intervals, effect sizes, scores."""
    compared = names.FULL in summary.arms
    extended = summary.extended
    summaries = [summary, *([extended] if extended else [])]
    parts = ["", ", extended"][: len(summaries)]
    header = [
        *("Method", *(f"Rank{part} [95%]" for part in parts)),
        *("Test score [95%]", "Extended score [95%]")[: len(parts)],
        *("Gain on validation", "Gain on test", "Gain on extended")[: 1 + len(parts)],
    ]
    if compared:
        header += ["Wins/ties/losses", "Median gain [95%]", "P(better) [95%]", "n", "p", "Holm p"]
    header.append("Imputed")
    ordered = summary.ordered(metric)
    rows = []
    for arm in ordered:
        of_arm = [one.get(metric, OVERALL, arm) for one in summaries]
        row = of_arm[0]
        cells = [
            Cell(names.arm(arm)),
            *(format_estimate(of, "rank", 2) for of in of_arm),
            *(format_estimate(of, "score", 3) for of in of_arm),
            format_estimate(row, "validation_gain", 3, sign=True),
            *(format_estimate(of, "test_gain", 3, sign=True) for of in of_arm),
        ]
        if compared:
            of_tests = [_comparison(of) if arm != names.FULL else [Cell("")] * 6 for of in of_arm]
            cells += map(_beside, *of_tests) if extended else of_tests[0]
        rows.append([*cells, Cell(f"{row['imputed']}/{row['runs']}", sort=row["imputed"])])
    notes = [
        "Ranks and scores on the test part; gains over no resampling on the same split.",
        "[95%]: bootstrap over configurations within each dataset and over seeds.",
    ]
    if compared:
        notes.append(
            "Of AutoSMOTE against each: configurations won, tied and lost; the median difference "
            "of its score; the probability that it scores higher on the same configuration and "
            "seed; p one-sided."
        )
    if extended:
        notes += [EXTENDED, *[_EXTENDED_BESIDE] * compared]
    if names.MERGED in summary.arms:
        notes.append(
            f"{names.arm(names.MERGED)}: its validation score, on rows trained on, is void."
        )
    data = summary.data()
    data = data[(data["metric"] == metric) & (data["column"] == OVERALL)]
    best = {i: LOWEST for i, head in enumerate(header) if head.startswith("Rank")}
    best |= {i: HIGHEST for i, head in enumerate(header) if "core" in head or "Gain" in head}
    pinned = places_of(names.FULL, ordered)
    caption = f"{METRICS[metric]} over all datasets, beyond the paper"
    return Table(name, caption, header, rows, data, notes=notes, best=best, pinned=pinned)


def _beside(cell: Cell, on_extended: Cell) -> Cell:
    """Return a cell with what the extended test says beside it."""
    return Cell(cell.text, on_extended.text, cell.sort)


def _comparison(row: Mapping[str, Any]) -> list[Cell]:
    if not row["n"]:
        return [Cell(NONE)] * 6
    counts = "/".join(str(int(row[name])) for name in ("wins", "ties", "losses"))
    return [
        Cell(counts, sort=row["wins"]),
        format_estimate(row, "gain", 3, sign=True),
        format_estimate(row, "improvement", 2),
        Cell(str(int(row["n_pairs"])), sort=row["n_pairs"]),
        *(p_cell(row, name) for name in ("p", "p_holm")),
    ]


def make_tests_table(name: str, summary: Summary, metric: str) -> Table:
    """Make the table of n, p and Holm-adjusted p behind every triangle of one metric."""
    rivals = [arm for arm in summary.arms if arm != names.FULL]
    columns = [names.OVERALL, *(on for on in summary.columns if on != names.OVERALL)]
    rows = []
    for arm in rivals:
        cells = _test_cells(summary, metric, columns, arm)
        if summary.extended is not None:
            on_extended = _test_cells(summary.extended, metric, columns, arm)
            cells = list(map(_beside, cells, on_extended))
        rows.append([Cell(names.arm(arm)), *cells])
    heads = [f"{names.dataset(on)} {sample_size(summary, on)}" for on in columns]
    header, spans = spread(["Method"], heads, ["p", "Holm p"])
    wanted = ["metric", "column", "arm"]
    tested = ["n_pairs", "p", "p_holm", "better"]
    data = summary.data()
    data = data[(data["metric"] == metric) & data["arm"].isin(summary.arms)]
    data = data[[*wanted, *tested, *(n for t in tested if (n := f"extended_{t}") in data)]]
    notes = [
        f"Holm p: adjusted over the {len(rows)} rivals of a column; {BETTER}: p < {LEVEL:g}.",
        *[_EXTENDED_BESIDE] * (summary.extended is not None),
    ]
    caption = f"{METRICS[metric]}: tests that AutoSMOTE is better"
    choices = "Dataset" if len(columns) > 2 else ""
    return Table(name, caption, header, rows, data, spans=spans, notes=notes, choices=choices)


def _test_cells(summary: Summary, metric: str, columns: Sequence[str], arm: str) -> list[Cell]:
    """Return p and the adjusted p of an arm in each column."""
    cells = []
    for row in (summary.get(metric, column, arm) for column in columns):
        if "p" not in row:
            cells += [Cell(NONE)] * 2
        elif row["n_pairs"] < MIN_CONFIGURATIONS:
            cells += [Cell("n too small", sort=row["p"])] * 2
        else:
            mark = BETTER if row.get("better") is True else ""
            cells.append(Cell(format_p(row["p"]) + mark, sort=row["p"]))
            cells.append(p_cell(row, "p_holm"))
    return cells
