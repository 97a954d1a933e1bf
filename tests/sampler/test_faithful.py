"""Faithful to the data: what the sampler returns looks like what it was given, or it refuses."""

import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn import config_context
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from autosmote import AutoSMOTE, AutoSMOTEClassifier, compare
from autosmote.encoding import tabular
from autosmote.errors import InputError
from autosmote.interrupts import interrupts_held
from autosmote.sampler import checks
from autosmote.sampler.classifier import AS_IT_IS, SYNTHETIC, THRESHOLD

N = 120
Y = (np.arange(N) % 6 == 0).astype(int)
RNG = np.random.default_rng(0)
BASE = RNG.normal(size=N) + Y
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)


def most_rows(model, X, y):
    """Score by the number of rows, so that the search makes as many as it can."""
    tree = model.steps[-1][1] if hasattr(model, "steps") else model
    return tree.tree_.n_node_samples[0]


def resampled(X, y=Y, estimator=None, **settings):
    settings = {"iterations": 4, "random_state": 0, "scoring": most_rows} | settings
    found = AutoSMOTE(tabular(TREE) if estimator is None else estimator, **settings)
    X_new, y_new = found.fit_resample(X, y)
    assert len(y_new) > len(y)
    return found, X_new


def with_gaps(values, missing=None):
    return [missing if i % 7 == 0 else v for i, v in enumerate(values)]


AGES = RNG.integers(18, 90, N).tolist()
TEXTS = RNG.choice(["a", "b"], N).tolist()
COLUMNS = {
    "float ages with gaps": pd.Series(with_gaps(map(float, AGES), np.nan)),
    "Int64 with gaps": pd.array(with_gaps(AGES), dtype="Int64"),
    "int64": np.array(AGES),
    "uint8": np.array(AGES, dtype=np.uint8),
    "arrow int64": pd.array(with_gaps(AGES), dtype="int64[pyarrow]"),
}


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_sampler_whole_numbers_stay_whole(column):
    X = pd.DataFrame({"x": BASE, "age": column})
    _, X_new = resampled(X, allow_nan=True)
    new = X_new["age"].iloc[N:]
    assert X_new["age"].dtype == X["age"].dtype
    assert (new.astype(float) % 1 == 0).all() and new.astype(int).nunique() > 3
    pd.testing.assert_frame_equal(X_new.iloc[:N], X)


@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64", "double[pyarrow]"])
def test_sampler_decimals_keep_the_columns_digits(dtype):
    X = pd.DataFrame({"x": BASE, "price": pd.Series(BASE.round(2)).astype(dtype)})
    _, X_new = resampled(X)
    new = X_new["price"].iloc[N:].to_numpy(dtype=float).astype(np.float32)
    assert np.array_equal(new, new.round(2)) and len(set(new)) > 3
    x = X_new["x"].iloc[N:]
    assert not np.array_equal(x, x.round(6))  # the other column has more digits


TEXT_TYPES = {
    "None": ("object", None),
    "pd.NA": ("object", pd.NA),
    "nan": ("object", np.nan),
    "string": ("string", pd.NA),
    "arrow": (pd.ArrowDtype(pa.string()), pd.NA),
    "category": ("category", np.nan),
}


@pytest.mark.parametrize(("dtype", "missing"), TEXT_TYPES.values(), ids=TEXT_TYPES)
def test_sampler_missing_text_is_accepted_of_every_type(dtype, missing):
    X = pd.DataFrame({"x": BASE, "t": pd.Series(with_gaps(TEXTS, missing), dtype=dtype)})
    _, X_new = resampled(X, allow_nan=True)
    assert set(X_new["t"].iloc[N:]) == {"a", "b"}
    pd.testing.assert_frame_equal(X_new.iloc[:N], X)


@pytest.mark.parametrize("dtype", ["float64", "object", "Int64", "string"])
def test_sampler_column_without_values_stays_one(dtype):
    X = pd.DataFrame({"x": BASE, "gone": pd.Series([None] * N, dtype=dtype)})
    _, X_new = resampled(X, allow_nan=True)
    assert X_new["gone"].isna().all() and X_new["gone"].dtype == X["gone"].dtype


BEYOND = {
    "int64": np.full(N, 2**63 - 1),
    "smallest": np.full(N, -(2**63)),
    "uint64": np.full(N, 2**64 - 1, dtype=np.uint64),
    "ids": 2**60 + np.arange(N),
    "Int64": pd.array(2**60 + np.arange(N), dtype="Int64"),
    "arrow": pd.array(2**60 + np.arange(N), dtype="int64[pyarrow]"),
}


