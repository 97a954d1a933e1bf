"""k nearest neighbours from boxes: equal to scikit-learn's, ties and all."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems import SHAPES, draw_counts, over_sampled, tiny_problems
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.estimator_checks import check_estimator

from autosmote.data.datasets import PAPER_DATASETS, load_dataset
from autosmote.data.splits import make_split
from autosmote.scoring.estimators import knn as neighbours
from autosmote.scoring.registry import drop_in_for


def check_equal(estimator, X, y, queries):
    """Equal predictions; how many rows scikit-learn was asked about."""
    fast = drop_in_for(estimator)
    assert type(fast) is neighbours.BoxedKNeighbors
    plain, fast = (clone(model).fit(X, y) for model in (estimator, fast))
    np.testing.assert_array_equal(plain.predict(queries), fast.predict(queries))
    np.testing.assert_array_equal(plain.predict_proba(queries[:9]), fast.predict_proba(queries[:9]))
    boxes = fast._boxes
    if boxes is None:
        return 0
    return int((neighbours._votes(queries, *boxes, fast.n_neighbors) < 0).sum())


@pytest.mark.parametrize("k", [1, 4, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_equal_on_data_shaped_like_the_six(shape, k):
    problem, rng = SHAPES[shape](), np.random.default_rng(k)
    estimator = KNeighborsClassifier(k)
    for X, y in (
        (problem.X_train, problem.y_train),
        over_sampled(problem, draw_counts(problem, rng)),
    ):
        asked = check_equal(estimator, X, y, np.vstack([problem.X_val, X[::3]]))
        if shape == "numeric":  # hardly any distance is equal to another
            assert asked < 10


def test_rows_that_tie_are_asked_for():
    X = np.array([[0.0], [2.0], [0.0], [2.0], [5.0]])
    y = np.array([0, 1, 0, 1, 1])
    assert check_equal(KNeighborsClassifier(1), X, y, np.array([[1.0], [0.5], [4.0]])) == 1
    # Of three votes two are certain, or the rows that compete are of one class.
    assert (
        check_equal(
            KNeighborsClassifier(2, algorithm="kd_tree"), X, y, np.array([[0.1], [1.0], [3.5]])
        )
        == 1
    )


@settings(max_examples=150)
@given(tiny_problems(), st.integers(1, 7))
def test_equal_whatever_the_rows(case, k):
    problem, counts = case
    counts = np.minimum(counts, 40)
    X, y = over_sampled(problem, counts)
    k = min(k, len(X))
    # A tree whatever the number of rows: with few, "auto" takes brute force.
    for algorithm in ("kd_tree", "auto"):
        estimator = KNeighborsClassifier(k, algorithm=algorithm)
        check_equal(estimator, X, y, np.vstack([X, problem.X_val]))


def test_what_it_does_not_know_goes_scikit_learns_own_way():
    problem = SHAPES["numeric"](n=200)
    X, y, queries = problem.X_train, problem.y_train, problem.X_val
    fast = drop_in_for(KNeighborsClassifier())
    frame, three = pd.DataFrame(X, columns=list("abcde")), np.where(X[:, 0] > 1, 2, y)
    wide = np.hstack([X] * 4)
    for rows, labels, asked in (
        (frame, y, frame[::2]),
        (X, three, queries),
        (X, np.column_stack([y, three]), queries),
        (X.astype(np.float32), y, queries),
        (wide, y, wide[::2]),  # brute force
        (X, y, queries.tolist()),
    ):
        plain = KNeighborsClassifier().fit(rows, labels)
        np.testing.assert_array_equal(
            plain.predict(asked), clone(fast).fit(rows, labels).predict(asked)
        )
        assert plain._fit_method == clone(fast).fit(rows, labels)._fit_method
    for parameters in ({"weights": "distance"}, {"metric": "manhattan"}, {"p": 1}):
        estimator = KNeighborsClassifier(**parameters)
        assert drop_in_for(estimator) is estimator


def test_labels_pickles_and_errors():
    problem = SHAPES["numeric"](n=200)
    X, y, queries = problem.X_train, problem.y_train, problem.X_val
    fast = drop_in_for(KNeighborsClassifier())
    texts = np.array(["no", "yes"])[y]
    assert check_equal(KNeighborsClassifier(), X, texts, queries) == 0
    model = clone(fast).fit(X, y)
    first = model.predict(queries)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(queries), first)
    model.set_params(n_neighbors=1)
    np.testing.assert_array_equal(
        model.predict(queries), KNeighborsClassifier(1).fit(X, y).predict(queries)
    )
    model.fit(X, 1 - y)  # the boxes of earlier rows are gone
    np.testing.assert_array_equal(
        model.predict(queries), KNeighborsClassifier(1).fit(X, 1 - y).predict(queries)
    )
    plain = KNeighborsClassifier(len(X) + 1)
    for bad in (queries[:, :2], np.full_like(queries, np.nan), queries):
        messages = []
        for estimator in (plain, drop_in_for(plain)):
            with pytest.raises(ValueError) as error:
                clone(estimator).fit(X, y).predict(bad)
            messages.append(str(error.value).replace("BoxedKNeighbors", "KNeighborsClassifier"))
        assert messages[0] == messages[1]


def test_it_is_a_classifier_of_scikit_learns_kind():
    check_estimator(neighbours.BoxedKNeighbors(), on_skip=None)


@pytest.mark.data
@pytest.mark.parametrize("dataset", PAPER_DATASETS)
def test_equal_on_the_six_datasets(dataset, data_dir):
    split = make_split(load_dataset(dataset, data_dir=data_dir), ir=50, seed=1)
    rng = np.random.default_rng(0)
    minority = split.X_train[split.y_train == 1]
    pairs = rng.integers(len(minority), size=(2, 3000))
    between = minority[pairs[0]] + rng.random((3000, 1)) * (minority[pairs[1]] - minority[pairs[0]])
    X = np.vstack([split.X_train, between])
    y = np.append(split.y_train, np.ones(3000, np.int8))
    check_equal(KNeighborsClassifier(), X, y, np.vstack([split.X_val, split.X_train[::4]]))
