"""AutoSMOTE as a sampler: what it returns, how it judges, and what it refuses."""

import pickle
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from imblearn.pipeline import make_pipeline
from scipy import sparse
from sklearn import set_config
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer, make_scorer
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from autosmote import AutoSMOTE
from autosmote.config.schema import SamplerSettings
from autosmote.config.search import SearchConfig
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.errors import InputError, UserError
from autosmote.evaluation.protocol import evaluate
from autosmote.metrics import macro_f1
from autosmote.sampler.autosmote import AutoSMOTE as SameClass
from autosmote.sampler.class_search import run_search
from autosmote.sampler.encoding import tabular

TREE = DecisionTreeClassifier(max_depth=3, random_state=0)


def rows(n_majority=80, n_minority=14, seed=0, shift=1.2):
    rng = np.random.default_rng(seed)
    X = np.vstack([rng.normal(0, 1, (n_majority, 3)), rng.normal(shift, 1, (n_minority, 3))])
    y = np.repeat([0, 1], [n_majority, n_minority])
    order = rng.permutation(len(y))
    return X[order] * [1.0, 100.0, 0.01] + [0.0, 5000.0, 0.0], y[order]


def frame(seed=0):
    """A table with every type of column, and a label of text whose rarer class sorts first."""
    X, y = rows(seed=seed)
    rng = np.random.default_rng(seed)
    colour = np.where(rng.random(len(y)) < 0.3 + 0.4 * y, "red", "blue")
    table = pd.DataFrame(
        {
            "size": X[:, 0],
            "count": np.rint(X[:, 1]).astype(np.int64),
            "short": X[:, 2].astype(np.float32),
            "colour": colour,
            "grade": pd.Categorical(rng.choice(["low", "mid"], len(y)), ["low", "mid", "top"]),
            "flag": rng.random(len(y)) < 0.5,
            "whole": pd.array(rng.integers(0, 5, len(y)), dtype="Int64"),
        },
        index=rng.permutation(len(y)) + 1000,
    )
    return table, pd.Series(np.where(y == 1, "bad", "good"), index=table.index, name="class")


def sampler(estimator=TREE, **settings):
    return AutoSMOTE(estimator, **{"iterations": 12, "random_state": 0} | settings)


def on_segments(new, X):
    """Return whether rows lie between two of the others, at one of the five weights."""
    weights = np.array([0, 0.25, 0.5, 0.75, 1])[:, None, None, None]
    possible = (X[:, None] + weights * (X[None] - X[:, None])).reshape(-1, X.shape[1])
    return np.isclose(new[:, None], possible, rtol=1e-9, atol=0).all(axis=2).any(axis=1)


def test_the_class_is_imported_lazily_from_the_package():
    assert AutoSMOTE is SameClass


def test_given_rows_come_back_first_and_synthetic_rows_lie_between_minority_rows():
    X, y = rows()
    found = sampler(scoring="average_precision")
    X_new, y_new = found.fit_resample(X, y)
    n_new = len(X_new) - len(X)
    assert n_new > 0 and found.best_score_ > found.baseline_score_
    assert np.array_equal(X_new[: len(X)], X) and np.array_equal(y_new[: len(y)], y)
    assert (y_new[len(y) :] == 1).all() and found.sampling_strategy_ == {1: n_new}
    assert on_segments(X_new[len(X) :], X[y == 1]).all()
    assert found.sampling_counts_.sum() == n_new and not found.sampling_counts_[y == 0].any()
    assert set(found.policies_[1]) == {"means", "deviations"}
    history = found.history_
    assert history["iteration"].tolist() == list(range(1, 13))
    assert found.best_score_ == history["reward"].max() == history["best"][-1]


def judged(found, X_new, y_new, train, X_val, y_val, n, scorer, estimator):
    """Score of the estimator on training rows and synthetic rows as they were returned."""
    chosen = np.concatenate([train, np.arange(n, len(y_new))])
    X_fit = X_new.iloc[chosen] if hasattr(X_new, "iloc") else X_new[chosen]
    return scorer(clone(estimator).fit(X_fit, np.asarray(y_new)[chosen]), X_val, y_val)


