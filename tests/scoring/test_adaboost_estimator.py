"""The drop-in AdaBoost equals scikit-learn's to the bit, ties included."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import SHAPES, Problem, draw_counts, over_sampled, tiny_problems
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

from autosmote.data.datasets import PAPER_DATASETS, load_dataset
from autosmote.data.splits import make_split
from autosmote.scoring.estimators import adaboost
from autosmote.scoring.estimators.adaboost import PresortedAdaBoost
from autosmote.scoring.registry import drop_in_for


def outcome(estimator, X, y, queries):
    """Return all results of a fitted classifier, or the error message of its fit."""
    try:
        model = clone(estimator).fit(X, y)
    except ValueError as error:
        return [str(error)]
    return [
        model.classes_,
        model.estimator_weights_,
        model.estimator_errors_,
        len(model.estimators_),
        model.predict(queries),
        model.predict_proba(queries),
        model.decision_function(queries),
        *model.staged_predict(queries[:50]),
    ]


def check_equal(estimator, X, y, queries):
    fast = drop_in_for(estimator)
    assert type(fast) is PresortedAdaBoost
    for a, b in zip(outcome(estimator, X, y, queries), outcome(fast, X, y, queries), strict=True):
        np.testing.assert_array_equal(a, b)


def balanced(X, y, rng):
    """Return all minority rows and as many others, as MESA trains its members on."""
    minority, majority = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    rows = np.concatenate([minority, rng.choice(majority, len(minority), replace=False)])
    return X[np.sort(rows)], y[np.sort(rows)]


@pytest.fixture
def trees(monkeypatch):
    """Record the stumps that scikit-learn fits."""
    made = []

    class Counted(DecisionTreeClassifier):
        def __init__(self, max_depth=None, random_state=None):
            super().__init__(max_depth=max_depth, random_state=random_state)
            made.append(self)

    monkeypatch.setattr(adaboost, "DecisionTreeClassifier", Counted)
    return made


@pytest.mark.parametrize("seed", [0, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_presorted_adaboost_on_data_shaped_like_the_six_equals_scikit_learn(shape, seed, trees):
    problem, rng = SHAPES[shape](), np.random.default_rng(seed)
    estimator = AdaBoostClassifier(random_state=seed)
    queries = np.vstack([problem.X_train, problem.X_val])
    for X, y in (
        balanced(problem.X_train, problem.y_train, rng),
        (problem.X_train, problem.y_train),
        over_sampled(problem, draw_counts(problem, rng)),
    ):
        check_equal(estimator, X, y, queries)
    if shape == "numeric":  # no two splits tie
        assert not trees
    if shape == "one_hot":  # columns of two categories mirror each other, in these rows at least
        model = PresortedAdaBoost(random_state=seed).fit(problem.X_train, problem.y_train)
        model.predict(problem.X_val)
        assert sum(stump.tie is not None for stump in model.estimators_) > 5


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_estimators": 1},
        {"n_estimators": 7, "learning_rate": 0.3},
        {"n_estimators": 150, "learning_rate": 2.5},  # weights down to the machine epsilon
    ],
)
@pytest.mark.parametrize("shape", ["numeric", "one_hot"])
def test_presorted_adaboost_with_other_parameters_equals_scikit_learn(shape, parameters):
    problem = SHAPES[shape](n=300)
    estimator = AdaBoostClassifier(random_state=3, **parameters)
    check_equal(estimator, problem.X_train, problem.y_train, problem.X_val)


@settings(max_examples=60)
@given(tiny_problems(), st.integers(0, 2**32 - 1), st.sampled_from([0.5, 1.0, 3.0]))
def test_presorted_adaboost_on_any_rows_equals_scikit_learn(case, random_state, learning_rate):
    """Ties, duplicates, perfect stumps, and rows that cannot be boosted, with the same error."""
    problem, counts = case
    counts = np.minimum(counts, 40)
    X, y = over_sampled(problem, counts)
    estimator = AdaBoostClassifier(
        n_estimators=12, random_state=random_state, learning_rate=learning_rate
    )
    check_equal(estimator, X, y, np.vstack([X, problem.X_val]))


def mirrored():
    """Return two features that split the same rows from either end: sums differ by rounding."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 1))
    y = (X[:, 0] + rng.normal(size=200) > 0.5).astype(np.int8)
    return np.hstack([X, -X]), y, rng.normal(size=(300, 2))


def test_stump_with_ties_that_vote_alike_stays_undecided(trees):
    X, y, _ = mirrored()
    check_equal(AdaBoostClassifier(random_state=0), X, y, X)
    assert not trees


def test_stump_with_ties_that_differ_in_prediction_is_settled_by_scikit_learn(trees):
    X, y, others = mirrored()
    estimator = AdaBoostClassifier(random_state=0)
    check_equal(estimator, X, y, np.vstack([X, others]))
    n_settled = len(trees)
    plain, fast = (model.fit(X, y) for model in (estimator, drop_in_for(estimator)))
    # A stump of one class on both sides votes alike everywhere.
    deciding = [n for n, one in enumerate(fast.estimators_) if one.split.left != one.split.right]
    assert len(trees) == n_settled == len(deciding) > 25
    assert {plain.estimators_[n].tree_.feature[0] for n in deciding} == {0, 1}
    for queries in (X, others[:1], others):  # in portions, by members and all together
        for a, b in zip(plain.estimators_, fast.estimators_, strict=True):
            np.testing.assert_array_equal(a.predict(queries), b.predict(queries))
        np.testing.assert_array_equal(
            plain.decision_function(queries), fast.decision_function(queries)
        )
    assert len(trees) == 2 * n_settled  # each once
    for n in deciding:
        tree = plain.estimators_[n].tree_
        assert fast.estimators_[n].tie is None
        assert fast.estimators_[n].split[:2] == (tree.feature[0], tree.threshold[0])


