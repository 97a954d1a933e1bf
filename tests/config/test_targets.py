"""Classifiers and samplers from import paths."""

import pytest
from composing import compose_run
from sklearn.base import BaseEstimator
from table2 import TABLE2

from autosmote.config.schema import ClassifierSettings
from autosmote.config.targets import (
    check_classifier,
    from_target,
    make_classifier,
    make_sampler,
)
from autosmote.errors import UserError


@pytest.mark.parametrize("name", TABLE2)
def test_sampler_config_agrees_with_its_class(name):
    sampler = compose_run(f"sampler={name.lower()}").sampler
    made = make_sampler(sampler, seed=0)._make()
    assert type(made).__name__ == name
    assert sampler.takes_ratio == (made._sampling_type != "clean-sampling")
    assert set(sampler.params) <= {"sampler"}  # the class's defaults


@pytest.mark.parametrize("name", ["svm", "knn", "dt", "adaboost"])
def test_classifiers_have_scikit_learn_defaults(name):
    classifier = make_classifier(compose_run(f"clf={name}").clf)
    expected = type(classifier)().get_params()
    if "random_state" in expected:
        expected["random_state"] = 0
    assert classifier.get_params() == expected
    assert type(classifier).__module__.startswith("sklearn.")


def test_make_classifier_with_nested_target():
    settings = ClassifierSettings(
        "bagging",
        "sklearn.ensemble.BaggingClassifier",
        {"estimator": {"_target_": "sklearn.tree.DecisionTreeClassifier", "max_depth": 2}},
    )
    assert make_classifier(settings).estimator.max_depth == 2


@pytest.mark.parametrize(
    ("target", "params", "part"),
    [
        ("sklearn.svm.LinearSVM", {}, "cannot be imported"),
        ("sklearn.svn.LinearSVC", {}, "cannot be imported"),
        ("LinearSVC", {}, "cannot be imported"),
        ("sklearn.svm.LinearSVC", {"c": 1}, "clf.params do not suit .* it takes .*C"),
        ("sklearn.preprocessing.StandardScaler", {}, "no fit and predict"),
        ("sklearn.linear_model.Ridge", {"random_state": 0}, "is a regressor; name a classifier"),
    ],
)
def test_make_classifier_refuses(target, params, part):
    with pytest.raises(UserError, match=part):
        make_classifier(ClassifierSettings("mine", target, params))


class Foreign(BaseEstimator):
    """A classifier of another package, which inherits scikit-learn's check and lacks its rules."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return [0] * len(X)


def test_classifier_that_states_no_ranges_of_its_parameters_is_taken():
    check_classifier(ClassifierSettings("foreign", f"{__name__}.Foreign", {}))


def test_offered_arguments_go_only_where_they_are_taken():
    tomek = from_target("sampler", "imblearn.under_sampling.TomekLinks", {}, random_state=3)
    assert "random_state" not in tomek.get_params()
    smote = from_target("sampler", "imblearn.over_sampling.SMOTE", {}, random_state=3)
    assert smote.random_state == 3
    fixed = {"random_state": 5}
    smote = from_target("sampler", "imblearn.over_sampling.SMOTE", fixed, random_state=3)
    assert smote.random_state == 5
