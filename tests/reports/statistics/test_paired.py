"""Mean differences over paired runs."""

import numpy as np

from autosmote.reports.statistics import paired


def test_estimate_intervals_cover_the_truth():
    """In 95% of simulated experiments, but for the little that so few configurations allow."""
    rng = np.random.default_rng(0)
    datasets = ["a"] * 12 + ["b"] * 12
    truth = 0.3
    effects = rng.normal(0, 1, (24, 200, 1))
    values = truth + effects + rng.normal(0, 1, (24, 200, 3))
    found = paired.estimate(values, datasets)
    covered = np.mean((found.low <= truth) & (truth <= found.high))
    assert 0.9 <= covered <= 0.99