def test_stump_with_ties_that_differ_in_training_is_settled_by_scikit_learn_at_once(trees):
    """Each feature is wrong about one row, of equal weight at first."""
    y = np.tile(np.array([0, 1], np.int8), 10)
    X = np.vstack([y, y, y]).T.astype(float)
    X[[0, 2, 4], [0, 1, 2]] = 1
    check_equal(AdaBoostClassifier(random_state=0), X, y, X)
    assert trees


@pytest.mark.parametrize("n_features", [15, 16, 17, 40])
def test_stump_with_more_ties_than_16_is_settled_by_scikit_learn(n_features, trees):
    X, y, others = mirrored()
    X, others = (np.repeat(rows[:, :1], n_features, axis=1) for rows in (X, others))
    others += np.arange(n_features)
    check_equal(AdaBoostClassifier(n_estimators=5, random_state=0), X, y, X)
    assert bool(trees) == (n_features > 16)
    check_equal(AdaBoostClassifier(n_estimators=5, random_state=0), X, y, others)
    assert trees


def test_presorted_adaboost_with_a_perfect_or_useless_stump_stops_as_scikit_learn():
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    y = np.array([0, 0, 1, 1], np.int8)
    check_equal(AdaBoostClassifier(random_state=0), X, y, X)
    assert len(PresortedAdaBoost().fit(X, y).estimators_) == 1
    with pytest.raises(ValueError, match="worse than random"):
        PresortedAdaBoost().fit(np.zeros((4, 1)), y)


@pytest.mark.parametrize("labels", [[False, True], [3, 7]])
def test_presorted_adaboost_with_other_labels_equals_scikit_learn(labels):
    problem = SHAPES["numeric"](n=200)
    y = np.array(labels)[problem.y_train]
    check_equal(AdaBoostClassifier(random_state=0), problem.X_train, y, problem.X_val)


def test_presorted_adaboost_with_unsupported_input_falls_back_to_scikit_learn():
    problem = SHAPES["numeric"](n=200)
    X, y, queries = problem.X_train, problem.y_train, problem.X_val
    plain = AdaBoostClassifier(n_estimators=10, random_state=0)
    fast = drop_in_for(plain)

    three = np.where(X[:, 0] > 1, 2, y)
    frame = pd.DataFrame(X, columns=list("abcde"))
    texts = np.array(["no", "yes"])[y]
    weights = np.linspace(0, 1, len(X))
    for rows, labels, weight in (
        (X, three, None),
        (frame, y, None),
        (X, texts, None),
        (X, y, weights),
    ):
        models = [clone(model).fit(rows, labels, weight) for model in (plain, fast)]
        new = queries if rows is X else frame[:20]
        answers = [model.predict_proba(new) for model in models]
        np.testing.assert_array_equal(*answers)
        assert all(isinstance(tree, DecisionTreeClassifier) for tree in models[1].estimators_)

    X = X.copy()
    X[3, 1] = 1e300
    for model in (plain, fast):
        with pytest.raises(ValueError, match="too large for dtype"):
            clone(model).fit(X, y)


def test_drop_in_for_adaboost_keeps_parameters_and_rejects_others():
    made = AdaBoostClassifier(n_estimators=7, learning_rate=0.5, random_state=3)
    assert drop_in_for(made).get_params() == made.get_params()

    class Own(AdaBoostClassifier):
        pass

    for other in (
        DecisionTreeClassifier(),
        LogisticRegression(),
        Own(),
        AdaBoostClassifier(DecisionTreeClassifier(max_depth=2)),
    ):
        assert drop_in_for(other) is other


def test_presorted_adaboost_passes_the_estimator_checks():
    check_estimator(PresortedAdaBoost(n_estimators=3, random_state=0))


def test_presorted_adaboost_pickled_keeps_no_training_rows():
    problem = SHAPES["numeric"]()
    model = PresortedAdaBoost(random_state=0).fit(problem.X_train, problem.y_train)
    kept = pickle.dumps(model)
    assert len(kept) < problem.X_train.nbytes / 2
    again = pickle.loads(kept).predict_proba(problem.X_val)
    np.testing.assert_array_equal(again, model.predict_proba(problem.X_val))


def test_presorted_adaboost_pickled_has_its_ties_settled():
    X, y, others = mirrored()
    model = PresortedAdaBoost(random_state=0).fit(X, y)
    assert all(stump.tie is not None for stump in model.estimators_)
    first = pickle.dumps(model)
    assert len(first) < 10 * X.nbytes  # not fifty times the rows' weights
    expected = AdaBoostClassifier(random_state=0).fit(X, y).decision_function(others)
    for fitted in (model, pickle.loads(first), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(fitted.decision_function(others), expected)


@pytest.mark.data
@pytest.mark.parametrize("ir", [20, 100])
@pytest.mark.parametrize("name", PAPER_DATASETS)
def test_presorted_adaboost_on_the_six_datasets_equals_scikit_learn(data_dir, name, ir):
    split = make_split(load_dataset(name, data_dir=data_dir), ir=ir, seed=0)
    problem = Problem(split.X_train, split.y_train, split.X_train[split.y_train == 1], split.X_val)
    rng, estimator = np.random.default_rng(0), AdaBoostClassifier(random_state=0)
    for X, y in (
        balanced(split.X_train, split.y_train, rng),
        (split.X_train, split.y_train),
        over_sampled(problem, draw_counts(problem, rng)),
    ):
        check_equal(estimator, X, y, split.X_val)
