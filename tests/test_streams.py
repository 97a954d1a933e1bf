"""Random streams: no purpose, place or seed shares numbers with another."""

import itertools

import numpy as np
import pytest

from autosmote.streams import Purpose, derived_seed, stream


def first(generator):
    return generator.integers(0, 2**63, 4).tolist()


def test_stream_of_each_purpose_seed_and_place_is_another():
    seeds, places = (0, 1, 2**32 - 1), ((), (0,), (1,), (0, 0))
    found = [
        first(stream(seed, purpose, *place))
        for seed, purpose, place in itertools.product(seeds, Purpose, places)
    ]
    # Those that are one and the same without a spawn key.
    assert first(np.random.default_rng(0)) == first(np.random.default_rng([0, 0]))
    found += [first(np.random.default_rng(seed)) for seed in seeds]
    assert len({tuple(numbers) for numbers in found}) == len(found)


def test_stream_is_the_same_each_time_and_everywhere():
    assert first(stream(3, Purpose.SPLIT)) == first(stream(3, Purpose.SPLIT))
    assert derived_seed(0, Purpose.FOLDS) == 1216546553 and Purpose.ITERATION == 7


@pytest.mark.parametrize("purpose", Purpose)
def test_derived_seed_is_of_32_bits(purpose):
    assert all(0 <= derived_seed(seed, purpose, n) < 2**32 for seed in (0, 7) for n in range(5))
