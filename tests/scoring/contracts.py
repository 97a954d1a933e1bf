"""The equality contract of each fast scorer against a scikit-learn refit.

Each check fails where the contract is broken, and returns figures for a report.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from problems import Problem, over_sampled
from sklearn.base import clone

from autosmote.scoring.scorers.adaboost import AdaBoostScorer
from autosmote.scoring.scorers.forest import ForestScorer
from autosmote.scoring.scorers.knn import KnnScorer
from autosmote.scoring.scorers.refit import RefitScorer
from autosmote.scoring.scorers.svm import SvmScorer
from autosmote.scoring.scorers.tree import TreeScorer
from autosmote.space.pool import repeat

SCORERS: dict[str, Any] = {
    "knn": KnnScorer,
    "tree": TreeScorer,
    "boosting": AdaBoostScorer,
    "svm": SvmScorer,
    "forest": ForestScorer,
}


def scorers(problem: Problem, estimator: Any, name: str) -> tuple[Any, RefitScorer]:
    """Return the fast scorer, without the comparison of make_scorer, and the reference."""
    arguments = (estimator, problem.X_train, problem.y_train, problem.pool, problem.X_val)
    scorer = SCORERS[name]
    assert scorer.supports(estimator, problem.X_train)
    return scorer(*arguments, 1 << 30), reference(problem, estimator)


def reference(problem: Problem, estimator: Any) -> RefitScorer:
    """Return the refit scorer."""
    rows = partial(repeat, problem.pool)
    return RefitScorer(estimator, problem.X_train, problem.y_train, rows, problem.X_val)


def check_tree(problem: Problem, estimator: Any, episodes: Sequence[NDArray[np.int32]]) -> None:
    """Check that both are equal on every row."""
    _check_equal(problem, estimator, "tree", episodes)


def check_forest(problem: Problem, estimator: Any, episodes: Sequence[NDArray[np.int32]]) -> None:
    """Check that both are equal on every row."""
    _check_equal(problem, estimator, "forest", episodes)


def _check_equal(
    problem: Problem, estimator: Any, name: str, episodes: Sequence[NDArray[np.int32]]
) -> None:
    fast, refit = scorers(problem, estimator, name)
    for counts in episodes:
        np.testing.assert_array_equal(fast.predict(counts), refit.predict(counts))


def check_knn(
    problem: Problem, estimator: Any, episodes: Sequence[NDArray[np.int32]]
) -> dict[str, float]:
    """Check that both are equal except where equally distant rows compete for the k places.

    Only ties of rows of both classes count; distances within 1e-9 relative are equal.
    """
    fast, refit = scorers(problem, estimator, "knn")
    n_ties = n_different = n_rows = 0
    for counts in episodes:
        fitted = refit.fit(counts)
        different = fast.predict(counts) != fitted.predict(problem.X_val)
        ties = _ties(fitted, problem.X_val)
        assert not (different & ~ties).any()
        n_ties += int(ties.sum())
        n_different += int(different.sum())
        n_rows += len(ties)
    return {"ties": n_ties / n_rows, "different": n_different / n_rows}


def _ties(fitted: Any, X_val: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the rows whose k nearest rows are not determined by distance, where it matters."""
    k, X, y = fitted.n_neighbors, fitted._fit_X, fitted._y
    ties = np.zeros(len(X_val), dtype=bool)
    if len(X) == k:
        return ties
    # Candidates: brute force computes distances by a matrix product, with cancellation.
    rough = fitted.kneighbors(X_val, n_neighbors=k + 1)[0]
    for v in np.flatnonzero(rough[:, k] - rough[:, k - 1] <= 1e-5 * rough[:, k]):
        distance = np.sqrt(np.square(X - X_val[v]).sum(axis=1))
        border = np.partition(distance, k - 1)[k - 1]
        tied = np.abs(distance - border) <= 1e-9 * border
        ties[v] = (distance <= border * (1 + 1e-9)).sum() > k and len(np.unique(y[tied])) > 1
    return ties


