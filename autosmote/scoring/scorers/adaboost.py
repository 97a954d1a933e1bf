"""AdaBoost of decision stumps from rows sorted once per search.

scikit-learn's ``AdaBoostClassifier`` (SAMME, default stumps) fits every stump on all rows, sorting
them by every feature. Here the distinct rows are in the order of every feature before the first
stump, and a stump is one pass over each. The formulas are scikit-learn's: normalised weights, not
below the machine epsilon per repeated row; float32 values, thresholds midway between neighbours;
error, stump weight and early stops; features in the order that the stump's ``random_state`` draws.

scikit-learn sums floating-point weights of repeated rows in an order that its sorting leaves
behind; ours are sums over distinct rows. So splits that are equally good but for rounding may be
chosen differently. The first stump's weights are counts, whose sums are exact: there, ties fall
as in scikit-learn, to the feature drawn first and the lowest threshold.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from autosmote.scoring.kernels import presort
from autosmote.scoring.kernels.presort import FEATURE_THRESHOLD, rand_int

_FEW_VALUES = 16
"""Features with at most so many values over training part and pool are summed value by value."""

_EPSILON = np.finfo(np.float64).eps
_NEGLIGIBLE = 1e-14
"""A side with less than this share of the weight is lost in the rounding of the other's sum."""


class Stumps(NamedTuple):
    """A fitted ensemble, one entry per stump; rows with ``x <= threshold`` are on the left."""

    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    left: NDArray[np.int8]
    right: NDArray[np.int8]
    weight: NDArray[np.float64]


class AdaBoostScorer:
    """Predictions of ``AdaBoostClassifier`` with its default stumps.

    Raises
    ------
    MemoryError
        When the sorted arrays would take more than ``memory_bytes``.
    """

    name = "boosting"
    tolerance: ClassVar[float | None] = 1e-2
    """Share of predictions that may differ from a refit's, where equally good splits are many."""

    @staticmethod
    def supports(estimator: Any, X_train: NDArray[np.float64]) -> bool:
        """Return whether the estimator's type and parameters are reproduced."""
        from sklearn.ensemble import AdaBoostClassifier

        return (
            type(estimator) is AdaBoostClassifier
            and estimator.estimator is None
            and isinstance(estimator.random_state, int | np.integer)
            and getattr(estimator, "algorithm", "deprecated") in ("deprecated", "SAMME")
        )

    def __init__(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.integer],
        pool: NDArray[np.float64],
        X_val: NDArray[np.float64],
        memory_bytes: int,
    ) -> None:
        n_rows, n_features = len(X_train) + len(pool), X_train.shape[1]
        needed = 16 * n_rows * n_features  # columns and orders, of all rows and of an episode's
        if needed > memory_bytes:
            raise MemoryError(f"{n_rows} rows sorted by {n_features} features: {needed} bytes")

        self._n_train = len(X_train)
        self._columns = presort.float32_columns(X_train, pool)
        self._order = presort.sort_columns(self._columns)
        self._label = np.append(y_train, np.ones(len(pool), y_train.dtype)).astype(np.int8)
        self._val = presort.float32_columns(X_val)
        self._levels = np.full((n_features, _FEW_VALUES), np.nan, dtype=np.float32)
        self._n_levels = np.zeros(n_features, dtype=np.int64)  # 0: more than a few values
        for feature, column in enumerate(self._columns):
            levels = np.unique(column)
            if len(levels) <= _FEW_VALUES:
                self._levels[feature, : len(levels)] = levels
                self._n_levels[feature] = len(levels)

        self._learning_rate = float(estimator.learning_rate)
        draw = np.random.RandomState(estimator.random_state).randint
        stump_states = [draw(np.iinfo(np.int32).max) for _ in range(estimator.n_estimators)]
        self._seeds = np.array(
            [np.random.RandomState(s).randint(0, presort.RAND_R_MAX) for s in stump_states],
            dtype=np.uint32,
        )

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        """Predictions for the validation rows when pool row p is added ``counts[p]`` times."""
        return _vote(self._val, *self.fit(counts))

    def fit(self, counts: NDArray[np.integer]) -> Stumps:
        """The stumps, at most ``n_estimators``.

        Raises
        ------
        ValueError
            When the first stump is no better than chance, as in scikit-learn.
        """
        used = presort.used_rows(self._n_train, counts)
        rows = np.empty((len(self._order), len(used.origin)), dtype=used.dtype)
        presort.select(self._order, used.number, rows)
        stumps = Stumps(
            *_boost(
                rows,
                np.take(self._columns, used.origin, axis=1),
                self._levels,
                self._n_levels,
                used.weight,
                self._label[used.origin],
                self._learning_rate,
                self._seeds,
            )
        )
        if len(stumps.weight) == 0:
            raise ValueError(
                "BaseClassifier in AdaBoostClassifier ensemble is worse than random, "
                "ensemble can not be fit."
            )
        return stumps


