"""The drop-in decision tree equals scikit-learn's to the bit, in every node."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import SHAPES, draw_counts, over_sampled, tiny_problems
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier, export_text
from sklearn.utils.estimator_checks import check_estimator

from autosmote.data.datasets import PAPER_DATASETS, load_dataset
from autosmote.data.splits import make_split
from autosmote.scoring.estimators.tree import PresortedTree
from autosmote.scoring.kernels import tree_growth
from autosmote.scoring.registry import drop_in_for


def resampled(problem, rng):
    """Return the training part with interpolated rows, all different, as SMOTE makes them."""
    X, y = over_sampled(problem, draw_counts(problem, rng))
    added = X[len(problem.X_train) :]
    other = problem.pool[rng.integers(len(problem.pool), size=len(added))]
    added += rng.random((len(added), 1)) * (other - added)
    return X, y


def check_same_fit(plain, fast):
    """Check all attributes of a fit, every field of every node included."""
    attributes = dict(vars(plain))
    state = attributes.pop("tree_").__getstate__()
    others = dict(vars(fast))
    other = others.pop("tree_").__getstate__()
    assert attributes.keys() == others.keys()
    for name, value in attributes.items():
        np.testing.assert_array_equal(value, others[name], err_msg=name)
        assert type(value) is type(others[name]), name
    assert attributes["classes_"].dtype == others["classes_"].dtype
    assert state.keys() == other.keys()
    for name in state["nodes"].dtype.names:
        np.testing.assert_array_equal(state["nodes"][name], other["nodes"][name], err_msg=name)
    np.testing.assert_array_equal(state["values"], other["values"])
    assert state["max_depth"] == other["max_depth"]
    assert state["node_count"] == other["node_count"]


def check_equal(plain, X, y):
    fast = drop_in_for(plain)
    assert type(fast) is PresortedTree
    plain, fast = clone(plain).fit(X, y), clone(fast).fit(X, y)
    check_same_fit(plain, fast)
    return plain, fast


@pytest.fixture
def grown(monkeypatch):
    """Record the trees that are grown by the kernel, not by scikit-learn."""
    made, grow = [], tree_growth.grow
    monkeypatch.setattr(tree_growth, "grow", lambda *given: made.append(1) or grow(*given))
    return made


@pytest.mark.parametrize("seed", [0, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_presorted_tree_on_data_shaped_like_the_six_equals_scikit_learn(shape, seed, grown):
    problem, rng = SHAPES[shape](seed=seed), np.random.default_rng(seed)
    plain = DecisionTreeClassifier(random_state=seed)
    check_equal(plain, problem.X_train, problem.y_train)
    check_equal(plain, *over_sampled(problem, draw_counts(problem, rng)))
    check_equal(plain, *resampled(problem, rng))
    assert len(grown) == 3


@settings(max_examples=150)
@given(tiny_problems(), st.integers(0, 2**32 - 1), st.sampled_from([None, None, 1, 2]))
def test_presorted_tree_on_any_rows_equals_scikit_learn(case, random_state, max_depth):
    problem, counts = case
    counts = np.minimum(counts, 40)
    estimator = DecisionTreeClassifier(random_state=random_state, max_depth=max_depth)
    check_equal(estimator, *over_sampled(problem, counts))


def test_presorted_tree_methods_return_what_scikit_learns_do():
    problem = SHAPES["mixed"]()
    X, y = resampled(problem, np.random.default_rng(0))
    plain, fast = check_equal(DecisionTreeClassifier(random_state=0), X, y)
    for ask in ("predict", "predict_proba", "predict_log_proba", "apply"):
        with np.errstate(divide="ignore"):
            answers = [getattr(model, ask)(problem.X_val) for model in (plain, fast)]
        np.testing.assert_array_equal(*answers)
    np.testing.assert_array_equal(plain.feature_importances_, fast.feature_importances_)
    assert export_text(plain) == export_text(fast)
    assert plain.get_depth() == fast.get_depth()
    again = pickle.loads(pickle.dumps(fast))
    check_same_fit(plain, again)
    np.testing.assert_array_equal(again.predict(problem.X_val), plain.predict(problem.X_val))


@pytest.mark.parametrize("max_depth", [1, 3, np.int64(7)])
def test_presorted_tree_with_limited_depth_equals_scikit_learn(max_depth):
    problem = SHAPES["mixed"](n=300)
    plain = DecisionTreeClassifier(random_state=1, max_depth=max_depth)
    check_equal(plain, *resampled(problem, np.random.default_rng(0)))


@pytest.mark.parametrize("labels", [[False, True], [3, 7], [-5, 2**40]])
def test_presorted_tree_with_other_labels_equals_scikit_learn(labels, grown):
    problem = SHAPES["numeric"](n=200)
    y = np.array(labels)[problem.y_train]
    check_equal(DecisionTreeClassifier(random_state=0), problem.X_train, y)
    assert grown


@pytest.mark.parametrize("make", [np.asfortranarray, np.float32, lambda X: X[::2, ::-1]])
def test_presorted_tree_with_other_memory_layouts_equals_scikit_learn(make, grown):
    problem = SHAPES["numeric"](n=200)
    X = make(problem.X_train)
    y = problem.y_train[:: len(problem.y_train) // len(X)]
    check_equal(DecisionTreeClassifier(random_state=0), X, y)
    assert grown


def test_presorted_tree_with_negative_zeros_equals_scikit_learn():
    rng = np.random.default_rng(0)
    X = rng.choice([-0.0, 0.0, -1.0, *rng.normal(size=20)], (300, 3))
    check_equal(DecisionTreeClassifier(random_state=0), X, rng.integers(0, 2, 300))


def test_presorted_tree_with_unsupported_input_falls_back_to_scikit_learn(grown):
    problem = SHAPES["numeric"](n=200)
    X, y = problem.X_train, problem.y_train
    plain = DecisionTreeClassifier(random_state=0)
    fast = drop_in_for(plain)
    missing = X.copy()
    missing[3, 1] = np.nan
    for rows, labels, weight in (
        (X, np.where(X[:, 0] > 1, 2, y), None),
        (X, np.zeros_like(y), None),
        (X, np.array(["no", "yes"])[y], None),
        (X, np.stack([y, 1 - y], axis=1), None),
        (X, y.tolist(), None),
        (X.tolist(), y, None),
        (X.astype(int), y, None),
        (pd.DataFrame(X, columns=list("abcde")), y, None),
        (csr_array(X), y, None),
        (missing, y, None),
        (X, y, np.linspace(0, 1, len(X))),
    ):
        models = [clone(model).fit(rows, labels, weight) for model in (plain, fast)]
        check_same_fit_of_any(*models)
    assert not grown


def check_same_fit_of_any(plain, fast):
    states = [model.tree_.__getstate__() for model in (plain, fast)]
    for name in states[0]["nodes"].dtype.names:
        np.testing.assert_array_equal(*(state["nodes"][name] for state in states))
    np.testing.assert_array_equal(*(state["values"] for state in states))
    assert vars(plain).keys() == vars(fast).keys()


def test_presorted_tree_with_parameters_set_later_falls_back_to_scikit_learn(grown):
    problem = SHAPES["numeric"](n=200)
    X, y = problem.X_train, problem.y_train
    for parameters in ({"criterion": "entropy"}, {"min_samples_leaf": 5}, {"ccp_alpha": 0.01}):
        plain = DecisionTreeClassifier(random_state=0).set_params(**parameters)
        check_same_fit(plain.fit(X, y), PresortedTree(**plain.get_params()).fit(X, y))
    PresortedTree().fit(X, y)  # draws from NumPy's global generator
    assert not grown


@pytest.mark.parametrize(
    "parameters, spoil",
    [
        ({"max_depth": 0}, lambda X, y: (X, y)),
        ({"max_depth": 1.5}, lambda X, y: (X, y)),
        ({"random_state": -1}, lambda X, y: (X, y)),
        ({}, lambda X, y: (X * 1e300, y)),
        ({}, lambda X, y: (X[:, :0], y)),
        ({}, lambda X, y: (X[:, 0], y)),
        ({}, lambda X, y: (X, y[:-1])),
        ({}, lambda X, y: (X, np.linspace(0, 1, len(y)))),
    ],
)
def test_presorted_tree_with_invalid_input_raises_scikit_learns_error(parameters, spoil):
    problem = SHAPES["numeric"](n=200)
    words = []
    for kind in (DecisionTreeClassifier, PresortedTree):
        with pytest.raises(ValueError) as caught:
            kind(**{"random_state": 0, **parameters}).fit(*spoil(problem.X_train, problem.y_train))
        words.append(str(caught.value).replace(kind.__name__, "tree"))
    assert words[0] == words[1]


def test_presorted_tree_after_a_new_fit_has_no_old_feature_names():
    problem = SHAPES["numeric"](n=200)
    frame = pd.DataFrame(problem.X_train, columns=list("abcde"))
    fast = PresortedTree(random_state=0).fit(frame, problem.y_train)
    assert list(fast.feature_names_in_) == list("abcde")
    fast.fit(problem.X_train, problem.y_train)
    assert not hasattr(fast, "feature_names_in_")


def test_drop_in_for_trees_keeps_parameters_and_rejects_others():
    made = DecisionTreeClassifier(max_depth=7, random_state=3)
    assert drop_in_for(made).get_params() == made.get_params()

    class Own(DecisionTreeClassifier):
        pass

    for other in (
        DecisionTreeClassifier(),
        DecisionTreeClassifier(random_state=np.random.RandomState(0)),
        DecisionTreeClassifier(random_state=0, max_features="sqrt"),
        DecisionTreeClassifier(random_state=0, class_weight="balanced"),
        DecisionTreeClassifier(random_state=0, monotonic_cst=np.array([1, 0])),
        Own(random_state=0),
        AdaBoostClassifier(DecisionTreeClassifier(random_state=0)),
    ):
        assert drop_in_for(other) is other


def test_presorted_tree_passes_the_estimator_checks():
    check_estimator(PresortedTree(random_state=0))


@pytest.mark.data
@pytest.mark.parametrize("name", PAPER_DATASETS)
def test_presorted_tree_on_the_six_datasets_equals_scikit_learn(data_dir, name):
    split = make_split(load_dataset(name, data_dir=data_dir), ir=100, seed=0)
    check_equal(DecisionTreeClassifier(random_state=0), split.X_train, split.y_train)
