"""SAMME.R: by hand, against the algorithm in plain steps, and as a scikit-learn classifier."""

import numpy as np
import pytest
from sklearn.metrics import f1_score
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import check_estimator

from autosmote.config.groups import load_group
from autosmote.config.schema import ClassifierSettings
from autosmote.config.targets import make_classifier
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.metrics import macro_f1
from autosmote.scoring.estimators.samme_r import AdaBoostSammeR
from autosmote.scoring.kernels.presort import sort_columns
from autosmote.scoring.kernels.weighted_splits import best_split

EPSILON = np.finfo(np.float64).eps


def plain_samme_r(X, y, queries, n_estimators=50, learning_rate=1.0, sample_weight=None):
    """Return the decision for queries, (n, K), by Zhu et al.'s Algorithm 4 with sklearn's trees."""
    classes = np.unique(y)
    K = len(classes)
    weight = np.ones(len(y)) if sample_weight is None else np.array(sample_weight, float)
    least = EPSILON * weight
    weight /= weight.sum()
    coding = np.where(y[:, None] == classes, 1.0, -1.0 / (K - 1))
    decision, n_stumps = np.zeros((len(queries), K)), 0
    for _ in range(n_estimators):
        weight = np.maximum(weight, least)
        stump = DecisionTreeClassifier(max_depth=1, random_state=0).fit(X, y, weight)
        log = np.log(np.maximum(stump.predict_proba(queries), EPSILON))
        decision += (K - 1) * (log - log.mean(axis=1, keepdims=True))
        n_stumps += 1
        if not weight[stump.predict(X) != y].sum() > 0:
            break
        log = np.log(np.maximum(stump.predict_proba(X), EPSILON))
        weight = weight * np.exp(-learning_rate * (K - 1) / K * (coding * log).sum(axis=1))
        weight /= weight.sum()
    return decision / n_stumps


def problem(n_classes, n=300, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n)
    X = rng.normal(size=(n, 4)) + 0.8 * y[:, None] * np.array([1, -0.5, 0.3, 0])
    return X, y, rng.normal(size=(200, 4)) * 1.5


def test_fit_two_stumps_equal_those_by_hand():
    # Split at 1.5: on the left three of class 0, on the right one of class 0 and two of class 1.
    X = np.array([[0.0], [1.0], [1.0], [2.0], [3.0], [4.0]])
    y = np.array([0, 0, 0, 0, 1, 1])
    y[0] = 1  # left: classes 1, 0, 0; the best split is between 2 and 3
    model = AdaBoostSammeR(n_estimators=2).fit(X, y)
    assert (model.features_[0], model.thresholds_[0]) == (0, 2.5)
    np.testing.assert_allclose(model.probabilities_[0], [[3 / 4, 1 / 4], [0, 1]])
    # exp(-1/2 (log p_own - log p_other)) = sqrt(p_other / p_own): the wrong row gets sqrt(3), the
    # right ones of its leaf sqrt(1/3); those of the pure leaf, clipped, hardly any weight.
    weight = np.array([np.sqrt(3), *[np.sqrt(1 / 3)] * 3])
    weight /= weight.sum()
    np.testing.assert_allclose(weight, [1 / 2, 1 / 6, 1 / 6, 1 / 6])
    # The second stump sets the wrong row apart.
    assert model.thresholds_[1] == 0.5
    np.testing.assert_allclose(model.probabilities_[1], [[0, 1], [1, 0]], atol=1e-7)
    low = np.log(EPSILON)
    first = (np.log(1 / 4) - np.log(3 / 4)) / 2 * 2
    expected = (first - low) / 2  # of the first row: 1/4 to 3/4, and surely class 1
    assert model.decision_function([[0.0]])[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.5, "n_estimators": 20}])
def test_decision_equals_the_algorithm_in_plain_steps(n_classes, settings):
    X, y, queries = problem(n_classes)
    model = AdaBoostSammeR(**settings).fit(X, y)
    expected = plain_samme_r(X, y, queries, **settings)
    found = model.decision_function(queries)
    if n_classes == 2:
        expected = expected[:, 1] - expected[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    assert len(model.features_) == settings.get("n_estimators", 50)
    assert f1_score(y, model.predict(X), average="macro") > 1.3 / n_classes


def test_weights_count_as_repeated_rows_and_zero_weights_as_none():
    X, y, queries = problem(2, n=120)
    weight = np.random.default_rng(1).integers(0, 3, len(y)).astype(float)
    model = AdaBoostSammeR(n_estimators=10).fit(X, y, weight)
    repeated = AdaBoostSammeR(n_estimators=10).fit(
        np.repeat(X, weight.astype(int), axis=0), np.repeat(y, weight.astype(int))
    )
    found = model.decision_function(queries)
    np.testing.assert_allclose(found, repeated.decision_function(queries), rtol=1e-6)
    plain = plain_samme_r(X, y, queries, 10, sample_weight=weight)
    np.testing.assert_allclose(found, plain[:, 1] - plain[:, 0], rtol=1e-6)


def test_fit_stops_at_a_stump_without_mistakes():
    X = np.arange(8.0)[:, None]
    model = AdaBoostSammeR().fit(X, X[:, 0] > 3)
    assert len(model.features_) == 1 and model.thresholds_[0] == 3.5
    assert model.predict([[3.4], [3.6]]).tolist() == [False, True]


def test_threshold_between_neighbouring_float32_values_tells_them_apart():
    low = np.float32(1.0)
    high = np.float32(1.0 + 2e-7)
    X = np.array([[low], [high]], dtype=np.float32)
    model = AdaBoostSammeR(n_estimators=1).fit(X, [0, 1])
    assert model.predict(X).tolist() == [0, 1]


def test_without_a_split_all_rows_are_of_the_larger_class():
    X, y = np.ones((5, 2)), np.array([0, 1, 1, 1, 0])
    assert AdaBoostSammeR().fit(X, y).predict(X).tolist() == [1] * 5


def test_best_split_equals_that_of_a_tree():
    for seed in range(5):
        X, y, _ = problem(3, n=80, seed=seed)
        weight = np.random.default_rng(seed).random(len(y))
        columns = np.ascontiguousarray(X.T.astype(np.float32))
        found = best_split(sort_columns(columns), columns, weight, y, 3)
        tree = DecisionTreeClassifier(max_depth=1, random_state=0).fit(X, y, weight).tree_
        assert found == (tree.feature[0], pytest.approx(tree.threshold[0], abs=1e-12))


@pytest.mark.parametrize("settings", [{"n_estimators": 0}, {"learning_rate": 0}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValueError, match="must be at least 1 and learning_rate above 0"):
        AdaBoostSammeR(**settings).fit([[0.0], [1.0]], [0, 1])


def test_scikit_learn_s_checks_pass():
    check_estimator(AdaBoostSammeR(n_estimators=5), on_skip=None)


def test_conf_names_the_class_and_it_learns_the_toy_data():
    clf = load_group("clf", "adaboost_samme_r", ClassifierSettings)
    model = make_classifier(clf)
    assert model.get_params() == {"n_estimators": 50, "learning_rate": 1.0}
    split = make_split(load_dataset("toy"), ir=None, seed=0)
    model.fit(split.X_train, split.y_train)
    assert macro_f1(split.y_train, model.predict(split.X_train)) > 0.7
