"""Comparisons of arms, verdicts on differences, and counts of classifiers, one by one."""

import numpy as np
import pytest

from autosmote.reports.studies.budgets import count_trained
from autosmote.reports.studies.selection.gains import judge
from autosmote.reports.studies.selection.questions import (
    Selection,
    list_comparisons,
    list_headlines,
)

SEARCH = {"reward": "validation", "final": "best", "folds": 5, "keep": 25}


def test_list_comparisons_and_list_headlines_pair_arms_by_question():
    known = {
        "autosmote": Selection("autosmote"),
        "autosmote vote 25": Selection("autosmote", rule="vote 25"),
        "autosmote crossfit vote 25": Selection("autosmote", "crossfit", "vote 25"),
        "smote vote 25": Selection("smote", rule="vote 25"),
        "none crossfit": Selection("none", "crossfit"),
    }
    found = list_comparisons(
        {arm: known[arm] for arm in known if arm != "autosmote crossfit vote 25"}
    )
    assert [(pair.question, pair.arm, pair.against) for pair in found] == [
        ("rule", "autosmote vote 25", "autosmote"),
        ("sampler", "autosmote vote 25", "smote vote 25"),
    ]
    chosen = [Selection("autosmote", "crossfit", "vote 25")]
    few = list_headlines({arm: known[arm] for arm in known if arm != "autosmote vote 25"}, chosen)
    assert [(pair.question, pair.arm, pair.against) for pair in few] == [
        ("rule", "autosmote crossfit vote 25", "autosmote"),
        ("rows", "autosmote crossfit vote 25", "none crossfit"),
    ]


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
        ({"reward": "crossfit", "final": "tuned_vote"}, 250 * 5 + 25 * 6),
        ({"final": "vote", "keep": 300}, 250 + 250),
        ({"final": "diverse_vote"}, 250 + 100),
        ({"final": "diverse_vote", "reward": "crossfit"}, 250 * 5 + 100 * 5 + 25),
    ],
)
def test_count_trained(settings, expected):
    assert count_trained(250, SEARCH | settings) == expected


@pytest.mark.parametrize(
    ("decided", "confirmed", "expected"),
    [
        ((0.02, 0.01, 0.03), (0.02, 0.01, 0.03), "confirmed"),
        ((-0.02, -0.03, -0.01), (-0.02, -0.03, -0.01), "confirmed"),
        ((0.02, 0.01, 0.03), (0.01, -0.01, 0.03), "same sign"),
        ((0.02, 0.01, 0.03), (-0.01, -0.03, 0.01), "reversed"),
        ((-0.02, -0.03, -0.01), (0.02, 0.01, 0.03), "reversed"),
        ((0.01, -0.01, 0.03), (0.02, 0.01, 0.03), ""),
        ((0.01, np.nan, np.nan), (0.02, 0.01, 0.03), ""),
        ((0.02, 0.01, 0.03), (np.nan, np.nan, np.nan), "not known"),
    ],
)
def test_judge(decided, confirmed, expected):
    keys = ("test", "test_low", "test_high")
    parts = (dict(zip(keys, part, strict=True)) for part in (decided, confirmed))
    assert judge(*parts, "test") == expected
