"""Average ranks over families of datasets, with what a critical-difference diagram needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd

from autosmote.reports.statistics.families import (
    MIN_FAMILIES,
    estimate_over_families,
    group_means,
)
from autosmote.reports.statistics.ranks import Floats, mean_of_known, rank
from autosmote.reports.statistics.significance import (
    LEVEL,
    find_cliques,
    holm,
    signed_rank_p,
)
from autosmote.reports.studies.many.arms import FORMS, SUBJECT
from autosmote.reports.studies.many.gains import Many


@dataclass(frozen=True)
class Ranking:
    """Average ranks of the arms of one metric that are compared in a form, the best first.

    A dataset's rank is the mean over its classifiers, a family's that over its datasets.

    Attributes
    ----------
    metric, form : str
    arms : list of str
    averages, low, high : ndarray of shape (A,)
        Over the families, with 95% intervals.
    families : int
    cliques : list of (first, last)
        Of `find_cliques`: neighbours without a significant difference among them, by signed-rank
        tests of the families' mean scores.
    critical_difference : float
        Nemenyi's, of average ranks of so many arms over so many families; nan for few of them.
    reference : str or None
        The arm that each other one is tested against.
    p_holm : list of (float or None)
        Of these tests, two-sided and adjusted over the arms; None for the reference.
    scores : ndarray of shape (F, A)
        Mean scores of the families.
    """

    metric: str
    form: str
    arms: list[str]
    averages: Floats
    low: Floats
    high: Floats
    families: int
    cliques: list[tuple[int, int]]
    critical_difference: float
    reference: str | None
    p_holm: list[float | None]
    scores: Floats


def compute_nemenyi(n_arms: int, n_families: int, level: float = LEVEL) -> float:
    """Return Nemenyi's critical difference of average ranks (Demsar, 2006)."""
    from scipy.stats import studentized_range

    q = studentized_range.ppf(1 - level, n_arms, np.inf) / sqrt(2)
    return float(q * sqrt(n_arms * (n_arms + 1) / (6 * n_families)))


def rank_arms(many: Many, form: str) -> Ranking | None:
    """Rank the arms that are compared in a form and have any run; None for fewer than two.

    Only runs that all of them have count.
    """
    arms = many.arms.of_form(form, many.cells.arms)
    arms = [arm for arm in arms if not np.isnan(many.scores(arm)).all()]
    if len(arms) < 2:
        return None
    part = Many(many.cells.only(arms), many.arms, many.listed)
    part = part.where([bool(any(of_seed)) for of_seed in part.cells.shared()])
    cells = part.cells
    if not cells.configurations:
        return None
    scores = cells.means()  # (C, A)
    of_dataset = group_means(rank(scores), cells.dataset_of)
    found = estimate_over_families(of_dataset, part.families)
    order = np.argsort(found.mean, kind="stable")
    arms = [arms[i] for i in order]
    family_scores = group_means(group_means(scores, cells.dataset_of), part.families)[:, order]
    n_families = len(family_scores)
    reference = many.arms.find(SUBJECT, form)
    reference = reference if reference in arms else None
    enough = n_families >= MIN_FAMILIES
    return Ranking(
        many.cells.metric,
        form,
        arms,
        found.mean[order],
        np.clip(found.low[order], 1, len(arms)),
        np.clip(found.high[order], 1, len(arms)),
        n_families,
        find_cliques(family_scores) if enough else [],
        compute_nemenyi(len(arms), n_families) if enough else np.nan,
        reference,
        _test(family_scores, arms, reference),
        family_scores,
    )


def _test(scores: Floats, arms: list[str], reference: str | None) -> list[float | None]:
    """Test each arm's mean scores of the families against those of the reference."""
    if reference is None:
        return [None] * len(arms)
    own = scores[:, arms.index(reference)]
    p: list[float | None] = []
    for i, arm in enumerate(arms):
        known = ~np.isnan(own) & ~np.isnan(scores[:, i])
        others = scores[known, i]
        p.append(None if arm == reference else signed_rank_p(own[known], others, "two-sided"))
    return holm(p)


def list_rankings(many_of: Mapping[str, Many]) -> list[Ranking]:
    """Return the ranking of each metric and form."""
    found = [rank_arms(many, form) for many in many_of.values() for form in FORMS]
    return [ranking for ranking in found if ranking is not None]


def tabulate(rankings: list[Ranking], many_of: Mapping[str, Many]) -> pd.DataFrame:
    """Return rankings as rows.

    Returns
    -------
    DataFrame
        metric, form, arm, families, rank with its 95% interval, score: mean over the families;
        p_holm: against the class-aware search; critical_difference; cliques: numbers of the groups
        without a significant difference that the arm is in, joined by a space.
    """
    rows = []
    for ranking in rankings:
        many = many_of[ranking.metric]
        for i, arm in enumerate(ranking.arms):
            inside = [n for n, (a, b) in enumerate(ranking.cliques, start=1) if a <= i <= b]
            score = many.by_dataset(many.scores(arm)[:, None])
            rows.append(
                {
                    **{"metric": ranking.metric, "form": ranking.form, "arm": arm},
                    "families": ranking.families,
                    "rank": ranking.averages[i],
                    "rank_low": ranking.low[i],
                    "rank_high": ranking.high[i],
                    "score": mean_of_known(group_means(score, many.families)),
                    "p_holm": ranking.p_holm[i],
                    "critical_difference": ranking.critical_difference,
                    "cliques": " ".join(map(str, inside)),
                }
            )
    return pd.DataFrame(rows)
