"""Comparisons: what each method sees, what is returned, and what is refused."""

import copy
from typing import ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn import metrics
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

import autosmote
from autosmote.own_table import comparison
from autosmote.own_table.comparison import encode_labels
from autosmote.own_table.estimators import Prepared
from autosmote.own_table.methods import (
    AS_IT_IS,
    AUTOSMOTE,
    CLASS_WEIGHTS,
    METHODS,
    SMOTE,
    SMOTE_VOTE,
    SVMSMOTE,
    THRESHOLD,
    UNDER_VOTE,
    Setting,
    make_method,
)
from autosmote.own_table.resampling import RATIOS
from autosmote.own_table.scorings import OWN, make_scoring
from autosmote.sampler.encoding import tabular

SHORT = {"folds": 2, "repeats": 1, "iterations": 3}


def rows(classes=2, n=160):
    weights = [0.8] if classes == 2 else [0.6, 0.25]
    X, y = make_classification(
        n_samples=n, n_informative=4, n_classes=classes, weights=weights, random_state=1
    )
    return X, np.array(["a", "c", "b"])[y]


def test_compare_of_two_classes_scores_every_method():
    X, y = rows()
    found = autosmote.compare(X, y, "dt", **SHORT)
    assert list(found.index) == list(METHODS) == [
        "as it is", "tuned threshold", "class weights", "random over-sampling",
        "random under-sampling", "under-sampling with the vote", "SMOTE, tuned ratio",
        "SVMSMOTE, tuned ratio", "SMOTE with the vote", "AutoSMOTE with the vote",
    ]  # fmt: skip
    assert (found["note"] == "").all()
    assert found["score"].between(0, 1).all() and (found["seconds"] >= 0).all()
    assert found.loc[AS_IT_IS, "difference"] == 0
    assert all(len(scores) == 2 for scores in found.attrs["splits"].values())
    assert found.attrs["conclusion"].endswith(".")


def test_compare_of_three_classes_says_which_methods_are_for_two():
    X, y = rows(3)
    found = autosmote.compare(X, y, "dt", **SHORT)
    assert found.loc[THRESHOLD, "note"] == "a threshold is for two classes"
    for name in (UNDER_VOTE, SMOTE_VOTE):
        assert found.loc[name, "note"] == "the vote is for two classes"
    for name in (AS_IT_IS, SMOTE, SVMSMOTE, AUTOSMOTE):
        assert found.loc[name, "note"] == "" and found.loc[name, "score"] > 0


class Counting(DecisionTreeClassifier):
    """A tree that keeps of each fit how many rows of each class it was given."""

    given: ClassVar[list] = []

    def fit(self, X, y):
        Counting.given.append(tuple(np.bincount(y)))
        return super().fit(X, y)


def test_under_sampling_with_the_vote_trains_members_on_fewer_rows_of_the_larger_class():
    X, labels = rows()
    y = encode_labels(labels)[1]
    train = np.r_[np.flatnonzero(y)[:10], np.flatnonzero(y == 0)[:100]]
    setting = Setting(Prepared([], Counting()), "macro_f1", 2, 1, None, 0)
    Counting.given.clear()
    make_method(UNDER_VOTE, setting).fit(X[train], y[train])
    final = Counting.given[-25:]  # the others are of the inner folds, for the share of the votes
    assert len(Counting.given) == 25 * 6
    assert {few for _, few in final} == {10}
    assert {many for many, _ in final} == {int(10 / ratio) for ratio in RATIOS}


@pytest.mark.parametrize("estimator", ["logistic", tabular(DecisionTreeClassifier())])
def test_compare_of_an_array_with_gaps_scores_every_method(estimator):
    X, y = rows()
    X[::9, 1] = np.nan
    methods = [CLASS_WEIGHTS, THRESHOLD, SMOTE, AUTOSMOTE]
    found = autosmote.compare(X, y, estimator, methods=methods, **SHORT)
    assert (found["note"] == "").all()


def test_compare_of_a_table_with_categories_and_gaps_scores_every_method():
    X, y = rows()
    frame = pd.DataFrame(X[:, :3], columns=["p", "q", "r"])
    frame.loc[::9, "q"] = np.nan
    frame["kind"] = np.where(X[:, 3] > 0, "up", "down").astype(object)
    found = autosmote.compare(frame, y, "logistic", **SHORT)
    assert (found["note"] == "").all()


