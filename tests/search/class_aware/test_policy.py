"""The draw of a class-aware policy is that of one decision after another."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from toy_rows import labelled_rows

from autosmote.search.class_aware.features import DEFAULT_FEATURES
from autosmote.search.class_aware.policy import Family, Numbers, RowPolicy, lambda_weights
from autosmote.space.base import LAMBDAS
from autosmote.space.continuous import build_segment_space
from autosmote.space.hard_majority import SHARES
from autosmote.space.pool import build_space

NUMBERS = Numbers(0.6, np.array([0.8, -0.3]), 2.5, 0.7, 1.6)


def policy(build=build_space, n=14, K=6, n_majority=90, seed=0, n_slot_features=0):
    rng = np.random.default_rng(seed)
    space, features = build(rng.normal(size=(n, 3)), K), rng.normal(size=(n, 2))
    of_slots = rng.normal(size=(*space.neighbours.shape, n_slot_features))
    return RowPolicy(space, features, n_majority, of_slots)


def plain_draw(policy, numbers, rng):
    """Draw one row, slot and lambda after another, each from its list of probabilities."""
    n, K = policy.space.n_rows, policy.space.K
    present = n / policy.n_majority
    n_rows = round(present * (1.3 / present) ** numbers.ratio * policy.n_majority) - n
    scores = [math.exp(float(policy.features[i] @ numbers.weights)) for i in range(n)]
    ranks = [0.0] + [math.exp(-rank / numbers.reach) for rank in range(1, K)]
    slot_scores = policy.slot_features @ numbers.slot_weights
    beta = stats.beta(numbers.alpha, numbers.beta)
    borders = [0, 0.125, 0.375, 0.625, 0.875, 1]
    lambdas = [beta.cdf(b) - beta.cdf(a) for a, b in pairwise(borders)]

    def decide(weights, uniform):
        left = uniform * sum(weights)
        for cell, weight in enumerate(weights):
            left -= weight
            if left < 0:
                return cell
        raise AssertionError

    rows, slots = rng.random((2, n_rows))
    thirds = rng.random(n_rows)
    made = []
    for row_uniform, slot_uniform, lambda_uniform in zip(rows, slots, thirds, strict=True):
        row = decide(scores, row_uniform)
        slot = decide(ranks * np.exp(slot_scores[row]), slot_uniform)
        made.append((row, slot, decide(lambdas, lambda_uniform)))
    return made


@pytest.mark.parametrize("slot_weights", [[], [1.5, -0.7]])
@pytest.mark.parametrize("seed", range(5))
def test_draw_equals_one_decision_after_another(seed, slot_weights):
    drawn = policy(n_slot_features=len(slot_weights))
    numbers = dataclasses.replace(NUMBERS, slot_weights=np.array(slot_weights))
    samples, row_counts = drawn.draw(numbers, np.random.default_rng(seed))
    made = plain_draw(drawn, numbers, np.random.default_rng(seed))
    expected = drawn.space.no_samples()
    for row, slot, weight in made:
        expected[drawn.space.action_row[row, slot * 5 + weight]] += 1
    assert np.array_equal(samples, expected)
    assert np.array_equal(row_counts, np.bincount([row for row, _, _ in made], minlength=14))
    assert samples.sum() == drawn.n_synthetic(NUMBERS) > 20


def test_continuous_draw_takes_lambda_as_it_falls():
    drawn = policy(build_segment_space)
    segments, row_counts = drawn.draw(NUMBERS, np.random.default_rng(1))
    made = plain_draw(drawn, NUMBERS, np.random.default_rng(1))
    assert segments.source.tolist() == [row for row, _, _ in made]
    pairs = [drawn.space.neighbours[row, slot] for row, slot, _ in made]
    assert segments.neighbour.tolist() == pairs
    assert np.all((segments.weight > 0) & (segments.weight < 1))
    assert len(np.unique(segments.weight)) == len(segments) == row_counts.sum()


@pytest.mark.parametrize(("ratio", "n_after"), [(0.0, 14), (1.0, 117), (0.5, 40)])
def test_number_of_rows_is_geometric_between_present_and_highest_ratio(ratio, n_after):
    numbers = Numbers(ratio, np.zeros(2), 5.0, 1.0, 1.0)
    assert policy().n_synthetic(numbers) == n_after - 14


def test_a_class_above_the_highest_ratio_gets_no_rows():
    drawn = policy(n_majority=10)
    assert drawn.n_synthetic(NUMBERS) == 0
    assert drawn.draw(NUMBERS, np.random.default_rng(0))[0].sum() == 0


def test_single_minority_row_is_duplicated():
    drawn = policy(n=1)
    samples, row_counts = drawn.draw(NUMBERS, np.random.default_rng(0))
    assert samples.tolist() == row_counts.tolist() == [drawn.n_synthetic(NUMBERS)]


def test_lambda_weights_are_the_beta_distribution_rounded_to_the_five():
    variates = np.random.default_rng(0).beta(0.5, 1.5, 200_000)
    nearest = np.abs(variates[:, None] - LAMBDAS).argmin(axis=1)
    shares = np.bincount(nearest, minlength=5) / len(variates)
    np.testing.assert_allclose(lambda_weights(0.5, 1.5), shares, atol=0.005)
    assert lambda_weights(1, 1).tolist() == [0.125, 0.25, 0.25, 0.25, 0.125]


def test_first_distribution_reads_as_uniform_ratio_and_plain_smote_in_its_middle():
    family = Family(DEFAULT_FEATURES)
    assert len(family.names) == 8
    middle = family.read(family.means)
    assert (middle.ratio, middle.reach, middle.alpha, middle.beta) == (0.5, 5.0, 1.0, 1.0)
    assert not middle.weights.any() and middle.left_out == 0
    points = np.random.default_rng(0).normal(family.means, family.deviations, (2000, 8))
    ratios = [family.read(point).ratio for point in points]
    assert stats.kstest(ratios, "uniform").pvalue > 0.01


def test_ninth_number_is_a_share_of_the_majority():
    family = Family(["h5"], under_sampling=True)
    assert family.names == ["ratio", "h5", "reach", "alpha", "beta", "left_out"]
    shares = [family.read(np.array([0, 0, 0, 0, 0, z])).left_out for z in (-9, 0, 9)]
    assert shares == [SHARES[0], SHARES[5], SHARES[-1]]


def test_labelled_rows_count_the_largest_other_class():
    rows = labelled_rows([0] * 6 + [1] * 3 + [2] * 4, label=1)
    assert rows.n_largest(np.ones(13, bool)) == 6
    assert rows.n_largest(np.arange(13) >= 4) == 4
