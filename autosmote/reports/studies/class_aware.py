"""The experiments on the class-aware search: gains at equal budgets, by classifier and ratio.

Each arm is compared with one source by the same reward and rule: with SMOTE's seeds and ratios
where the experiment has them, else with the class-aware search as it is. It shares arms, blocks of
seeds and differences with the study of final rules (`autosmote.reports.studies.selection`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.findings import write_doubts
from autosmote.reports.names import METRICS, OVERALL
from autosmote.reports.render.table import NONE, Cell, Table, format_estimate
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS
from autosmote.reports.studies.budgets import count_by_arm
from autosmote.reports.studies.selection.gains import compare_pairs
from autosmote.reports.studies.selection.questions import (
    ALL,
    CONFIRMED,
    DECIDED,
    Comparison,
    Selection,
    list_tests,
    read_selections,
)
from autosmote.reports.study import Study
from autosmote.reports.tables import EXTENDED
from autosmote.reports.verdicts import ABOVE, BELOW, OPEN, TESTS, TOO_FEW, count_noun, locate

EXPERIMENTS = (
    *("class_aware", "class_aware_confirmation", "class_aware_ablations", "class_aware_start"),
)
SUBJECT = "class_aware"
SOURCES = (
    *(SUBJECT, "class_aware narrow", "class_aware gradient", "class_aware random"),
    *("autosmote", "random", "smote", "svmsmote", "bagging weighted", "bagging balanced"),
    *("threshold", "none"),
)
"""Sources in the order of tables; others follow."""
GAINS, _CLAIMS = "gains", "claims"
_CLAIMED = {
    "smote": "gains over SMOTE's seeds and ratios",
    "svmsmote": "gains over SVMSMOTE's seeds and ratios",
    "autosmote": "gains over the paper's search",
    "random": "gains over random search in the paper's space",
    "class_aware random": "gains by learning, over random draws of its own numbers",
    "bagging weighted": "gains over bagging with class weights",
    "bagging balanced": "gains over balanced bagging",
    "threshold": "gains over one classifier with a tuned threshold",
    "none": "gains over the classifier without synthetic rows on as many rows",
}
"""What is claimed of the class-aware search, by rival."""
_SAID = {
    ABOVE: {DECIDED: "holds on the deciding seeds", CONFIRMED: "confirmed"},
    BELOW: {DECIDED: "does not hold: it is worse", CONFIRMED: "contradicted"},
    OPEN: dict.fromkeys((DECIDED, CONFIRMED), "no difference is shown"),
    TOO_FEW: dict.fromkeys((DECIDED, CONFIRMED), "too few configurations to say"),
}


@dataclass(frozen=True)
class Found:
    """Results of one of these experiments.

    Attributes
    ----------
    study : Study
    selections : dict
        By an arm's label.
    tests : tuple of str
        By the last is concluded.
    baseline : str
        The source that the others are compared with in the table.
    gains : DataFrame
        what ("gains", "claims"), metric, group ("overall", a classifier, "IR 20"), block, arm,
        against, source, reward, rule, configurations, runs, then mean differences on the tests
        with their 95% intervals; classifiers: how many a run of the arm trains.
    """

    study: Study
    selections: dict[str, Selection]
    tests: tuple[str, ...]
    baseline: str
    gains: pd.DataFrame

    @property
    def judged(self) -> str:
        return self.tests[-1]


def study_class_aware(study: Study, cells_of: Mapping[str, Cells]) -> Found:
    """Compute all results of an experiment."""
    known = read_selections(study)
    sources = {what.source for what in known.values()}
    baseline = "smote" if "smote" in sources else SUBJECT
    pairs = [
        *_pairs(GAINS, known, lambda source: _baseline(source, baseline, sources)),
        *_claims(known),
    ]
    tests, trained = list_tests(cells_of), count_by_arm(study)
    rows: list[dict[str, Any]] = []
    for metric, cells in cells_of.items():
        there = [pair for pair in pairs if {pair.arm, pair.against} <= set(cells.arms)]
        for group, mask in _groups(cells).items():
            for block, _, estimates in compare_pairs(study, cells.where(mask), there, tests):
                if block.name == ALL:
                    continue
                rows += [
                    {"what": row.pop("question"), "metric": metric, "group": group, **row}
                    | known[row["arm"]]._asdict()
                    | {"classifiers": trained.get(row["arm"], np.nan)}
                    for row in estimates
                ]
    return Found(study, known, tests, baseline, pd.DataFrame(rows))


def _baseline(source: str, baseline: str, sources: set[str]) -> str | None:
    """Return what a source is compared with; of one with a budget of its own, SMOTE with as many.

    None for the baseline itself, and for those that others are compared with.
    """
    name, _, last = source.rpartition(" ")
    if last.isdigit():
        other = f"smote {last}"
        return other if name != "smote" and other in sources else None
    return baseline if source != baseline else None


def _pairs(question: str, known: Mapping[str, Selection], rival: Any) -> list[Comparison]:
    """Return each arm with that of its rival source by the same reward and rule."""
    place = {what: arm for arm, what in known.items()}
    ordered = sorted(
        known, key=lambda arm: (known[arm].place()[2:], place_source(known[arm].source))
    )
    wanted = ((arm, known[arm]._replace(source=rival(known[arm].source) or "")) for arm in ordered)
    return [Comparison(question, arm, place[other]) for arm, other in wanted if other in place]


def _claims(known: Mapping[str, Selection]) -> list[Comparison]:
    """Return the class-aware search against each rival, by each reward and rule."""
    place = {what: arm for arm, what in known.items()}
    found = []
    for arm, what in known.items():
        if what.source != SUBJECT:
            continue
        for rival in _CLAIMED:
            other = what._replace(source=rival)
            if rival == "none":  # one classifier, which no rule can choose among
                other = Selection(rival, what.reward)
            if rival == "threshold":
                other = Selection(rival)
            if other in place:
                found.append(Comparison(_CLAIMS, arm, place[other]))
    return found


def place_source(source: str) -> tuple[int, str]:
    """Return a key that sorts sources as tables do."""
    return (SOURCES.index(source) if source in SOURCES else len(SOURCES), source)


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


def make_gains_table(found: Found) -> Table:
    """Make the one table: what each arm gains over the baseline, by classifier and ratio."""
    frame = found.gains[found.gains["what"] == GAINS]
    groups = list(dict.fromkeys(frame["group"]))
    rows: list[list[Cell]] = []
    of_group = []
    # In the order of the frame: by metric, reward and rule, then by source.
    for by, part in frame.groupby(["metric", "reward", "rule", "arm", "block"], sort=False):
        metric, _, _, arm, block = by
        of = {row["group"]: row for row in part.to_dict("records")}
        what = found.selections[str(arm)]
        for test in found.tests:
            cells = [
                *(Cell(METRICS[str(metric)]), Cell(what.title()), Cell(str(block))),
                *[Cell(TESTS[test])] * (len(found.tests) > 1),
                format_estimate(of[OVERALL], "classifiers", 0),
            ]
            for group in groups:
                row = of.get(group)
                cells.append(Cell(NONE) if row is None else _estimate_cell(row, test))
            rows.append(cells)
            of_group.append((metric, what.reward, what.rule))
    left = ["Metric", "Arm", "Seeds", *["On the"] * (len(found.tests) > 1)]
    return Table(
        f"{found.study.experiment}_gains",
        f"Mean difference in score to {names.arm(found.baseline)} by the same reward and rule",
        [*left, "Trained", *(title_group(frame, group) for group in groups)],
        rows,
        found.gains,
        n_text=len(left),
        groups=of_group,
        grouped=True,
        notes=[
            "Over the runs that both have. Arms with a number of classifiers of their own are "
            "compared with SMOTE's search with as many, where there is one.",
            "Seeds: decided, by which arms were compared; confirmed, which no decision has seen.",
            "Trained: classifiers that one run trains, in the search and by its rule.",
            "[95%]: bootstrap over configurations within each dataset and over seeds; none for "
            f"fewer than {MIN_CONFIGURATIONS} configurations.",
            *[EXTENDED] * (found.judged == "extended"),
        ],
    )


def _estimate_cell(row: Mapping[str, Any], test: str) -> Cell:
    return format_estimate(row, test, 3, sign=True)


def title_group(frame: pd.DataFrame, group: str) -> str:
    """Return a group's name, with the number of its configurations."""
    n = frame.loc[frame["group"] == group, "configurations"].max()
    title = "All" if group == OVERALL else names.CLASSIFIERS.get(group, group)
    return f"{title} (n = {n})"


