"""Plans: which runs are one unit, and what is loaded once."""

import dataclasses
import itertools

import numpy as np
import pytest
from unit_configs import AUTOSMOTE, CLASS_AWARE_RANDOM, RANDOM_EPISODES, SMALL_SEARCH, rival

from autosmote.config.schema import LimitSettings, SamplerSettings
from autosmote.runs.unit import Data, plan


def test_plan_joins_runs_that_share_a_resampling(make):
    pairs = list(itertools.product(("dt", "svm"), ("macro_f1", "mcc")))
    samplers = [SamplerSettings("none", kind="none"), rival(), rival("Threshold", "method")]
    configs = [
        make(sampler, clf, metric, seed=seed)
        for sampler in [*samplers, AUTOSMOTE]
        for clf, metric in pairs
        for seed in (0, 1)
    ]
    found = plan([*configs, *configs], Data())
    sizes = [(unit[0].config.sampler.name, unit[0].config.seed, len(unit)) for unit in found]
    shared = [(name, seed, 4) for name in ("none", "jittering") for seed in (0, 1)]
    alone = [(name, seed, 1) for name in ("threshold", "autosmote") for seed in (0, 1) * 4]
    assert sorted(sizes) == sorted(shared + alone)
    assert [sizes[0][0], sizes[-1][0]] == ["none", "autosmote"]


@pytest.mark.parametrize(
    ("sampler", "search", "n_units"),
    [
        (AUTOSMOTE, {}, 2),
        (AUTOSMOTE, {"method": "class_aware"}, 2),
        (AUTOSMOTE, {"method": "class_aware", "iterations": 0}, 1),
        (RANDOM_EPISODES, {}, 1),
        (RANDOM_EPISODES, {"patience": 2}, 2),
        (RANDOM_EPISODES, {"time_limit": 60.0}, 2),
        (RANDOM_EPISODES, {"method": "class_aware"}, 2),
        (CLASS_AWARE_RANDOM, {}, 1),
    ],
)
def test_a_search_serves_both_metrics_unless_scores_decide_what_it_tries(
    make, sampler, search, n_units
):
    settings = dataclasses.replace(SMALL_SEARCH, **search)
    configs = [make(sampler, metric=metric, search=settings) for metric in ("macro_f1", "mcc")]
    assert len(plan(configs, Data())) == n_units


@pytest.mark.parametrize(
    "difference",
    [
        {"limits": LimitSettings(resampling_seconds=5)},
        {"ir": 20.0},
        {"sampler": rival(more=1)},
        {"results_dir": "elsewhere"},
    ],
    ids=lambda value: next(iter(value)),
)
def test_plan_separates_runs_that_share_none(make, difference):
    config = make(rival())
    assert len(plan([config, dataclasses.replace(config, **difference)], Data())) == 2


def test_data_caches_datasets_and_the_last_split(make, monkeypatch):
    data = Data()
    config = make(rival())
    other = dataclasses.replace(config, seed=1)
    assert data.dataset(config) is data.dataset(other)
    assert data.split(config) is data.split(make(AUTOSMOTE, "svm"))
    assert not np.array_equal(data.split(config).X_train, data.split(other).X_train)
