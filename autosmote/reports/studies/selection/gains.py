"""Gains of each rule for choosing among sample sets, alone and against others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.cells import Cells, Study
from autosmote.reports.names import FULL
from autosmote.reports.statistics import paired
from autosmote.reports.statistics.ranks import Floats, median_of_known
from autosmote.reports.studies.selection.costs import count_by_arm
from autosmote.reports.studies.selection.questions import (
    CONFIRMED,
    DECIDED,
    Block,
    Comparison,
    Selection,
    Selections,
    choose_rules,
    list_blocks,
    list_comparisons,
    list_headlines,
    list_tried,
    read_selections,
    subtract,
)


@dataclass(frozen=True)
class Found:
    """Results of an experiment on choosing among sample sets.

    Attributes
    ----------
    study : Study
    selections : dict
        Of `autosmote.reports.studies.selection.questions.read_selections`.
    blocks : list of Block
    tried, chosen : list of Selection
        AutoSMOTE's rules, and of these the result of `choose_rules`.
    arms, gains, headlines : DataFrame
        Of `compute_gains`, `compute_differences` and `compute_by_classifier`.
    beyond_smote : dict
        (metric, rule) to the result of `compute_beyond_smote`, of the chosen rules.
    """

    study: Study
    selections: dict[str, Selection]
    blocks: list[Block]
    tried: list[Selection]
    chosen: list[Selection]
    arms: pd.DataFrame
    gains: pd.DataFrame
    headlines: pd.DataFrame
    beyond_smote: dict[tuple[str, Selection], dict[str, paired.Means]]


def study_selection(study: Study, cells_of: Mapping[str, Cells]) -> Found:
    """Compute all results of an experiment."""
    known = read_selections(study)
    chosen = choose_rules(study, known, cells_of)
    return Found(
        study,
        known,
        list_blocks(study),
        list_tried(known),
        chosen,
        compute_gains(study, known, cells_of),
        compute_differences(study, known, cells_of),
        compute_by_classifier(study, cells_of, list_headlines(known, chosen)),
        {
            (metric, rule): compute_beyond_smote(study, known, cells, rule)
            for metric, cells in cells_of.items()
            for rule in chosen
        },
    )


def compute_gains(study: Study, known: Selections, cells_of: Mapping[str, Cells]) -> pd.DataFrame:
    """Compute what each arm gains over no resampling.

    Returns
    -------
    DataFrame
        metric, block, arm, source, reward, rule; configurations, runs, runs_planned;
        validation_gain and test_gain, means over the runs with their 95% intervals; imputed: runs
        that count as no resampling; seconds: median per run; classifiers: how many one run trains.
    """
    trained = count_by_arm(study)
    rows = []
    for metric, cells in cells_of.items():
        arms = [arm for arm in known if arm in cells.arms]
        part = cells.only(arms)
        planned = _planned(study, metric)
        for block in list_blocks(study):
            index = block.index(cells)
            has_score = ~np.isnan(part.test[:, :, index])
            found = {
                name: paired.estimate(getattr(part, name)[:, :, index], part.dataset_of)
                for name in ("validation_gain", "test_gain")
            }
            for a, arm in enumerate(arms):
                rows.append(
                    {
                        **{"metric": metric, "block": block.name, "arm": arm},
                        **known[arm]._asdict(),
                        "configurations": found["test_gain"].configurations[a],
                        "runs": found["test_gain"].runs[a],
                        "runs_planned": sum(planned.get((arm, seed), 0) for seed in block.seeds),
                        **_estimates(found, a),
                        "imputed": int((part.imputed[:, a, index] & has_score[:, a]).sum()),
                        "seconds": median_of_known(part.seconds[:, a, index]),
                        "classifiers": trained.get(arm, np.nan),
                    }
                )
    return pd.DataFrame(rows)


def compute_differences(
    study: Study, known: Selections, cells_of: Mapping[str, Cells]
) -> pd.DataFrame:
    """Compute differences of arms on the runs that both have.

    Returns
    -------
    DataFrame
        metric, block, question, arm, against; configurations, runs, runs_planned; validation and
        test: mean differences over the runs, with their 95% intervals, that of the validation
        scores being one of gains over no resampling on the same rows; wins, ties, losses of the
        configurations' means; p, p_holm: two-sided, and adjusted over the block's comparisons;
        held: of a confirming block, the result of `judge`.
    """
    rows: list[dict[str, Any]] = []
    for metric, cells in cells_of.items():
        planned = _planned(study, metric)
        there = {arm: what for arm, what in known.items() if arm in cells.arms}
        for block, test, estimates in _compared(study, cells, list_comparisons(there)):
            found = paired.compare(test)
            for i, row in enumerate(estimates):
                both = [
                    min(planned.get((row[arm], seed), 0) for arm in ("arm", "against"))
                    for seed in block.seeds
                ]
                p = {"p": found.p[i], "p_holm": found.p_holm[i]}
                counts = {name: getattr(found, name)[i] for name in ("wins", "ties", "losses")}
                rows.append({"metric": metric, **row, "runs_planned": sum(both), **counts, **p})
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.assign(held=_held(frame))


def compute_by_classifier(
    study: Study, cells_of: Mapping[str, Cells], pairs: Sequence[Comparison]
) -> pd.DataFrame:
    """Compute the headline comparisons over all classifiers, and for each.

    Returns
    -------
    DataFrame
        metric, clf (or "overall"), then as of `compute_differences` without tests.
    """
    rows: list[dict[str, Any]] = []
    for metric, cells in cells_of.items():
        known = [pair for pair in pairs if {pair.arm, pair.against} <= set(cells.arms)]
        clfs = [clf for _, _, clf in cells.configurations]
        for clf in (names.OVERALL, *names.in_order(clfs, names.CLASSIFIERS)):
            part = cells.where([clf in (names.OVERALL, other) for other in clfs])
            for _, _, estimates in _compared(study, part, known):
                rows += [{"metric": metric, "clf": clf, **row} for row in estimates]
    return pd.DataFrame(rows)


def compute_beyond_smote(
    study: Study, known: Selections, cells: Cells, rule: Selection
) -> dict[str, paired.Means]:
    """Compute by block how much more a rule adds to AutoSMOTE than to SMOTE; empty without arms."""
    arms = {what: arm for arm, what in known.items() if arm in cells.arms}
    pairs = [(rule._replace(source=source), Selection(source)) for source in (FULL, "smote")]
    if rule == Selection(FULL) or not {what for pair in pairs for what in pair} <= set(arms):
        return {}
    of_full, of_smote = (
        subtract(cells, cells.test, arms[what], arms[paper]) for what, paper in pairs
    )
    more = (of_full - of_smote)[:, None]
    return {
        block.name: paired.estimate(more[:, :, block.index(cells)], cells.dataset_of)
        for block in list_blocks(study)
    }


def judge(decided: Mapping[str, Any], confirmed: Mapping[str, Any]) -> str:
    """Return whether a difference that deciding seeds show is there on the confirming ones.

    Returns
    -------
    str
        "" where the deciding interval holds 0, or there is none; else "confirmed" where the
        confirming interval leaves out 0 on the same side, "same sign", "reversed", or "not known".
    """
    if not (decided["test_low"] > 0 or decided["test_high"] < 0):
        return ""
    side = 1 if decided["test_low"] > 0 else -1
    if np.isnan(confirmed["test"]):
        return "not known"
    if min(side * confirmed["test_low"], side * confirmed["test_high"]) > 0:
        return "confirmed"
    return "same sign" if side * confirmed["test"] > 0 else "reversed"


def _held(frame: pd.DataFrame) -> list[str]:
    by = ["metric", "question", "arm", "against"]
    rows = frame.to_dict("records")
    decided = {tuple(row[k] for k in by): row for row in rows if row["block"] == DECIDED}
    found = []
    for row in rows:
        other = decided.get(tuple(row[k] for k in by))
        found.append(judge(other, row) if other and row["block"] == CONFIRMED else "")
    return found


def _compared(
    study: Study, cells: Cells, pairs: Sequence[Comparison]
) -> Iterator[tuple[Block, Floats, list[dict[str, Any]]]]:
    """Yield for each block the test differences of all pairs, and their means as rows."""
    if not pairs:
        return
    # A validation score is one of other rows with another reward: of each its own gain.
    values = {
        name: np.stack([subtract(cells, scores, pair.arm, pair.against) for pair in pairs], axis=1)
        for name, scores in (("validation", cells.validation_gain), ("test", cells.test))
    }
    for block in list_blocks(study):
        index = block.index(cells)
        here = {name: of[:, :, index] for name, of in values.items()}
        found = {name: paired.estimate(of, cells.dataset_of) for name, of in here.items()}
        yield (
            block,
            here["test"],
            [
                {
                    **{"block": block.name, "question": pair.question},
                    **{"arm": pair.arm, "against": pair.against},
                    "configurations": found["test"].configurations[i],
                    "runs": found["test"].runs[i],
                    **_estimates(found, i),
                }
                for i, pair in enumerate(pairs)
            ],
        )


def _estimates(found: Mapping[str, paired.Means], i: int) -> dict[str, float]:
    return {
        name: values[i]
        for quantity, means in found.items()
        for name, values in (
            (quantity, means.mean),
            (f"{quantity}_low", means.low),
            (f"{quantity}_high", means.high),
        )
    }


def _planned(study: Study, metric: str) -> dict[tuple[str, int], int]:
    """Count the planned runs of each arm and seed."""
    runs = study.runs[study.runs["metric"] == metric]
    return runs.groupby(["arm", "seed"]).size().to_dict()
