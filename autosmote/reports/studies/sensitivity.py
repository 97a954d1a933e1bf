"""What the ranks of Table 2 would be if a decision had been another one: a variant at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import FULL, METRICS, OVERALL
from autosmote.reports.paper import read_paper_ranks
from autosmote.reports.render.table import Cell, Table, format_estimate, format_number
from autosmote.reports.statistics import paired
from autosmote.reports.statistics.ranks import mean_of_known, rank
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS
from autosmote.reports.study import Study

EXPERIMENT = "sensitivity"
BASE = ""
"""The variant without a change."""
VARIANTS = {
    BASE: "Table 2 as it is",
    "public": "Regime of the public implementation",
    "joint_net": "Joint low-level net",
    "random_per_row": names.arm(names.READING),
    "all_rows": "CTGAN and TVAE trained on all rows",
    "samme_r": "AdaBoost by SAMME.R",
    "fit_on_all": "Preprocessing fitted before the split",
}
"""Variants of conf/experiment/sensitivity.yaml, as tables print them."""
_PARTS = ("test", "extended")
_SHOWN = (FULL, "tvae", "randomsearch")
"""The samplers whose ranks are shown; the last one where it is a part of the variant."""
_MANY = 10
"""A variant of at least so many samplers is meant to be one of all: the others are named."""


def split_arm(arm: str) -> tuple[str, str]:
    """Split an arm's label "<sampler> [<variant>]"; the variant of others is BASE."""
    found = re.fullmatch(r"(.+) \[(.+)\]", arm)
    return (found[1], found[2]) if found else (arm, BASE)


def title_arms(arms: Iterable[str]) -> dict[str, str]:
    """Return the names of arms in the order of tables, variant by variant."""
    split = {arm: split_arm(arm) for arm in arms}
    found: dict[str, str] = {}
    for variant in names.in_order({variant for _, variant in split.values()}, VARIANTS):
        own = {sampler: arm for arm, (sampler, of) in split.items() if of == variant}
        mark = f" [{variant}]" if variant != BASE else ""
        found |= {own[one]: f"{names.arm(one)}{mark}" for one in names.arms_in_order(own)}
    return found


def compute_sensitivity(study: Study, cells_of: Mapping[str, Cells]) -> pd.DataFrame:
    """Compute ranks with the arms of each variant in the place of those of the base.

    The samplers of Table 2 are ranked among themselves, others each alone among them.

    Returns
    -------
    DataFrame
        metric, variant, arm, n (configurations in which the variant has runs); for each part,
        test and extended: rank, change (of the rank, against the base), difference: mean score
        with the variant less that without, with its 95% interval; nan where the variant does not
        change the arm, or there is no extended test.
    """
    rows: list[dict[str, Any]] = []
    for metric, cells in cells_of.items():
        of_part = {"test": cells, "extended": cells.on_extended()}
        variants = names.in_order({split_arm(arm)[1] for arm in cells.arms}, VARIANTS)
        for variant in variants:
            own = [arm for arm in cells.arms if split_arm(arm)[1] == variant]
            n = int(cells.planned[:, [cells.arms.index(arm) for arm in own]].any(axis=1).sum())
            for arm in _SHOWN:
                is_own = f"{arm} [{variant}]" in own or variant == BASE
                if arm not in cells.arms or (arm in study.beside and not is_own):
                    continue
                row: dict[str, Any] = {"metric": metric, "variant": variant, "arm": arm, "n": n}
                for name, part in of_part.items():
                    row |= _of_part(name, part, variant, arm, set(study.beside))
                rows.append(row)
    return pd.DataFrame(rows)


def _of_part(
    name: str, cells: Cells | None, variant: str, arm: str, beside: set[str]
) -> dict[str, Any]:
    """Return an arm's rank under a variant, its change and the difference in score."""
    found = dict.fromkeys(
        (f"{name}_{what}" for what in ("rank", "change", "difference", "difference_low",
                                       "difference_high")),
        np.nan,
    )  # fmt: skip
    if cells is None:
        return found
    ranks = {which: _overall_rank(cells, which, arm, beside) for which in (variant, BASE)}
    found[f"{name}_rank"] = ranks[variant]
    found[f"{name}_change"] = ranks[variant] - ranks[BASE] if variant != BASE else np.nan
    label = f"{arm} [{variant}]"
    if label in cells.arms:
        changed, base = (cells.test[:, [cells.arms.index(one)]] for one in (label, arm))
        means = paired.estimate(changed - base, cells.dataset_of)
        found |= means.named(f"{name}_difference", 0)
    return found


def _overall_rank(cells: Cells, variant: str, arm: str, beside: set[str]) -> float:
    """Return an arm's average rank, those of the variant's arms that there are in their places."""
    ranked = [one for one in cells.arms if split_arm(one)[1] == BASE and one not in beside - {arm}]
    base = cells.only(ranked)
    test = base.test.copy()
    for i, one in enumerate(ranked):
        label = f"{one} [{variant}]"
        if label in cells.arms:
            j = cells.arms.index(label)
            # Where the variant has no runs, as of a classifier that it does not replace, the base.
            planned = cells.planned[:, j]
            test[planned, i] = cells.test[planned, j]
    means = replace(base, test=test).means()
    return float(mean_of_known(rank(means)[:, ranked.index(arm)]))


