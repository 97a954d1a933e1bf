"""Both metrics against scikit-learn's and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, matthews_corrcoef

from autosmote.errors import UserError
from autosmote.metrics import METRICS, confusion_counts, macro_f1, mcc, score

labels = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=60)


@given(labels)
def test_metrics_equal_scikit_learn(pairs):
    y_true, y_pred = np.array(pairs, dtype=np.int8).T
    expected_f1 = f1_score(y_true, y_pred, average="macro", zero_division=0)
    assert macro_f1(y_true, y_pred) == pytest.approx(expected_f1, abs=1e-12)
    if len(set(y_true)) > 1 and len(set(y_pred)) > 1:
        assert mcc(y_true, y_pred) == pytest.approx(matthews_corrcoef(y_true, y_pred), abs=1e-12)
    else:
        assert mcc(y_true, y_pred) == 0.0


def test_large_counts_do_not_overflow():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, 300_000).astype(np.int8)
    y_pred = np.where(rng.random(y_true.size) < 0.8, y_true, 1 - y_true).astype(np.int8)
    assert mcc(y_true, y_pred) == pytest.approx(matthews_corrcoef(y_true, y_pred), abs=1e-12)


def test_confusion_counts_by_hand():
    assert confusion_counts([1, 1, 0, 0, 0], [1, 0, 1, 0, 0]) == (1, 1, 1, 2)


def test_confusion_counts_of_different_shapes_raise():
    with pytest.raises(ValueError, match="shape"):
        confusion_counts([1, 0], [1, 0, 1])


def test_score_by_name():
    assert set(METRICS) == {"macro_f1", "mcc"}
    assert score("mcc", [1, 0], [1, 0]) == 1.0
    with pytest.raises(UserError, match="macro_f1, mcc"):
        score("f1", [1, 0], [1, 0])
