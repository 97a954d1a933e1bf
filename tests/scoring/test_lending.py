"""Rows that are lent: copies for classifiers that are not ours, equal to the last bit."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.tree import DecisionTreeClassifier

from autosmote.scoring.lending import lend
from autosmote.scoring.registry import drop_in_for

TREE = DecisionTreeClassifier(random_state=0)
ROWS = np.random.default_rng(0).normal(size=(6, 3))


def made_from(dictionary):
    return pd.DataFrame({"a": ROWS[:, 0], "b": ["x"] * 6, "c": 1} if dictionary else ROWS)


@pytest.mark.parametrize(
    "X", [ROWS, np.asfortranarray(ROWS), made_from(False), made_from(True), sparse.csr_matrix(ROWS)]
)
def test_lend_gives_other_estimators_a_copy_in_the_same_order_in_memory(X):
    lent = lend(X, TREE)
    assert type(lent) is type(X) and lent is not X
    if sparse.issparse(X):
        assert not np.shares_memory(lent.data, X.data) and (lent != X).nnz == 0
        return
    assert not np.shares_memory(np.asarray(lent), np.asarray(X))
    assert np.array_equal(lent, X) and np.asarray(lent).strides == np.asarray(X).strides
    if hasattr(X, "iloc"):
        pd.testing.assert_frame_equal(lent, X)


def test_lend_of_a_table_that_has_notes_of_any_kind():
    X = made_from(True)
    X.attrs = {"source": ROWS, "by": "hand"}
    lent = lend(X, TREE)
    assert lent.equals(X) and X.attrs["source"] is ROWS


def test_lend_gives_ours_the_rows_themselves():
    assert lend(ROWS, drop_in_for(TREE)) is ROWS


def test_lend_leaves_what_an_estimator_makes_an_array_of():
    rows = tuple(map(tuple, ROWS))
    assert lend(rows, TREE) is rows