@pytest.mark.parametrize("column", BEYOND.values(), ids=BEYOND)
def test_sampler_whole_numbers_beyond_floats_are_refused(column):
    with pytest.raises(InputError, match=r"Column 'big' has whole numbers from 2\*\*53 on"):
        resampled(pd.DataFrame({"x": BASE, "big": column}))


def test_sampler_array_of_whole_numbers_beyond_floats_is_refused():
    with pytest.raises(InputError, match="Column 1 has whole numbers"):
        resampled(np.column_stack([np.arange(N), np.full(N, 2**60)]))
    edge = np.column_stack([np.arange(N), np.full(N, 2**53 - 1)])
    assert (resampled(edge, estimator=TREE)[1][:, 1] == 2**53 - 1).all()


@pytest.mark.parametrize("as_frame", [True, False])
def test_sampler_number_that_overflows_is_named(as_frame):
    huge = np.where(np.arange(N) < 3, 1e308, BASE)
    X = pd.DataFrame({"x": BASE, "h": huge}) if as_frame else np.column_stack([BASE, huge])
    column = "'h'" if as_frame else "1"
    with pytest.raises(InputError, match=rf"1e\+308 in column {column}; numbers beyond 1e\+150"):
        resampled(X)


DATES = {
    "datetime64": pd.date_range("2024-01-01", periods=N),
    "with zone": pd.date_range("2024-01-01", periods=N, tz="UTC"),
    "durations": pd.timedelta_range("1h", periods=N),
    "arrow": pd.Series(pd.date_range("2024-01-01", periods=N)).astype("timestamp[ns][pyarrow]"),
    "periods": pd.period_range("2024-01", periods=N, freq="M"),
    "Python's": [datetime.date(2024, 1, 1 + i % 20) for i in range(N)],
    "of two types, with gaps": with_gaps([datetime.date(2024, 1, 1), pd.Timestamp("2024")] * 60),
    "times": [datetime.time(i % 24) for i in range(N)],
    "Python's durations": pd.Series([datetime.timedelta(i % 5) for i in range(N)], dtype=object),
}


@pytest.mark.parametrize("dates", DATES.values(), ids=DATES)
@pytest.mark.parametrize("estimator", [None, TREE], ids=["encoded", "tree"])
def test_sampler_dates_are_refused_in_one_sentence(dates, estimator):
    X = pd.DataFrame({"x": BASE, "day": dates})
    refused = pytest.raises(InputError, match=r"'day' is of type .* neither a number nor a cat")
    with refused:
        resampled(X, estimator=estimator, allow_nan=True)
    with refused:
        tabular(TREE).fit(X, Y)
    with refused:
        compare(X, Y)


def test_dates_named_as_categories_are_some():
    X = pd.DataFrame({"x": BASE, "day": DATES["Python's"]})
    _, X_new = resampled(X, categorical_features=["day"], estimator=tabular(TREE, categorical=[1]))
    assert set(X_new["day"][N:]) <= set(X["day"])


def test_sampler_intervals_are_categories():
    bins = pd.Series(pd.cut(BASE, 5))
    for column in (bins, bins.astype("interval")):
        X = pd.DataFrame({"x": BASE, "bin": column})
        _, X_new = resampled(X)
        assert X_new["bin"].dtype == X["bin"].dtype and set(X_new["bin"][N:]) <= set(X["bin"])


@pytest.mark.parametrize("dtype", [object, pd.ArrowDtype(pa.list_(pa.int64()))])
def test_column_of_lists_is_named(dtype):
    X = pd.DataFrame({"x": BASE, "bag": pd.Series([[1, i] for i in range(N)], dtype=dtype)})
    for call in (resampled, lambda X: compare(X, Y)):
        with pytest.raises(InputError, match=r"'bag' is of type .*no categories .* into text"):
            call(X)


