"""Rows for the tests of the class-aware search."""

import numpy as np

from autosmote.space.labelled_rows import LabelledRows


def labelled_rows(y, label=1, seed=0, n_features=3, parts=()):
    """Return rows of random numbers with these classes."""
    y = np.asarray(y)
    states = np.random.default_rng(seed).normal(size=(len(y), n_features))
    return LabelledRows(states, y, label, list(parts))
