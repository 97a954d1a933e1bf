"""Features are what brute force finds, and a fold's come from its own rows alone."""

import numpy as np
import pytest
from toy_rows import labelled_rows

from autosmote.search.class_aware.features import (
    FEATURES,
    SLOT_FEATURES,
    Surroundings,
    feature_matrix,
    slot_feature_matrix,
)
from autosmote.space.base import nearest_neighbours
from autosmote.space.labelled_rows import NearestRows
from autosmote.space.pool import build_space


def brute_force(X, i, used, k):
    others = [j for j in np.flatnonzero(used) if j != i]
    return sorted(others, key=lambda j: (sum((X[i] - X[j]) ** 2), j))[:k]


@pytest.mark.parametrize("k", [1, 5, 30, 200])
@pytest.mark.parametrize("levels", [None, 3])  # of three levels: many rows are equal
def test_nearest_rows_equal_brute_force(k, levels):
    rng = np.random.default_rng(k)
    X = rng.normal(size=(120, 3))
    X = X if levels is None else np.rint(X).clip(0, levels - 1)
    of = np.sort(rng.choice(120, 20, replace=False))
    nearest = NearestRows(X, of, k)
    for used in (np.ones(120, bool), rng.random(120) < 0.8, rng.random(120) < 0.15):
        found = nearest.among(used)
        expected = [brute_force(X, i, used, k) for i in of if used[i]]
        assert found.tolist() == np.reshape(expected, found.shape).tolist()


def test_nearest_rows_of_a_single_row_are_none():
    found = NearestRows(np.zeros((4, 2)), np.array([1]), 3).among(np.arange(4) == 1)
    assert found.shape == (1, 0)


def surroundings(rows, used):
    minority = np.flatnonzero(rows.is_minority)
    nearest = NearestRows(rows.states, minority, 30).among(used)
    space = build_space(rows.states[used & rows.is_minority], 30)
    majority = rows.states[used & ~rows.is_minority]
    return Surroundings(space, ~rows.is_minority[nearest], majority)


def test_features_equal_brute_force():
    rows = labelled_rows([0] * 50 + [1] * 12 + [2] * 20)
    X, used = rows.states, np.random.default_rng(1).random(82) < 0.7
    found = feature_matrix(surroundings(rows, used), list(FEATURES))
    mine = np.flatnonzero(used & rows.is_minority)
    h5, h30, distance, majority = [], [], [], []
    for i in mine:
        near = brute_force(X, i, used, 30)
        h30.append(np.mean(rows.y[near] != 1))
        h5.append(np.mean(rows.y[near[:5]] != 1))
        same = brute_force(X, i, used & rows.is_minority, 5)
        distance.append(np.log(np.mean([np.linalg.norm(X[i] - X[j]) for j in same])))
        (other,) = brute_force(X, i, used & ~rows.is_minority, 1)
        majority.append(np.log(np.linalg.norm(X[i] - X[other])))
    h5, h30, distance, majority = (
        (v - np.mean(v)) / np.std(v) for v in (h5, h30, distance, majority)
    )
    expected = np.transpose([h5, h5**2, h30, distance, majority])
    assert found.shape == (len(mine), 5)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_slot_features_equal_brute_force():
    rows = labelled_rows([0] * 50 + [1] * 12 + [2] * 20)
    X, used = rows.states, np.random.default_rng(1).random(82) < 0.7
    around = surroundings(rows, used)
    found = slot_feature_matrix(around, list(SLOT_FEATURES))
    mine, others = (np.flatnonzero(used & (rows.is_minority == own)) for own in (True, False))
    middle, distance = np.zeros((2, len(mine), around.space.K))
    for place, i in enumerate(mine):
        for slot, neighbour in enumerate(around.space.neighbours[place]):
            j = mine[neighbour]
            centre = (X[i] + X[j]) / 2
            near = [min(np.linalg.norm(centre - X[k]) for k in rows) for rows in (mine, others)]
            middle[place, slot] = np.log(near[0] / near[1]) if slot else 0
            same = brute_force(X, j, used & rows.is_minority, 5)
            distance[place, slot] = np.log(np.mean([np.linalg.norm(X[k] - X[j]) for k in same]))
    for place, values in enumerate((middle, distance)):
        values = (values - values[:, 1:].mean()) / values[:, 1:].std()
        np.testing.assert_allclose(found[:, 1:, place], values[:, 1:], atol=1e-12)
    assert not found[:, 0].any() and slot_feature_matrix(around, []).shape[2] == 0


def test_features_of_equal_rows_are_zero_and_finite():
    rows = labelled_rows([0] * 8 + [1] * 4, n_features=1)
    rows.states[rows.is_minority] = 7.0
    found = feature_matrix(surroundings(rows, np.ones(12, bool)), ["distance", "h5"])
    assert np.array_equal(found[:, 0], np.zeros(4)) and np.isfinite(found).all()
    of_slots = slot_feature_matrix(
        surroundings(rows, np.ones(12, bool)), ["middle", "neighbour_distance"]
    )
    assert not of_slots.any()


def test_features_do_not_see_rows_that_are_not_used():
    rows = labelled_rows([0] * 50 + [1] * 15)
    used = np.random.default_rng(3).random(65) < 0.7
    before = feature_matrix(surroundings(rows, used), list(FEATURES))
    rows.states[~used] = np.random.default_rng(4).permutation(rows.states[~used])
    rows.states[~used & ~rows.is_minority] = 0.0
    after = feature_matrix(surroundings(rows, used), list(FEATURES))
    assert np.array_equal(before, after)
    everything = feature_matrix(surroundings(rows, np.ones(65, bool)), list(FEATURES))
    assert not np.array_equal(before, everything[used[rows.is_minority]])


def test_neighbours_of_the_space_are_those_of_the_features():
    X = np.random.default_rng(0).normal(size=(25, 4))
    nearest = NearestRows(X, np.arange(25), 6).among(np.ones(25, bool))
    assert np.array_equal(nearest, nearest_neighbours(X, 7)[:, 1:])
