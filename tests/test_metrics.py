"""Both metrics against scikit-learn's and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, matthews_corrcoef

from autosmote.errors import UserError
from autosmote.metrics import (
    METRICS,
    check_predictions,
    confusion_counts,
    macro_f1,
    mcc,
    score,
    weighted_scores,
)

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


@pytest.mark.parametrize(
    ("predicted", "labels"),
    [([0, 1, 2], (0, 1)), ([0.0, np.nan], (0, 1)), (["1", "0"], (0, 1)), (None, (0, 1)),
     (["a", "c"], ("a", "b"))],
)  # fmt: skip
def test_check_predictions_refuses_what_is_none(predicted, labels):
    with pytest.raises(ValueError, match=r"the classifier predicts .*, which is no label"):
        check_predictions(predicted, labels)


def test_check_predictions_takes_equal_numbers_of_other_types():
    for predicted in ([0, 1], [0.0, 1.0], [False, True], ["a", "b"], []):
        assert check_predictions(predicted, (0, 1, "a", "b")).tolist() == predicted


def test_weighted_scores_by_hand():
    # 3 of 4 minority rows found, 1 of 5 majority rows not: of 1 and 10 rows .75, 2, .25, 8.
    y_true, y_pred = [1, 1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 0, 1, 0, 0, 0, 0]
    found = weighted_scores(y_true, y_pred, 10)
    f1_minority, f1_majority = 1.5 / (1.5 + 2 + 0.25), 16 / (16 + 2 + 0.25)
    assert found["macro_f1"] == pytest.approx((f1_minority + f1_majority) / 2)
    expected = (0.75 * 8 - 2 * 0.25) / (2.75 * 1.0 * 10 * 8.25) ** 0.5
    assert found["mcc"] == pytest.approx(expected)


@given(labels, st.floats(0.2, 500))
def test_weighted_scores_equal_scikit_learns_by_sample_weights(pairs, ir):
    y_true, y_pred = np.array([*pairs, (0, 0), (1, 1)], dtype=np.int8).T
    weights = np.where(y_true == 1, 1 / (y_true == 1).sum(), ir / (y_true == 0).sum())
    found = weighted_scores(y_true, y_pred, ir)
    expected_f1 = f1_score(y_true, y_pred, average="macro", sample_weight=weights)
    assert found["macro_f1"] == pytest.approx(expected_f1, abs=1e-9)
    expected_mcc = matthews_corrcoef(y_true, y_pred, sample_weight=weights)
    assert found["mcc"] == pytest.approx(expected_mcc, abs=1e-6)


@given(labels)
def test_weighted_scores_at_the_rows_own_ratio_are_the_plain_ones(pairs):
    y_true, y_pred = np.array([*pairs, (0, 0), (1, 1)], dtype=np.int8).T
    ir = (y_true == 0).sum() / (y_true == 1).sum()
    found = weighted_scores(y_true, y_pred, ir)
    assert found["macro_f1"] == pytest.approx(macro_f1(y_true, y_pred), abs=1e-9)
    assert found["mcc"] == pytest.approx(mcc(y_true, y_pred), abs=1e-6)


def test_weighted_scores_with_more_minority_rows_move_less():
    """The extended test of phoneme at IR 50: 15 minority rows, or 1,525; 763 majority rows."""
    rng = np.random.default_rng(0)

    def deviation(n_minority):
        y_true = np.repeat([1, 0], [n_minority, 763])
        alarm = np.where(y_true == 1, 0.6, 0.02)
        drawn = (rng.random((400, len(y_true))) < alarm).astype(np.int8)
        return np.std([weighted_scores(y_true, y_pred, 50)["macro_f1"] for y_pred in drawn])

    # What is left is the noise of the majority's false alarms, of which both have as many.
    assert deviation(1525) < 0.7 * deviation(15)


def test_score_by_name():
    assert set(METRICS) == {"macro_f1", "mcc"}
    assert score("mcc", [1, 0], [1, 0]) == 1.0
    with pytest.raises(UserError, match="macro_f1, mcc"):
        score("f1", [1, 0], [1, 0])
