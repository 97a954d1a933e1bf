"""The AdaBoost scorer finds scikit-learn's stumps, except for ties within rounding."""

import numpy as np
import pytest
from contracts import check_boosting, scorers
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from problems import SHAPES, Problem, draw_counts, tiny_problems
from sklearn.ensemble import AdaBoostClassifier


@pytest.mark.parametrize("shape", SHAPES)
def test_adaboost_scorer_on_data_shaped_like_the_six_equals_refits(shape):
    problem = SHAPES[shape]()
    episodes = [draw_counts(problem, np.random.default_rng(i)) for i in range(2)]
    report = check_boosting(problem, AdaBoostClassifier(random_state=0), episodes)
    if shape == "numeric":
        assert report == {"tied episodes": 0.0, "different": 0.0}


@pytest.mark.parametrize("parameters", [{"n_estimators": 7}, {"learning_rate": 0.3}])
def test_adaboost_scorer_with_other_parameters_equals_refits(parameters):
    problem = SHAPES["numeric"](n=300, d=3)
    episodes = [draw_counts(problem, np.random.default_rng(i)) for i in range(2)]
    report = check_boosting(problem, AdaBoostClassifier(random_state=3, **parameters), episodes)
    assert report["different"] == 0


@settings(max_examples=60)
@given(tiny_problems(), st.integers(0, 2**32 - 1))
def test_adaboost_scorer_on_any_rows_equals_refits_except_for_ties(case, random_state):
    problem, counts = case
    # scikit-learn refuses to boost where no stump is better than chance.
    assume(len(problem.X_train) - 2 * problem.y_train.sum() != counts.sum())
    check_boosting(
        problem, AdaBoostClassifier(n_estimators=10, random_state=random_state), [counts]
    )


def test_adaboost_scorer_with_a_perfect_stump_stops():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    problem = Problem(X, np.array([0, 0, 1, 1], np.int8), X[2:], np.array([[1.4], [1.6]]))
    fast, refit = scorers(problem, AdaBoostClassifier(random_state=0), "boosting")
    counts = np.array([3, 0], np.int32)
    assert len(fast.fit(counts).weight) == len(refit.fit(counts).estimators_) == 1
    assert fast.predict(counts).tolist() == refit.predict(counts).tolist() == [0, 1]


def test_adaboost_scorer_without_a_useful_stump_raises_scikit_learns_error():
    X = np.zeros((4, 1))
    problem = Problem(X, np.array([0, 0, 0, 1], np.int8), X[:1], X)
    fast, refit = scorers(problem, AdaBoostClassifier(random_state=0), "boosting")
    counts = np.array([2], np.int32)
    with pytest.raises(ValueError, match="worse than random"):
        refit.predict(counts)
    with pytest.raises(ValueError, match="worse than random"):
        fast.predict(counts)
