"""The tree scorer predicts each row as scikit-learn's tree does, for the same random_state."""

import numpy as np
import pytest
from contracts import check_tree, scorers
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import SHAPES, draw_counts, make_problem, tiny_problems
from sklearn.tree import DecisionTreeClassifier

from autosmote.scoring.kernels import tree_growth


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("random_state", [0, 1234567])
def test_tree_scorer_on_data_shaped_like_the_six_equals_refits(shape, random_state):
    problem = SHAPES[shape](seed=random_state)
    episodes = [draw_counts(problem, np.random.default_rng(i)) for i in range(3)]
    check_tree(problem, DecisionTreeClassifier(random_state=random_state), episodes)


@settings(max_examples=150)
@given(tiny_problems(), st.integers(0, 2**32 - 1), st.sampled_from([None, None, 1, 2]))
def test_tree_scorer_on_any_rows_equals_refits(case, random_state, max_depth):
    problem, counts = case
    estimator = DecisionTreeClassifier(random_state=random_state, max_depth=max_depth)
    check_tree(problem, estimator, [counts, np.zeros_like(counts)])


def test_tree_scorer_with_other_seeds_predicts_differently():
    """Otherwise the tests above could not show that the order of features is reproduced."""
    problem = SHAPES["one_hot"]()
    counts = draw_counts(problem, np.random.default_rng(0))
    predictions = [
        scorers(problem, DecisionTreeClassifier(random_state=seed), "tree")[0].predict(counts)
        for seed in range(4)
    ]
    assert any((p != predictions[0]).any() for p in predictions)


def test_tree_scorer_with_values_equal_in_float32_equals_refits():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, (200, 3)) + rng.choice([0.0, 1e-9, 5e-8, 1.5e-7], (200, 3))
    problem = make_problem(X, rng.integers(0, 2, 200), X[::2] + 2e-8, K=4)
    episodes = [draw_counts(problem, rng) for _ in range(4)]
    check_tree(problem, DecisionTreeClassifier(random_state=3), episodes)


@pytest.mark.slow  # compiles the tree a second time
def test_tree_scorer_with_wide_row_numbers_equals_refits(monkeypatch):
    """Above 65,536 rows the row numbers are uint32; the tree is the same."""
    problem = SHAPES["mixed"](n=300)
    fast, refit = scorers(problem, DecisionTreeClassifier(random_state=0), "tree")
    counts = draw_counts(problem, np.random.default_rng(0))
    wide = []
    grow = tree_growth.grow
    monkeypatch.setattr(
        tree_growth,
        "grow",
        lambda rows, *rest: wide.append(1) or grow(rows.astype(np.uint32), *rest),
    )
    np.testing.assert_array_equal(fast.predict(counts), refit.predict(counts))
    assert wide
