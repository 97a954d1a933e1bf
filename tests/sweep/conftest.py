"""Small sweeps on the embedded toy data."""

import pytest
from unit_configs import UnitMaker

from autosmote.config.search import SearchConfig
from autosmote.sweep.plan import Unit
from autosmote.sweep.settings import SweepConfig


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
    maker = UnitMaker(tmp_path / "results")

    def make(*arguments, **settings) -> Unit:
        return Unit(tuple(maker(*arguments, **settings)), 1.0, 0)

    make.data = maker.data
    return make
