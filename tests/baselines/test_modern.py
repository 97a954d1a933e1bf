"""Modern methods against the same computed by hand, for all classifiers and metrics."""

import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from parts import check_first_use, global_states, numeric
from sklearn.ensemble import AdaBoostClassifier
from sklearn.metrics import f1_score, make_scorer, matthews_corrcoef
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from autosmote.config.targets import from_target
from autosmote.errors import UserError
from autosmote.metrics import score
from baselines.modern import (
    BalancedRandomForest,
    ClassWeights,
    CrossfitThreshold,
    EasyEnsemble,
    OptunaSearch,
    TunedThreshold,
)

CONF = Path(__file__).parents[2] / "conf" / "sampler"
NAMES = [
    *("classweights", "threshold", "threshold_crossfit"),
    *("balancedrandomforest", "easyensemble", "optuna"),
]
CLASSIFIERS = {
    "svm": LinearSVC(random_state=0),
    "knn": KNeighborsClassifier(),
    "dt": DecisionTreeClassifier(random_state=0, max_depth=6, min_samples_leaf=5),
    "adaboost": AdaBoostClassifier(random_state=0, n_estimators=20),
}
TRAIN, VAL, TEST = numeric(300, 30), numeric(120, 12, seed=1), numeric(120, 12, seed=2)
every_classifier = pytest.mark.parametrize("clf", CLASSIFIERS)
every_metric = pytest.mark.parametrize("metric", ["macro_f1", "mcc"])
needs_optuna = pytest.mark.rivals("optuna")


def fit(method, clf="dt", metric="macro_f1"):
    estimator = CLASSIFIERS[clf]
    return method.fit(TRAIN.X, TRAIN.y, VAL.X, VAL.y, estimator=estimator, metric=metric)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[needs_optuna] * (name == "optuna")) for name in NAMES]
)
def test_method_by_its_configuration_is_deterministic(name):
    config = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    assert (config["name"], config["kind"]) == (name, "method")
    params = config.get("params", {}) | ({"fits": 20} if name == "optuna" else {})
    predictions = []
    for seed in (0, 0):
        state = global_states()
        method = from_target("sampler", config["_target_"], params, random_state=seed)
        assert fit(method, "svm") is method
        predictions.append(method.predict(TEST.X))
        assert global_states() == state
    assert np.array_equal(*predictions)
    assert predictions[0].dtype == np.int8 and set(np.unique(predictions[0])) == {0, 1}
    assert not hasattr(CLASSIFIERS["svm"], "coef_")  # the estimator is cloned


# Class weights.


@pytest.mark.parametrize("clf", ["svm", "dt"])
def test_class_weights_are_balanced(clf):
    expected = type(CLASSIFIERS[clf])(**CLASSIFIERS[clf].get_params())
    expected.set_params(class_weight="balanced").fit(TRAIN.X, TRAIN.y)
    method = fit(ClassWeights(random_state=0), clf)
    assert np.array_equal(method.predict(TEST.X), expected.predict(TEST.X))
    plain = type(expected)(**CLASSIFIERS[clf].get_params()).fit(TRAIN.X, TRAIN.y)
    assert method.predict(TEST.X).sum() > plain.predict(TEST.X).sum()


def test_class_weights_of_adaboost_are_row_weights():
    weights = np.where(TRAIN.y == 1, 330 / 60, 330 / 600)
    expected = AdaBoostClassifier(random_state=0, n_estimators=20)
    expected.fit(TRAIN.X, TRAIN.y, sample_weight=weights)
    method = fit(ClassWeights(random_state=0), "adaboost")
    assert np.array_equal(method.predict(TEST.X), expected.predict(TEST.X))


def test_class_weights_of_nearest_neighbours_raise():
    with pytest.raises(ValueError, match="KNeighborsClassifier takes neither class weights"):
        fit(ClassWeights(random_state=0), "knn")


# The threshold.