@pytest.mark.parametrize(
    "estimator",
    [TREE, KNeighborsClassifier(), LogisticRegression(max_iter=500)],
    ids=["fast tree", "fast knn", "refit"],
)
@pytest.mark.parametrize("scoring", ["macro_f1", "roc_auc"])
def test_rows_are_scored_as_they_are_returned(estimator, scoring):
    (X, y), validation = rows(), rows(60, 20, seed=1)
    found = sampler(estimator, scoring=scoring, validation=validation)
    X_new, y_new = found.fit_resample(X, y)
    scorer = get_scorer("f1_macro" if scoring == "macro_f1" else scoring)
    everything = np.arange(len(y))
    again = judged(found, X_new, y_new, everything, *validation, len(y), scorer, estimator)
    assert again == pytest.approx(found.best_score_, abs=1e-12)


def test_frames_keep_names_types_and_categories_and_are_scored_as_returned():
    (X, y), validation = frame(), frame(seed=1)
    estimator = tabular(TREE)
    found = sampler(
        estimator,
        validation=validation,
        scoring=make_scorer(lambda true, called: macro_f1(true == "bad", called == "bad")),
    )
    X_new, y_new = found.fit_resample(X, y)
    assert found.feature_names_in_.tolist() == list(X.columns)
    assert list(X_new.columns) == list(X.columns) and (X_new.dtypes == X.dtypes).all()
    pd.testing.assert_frame_equal(X_new.iloc[: len(X)], X.reset_index(drop=True))
    assert y_new.name == "class" and (y_new[len(y) :] == "bad").all()
    new = X_new.iloc[len(X) :]
    assert len(new) and set(new["colour"]) <= {"red", "blue"} and new["grade"].notna().all()
    again = judged(
        found, X_new, y_new, np.arange(len(y)), *validation, len(y), found.scoring, estimator
    )
    assert again == found.best_score_


def test_a_category_is_the_nearer_rows_and_the_sources_in_the_middle():
    X = np.array([[0.0, 0.0], [1.0, 1.0]] * 4 + [[0.5, 0.0]] * 20)
    y = np.repeat([1, 0], [8, 20])
    most_rows = sampler(
        categorical_features=[1], scoring=lambda model, X, y: model.tree_.n_node_samples[0]
    )
    X_new, _ = most_rows.fit_resample(X, y)
    for number, category in X_new[len(X) :]:
        assert number == 0.5 or category == round(number)
    assert {0.0, 1.0} == {category for number, category in X_new[len(X) :] if number == 0.5}


def test_columns_of_text_without_an_encoder_are_a_clear_mistake():
    X, y = frame()
    with pytest.raises(InputError, match="tabular"):
        sampler().fit_resample(X, y)
    assert len(sampler(None).fit_resample(X, y)[0]) >= len(X)  # the default brings its own


def test_arrays_of_text_keep_their_type():
    table, y = frame()
    X = table[["size", "colour", "grade"]].to_numpy(dtype=object)
    X_new, _ = sampler(None, categorical_features=[1, 2], cv=2).fit_resample(X, y)
    assert X_new.dtype == object and set(X_new[:, 1]) == {"red", "blue"}
    assert np.array_equal(X_new[: len(X)], X)


def test_missing_values_stay_in_given_rows_and_are_none_in_synthetic_ones():
    X, y = rows()
    X[::7, 1] = np.nan
    with pytest.raises(InputError, match="allow_nan=True"):
        sampler().fit_resample(X, y)
    found = sampler(HistGradientBoostingClassifier(max_iter=5), allow_nan=True)
    X_new, _ = found.fit_resample(X, y)
    assert np.array_equal(X_new[: len(X)], X, equal_nan=True)
    assert not np.isnan(X_new[len(X) :]).any()


def test_sparse_rows_come_back_sparse_and_large_ones_are_refused():
    X, y = rows()
    X_new, _ = sampler().fit_resample(sparse.csc_matrix(X), y)
    expected, _ = sampler().fit_resample(X, y)
    assert X_new.format == "csc" and np.array_equal(X_new.toarray(), expected)
    too_large = sparse.csr_matrix((10**4, 10**6))
    with pytest.raises(InputError, match="TruncatedSVD"):
        sampler().fit_resample(too_large, np.arange(10**4) % 2)


