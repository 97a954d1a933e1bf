"""The rule that says what to do with a dataset: fitted and judged by hand."""

import numpy as np
import pytest
from many_sweeps import ARMS, FAMILY, VOTE, change, grid, write_list

from autosmote.config import many
from autosmote.reports.report import build_report
from autosmote.reports.studies.many.rule import (
    CHOICES,
    MARGIN,
    THE_RULE,
    Cases,
    Question,
    Rule,
    fit_rule,
    judge_rule,
)

N = 12


def cases(scores, minority=None, clfs=("dt",), choices=CHOICES):
    """Return cases: a dataset a family, each with these classifiers.

    `scores` gets the dataset's number and the classifier; `minority` are their minority rows.
    """
    minority = minority or [20 + 10 * i for i in range(N)]
    places = [(i, clf) for i in range(N) for clf in clfs]
    n = len(places)
    return Cases(
        datasets=[f"d{i}" for i, _ in places],
        families=[f"f{i}" for i, _ in places],
        clfs=[clf for _, clf in places],
        traits={
            "minority": np.array([minority[i] for i, _ in places], float),
            **{name: np.full(n, 5.0) for name in ("ir", "features")},
            "overlap": np.full(n, 0.1),
        },
        choices=choices,
        scores=np.array([scores(i, clf) for i, clf in places]),
        weights=np.full(n, 1 / n),
    )


def scores_of(**best):
    """Return the score of each choice: 0.5, and more for some."""
    return [0.5 + best.get(choice, 0.0) for choice in CHOICES]


def test_rule_without_a_question_is_the_cheapest_of_the_best():
    rule = fit_rule(cases(lambda i, clf: scores_of(threshold=0.1, smote=0.1 + 0.9 * MARGIN)))
    assert rule == Rule("threshold")
    rule = fit_rule(cases(lambda i, clf: scores_of(threshold=0.1, smote=0.1 + 1.1 * MARGIN)))
    assert rule == Rule("smote")


def test_rule_asks_for_the_trait_that_tells_what_pays():
    # 20 to 90 minority rows, 100 to 130.
    def scores(i, clf):
        return scores_of(**{"class_aware" if i < 6 else "threshold": 0.1})

    found = cases(scores, minority=[30] * 6 + [200] * 6)
    rule = fit_rule(found)
    assert rule.question == Question("minority", 40)
    assert list(rule.paths()) == [
        (("fewer than 40 minority rows",), "class_aware"),
        (("at least 40 minority rows",), "threshold"),
    ]
    assert rule.choose(found) == ["class_aware"] * 6 + ["threshold"] * 6


def test_rule_asks_a_second_question_where_that_pays():
    def scores(i, clf):
        if clf == "knn":
            return scores_of(smote=0.1)
        return scores_of(**{"class_aware" if i < 6 else "threshold": 0.1})

    rule = fit_rule(cases(scores, [30] * 6 + [200] * 6, clfs=("dt", "knn", "svm")))
    found = {choice: conditions for conditions, choice in rule.paths()}
    assert len(list(rule.paths())) == 3
    assert found["smote"] == ("with KNN",)
    assert found["class_aware"] == ("not with KNN", "fewer than 40 minority rows")


def test_rule_needs_five_families_on_each_side_and_some_gain():
    def of_four(i, clf):
        return scores_of(**{"class_aware" if i < 4 else "threshold": 0.1})

    assert fit_rule(cases(of_four, [30] * 4 + [200] * 8)).question is None

    def small(i, clf):
        return scores_of(**{"class_aware" if i < 6 else "threshold": 0.003})

    # Asking would gain 0.0015 in the mean; and 0.003 is within the margin of the cheapest.
    assert fit_rule(cases(small, [30] * 6 + [200] * 6)) == Rule("none")


