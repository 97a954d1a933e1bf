"""The results in sentences, and what cannot be concluded from them."""

from __future__ import annotations

import numpy as np

from autosmote.reports import names
from autosmote.reports.names import FULL, METRICS, OVERALL
from autosmote.reports.statistics.significance import LEVEL, MIN_CONFIGURATIONS
from autosmote.reports.studies.summary import Summary
from autosmote.reports.study import Study
from autosmote.reports.verdicts import count_noun, join_words

CAVEATS = (
    "The triangles are not adjusted for the number of rivals: of 24 rivals that are in truth as "
    "good as AutoSMOTE, one would get a triangle by chance. Where that matters read the Holm "
    "column.",
    "The intervals say how far other seeds and other configurations of these datasets would move "
    "an average rank. They say nothing of other datasets: six are too few, and they were not drawn "
    "at random from any population.",
    "Configurations of one dataset share rows, so the tests, which take them as independent, are "
    "too sure of themselves.",
    "An average rank depends on who else is ranked, and hides by how much. Look at the scores and "
    "the median gains as well.",
    "Every sampler was tuned on a validation part with few minority rows. A gain there that is "
    "much larger than that on the test part is choice, not merit.",
)


def write_standing(summary: Summary, metric: str) -> list[str]:
    """Say what place AutoSMOTE has, on the test part and on the extended test."""
    texts = []
    for one, on in _on_tests(summary):
        row = one.get(metric, OVERALL, FULL)
        if not row["n"]:
            continue
        order = one.ordered(metric)
        place = order.index(FULL) + 1
        within = ""
        if not np.isnan(row["rank_low"]):
            within = f" (95% interval {row['rank_low']:.2f} to {row['rank_high']:.2f})"
        text = (
            f"{on}number {place} of {len(order)} with an average rank of {row['rank']:.2f}{within} "
            f"over {count_noun(row['n'], 'configuration')}"
        )
        if place > 1:
            best = one.get(metric, OVERALL, order[0])
            text += f", where {names.arm(order[0])} is first with {best['rank']:.2f}"
        texts.append(text)
    if not texts:
        return []
    printed = summary.get(metric, OVERALL, FULL)["paper_rank"]
    paper = "" if np.isnan(printed) else f"; the paper has {printed:.2f}"
    return [f"{METRICS[metric]}: AutoSMOTE is {'; '.join(texts)}{paper}."]


def write_tests(summary: Summary, metric: str) -> list[str]:
    """Say than whom AutoSMOTE is significantly better, what it gains, and what the paper has."""
    found = []
    for one, on in _on_tests(summary):
        row = one.get(metric, OVERALL, FULL)
        rivals = {arm: one.get(metric, OVERALL, arm) for arm in one.ordered(metric) if arm != FULL}
        if not rivals or row["n"] < MIN_CONFIGURATIONS:
            needed = f"a significance test needs {MIN_CONFIGURATIONS} configurations"
            found.append(f"{METRICS[metric]}: {on}{needed}.")
            continue
        better = sum(rival["better"] for rival in rivals.values())
        adjusted = sum(rival["p_holm"] < LEVEL for rival in rivals.values())
        not_better = [names.arm(arm) for arm, rival in rivals.items() if not rival["better"]]
        found.append(
            f"{METRICS[metric]}: {on}AutoSMOTE is significantly better than {better} of "
            f"{len(rivals)}, and than {adjusted} after Holm's adjustment"
            + (f"; not than {join_words(not_better)}." if not_better else ".")
        )
    row = summary.get(metric, OVERALL, FULL)
    ranks = [summary.get(metric, OVERALL, arm)["validation_rank"] for arm in summary.arms]
    gains = [f"{row['test_gain']:+.3f} on the test part"]
    if summary.extended is not None:
        extended = summary.extended.get(metric, OVERALL, FULL)
        gains.append(f"{extended['test_gain']:+.3f} on the extended test")
    found.append(
        f"{METRICS[metric]}: by the validation score AutoSMOTE is number "
        f"{1 + sum(other < row['validation_rank'] for other in ranks)} "
        f"(average rank {row['validation_rank']:.2f}): over no resampling it gains "
        f"{row['validation_gain']:+.3f} there, {join_words(gains)}."
    )
    value, n = summary.spearman(metric, OVERALL)
    if n >= 3:
        found.append(
            f"{METRICS[metric]}: the overall ranks of {n} arms correlate {value:.2f} (Spearman) "
            "with the paper's."
        )
    return found


def _on_tests(summary: Summary) -> list[tuple[Summary, str]]:
    """Return the summaries of both tests with the words for them; none where there is but one."""
    if summary.extended is None:
        return [(summary, "")]
    return [(summary, "on the test part "), (summary.extended, "on the extended test ")]


def _scope(study: Study) -> str:
    """Say what was run: the paper's numbers are over six datasets, three ratios, five seeds."""
    runs = study.runs
    datasets = names.in_order(runs["dataset"], names.DATASETS)
    irs = dict.fromkeys(names.ratio(ir) for ir in sorted(runs["ir"].unique()))
    clfs = names.in_order(runs["clf"], names.CLASSIFIERS)
    return (
        f"Run were {join_words([names.dataset(name) for name in datasets])}, imbalance ratio "
        f"{join_words(list(irs))}, "
        f"{join_words([names.CLASSIFIERS.get(clf, clf) for clf in clfs])}, "
        f"{count_noun(runs['seed'].nunique(), 'seed')}; the paper's Tables 2 and 3 are over six "
        "datasets, ratios 20, 50 and 100, four classifiers and five seeds."
    )


def write_doubts(study: Study, if_missing: str) -> list[str]:
    """Say what of these records makes the figures weaker than they look.

    `if_missing` says what is compared where a cell has no score.
    """
    found = [_scope(study)]
    if study.missing:
        found.append(
            f"Preliminary: {len(study.missing)} of {len(study.runs)} planned cells have no score. "
            f"{if_missing}"
        )
    devices = sorted(study.runs["search.device"].dropna().unique())
    if len(devices) > 1:
        found.append(f"The searches ran on different devices: {', '.join(devices)}.")
    n_imputed = int(study.runs["imputed"].fillna(False).sum())
    if n_imputed:
        found.append(
            f"{n_imputed} of {len(study.runs)} runs are imputed: the sampler failed and counts as "
            "no resampling."
        )
    return found
