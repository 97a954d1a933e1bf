"""Gains of each rule for choosing among sample sets, alone and against others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import FULL
from autosmote.reports.statistics import paired
from autosmote.reports.statistics.ranks import Floats
from autosmote.reports.studies.budgets import count_by_arm
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
    list_tests,
    list_tried,
    read_selections,
    subtract,
)
from autosmote.reports.study import Study


@dataclass(frozen=True)
class Found:
    """Results of an experiment on choosing among sample sets.

    Attributes
    ----------
    study : Study
    selections : dict
        Of `autosmote.reports.studies.selection.questions.read_selections`.
    blocks : list of Block
    tests : tuple of str
        "test", and "extended" where there is an extended test: by the last is concluded.
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
    tests: tuple[str, ...]
    tried: list[Selection]
    chosen: list[Selection]
    arms: pd.DataFrame
    gains: pd.DataFrame
    headlines: pd.DataFrame
    beyond_smote: dict[tuple[str, Selection], dict[str, paired.Means]]

    @property
    def judged(self) -> str:
        """The test by which is concluded."""
        return self.tests[-1]


def study_selection(study: Study, cells_of: Mapping[str, Cells]) -> Found:
    """Compute all results of an experiment."""
    known = read_selections(study)
    chosen = choose_rules(study, known, cells_of)
    return Found(
        study,
        known,
        list_blocks(study),
        list_tests(cells_of),
        list_tried(known),
        chosen,
        compute_gains(study, known, cells_of),
        compute_differences(study, known, cells_of),
        compute_by_classifier(study, cells_of, list_headlines(known, chosen)),
        {
            (metric, rule): compute_beyond_smote(
                study, known, cells, rule, list_tests(cells_of)[-1]
            )
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
        validation_gain, test_gain and, where there is an extended test, extended_gain: means over
        the runs with their 95% intervals; imputed: runs that count as no resampling; classifiers:
        how many one run trains.
    """
    gains = [f"{name}_gain" for name in ("validation", *list_tests(cells_of))]
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
                for name in gains
            }
            for a, arm in enumerate(arms):
                rows.append(
                    {
                        **{"metric": metric, "block": block.name, "arm": arm},
                        **known[arm]._asdict(),
                        "configurations": found[gains[-1]].configurations[a],
                        "runs": found[gains[-1]].runs[a],
                        "runs_planned": sum(planned.get((arm, seed), 0) for seed in block.seeds),
                        **_estimates(found, a),
                        "imputed": int((part.imputed[:, a, index] & has_score[:, a]).sum()),
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
        metric, block, question, arm, against; configurations, runs, runs_planned; validation, test
        and, where there is an extended test, extended: mean differences over the runs, with their
        95% intervals, that of the validation scores being one of gains over no resampling on the
        same rows. By the extended test, or the test part where there is none: wins, ties, losses of
        the configurations' means; p, p_holm: two-sided, and adjusted over the block's comparisons;
        held: of a confirming block, the result of `judge`.
    """
    tests = list_tests(cells_of)
    rows: list[dict[str, Any]] = []
    for metric, cells in cells_of.items():
        planned = _planned(study, metric)
        there = {arm: what for arm, what in known.items() if arm in cells.arms}
        for block, judged, estimates in compare_pairs(study, cells, list_comparisons(there), tests):
            found = paired.compare(judged)
            for i, row in enumerate(estimates):
                both = [
                    min(planned.get((row[arm], seed), 0) for arm in ("arm", "against"))
                    for seed in block.seeds
                ]
                p = {"p": found.p[i], "p_holm": found.p_holm[i]}
                counts = {name: getattr(found, name)[i] for name in ("wins", "ties", "losses")}
                rows.append({"metric": metric, **row, "runs_planned": sum(both), **counts, **p})
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.assign(held=_held(frame, tests[-1]))


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
            for _, _, estimates in compare_pairs(study, part, known, list_tests(cells_of)):
                rows += [{"metric": metric, "clf": clf, **row} for row in estimates]
    return pd.DataFrame(rows)


def compute_beyond_smote(
    study: Study, known: Selections, cells: Cells, rule: Selection, test: str
) -> dict[str, paired.Means]:
    """Compute by block how much more a rule adds to AutoSMOTE than to SMOTE; empty without arms."""
    arms = {what: arm for arm, what in known.items() if arm in cells.arms}
    pairs = [(rule._replace(source=source), Selection(source)) for source in (FULL, "smote")]
    if rule == Selection(FULL) or not {what for pair in pairs for what in pair} <= set(arms):
        return {}
    of_full, of_smote = (
        subtract(cells, getattr(cells, test), arms[what], arms[paper]) for what, paper in pairs
    )
    more = (of_full - of_smote)[:, None]
    return {
        block.name: paired.estimate(more[:, :, block.index(cells)], cells.dataset_of)
        for block in list_blocks(study)
    }


def judge(decided: Mapping[str, Any], confirmed: Mapping[str, Any], test: str) -> str:
    """Return whether a difference that deciding seeds show is there on the confirming ones.

    Returns
    -------
    str
        "" where the deciding interval holds 0, or there is none; else "confirmed" where the
        confirming interval leaves out 0 on the same side, "same sign", "reversed", or "not known".
    """
    low, high = f"{test}_low", f"{test}_high"
    if not (decided[low] > 0 or decided[high] < 0):
        return ""
    side = 1 if decided[low] > 0 else -1
    if np.isnan(confirmed[test]):
        return "not known"
    if min(side * confirmed[low], side * confirmed[high]) > 0:
        return "confirmed"
    return "same sign" if side * confirmed[test] > 0 else "reversed"


def _held(frame: pd.DataFrame, test: str) -> list[str]:
    by = ["metric", "question", "arm", "against"]
    rows = frame.to_dict("records")
    decided = {tuple(row[k] for k in by): row for row in rows if row["block"] == DECIDED}
    found = []
    for row in rows:
        other = decided.get(tuple(row[k] for k in by))
        found.append(judge(other, row, test) if other and row["block"] == CONFIRMED else "")
    return found


def compare_pairs(
    study: Study, cells: Cells, pairs: Sequence[Comparison], tests: Sequence[str]
) -> Iterator[tuple[Block, Floats, list[dict[str, Any]]]]:
    """Yield for each block the differences of all pairs on the last test, and all means as rows."""
    if not pairs:
        return
    # A validation score is one of other rows with another reward: of each its own gain.
    values = {
        name: np.stack([subtract(cells, scores, pair.arm, pair.against) for pair in pairs], axis=1)
        for name, scores in (
            ("validation", cells.validation_gain),
            *((test, getattr(cells, test)) for test in tests),
        )
    }
    for block in list_blocks(study):
        index = block.index(cells)
        here = {name: of[:, :, index] for name, of in values.items()}
        found = {name: paired.estimate(of, cells.dataset_of) for name, of in here.items()}
        yield (
            block,
            here[tests[-1]],
            [
                {
                    **{"block": block.name, "question": pair.question},
                    **{"arm": pair.arm, "against": pair.against},
                    "configurations": found[tests[-1]].configurations[i],
                    "runs": found[tests[-1]].runs[i],
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
