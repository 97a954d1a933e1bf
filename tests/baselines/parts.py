"""Small training parts like those of the six datasets, and checks for every resampler."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines.resampler import Resampler


@dataclass(frozen=True)
class Part:
    X: NDArray[np.float64]
    y: NDArray[np.int8]
    groups: list[tuple[int, int]] = field(default_factory=list)


def numeric(n_majority: int = 300, n_minority: int = 30, seed: int = 0) -> Part:
    """Return five scaled features; the minority has two clusters, one inside the majority."""
    rng = np.random.default_rng(seed)
    n_inside = n_minority // 2
    X = np.vstack(
        [
            rng.normal(0, 1, (n_majority, 5)),
            rng.normal(0.4, 0.8, (n_inside, 5)),
            rng.normal([2, -1.5, 0, 1, 0], 0.6, (n_minority - n_inside, 5)),
        ]
    )
    return _shuffled(X, n_majority, rng)


def mixed(n_majority: int = 200, n_minority: int = 24, seed: int = 0) -> Part:
    """Return two numeric features and two of 2 and 3 categories, the second with missing values."""
    rng = np.random.default_rng(seed)
    n = n_majority + n_minority
    is_rare = np.arange(n) >= n_majority
    numbers = rng.normal(0, 1, (n, 2)) + is_rare[:, None] * [1.0, -0.5]
    first = rng.random(n) < np.where(is_rare, 0.7, 0.3)
    second = rng.integers(0, 3, n)
    second[rng.random(n) < 0.1] = -1
    blocks = [first[:, None] == [False, True], second[:, None] == np.arange(3)]
    part = _shuffled(np.hstack([numbers, *blocks]).astype(float), n_majority, rng)
    return Part(part.X, part.y, [(2, 4), (4, 7)])


def _shuffled(X: NDArray, n_majority: int, rng: np.random.Generator) -> Part:
    y = (np.arange(len(X)) >= n_majority).astype(np.int8)
    order = rng.permutation(len(X))
    return Part(np.ascontiguousarray(X[order]), y[order])


def is_changed(X: NDArray, y: NDArray, part: Part) -> bool:
    """Return whether rows or labels differ, in any order."""
    if X.shape != part.X.shape:
        return True
    new, old = np.column_stack([X, y]), np.column_stack([part.X, part.y])
    return not np.array_equal(new[np.lexsort(new.T)], old[np.lexsort(old.T)])


def global_states() -> list[bytes]:
    """Return the global generators' states, for comparison."""
    import torch

    return [
        repr(np.random.get_state(legacy=False)).encode(),  # noqa: NPY002
        np.random.get_state()[1].tobytes(),  # noqa: NPY002
        repr(random.getstate()).encode(),
        torch.get_rng_state().numpy().tobytes(),
    ]


def check_resampler(
    make: Callable[[], Resampler], part: Part, ratio: float | None
) -> tuple[NDArray, NDArray]:
    """Resample with two equal objects, check what holds for all resamplers, return the result."""
    X_before, y_before, states = part.X.copy(), part.y.copy(), global_states()
    results = []
    for _ in range(2):
        np.random.seed(len(results))  # noqa: NPY002 -- must not change the result
        random.seed(len(results))
        state = global_states()
        resampler = make().fit(part.X, part.y, groups=part.groups)
        results.append((resampler, *resampler.resample(ratio)))
        assert global_states() == state, "a global generator was changed"
    assert states[3] == global_states()[3]
    assert np.array_equal(part.X, X_before) and np.array_equal(part.y, y_before)

    (first, X, y), (second, X_again, y_again) = results
    assert np.array_equal(X, X_again) and np.array_equal(y, y_again), (
        "not decided by the seed alone"
    )
    assert X.dtype == np.float64 and X.flags.c_contiguous and X.ndim == 2
    assert y.dtype == np.int8 and y.shape == (len(X),)
    assert np.isfinite(X).all() and set(np.unique(y)) <= {0, 1}
    transformed = first.transform(part.X)
    assert transformed.shape == (len(part.X), X.shape[1])
    assert np.array_equal(transformed, second.transform(part.X))
    return X, y


def check_first_use(statement: str, before: str = "") -> None:
    """Check that a statement leaves the global generators unchanged in a new interpreter.

    There, it imports packages for the first time, which may draw numbers. `before` is run first
    and is not checked.
    """
    code = f"""
from parts import global_states, numeric
{before}
part = numeric(60, 14)
state = global_states()
{statement}
assert global_states() == state, "a global generator was changed"
"""
    here = Path(__file__).parent
    paths = repr([str(here), str(here.parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
