"""Tables of the experiments on many datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from autosmote.reports import names
from autosmote.reports.names import METRICS, OVERALL
from autosmote.reports.render.table import NONE, Cell, Table, format_estimate, format_number
from autosmote.reports.statistics.families import MIN_FAMILIES
from autosmote.reports.studies.many.arms import CLASSIFIERS, QUESTIONS
from autosmote.reports.studies.many.gains import FALLBACK, OVER_NONE, OVER_SMOTE
from autosmote.reports.studies.many.ranking import tabulate
from autosmote.reports.studies.many.rule_table import make_rule_table
from autosmote.reports.studies.many.study import Found
from autosmote.reports.studies.many.traits import CLASSIFIER, TRAITS
from autosmote.reports.tables import p_cell
from autosmote.reports.verdicts import ABOVE, BELOW, OPEN, TOO_FEW, locate

Row = Mapping[str, Any]

FAMILIES = (
    "Means over families of datasets, each of which counts alike, of the means over their "
    "datasets, of these over their runs."
)
INTERVALS = (
    f"[95%]: bootstrap over the families; none for fewer than {MIN_FAMILIES} of them. n: families."
)
VERDICTS = {ABOVE: "supports", BELOW: "refutes", OPEN: "open", TOO_FEW: "too few families"}
"""What an interval says of a claim that a difference is above 0."""
_SAME_ROWS = (
    "All arms were trained on the training and validation rows together; where a sampler failed, "
    "the classifier without resampling counts."
)


def verdict(row: Row, name: str = "gain") -> str:
    """Return where an estimate's interval lies: `ABOVE`, `BELOW`, `OPEN` or `TOO_FEW`."""
    ends = {f"{name}_{end}": row[f"{name}_{end}"] for end in ("low", "high")}
    return locate({"judged": name, **ends})


def make_tables(found: Found) -> Iterator[Table]:
    """Make all tables but those of costs and failures."""
    name = found.study.experiment
    if found.gains.empty:
        return
    yield _gains_table(f"{name}_gains", found, OVER_NONE)
    if (found.gains["what"] == OVER_SMOTE).any():
        yield _gains_table(f"{name}_over_smote", found, OVER_SMOTE)
    if len(found.claims):
        yield _claims_table(f"{name}_claims", found)
        yield _families_table(f"{name}_families", found)
    if found.rankings:
        yield _ranks_table(f"{name}_ranks", found)
    if len(found.by_trait):
        yield _traits_table(f"{name}_when", found)
    if len(found.judged):
        yield make_rule_table(f"{name}_rule", found, [FAMILIES, INTERVALS])


def _gains_table(name: str, found: Found, what: str) -> Table:
    """Make the table of each arm's differences, in all and by classifier."""
    frame = found.gains[found.gains["what"] == what]
    fallback = found.gains[(found.gains["what"] == FALLBACK) & (found.gains["group"] == OVERALL)]
    of_fallback = {(row["metric"], row["arm"]): row for row in fallback.to_dict("records")}
    has_fallback = what == OVER_NONE
    groups = list(dict.fromkeys(frame["group"]))
    rows: list[list[Cell]] = []
    of_metric = []
    for (metric, arm), part in frame.groupby(["metric", "arm"], sort=False):
        of = {row["group"]: row for row in part.to_dict("records")}
        overall = of[OVERALL]
        cells = [
            *(Cell(METRICS[str(metric)]), Cell(found.arms.title(str(arm)))),
            format_estimate(overall, "classifiers", 0),
            _gain(overall),
        ]
        if has_fallback:
            cells.append(_gain(of_fallback[str(metric), str(arm)]))
        cells += [_gain(of[group]) if group in of else Cell(NONE) for group in groups[1:]]
        rows.append(cells)
        of_metric.append(metric)
    n = frame[frame["group"] == OVERALL]["families"].max()
    notes = [FAMILIES, INTERVALS, _SAME_ROWS]
    notes.append("Trained: classifiers that one run trains, in the search and by its rule.")
    if has_fallback:
        notes.append(
            "With the fallback: every sampler may return the classifier without resampling, where "
            "that is at least as good over the folds, as AutoSMOTE may; but class weights and the "
            "tuned threshold."
        )
    captions = {
        OVER_NONE: "Mean gain in score over no resampling",
        OVER_SMOTE: "Mean gain in score over SMOTE's search, best set over best set and vote over "
        "vote",
    }
    return Table(
        name,
        f"{captions[what]}, {found.half} half",
        [
            *("Metric", "Arm", "Trained", f"All [95%] (n = {n})"),
            *["With the fallback [95%]"] * has_fallback,
            *(f"{CLASSIFIERS.get(group, group)} [95%]" for group in groups[1:]),
        ],
        rows,
        pd.concat([frame, fallback]) if has_fallback else frame,
        n_text=2,
        groups=of_metric,
        grouped=True,
        notes=notes,
    )


def _gain(row: Row) -> Cell:
    return format_estimate(row, "gain", 3, sign=True)