def test_cross_validation_keeps_held_out_rows_out_of_synthetic_ones():
    X, y = rows()
    cv = StratifiedKFold(3)
    found = sampler(cv=cv, scoring="average_precision", iterations=30, method="paper")
    X_new, y_new = found.fit_resample(X, y)
    scores = []
    for train, held_out in cv.split(X, y):
        known = X[train][y[train] == 1]
        allowed = np.flatnonzero(on_segments(X_new[len(y) :], known)) + len(y)
        assert len(allowed) < len(y_new) - len(y)
        chosen = np.concatenate([train, allowed])
        model = clone(TREE).fit(X_new[chosen], y_new[chosen])
        scores.append(get_scorer("average_precision")(model, X[held_out], y[held_out]))
    assert np.mean(scores) == pytest.approx(found.best_score_, abs=1e-9)


def test_several_minority_classes_one_after_another_the_smallest_first():
    X, y = make_classification(
        300, 5, n_informative=4, n_redundant=0, n_classes=3, weights=[0.7, 0.2], random_state=0
    )
    names = np.array(["many", "some", "few"])[y]
    found = sampler(scoring="macro_f1", iterations=25)
    _, y_new = found.fit_resample(X, names)
    assert list(found.searches_) == ["few", "some"]
    assert found.best_score_ == found.searches_["some"].best.score
    assert Counter(y_new[300:]) == {k: v for k, v in found.sampling_strategy_.items() if v}
    assert found.history_["label"].tolist() == ["few"] * 25 + ["some"] * 25
    only = sampler(sampling_strategy="minority", iterations=3)
    only.fit_resample(X, names)
    assert list(only.searches_) == ["few"]


def test_the_result_is_the_same_for_any_number_of_processes_and_follows_the_seed():
    X, y = rows()
    results = [
        sampler(DecisionTreeClassifier(), n_jobs=n_jobs, scoring="neg_log_loss").fit_resample(X, y)
        for n_jobs in (None, 2)
    ]
    assert np.array_equal(results[0][0], results[1][0])
    other = sampler(DecisionTreeClassifier(), random_state=1, scoring="neg_log_loss")
    assert not np.array_equal(other.fit_resample(X, y)[0], results[0][0])
    legacy = [
        sampler(random_state=np.random.RandomState(3)).fit_resample(X, y)[0] for _ in range(2)
    ]
    assert np.array_equal(*legacy)


def test_estimator_plain_search_and_runner_find_the_same():
    split = make_split(load_dataset("toy"), ir=None, seed=0)
    settings = {"iterations": 25, "K": 6, "G1": 3, "G2": 4, "lag": 3, "actors": 0}
    config = SearchConfig(**settings)
    expected = run_search(
        split.X_train, split.y_train, split.X_val, split.y_val, TREE,
        metric="mcc", ir=None, seed=5, config=config,
    )  # fmt: skip
    found = AutoSMOTE(
        TREE, scoring="mcc", validation=(split.X_val, split.y_val), standardize=False,
        method="paper", random_state=5, search_options=settings,
    )  # fmt: skip
    X_new, _ = found.fit_resample(split.X_train, split.y_train)
    assert np.array_equal(X_new[len(split.X_train) :], expected.X_synthetic)
    assert np.array_equal(found.history_["reward"], expected.history["reward"])
    kind = SamplerSettings(name="autosmote", kind="search")
    (run,) = evaluate(split, kind, [(TREE, "mcc")], seed=5, search=config)
    assert np.array_equal(run.X, X_new)
    assert np.array_equal(run.search.history["reward"], expected.history["reward"])


def test_pipeline_cross_validation_clone_pickle_and_pandas_output():
    X, y = rows()
    pipeline = make_pipeline(StandardScaler(), sampler(iterations=3), clone(TREE))
    assert cross_validate(pipeline, X, y, cv=3, error_score="raise")["test_score"].shape == (3,)
    copy = pickle.loads(pickle.dumps(clone(pipeline).fit(X, y)))
    assert copy[1].best_score_ == clone(pipeline).fit(X, y)[1].best_score_
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    set_config(transform_output="pandas")
    try:
        fitted = clone(pipeline).fit(table, y)
    finally:
        set_config(transform_output="default")
    assert fitted[1].feature_names_in_.tolist() == ["a", "b", "c"]
    fitted = clone(pipeline).set_output(transform="pandas").fit(table, y)
    assert fitted[-1].feature_names_in_.tolist() == ["a", "b", "c"]


