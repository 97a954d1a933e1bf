"""Findings of the experiments on the class-aware search, in sentences."""

from __future__ import annotations

import numpy as np

from autosmote.reports import names
from autosmote.reports.findings import write_doubts
from autosmote.reports.names import METRICS, OVERALL
from autosmote.reports.studies.class_aware.study import (
    BEST,
    CLAIMS,
    GAINS,
    RULES,
    SUBJECT,
    Found,
)
from autosmote.reports.studies.selections import CONFIRMED, DECIDED
from autosmote.reports.verdicts import (
    ABOVE,
    BELOW,
    OPEN,
    TESTS,
    TOO_FEW,
    count_noun,
    join_words,
    locate,
    phrase_difference,
)

_CLAIMED = {
    "smote": "gains over SMOTE's seeds and ratios",
    "svmsmote": "gains over SVMSMOTE's seeds and ratios",
    "autosmote": "gains over the paper's search",
    "random": "gains over random search in the paper's space",
    "class_aware random": "gains by learning, over random draws of its own numbers",
    "bagging weighted": "gains over bagging with class weights",
    "bagging balanced": "gains over balanced bagging",
    "threshold": "gains over one classifier with a tuned threshold",
    "class_aware": "gains over the class-aware search from its own start",
    "class_aware 60": "gains over the class-aware search from its own start with 60 classifiers",
    "smote 60": "gains over SMOTE's seeds and ratios with 60 classifiers",
    "none": "gains over the classifier without synthetic rows on as many rows",
}
"""What is claimed of the class-aware search, by rival."""
_SEEDS = {DECIDED: "deciding seeds", CONFIRMED: "confirming seeds"}
_SAID = {
    ABOVE: {DECIDED: "holds on the deciding seeds", CONFIRMED: "confirmed"},
    BELOW: {DECIDED: "does not hold: it is worse", CONFIRMED: "contradicted"},
    OPEN: dict.fromkeys((DECIDED, CONFIRMED), "no difference is shown"),
    TOO_FEW: dict.fromkeys((DECIDED, CONFIRMED), "too few configurations to say"),
}


def write_findings(found: Found) -> list[str]:
    """Say of each claim whether it holds, with its sample; what was best; and the doubts."""
    texts = []
    if len(found.differences):
        texts = [*_write_best(found), *_write_rules(found), *_write_claims(found)]
    return texts + write_doubts(found.study, "Arms are compared on the runs that both have.")


def _write_best(found: Found) -> list[str]:
    """Say which arm of the class-aware search has the largest gain on the deciding seeds."""
    frame = found.of(GAINS)
    of = frame[
        (frame["group"] == OVERALL)
        & (frame["block"] == DECIDED)
        & frame["source"].str.startswith(SUBJECT)
    ].dropna(subset=[found.judged])
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


def _write_rules(found: Found) -> list[str]:
    """Say what each vote adds to whom, so that it is not taken for a merit of one source."""
    frame = found.of(RULES)
    frame = frame[(frame["group"] == OVERALL) & (frame["reward"] == BEST.reward)]
    frame = frame.dropna(subset=[found.judged])
    texts = []
    for (metric, rule, block), part in frame.groupby(["metric", "rule", "block"], sort=False):
        parts = [
            f"{phrase_difference(row, found.judged)} to {names.arm(row['source'])}"
            for row in part.to_dict("records")
        ]
        n = count_noun(part["configurations"].max(), "configuration")
        texts.append(
            f"{METRICS[metric]}: rule {rule} with reward {BEST.reward} adds to the best set of the "
            f"same source {join_words(parts)} on the {TESTS[found.judged]}, over {n} of the "
            f"{_SEEDS[block]}."
        )
    return texts


def _write_claims(found: Found) -> list[str]:
    """Say of each claim on the class-aware search whether it holds on its seeds."""
    frame = found.of(CLAIMS)
    texts = []
    for row in frame[frame["group"] == OVERALL].to_dict("records"):
        against = found.selections[row["against"]]
        said = _SAID[locate({**row, "judged": found.judged})][row["block"]]
        name = names.arm(row["source"])
        low, high = (row[f"{found.judged}_{end}"] for end in ("low", "high"))
        within = "" if np.isnan(low) else f" (95% interval {low:+.3f} to {high:+.3f})"
        texts.append(
            f"{METRICS[row['metric']]}: the {name[:1].lower()}{name[1:]} by rule {row['rule']} "
            f"with reward {row['reward']} {_CLAIMED[against.source]}: {said}, "
            f"{row[found.judged]:+.3f}{within} on the {TESTS[found.judged]} over "
            f"{count_noun(row['configurations'], 'configuration')} and "
            f"{count_noun(row['runs'], 'run')}."
        )
    return texts
