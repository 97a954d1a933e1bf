"""Findings of the experiment on choosing among sample sets, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autosmote.reports import names
from autosmote.reports.findings import write_doubts
from autosmote.reports.names import FULL, METRICS
from autosmote.reports.statistics.paired import Means
from autosmote.reports.statistics.significance import LEVEL
from autosmote.reports.studies.selection.gains import Found
from autosmote.reports.studies.selection.questions import (
    ALL,
    CONFIRMATION,
    CONFIRMED,
    DECIDED,
    Selection,
    Selections,
)
from autosmote.reports.verdicts import (
    ABOVE,
    BELOW,
    OPEN,
    TESTS,
    TOO_FEW,
    count_noun,
    join_words,
    locate,
)

Seeds = Mapping[str, Sequence[int]]
"""Of each block."""
_LEADS = {
    ("rule", FULL): "what it adds to AutoSMOTE's best sample set",
    ("rule", "smote"): "what it adds to SMOTE's, and so belongs to the rule",
    ("learning", FULL): "what learning adds to random search in the same space",
    ("space", "random"): "what the search space adds to SMOTE",
    ("rows", FULL): "against the classifier without synthetic rows on as many rows",
}
_SAID = {
    ABOVE: "above 0",
    BELOW: "below 0",
    OPEN: "no difference is shown",
    TOO_FEW: "too few configurations",
}


def write_findings(found: Found) -> list[str]:
    """Say how many rules were tried, what the chosen one keeps, and what also helps SMOTE."""
    seeds = {block.name: block.seeds for block in found.blocks}
    texts = [*_count(found.tried), *_choice(found.chosen, seeds, TESTS[found.judged])]
    for metric in names.in_order(found.arms["metric"], METRICS):
        arms, gains, headlines = (
            frame[frame["metric"] == metric] if len(frame) else frame
            for frame in (found.arms, found.gains, found.headlines)
        )
        texts += [
            f"{METRICS[metric]}: {text}"
            for text in (
                *_optimism(arms, found.blocks[0].name, found.tests),
                *_headlines(metric, headlines, seeds, found),
                *_held(gains),
            )
        ]
    return texts + write_doubts(found.study, "Arms are compared on the runs that both have.")


def _count(tried: Sequence[Selection]) -> list[str]:
    if not tried:
        return []
    rewards: dict[str, int] = {}
    for what in tried:
        rewards[what.reward] = rewards.get(what.reward, 0) + 1
    split = join_words([f"{n} with reward {reward}" for reward, n in rewards.items()])
    return [f"Tried with AutoSMOTE: {count_noun(len(tried), 'rule')} ({split})."]


def _choice(chosen: Sequence[Selection], seeds: Seeds, test: str) -> list[str]:
    if DECIDED not in seeds or not chosen:
        return []
    rest = f"the experiment {CONFIRMATION} looks where that had no part"
    if CONFIRMED in seeds:
        rest = f"{_seeds(seeds[CONFIRMED])} had no part in that"
    return [
        f"By the mean score on the {test}, on {_seeds(seeds[DECIDED])}, over all metrics, the best "
        f"of them is {_rule(chosen[0])}; {rest}."
    ]


def _optimism(arms: pd.DataFrame, block: str, tests: Sequence[str]) -> list[str]:
    """Say what the paper's choice gains on the validation part, and on the tests."""
    rows = arms[(arms["block"] == block) & (arms["arm"] == FULL)].dropna(subset="test_gain")
    return [
        f"AutoSMOTE's best sample set gains {row['validation_gain']:+.3f} over no resampling on "
        "the validation part, "
        + join_words([f"{_estimate(row, f'{test}_gain')} on the {TESTS[test]}" for test in tests])
        + f", over {_sample(row)}."
        for row in rows.to_dict("records")
    ]


def _headlines(metric: str, frame: pd.DataFrame, seeds: Seeds, found: Found) -> list[str]:
    """Write a sentence for each headline comparison."""
    if frame.empty:
        return []
    known, sentences = found.selections, []
    overall = frame[frame["clf"] == names.OVERALL]
    for _, part in overall.groupby(["question", "arm", "against"], sort=False):
        of = {row["block"]: row for row in part.to_dict("records")}
        first = next(iter(of.values()))
        what = known[first["arm"]]
        texts = {
            name: f"{_estimate(row, found.judged)} over {_sample(row)} "
            f"({_SAID[locate({**row, 'judged': found.judged})]})"
            for name, row in of.items()
        }
        sentences.append(f"{_rule(what)}: {_lead(first, known)}: {_by_block(texts, seeds)}.")
        more = found.beyond_smote.get((metric, what._replace(source=FULL)), {})
        if first["question"] == "rule" and what.source == "smote" and more:
            texts = {name: _of_means(means) for name, means in more.items()}
            sentences.append(
                f"{_rule(what)}: what it adds to AutoSMOTE beyond what it adds "
                f"to SMOTE: {_by_block(texts, seeds)}."
            )
    return sentences


def _lead(row: Mapping[str, Any], known: Selections) -> str:
    source = known[row["arm"]].source
    rival = names.arm(known[row["against"]].source)
    default = f"{names.arm(source)} against {rival} by the same rule"
    return _LEADS.get((row["question"], source), default)


def _held(frame: pd.DataFrame) -> list[str]:
    """Say how many differences are significant, and how many the confirming seeds show again."""
    if frame.empty:
        return []
    found = []
    whole = frame[frame["block"] == frame["block"].iloc[0]]
    n_tested = int(whole["p_holm"].notna().sum())
    if n_tested:
        n_significant = int((whole["p_holm"].astype(float) < LEVEL).sum())
        found.append(
            f"{n_significant} of {count_noun(n_tested, 'comparison')} are "
            f"significant after Holm's adjustment (p < {LEVEL:g})."
        )
    seen = frame.loc[frame["block"] == CONFIRMED, "held"].value_counts()
    n_found = int(seen.drop(["", "not known"], errors="ignore").sum())
    if n_found:
        found.append(
            f"{n_found} of {len(whole)} differences leave out 0 on the deciding "
            f"seeds; on the confirming ones {seen.get('confirmed', 0)} of these do so again, "
            f"{seen.get('same sign', 0)} have only the same sign, and {seen.get('reversed', 0)} "
            "are reversed."
        )
    return found


def _rule(what: Selection) -> str:
    reward = "" if what.reward == Selection(FULL).reward else f" with reward {what.reward}"
    return f"rule {what.rule}{reward}"


def _by_block(texts: Mapping[str, str], seeds: Seeds) -> str:
    """Join texts of the deciding and confirming seeds; all seeds together are in the tables."""
    return ", ".join(
        f"{text} on {_seeds(seeds[name])}" for name, text in texts.items() if name != ALL
    )


def _estimate(row: Mapping[str, Any], name: str) -> str:
    return _text(row[name], row[f"{name}_low"], row[f"{name}_high"])


def _sample(row: Mapping[str, Any]) -> str:
    counts = (count_noun(row[f"{what}s"], what) for what in ("configuration", "run"))
    return " and ".join(counts)


def _of_means(means: Means) -> str:
    return _text(float(means.mean[0]), float(means.low[0]), float(means.high[0]))


def _text(mean: float, low: float, high: float) -> str:
    if np.isnan(mean):
        return "nothing known"
    return f"{mean:+.3f}" + ("" if np.isnan(low) else f" (95% interval {low:+.3f} to {high:+.3f})")


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed{'s' * (len(seeds) > 1)} {join_words([str(seed) for seed in seeds])}"