def test_questions_whose_answers_agree_are_left_out():
    # Trees gain by SMOTE at few rows and at many, but not where the margin hides it.
    def scores(i, clf):
        return scores_of(smote=0.1 if i < 6 else 0.2, class_aware=0.11 if i < 6 else 0.1)

    rule = fit_rule(cases(scores, [30] * 6 + [200] * 6))
    assert [choice for _, choice in rule.paths()] == ["class_aware", "smote"]

    def agreeing(i, clf):
        return scores_of(smote=0.1 if i < 6 else 0.2, class_aware=0.104 if i < 6 else 0.1)

    # The search is better by 0.004 at few rows, a question that gains 0.002; SMOTE is cheaper.
    assert fit_rule(cases(agreeing, [30] * 6 + [200] * 6)) == Rule("smote")


def test_judged_rule_has_gains_and_regrets_of_its_choices():
    def scores(i, clf):
        return scores_of(
            threshold=0.02, class_aware=0.08 if i < 6 else 0.0, smote=0.05 if i == 11 else 0.0
        )

    found = cases(scores, [30] * 6 + [200] * 6)
    rule = fit_rule(found)
    assert rule.choose(found) == ["class_aware"] * 6 + ["threshold"] * 6
    rows = judge_rule(rule, found).set_index("choice")
    own = rows.loc[THE_RULE]
    assert own["gain"] == pytest.approx((6 * 0.08 + 6 * 0.02) / 12)
    assert own["regret"] == pytest.approx(0.03 / 12)  # SMOTE would have been better once
    assert own["less"] == 0
    assert rows.loc["threshold", "less"] == pytest.approx(0.03)
    assert rows.loc["threshold", "regret"] == pytest.approx((6 * 0.06 + 0.03) / 12)
    assert rows.loc["class_aware", "share"] == 0.5 and rows.loc["smote", "share"] == 0
    assert own["families"] == 12 and own["gain_low"] < own["gain"] < own["gain_high"]


@pytest.fixture
def halves(bench_reports, tmp_path, monkeypatch):
    """Write both halves and return their reports; the families of the other one are others."""
    monkeypatch.setattr(many, "TABLE", tmp_path / "many.csv")
    write_list(tmp_path / "many.csv")
    small = {"arms": ARMS, "irs": [None], "seeds": 1, "clfs": ["dt"], "grid": grid}
    small |= {"change": change, "datasets": list(FAMILY)}

    def make(*experiments, **settings):
        for experiment in experiments:
            bench_reports.make_sweep(tmp_path, experiment, "quick", **(small | settings))
        return [build_report(tmp_path, experiment, "quick") for experiment in experiments]

    return make


def test_confirmation_judges_the_rule_of_the_decision_half(halves):
    def turned(record):
        """The vote of SMOTE is best on the other half."""
        record = change(record)
        if record["sampler"] == f"smote{VOTE}":
            for scores in (record["scores"]["test"],):
                scores.update({name: value + 0.1 for name, value in scores.items()})
        return record

    halves("many")
    (made,) = halves("many_confirmation", change=turned)
    (table,) = [table for table in made.tables if table.name == "many_confirmation_rule"]
    rows = table.data.set_index("choice")
    # Decided: the class-aware search throughout, or beyond few rows; here SMOTE was 0.13.
    assert rows.loc["class_aware", "gain"] == pytest.approx(0.03 + 0.022)
    assert rows.loc["smote", "gain"] == pytest.approx(0.13)
    assert rows.loc["smote", "share"] < 1
    assert rows.loc[THE_RULE, "less"] == 0 and rows.loc["smote", "less"] < 0
    assert rows.loc["smote", "regret"] == pytest.approx(0, abs=1e-9)
    (stated,) = [text for text in made.findings if text.startswith("The rule of the decision half")]
    assert "Class-aware search, vote" in stated
    (judged,) = [text for text in made.findings if text.startswith("On the confirmation half, the")]
    assert "over 10 families and 12 datasets" in judged
    assert "The best single choice is always SMOTE, vote" in judged


def test_confirmation_without_the_decision_half_has_no_rule(halves):
    (made,) = halves("many_confirmation")
    assert "There is no rule to judge: experiment=many has no records with this budget." in (
        made.findings
    )
    assert not [table for table in made.tables if table.name.endswith("_rule")]


def test_rule_of_the_decision_half_says_that_it_was_fitted_there(halves):
    (made,) = halves("many")
    assert any("decision half, on which it was fitted, the rule gains" in t for t in made.findings)