@pytest.mark.parametrize("scoring", [*OWN, "roc_auc", "f1"])
@pytest.mark.parametrize("classes", [2, 3])
def test_compare_takes_each_score(scoring, classes):
    if classes == 3 and scoring in ("roc_auc", "f1"):
        pytest.skip("scikit-learn has them for two classes")
    X, y = rows(classes)
    methods = [CLASS_WEIGHTS, THRESHOLD, AUTOSMOTE]
    found = autosmote.compare(X, y, LogisticRegression(), scoring=scoring, methods=methods, **SHORT)
    assert found.loc[[AS_IT_IS, CLASS_WEIGHTS, AUTOSMOTE], "score"].notna().all()
    by_rank = scoring in ("average_precision", "roc_auc")
    assert (found.loc[THRESHOLD, "note"] == "") == (classes == 2 and not by_rank)


SCORES = {
    "macro_f1": lambda y, called, sure: metrics.f1_score(y, called, average="macro"),
    "mcc": lambda y, called, sure: metrics.matthews_corrcoef(y, called),
    "balanced_accuracy": lambda y, called, sure: np.mean(recalls(y, called)),
    "average_precision": lambda y, called, sure: metrics.average_precision_score(y, sure),
    "f2": lambda y, called, sure: metrics.fbeta_score(y, called, beta=2),
    "geometric_mean": lambda y, called, sure: np.sqrt(np.prod(recalls(y, called))),
}


def recalls(y, called):
    return [metrics.recall_score(y, called, pos_label=label) for label in (0, 1)]


def test_scores_by_name_are_what_they_are_called_for_the_rarer_class():
    assert list(SCORES) == list(OWN)
    X, labels = rows()
    _, y = encode_labels(labels)
    model = LogisticRegression().fit(X, y)
    called, sure = model.predict(X), model.decision_function(X)
    found = {name: make_scoring(name, 2)(model, X, y) for name in OWN}
    assert found == pytest.approx({name: score(y, called, sure) for name, score in SCORES.items()})
    assert len(set(found.values())) == len(OWN)


def test_compare_by_a_function_of_ones_own_says_that_no_threshold_is_tuned_for_it():
    X, y = rows()

    def accuracy(model, X, y):
        return model.score(X, y)

    found = autosmote.compare(X, y, scoring=accuracy, methods=[THRESHOLD, AUTOSMOTE], **SHORT)
    assert found.loc[THRESHOLD, "note"].startswith("a threshold is tuned for a score by name")
    assert found.loc[AUTOSMOTE, "score"] > 0


def test_compare_is_the_same_for_any_number_of_jobs():
    X, y = rows()
    methods = [SMOTE, AUTOSMOTE]
    one, two = (
        autosmote.compare(X, y, "dt", methods=methods, n_jobs=jobs, **SHORT) for jobs in (1, 2)
    )
    assert one.attrs["splits"] == two.attrs["splits"]


@pytest.mark.parametrize("random_state", [0, np.random.RandomState(0)])
def test_compare_of_an_unseeded_classifier_follows_its_random_state(random_state):
    X, y = rows()
    forest = make_pipeline(RandomForestClassifier(3))
    before = np.random.get_state()  # noqa: NPY002
    one, two = (
        autosmote.compare(
            X, y, forest, methods=[SMOTE], random_state=copy.deepcopy(random_state), **SHORT
        )
        for _ in range(2)
    )
    assert one.attrs["splits"] == two.attrs["splits"]
    after = np.random.get_state()  # noqa: NPY002
    assert np.array_equal(before[1], after[1]) and before[2:] == after[2:]


def test_compare_by_several_processes_gives_each_fit_one_thread(monkeypatch):
    X, y = rows()
    seen = []
    fit_all = comparison._fit_all

    def note(models, *rest):
        seen.append(models[AS_IT_IS].n_jobs)
        return fit_all(models, *rest)

    monkeypatch.setattr(comparison, "_fit_all", note)
    forest = RandomForestClassifier(2, n_jobs=-1)
    for jobs in (None, 1, 2):
        autosmote.compare(X, y, forest, methods=[], n_jobs=jobs, **SHORT)
    assert seen == [-1, -1, 1]


@pytest.mark.parametrize(
    ("seconds", "iterations", "said"),
    [
        (0.0, 61, "or methods, such as --repeats 1 --iterations 60."),
        (0.0, 60, "or methods."),
        (1e6, 61, ""),
    ],
)
def test_compare_that_will_take_long_says_what_is_quicker(
    monkeypatch, capsys, seconds, iterations, said
):
    monkeypatch.setattr(comparison, "_LONG", seconds)
    X, y = rows()
    few = SHORT | {"iterations": iterations}
    autosmote.compare(X, y, "dt", methods=[THRESHOLD], verbose=1, **few)
    shown = capsys.readouterr().err
    assert said in shown and ("will take" in shown) == bool(said)


