"""The cross-entropy learner finds the best point of a problem whose best point is known."""

import numpy as np
import pytest

from autosmote.search.class_aware.learner import CrossEntropyLearner, Normal, PolicyGradientLearner
from autosmote.search.method import Proposal

FIRST = Normal(np.zeros(8), np.full(8, 0.7))


def run(iterations, score, *, seed=0, lag=1, first=FIRST, floor=0.1, learner=CrossEntropyLearner):
    """Search for the point with the best score; return the learner and all points."""
    learner = learner(first, iterations, floor * first.deviations)
    rng = np.random.default_rng(seed)
    versions, points = [learner.parameters()], []
    for n in range(iterations):
        point = Normal.read(versions[max(0, n - lag + 1)]).draw(rng)
        points.append(point)
        learner.learn(Proposal(None, 1, point), score(point, rng))
        versions.append(learner.parameters())
    return learner, np.array(points), versions


BEST = np.array([1.0, -0.8, 0.5, -0.5, 0.8, 0.0, 0.3, -0.3])


@pytest.mark.parametrize("lag", [1, 4])
@pytest.mark.parametrize(
    ("learner", "iterations", "nearer"),
    [
        (CrossEntropyLearner, 300, 0.6),
        (CrossEntropyLearner, 60, 0.9),
        (PolicyGradientLearner, 300, 0.7),
    ],
)
def test_learner_moves_towards_the_best_point_in_spite_of_noise(learner, iterations, nearer, lag):
    def score(point, rng):
        return -np.sum((point - BEST) ** 2) + rng.normal(0, 0.5)

    distances = []
    for seed in range(5):
        found, points, _ = run(iterations, score, seed=seed, lag=lag, learner=learner)
        final = Normal.read(found.parameters())
        distances.append(np.linalg.norm(final.means - BEST))
        assert np.all(final.deviations >= 0.07 - 1e-6) and final.deviations.mean() < 0.6
        sixth = len(points) // 6
        off = np.sum((points - BEST) ** 2, axis=1)
        assert off[-sixth:].mean() < off[:sixth].mean()
    assert np.mean(distances) < nearer * np.linalg.norm(BEST)


def test_refit_is_seven_tenths_of_the_best_and_three_of_the_old():
    points = [np.array([float(i)]) for i in range(12)]
    learner = CrossEntropyLearner(Normal(np.zeros(1), np.ones(1)), 60, np.array([0.1]))
    for point in points[:9]:
        learner.learn(Proposal(None, 1, point), point[0])
        assert learner.parameters().tolist() == [0, 1]  # a generation of 60 iterations has ten
    learner.learn(Proposal(None, 1, points[9]), 9.0)
    best = [5, 6, 7, 8, 9]
    expected = [0.7 * np.mean(best), 0.7 * np.std(best) + 0.3]
    np.testing.assert_allclose(learner.parameters(), expected, rtol=1e-6)


def test_deviations_keep_their_floor_and_fixed_numbers_stay_fixed():
    first = Normal(np.zeros(2), np.array([1.0, 0.0]))
    learner, points, _ = run(60, lambda point, rng: -abs(point[0]), first=first, floor=0.2)
    final = Normal.read(learner.parameters())
    assert final.deviations[0] >= 0.2 - 1e-6
    assert final.means[1] == final.deviations[1] == 0 and not points[:, 1].any()


def test_iteration_without_a_point_counts_and_teaches_nothing():
    learner = CrossEntropyLearner(Normal(np.zeros(1), np.ones(1)), 12, np.array([0.1]))
    learner.learn(Proposal(None, 0, None), 1.0)
    learner.learn(Proposal(None, 0, None), 1.0)
    assert learner.parameters().tolist() == [0, 1]
