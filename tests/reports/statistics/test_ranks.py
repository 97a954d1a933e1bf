"""Ranks by hand, and bootstrap intervals that do what their documentation says."""

import numpy as np
import pytest

from autosmote.reports.cells import Cells
from autosmote.reports.statistics.bootstrap import draw_scores, interval
from autosmote.reports.statistics.ranks import compute_share_above, rank


def cells_of(test, datasets=None):
    """Cells with nothing but test scores, shape (C, A, S)."""
    test = np.asarray(test, dtype=float)
    n, n_arms, n_seeds = test.shape
    datasets = datasets or ["phoneme"] * n
    return Cells(
        metric="macro_f1",
        configurations=[(dataset, float(i), "dt") for i, dataset in enumerate(datasets)],
        arms=[f"arm{a}" for a in range(n_arms)],
        seeds=list(range(n_seeds)),
        test=test,
        extended=np.full(test.shape, np.nan),
        validation=test,
        plain_test=np.zeros(test.shape),
        plain_extended=np.full(test.shape, np.nan),
        plain_validation=np.zeros(test.shape),
        imputed=np.zeros(test.shape, dtype=bool),
        planned=np.ones((n, n_arms), dtype=bool),
    )


def test_the_highest_score_is_first_and_ties_share_their_ranks():
    scores = np.array([[0.9, 0.7, 0.8, 0.7], [0.5, 0.5, 0.5, 0.5], [0.1, 0.2, 0.3, 0.4]])
    expected = [[1, 3.5, 2, 3.5], [2.5, 2.5, 2.5, 2.5], [4, 3, 2, 1]]
    np.testing.assert_array_equal(rank(scores), expected)


def test_a_missing_score_has_no_rank_and_moves_no_other():
    np.testing.assert_array_equal(rank(np.array([0.9, np.nan, 0.7])), [1, np.nan, 2])


def test_means_are_over_the_seeds_that_all_arms_have():
    nan = np.nan
    cells = cells_of([[[0.2, 0.4, 0.9], [0.4, 0.6, nan], [nan, nan, nan]]])
    np.testing.assert_array_equal(cells.shared(), [[True, True, False]])
    np.testing.assert_allclose(cells.means(), [[0.3, 0.5, nan]])


def test_no_common_seed_is_no_comparison():
    cells = cells_of([[[0.2, np.nan], [np.nan, 0.4]]])
    assert np.isnan(cells.means()).all()


def test_ties_with_the_reference_count_half():
    above = compute_share_above(np.array([[[0.5, 0.6], [0.5, 0.7], [0.4, np.nan]]]), reference=0)
    np.testing.assert_array_equal(above, [[[0.5, 0.5], [0.5, 0.0], [1.0, np.nan]]])


def all_draws(cells, n_draws=400):
    return np.concatenate([draws.means for draws in draw_scores(cells, n_draws=n_draws)])


def test_datasets_stay_in_their_places_and_arms_share_what_is_drawn():
    rng = np.random.default_rng(1)
    test = rng.random((5, 1, 3)) + np.array([0, 0, 10, 10, 10])[:, None, None]
    twice = cells_of(np.concatenate([test, test + 1], axis=1), ["a", "a", "b", "b", "b"])
    drawn = all_draws(twice)
    assert (drawn[:, :2, 0] < 2).all() and (drawn[:, 2:, 0] > 9).all()
    np.testing.assert_allclose(drawn[..., 1], drawn[..., 0] + 1)
    assert len(np.unique(drawn[:, 0, 0])) > 10  # configurations and seeds are drawn


def test_a_draw_uses_only_shared_seeds():
    test = np.full((6, 2, 3), 0.5)
    test[:3, 1, 1] = np.nan
    test[:3, 0, 1] = 99.0
    test[3:, 0, 2] = 0.8
    drawn = all_draws(cells_of(test))
    assert not np.isnan(drawn).any() and drawn.max() <= 0.8


def test_the_mean_of_draws_has_the_spread_of_the_mean():
    test = np.random.default_rng(2).normal(size=(40, 1, 1))
    spread = all_draws(cells_of(test), 4000).mean(axis=1).std()
    assert spread == pytest.approx(test.std() / np.sqrt(40), rel=0.1)


def test_the_interval_is_moved_by_the_bias_of_the_draws():
    draws = np.linspace(2.0, 4.0, 401)[:, None]
    low, high = interval(np.array([2.5]), draws)
    assert (low[0], high[0]) == pytest.approx((1.55, 3.45))


def test_intervals_cover_the_true_average_rank():
    """As documented, about 95% of them; here with a few repetitions of a small experiment."""
    rng = np.random.default_rng(3)
    strength = np.linspace(0, 1.5, 6)

    def experiment(n):
        return rng.normal(strength[:, None], 1.0, (n, 6, 3))

    truth = rank(experiment(20_000).mean(axis=2)).mean(axis=0)
    covered = []
    for _ in range(60):
        cells = cells_of(experiment(36))
        estimate = rank(cells.means()).mean(axis=0)
        chunks = [draws.ranks.mean(axis=1) for draws in draw_scores(cells, n_draws=200)]
        low, high = interval(estimate, np.concatenate(chunks))
        covered.append((low <= truth) & (truth <= high))
    assert 0.9 < np.mean(covered) < 0.995