def test_time_limit_of_a_comparison_ends_each_search_with_the_best_so_far():
    X, y = rows()
    endless = SHORT | {"iterations": 10**9, "time_limit": 1e-6}
    found = autosmote.compare(X, y, "dt", methods=[AUTOSMOTE], **endless)
    assert (found["note"] == "").all() and found["score"].notna().all()


class Memory(ClassifierMixin, BaseEstimator):
    """Remembers its training rows, and notes which rows it is asked about."""

    asked: list = []  # noqa: RUF012

    def fit(self, X, y):
        self.known_, self.classes_ = {tuple(row) for row in X}, np.unique(y)
        return self

    def predict(self, X):
        Memory.asked += [tuple(row) in self.known_ for row in X]
        return np.full(len(X), self.classes_[0])


# A threshold needs probabilities, which its own test has.
@pytest.mark.parametrize("method", [name for name in METHODS if name != THRESHOLD])
def test_compare_never_asks_about_rows_that_were_trained_on(method):
    X, y = rows()
    Memory.asked = []
    autosmote.compare(X, y, Memory(), methods=[method], **SHORT)
    assert Memory.asked and not any(Memory.asked)


def test_compare_scores_all_methods_on_the_same_stratified_splits_of_each_repeat():
    X, y = rows()
    asked = []

    def scorer(model, X, y):
        asked.append((X[:, 0].tobytes(), tuple(np.bincount(y))))
        return model.score(X, y)

    methods = ["random over-sampling", "random under-sampling"]
    autosmote.compare(X, y, scoring=scorer, methods=methods, folds=4, repeats=3)
    # Split by split the three methods, one after the other.
    splits = [asked[start : start + 3] for start in range(0, len(asked), 3)]
    assert len(splits) == 12 and all(len(set(of_one)) == 1 for of_one in splits)
    assert len({of_one[0][0] for of_one in splits}) == 12  # each repeat draws anew
    minority = np.bincount(encode_labels(y)[1])[1]
    assert all(abs(counts[1] - minority / 4) < 1 for ((_, counts), *_) in splits)


def test_compare_of_few_minority_rows_says_that_it_cannot_be_told():
    X, y = rows()
    few = np.r_[np.flatnonzero(y == "c")[:12], np.flatnonzero(y == "a")]
    found = autosmote.compare(X[few], y[few], methods=[AUTOSMOTE], **SHORT | {"repeats": 2})
    assert found.attrs["conclusion"].startswith("It cannot be told here whether synthetic rows")
    assert "class 'c' has 12 rows, where 20 are the least" in found.attrs["conclusion"]


def test_compare_notes_whole_numbers_that_a_search_would_change_and_scores_the_rest():
    X, y = rows()
    frame = pd.DataFrame({"x": X[:, 0], "ref": 2**60 + np.arange(len(y))})
    found = autosmote.compare(frame, y, "dt", methods=[AUTOSMOTE], **SHORT)
    assert "Column 'ref' has whole numbers from 2**53 on" in found.loc[AUTOSMOTE, "note"]
    assert found.loc[AS_IT_IS, "score"] > 0


class Failing(LogisticRegression):
    """Fails where both classes have as many rows."""

    def fit(self, X, y):
        if len(set(np.bincount(y))) == 1:
            raise RuntimeError("too even")
        return super().fit(X, y)


def test_compare_notes_a_method_that_fails_and_goes_on():
    X, y = rows()
    methods = ["random over-sampling", THRESHOLD]
    found = autosmote.compare(X, y, Failing(), methods=methods, **SHORT)
    assert "too even" in found.loc["random over-sampling", "note"]
    assert np.isnan(found.loc["random over-sampling", "score"])
    assert found.loc[THRESHOLD, "score"] > 0