@every_classifier
@every_metric
def test_threshold_is_the_best_on_validation(clf, metric):
    method = fit(TunedThreshold(random_state=0), clf, metric)
    plain = type(CLASSIFIERS[clf])(**CLASSIFIERS[clf].get_params()).fit(TRAIN.X, TRAIN.y)
    if hasattr(plain, "decision_function"):
        scores, own = plain.decision_function(VAL.X), 0.0
    else:
        scores, own = plain.predict_proba(VAL.X)[:, 1], 0.5
    by_sklearn = {
        "macro_f1": lambda y: f1_score(VAL.y, y, average="macro", zero_division=0),
        "mcc": lambda y: matthews_corrcoef(VAL.y, y),
    }[metric]
    best = max(by_sklearn(scores > t) for t in [*(np.unique(scores)[:-1] + 1e-12), own])
    assert by_sklearn(method.predict(VAL.X)) == pytest.approx(best)
    assert best > by_sklearn(plain.predict(VAL.X))  # otherwise nothing is tuned here
    assert np.array_equal(scores > own, plain.predict(VAL.X) == 1)


def test_threshold_in_ties_is_the_default():
    tree = DecisionTreeClassifier(random_state=0)  # pure leaves: the probabilities are 0 and 1
    method = TunedThreshold(random_state=0).fit(
        TRAIN.X, TRAIN.y, VAL.X, VAL.y, estimator=tree, metric="mcc"
    )
    assert method.threshold_ == 0.5
    assert np.array_equal(
        method.predict(TEST.X), tree.fit(TRAIN.X, TRAIN.y).predict(TEST.X).astype(np.int8)
    )


# Ensembles.


@pytest.mark.parametrize("cls", [BalancedRandomForest, EasyEnsemble])
def test_ensemble_equals_imbalanced_learn_s(cls):
    import imblearn.ensemble

    original = getattr(imblearn.ensemble, f"{cls.__name__}Classifier")
    method = fit(cls(random_state=3, n_estimators=4))
    expected = original(random_state=3, n_estimators=4).fit(TRAIN.X, TRAIN.y)
    assert np.array_equal(method.predict(TEST.X), expected.predict(TEST.X))
    other = fit(cls(random_state=4, n_estimators=4))
    assert not np.array_equal(method.predict(VAL.X), other.predict(VAL.X))
    with pytest.raises(UserError, match=r"do not suit .*'n_estimator'"):
        from_target(
            "sampler", f"baselines.modern.{cls.__name__}", {"n_estimator": 3}, random_state=0
        )


def test_easy_ensemble_with_the_drop_in_classifier_equals_imbalanced_learn_s():
    from imblearn.ensemble import EasyEnsembleClassifier

    config = yaml.safe_load((CONF / "easyensemble.yaml").read_text())
    method = fit(from_target("sampler", config["_target_"], config["params"], random_state=3))
    assert type(method._model.estimator) is not AdaBoostClassifier
    expected = EasyEnsembleClassifier(random_state=3).fit(TRAIN.X, TRAIN.y)
    for X in (VAL.X, TEST.X):
        assert np.array_equal(method._model.predict_proba(X), expected.predict_proba(X))


# Optuna.


class Counting(DecisionTreeClassifier):
    """Records the minority rows of each fit and the predictions for validation."""

    seen: list[int] = []  # noqa: RUF012 -- shared by the clones
    predicted: list[np.ndarray] = []  # noqa: RUF012

    def fit(self, X, y, **kwargs):
        self.seen.append(int(np.sum(y)))
        return super().fit(X, y, **kwargs)

    def predict(self, X, **kwargs):
        self.predicted.append(super().predict(X, **kwargs))
        return self.predicted[-1]


