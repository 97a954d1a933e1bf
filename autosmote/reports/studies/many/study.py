"""All results of an experiment on many datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from autosmote.config.many import DECISION, read_many
from autosmote.errors import UserError
from autosmote.reports.cells import Cells, make_cells
from autosmote.reports.studies.budgets import count_by_arm
from autosmote.reports.studies.many.arms import (
    DECIDING,
    FORMS,
    HALF_OF,
    VOTE,
    Arms,
    Contrast,
    list_contrasts,
)
from autosmote.reports.studies.many.gains import (
    Many,
    compute_by_family,
    compute_contrasts,
    compute_gains,
    read_runs,
)
from autosmote.reports.studies.many.ranking import Ranking, list_rankings
from autosmote.reports.studies.many.rule import Rule, fit_rule, judge_rule, make_cases
from autosmote.reports.studies.many.traits import compute_by_trait
from autosmote.reports.studies.selections import read_selections
from autosmote.reports.study import Study, load_study


@dataclass(frozen=True)
class Found:
    """Results of one half.

    Attributes
    ----------
    study : Study
    half : str
    arms : Arms
    many_of : dict
        Runs by metric.
    contrasts : list of Contrast
    gains, claims, by_family, by_trait : DataFrame
        Of `compute_gains`, `compute_contrasts`, `compute_by_family`, and `compute_by_trait` in each
        form.
    rankings : list of Ranking
        What critical-difference diagrams are drawn of.
    rule : Rule or None
        Fitted on the decision half; None where that has no records of the budget, or too few arms.
    judged : DataFrame
        Of `judge_rule`, on this half; empty without a rule.
    """

    study: Study
    half: str
    arms: Arms
    many_of: Mapping[str, Many]
    contrasts: list[Contrast]
    gains: pd.DataFrame
    claims: pd.DataFrame
    by_family: pd.DataFrame
    by_trait: pd.DataFrame
    rankings: list[Ranking]
    rule: Rule | None
    judged: pd.DataFrame

    def by_trait_of_vote(self) -> pd.DataFrame:
        """Return `by_trait` of the vote alone, and of questions whose arms have one form."""
        frame = self.by_trait
        votes = {one.question for one in self.contrasts if one.form == VOTE}
        other = (frame["form"] != VOTE) & frame["question"].isin(votes)
        return frame[~other]


def study_many(study: Study, cells_of: Mapping[str, Cells]) -> Found:
    """Compute all results of a half; the rule is that of the decision half."""
    half = HALF_OF[study.experiment]
    many_of = _read(study, cells_of)
    arms = next(iter(many_of.values())).arms
    contrasts, trained = list_contrasts(arms), count_by_arm(study)
    rule = _fit(many_of) if half == DECISION else _rule_of_decision_half(study)
    return Found(
        study,
        half,
        arms,
        many_of,
        contrasts,
        compute_gains(many_of, trained),
        compute_contrasts(many_of, contrasts, trained),
        compute_by_family(many_of, contrasts),
        pd.concat([compute_by_trait(many_of, contrasts, form) for form in FORMS]).drop_duplicates(
            ignore_index=True
        ),
        list_rankings(many_of),
        rule,
        _judge(rule, many_of),
    )


def _read(study: Study, cells_of: Mapping[str, Cells]) -> dict[str, Many]:
    arms = Arms(read_selections(study))
    listed = {one.dataset: one for one in read_many()}
    return {metric: read_runs(cells, arms, listed) for metric, cells in cells_of.items()}


def _fit(many_of: Mapping[str, Many]) -> Rule | None:
    cases = make_cases(many_of)
    return None if cases is None else fit_rule(cases)


def _judge(rule: Rule | None, many_of: Mapping[str, Many]) -> pd.DataFrame:
    """Judge a rule by the cases of this half; empty without a rule, or without what it chooses."""
    cases = make_cases(many_of)
    if rule is None or cases is None:
        return pd.DataFrame()
    is_possible = {choice for _, choice in rule.paths()} <= set(cases.choices)
    return judge_rule(rule, cases) if is_possible else pd.DataFrame()


def _rule_of_decision_half(study: Study) -> Rule | None:
    """Fit the rule on the decision half with the same budget, where it has been run."""
    try:
        decided = load_study(study.folder.parent, DECIDING, study.budget)
    except UserError:
        return None
    return _fit(_read(decided, {m: make_cells(decided, m) for m in decided.metrics}))
