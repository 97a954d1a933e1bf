"""Tables 2 to 4 in the paper's layout, its numbers beside ours, and the tests behind them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np

from autosmote.reports import names
from autosmote.reports.names import METRICS, OVERALL
from autosmote.reports.paper import SLIPS
from autosmote.reports.render.table import NONE, Cell, Table, format_estimate, format_number
from autosmote.reports.statistics.significance import LEVEL, MIN_CONFIGURATIONS
from autosmote.reports.studies.summary import Summary

_BETTER, _INCOMPLETE = "▲", "†"
_TOP = 5
_TRIANGLE = (
    f"{_BETTER}: AutoSMOTE is better by a one-sided Wilcoxon signed-rank test over the "
    f"configurations' mean test scores, p < {LEVEL:g}, not adjusted for the number of rivals, as "
    "in the paper. Adjusted p-values (Holm) are in the tables of tests."
)
_TOO_FEW = f"n too small: fewer than {MIN_CONFIGURATIONS} configurations allow no test."
_DAGGER = (
    f"{_INCOMPLETE}: not all planned configurations have a score; the others are ranked without it."
)


def make_rank_table(name: str, caption: str, summary: Summary, *, by_dataset: bool = True) -> Table:
    """Make the table of average ranks of every arm: Tables 2 and 4.

    "table2" has the paper's categories on the left; without `by_dataset` there is one column of
    ranks, over all datasets.
    """
    columns = summary.columns if by_dataset else [OVERALL]
    categories = name == "table2"
    rows: list[list[Cell]] = []
    for arm in summary.arms:
        cells = [_rank_cell(summary, column, arm) for column in columns]
        imputed, runs = summary.imputed(arm)
        label = [Cell(names.category(arm))] if categories else []
        rows.append([*label, Cell(names.arm(arm)), *cells, Cell(f"{imputed}/{runs}", sort=imputed)])
    footer = []
    if any(summary.spearman(metric, column)[1] for metric in summary.metrics for column in columns):
        found = [_spearman_cell(summary, column) for column in columns]
        blank = [Cell("")] if categories else []
        footer.append([*blank, Cell("Spearman's ρ with the paper"), *found, Cell("")])
    metrics = "/".join(METRICS[metric] for metric in summary.metrics)
    left = ["Category", "Method"] if categories else ["Method"]
    heads = [_head(summary, column) for column in columns]
    n_left = len(left)
    spans = [("", n_left), ("Dataset", len(columns) - 1), ("", 2)] if len(columns) > 1 else []
    beside = "; beside them the paper's own" if footer else ""
    notes = [f"Average ranks of {metrics}, 1 is best{beside}."]
    if names.FULL in summary.arms:
        notes.append(_TRIANGLE)
    notes.append("Imputed: runs whose sampler failed and counts as no resampling, of all runs.")
    if any(summary.n(column) < MIN_CONFIGURATIONS for column in columns):
        notes.append(_TOO_FEW)
    if any(_INCOMPLETE in cell.text for row in rows for cell in row):
        notes.append(_DAGGER)
    if name == "table2":
        notes.append(SLIPS)
    data = summary.rows[summary.rows["column"].isin(columns)]
    return Table(
        name,
        caption,
        [*left, *heads, "Imputed"],
        rows,
        data,
        spans=spans,
        n_text=n_left,
        grouped=categories,
        footer=footer,
        notes=notes,
    )


def _head(summary: Summary, column: str) -> str:
    n = summary.n(column)
    few = ", too small" if n < MIN_CONFIGURATIONS else ""
    return f"{names.dataset(column)} (n = {n}{few})"


def _rank_cell(summary: Summary, column: str, arm: str) -> Cell:
    found = [summary.get(metric, column, arm) for metric in summary.metrics]
    texts, papers, hints = [], [_paper_text(row) for row in found], []
    for metric, row in zip(summary.metrics, found, strict=True):
        texts.append(_rank_text(row))
        if "p" in row and arm != names.FULL:
            hints.append(f"{METRICS[metric]}: n = {row['n_pairs']:g}, {_p_and_holm(row)}")
    beside = "/".join(paper or NONE for paper in papers) if any(papers) else ""
    return Cell("/".join(texts), beside, float(found[0]["rank"]), "; ".join(hints))


def _rank_text(row: Mapping[str, Any]) -> str:
    mark = _BETTER if row.get("better") is True else ""
    mark += _INCOMPLETE if 0 < row["n"] < row["n_planned"] else ""
    return format_number(row["rank"], 2) + mark


def _paper_text(row: Mapping[str, Any]) -> str:
    rank = row.get("paper_rank", np.nan)
    return "" if np.isnan(rank) else f"{rank:.2f}{_BETTER if row['paper_better'] else ''}"


def _spearman_cell(summary: Summary, column: str) -> Cell:
    found = [summary.spearman(metric, column) for metric in summary.metrics]
    return Cell("/".join(format_number(value, 2) for value, _ in found), hint=f"n = {found[0][1]}")


def make_top_table(name: str, caption: str, summary: Summary) -> Table:
    """Make Table 3: the best five of each metric side by side; AutoSMOTE is always among them."""
    blocks = []
    for metric in summary.metrics:
        order = summary.ordered(metric)
        kept = order[:_TOP]
        kept += [arm for arm in order[_TOP:] if arm == names.FULL]
        block = []
        for arm in kept:
            row = summary.get(metric, OVERALL, arm)
            place = order.index(arm) + 1
            rank = Cell(_rank_text(row), _paper_text(row), row["rank"])
            block.append([Cell(f"{place}. {names.arm(arm)}"), rank])
        blocks.append(block)
    height = max(map(len, blocks), default=0)
    blank = [Cell(""), Cell("")]
    rows = [
        list(chain.from_iterable(block[i] if i < len(block) else blank for block in blocks))
        for i in range(height)
    ]
    header = [text for metric in summary.metrics for text in ("Sampler", METRICS[metric])]
    counts = [summary.imputed(arm) for arm in summary.arms]
    notes = [
        f"Average ranks among {len(summary.arms)} samplers over n = {summary.n(OVERALL)} "
        "configurations, 1 is best; beside them the paper's, which prints its first five only.",
        _TRIANGLE,
        f"{sum(imputed for imputed, _ in counts)} of {sum(runs for _, runs in counts)} runs are "
        "imputed: their sampler failed and counts as no resampling.",
    ]
    for metric in summary.metrics:
        value, n = summary.spearman(metric, OVERALL)
        if n >= 3:
            notes.append(
                f"{METRICS[metric]}: Spearman's ρ with the paper {value:.2f} over the n = {n} that "
                "it names."
            )
    if any(_INCOMPLETE in cell.text for row in rows for cell in row):
        notes.append(_DAGGER)
    return Table(name, caption, header, rows, summary.rows, notes=notes, n_text=1)


def make_statistics_table(name: str, summary: Summary, metric: str) -> Table:
    """Make a table of one metric over all datasets: intervals, effect sizes, scores, seconds."""
    compared = names.FULL in summary.arms
    header = ["Method", "Rank [95%]", "Test score [95%]", "Gain on validation", "Gain on test"]
    if compared:
        header += ["Wins/ties/losses", "Median gain [95%]", "P(better) [95%]", "n", "p", "Holm p"]
    header += ["Imputed", "Seconds"]
    rows = []
    for arm in summary.ordered(metric):
        row = summary.get(metric, OVERALL, arm)
        cells = [
            Cell(names.arm(arm)),
            format_estimate(row, "rank", 2),
            format_estimate(row, "score", 3),
            *(
                format_estimate(row, gain, 3, sign=True)
                for gain in ("validation_gain", "test_gain")
            ),
        ]
        if compared:
            cells += _comparison(row) if arm != names.FULL else [Cell("")] * 6
        cells.append(Cell(f"{row['imputed']}/{row['runs']}", sort=row["imputed"]))
        rows.append([*cells, format_estimate(row, "seconds", 1)])
    notes = [
        "Ranks and scores on the test part; gains over no resampling on the same split; seconds: "
        "median per run, on the machine that ran it.",
        "[95%]: bootstrap over configurations within each dataset and over seeds.",
    ]
    if compared:
        notes.append(
            "Of AutoSMOTE against each: configurations won, tied and lost; the median difference "
            "of its score; the probability that it scores higher on the same configuration and "
            "seed; p one-sided."
        )
    if names.MERGED in summary.arms:
        notes.append(
            f"{names.arm(names.MERGED)}: its validation score, on rows trained on, is void."
        )
    data = summary.rows[(summary.rows["metric"] == metric) & (summary.rows["column"] == OVERALL)]
    caption = f"{METRICS[metric]} over all datasets, beyond the paper"
    return Table(name, caption, header, rows, data, notes=notes)


def _comparison(row: Mapping[str, Any]) -> list[Cell]:
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
    rows = []
    for arm in summary.arms:
        if arm == names.FULL:
            continue
        cells = []
        for column in summary.columns:
            row = summary.get(metric, column, arm)
            mark = _BETTER if row.get("better") is True else ""
            text = (
                f"{format_p(row.get('p'))}{mark} / {format_p(row.get('p_holm'))}"
                if "p" in row
                else NONE
            )
            if "p" in row and row["n_pairs"] < MIN_CONFIGURATIONS:
                text = "n too small"
            cells.append(Cell(text, sort=row.get("p")))
        rows.append([Cell(names.arm(arm)), *cells])
    header = ["Method", *(_head(summary, column) for column in summary.columns)]
    wanted = ["metric", "column", "arm", "n_pairs", "p", "p_holm", "better"]
    data = summary.rows.loc[summary.rows["metric"] == metric, wanted]
    notes = [
        f"p / Holm-adjusted p over the {len(rows)} rivals of a column; {_BETTER}: p < {LEVEL:g}."
    ]
    caption = f"{METRICS[metric]}: tests that AutoSMOTE is better"
    return Table(name, caption, header, rows, data, notes=notes)


def format_p(p: float | None) -> str:
    """Format a p-value with four decimals; None and nan are a test that was not made."""
    if p is None or np.isnan(p):
        return "n too small"
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def p_cell(row: Mapping[str, Any], name: str) -> Cell:
    """Return the cell of one of a row's p-values."""
    return Cell(format_p(row[name]), sort=row[name])


def _p_and_holm(row: Mapping[str, Any]) -> str:
    return f"p = {format_p(row['p'])}, Holm {format_p(row['p_holm'])}"