@needs_optuna
@every_metric
def test_optuna_keeps_the_best_of_as_many_fits(metric):
    Counting.seen.clear()
    Counting.predicted.clear()
    method = OptunaSearch(random_state=0, fits=40)
    method.fit(TRAIN.X, TRAIN.y, VAL.X, VAL.y, estimator=Counting(random_state=0), metric=metric)
    assert len(Counting.seen) + method.n_failed_ == 40
    assert Counting.seen[0] == 30  # no resampling
    assert len(set(Counting.seen)) > 10 and max(Counting.seen) <= 300
    values = [score(metric, VAL.y, y) for y in Counting.predicted]
    assert values[-1] < max(values) == method.best_score_
    assert score(metric, VAL.y, method.predict(VAL.X)) == method.best_score_
    plain = DecisionTreeClassifier(random_state=0).fit(TRAIN.X, TRAIN.y)
    assert method.best_score_ >= score(metric, VAL.y, plain.predict(VAL.X))
    few = OptunaSearch(random_state=0, fits=5)
    few.fit(TRAIN.X, TRAIN.y, VAL.X, VAL.y, estimator=Counting(random_state=0), metric=metric)
    assert few.best_score_ <= method.best_score_


@needs_optuna
def test_optuna_s_samplers_all_run():
    from baselines import modern

    for name, (_, neighbours) in modern._SPACE.items():
        choice = {"sampler": name}
        if name not in modern._WITHOUT_RATIO:
            choice["ratio"] = 0.4
        if neighbours:
            choice["k"] = 3
        X, y = modern._resample(choice, 0, TRAIN.X, TRAIN.y)
        assert len(X) == len(y)
        assert (len(y) != 330) == (name != "none")
        if "ratio" in choice and "ENN" not in name and "Tomek" not in name:
            assert np.count_nonzero(y == 1) == pytest.approx(
                0.4 * np.count_nonzero(y == 0), rel=0.1
            )


@needs_optuna
def test_optuna_counts_samplers_that_fail_as_trials():
    train = numeric(100, 2)
    method = OptunaSearch(random_state=0, fits=30)
    method.fit(train.X, train.y, VAL.X, VAL.y, estimator=CLASSIFIERS["dt"], metric="macro_f1")
    assert 0 < method.n_failed_ < 30
    assert method.best_score_ > 0


@needs_optuna
def test_optuna_prints_nothing_and_leaves_generators_unchanged(capfd):
    import optuna

    before = optuna.logging.get_verbosity()
    fit(OptunaSearch(random_state=0, fits=3))
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")
    statement = """
from baselines.modern import OptunaSearch
OptunaSearch(random_state=0, fits=12).fit(
    part.X, part.y, part.X, part.y, estimator=DecisionTreeClassifier(random_state=0), metric="mcc"
)
"""
    check_first_use(statement, before="from sklearn.tree import DecisionTreeClassifier")


@needs_optuna
def test_optuna_without_fits_raises():
    with pytest.raises(UserError, match="fits must be at least 1, not 0"):
        OptunaSearch(random_state=0, fits=0)


def test_missing_package_raises(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UserError, match="extra `optuna`"):
        OptunaSearch(random_state=0)


# Both parts as one.


@every_metric
@every_classifier
def test_crossfit_threshold_is_that_of_scikit_learn_on_both_parts(clf, metric):
    X, y = np.vstack([TRAIN.X, VAL.X]), np.append(TRAIN.y, VAL.y)
    method = fit(CrossfitThreshold(random_state=0), clf, metric)
    scorer = make_scorer(f1_score, average="macro") if metric == "macro_f1" else (
        make_scorer(matthews_corrcoef)
    )  # fmt: skip
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    expected = TunedThresholdClassifierCV(CLASSIFIERS[clf], scoring=scorer, cv=folds).fit(X, y)
    assert np.array_equal(method.predict(TEST.X), expected.predict(TEST.X))


def test_joined_class_weights_are_of_both_parts():
    X, y = np.vstack([TRAIN.X, VAL.X]), np.append(TRAIN.y, VAL.y)
    method = fit(ClassWeights(random_state=0, join=True), "svm")
    expected = LinearSVC(random_state=0, class_weight="balanced").fit(X, y)
    assert np.array_equal(method.predict(TEST.X), expected.predict(TEST.X))
    alone = fit(ClassWeights(random_state=0), "svm")
    assert not np.array_equal(method._model.coef_, alone._model.coef_)
