"""Small runs on the embedded toy data."""

from functools import partial

import pytest
from unit_configs import small_config


@pytest.fixture
def make(tmp_path):
    """A function that makes configurations, by sampler and classifier."""
    return partial(small_config, tmp_path / "results")