@njit(cache=True, error_model="numpy")
def _gain(left, left1, total, total1):
    """What a split decreases the Gini impurity by, but for a factor common to all splits."""
    right = total - left
    if left <= _NEGLIGIBLE * total or right <= _NEGLIGIBLE * total:
        return 0.0
    q = left1 * total - left * total1
    return q * q / (left * right)


@njit(cache=True)
def _scan_sorted(rows, column, weights, total, total1, best):
    """Best split of a sorted feature that gains more than ``best``: (gain, position or -1)."""
    position = -1
    left = left1 = 0.0
    for p in range(len(rows) - 1):
        r = rows[p]
        left += weights[r, 0]
        left1 += weights[r, 1]
        q = left1 * total - left * total1
        # The gain is above the best so far, without a division.
        if q * q > best * (left * (total - left)):
            gain = _gain(left, left1, total, total1)
            if gain > best and column[rows[p + 1]] > column[r] + FEATURE_THRESHOLD:
                best, position = gain, p + 1
    return best, position


@njit(cache=True)
def _sum(rows, start, end, weights):
    """Weights of the rows ``rows[start:end]``: of all, and of class 1."""
    total = total1 = other = other1 = 0.0  # two sums at a time do not wait for each other
    for p in range(start, end - 1, 2):
        total += weights[rows[p], 0]
        total1 += weights[rows[p], 1]
        other += weights[rows[p + 1], 0]
        other1 += weights[rows[p + 1], 1]
    if (end - start) % 2 == 1:
        total += weights[rows[end - 1], 0]
        total1 += weights[rows[end - 1], 1]
    return total + other, total1 + other1


@njit(cache=True)
def _scan_levels(rows, starts, levels, n_levels, weights, total, total1, best):
    """The same for a feature with few values; rows of level l are ``[starts[l], starts[l + 1])``.

    The level with most rows is not summed: it has what the others leave of the total.
    """
    sums, sums1 = np.zeros(n_levels), np.zeros(n_levels)
    largest = 0
    for level in range(n_levels):
        if starts[level + 1] - starts[level] > starts[largest + 1] - starts[largest]:
            largest = level
    rest, rest1 = total, total1
    for level in range(n_levels):
        if level != largest:
            sums[level], sums1[level] = _sum(rows, starts[level], starts[level + 1], weights)
            rest -= sums[level]
            rest1 -= sums1[level]
    sums[largest], sums1[largest] = rest, rest1

    position, previous = -1, -1
    left = left1 = 0.0
    for level in range(n_levels):
        if starts[level + 1] == starts[level]:
            continue
        if previous >= 0 and levels[level] > levels[previous] + FEATURE_THRESHOLD:
            gain = _gain(left, left1, total, total1)
            if gain > best:
                best, position = gain, starts[level]
        left += sums[level]
        left1 += sums1[level]
        previous = level
    return best, position


@njit(cache=True)
def _find_levels(rows, column, levels, n_levels, starts):
    """Write the first position of each level among sorted rows, then the number of rows."""
    for level in range(n_levels):
        low, high = 0, len(rows)
        while low < high:
            middle = (low + high) // 2
            if column[rows[middle]] < levels[level]:
                low = middle + 1
            else:
                high = middle
        starts[level] = low
    starts[n_levels] = len(rows)