def write_findings(found: Found) -> list[str]:
    """Say of each claim whether it holds, with its sample; what was best; and the doubts."""
    texts = [] if found.gains.empty else [*_best(found), *_verdicts(found)]
    return texts + write_doubts(found.study, "Arms are compared on the runs that both have.")


def _best(found: Found) -> list[str]:
    """Say which arm of the class-aware search has the largest gain on the deciding seeds."""
    frame = found.gains
    of = frame[
        (frame["what"] == GAINS)
        & (frame["group"] == OVERALL)
        & (frame["block"] == DECIDED)
        & frame["source"].str.startswith(SUBJECT)
    ]
    # A gain is one over the same rule of the baseline: to compare rules there is the selection.
    texts = []
    for (reward, rule), part in of.groupby(["reward", "rule"], sort=False):
        total = part.groupby("source", sort=False)[found.judged].mean()
        if len(total) > 1:
            best = str(total.idxmax())
            texts.append(
                f"Of the {len(total)} arms with reward {reward} and rule {rule}, "
                f"{names.arm(best)} has the largest mean difference to "
                f"{names.arm(found.baseline)} on the {TESTS[found.judged]}, "
                f"{total[best]:+.3f} over all metrics."
            )
    return texts


def _verdicts(found: Found) -> list[str]:
    """Say of each claim on the class-aware search whether it holds on its seeds."""
    frame = found.gains
    texts = []
    rows = frame[(frame["what"] == _CLAIMS) & (frame["group"] == OVERALL)]
    for row in rows.to_dict("records"):
        against = found.selections[row["against"]]
        said = _SAID[locate({**row, "judged": found.judged})][row["block"]]
        low, high = (row[f"{found.judged}_{end}"] for end in ("low", "high"))
        within = "" if np.isnan(low) else f" (95% interval {low:+.3f} to {high:+.3f})"
        texts.append(
            f"{METRICS[row['metric']]}: the class-aware search by rule {row['rule']} with reward "
            f"{row['reward']} {_CLAIMED[against.source]}: {said}, "
            f"{row[found.judged]:+.3f}{within} on the {TESTS[found.judged]} over "
            f"{count_noun(row['configurations'], 'configuration')} and "
            f"{count_noun(row['runs'], 'run')}."
        )
    return texts