NAMES = {
    "whole numbers": [1, 2, 3],
    "other positions": [2, 0, 1],
    "tuples": pd.MultiIndex.from_tuples([("u", "a"), ("u", "b"), ("v", "a")]),
    "of two types": [1, (2, 3), None],
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_names_of_any_type_change_nothing_but_the_names(names):
    X = pd.DataFrame({"x": BASE, "kind": TEXTS, "flag": BASE > 0})
    renamed = X.set_axis(names, axis=1)
    for estimator in (tabular(TREE), None):
        expected, found = (
            AutoSMOTE(estimator, iterations=4, random_state=0).fit_resample(table, Y)[0]
            for table in (X, renamed)
        )
        assert found.columns.equals(renamed.columns)
        assert found.set_axis(X.columns, axis=1).equals(expected)
    encoder = tabular(TREE).fit(renamed, Y)[0]
    assert np.array_equal(encoder.transform(renamed), tabular(TREE).fit(X, Y)[0].transform(X))
    settings = {"methods": ["class weights"], "folds": 2, "repeats": 1}
    expected, found = (compare(table, Y, **settings)["score"] for table in (X, renamed))
    assert found.equals(expected)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["x", "kind", "kind"], "several columns named 'kind'; give each a name of its own"),
        ([1, 1, 2], "several columns named 1;"),
        (["x", 0, "flag"], r"a column named 0, of type int.* X\.columns\.map\(str\)"),
    ],
)
def test_names_that_scikit_learn_cannot_take_are_refused_before_the_search(names, says):
    X = pd.DataFrame({"x": BASE, "kind": TEXTS, "flag": BASE > 0}).set_axis(names, axis=1)
    model = AutoSMOTEClassifier(TREE, iterations=1, cv=2)
    for call in (AutoSMOTE().fit_resample, AutoSMOTE().fit, model.fit, compare):
        with pytest.raises(InputError, match=says):
            call(X, Y)


def test_categorical_features_of_tuples_are_refused():
    X = pd.DataFrame({("u", "a"): BASE, ("v", "b"): TEXTS})
    with pytest.raises(InputError, match="give the positions of columns whose names are tuples"):
        resampled(X, categorical_features=[("v", "b")])
    assert resampled(X, categorical_features=[1])[1].columns.equals(X.columns)


def test_pandas_output_of_every_transformer_changes_no_result():
    X = pd.DataFrame({"x": BASE, "kind": TEXTS})
    own = tabular(make_pipeline(StandardScaler(), FrameTree(max_depth=3, random_state=0)))
    settings = {"iterations": 3, "random_state": 0}

    def results():
        yield AutoSMOTE(**settings).fit_resample(X, Y)[0]
        model = AutoSMOTEClassifier(tabular(TREE), cv=2, keep=2, **settings)
        yield pd.Series(model.fit(X, Y).predict(X))
        yield compare(X, Y, methods=["SMOTE, tuned ratio"], folds=2, repeats=1)["score"]

    expected = list(results())
    with config_context(transform_output="pandas"):
        assert all(one.equals(other) for one, other in zip(results(), expected, strict=True))
        own.fit(X, Y)
    assert own[-1][-1].kind_ is pd.DataFrame  # the caller's steps have the caller's form


class FrameTree(DecisionTreeClassifier):
    """Remembers what it was fitted on."""

    def fit(self, X, y):
        self.kind_ = type(X)
        return super().fit(X, y)


def test_sampler_text_that_an_estimator_cannot_take_is_explained():
    X = pd.DataFrame({"x": BASE, "kind": TEXTS})
    with pytest.raises(InputError, match="put an encoder in front"):
        resampled(X, estimator=TREE)


def writing(copy):
    """Return a classifier that, without copy, writes into all rows that it is given."""
    return make_pipeline(StandardScaler(copy=copy), LogisticRegression())


@pytest.fixture(params=[np.array, pd.DataFrame])
def numbers(request):
    return request.param(np.column_stack([BASE * 100 + 50, AGES]))


@pytest.mark.parametrize("scoring", ["macro_f1", "balanced_accuracy"])
@pytest.mark.parametrize("own_validation", [True, False])
def test_estimator_that_writes_into_its_rows_changes_neither_them_nor_the_search(
    numbers, scoring, own_validation
):
    found = {}
    for copy in (True, False):
        X = numbers.copy()
        settings = {"validation": (X, Y)} if own_validation else {"cv": 2}
        sampler = AutoSMOTE(
            writing(copy), scoring=scoring, iterations=6, random_state=0, final="vote", keep=3,
            **settings,
        )  # fmt: skip
        X_new, _ = sampler.fit_resample(X, Y)
        votes = sampler.ensemble_.predict(X)
        assert np.array_equal(X, numbers) and np.array_equal(X_new[:N], numbers)
        found[copy] = (np.asarray(X_new), sampler.history_["reward"], votes)
    assert all(map(np.array_equal, found[True], found[False]))