def test_a_threshold_of_a_classifier_that_is_equally_sure_of_all_rows_is_its_own():
    X, y = rows()
    shy = LogisticRegression(C=1e-12)
    found = autosmote.compare(X, y, shy, methods=[THRESHOLD], **SHORT)
    assert found.loc[THRESHOLD, "note"] == "" and found.loc[THRESHOLD, "difference"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"methods": ["SMOTTE"]}, "There is no method 'SMOTTE'"),
        ({"scoring": "macro_f2"}, r"no score 'macro_f2' \(did you mean macro_f1\?\)"),
        ({"folds": 1}, "folds must be a whole number from 2 to 10,000, not 1"),
        ({"repeats": 10**8}, "repeats must be a whole number from 1 to 10,000"),
        ({"iterations": -5}, "iterations must be a whole number from 0"),
        ({"iterations": "x"}, "iterations must be a whole number from 0 to .*, not 'x'"),
        ({"time_limit": float("nan")}, "time_limit must be a number of seconds above 0"),
        ({"random_state": -1}, "random_state must be a whole number from 0"),
        ({"y": np.array([b"a", b"b"] * 80)}, "labels y cannot be used .* make all of them text"),
        ({"y": np.r_[["b"] * 3, ["a"] * 157]}, "Class 'b' has 3 rows"),
        ({"y": np.array(["a"] * 160)}, "All rows are of class 'a'"),
        ({"y": np.array(["a", "b"] * 75)}, r"inconsistent numbers of samples: \[160, 150\]"),
        ({"y": np.r_[[np.nan] * 9, [0.0] * 71, [1.0] * 80]}, "y has 9 missing labels; leave"),
        ({"y": pd.array([None] + [0, 1, 1] * 53, dtype="Int64")}, "y has 1 missing label; leave"),
        ({"y": [None] * 9 + ["a"] * 71 + ["b"] * 80}, "y has 9 missing labels"),
        ({"y": [0.5] * 80 + [1.5] * 80}, "Unknown label type: continuous"),
        ({"y": pd.Series(["a", 1] * 80)}, "cannot be used .* make all of them text"),
        ({"y": np.eye(2, dtype=int)[[0, 1] * 80]}, r"should be a 1d array, .* shape \(160, 2\)"),
        ({"X": np.zeros((0, 2)), "y": []}, "y has no labels"),
        ({"y": np.arange(160)}, "Class '159' has 1 row, and 4 are needed"),
        ({"y": None}, "should be a 1d array"),
        ({"scoring": None}, "scoring=None is no score; give a name, or a scorer"),
        ({"scoring": 5}, "scoring=5 is no score"),
        ({"X": pa.table({"x": np.arange(160)})}, r"pyarrow Table; pass X\.to_pandas\(\)"),
        ({"estimator": LinearRegression()}, "LinearRegression is a regressor; give a classifier"),
        ({"estimator": KMeans(2)}, "KMeans is no classifier; give one"),
        ({"X": pd.DataFrame({"day": pd.date_range("2024", periods=160)})}, "Column 'day' is of"),
    ],
)
def test_compare_of_a_mistake_says_what_is_wrong(change, message):
    X, y = rows()
    with pytest.raises(ValueError, match=message):
        autosmote.compare(**{"X": X, "y": y, **SHORT, **change})


@pytest.mark.parametrize("form", [pd.DataFrame, np.array])
def test_compare_takes_labels_in_a_column_of_their_own(form):
    X, y = rows()
    expected = autosmote.compare(X, y, methods=[], **SHORT)
    with pytest.warns(DataConversionWarning):
        found = autosmote.compare(X, form(y[:, None]), methods=[], **SHORT)
    assert found.attrs["splits"] == expected.attrs["splits"]


def test_compare_takes_rows_as_lists():
    X, y = rows()
    expected = autosmote.compare(np.asarray(X), y, methods=[], **SHORT)
    found = autosmote.compare(np.asarray(X).tolist(), list(y), methods=[], **SHORT)
    assert found.attrs["splits"] == expected.attrs["splits"]


@pytest.mark.parametrize("values", [[3, 7, 7], [True, False, False], [1.0, 2.0, 2.0]])
def test_encode_labels_takes_numbers_of_a_table_that_holds_texts_too(values):
    labels, codes = encode_labels(np.array(values, dtype=object))
    assert labels.tolist() == [values[1], values[0]] and codes.tolist() == [1, 0, 0]


def test_encode_labels_keeps_whole_numbers_of_pandas():
    labels, codes = encode_labels(pd.Series([3, 7, 7], dtype="Int64"))
    assert list(map(str, labels)) == ["7", "3"] and list(codes) == [1, 0, 0]


def test_encode_labels_numbers_classes_from_the_largest():
    labels, codes = encode_labels(["b", "a", "b", "c", "b", "c"])
    assert list(labels) == ["b", "c", "a"] and list(codes) == [0, 2, 0, 1, 0, 1]