def _claims_table(name: str, found: Found) -> Table:
    """Make the table of the claims: differences, families won and lost, verdicts."""
    overall = found.claims[found.claims["group"] == OVERALL]
    rows = []
    for row in overall.to_dict("records"):
        pair = (found.arms.title(row[side]) for side in ("arm", "against"))
        trained = "/".join(
            format_number(row[name], 0) for name in ("classifiers", "classifiers_against")
        )
        rows.append(
            [
                Cell(METRICS[row["metric"]]),
                Cell(" less ".join(pair)),
                Cell(VERDICTS[verdict(row)]),
                Cell(trained, sort=row["classifiers"]),
                Cell(f"{row['families']} ({row['datasets']}, {row['runs']})", sort=row["families"]),
                _gain(row),
                Cell(f"{row['wins']}/{row['ties']}/{row['losses']}", sort=row["wins"]),
            ]
        )
    claims = [f"{QUESTIONS[one][0]}." for one in dict.fromkeys(overall["question"])]
    return Table(
        name,
        f"Claims, {found.half} half",
        [
            *("Metric", "Difference", "Interval", "Trained", "n (datasets, runs)"),
            *("Mean [95%]", "Wins/ties/losses"),
        ],
        rows,
        found.claims,
        n_text=3,
        groups=list(overall["metric"]),
        grouped=True,
        notes=[
            *(FAMILIES, INTERVALS),
            "Interval: supports, above 0; refutes, below 0; open, it holds 0. Trained: classifiers "
            "of a run of each. Wins, ties and losses: families.",
            "The claims, in the order of the rows: " + " ".join(claims),
        ],
    )


def _families_table(name: str, found: Found) -> Table:
    """Make the table of the claims' differences in each family."""
    frame = found.by_family
    columns = list(dict.fromkeys(zip(frame["question"], frame["form"], strict=True)))
    titles = {
        (one.question, one.form): " less ".join(map(found.arms.title, (one.arm, one.against)))
        for one in found.contrasts
    }
    rows = []
    groups = []
    for (metric, family, datasets), part in frame.groupby(
        ["metric", "family", "datasets"], sort=False
    ):
        of = {(row["question"], row["form"]): row["gain"] for row in part.to_dict("records")}
        rows.append(
            [
                *(Cell(METRICS[str(metric)]), Cell(names.dataset(str(family)))),
                Cell(str(datasets)),
                *(Cell(format_number(of[one], 3, sign=True), sort=of[one]) for one in columns),
            ]
        )
        groups.append(metric)
    header = ["Metric", "Family", "Datasets", *(titles[one] for one in columns)]
    return Table(
        name,
        f"Differences by family, {found.half} half",
        header,
        rows,
        frame,
        n_text=2,
        groups=groups,
        grouped=True,
        notes=["Means over the datasets of a family, of these over their runs."],
    )


def _ranks_table(name: str, found: Found) -> Table:
    """Make the table of average ranks and of their tests."""
    frame = tabulate(found.rankings, found.many_of)
    rows = [
        [
            *(Cell(METRICS[row["metric"]]), Cell(row["form"]), Cell(found.arms.title(row["arm"]))),
            format_estimate(row, "rank", 2),
            Cell(format_number(row["score"], 3), sort=row["score"]),
            Cell(NONE) if row["arm"] == ranking.reference else p_cell(row, "p_holm"),
            Cell(row["cliques"] or NONE),
        ]
        for ranking in found.rankings
        for row in frame[
            (frame["metric"] == ranking.metric) & (frame["form"] == ranking.form)
        ].to_dict("records")
    ]
    sizes = "; ".join(
        f"{METRICS[one.metric]}, {one.form}: {len(one.arms)} arms, n = {one.families}, "
        f"critical difference {format_number(one.critical_difference, 2)}"
        for one in found.rankings
    )
    return Table(
        name,
        f"Average ranks over families, {found.half} half",
        ["Metric", "Form", "Arm", "Rank [95%]", "Score", "Holm p", "Groups"],
        rows,
        frame,
        n_text=3,
        groups=[(row[0].text, row[1].text) for row in rows],
        notes=[
            "Ranks within a dataset and classifier by the mean over the seeds, 1 is best; averaged "
            "over classifiers, datasets and families.",
            "Form: arms that have a best set and a vote are ranked in either, the others in both.",
            "Holm p: signed-rank tests of the families' mean scores against the class-aware "
            "search, two-sided. Groups: arms with a number in common do not differ significantly.",
            f"Nemenyi's critical difference of two average ranks, p < 0.05: {sizes}.",
            INTERVALS,
        ],
    )


def _traits_table(name: str, found: Found) -> Table:
    """Make the table of gains against what a dataset is like."""
    frame = found.by_trait
    columns = list(dict.fromkeys(zip(frame["arm"], frame["against"], strict=True)))
    rows, groups = [], []
    for (metric, trait, label), part in frame.groupby(["metric", "trait", "bin"], sort=False):
        of = {(row["arm"], row["against"]): row for row in part.to_dict("records")}
        first = next(iter(of.values()))
        what = CLASSIFIER if trait == CLASSIFIER else TRAITS[str(trait)].what
        rows.append(
            [
                *(Cell(METRICS[str(metric)]), Cell(f"{what[0].upper()}{what[1:]}")),
                *(Cell(str(label)), Cell(f"{first['families']} ({first['datasets']})")),
                *(_gain(of[one]) if one in of else Cell(NONE) for one in columns),
            ]
        )
        groups.append((metric, trait))
    return Table(
        name,
        f"When what pays, {found.half} half",
        [
            *("Metric", "Trait", "Bin", "n (datasets)"),
            *(" less ".join(map(found.arms.title, pair)) for pair in columns),
        ],
        rows,
        frame,
        n_text=3,
        groups=groups,
        notes=[
            *(FAMILIES, INTERVALS),
            "Bins hold their lower end. Overlap: share of the minority rows whose nearest other "
            "row is of the majority. Datasets outside the list have no traits.",
        ],
    )
