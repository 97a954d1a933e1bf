"""Tables 2 to 4 in the paper's layout, its numbers beside ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from autosmote.reports import names
from autosmote.reports.names import METRICS, OVERALL
from autosmote.reports.paper import SLIPS
from autosmote.reports.render.table import LOWEST, Cell, Table, format_number, places_of, spread
from autosmote.reports.statistics.significance import LEVEL, MIN_CONFIGURATIONS
from autosmote.reports.studies.summary import Summary

BETTER, _INCOMPLETE, _BESIDE = "▲", "†", "‡"
_TOP = 5
EXTENDED = (
    "Extended: on the extended test, which has the minority rows that under-sampling removed as "
    "well, weighted to the same imbalance ratio. The paper has none; conclusions are drawn on it."
)
_TRIANGLE = (
    f"{BETTER}: AutoSMOTE is better by a one-sided Wilcoxon signed-rank test over the "
    f"configurations' mean test scores, p < {LEVEL:g}, not adjusted for the number of rivals, as "
    "in the paper. Adjusted p-values (Holm) are in the tables of tests."
)
_TOO_FEW = f"n too small: fewer than {MIN_CONFIGURATIONS} configurations allow no test."
_DAGGER = (
    f"{_INCOMPLETE}: not all planned configurations have a score; the others are ranked without it."
)


def make_rank_tables(
    name: str, caption: str, summary: Summary, *, by_dataset: bool = True
) -> Iterator[Table]:
    """Make the tables of average ranks of every arm: Tables 2 and 4.

    The first has the paper's numbers and its test, and beside that the overall ranks on the
    extended test; where there are columns of datasets, the second has theirs. Table 2 has the
    paper's categories on the left.
    """
    datasets = [column for column in summary.columns if column != OVERALL] if by_dataset else []
    categories = name in names.TABLE2_EXPERIMENTS
    overall = [(summary, OVERALL)]
    of_datasets = [(summary, column) for column in datasets]
    if summary.extended is None:
        yield _rank_table(name, caption, summary, overall + of_datasets, categories)
        return
    overall.append((summary.extended, OVERALL))
    yield _rank_table(name, caption, summary, overall + of_datasets, categories)
    if datasets:
        there = [column for column in datasets if column in summary.extended.columns]
        shown = [(summary.extended, column) for column in (OVERALL, *there)]
        on = f"{caption}, on the extended test"
        yield _rank_table(f"{name}_extended", on, summary, shown, categories)


def _rank_table(
    name: str,
    caption: str,
    summary: Summary,
    shown: Sequence[tuple[Summary, str]],
    categories: bool,
) -> Table:
    """Make a table with columns of each metric for each dataset of a summary in `shown`."""

    def row_of(arm: str, mark: str = "") -> list[Cell]:
        cells = [_rank_cell(of.get(metric, on, arm)) for of, on in shown for metric in metrics]
        imputed, runs = summary.imputed(arm)
        category = names.BESIDE if arm in summary.beside else names.category(arm)
        label = [Cell(category)] if categories else []
        cells.append(Cell(f"{imputed}/{runs}", sort=imputed))
        return [*label, Cell(names.arm(arm) + mark), *cells]

    metrics = summary.metrics
    rows = [row_of(arm) for arm in summary.arms]
    footer = [row_of(arm, _BESIDE) for arm in summary.beside]
    for row in footer[1:] if categories else []:
        row[0] = Cell("")  # named once, as the groups above it
    with_paper = any(of.spearman(metric, on)[1] for of, on in shown for metric in metrics)
    if with_paper:
        found = [of.spearman(metric, on) for of, on in shown for metric in metrics]
        blank = [Cell("")] if categories else []
        cells = [Cell(format_number(value, 2) if n else "") for value, n in found]
        footer.append([*blank, Cell("Spearman's ρ with the paper"), *cells, Cell("")])
    left = ["Category", "Method"] if categories else ["Method"]
    is_mixed = len({id(of) for of, _ in shown}) > 1
    heads = [_head(of, column, is_mixed and of is not summary) for of, column in shown]
    header, spans = spread(left, heads, [METRICS[metric] for metric in metrics], ["Imputed"])
    beside = "; beside them the paper's own" if with_paper else ""
    notes = [f"Average ranks, 1 is best{beside}."]
    if any(of is not summary for of, _ in shown):
        notes.append(EXTENDED)
    if names.FULL in summary.arms:
        notes.append(_TRIANGLE)
    if summary.beside:
        notes.append(
            f"{_BESIDE}: trains as many classifiers as AutoSMOTE; ranked alone among the others, "
            "whose ranks it does not change."
        )
    notes.append("Imputed: runs whose sampler failed and counts as no resampling, of all runs.")
    if any(of.n(column) < MIN_CONFIGURATIONS for of, column in shown):
        notes.append(_TOO_FEW)
    if any(_INCOMPLETE in cell.text for row in [*rows, *footer] for cell in row):
        notes.append(_DAGGER)
    if name in names.TABLE2_EXPERIMENTS:
        notes.append(SLIPS)
    data = summary.data()
    data = data[data["column"].isin({column for _, column in shown})]
    return Table(
        name,
        caption,
        header,
        rows,
        data,
        spans=spans,
        n_text=len(left),
        grouped=categories,
        categories=categories,
        footer=footer,
        notes=notes,
        best=dict.fromkeys(range(len(left), len(header) - 1), LOWEST),
        pinned=places_of(names.FULL, summary.arms),
        choices="Dataset" if len(heads) > 2 else "",
    )


def _head(summary: Summary, column: str, is_extended: bool) -> str:
    where = f"{names.dataset(column)}, extended" if is_extended else names.dataset(column)
    return f"{where} {sample_size(summary, column)}"


def sample_size(summary: Summary, column: str) -> str:
    """Return "(n = 48)" of a column, and whether that is too small for tests."""
    n = summary.n(column)
    return f"(n = {n}{', too small' if n < MIN_CONFIGURATIONS else ''})"


def _rank_cell(row: Mapping[str, Any]) -> Cell:
    return Cell(_rank_text(row), _paper_text(row), float(row["rank"]))


def _rank_text(row: Mapping[str, Any]) -> str:
    mark = BETTER if row.get("better") is True else ""
    mark += _INCOMPLETE if 0 < row["n"] < row["n_planned"] else ""
    return format_number(row["rank"], 2) + mark


def _paper_text(row: Mapping[str, Any]) -> str:
    rank = row.get("paper_rank", np.nan)
    return "" if np.isnan(rank) else f"{rank:.2f}{BETTER if row['paper_better'] else ''}"


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
            ranks = [Cell(_rank_text(row), _paper_text(row), row["rank"])]
            if summary.extended is not None:
                on_extended = summary.extended.get(metric, OVERALL, arm)
                ranks.append(Cell(_rank_text(on_extended), sort=on_extended["rank"]))
            block.append([Cell(f"{place}. {names.arm(arm)}"), *ranks])
        blocks.append(block)
    height = max(map(len, blocks), default=0)
    heads = ["Sampler", "{}"] if summary.extended is None else ["Sampler", "{}", "{}, extended"]
    blank = [Cell("") for _ in heads]
    rows = [
        list(chain.from_iterable(block[i] if i < len(block) else blank for block in blocks))
        for i in range(height)
    ]
    header = [head.format(METRICS[metric]) for metric in summary.metrics for head in heads]
    counts = [summary.imputed(arm) for arm in summary.arms]
    notes = [
        f"Average ranks among {len(summary.arms)} samplers over n = {summary.n(OVERALL)} "
        "configurations, 1 is best; beside them the paper's, which prints its first five only.",
        *[EXTENDED] * (summary.extended is not None),
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
    return Table(name, caption, header, rows, summary.data(), notes=notes, sortable=False)


def format_p(p: float | None) -> str:
    """Format a p-value with four decimals; None and nan are a test that was not made."""
    if p is None or np.isnan(p):
        return "n too small"
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def p_cell(row: Mapping[str, Any], name: str) -> Cell:
    """Return the cell of one of a row's p-values."""
    return Cell(format_p(row[name]), sort=row[name])
