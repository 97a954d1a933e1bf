"""Rows sorted by feature, and the values of features that have few."""

import numpy as np
import pytest

from autosmote.scoring.kernels import presort


@pytest.mark.parametrize("values", [40, 100_000])
def test_sort_columns_equals_a_stable_argsort(values):
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=values) * 10.0 ** rng.integers(-44, 38, values)
    columns = rng.choice(np.append(drawn, [0.0, -0.0]), (3, 2000)).astype(np.float32)
    expected = np.argsort(columns, axis=1, kind="stable")
    np.testing.assert_array_equal(presort.sort_columns(columns), expected)


def test_find_levels_lists_the_values_of_features_with_at_most_16():
    rng = np.random.default_rng(0)
    columns = np.stack([rng.permutation(np.arange(64) % n) for n in (1, 5, 16, 17, 64)])
    levels, n_levels = presort.find_levels(columns.astype(np.float32))
    assert n_levels.tolist() == [1, 5, 16, -1, -1]
    for found, n in zip(levels, (1, 5, 16), strict=False):
        assert found[:n].tolist() == list(range(n))
