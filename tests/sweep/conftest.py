"""Small sweeps on the embedded toy data."""

import dataclasses

import pytest

from autosmote.config.schema import ClassifierSettings, Config, DatasetSettings, SamplerSettings
from autosmote.config.search import SearchConfig
from autosmote.runs.unit import Data, plan
from autosmote.sweep.plan import Unit
from autosmote.sweep.settings import SweepConfig

DT = ClassifierSettings("dt", "sklearn.tree.DecisionTreeClassifier", {"random_state": 0})


@pytest.fixture
def small(tmp_path):
    """A function that makes the settings of a sweep: by default 4 runs in 2 units."""

    def make(**settings) -> SweepConfig:
        return SweepConfig(
            **{
                "name": "small",
                "budget": "smoke",
                "samplers": ["none", "randomoversampler"],
                "datasets": ["toy"],
                "irs": [None],
                "clfs": ["dt"],
                "metrics": ["macro_f1", "mcc"],
                "seeds": [0],
                "search": SearchConfig(iterations=3, G1=2, G2=2, device="cpu"),
                "results_dir": str(tmp_path / "results"),
                "workers": 1,
                "reports": False,
                **settings,
            }
        )

    return make


@pytest.fixture
def unit(tmp_path):
    """A function that makes a unit from a class of tests/rivals.py or another classifier."""
    data = Data()

    def make(name="Jittering", clf=DT, seed=0, **params) -> Unit:
        sampler = SamplerSettings(name.lower(), f"rivals.{name}", True, params)
        if name == "none":
            sampler = SamplerSettings("none", kind="none")
        config = Config(
            dataset=DatasetSettings("toy"),
            clf=clf,
            sampler=sampler,
            ir=None,
            seed=seed,
            results_dir=str(tmp_path / "results"),
        )
        both = [config, dataclasses.replace(config, metric="mcc")]
        (runs,) = plan(both, data)
        return Unit(tuple(runs), 1.0, 0)

    make.data = data
    return make
