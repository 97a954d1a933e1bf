"""Small runs on the embedded toy data."""

from functools import partial

import pytest
from unit_configs import UnitMaker, small_config


@pytest.fixture
def make(tmp_path):
    """A function that makes configurations, by sampler and classifier."""
    return partial(small_config, tmp_path / "results")


@pytest.fixture
def make_unit(tmp_path):
    """A function that makes units, each a list of runs."""
    return UnitMaker(tmp_path / "results")
