"""Training part, pool and validation part for the scorers' tests, shaped like the six datasets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from autosmote.space.pool import build_space


@dataclass(frozen=True)
class Problem:
    X_train: NDArray[np.float64]
    y_train: NDArray[np.int8]
    pool: NDArray[np.float64]
    X_val: NDArray[np.float64]


def make_problem(X: NDArray, y: NDArray, X_val: NDArray, K: int = 30) -> Problem:
    X, X_val = np.ascontiguousarray(X, dtype=float), np.ascontiguousarray(X_val, dtype=float)
    pool = build_space(np.ascontiguousarray(X[y == 1]), K).pool
    return Problem(X, y.astype(np.int8), pool, X_val)


def draw_counts(problem: Problem, rng: np.random.Generator, n_synthetic: int | None = None):
    """Draw counts as in an episode: few rows often, many never."""
    if n_synthetic is None:
        n_synthetic = int(rng.integers(1, 2 * len(problem.X_train)))
    preference = rng.dirichlet(np.full(len(problem.pool), rng.choice([0.02, 0.2, 5.0])))
    return rng.multinomial(n_synthetic, preference).astype(np.int32)


def over_sampled(problem: Problem, counts: NDArray) -> tuple[NDArray, NDArray]:
    """Return the training part followed by pool rows, each as often as it is counted."""
    X = np.vstack([problem.X_train, np.repeat(problem.pool, counts, axis=0)])
    return X, np.append(problem.y_train, np.ones(counts.sum(), np.int8))


def _labelled(X: NDArray, weights: NDArray, rng: np.random.Generator, share: float = 0.06):
    """Return labels: the rows with the largest noisy sum of features are the minority."""
    score = np.tanh(X) @ weights + rng.normal(0, 1, len(X))
    return (score >= np.quantile(score, 1 - share)).astype(np.int8)


def numeric(seed: int = 0, n: int = 900, d: int = 5) -> Problem:
    """Make data like phoneme, mozilla4 and MagicTelescope: continuous features."""
    rng = np.random.default_rng(seed)
    X = rng.normal(0, 1, (n + n // 3, d)) * rng.uniform(0.5, 2, d)
    y = _labelled(X, rng.normal(0, 1, d), rng)
    return make_problem(X[:n], y[:n], X[n:])


def rounded(seed: int = 0, n: int = 900, d: int = 14) -> Problem:
    """Make data like eeg-eye-state: values on a grid, duplicate rows, a few far outliers."""
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(0, 1, (n + n // 3, d)) @ rng.normal(0, 0.4, (d, d)), 1)
    X[:: n // 4, 0] += 400.0
    X[1::9] = X[::9][: len(X[1::9])]
    y = _labelled(X, rng.normal(0, 1, d), rng)
    return make_problem(X[:n], y[:n], X[n:])


def one_hot(seed: int = 0, n: int = 700, groups: tuple[int, ...] = (2,) * 6 + (3,) * 8) -> Problem:
    """Make data like PhishingWebsites: one-hot columns only, hence ties and duplicates."""
    rng = np.random.default_rng(seed)
    n_all = n + n // 3
    blocks = [
        np.eye(size)[rng.choice(size, n_all, p=rng.dirichlet(np.full(size, 2.0)))]
        for size in groups
    ]
    X = np.hstack([*blocks, np.zeros((n_all, 1))])  # a category that no row has
    y = _labelled(X, rng.normal(0, 2, X.shape[1]), rng)
    return make_problem(X[:n], y[:n], X[n:])


def mixed(seed: int = 0, n: int = 900) -> Problem:
    """Make data like electricity: numeric features, one of them on a grid, and a one-hot block."""
    rng = np.random.default_rng(seed)
    n_all = n + n // 3
    grid = rng.integers(0, 48, n_all) / 48
    X = np.hstack(
        [rng.normal(0, 1, (n_all, 6)), grid[:, None], np.eye(7)[rng.integers(7, size=n_all)]]
    )
    y = _labelled(X, rng.normal(0, 1, X.shape[1]), rng)
    return make_problem(X[:n], y[:n], X[n:])


SHAPES = {"numeric": numeric, "rounded": rounded, "one_hot": one_hot, "mixed": mixed}


SCALES = (1.0, 0.25, 0.1, 1 / 3, 1e-8)
EXACT_SCALES = (1.0, 0.25)
"""Distances have no rounding errors, however they are computed."""


@st.composite
def tiny_problems(
    draw: st.DrawFn, scales: tuple[float, ...] = SCALES
) -> tuple[Problem, NDArray[np.int32]]:
    """Draw small problems full of duplicates, ties and constant features, with counts.

    At least one minority row; counts from none at all to huge.
    """
    d = draw(st.integers(1, 4))
    n_majority, n_minority = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    scale = draw(st.sampled_from(scales))
    values = st.integers(0, draw(st.integers(0, 4)))

    def rows(n: int) -> NDArray[np.float64]:
        row = st.lists(values, min_size=d, max_size=d)
        return np.array(draw(st.lists(row, min_size=n, max_size=n)), dtype=float) * scale

    X = rows(n_majority + n_minority)
    y = np.zeros(len(X), dtype=np.int8)
    y[draw(st.permutations(range(len(X))))[:n_minority]] = 1
    problem = make_problem(X, y, rows(draw(st.integers(1, 8))), K=draw(st.integers(1, 6)))
    count = st.sampled_from([0, 0, 0, 1, 1, 2, 5, draw(st.sampled_from([3, 40, 2000]))])
    counts = draw(st.lists(count, min_size=len(problem.pool), max_size=len(problem.pool)))
    return problem, np.array(counts, dtype=np.int32)
