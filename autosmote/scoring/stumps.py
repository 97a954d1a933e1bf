"""AdaBoost that equals scikit-learn's to the bit, from rows sorted once per fit.

scikit-learn's ``AdaBoostClassifier`` spends its time on checking the same input anew for each of
its fifty stumps, and on sorting the same rows by the same features for each of them. Here the rows
are sorted once, and a stump is one pass over each feature.

scikit-learn adds the rows' weights up in other orders than this pass, so a choice between splits
that are equally good but for rounding could be made differently. Hence the pass decides only where
rounding cannot; where it could, the stump is a tree of scikit-learn's. (The search's `boosting`
shares the sorted rows of all episodes, which is faster still, and accepts such differences.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from autosmote.scoring.presort import FEATURE_THRESHOLD, float32_columns, sort_columns, two_classes

_EPSILON = np.finfo(np.float64).eps
_MARGIN = 64.0
"""In units of n times epsilon times the total weight: gains that differ by more are not confused by
rounding. A sum of n weights is off by at most one such unit, however it is formed. A gain is made
of six such sums, three per side, and moves at most twice as much as each, so by 12; two gains, each
formed here and in scikit-learn, by 48."""


class PresortedAdaBoost(AdaBoostClassifier):
    """``AdaBoostClassifier`` with its default stumps, found in rows that are sorted once.

    Parameters, methods and results are those of scikit-learn's class, the attribute
    ``feature_importances_`` aside. Data that are no arrays of finite numbers, other than two
    classes, and weights of the rows go scikit-learn's own way.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> PresortedAdaBoost:
        self._rows = _SortedRows.of(X, y) if sample_weight is None else None
        try:
            return super().fit(X, y, sample_weight)
        finally:
            del self._rows

    def _boost(
        self, iboost: int, X: Any, y: Any, sample_weight: NDArray[np.float64], random_state: Any
    ) -> Any:
        """One round, as scikit-learn's: (new weights, stump's weight, error), or three None."""
        rows = self._rows
        if rows is None:
            return super()._boost(iboost, X, y, sample_weight, random_state)
        if iboost == 0:
            self.classes_, self.n_classes_ = rows.classes, 2
        seed = random_state.randint(np.iinfo(np.int32).max)
        stump = _best_stump(rows, sample_weight, seed)
        wrong = stump.votes(rows.X) != rows.y
        error = (wrong * sample_weight).sum() / sample_weight.sum()
        if error >= 0.5:
            if not self.estimators_:
                raise ValueError(
                    "BaseClassifier in AdaBoostClassifier ensemble is worse than random, "
                    "ensemble can not be fit."
                )
            return None, None, None
        self.estimators_.append(stump)
        if error <= 0:
            return sample_weight, 1.0, 0.0
        stump_weight = self.learning_rate * np.log((1.0 - error) / error)
        if iboost < self.n_estimators - 1:
            sample_weight = np.exp(np.log(sample_weight) + stump_weight * wrong)
        return sample_weight, stump_weight, error

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        if not isinstance(self.estimators_[0], _Stump):
            return super().decision_function(X)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        weights = self.estimator_weights_
        decision = np.zeros(len(X))
        for stump, weight in zip(self.estimators_, weights, strict=False):
            _add_vote(X, stump.feature, stump.threshold, stump.left, stump.right, weight, decision)
        # scikit-learn adds up what each class gets; one has what the other has with a minus.
        return 2.0 * (decision / weights.sum())


class _SortedRows:
    """Training rows as float32, in ascending order of each feature, with labels 0 and 1."""

    def __init__(self, X: NDArray, y: NDArray[np.int8], classes: NDArray) -> None:
        self.X, self.y, self.classes = np.ascontiguousarray(X, dtype=np.float32), y, classes
        columns = float32_columns(X)
        self.order = sort_columns(columns)
        self.values = np.take_along_axis(columns, self.order, axis=1)

    @classmethod
    def of(cls, X: Any, y: Any) -> _SortedRows | None:
        """None where scikit-learn is to do all by itself, refusing the data included."""
        found = two_classes(X, y)
        return None if found is None else cls(X, found[1], found[0])


