"""Titles and places of arms that are a source, a reward and a rule, and counts of classifiers."""

import pytest

from autosmote.reports.studies.budgets import count_trained
from autosmote.reports.studies.selections import Selection

SEARCH = {"reward": "validation", "final": "best", "folds": 5, "keep": 25}


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (Selection("autosmote"), "AutoSMOTE"),
        (Selection("none", "crossfit"), "No resampling, crossfit"),
        (
            Selection("random", "crossfit", "tuned vote 25"),
            "Random search, crossfit, tuned vote 25",
        ),
        (Selection("sv_gasmote", rule="vote 10"), "GASMOTE, vote 10"),
    ],
)
def test_selection_title_leaves_out_the_papers_reward_and_rule(what, expected):
    assert what.title() == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 250 + 1),
        ({"final": "vote", "keep": 10}, 250 + 10),
        ({"final": "tuned_vote"}, 250 + 25),
        ({"reward": "crossfit"}, 250 * 5 + 1),
        ({"reward": "crossfit", "final": "tuned_vote"}, 250 * 5 + 25),
        ({"final": "vote", "keep": 300}, 250 + 250),
        ({"final": "diverse_vote"}, 250 + 100),
        ({"final": "diverse_vote", "reward": "crossfit"}, 250 * 5 + 25),
    ],
)
def test_count_trained(settings, expected):
    assert count_trained(250, SEARCH | settings) == expected


def test_rules_are_in_the_order_of_the_settings_and_of_how_many_they_keep():
    rules = ["tuned vote 25", "vote 25", "vote 9", "best"]
    arms = [Selection("smote", rule=rule) for rule in rules] + [Selection("smote", "crossfit")]
    ordered = sorted(arms, key=Selection.place)
    assert [what.rule for what in ordered] == [*reversed(rules), "best"]
