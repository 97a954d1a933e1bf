"""The drop-in k-nearest-neighbours classifier equals scikit-learn's, ties included."""

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
from autosmote.scoring.estimators import knn
from autosmote.scoring.estimators.knn import BoxedKNeighbors
from autosmote.scoring.registry import drop_in_for


def check_equal(estimator, X, y, queries):
    """Check for equal predictions; return how many rows scikit-learn predicts."""
    fast = drop_in_for(estimator)
    assert type(fast) is BoxedKNeighbors
    plain, fast = (clone(model).fit(X, y) for model in (estimator, fast))
    np.testing.assert_array_equal(plain.predict(queries), fast.predict(queries))
    np.testing.assert_array_equal(plain.predict_proba(queries[:9]), fast.predict_proba(queries[:9]))
    boxes = fast._boxes
    if boxes is None:
        return 0
    return int((knn._votes(queries, *boxes, fast.n_neighbors) < 0).sum())


@pytest.mark.parametrize("k", [1, 4, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_boxed_neighbours_on_data_shaped_like_the_six_equal_scikit_learn(shape, k):
    problem, rng = SHAPES[shape](), np.random.default_rng(k)
    estimator = KNeighborsClassifier(k)
    for X, y in (
        (problem.X_train, problem.y_train),
        over_sampled(problem, draw_counts(problem, rng)),
    ):
        asked = check_equal(estimator, X, y, np.vstack([problem.X_val, X[::3]]))
        if shape == "numeric":  # hardly any distance is equal to another
            assert asked < 10


def test_boxed_neighbours_with_ties_leave_rows_to_scikit_learn():
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
def test_boxed_neighbours_on_any_rows_equal_scikit_learn(case, k):
    problem, counts = case
    counts = np.minimum(counts, 40)
    X, y = over_sampled(problem, counts)
    k = min(k, len(X))
    # "auto" chooses brute force where rows are few.
    for algorithm in ("kd_tree", "auto"):
        estimator = KNeighborsClassifier(k, algorithm=algorithm)
        check_equal(estimator, X, y, np.vstack([X, problem.X_val]))


def test_boxed_neighbours_with_unsupported_input_fall_back_to_scikit_learn():
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


def test_boxed_neighbours_labels_pickles_and_errors_are_scikit_learns():
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
    model.fit(X, 1 - y)  # drops the boxes of the earlier rows
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


def test_boxed_neighbours_pass_the_estimator_checks():
    check_estimator(BoxedKNeighbors(), on_skip=None)


@pytest.mark.data
@pytest.mark.parametrize("dataset", PAPER_DATASETS)
def test_boxed_neighbours_on_the_six_datasets_equal_scikit_learn(dataset, data_dir):
    split = make_split(load_dataset(dataset, data_dir=data_dir), ir=50, seed=1)
    rng = np.random.default_rng(0)
    minority = split.X_train[split.y_train == 1]
    pairs = rng.integers(len(minority), size=(2, 3000))
    between = minority[pairs[0]] + rng.random((3000, 1)) * (minority[pairs[1]] - minority[pairs[0]])
    X = np.vstack([split.X_train, between])
    y = np.append(split.y_train, np.ones(3000, np.int8))
    check_equal(KNeighborsClassifier(), X, y, np.vstack([split.X_val, split.X_train[::4]]))