@dataclass(frozen=True)
class _Stump:
    """A tree of depth 1: rows with ``x <= threshold`` are on the left; votes are 0 and 1."""

    feature: int
    threshold: np.float64
    left: int
    right: int
    classes_: NDArray

    def votes(self, X: NDArray[np.floating]) -> NDArray[np.int8]:
        is_left = X[:, self.feature].astype(np.float32) <= self.threshold
        return np.where(is_left, np.int8(self.left), np.int8(self.right))

    def predict(self, X: NDArray[np.floating]) -> NDArray:
        """Labels, for what of AdaBoost asks its members."""
        return self.classes_[self.votes(X)]


def _best_stump(rows: _SortedRows, weight: NDArray[np.float64], seed: int) -> _Stump:
    certain, feature, threshold, left, right = _best_split(rows.order, rows.values, weight, rows.y)
    if not certain:
        model = DecisionTreeClassifier(max_depth=1, random_state=seed)
        tree = model.fit(rows.X, rows.y, weight, check_input=False).tree_
        predicted = tree.value[:, 0].argmax(axis=1)  # of the root and the leaves
        if tree.node_count == 1:
            feature, threshold, left, right = 0, np.inf, predicted[0], predicted[0]
        else:
            feature, threshold = tree.feature[0], tree.threshold[0]
            left, right = predicted[1:]
    return _Stump(int(feature), np.float64(threshold), int(left), int(right), rows.classes)


@njit(cache=True, error_model="numpy")
def _best_split(order, values, weight, label):
    """Whether the best split is certain, its feature and threshold, the classes on both sides."""
    n_features, n = order.shape
    both = np.empty((n, 2))
    total = total1 = 0.0
    for r in range(n):
        both[r, 0] = weight[r]
        both[r, 1] = weight[r] * label[r]
        total += both[r, 0]
        total1 += both[r, 1]
    margin = _MARGIN * n * _EPSILON * total
    # A side so light is lost in rounding: sums that are n units off, one divided by the other, can
    # make the split look better by as much as `noise`.
    negligible = margin / 4.0
    noise = 0.0

    best = second = 0.0
    feature, position, left, left1 = -1, -1, 0.0, 0.0
    for f in range(n_features):
        below = below1 = 0.0
        for p in range(n - 1):
            r = order[f, p]
            below += both[r, 0]
            below1 += both[r, 1]
            above = total - below
            if below <= negligible or above <= negligible:
                noise = 4.0 * margin * n
                continue
            q = below1 * total - below * total1
            # The split decreases the impurity by 2 q^2 / (total below above): whether that is
            # among the two largest so far needs no division.
            if 2.0 * q * q < second * (total * below * above):
                continue
            if values[f, p + 1] <= values[f, p] + FEATURE_THRESHOLD:
                continue
            gain = 2.0 * q * q / (total * below * above)
            if gain > best:
                best, second = gain, best
                feature, position, left, left1 = f, p, below, below1
            elif gain > second:
                second = gain
    if feature < 0:
        return False, 0, np.inf, 0, 0

    threshold = (
        np.float64(values[feature, position]) / 2.0
        + np.float64(values[feature, position + 1]) / 2.0
    )
    lead = 2.0 * left1 - left
    lead_right = 2.0 * (total1 - left1) - (total - left)
    certain = best - max(second, noise) > margin and min(abs(lead), abs(lead_right)) > margin
    return certain, feature, threshold, int(lead > 0.0), int(lead_right > 0.0)


@njit(cache=True)
def _add_vote(X, feature, threshold, left, right, weight, decision):
    """Add a stump's weight where it votes for class 1, and take it off where for class 0."""
    on_left = weight if left == 1 else -weight
    on_right = weight if right == 1 else -weight
    for v in range(len(decision)):
        decision[v] += on_left if np.float64(X[v, feature]) <= threshold else on_right
