"""The k-nearest-neighbours scorer predicts as scikit-learn, with the ties that it documents."""

import numpy as np
import pytest
from contracts import check_knn, scorers
from hypothesis import given, settings
from problems import EXACT_SCALES, SHAPES, Problem, draw_counts, tiny_problems
from sklearn.neighbors import KNeighborsClassifier


@pytest.mark.parametrize("shape", SHAPES)
def test_knn_scorer_on_data_shaped_like_the_six_equals_refits(shape):
    problem = SHAPES[shape]()
    check_knn(
        problem,
        KNeighborsClassifier(),
        [draw_counts(problem, np.random.default_rng(i)) for i in range(2)],
    )


@settings(max_examples=150)
@given(tiny_problems(scales=EXACT_SCALES))
def test_knn_scorer_with_brute_force_equals_refits_ties_included(case):
    problem, counts = case
    k = min(5, len(problem.X_train))
    fast, refit = scorers(problem, KNeighborsClassifier(k, algorithm="brute"), "knn")
    np.testing.assert_array_equal(fast.predict(counts), refit.predict(counts))


@settings(max_examples=100)
@given(tiny_problems())
def test_knn_scorer_with_any_algorithm_equals_refits_except_for_ties(case):
    problem, counts = case
    check_knn(problem, KNeighborsClassifier(min(3, len(problem.X_train))), [counts])


@pytest.mark.parametrize("k", [1, 2, 4, 9, 30])
@pytest.mark.parametrize("algorithm", ["brute", "auto"])
def test_knn_scorer_with_any_number_of_neighbours_equals_refits(k, algorithm):
    problem = SHAPES["mixed"](seed=1, n=300)
    estimator = KNeighborsClassifier(k, algorithm=algorithm)
    fast, refit = scorers(problem, estimator, "knn")
    for seed in range(3):
        counts = draw_counts(problem, np.random.default_rng(seed))
        np.testing.assert_array_equal(fast.predict(counts), refit.predict(counts))


def test_knn_scorer_with_a_tie_at_the_border_takes_the_original_row():
    """Five rows at distance 1, one of them counted from the pool: the originals came first."""
    X = np.array([[1.0], [-1.0], [1.0], [5.0], [6.0]])
    problem = Problem(
        X, np.array([0, 0, 0, 1, 1], np.int8), np.array([[-1.0], [0.5]]), np.zeros((1, 1))
    )
    fast, refit = scorers(problem, KNeighborsClassifier(3, algorithm="brute"), "knn")
    for counts, expected in (([9, 0], 0), ([0, 1], 0), ([0, 2], 1)):
        counts = np.array(counts, np.int32)
        assert fast.predict(counts) == refit.predict(counts) == expected