@pytest.mark.parametrize("kind", [AS_IT_IS, THRESHOLD, SYNTHETIC])
def test_classifier_of_an_estimator_that_writes_into_its_rows_leaves_them(
    numbers, kind, monkeypatch
):
    def scored(self):
        return 2.0 if kind == SYNTHETIC else -1.0

    monkeypatch.setattr("autosmote.sampler.selection.FinalChoice.held_out_score", scored)
    if kind == AS_IT_IS:
        monkeypatch.setattr("autosmote.sampler.classifier.tuned_threshold", lambda *_: (0.1, -1.0))
    found = {}
    for copy in (True, False):
        X = numbers.copy()
        model = AutoSMOTEClassifier(writing(copy), iterations=4, keep=3, cv=2, random_state=0)
        model.fit(X, Y)
        assert model.chosen_ == kind or model.scores_[AS_IT_IS] == model.scores_[THRESHOLD]
        found[copy] = (model.predict_proba(X), model.predict(X), list(model.scores_.values()))
        assert np.array_equal(X, numbers)
    assert all(map(np.array_equal, found[True], found[False]))


def test_compare_of_an_estimator_that_writes_into_its_rows_is_that_of_one_that_does_not():
    numbers = np.column_stack([BASE * 100 + 50, AGES])
    settings = {
        "methods": ["class weights", "SMOTE with the vote", "AutoSMOTE with the vote"],
        "folds": 2, "repeats": 1, "iterations": 3,
    }  # fmt: skip
    X = numbers.copy()
    expected, found = (compare(X, Y, writing(copy), **settings) for copy in (True, False))
    assert found["score"].equals(expected["score"]) and np.array_equal(X, numbers)


class Coded(DecisionTreeClassifier):
    """A classifier that takes labels 0, 1 and so on alone, as XGBoost's does."""

    def fit(self, X, y):
        if not np.array_equal(np.unique(y), np.arange(len(np.unique(y)))):
            raise ValueError("Invalid classes inferred from unique values of `y`")
        return super().fit(X, y)


@pytest.mark.parametrize("labels", [("many", "few"), (1, 2)])
@pytest.mark.parametrize("kind", [AutoSMOTE, AutoSMOTEClassifier])
def test_labels_that_an_estimator_cannot_take_are_explained(kind, labels):
    X, y = np.column_stack([BASE, BASE]), np.array(labels)[Y]
    with pytest.raises(InputError, match=r"fails on the labels .*LabelEncoder makes them"):
        model = kind(Coded(), iterations=2)
        getattr(model, "fit_resample", model.fit)(X, y)


@pytest.mark.parametrize("name", ["sample_weight", "validation"])
def test_sampler_unknown_keyword_is_a_type_error(name):
    for method in (AutoSMOTE().fit_resample, AutoSMOTE().fit, AutoSMOTEClassifier().fit):
        with pytest.raises(TypeError, match=name):
            method(BASE[:, None], Y, **{name: Y})


def test_sampler_regressor_is_refused():
    with pytest.raises(InputError, match="LinearRegression is a regressor"):
        resampled(BASE[:, None], estimator=LinearRegression())
    with pytest.raises(InputError, match="LinearRegression is a regressor"):
        AutoSMOTEClassifier(LinearRegression()).fit(BASE[:, None], Y)


def polars_like(columns):
    """Return what has polars' name and way out, as the package need not be here."""

    def to_pandas(self):
        return pd.DataFrame(columns)

    frame = type("DataFrame", (), {"to_pandas": to_pandas, "__module__": "polars.dataframe.frame"})
    return frame()


@pytest.mark.parametrize(
    ("table", "kind"), [(pa.table, "pyarrow Table"), (polars_like, "polars DataFrame")]
)
def test_sampler_other_packages_tables_are_refused_before_the_search(table, kind):
    calls = []
    X = table({"x": BASE})
    refused = pytest.raises(InputError, match=rf"{kind}; pass X\.to_pandas\(\)")
    with refused:
        resampled(X, callback=lambda *_: calls.append(1))
    with refused:
        AutoSMOTEClassifier(callback=lambda *_: calls.append(1)).fit(X, Y)
    assert not calls
    model = AutoSMOTEClassifier(iterations=1, cv=2).fit(X.to_pandas(), Y)
    with refused:
        model.predict(X)
    assert len(model.predict(X.to_pandas())) == N


