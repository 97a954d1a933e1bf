"""The table of classifiers by name."""

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from autosmote.config.names import CONF_DIR
from autosmote.errors import InputError
from autosmote.own_table.estimators import ESTIMATORS, make_estimator, prepare
from autosmote.sampler import checks
from autosmote.sampler.encoding import tabular

OPTIONAL = ("lightgbm", "xgboost", "catboost")


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name not in OPTIONAL])
def test_make_estimator_of_each_name_gives_a_seeded_classifier(name):
    estimator = make_estimator(name, 7)
    assert is_classifier(estimator)
    assert estimator.get_params().get("random_state", 7) == 7


@pytest.mark.parametrize("name", OPTIONAL)
def test_make_estimator_of_a_missing_package_says_how_to_get_it(name, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ValueError, match=f"'{name}' needs the package {name}.*pip install {name}"):
        make_estimator(name)


def test_make_estimator_of_an_import_path_makes_that_class():
    assert type(make_estimator("sklearn.naive_bayes.GaussianNB")).__name__ == "GaussianNB"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lightgmb", r"no estimator 'lightgmb' \(did you mean lightgbm\?\)"),
        ("sklearn.svm.LinearSVX", "cannot be imported"),
        ("sklearn.linear_model.LinearRegression", "is no classifier"),
        ("sklearn.preprocessing.StandardScaler", "is no classifier"),
        ("sklearn.multioutput.ClassifierChain", "cannot be made without arguments"),
    ],
)
def test_make_estimator_of_a_mistake_says_what_is_wrong(name, message):
    with pytest.raises(ValueError, match=message):
        make_estimator(name)


def test_prepare_for_numbers_puts_a_scaler_in_front_of_distances_alone():
    X = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})
    assert [name for name, _ in prepare("knn", X).front] == ["scale"]
    tree = prepare("dt", X)
    assert tree.front == [] and isinstance(tree.estimator, DecisionTreeClassifier)


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"a": ["x", "y"]}),
        pd.DataFrame({"a": [1.0, np.nan]}),
        pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}),
        np.array([[1.0], [np.nan]]),
    ],
)
def test_prepare_for_categories_or_gaps_puts_an_encoder_into_the_estimator(X):
    prepared = prepare("dt", X)
    assert prepared.front == [] and isinstance(prepared.estimator, Pipeline)


def test_prepare_refuses_one_hot_columns_too_large_for_memory_before_any_fit(monkeypatch):
    monkeypatch.setattr(checks, "MAX_BYTES", 4 * 8 * 100 * 50)
    X = pd.DataFrame({"x": 2**60 + np.arange(100), "few": ["a", "b"] * 50})
    assert prepare("dt", X).front == []
    with pytest.raises(InputError, match=r"Column 'ref' has 100 categories, .* leave it out"):
        prepare("dt", X.assign(ref=[f"r{i}" for i in range(100)]))


@pytest.mark.parametrize("estimator", ["dt", "knn", tabular(DecisionTreeClassifier(), scale=True)])
@pytest.mark.parametrize("as_frame", [True, False])
def test_prepare_names_a_number_that_overflows_before_a_scaler_makes_gaps_of_it(
    estimator, as_frame
):
    X = pd.DataFrame({"x": np.arange(9.0), "h": [1e308] * 3 + [1.0] * 6})
    with pytest.raises(InputError, match=rf"1e\+308 in column {'.h.' if as_frame else '1'};"):
        prepare(estimator, X if as_frame else X.to_numpy())


@pytest.mark.parametrize("estimator", ["dt", "svc_rbf", DecisionTreeClassifier()])
def test_prepare_refuses_dates_for_every_classifier_but_a_pipeline_of_the_callers(estimator):
    X = pd.DataFrame({"x": [1, 2], "day": pd.to_datetime(["2024-01-01", "2024-01-02"])})
    with pytest.raises(InputError, match=r"Column 'day' is of type .* neither a number nor a cat"):
        prepare(estimator, X)
    own = Pipeline([("tree", DecisionTreeClassifier())])
    assert list(prepare(own, X).estimator.named_steps) == ["tree"]


def test_prepare_refuses_a_regressor_in_a_pipeline_too():
    for regressor in (Ridge(), Pipeline([("ridge", Ridge())])):
        with pytest.raises(InputError, match="is a regressor; give a classifier"):
            prepare(regressor, np.eye(3))


@pytest.mark.parametrize("name", OPTIONAL)
def test_optional_classifier_is_trained_on_a_table_with_any_names_and_gaps(name):
    pytest.importorskip(name)
    text = pd.Series(["a", "b", None] * 20, dtype=object)
    X = pd.DataFrame({"[size], {of} <it>": np.arange(60) % 7, "kind": text})
    y = (X.iloc[:, 0] > 4).astype(int).to_numpy()
    model = prepare(name, X).estimator.fit(X, y)
    assert (model.predict(X) == y).mean() > 0.9


def test_prepare_leaves_a_pipeline_of_the_callers_as_it_is_but_for_its_seed():
    own = Pipeline([("tree", DecisionTreeClassifier())])
    prepared = prepare(own, pd.DataFrame({"a": ["x", "y"]})).estimator
    assert list(prepared.named_steps) == ["tree"] and own[0].random_state is None
    assert isinstance(prepared[0].random_state, int)
    own.set_params(tree__random_state=7)
    assert prepare(own, np.eye(2)).estimator[0].random_state == 7


@pytest.mark.parametrize(
    ("estimator", "name"),
    [(KMeans(2), "KMeans"), (DecisionTreeClassifier, "DecisionTreeClassifier"), (5, "int")],
)
def test_prepare_refuses_what_is_no_classifier(estimator, name):
    with pytest.raises(InputError, match=f"The estimator {name} is no classifier; give one"):
        prepare(estimator, np.eye(3))


class Plain(BaseEstimator):
    """A classifier that does not say that it is one."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.resize(self.classes_, len(X))


class WrongOrder(Plain, ClassifierMixin):
    """One whose tags are those of the first that it inherits from."""


@pytest.mark.parametrize("estimator", [Plain(), WrongOrder()])
def test_prepare_takes_what_fits_and_predicts_and_does_not_say_what_it_is(estimator):
    assert type(prepare(estimator, np.eye(3)).estimator) is type(estimator)


@pytest.mark.parametrize(
    "name", ["histgb", "logistic", "forest", "svc_rbf", "mlp", "lightgbm", "xgboost", "catboost"]
)
def test_classifier_of_a_run_and_of_the_commands_are_the_same(name):
    settings = yaml.safe_load((CONF_DIR / "clf" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert settings["name"] == name and settings["_target_"] == ESTIMATORS[name].path
    assert settings["params"] == {**ESTIMATORS[name].settings, "random_state": 0}
