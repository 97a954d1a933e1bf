"""The paper's search space: neighbours, and a pool that holds every row once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autosmote.space.base import LAMBDAS, N_LAMBDAS
from autosmote.space.pool import build_space


def plain_row(space, i, action):
    j = space.neighbours[i, action // N_LAMBDAS]
    return space.X[i] + LAMBDAS[action % N_LAMBDAS] * (space.X[j] - space.X[i])


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(40, 3))


def test_neighbours_begin_with_the_row_itself_and_follow_by_distance(X):
    space = build_space(X, 30)
    for i, slots in enumerate(space.neighbours):
        distance = np.linalg.norm(X - X[i], axis=1)
        assert slots[0] == i
        assert np.all(np.diff(distance[slots]) >= 0)
        assert distance[slots].max() <= np.delete(distance, slots).min()


def test_neighbours_with_ties_and_duplicates_are_in_order_of_index():
    X = np.array([[0.0], [1.0], [-1.0], [0.0], [1.0]])
    space = build_space(X, 5)
    assert space.neighbours[0].tolist() == [0, 3, 1, 2, 4]
    assert space.neighbours[3].tolist() == [3, 0, 1, 2, 4]


def test_build_space_with_few_rows_reduces_K(X):
    assert build_space(X[:4], 30).K == 4
    assert build_space(X[:1], 30).pool.tolist() == X[:1].tolist()


def test_action_row_points_to_the_interpolated_row(X):
    space = build_space(X, 12)
    for i in range(space.n_rows):
        for action in range(space.K * N_LAMBDAS):
            made = space.pool[space.action_row[i, action]]
            np.testing.assert_allclose(made, plain_row(space, i, action), rtol=0, atol=1e-15)


def test_pool_rows_are_bit_identical_at_the_ends_and_from_both_sides_of_a_pair(X):
    space = build_space(X, 12)
    for i in range(space.n_rows):
        for k, j in enumerate(space.neighbours[i]):
            assert space.pool[space.action_row[i, k * N_LAMBDAS]].tobytes() == X[i].tobytes()
            assert space.pool[space.action_row[i, k * N_LAMBDAS + 4]].tobytes() == X[j].tobytes()
            back = np.flatnonzero(space.neighbours[j] == i)
            if len(back):
                for w in range(N_LAMBDAS):
                    there = space.action_row[i, k * N_LAMBDAS + w]
                    assert there == space.action_row[j, back[0] * N_LAMBDAS + 4 - w]


@given(arrays(np.float64, (9, 2), elements=st.sampled_from([0.0, -0.0, 1.0, 2.0])))
def test_pool_with_duplicate_rows_holds_each_row_once(X):
    space = build_space(X, 5)
    assert len(np.unique(space.pool + 0.0, axis=0)) == len(space.pool)
    assert space.action_row.max() == len(space.pool) - 1
    for i in range(9):
        for action in range(25):
            np.testing.assert_allclose(
                space.pool[space.action_row[i, action]], plain_row(space, i, action), atol=1e-15
            )


def test_rows_repeat_the_pool_by_the_counts(X):
    space = build_space(X, 3)
    counts = np.zeros(len(space.pool), dtype=np.int32)
    counts[[2, 5]] = 2, 1
    assert space.rows(counts).tolist() == space.pool[[2, 2, 5]].tolist()
