"""Overall ranks counted in four ways: with or without the fallback, on either test.

AutoSMOTE may return the classifier without resampling (g1 = 0), the paper's rivals may not. *With
the fallback* it is one more candidate of every sampler, chosen by the validation part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import FULL, METRICS
from autosmote.reports.render.table import LOWEST, Cell, Table, format_number, places_of, spread
from autosmote.reports.statistics.bootstrap import draw_scores, interval
from autosmote.reports.statistics.ranks import Floats, mean_of_known, rank
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS
from autosmote.reports.verdicts import count_noun, join_words

EXPERIMENTS = (*names.TABLE2_EXPERIMENTS, "table3")
"""Those with samplers that are tuned over ratios; ablations may all return the classifier."""
PAPER, FALLBACK = "as in the paper", "with the fallback for all"
_TESTS = {"test": "on the test part", "extended": "on the extended test"}
_N_DRAWS = 1000


def compute_countings(cells_of: Mapping[str, Cells], beside: Sequence[str]) -> pd.DataFrame:
    """Compute the overall average ranks of all arms in each counting.

    Arms beside are ranked each alone among the others, without an interval.

    Returns
    -------
    DataFrame
        metric, counting ("as in the paper" or "with the fallback for all"), test ("test", or
        "extended" where there is one), arm, n (configurations), rank, and its 95% interval
        (rank_low, rank_high), which is nan for fewer than five configurations; place: 1 + the
        number of arms that rank better; fell_back: share of the runs in which the counting takes
        the classifier without resampling.
    """
    rows: list[dict[str, Any]] = []
    for metric, cells in cells_of.items():
        for counting in (PAPER, FALLBACK):
            counted = cells if counting == PAPER else cells.with_fallback()
            for test, scored in (("test", counted), ("extended", counted.on_extended())):
                if scored is None:
                    continue
                head = {"metric": metric, "counting": counting, "test": test}
                rows += [head | row for row in _rank(scored, cells, counting, beside)]
    return pd.DataFrame(rows)


def _rank(
    scored: Cells, cells: Cells, counting: str, beside: Sequence[str]
) -> list[dict[str, Any]]:
    others = [arm for arm in scored.arms if arm not in beside]
    part = _compared(scored.only(others))
    averages = mean_of_known(rank(part.means()), axis=0)
    low = high = np.full(len(others), np.nan)
    if len(part.configurations) >= MIN_CONFIGURATIONS:
        drawn = [mean_of_known(d.ranks, axis=1) for d in draw_scores(part, n_draws=_N_DRAWS)]
        low, high = np.clip(interval(averages, np.concatenate(drawn)), 1, len(others))
    n = (~np.isnan(part.means())).sum(axis=0)
    values = zip(others, n, averages, low, high, strict=True)
    rows = [_row(averages, *value) for value in values]
    for arm in (arm for arm in beside if arm in scored.arms):
        ranks = rank(_compared(scored.only([*others, arm])).means())
        averages, n_own = mean_of_known(ranks, axis=0), (~np.isnan(ranks[:, -1])).sum()
        rows.append(_row(averages, arm, n_own, averages[-1], np.nan, np.nan))
    for row in rows:
        of_arm = cells.only([row["arm"]])
        back = of_arm.falls_back[~np.isnan(of_arm.test)]
        row["fell_back"] = mean_of_known(back.astype(float)) if counting == FALLBACK else 0.0
    return rows


def _row(averages: Floats, arm: str, n: int, own: float, low: float, high: float) -> dict[str, Any]:
    found = {"arm": arm, "n": n, "rank": own, "rank_low": low, "rank_high": high}
    return found | {"place": 1 + int((averages < own).sum())}


def _compared(cells: Cells) -> Cells:
    return cells.where(cells.shared().any(axis=1))


def make_countings_table(name: str, countings: pd.DataFrame, beside: Sequence[str]) -> Table:
    """Make the table of the ranks of `compute_countings`."""
    metrics = names.in_order(countings["metric"], METRICS)
    columns = list(countings[["counting", "test"]].drop_duplicates().itertuples(index=False))
    keys = zip(*(countings[by] for by in ("metric", "counting", "test", "arm")), strict=True)
    of = dict(zip(keys, countings.to_dict("records"), strict=True))

    def row_of(arm: str) -> list[Cell]:
        cells = [Cell(names.arm(arm))]
        for counting, test in columns:
            for metric in metrics:
                value = of.get((metric, counting, test, arm), {}).get("rank", np.nan)
                cells.append(Cell(format_number(value, 2), sort=value))
        for metric in metrics:
            share = of.get((metric, FALLBACK, "test", arm), {}).get("fell_back", np.nan)
            cells.append(Cell(f"{100 * share:.0f}%", sort=share))
        return cells

    arms = names.arms_in_order(countings["arm"])
    n = countings.groupby(["counting", "test"])["n"].max()
    heads = [
        f"{counting[0].upper()}{counting[1:]}, {_TESTS[test]} (n = {n[counting, test]})"
        for counting, test in columns
    ]
    header, spans = spread(
        ["Method"], [*heads, "Falls back"], [METRICS[metric] for metric in metrics]
    )
    ranked = [arm for arm in arms if arm not in beside]
    notes = [
        "Overall average ranks, 1 is best.",
        "With the fallback for all: the classifier without resampling is one more candidate of "
        "every sampler, and is taken where it is at least as good on the validation part, as "
        "AutoSMOTE may do and the paper's other samplers may not. Falls back: share of runs.",
    ]
    if beside:
        notes.append(
            f"Below: {names.BESIDE[0].lower()}{names.BESIDE[1:]}; each is ranked alone among "
            "the others, whose ranks it does not change."
        )
    return Table(
        name,
        f"Overall ranks in {len(columns)} countings",
        header,
        [row_of(arm) for arm in ranked],
        countings,
        spans=spans,
        footer=[row_of(arm) for arm in arms if arm in beside],
        notes=notes,
        best=dict.fromkeys(range(1, 1 + len(columns) * len(metrics)), LOWEST),
        pinned=places_of(FULL, ranked),
    )


def write_countings(
    countings: pd.DataFrame, metric: str, beside: Sequence[str], printed: float = np.nan
) -> list[str]:
    """Say in which of the countings AutoSMOTE is first, and who is where it is not.

    `printed` is its rank in the paper, where it is first.
    """
    of_metric = countings[countings["metric"] == metric].dropna(subset=["rank"])
    texts: list[str] = []
    first: list[str] = []
    behind: list[str] = []
    sentences: list[str] = []
    for (counting, test), part in of_metric.groupby(["counting", "test"], sort=False):
        rows = {row["arm"]: row for row in part.to_dict("records")}
        if FULL not in rows:
            continue
        label = f"counted {counting} {_TESTS[test]}"
        ranked = {arm: row for arm, row in rows.items() if arm not in beside}
        texts.append(f"{label}: {_standing(ranked)}")
        is_first = all(rows[FULL]["rank"] <= row["rank"] for row in ranked.values())
        (first if is_first else behind).append(label)
        alone = [
            f"{names.arm(arm)} number {rows[arm]['place']} by {rows[arm]['rank']:.2f}"
            for arm in beside
            if arm in rows
        ]
        if alone and counting == PAPER:  # of the last test, by which is concluded
            sentences = [
                f"{METRICS[metric]}, {label}, ranked each alone among the {len(ranked)}: the arms "
                f"with as many classifiers are: {join_words(alone)}."
            ]
    if not texts:
        return []
    verdict = f"It is first in all {len(texts)} countings, which agrees with the paper."
    if not first:
        verdict = f"It is first in none of the {len(texts)} countings, which contradicts the paper."
    elif behind:
        verdict = (
            f"It is first {join_words(first)}, which agrees with the paper; it is not first "
            f"{join_words(behind)}, which contradicts the paper."
        )
    paper = "" if np.isnan(printed) else f" (the paper has {printed:.2f})"
    head = f"{METRICS[metric]}, AutoSMOTE's overall rank{paper}: {'; '.join(texts)}."
    return [f"{head} {verdict}", *sentences]


def _standing(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Say what place AutoSMOTE has, and whether the interval of its rank tells it from the next."""
    own = rows[FULL]
    low, high = own["rank_low"], own["rank_high"]
    text = f"number {own['place']} of {len(rows)} by {own['rank']:.2f}"
    if not np.isnan(low):
        text += f" [{low:.2f}, {high:.2f}]"
    text += f" over {count_noun(int(own['n']), 'configuration')}"
    others = {arm: row["rank"] for arm, row in rows.items() if arm != FULL}
    if not others:
        return text
    best = min(others.values())
    leaders = join_words([names.arm(arm) for arm, rank in others.items() if rank == best])
    if best < own["rank"]:
        text += f", behind {leaders} with {best:.2f}"
    elif best == own["rank"]:
        text += f", level with {leaders}"
    else:
        text += f", before {leaders} with {best:.2f}"
    if np.isnan(low):
        return f"{text} (too few configurations for an interval)"
    return text + (", which the interval holds" if low <= best <= high else "")
