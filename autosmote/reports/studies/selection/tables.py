"""Tables of the gains of each rule: by arm, by pair, by classifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from autosmote.reports import names
from autosmote.reports.names import METRICS
from autosmote.reports.render.table import (
    HIGHEST,
    NONE,
    Cell,
    Table,
    format_estimate,
    format_number,
)
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS
from autosmote.reports.studies.selection.gains import Found
from autosmote.reports.studies.selection.questions import (
    ALL,
    CONFIRMED,
    DECIDED,
    DECIDING_SEEDS,
    PLAIN,
)
from autosmote.reports.tables import EXTENDED, p_cell
from autosmote.reports.verdicts import TESTS, count_noun

Row = Mapping[str, Any]

_INCOMPLETE = "†"
_BLOCKS = {ALL: "All", DECIDED: "Decided", CONFIRMED: "Confirmed"}
_QUESTIONS = {
    "rule": ("Rule", "what a rule adds to the best sample set, of the same source and reward"),
    "learning": ("Learning", "what the learned policies add to random ones in the same space"),
    "space": ("Space", "what random search in AutoSMOTE's space adds to SMOTE's ratios and seeds"),
    "sampler": ("Sampler", "AutoSMOTE against other samplers, by the same rule"),
    "reward": ("Reward", "what a score over folds adds to that on the validation part"),
    "rows": (
        "Rows",
        "what is left against the classifier without synthetic rows that was trained on the "
        "training and validation rows together, as all are with a reward over folds",
    ),
}
_INTERVALS = (
    "[95%]: bootstrap over configurations within each dataset and over seeds; none for fewer than "
    f"{MIN_CONFIGURATIONS} configurations."
)
_DAGGER = f"{_INCOMPLETE}: not all planned runs have a score."


def make_tables(name: str, found: Found) -> Iterator[Table]:
    """Make all tables of the experiment; their names begin with `name`."""
    for metric in names.in_order(found.arms["metric"], METRICS):
        yield _arms_table(f"{name}_arms_{metric}", metric, found)
    if len(found.gains):
        for metric in names.in_order(found.gains["metric"], METRICS):
            yield _gains_table(f"{name}_gains_{metric}", metric, found)
    if len(found.headlines):
        yield _by_classifier_table(f"{name}_by_classifier", found)


def _arms_table(name: str, metric: str, found: Found) -> Table:
    """Make the table of validation and test gains of each arm of one metric."""
    data = found.arms[found.arms["metric"] == metric]
    blocks = names.in_order(data["block"], _BLOCKS)
    rows: list[list[Cell]] = []
    for group in _grouped(data, ["arm"]):
        first = group[blocks[0]]
        source = names.arm(first["source"])
        rows.append(
            [
                *(Cell(source), Cell(first["reward"]), Cell(first["rule"])),
                format_estimate(first, "classifiers", 0),
                *(
                    cell
                    for block in blocks
                    for cell in (
                        _n_cell(group[block]),
                        _gain_cell(group[block], "validation_gain"),
                        *(
                            format_estimate(group[block], f"{test}_gain", 3, sign=True)
                            for test in found.tests
                        ),
                    )
                ),
            ]
        )
    heads = [
        f"{_BLOCKS[block]}: {what}"
        for block in blocks
        for what in ("n (runs)", "validation gain", *(f"{test} gain [95%]" for test in found.tests))
    ]
    # Records of protocol 1 compare with the training part alone, whatever the reward.
    same_rows = not (found.study.runs["protocol_version"] == 1).any()
    notes = [
        "Gains: mean difference to the classifier without synthetic rows on the same split, "
        f"trained on {'the same rows' if same_rows else 'the training part'}. Validation: on the "
        "rows by which was chosen, which with a reward over folds are other ones. A gain there "
        "that is not on the test part is choice.",
        "With a reward over folds the final classifiers learn from the validation rows as well; "
        + (
            "so does what their gains are measured by."
            if same_rows
            else f"what these are worth alone is in the row of {names.arm(PLAIN.source)}."
        ),
        *_seeds(found),
        "n: configurations (dataset, imbalance ratio, classifier), and runs.",
        "Trained: classifiers that one run trains, in the search and by its rule.",
        _INTERVALS,
        *_extended(found),
        *_daggers(rows),
    ]
    return Table(
        name,
        f"{METRICS[metric]}: what each rule gains over no resampling",
        ["Source", "Reward", "Rule", "Trained", *heads],
        rows,
        data,
        n_text=3,
        grouped=True,
        categories=True,
        best={i: HIGHEST for i, head in enumerate(heads, start=4) if "gain" in head},
        notes=notes,
    )


def _gains_table(name: str, metric: str, found: Found) -> Table:
    """Make the table of differences of pairs of arms of one metric, and whether they hold."""
    data = found.gains[found.gains["metric"] == metric]
    blocks = names.in_order(data["block"], _BLOCKS)
    whole, parts = blocks[0], blocks[1:]
    rows: list[list[Cell]] = []
    for group in _grouped(data, ["question", "arm", "against"]):
        first = group[whole]
        question, _ = _QUESTIONS[first["question"]]
        counts = "/".join(str(first[count]) for count in ("wins", "ties", "losses"))
        cells = [
            *(Cell(question), *_arm_cells(found, first["arm"], first["against"])),
            *(_n_cell(first), *_difference_cells(first, found)),
            *(Cell(counts, sort=first["wins"]), p_cell(first, "p"), p_cell(first, "p_holm")),
        ]
        for block in parts:
            cells += [*_difference_cells(group[block], found), p_cell(group[block], "p_holm")]
        if parts:
            cells.append(Cell(group[CONFIRMED]["held"]))
        rows.append(cells)
    differences = ("validation", *(f"{test} [95%]" for test in found.tests))
    heads = [*("n (runs)", *differences, "wins/ties/losses", "p", "Holm p")]
    heads = [f"{_BLOCKS[whole]}: {what}" for what in heads]
    heads += [f"{_BLOCKS[block]}: {what}" for block in parts for what in (*differences, "Holm p")]
    shown = dict.fromkeys(data["question"])
    notes = [
        *(f"{_QUESTIONS[question][0]}: {_QUESTIONS[question][1]}." for question in shown),
        "Mean differences, the first arm less the second, over the runs that both have; of "
        "validation scores, of their gains over no resampling.",
        *_seeds(found),
        "Wins, ties, losses and p (two-sided Wilcoxon signed-rank test) over the n configurations' "
        f"means on the {TESTS[found.judged]}; Holm: adjusted "
        f"over the {len(rows)} comparisons of this table.",
        _INTERVALS,
        *_extended(found),
        *_daggers(rows),
    ]
    if parts:
        notes.append(
            f"Held, on the {TESTS[found.judged]}: of a difference whose deciding interval leaves "
            "out 0, whether the confirming one does so on the same side (confirmed), has only the "
            "same sign, or is reversed."
        )
    return Table(
        name,
        f"{METRICS[metric]}: paired differences",
        ["Question", "Arm", "Against", *heads, *["Held"] * bool(parts)],
        rows,
        data,
        n_text=3,
        grouped=True,
        notes=notes,
    )


def _by_classifier_table(name: str, found: Found) -> Table:
    """Make the table of the headline comparisons by classifier."""
    frame = found.headlines
    blocks = names.in_order(frame["block"], _BLOCKS)
    whole, parts = blocks[0], blocks[1:]
    clfs = names.in_order(frame["clf"], [names.OVERALL, *names.CLASSIFIERS])
    rows: list[list[Cell]] = []
    for by, part in frame.groupby(["metric", "question", "arm", "against"], sort=False):
        metric, question, arm, against = by
        of = {(row["clf"], row["block"]): row for row in part.to_dict("records")}
        for test in found.tests:
            cells = [Cell(METRICS[metric]), Cell(_QUESTIONS[question][0])]
            cells += _arm_cells(found, arm, against) + [Cell(TESTS[test])] * (len(found.tests) > 1)
            for clf in clfs:
                if (clf, whole) not in of:
                    cells.append(Cell(NONE))
                    continue
                shown = format_estimate(of[clf, whole], test, 3, sign=True)
                beside = "; ".join(
                    format_number(of[clf, block][test], 3, sign=True) for block in parts
                )
                cells.append(Cell(shown.text, beside, shown.sort))
            rows.append(cells)
    n = frame[frame["block"] == whole].groupby("clf")["configurations"].max()
    heads = [
        f"{'All' if clf == names.OVERALL else names.CLASSIFIERS.get(clf, clf)} (n = {n[clf]})"
        for clf in clfs
    ]
    beside = "; beside them those of the deciding, then of the confirming seeds" if parts else ""
    notes = [
        f"Mean differences in score, the first arm less the second{beside}.",
        *_seeds(found),
        _INTERVALS,
        *_extended(found),
    ]
    left = ["Metric", "Question", "Arm", "Against", *["On the"] * (len(found.tests) > 1)]
    return Table(
        name,
        "Headline comparisons by classifier",
        [*left, *heads],
        rows,
        frame,
        n_text=len(left),
        grouped=True,
        notes=notes,
    )


def _grouped(data: pd.DataFrame, by: Sequence[str]) -> Iterator[dict[str, Row]]:
    """Yield for each row of a table its blocks by name, in the order of the frame."""
    rows: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in data.to_dict("records"):
        rows.setdefault(tuple(row[name] for name in by), {})[row["block"]] = row
    yield from rows.values()


def _seeds(found: Found) -> list[str]:
    """Return notes on which seeds each block is over."""
    notes = []
    for block in found.blocks:
        what = {DECIDED: "by which rules were compared", CONFIRMED: "which no decision has seen"}
        if not set(block.seeds).isdisjoint(DECIDING_SEEDS):  # a small budget, to try the code
            what[CONFIRMED] = "not all of which are new"
        if block.name in what:
            seeds = f"{count_noun(len(block.seeds), 'seed')} ({', '.join(map(str, block.seeds))})"
            notes.append(f"{_BLOCKS[block.name]}: {seeds}, {what[block.name]}.")
    return notes


def _arm_cells(found: Found, *arms: str) -> list[Cell]:
    return [Cell(found.selections[arm].title()) for arm in arms]


def _n_cell(row: Row) -> Cell:
    mark = _INCOMPLETE if row["runs"] < row["runs_planned"] else ""
    return Cell(f"{row['configurations']} ({row['runs']}){mark}", sort=row["runs"])


def _gain_cell(row: Row, name: str) -> Cell:
    return Cell(format_number(row[name], 3, sign=True), sort=row[name])


def _difference_cells(row: Row, found: Found) -> list[Cell]:
    estimates = [format_estimate(row, test, 3, sign=True) for test in found.tests]
    return [_gain_cell(row, "validation"), *estimates]


def _extended(found: Found) -> list[str]:
    return [EXTENDED] * (found.judged == "extended")


def _daggers(rows: Sequence[Sequence[Cell]]) -> list[str]:
    return [_DAGGER] * any(_INCOMPLETE in cell.text for row in rows for cell in row)
