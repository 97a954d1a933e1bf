"""Means over families of datasets, by hand, and their intervals."""

import numpy as np
import pytest

from autosmote.reports.statistics.bootstrap import N_DRAWS, draw_groups
from autosmote.reports.statistics.families import estimate_over_families, group_means


def test_group_means_are_those_of_what_is_known_in_the_order_of_the_groups():
    values = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, np.nan], [7.0, 8.0]])
    found = group_means(values, ["b", "a", "a", "b"])
    np.testing.assert_equal(found, [[4.0, 5.0], [4.0, np.nan]])


def test_each_family_counts_alike_however_many_datasets_it_has():
    # Ten datasets of one family with 0, one of another with 1.
    found = estimate_over_families(np.array([[0.0]] * 10 + [[1.0]]), ["big"] * 10 + ["small"])
    assert found.mean.tolist() == [0.5]
    assert (found.families.tolist(), found.datasets.tolist()) == ([2], [11])
    assert np.isnan([found.low, found.high]).all()  # two families


def test_unknown_quantities_leave_their_families_out():
    values = np.array([[1.0, np.nan], [2.0, 4.0], [3.0, np.nan]])
    found = estimate_over_families(values, ["a", "b", "c"])
    assert found.mean.tolist() == [2.0, 4.0]
    assert found.families.tolist() == [3, 1] and found.datasets.tolist() == [3, 1]


def test_draws_are_of_as_many_families_as_there_are_and_the_same_each_time():
    draws = draw_groups(7)
    assert draws.shape == (N_DRAWS, 7) and (draws.sum(axis=1) == 7).all()
    assert np.array_equal(draws, draw_groups(7))
    assert draws.mean(axis=0) == pytest.approx(1, abs=0.1)


def test_interval_is_that_of_the_mean_of_the_families():
    families = [f"family{i}" for i in range(40)]
    values = np.random.default_rng(0).normal(0.3, 1.0, (40, 1))
    found = estimate_over_families(values, families)
    error = values.std(ddof=1) / np.sqrt(40)
    assert found.mean[0] == pytest.approx(values.mean())
    assert found.high[0] - found.low[0] == pytest.approx(2 * 1.96 * error, rel=0.1)
    # More datasets of the same families tell nothing new.
    again = estimate_over_families(np.repeat(values, 5, axis=0), np.repeat(families, 5).tolist())
    assert again.low[0] == pytest.approx(found.low[0])


def test_families_without_a_difference_have_an_interval_of_nothing():
    found = estimate_over_families(np.full((6, 1), 0.02), list("abcdef"))
    assert found.low[0] == found.high[0] == pytest.approx(0.02)
