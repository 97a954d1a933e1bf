"""The results in sentences, and what cannot be concluded from them."""

from __future__ import annotations

import numpy as np

from autosmote.reports import names
from autosmote.reports.cells import Study
from autosmote.reports.names import FULL, METRICS, OVERALL
from autosmote.reports.statistics.significance import LEVEL, MIN_CONFIGURATIONS
from autosmote.reports.studies.summary import Summary

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


def write_findings(study: Study, summary: Summary) -> list[str]:
    """Say where AutoSMOTE stands, against whom it wins, and how that compares with the paper."""
    return [
        sentence
        for metric in summary.metrics
        if summary.get(metric, OVERALL, FULL)["n"]
        for sentence in _of_metric(summary, metric)
    ] + write_doubts(
        study, "Samplers are compared on the seeds that all of a configuration's samplers have."
    )


def _of_metric(summary: Summary, metric: str) -> list[str]:
    order = summary.ordered(metric)
    row = summary.get(metric, OVERALL, FULL)
    place = order.index(FULL) + 1
    within = ""
    if not np.isnan(row["rank_low"]):
        within = f" (95% interval {row['rank_low']:.2f} to {row['rank_high']:.2f})"
    printed = row["paper_rank"]
    paper = "" if np.isnan(printed) else f"; the paper has {printed:.2f}"
    first = (
        f"{METRICS[metric]}: AutoSMOTE is number {place} of {len(order)} with an average rank of "
        f"{row['rank']:.2f}{within} over {count_noun(row['n'], 'configuration')}{paper}."
    )
    if place > 1:
        best = summary.get(metric, OVERALL, order[0])
        first += f" {names.arm(order[0])} is first with {best['rank']:.2f}."
    rivals = [(arm, summary.get(metric, OVERALL, arm)) for arm in order if arm != FULL]
    if not rivals or row["n"] < MIN_CONFIGURATIONS:
        second = f"A test needs {MIN_CONFIGURATIONS} configurations."
    else:
        better = [names.arm(arm) for arm, rival in rivals if rival["better"]]
        adjusted = sum(rival["p_holm"] < LEVEL for _, rival in rivals)
        second = (
            f"It is significantly better than {len(better)} of {len(rivals)}, and than {adjusted} "
            "after Holm's adjustment"
        )
        not_better = [names.arm(arm) for arm, rival in rivals if not rival["better"]]
        second += f"; not than {join_words(not_better)}." if not_better else "."
    validation = [summary.get(metric, OVERALL, arm)["validation_rank"] for arm in order]
    third = (
        "By the validation score it is number "
        f"{1 + sum(other < row['validation_rank'] for other in validation)} "
        f"(average rank {row['validation_rank']:.2f}): over no resampling it gains "
        f"{row['validation_gain']:+.3f} there and {row['test_gain']:+.3f} on the test part."
    )
    found = [first, second, third]
    value, n = summary.spearman(metric, OVERALL)
    if n >= 3:
        found.append(
            f"Over {n} of them the overall ranks correlate {value:.2f} (Spearman) with the paper's."
        )
    return found


def join_words(texts: list[str]) -> str:
    """Return "a, b and c"; of more than eight the first, and how many more."""
    if len(texts) > 8:
        return f"{', '.join(texts[:8])} and {len(texts) - 8} more"
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))


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


def count_noun(n: int, what: str) -> str:
    """Return "1 seed" or "2 seeds"."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


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
