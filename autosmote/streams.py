"""Make the streams of random numbers, each by the seed, its purpose and a place in it.

``default_rng(s)``, ``default_rng([s, 0])`` and ``default_rng([s, 0, 0])`` are one and the same
stream. With a spawn key no two purposes share numbers, whatever the seed.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """Uses of random numbers. The values are part of each result: never renumber them."""

    UNDER_SAMPLING = 1
    """Minority rows that are removed for an imbalance ratio."""
    SPLIT = 2
    """Training, validation and test part."""
    HELD_OUT = 3
    """Rows that the estimator holds out to score by."""
    FOLDS = 4
    """Folds to score by: of the crossfit reward, and of `AutoSMOTEClassifier`."""
    CLASSIFIER = 5
    """Random state of a classifier that has none of its own."""
    POLICIES = 6
    """Initial parameters of a method."""
    ITERATION = 7
    """A proposal; the place is the iteration."""
    RESAMPLING = 8
    """Seed of a resampler; the place is the iteration."""
    DRAW = 9
    """Rows of a class-aware draw; the place is 0 for all rows, 1 + j for part j."""


def stream(seed: int, purpose: Purpose, *place: int) -> np.random.Generator:
    """Return a generator that no other purpose or place shares."""
    return np.random.default_rng(_sequence(seed, purpose, place))


def derived_seed(seed: int, purpose: Purpose, *place: int) -> int:
    """Return a seed below 2**32, for libraries that take an integer."""
    return int(_sequence(seed, purpose, place).generate_state(1)[0])


def _sequence(seed: int, purpose: Purpose, place: tuple[int, ...]) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(int(purpose), *place))