def nan_without_synthetic_rows(estimator, X, y):
    return np.nan if estimator.tree_.n_node_samples[0] < 80 else 0.5


def always_nan(estimator, X, y):
    return np.nan


def test_an_iteration_whose_scorer_returns_nan_is_never_chosen():
    X, y = rows()
    found = sampler(scoring=nan_without_synthetic_rows, iterations=40)
    found.fit_resample(X, y)
    rewards = found.history_["reward"]
    assert np.isnan(found.baseline_score_) and np.isnan(rewards).any()
    assert found.best_score_ == 0.5 and found.sampling_strategy_[1] > 0
    with pytest.raises(UserError, match="no finite number in any of 12 iterations"):
        sampler(scoring=always_nan).fit_resample(X, y)


X, Y = rows()


@pytest.mark.parametrize(
    ("settings", "y", "sentence"),
    [
        ({}, np.where(np.arange(94) == 0, 1, 0), "has 1 row"),
        ({"validation": (X[Y == 0], Y[Y == 0])}, Y, "validation part has no row of class"),
        ({"validation": (X, Y + 1)}, Y, "no row of class|not among the given"),
        ({"validation": (X, Y), "cv": 2}, Y, "not both"),
        ({"validation": (X, Y[:5])}, Y, "94 rows, but 5 labels"),
        ({"validation": (X[:, :2], Y)}, Y, "expecting 3 features"),
        ({"validation": (X,)}, Y, "pair"),
        ({"estimator": StandardScaler()}, Y, "implementing 'fit' and 'predict'"),
        ({"scoring": "macro-f1"}, Y, "'scoring' parameter"),
        ({"categorical_features": ["a"]}, Y, "no column of that name"),
        ({"categorical_features": [7]}, Y, "between 0 and 2"),
        ({"categorical_features": [True]}, Y, "mask of 1"),
        ({"search_options": {"lagg": 3}}, Y, "no 'lagg'"),
        ({"K": 0}, Y, "'K' parameter"),
        ({}, np.zeros(94), "more than 1 class"),
    ],
)
def test_invalid_arguments_are_refused_in_one_sentence(settings, y, sentence):
    with pytest.raises((UserError, ValueError), match=sentence):
        sampler(**{"estimator": TREE, **settings}).fit_resample(X, y)


def test_a_column_that_is_neither_number_nor_category_is_named():
    table, y = frame()
    table["when"] = pd.Timestamp("2024-01-01")
    with pytest.raises(InputError, match="'when'"):
        sampler(None, categorical_features=["colour", "grade", "flag"]).fit_resample(table, y)


def test_progress_is_shown_and_callbacks_are_called(capsys):
    calls = []
    X, y = rows()
    sampler(verbose=1, callback=lambda *call: calls.append(call)).fit_resample(X, y)
    assert "12/12 iterations" in capsys.readouterr().err
    assert [iteration for iteration, _, _ in calls] == list(range(1, 13))


def test_columns_without_any_value_stay_so():
    X, y = frame()
    X = X[["size", "colour"]].assign(nothing=np.nan, unknown=None)
    X_new, _ = sampler(
        None, allow_nan=True, scoring=lambda model, X, y: model[-1].tree_.n_node_samples[0]
    ).fit_resample(X, y)
    assert len(X_new) > len(X) and X_new[["nothing", "unknown"]].isna().all(axis=None)


def test_search_that_diverges_warns_and_returns_the_best_so_far():
    X, y = rows()
    options = {"learning_rate": 1e30, "buffer_instance": 20}
    diverging = sampler(iterations=40, method="paper", search_options=options)
    with pytest.warns(ConvergenceWarning, match="no finite numbers after iteration"):
        X_new, _ = diverging.fit_resample(X, y)
    (search,) = diverging.searches_.values()
    assert search.stopped_by == "diverged" and search.iterations < 40
    assert np.array_equal(X_new[: len(X)], X) and np.isfinite(X_new).all()
    assert diverging.best_score_ == np.nanmax(diverging.history_["reward"])


def test_class_is_named_in_a_message_as_it_is():
    X, y = rows(n_minority=1)
    with pytest.raises(InputError, match=r"^Class 1 has 1 row,"):
        sampler().fit_resample(X, y)