def make_sensitivity_table(study: Study, frame: pd.DataFrame) -> Table:
    """Make the one table of the experiment; beside the base's ranks stand the paper's."""
    metrics = names.in_order(frame["metric"], METRICS)
    parts = [part for part in _PARTS if frame[f"{part}_rank"].notna().any()]
    paper = _paper_ranks()
    rows, groups = [], []
    for (variant, arm), of_row in frame.groupby(["variant", "arm"], sort=False):
        of = {row["metric"]: row for row in of_row.to_dict("records")}
        cells = [Cell(VARIANTS.get(variant, variant)), Cell(names.arm(arm))]
        cells.append(Cell(str(max(row["n"] for row in of.values()))))
        for metric in metrics:
            for part in parts:
                row = of[metric]
                printed = paper.get((metric, arm), np.nan) if variant == BASE else np.nan
                beside = format_number(printed, 2) if part == "test" and printed > 0 else ""
                cells += [
                    _rank_cell(row, part, beside),
                    format_estimate(row, f"{part}_difference", 3, sign=True),
                ]
        rows.append(cells)
        groups.append(variant)
    titles = {"test": "", "extended": ", extended"}
    heads = [
        f"{METRICS[metric]}: {what}{titles[part]}"
        for metric in metrics
        for part in parts
        for what in ("rank", "difference [95%]")
    ]
    return Table(
        EXPERIMENT,
        "Ranks of Table 2 with one decision changed at a time",
        ["Variant", "Sampler", "n", *heads],
        rows,
        frame,
        n_text=2,
        groups=groups,
        grouped=True,
        notes=[*_notes(frame, parts), *_kept(study)],
    )


def _rank_cell(row: Mapping[str, Any], part: str, beside: str) -> Cell:
    text = format_number(row[f"{part}_rank"], 2)
    if not np.isnan(row[f"{part}_change"]):
        text += f" ({format_number(row[f'{part}_change'], 2, sign=True)})"
    return Cell(text, beside, row[f"{part}_rank"])


def _paper_ranks() -> dict[tuple[str, str], float]:
    """Return the paper's overall ranks in Table 2 by metric and sampler."""
    printed = read_paper_ranks("table2")
    overall = printed[printed["column"] == OVERALL]
    return {(row.metric, row.arm): float(row.rank) for row in overall.itertuples()}


def _notes(frame: pd.DataFrame, parts: list[str]) -> list[str]:
    notes = [
        "Ranks: average over all configurations among the samplers of Table 2, 1 is best; the "
        "arms of the variant are in the places of those without it. In brackets the change; "
        "beside the first rows the paper's own, over its three imbalance ratios.",
        "Difference: mean score with the variant less that without, on the runs that both have.",
        "n: configurations in which the variant has runs; in the others it changes nothing.",
        "[95%]: bootstrap over configurations within each dataset and over seeds; none for fewer "
        f"than {MIN_CONFIGURATIONS} configurations.",
    ]
    if "extended" in parts:
        notes.append("Extended: on the extended test, which has more minority rows.")
    if (frame["arm"] == "randomsearch").any():
        printed = read_paper_ranks("table4").set_index(["metric", "arm"])["rank"]
        shown = [printed[metric, "random_search"] for metric in METRICS]
        notes.append(
            "Random search is ranked as one more beside the samplers of Table 2. In the paper's "
            f"Table 4 it is last of seven: {'/'.join(f'{value:.2f}' for value in shown)}."
        )
    return notes


def _kept(study: Study) -> list[str]:
    """Say which samplers a variant of many leaves as they are in the base."""
    arms = {split_arm(arm) for arm in study.runs["arm"]}
    base = [arm for arm in names.arms_in_order(a for a, variant in arms if variant == BASE)]
    notes = []
    for variant in names.in_order({variant for _, variant in arms}, VARIANTS):
        kept = [arm for arm in base if (arm, variant) not in arms]
        if variant != BASE and kept and len(base) - len(kept) >= _MANY:
            shown = ", ".join(names.arm(arm) for arm in kept)
            notes.append(
                f"{VARIANTS.get(variant, variant)}: not run for {shown}, which keep their scores "
                "without it."
            )
    return notes


def write_findings(frame: pd.DataFrame) -> list[str]:
    """Say between which ranks the variants move each sampler, and what the paper has."""
    paper = _paper_ranks()
    found = []
    for (metric, arm), of in frame.groupby(["metric", "arm"], sort=False):
        by_variant = of.set_index("variant")["test_rank"].dropna()
        if BASE not in by_variant or len(by_variant) < 2:
            continue
        changed = by_variant.drop(BASE)
        low, high = changed.idxmin(), changed.idxmax()
        printed = paper.get((metric, arm))
        found.append(
            f"{METRICS[metric]}: {names.arm(arm)} has the average rank {by_variant[BASE]:.2f}"
            + ("" if printed is None else f", in the paper {printed:.2f}")
            + f"; with one decision changed it has {changed[low]:.2f} "
            f"({VARIANTS.get(low, low)}) to {changed[high]:.2f} ({VARIANTS.get(high, high)})."
        )
    return found
