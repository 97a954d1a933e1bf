"""The forest scorer predicts each row as scikit-learn's forest does, for the same random_state."""

import numpy as np
import pytest
from contracts import check_forest, scorers
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import SHAPES, draw_counts, make_problem, tiny_problems
from sklearn.ensemble import RandomForestClassifier

from autosmote.scoring.kernels import presort
from autosmote.scoring.reward import Part, Reward
from autosmote.space.continuous import Segments, space_builder


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("random_state", [0, 1234567])
def test_forest_scorer_on_data_shaped_like_the_six_equals_refits(shape, random_state):
    problem = SHAPES[shape](seed=random_state)
    episodes = [draw_counts(problem, np.random.default_rng(i)) for i in range(2)]
    estimator = RandomForestClassifier(10, random_state=random_state)
    check_forest(problem, estimator, episodes)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "parameters",
    [
        {"bootstrap": False},
        {"max_features": None},
        {"max_features": "log2", "max_depth": 5},
        {"max_features": 1, "n_jobs": 2},
        {"max_features": 0.4, "max_depth": 1},
        {"max_features": 100},
    ],
    ids=str,
)
def test_forest_scorer_with_other_settings_equals_refits(shape, parameters):
    problem = SHAPES[shape](n=300)
    episodes = [draw_counts(problem, np.random.default_rng(i)) for i in range(2)]
    estimator = RandomForestClassifier(7, random_state=3, **parameters)
    check_forest(problem, estimator, episodes)


@settings(max_examples=150)
@given(
    tiny_problems(),
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.sampled_from(["sqrt", None, 1, 2]),
    st.sampled_from([None, None, 1, 2]),
    st.booleans(),
)
def test_forest_scorer_on_any_rows_equals_refits(
    case, random_state, n_estimators, max_features, max_depth, bootstrap
):
    problem, counts = case
    counts = np.minimum(counts, 40)
    estimator = RandomForestClassifier(
        n_estimators, max_features=max_features, max_depth=max_depth, bootstrap=bootstrap,
        random_state=random_state,
    )  # fmt: skip
    check_forest(problem, estimator, [counts, np.zeros_like(counts)])


def test_forest_scorer_with_values_equal_in_float32_equals_refits():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, (200, 3)) + rng.choice([0.0, 1e-9, 5e-8, 1.5e-7], (200, 3))
    problem = make_problem(X, rng.integers(0, 2, 200), X[::2] + 2e-8, K=4)
    episodes = [draw_counts(problem, rng) for _ in range(3)]
    check_forest(problem, RandomForestClassifier(10, random_state=3), episodes)


def test_forest_scorer_with_rows_of_both_classes_equals_refits():
    """Leaves that are not pure have probabilities that are rounded when they are summed."""
    rng = np.random.default_rng(0)
    X = np.repeat(rng.integers(0, 3, (40, 2)), 10, axis=0).astype(float)
    problem = make_problem(X, rng.integers(0, 2, 400), X[::3], K=4)
    episodes = [draw_counts(problem, rng, 40 * i) for i in range(4)]
    check_forest(problem, RandomForestClassifier(33, random_state=0), episodes)


def test_forest_scorer_with_other_seeds_predicts_differently():
    """Otherwise the tests above could not show that the draws are reproduced."""
    problem = SHAPES["numeric"]()
    counts = draw_counts(problem, np.random.default_rng(0))
    predictions = [
        scorers(problem, RandomForestClassifier(3, random_state=s), "forest")[0].predict(counts)
        for s in range(4)
    ]
    assert any((p != predictions[0]).any() for p in predictions)


@pytest.mark.slow  # compiles the tree a second time
def test_forest_scorer_with_wide_row_numbers_equals_refits(monkeypatch):
    """Above 65,536 rows the row numbers are uint32, also of a tree that draws fewer."""
    problem = SHAPES["mixed"](n=300)
    monkeypatch.setattr(presort, "row_dtype", lambda n_rows: np.uint32)
    counts = draw_counts(problem, np.random.default_rng(0))
    check_forest(problem, RandomForestClassifier(3, random_state=0), [counts])


@pytest.mark.parametrize("lambda_head", ["discrete", "continuous"])
def test_reward_of_a_forest_over_folds_equals_refits(lambda_head):
    """With five weights by the fast scorer, with any weight by refits."""
    rng = np.random.default_rng(0)
    problem = SHAPES["rounded"](n=300)
    X, y = problem.X_train, problem.y_train
    space = space_builder(lambda_head)(X[y == 1], 5)
    parts = []
    for fold in range(3):
        used = np.arange(len(y)) % 3 != fold
        maker = space.row_maker().restricted_to(used[y == 1])
        parts.append(Part(X[used], y[used], maker, X[~used], y[~used]))
    if lambda_head == "discrete":
        samples = rng.poisson(1, len(space.pool)).astype(np.int32)
    else:
        source, slot = rng.integers(space.n_rows, size=60), rng.integers(1, space.K, size=60)
        samples = Segments(source, space.neighbours[source, slot], rng.uniform(0.1, 0.9, 60))
    estimator = RandomForestClassifier(5, random_state=0)
    rewards = [Reward(estimator, parts, "mcc", scoring=how) for how in ("auto", "refit")]
    assert [r.name for r in rewards] == [
        "forest" if lambda_head == "discrete" else "refit", "refit",
    ]  # fmt: skip
    fast, refit = (reward.score([samples] * 3) for reward in rewards)
    assert fast.values == refit.values
    for ours, theirs in zip(fast.held_out, refit.held_out, strict=True):
        np.testing.assert_array_equal(ours, theirs)
