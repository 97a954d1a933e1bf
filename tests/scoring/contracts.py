"""The equality contract of each fast scorer against a scikit-learn refit.

Each check returns what a report wants to know; it fails where the contract is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from problems import Problem

from autosmote.scoring import Scorer, make_scorer
from autosmote.scoring.refit import RefitScorer


def scorers(problem: Problem, estimator: Any, name: str) -> tuple[Any, RefitScorer]:
    """The fast scorer, of the name that is expected, and the reference."""
    arguments = (estimator, problem.X_train, problem.y_train, problem.pool, problem.X_val)
    fast: Scorer = make_scorer(*arguments)
    assert fast.name == name
    return fast, RefitScorer(*arguments)


def check_tree(problem: Problem, estimator: Any, episodes: Sequence[NDArray[np.int32]]) -> None:
    """Equal on every row."""
    fast, refit = scorers(problem, estimator, "tree")
    for counts in episodes:
        np.testing.assert_array_equal(fast.predict(counts), refit.predict(counts))


def check_knn(
    problem: Problem, estimator: Any, episodes: Sequence[NDArray[np.int32]]
) -> dict[str, float]:
    """Equal on every row whose k-th and next distance differ by more than 1e-9 relative."""
    fast, refit = scorers(problem, estimator, "knn")
    n_ties = n_different = n_rows = 0
    for counts in episodes:
        different = fast.predict(counts) != refit.predict(counts)
        ties = _ties(refit.fit(counts), problem.X_val)
        assert not (different & ~ties).any()
        n_ties += int(ties.sum())
        n_different += int(different.sum())
        n_rows += len(ties)
    return {"ties": n_ties / n_rows, "different": n_different / n_rows}


def _ties(fitted: Any, X_val: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows at which the k nearest training rows are not determined by distance."""
    k, X = fitted.n_neighbors, fitted._fit_X
    if len(X) == k:
        return np.zeros(len(X_val), dtype=bool)
    # Not fitted.kneighbors: brute force takes distances from a matrix product, with cancellation.
    squared = np.stack([np.square(X - x).sum(axis=1) for x in X_val])
    distance = np.sqrt(np.partition(squared, (k - 1, k), axis=1)[:, k - 1 : k + 1])
    return distance[:, 1] - distance[:, 0] <= 1e-9 * distance[:, 1]
