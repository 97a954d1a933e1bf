"""Tests against hand-worked numbers and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import PermutationMethod, wilcoxon

from autosmote.reports.statistics.significance import find_cliques, holm, signed_rank_p


def test_signed_rank_p_equals_values_by_hand():
    # Six wins out of six: only one of 2^6 sign patterns is as extreme.
    assert signed_rank_p(np.arange(1.0, 7), np.zeros(6)) == pytest.approx(1 / 64)
    # Ranks 1..5, the loss has rank 1: {all wins} and {only rank 1 lost} of 2^5.
    x = np.array([-1.0, 2, 3, 4, 5])
    assert signed_rank_p(x, np.zeros(5)) == pytest.approx(2 / 32)


def test_signed_rank_p_with_ties_equals_values_by_hand():
    # |d| = 1, 1, 1, 1, 2: ranks 2.5 (four times) and 5; only all wins reach 15.
    assert signed_rank_p(np.array([1.0, 1, 1, 1, 2]), np.zeros(5)) == pytest.approx(1 / 32)


def test_signed_rank_p_of_zeros_is_1_and_of_few_is_none():
    x = np.linspace(0.5, 0.9, 7)
    assert signed_rank_p(x, x) == 1.0
    assert signed_rank_p(x[:4], x[:4] - 0.1) is None
    assert signed_rank_p(x[:5], x[:5] - np.arange(1, 6) / 100) == pytest.approx(1 / 32)


@pytest.mark.parametrize("n", [5, 12, 13, 14, 40, 72])
@pytest.mark.parametrize("alternative", ["greater", "two-sided"])
def test_signed_rank_p_equals_scipy_without_ties(n, alternative):
    rng = np.random.default_rng(n)
    x, y = rng.normal(0.2, 1, n), rng.normal(0, 1, n)
    expected = wilcoxon(x, y, alternative=alternative, zero_method="wilcox", method="auto").pvalue
    assert signed_rank_p(x, y, alternative) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [14, 72])
def test_signed_rank_p_equals_scipy_with_many_ties(n):
    rng = np.random.default_rng(n)
    x, y = rng.integers(0, 5, n) / 4, rng.integers(0, 4, n) / 4
    expected = wilcoxon(x, y, alternative="greater", zero_method="wilcox", method="auto").pvalue
    assert signed_rank_p(x, y) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=15)
@given(
    st.lists(st.integers(-3, 4), min_size=5, max_size=8),
    st.sampled_from(["greater", "two-sided"]),
)
def test_signed_rank_p_of_small_samples_with_ties_equals_permutations(differences, alternative):
    d = np.array(differences, dtype=float)
    if not d.any():
        return
    expected = wilcoxon(
        d, alternative=alternative, zero_method="wilcox", method=PermutationMethod()
    ).pvalue
    assert signed_rank_p(d, np.zeros(len(d)), alternative) == pytest.approx(expected)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]


def test_holm_leaves_out_what_was_not_tested():
    assert holm([None, 0.02, None, 0.03]) == [None, pytest.approx(0.04), None, pytest.approx(0.04)]
    assert holm([]) == []


def wave(k, n=32):
    """+1 and -1 in equal numbers, unrelated for different k."""
    return np.where(np.arange(n) >> k & 1, 1.0, -1.0)


def test_find_cliques_of_two_levels():
    means = np.stack([wave(0) + 9, wave(1) + 9, wave(2), wave(3), wave(4)], axis=1)
    assert find_cliques(means) == [(0, 1), (2, 4)]


def test_find_cliques_may_overlap():
    # The ends differ by 0.6 everywhere; neither differs from the middle for sure.
    means = np.stack([wave(0) + 0.3, wave(1), wave(0) - 0.3], axis=1)
    assert find_cliques(means) == [(0, 1), (1, 2)]


def test_find_cliques_of_too_few_configurations_is_empty():
    assert find_cliques(np.random.default_rng(0).random((4, 3))) == []
