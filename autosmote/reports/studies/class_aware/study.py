"""Differences of the experiments on the class-aware search, at equal budgets.

Each arm is compared with one source by the same reward and rule: with SMOTE's seeds and ratios
where the experiment has them, else with the class-aware search as it is. Each rule is compared with
the best set of the same source, so that what a rule adds is not taken for what a source adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import OVERALL
from autosmote.reports.studies.budgets import count_by_arm
from autosmote.reports.studies.selections import (
    Comparison,
    Selection,
    compare_pairs,
    list_tests,
    read_selections,
)
from autosmote.reports.study import Study

EXPERIMENTS = (
    *("class_aware", "class_aware_confirmation", "class_aware_ablations", "class_aware_start"),
)
SUBJECT = "class_aware"
RIVALS = (
    *("smote", "svmsmote", "autosmote", "random", "class_aware random"),
    *("bagging weighted", "bagging balanced", "threshold", "none"),
)
"""Sources over which the class-aware search is claimed to gain."""
CLAIMED_OVER = {
    SUBJECT: RIVALS,
    "class_aware started": (SUBJECT,),
    "class_aware started 60": (SUBJECT, "class_aware 60", "smote"),
    "class_aware started 0": (SUBJECT, "class_aware 60", "smote 60"),
}
"""The sources on which something is claimed, and over whom they gain: a learned start has to be
worth classifiers."""
SOURCES = (
    *(SUBJECT, "class_aware narrow", "class_aware gradient", "class_aware random"),
    *("autosmote", "random", "smote", "svmsmote", "bagging weighted", "bagging balanced"),
    *("threshold", "none"),
)
"""Sources in the order of tables; others follow."""
GAINS, RULES, CLAIMS = "gains", "rules", "claims"
BEST = Selection("", "crossfit")
"""The rule that the others of a source are compared with, with the reward that all sources have."""


@dataclass(frozen=True)
class Found:
    """Results of one of these experiments.

    Attributes
    ----------
    study : Study
    selections : dict
        By an arm's label, in the order of tables.
    tests : tuple of str
        By the last is concluded.
    baseline : str
        The source that the others are compared with in the table of gains.
    differences : DataFrame
        question ("gains", "rules", "claims"), metric, group ("overall", a classifier, "IR 20"),
        block, arm, against, source, reward, rule, configurations, runs, then mean differences on
        the tests with their 95% intervals; classifiers: how many a run of the arm trains.
    """

    study: Study
    selections: dict[str, Selection]
    tests: tuple[str, ...]
    baseline: str
    differences: pd.DataFrame

    @property
    def judged(self) -> str:
        return self.tests[-1]

    def of(self, question: str) -> pd.DataFrame:
        """Return the differences that answer a question."""
        frame = self.differences
        return frame if frame.empty else frame[frame["question"] == question]


def study_class_aware(study: Study, cells_of: Mapping[str, Cells]) -> Found:
    """Compute all results of an experiment."""
    unordered = read_selections(study)
    known = dict(sorted(unordered.items(), key=lambda item: _place(item[1])))
    sources = {what.source for what in known.values()}
    baseline = "smote" if "smote" in sources else SUBJECT
    pairs = _list_pairs(known, lambda source: _baseline(source, baseline, sources))
    tests, trained = list_tests(cells_of), count_by_arm(study)
    rows: list[dict[str, Any]] = []
    for metric, cells in cells_of.items():
        there = [pair for pair in pairs if {pair.arm, pair.against} <= set(cells.arms)]
        for group, mask in _groups(cells).items():
            rows += [
                {"metric": metric, "group": group, **row}
                | known[row["arm"]]._asdict()
                | {"classifiers": trained.get(row["arm"], np.nan)}
                for row in compare_pairs(study, cells.where(mask), there, tests)
            ]
    return Found(study, known, tests, baseline, pd.DataFrame(rows))


def _place(what: Selection) -> tuple[Any, ...]:
    return (*place_source(what.source), *what.place())


def place_source(source: str) -> tuple[int, str]:
    """Return a key that sorts sources as tables do."""
    return (SOURCES.index(source) if source in SOURCES else len(SOURCES), source)


def _baseline(source: str, baseline: str, sources: set[str]) -> str | None:
    """Return what a source is compared with; of one with a budget of its own, SMOTE with as many.

    None for the baseline itself, and for those that others are compared with.
    """
    name, _, last = source.rpartition(" ")
    if last.isdigit():
        other = f"smote {last}"
        return other if name != "smote" and other in sources else None
    return baseline if source != baseline else None


def _list_pairs(
    known: Mapping[str, Selection], baseline_of: Callable[[str], str | None]
) -> list[Comparison]:
    """Return by question each arm with that which it is compared with, where there is one."""
    place = {what: arm for arm, what in known.items()}
    by_rule = sorted(known, key=lambda arm: (known[arm].place(), place_source(known[arm].source)))
    wanted = [
        *((GAINS, arm, known[arm]._replace(source=baseline_of(known[arm].source) or ""))
          for arm in by_rule),
        *((RULES, arm, BEST._replace(source=known[arm].source)) for arm in known),
        *((CLAIMS, arm, _rival(known[arm], rival))
          for arm in known for rival in CLAIMED_OVER.get(known[arm].source, ())),
    ]  # fmt: skip
    return [
        Comparison(question, arm, place[other])
        for question, arm, other in wanted
        if other in place and other != known[arm]
    ]


def _rival(what: Selection, source: str) -> Selection:
    """Return the arm of a rival that a claim on an arm of the class-aware search is about."""
    if source == "none":  # one classifier, which no rule can choose among
        return Selection(source, what.reward)
    if source == "threshold":
        return Selection(source)
    return what._replace(source=source)


def _groups(cells: Cells) -> dict[str, list[bool]]:
    """Return which configurations are in each group: all, a classifier's, a ratio's."""
    configurations = cells.configurations
    groups = {OVERALL: [True] * len(configurations)}
    for clf in names.in_order({clf for _, _, clf in configurations}, names.CLASSIFIERS):
        groups[clf] = [clf == other for _, _, other in configurations]
    irs = sorted({ir for _, ir, _ in configurations}, key=lambda ir: (ir is None, ir or 0))
    for ir in irs:
        groups[f"IR {names.ratio(ir)}"] = [ir == other for _, other, _ in configurations]
    return groups