def test_sampler_one_hot_block_too_large_for_memory_names_its_column(monkeypatch):
    monkeypatch.setattr(checks, "MAX_BYTES", 4 * 8 * N * 100)
    X = pd.DataFrame({"x": BASE, "few": TEXTS, "ref": [f"r{i}" for i in range(N)]})
    with pytest.raises(InputError, match=r"Column 'ref' has 120 categories, .* leave it out"):
        resampled(X)
    assert len(resampled(X.assign(ref=TEXTS))[1]) > N


@pytest.mark.parametrize("search_options", [{}, {"lambda_head": "continuous"}])
@pytest.mark.parametrize("method", ["paper", "class_aware"])
def test_parents_are_the_rows_that_synthetic_ones_lie_between(method, search_options):
    X = np.column_stack([BASE, RNG.normal(size=N)])
    found, X_new = resampled(X, estimator=TREE, method=method, search_options=search_options)
    parents = found.parents_
    a, b, weight = X[parents["row"]], X[parents["neighbour"]], parents["weight"][:, None]
    assert len(parents) == len(X_new) - N and (Y[parents["neighbour"]] == 1).all()
    np.testing.assert_allclose(X_new[N:], a + weight * (b - a), rtol=1e-9)
    assert ((weight >= 0) & (weight <= 1)).all()


def test_parents_of_several_classes_follow_the_rows():
    X, y = np.column_stack([BASE, RNG.normal(size=N)]), np.where(np.arange(N) % 5 == 1, 2, Y)
    found, X_new = resampled(X, y, estimator=TREE, iterations=12)
    parents = found.parents_
    assert len(set(y[parents["row"]])) == 2
    a, b, weight = X[parents["row"]], X[parents["neighbour"]], parents["weight"][:, None]
    np.testing.assert_allclose(X_new[N:], a + weight * (b - a), rtol=1e-9)


# ---------------------------------------------------------------- never worse than asked


@pytest.mark.parametrize("final", ["best", "vote"])
@pytest.mark.parametrize("method", ["paper", "class_aware"])
def test_no_synthetic_rows_are_a_candidate(method, final):
    def fewest_rows(model, X, y):
        return -most_rows(model, X, y)

    X = np.column_stack([BASE, RNG.normal(size=N)])
    found = AutoSMOTE(
        TREE, scoring=fewest_rows, iterations=12, method=method, final=final, random_state=0
    )
    X_new, y_new = found.fit_resample(X, Y)
    assert np.array_equal(X_new, X) and np.array_equal(y_new, Y)
    assert found.best_score_ == found.baseline_score_ and found.sampling_strategy_ == {1: 0}
    assert len(found.parents_) == 0 and not found.sampling_counts_.any()
    assert found.history_["n_synthetic"].max() > 0 or method == "class_aware"


def test_ties_go_to_fewer_rows():
    X = np.column_stack([BASE, RNG.normal(size=N)])
    plain = round(0.75 * N)

    def any_rows(model, X, y):
        return float(model.tree_.n_node_samples[0] > plain)

    found = AutoSMOTE(TREE, scoring=any_rows, iterations=12, random_state=0)
    _, y_new = found.fit_resample(X, Y)
    sizes = found.history_["n_synthetic"]
    assert len(set(sizes[sizes > 0])) > 1  # or the tie would say nothing
    assert len(y_new) - N == sizes[sizes > 0].min()


@pytest.mark.parametrize("estimator", [TREE, RandomForestClassifier(20)], ids=["tree", "forest"])
def test_a_time_limit_that_is_over_at_once_keeps_the_first_iteration(estimator):
    X = np.column_stack([BASE, RNG.normal(size=N)])
    found = AutoSMOTE(estimator, time_limit=1e-6, iterations=500, random_state=0)
    assert len(found.fit_resample(X, Y)[0]) >= N
    assert found.searches_[1].stopped_by == "time_limit"
    assert len(found.history_["iteration"]) == 1


def test_interruption_is_raised_unless_a_command_keeps_the_best_so_far():
    def interrupt(iteration, score, best):
        if iteration == 3:
            raise KeyboardInterrupt

    found = AutoSMOTE(TREE, scoring=most_rows, iterations=50, random_state=0, callback=interrupt)
    with pytest.raises(KeyboardInterrupt):
        found.fit_resample(BASE[:, None], Y)
    with interrupts_held() as found._held:
        X_new, _ = found.fit_resample(BASE[:, None], Y)
    assert len(X_new) - N == found.history_["n_synthetic"].max()
    assert len(found.history_["iteration"]) == 3
