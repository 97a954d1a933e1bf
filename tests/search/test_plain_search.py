"""The search loop and its learner do what Algorithm 2 in plain steps does."""

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from autosmote.config.search import SearchConfig
from autosmote.metrics import macro_f1
from autosmote.sampler.class_search import run_search
from autosmote.search.hierarchical.parameters import initial_parameters, policy_shapes
from autosmote.search.hierarchical.plain_search import plain_search
from autosmote.space.pool import build_space
from autosmote.streams import Purpose, stream

PUBLIC = {"bin_width": 3, "include_largest": False, "chunks_per_update": 3, "value_cost": 0.25}


@pytest.mark.parametrize(
    ("net", "learner", "settings"),
    [
        ("paper", "torch", {}),
        ("joint", "torch", {}),
        ("paper", "numpy", {}),
        ("joint", "torch", PUBLIC),
        ("paper", "numpy", PUBLIC),
    ],
)
def test_search_loop_equals_algorithm_2_in_plain_steps(net, learner, settings):
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(0, 1, (60, 2)), rng.normal(1, 1, (9, 2))])
    y = np.repeat([0, 1], [60, 9]).astype(np.int8)
    X_val, y_val = X + rng.normal(0, 0.3, X.shape), y
    # The order of the synthetic rows differs, and this classifier does not care.
    estimator = GaussianNB()
    config = SearchConfig(
        iterations=14, G1=3, G2=3, K=4, lag=2, low_level_rows=4, low_level_net=net, actors=0,
        device="cpu", learner=learner, buffer_instance=8, buffer_low=16, **settings,
    )  # fmt: skip
    result = run_search(
        X, y, X_val, y_val, estimator, metric="macro_f1", ir=None, seed=5, config=config
    )

    def score(rows):
        labels = np.append(y, np.ones(len(rows), np.int8))
        return macro_f1(y_val, estimator.fit(np.vstack([X, rows]), labels).predict(X_val))

    largest = 3 if config.include_largest else 2
    shapes = policy_shapes(n_features=2, G1=largest, G2=largest, low_level_net=net)
    first = stream(5, Purpose.POLICIES)
    initial = {level: initial_parameters(of_level, first) for level, of_level in shapes.items()}
    space = build_space(X[y == 1], 4)
    rewards, parameters = plain_search(space, score, initial, G1=3, seed=5, config=config)
    assert result.history["reward"].tolist() == rewards
    assert len(set(rewards)) > 3
    for level, flat in parameters.items():
        learned, expected = result.parameters[level] - initial[level], flat - initial[level]
        assert np.abs(expected).max() > 0.01
        if level == "low":
            # Adam turns a gradient that is zero but for rounding into a step of either sign, and
            # the low level has such ones: a number added to all scores changes no probability.
            assert np.corrcoef(learned, expected)[0, 1] > 0.9
        else:
            np.testing.assert_allclose(learned, expected, atol=1e-4)