@njit(cache=True, error_model="numpy")
def _boost(rows, columns, levels, n_levels, count, label, learning_rate, seeds):
    """Fit at most ``len(seeds)`` stumps: features, thresholds, classes on both sides, weights."""
    n_features, n_rows = rows.shape
    n_stumps = len(seeds)
    feature = np.zeros(n_stumps, dtype=np.int64)
    threshold = np.zeros(n_stumps)
    left_class = np.zeros(n_stumps, dtype=np.int8)
    right_class = np.zeros(n_stumps, dtype=np.int8)
    stump_weight = np.zeros(n_stumps)

    starts = np.zeros((n_features, levels.shape[1] + 1), dtype=np.int64)
    constant = np.zeros(n_features, dtype=np.bool_)
    for f in range(n_features):
        first, last = columns[f, rows[f, 0]], columns[f, rows[f, n_rows - 1]]
        constant[f] = last <= first + FEATURE_THRESHOLD
        if n_levels[f] > 0:
            _find_levels(rows[f], columns[f], levels[f], n_levels[f], starts[f])

    # Weight of all copies of a row, and the same where the row is of class 1. Normalised from the
    # second stump on, as in scikit-learn; the first one's sums of counts are exact.
    weights = np.empty((n_rows, 2))
    wrong = np.empty(n_rows, dtype=np.bool_)
    total = total1 = 0.0
    for r in range(n_rows):
        weights[r, 0] = count[r]
        weights[r, 1] = count[r] * label[r]
        total += weights[r, 0]
        total1 += weights[r, 1]

    n_fitted = 0
    for t in range(n_stumps):
        best, best_feature, position = -1.0, -1, 0
        features = np.arange(n_features)
        state = np.array([seeds[t]], dtype=np.uint32)
        n_constant, n_unvisited = 0, n_features
        is_pure = 1.0 - (total1**2 + (total - total1) ** 2) / total**2 <= _EPSILON
        while n_unvisited > n_constant and not is_pure:
            j = rand_int(0, n_unvisited - n_constant, state) + n_constant
            f = features[j]
            if constant[f]:
                features[j], features[n_constant] = features[n_constant], features[j]
                n_constant += 1
                continue
            n_unvisited -= 1
            features[n_unvisited], features[j] = features[j], features[n_unvisited]
            if n_levels[f] > 0:
                best, p = _scan_levels(
                    rows[f], starts[f], levels[f], n_levels[f], weights, total, total1, best
                )
            else:
                best, p = _scan_sorted(rows[f], columns[f], weights, total, total1, best)
            if p >= 0:
                best_feature, position = f, p

        # Without a split all rows are "left" of an infinite threshold.
        feature[t] = max(best_feature, 0)
        threshold[t] = np.inf
        left_class[t] = right_class[t] = total1 > total - total1
        if best_feature >= 0:
            below = columns[best_feature, rows[best_feature, position - 1]]
            above = columns[best_feature, rows[best_feature, position]]
            threshold[t] = np.float64(below) / 2.0 + np.float64(above) / 2.0
            left, left1 = _sum(rows[best_feature], 0, position, weights)
            left_class[t] = left1 > left - left1
            right_class[t] = total1 - left1 > (total - left) - (total1 - left1)

        error = 0.0
        column = columns[feature[t]]
        for r in range(n_rows):
            is_left = np.float64(column[r]) <= threshold[t]
            wrong[r] = label[r] != (left_class[t] if is_left else right_class[t])
            if wrong[r]:
                error += weights[r, 0]
        if error <= 0.0:
            stump_weight[t] = 1.0
            n_fitted += 1
            break
        share = error / total
        if share >= 0.5:
            break
        stump_weight[t] = learning_rate * np.log((1.0 - share) / share)
        n_fitted += 1

        factor = np.exp(stump_weight[t])
        scale = 1.0 / (total - error + error * factor)
        total = total1 = 0.0
        for r in range(n_rows):
            w = weights[r, 0] * (scale * factor if wrong[r] else scale)
            w = max(w, _EPSILON * count[r])
            weights[r, 0] = w
            weights[r, 1] = w * label[r]
            total += w
            total1 += w * label[r]

    return (
        feature[:n_fitted],
        threshold[:n_fitted],
        left_class[:n_fitted],
        right_class[:n_fitted],
        stump_weight[:n_fitted],
    )


@njit(cache=True)
def _vote(columns, feature, threshold, left, right, weight):
    """Weighted majority of the stumps for rows given as columns; a draw goes to class 0."""
    decision = np.zeros(columns.shape[1])
    predictions = np.zeros(columns.shape[1], dtype=np.int8)
    for t in range(len(weight)):
        column = columns[feature[t]]
        on_left = weight[t] if left[t] == 1 else -weight[t]
        on_right = weight[t] if right[t] == 1 else -weight[t]
        for v in range(len(decision)):
            decision[v] += on_left if np.float64(column[v]) <= threshold[t] else on_right
    for v in range(len(decision)):
        predictions[v] = decision[v] > 0.0
    return predictions
