"""The SVM scorer's minimum is liblinear's at a tight tolerance, its predictions the default's."""

import numpy as np
import pytest
from contracts import check_svm, scorers
from hypothesis import given, settings
from problems import SHAPES, Problem, draw_counts, tiny_problems
from sklearn.svm import LinearSVC

from autosmote.scoring.scorers.svm import SvmScorer


@pytest.mark.parametrize("shape", SHAPES)
def test_svm_scorer_on_data_shaped_like_the_six_equals_refits(shape):
    problem = SHAPES[shape]()
    episodes = [draw_counts(problem, np.random.default_rng(i)) for i in range(2)]
    check_svm(problem, LinearSVC(random_state=0), [*episodes, np.zeros_like(episodes[0])])


@pytest.mark.parametrize("parameters", [{"C": 0.01}, {"C": 30.0, "intercept_scaling": 4.0}])
def test_svm_scorer_with_other_parameters_equals_refits(parameters):
    problem = SHAPES["mixed"](n=400)
    episodes = [draw_counts(problem, np.random.default_rng(i)) for i in range(2)]
    check_svm(problem, LinearSVC(random_state=0, **parameters), episodes)


@settings(max_examples=150)
@given(tiny_problems())
def test_svm_scorer_on_any_rows_has_a_vanishing_gradient(case):
    """No reference is needed: f is strictly convex, so this is the minimum."""
    problem, counts = case
    scorer = SvmScorer(
        LinearSVC(), problem.X_train, problem.y_train, problem.pool, problem.X_val, 1 << 30
    )
    coef, intercept = scorer.coefficients(counts)
    w = np.append(coef, intercept)
    X = np.vstack([problem.X_train, problem.pool])
    X = np.hstack([X, np.ones((len(X), 1))])
    y = np.append(np.where(problem.y_train == 1, 1.0, -1.0), np.ones(len(problem.pool)))
    weight = np.append(np.ones(len(problem.X_train)), counts)
    slack = np.maximum(0, 1 - y * (X @ w))
    gradient = w - 2 * (weight * slack * y) @ X
    np.testing.assert_allclose(gradient, 0, atol=1e-10 * (1 + weight @ np.abs(X).sum(axis=1)))


def test_svm_scorer_after_other_calls_has_the_same_coefficients():
    problem = SHAPES["rounded"](n=300)
    episodes = [draw_counts(problem, np.random.default_rng(i)) for i in range(3)]
    fast, _ = scorers(problem, LinearSVC(random_state=0), "svm")
    alone = fast.coefficients(episodes[0])
    for counts in episodes[1:]:
        fast.predict(counts)
    again = fast.coefficients(episodes[0])
    assert (alone[0] == again[0]).all() and alone[1] == again[1]


def test_svm_scorer_with_rows_outside_the_training_span_equals_refits():
    """A validation row may have a category that no training row has; it has no weight."""
    rng = np.random.default_rng(0)
    X = np.hstack([rng.normal(0, 1, (60, 2)), np.zeros((60, 1))])
    y = (X[:, 0] + rng.normal(0, 1, 60) > 1).astype(np.int8)
    X_val = np.hstack([rng.normal(0, 1, (40, 2)), np.ones((40, 1))])
    problem = Problem(X, y, X[y == 1], X_val)
    check_svm(problem, LinearSVC(random_state=0), [np.full(y.sum(), 2, np.int32)])
