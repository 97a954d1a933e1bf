"""The classifier: what it keeps, and that it is never worse on the held-out rows."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from autosmote import AutoSMOTE, AutoSMOTEClassifier
from autosmote.errors import InputError
from autosmote.sampler.classifier import AS_IT_IS, SYNTHETIC, THRESHOLD
from autosmote.sampler.plain import label_share, possible_thresholds

SHORT = {"iterations": 6, "keep": 3, "cv": 3, "random_state": 0}


def rows(classes=2, seed=1, n=240):
    weights = [0.85] if classes == 2 else [0.7, 0.2]
    return make_classification(
        n_samples=n, n_informative=4, n_classes=classes, weights=weights, random_state=seed,
        class_sep=0.6,
    )  # fmt: skip


@pytest.mark.parametrize(
    "estimator", [None, KNeighborsClassifier(), LinearSVC(random_state=0), LogisticRegression()]
)
def test_fit_of_two_classes_keeps_the_best_of_three_kinds(estimator):
    X, y = rows()
    model = AutoSMOTEClassifier(estimator, **SHORT).fit(X, y)
    assert list(model.scores_) == [AS_IT_IS, THRESHOLD, SYNTHETIC]
    assert model.scores_[model.chosen_] == max(model.scores_.values())
    assert model.scores_[THRESHOLD] >= model.scores_[AS_IT_IS]


def test_fit_where_all_is_equal_keeps_the_plain_classifier():
    X, y = rows()
    perfect = np.column_stack([X, 100.0 * y])
    model = AutoSMOTEClassifier(DecisionTreeClassifier(random_state=0), **SHORT).fit(perfect, y)
    assert set(model.scores_.values()) == {1.0}
    assert model.chosen_ == AS_IT_IS and model.threshold_ is None
    assert isinstance(model.model_, DecisionTreeClassifier)


@pytest.mark.parametrize("kind", [AS_IT_IS, THRESHOLD, SYNTHETIC])
@pytest.mark.parametrize("names", [(0, 1), ("z", "a")])
def test_predict_proba_of_each_kind_is_largest_for_the_predicted_class(kind, names, monkeypatch):
    X, y = rows()
    y = np.array(names)[y]

    def scored(self):
        return 2.0 if kind == SYNTHETIC else -1.0

    monkeypatch.setattr("autosmote.sampler.selection.FinalChoice.held_out_score", scored)
    if kind == AS_IT_IS:
        monkeypatch.setattr("autosmote.sampler.classifier.tuned_threshold", lambda *_: (0.1, -1.0))
    if kind == THRESHOLD:
        monkeypatch.setattr("autosmote.sampler.classifier.tuned_threshold", lambda *_: (0.1, 1.5))
    model = AutoSMOTEClassifier(LogisticRegression(), **SHORT).fit(X, y)
    assert model.chosen_ == kind
    share = model.predict_proba(X)
    assert np.allclose(share.sum(axis=1), 1) and share.min() >= 0
    assert (model.classes_[share.argmax(axis=1)] == model.predict(X)).all()
    if kind == THRESHOLD:
        assert (model.predict(X) == names[1]).sum() > (y == names[1]).sum()


def test_fit_of_three_classes_takes_the_best_candidate_and_no_threshold():
    X, y = rows(3)
    model = AutoSMOTEClassifier(**SHORT).fit(X, y)
    assert list(model.scores_) == [AS_IT_IS, SYNTHETIC]
    assert model.threshold_ is None
    assert model.predict_proba(X).shape == (len(X), 3)


def test_three_classes_and_no_probabilities_of_the_estimator_has_no_predict_proba():
    X, y = rows(3)
    model = AutoSMOTEClassifier(LinearSVC(random_state=0), **SHORT).fit(X, y)
    assert not hasattr(model, "predict_proba")


def test_cv_above_the_rows_of_the_smallest_class_is_lowered():
    X, y = rows(n=60)
    y = np.r_[np.ones(3, int), np.zeros(57, int)]
    model = AutoSMOTEClassifier(iterations=3, keep=2, cv=5, random_state=0).fit(X, y)
    assert set(model.predict(X)) <= {0, 1}


def held_out_rows(seed):
    """Return the rows that each fold of a fit holds out, in a table sorted by its first column."""
    seen = []

    def scorer(model, X, y):
        seen.append(tuple(X[:, 0].astype(int)))
        return 0.5

    X = np.column_stack([np.arange(60), np.arange(60) % 7])
    settings = SHORT | {"random_state": seed, "iterations": 1, "scoring": scorer}
    AutoSMOTEClassifier(**settings).fit(X, np.arange(60) % 4 == 0)
    return seen[:3]


def test_folds_of_a_number_are_drawn_by_the_random_state_whatever_the_order_of_the_rows():
    folds = held_out_rows(0)
    assert sorted(row for fold in folds for row in fold) == list(range(60))
    assert all(max(fold) - min(fold) > 40 for fold in folds)
    assert held_out_rows(0) == folds != held_out_rows(1)


def test_validation_rows_are_scored_by_models_that_do_not_know_them():
    X, y = rows()
    held_out = X[160:], y[160:]
    model = AutoSMOTEClassifier(iterations=4, keep=2, cv=None, validation=held_out, random_state=0)
    model.fit(X[:160], y[:160])
    if model.chosen_ != THRESHOLD:  # a threshold counts ties by hand
        found = f1_score(held_out[1], model.predict(held_out[0]), average="macro")
        assert found == pytest.approx(model.scores_[model.chosen_])


class Unnamed(BaseEstimator):
    """A classifier that does not say which classes it knows."""

    def fit(self, X, y):
        self.tree_ = DecisionTreeClassifier(random_state=0).fit(X, y)
        return self

    def predict(self, X):
        return self.tree_.predict(X)


def test_estimator_without_classes_is_named():
    X, y = rows()
    with pytest.raises(InputError, match="The estimator Unnamed has no classes_ after its fit"):
        AutoSMOTEClassifier(Unnamed(), **SHORT).fit(X, y)


@pytest.mark.parametrize("missing", [None, np.nan])
def test_missing_labels_are_counted(missing):
    X, y = rows()
    labels = pd.Series(np.array(["a", "b"])[y]).where(np.arange(len(y)) > 2, missing)
    with pytest.raises(InputError, match="y has 3 missing labels; leave these rows out"):
        AutoSMOTEClassifier(**SHORT).fit(X, labels)
    with pytest.raises(InputError, match="y has 3 missing labels; leave these rows out"):
        AutoSMOTE(iterations=1).fit_resample(X, labels)


def test_saved_and_loaded_predicts_the_same():
    X, y = rows()
    model = AutoSMOTEClassifier(KNeighborsClassifier(), **SHORT).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert (again.predict_proba(X) == model.predict_proba(X)).all()


def test_scorer_by_name_is_what_a_threshold_is_tuned_for():
    X, y = rows()
    model = AutoSMOTEClassifier(LogisticRegression(), scoring="balanced_accuracy", **SHORT).fit(
        X, y
    )
    assert model.scores_[THRESHOLD] > model.scores_[AS_IT_IS]


def test_possible_thresholds_are_few_and_hold_one_half():
    found = possible_thresholds(np.random.default_rng(0).random(5000))
    assert found[0] == 0.5 and len(found) <= 102
    assert possible_thresholds(np.array([0.2, 0.4, 0.4])) == [0.5, pytest.approx(0.3)]


def test_label_share_of_the_first_class_falls_with_the_decision():
    X, y = rows()
    svm = LinearSVC(random_state=0).fit(X, y)
    assert np.allclose(label_share(svm, X, 0), 1 - label_share(svm, X, 1))