def check_svm(
    problem: Problem, estimator: Any, episodes: Sequence[NDArray[np.int32]]
) -> dict[str, float]:
    """Check coefficients at a tight tolerance; predictions may differ in 1 of 10,000 rows."""
    fast, refit = scorers(problem, estimator, "svm")
    tight = reference(problem, clone(estimator).set_params(tol=1e-10, max_iter=100_000))
    n_different = n_rows = 0
    for i, counts in enumerate(episodes):
        if i < 3:  # tight fits are slow
            exact = tight.fit(counts)
            coef, intercept = fast.coefficients(counts)
            scale = max(np.abs(exact.coef_).max(), abs(exact.intercept_[0]))
            np.testing.assert_allclose(coef, exact.coef_[0], rtol=0, atol=1e-4 * scale)
            np.testing.assert_allclose(intercept, exact.intercept_[0], rtol=0, atol=1e-4 * scale)
        n_different += int((fast.predict(counts) != refit.predict(counts)).sum())
        n_rows += len(problem.X_val)
    assert n_different <= np.ceil(1e-4 * n_rows)
    return {"different": n_different / n_rows}


def check_boosting(
    problem: Problem, estimator: Any, episodes: Sequence[NDArray[np.int32]]
) -> dict[str, float]:
    """Check for equal predictions, or a first different stump that is as good as scikit-learn's.

    Equally good: their decreases of impurity, or a leaf's two classes, or (for a stop) an error and
    1/2 are within 1e-12 of each other.
    """
    fast, refit = scorers(problem, estimator, "boosting")
    n_tied = n_different = n_rows = 0
    for counts in episodes:
        fitted, stumps = refit.fit(counts), fast.fit(counts)
        different = fast.predict(counts) != fitted.predict(problem.X_val)
        n_different += int(different.sum())
        n_rows += len(different)
        t = _first_different(fitted, stumps)
        if t is None:
            assert not different.any()
        else:
            n_tied += 1
            _check_tie(problem, counts, fitted, stumps, t)
    return {"tied episodes": n_tied / len(episodes), "different": n_different / n_rows}


def _stump(fitted_tree: Any) -> tuple[int, float, int, int]:
    """Return feature, threshold and the classes on both sides of a fitted depth-1 tree."""
    nodes = fitted_tree.tree_
    classes = nodes.value[:, 0].argmax(axis=1)
    if nodes.node_count == 1:
        return 0, np.inf, classes[0], classes[0]
    return nodes.feature[0], nodes.threshold[0], classes[1], classes[2]


def _first_different(fitted: Any, stumps: Any) -> int | None:
    ours = list(zip(stumps.feature, stumps.threshold, stumps.left, stumps.right, strict=True))
    theirs = [_stump(fitted_tree) for fitted_tree in fitted.estimators_]
    for t, (a, b) in enumerate(zip(ours, theirs, strict=False)):
        if a != b:
            return t
    return None if len(ours) == len(theirs) else min(len(ours), len(theirs))


def _check_tie(
    problem: Problem, counts: NDArray[np.int32], fitted: Any, stumps: Any, t: int
) -> None:
    X, y = over_sampled(problem, counts)
    X = X.astype(np.float32)
    weight = np.full(len(y), 1 / len(y))
    for stump in fitted.estimators_[:t]:
        wrong = stump.predict(X) != y
        error = weight[wrong].sum()
        weight[wrong] *= ((1 - error) / error) ** fitted.learning_rate
        weight = np.maximum(weight / weight.sum(), np.finfo(float).eps)
    candidates = []
    if t < len(stumps.feature):
        candidates.append((stumps.feature[t], stumps.threshold[t], stumps.left[t], stumps.right[t]))
    if t < len(fitted.estimators_):
        candidates.append(_stump(fitted.estimators_[t]))
    qualities = [_quality(X, y, weight, *candidate) for candidate in candidates]
    if len(qualities) == 1:
        assert abs(qualities[0][1] - 0.5) <= 1e-12
    else:
        (gain, error), (other_gain, other_error) = qualities
        assert abs(gain - other_gain) <= 1e-12
        if candidates[0][:2] == candidates[1][:2]:
            assert abs(error - other_error) <= 1e-12


def _quality(X, y, weight, feature, threshold, left_class, right_class) -> tuple[float, float]:
    """Return a stump's decrease of the Gini impurity and its error, without rounding."""
    is_left = X[:, feature].astype(np.float64) <= threshold

    def gini(rows):
        total, total1 = math.fsum(weight[rows]), math.fsum(weight[rows & (y == 1)])
        return 2 * total1 * (total - total1) / total if total > 0 else 0.0

    wrong = np.where(is_left, left_class, right_class) != y
    everything = np.ones_like(is_left)
    return gini(everything) - gini(is_left) - gini(~is_left), math.fsum(weight[wrong])
