"""AdaBoost that equals scikit-learn's to the bit, from rows sorted once per fit.

scikit-learn's ``AdaBoostClassifier`` spends its time on checking the same input anew for each of
its fifty stumps, and on sorting the same rows by the same features for each of them. Here the rows
are sorted once, and a stump is one pass over each feature.

scikit-learn adds the rows' weights up in other orders than this pass, so a choice between splits
that are equally good but for rounding could be made differently. Hence the pass decides only where
rounding cannot. Where it could, the splits in question mostly vote alike on the training rows, as
those of two one-hot columns that mirror each other do: boosting goes on the same whichever
scikit-learn takes, and which it is only matters once they differ on rows to predict. Then, and
where they do not vote alike, the stump is a tree of scikit-learn's. (The search's `boosting` shares
the sorted rows of all episodes, which is faster still, and accepts such differences.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from autosmote.scoring.kernels.presort import (
    FEATURE_THRESHOLD,
    float32_columns,
    sort_columns,
    two_classes,
)

_EPSILON = np.finfo(np.float64).eps
_MARGIN = 64.0
"""In units of n times epsilon times the total weight: gains that differ by more are not confused by
rounding. A sum of n weights is off by at most one such unit, however it is formed. A gain is made
of six such sums, three per side, and moves at most twice as much as each, so by 12; two gains, each
formed here and in scikit-learn, by 48."""
_MAX_TIED = 16
"""Splits that the pass can tell of; where more are within rounding of the best, it does not decide.
"""


class PresortedAdaBoost(AdaBoostClassifier):
    """``AdaBoostClassifier`` with its default stumps, found in rows that are sorted once.

    Parameters, methods and results are those of scikit-learn's class, the attribute
    ``feature_importances_`` aside. Data that are no arrays of finite numbers, other than two
    classes, and weights of the rows go scikit-learn's own way.
    """

    @staticmethod
    def supports(estimator: Any) -> bool:
        """Whether `estimator` is of scikit-learn's class, with parameters that are known here."""
        return type(estimator) is AdaBoostClassifier and estimator.estimator is None

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
        wrong = stump.split.votes(rows.columns.T) != rows.y
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
            split = stump.split_for(X)
            _add_vote(X, split.feature, split.threshold, split.left, split.right, weight, decision)
        # scikit-learn adds up what each class gets; one has what the other has with a minus.
        return 2.0 * (decision / weights.sum())


class _SortedRows:
    """Training rows as float32, in ascending order of each feature, with labels 0 and 1."""

    def __init__(self, X: NDArray, y: NDArray[np.int8], classes: NDArray) -> None:
        self.columns, self.y, self.classes = float32_columns(X), y, classes
        self.order = sort_columns(self.columns)
        self.values = np.take_along_axis(self.columns, self.order, axis=1)
        self.plateaus = _longest_plateaus(self.values)

    @classmethod
    def of(cls, X: Any, y: Any) -> _SortedRows | None:
        """None where scikit-learn is to do all by itself, refusing the data included."""
        found = two_classes(X, y)
        return None if found is None else cls(X, found[1], found[0])


class _Split(NamedTuple):
    """Rows with ``x <= threshold`` are on the left; votes are 0 and 1."""

    feature: int
    threshold: float
    left: int
    right: int

    def votes(self, X: NDArray[np.floating]) -> NDArray[np.int8]:
        is_left = X[:, self.feature].astype(np.float32) <= np.float64(self.threshold)
        return np.where(is_left, np.int8(self.left), np.int8(self.right))


@dataclass(eq=False)
class _Stump:
    """A tree of depth 1, as a member of AdaBoost.

    While several splits are possible, all voting alike on the training rows, it holds on to these
    rows and their weights; a copy or a pickle is of the stump that it turns out to be, without any.
    """

    split: _Split
    classes_: NDArray
    tie: _Tie | None = None

    def split_for(self, X: NDArray[np.floating]) -> _Split:
        """One that votes on these rows as scikit-learn's split does."""
        tie = self.tie
        if tie is not None and not _vote_alike(X, *tie.alternatives):
            self._settle(tie)
        return self.split

    def predict(self, X: NDArray[np.floating]) -> NDArray:
        """Labels, for what of AdaBoost asks its members."""
        return self.classes_[self.split_for(X).votes(X)]

    def _settle(self, tie: _Tie) -> None:
        # In this order: another thread may be predicting.
        self.split = _tree_split(*tie.fit)
        self.tie = None

    def __reduce__(self) -> tuple[Any, ...]:
        if self.tie is not None:
            self._settle(self.tie)
        return _Stump, (self.split, self.classes_)


@dataclass(frozen=True, eq=False)
class _Tie:
    """Features, thresholds, votes on the left and right of splits; what decides between them."""

    alternatives: tuple[NDArray, NDArray, NDArray, NDArray]
    fit: tuple[NDArray, NDArray, NDArray, int]


def _best_stump(rows: _SortedRows, weight: NDArray[np.float64], seed: int) -> _Stump:
    splits = _best_splits(rows.order, rows.values, rows.plateaus, weight, rows.y)
    fit = (rows.columns, rows.y, weight, seed)
    n_splits = len(splits[0])
    if n_splits == 0 or not _vote_alike(rows.columns.T, *splits):
        return _Stump(_tree_split(*fit), rows.classes)
    feature, threshold, left, right = splits
    split = _Split(int(feature[0]), float(threshold[0]), int(left[0]), int(right[0]))
    if n_splits == 1:
        return _Stump(split, rows.classes)
    # A copy of the weights, for they are AdaBoost's to change.
    return _Stump(split, rows.classes, _Tie(splits, (rows.columns, rows.y, weight.copy(), seed)))


def _tree_split(
    columns: NDArray[np.float32], y: NDArray[np.int8], weight: NDArray[np.float64], seed: int
) -> _Split:
    """What scikit-learn's tree makes of rows given as columns."""
    model = DecisionTreeClassifier(max_depth=1, random_state=seed)
    tree = model.fit(columns.T, y, weight, check_input=False).tree_
    predicted = tree.value[:, 0].argmax(axis=1)  # of the root and the leaves
    if tree.node_count == 1:
        return _Split(0, np.inf, int(predicted[0]), int(predicted[0]))
    left, right = predicted[1:]
    return _Split(int(tree.feature[0]), float(tree.threshold[0]), int(left), int(right))


@njit(cache=True)
def _longest_plateaus(values):
    """Of each feature, the longest stretch of sorted rows without a split: begin, end (after it).

    The sum of its weights is what all others leave of the total, so nobody needs to form it: of a
    one-hot column's rows most are there.
    """
    plateaus = np.zeros((len(values), 2), dtype=np.int64)
    for f in range(len(values)):
        begin = 0
        for end in range(1, values.shape[1] + 1):
            if end < values.shape[1] and values[f, end] <= values[f, end - 1] + FEATURE_THRESHOLD:
                continue
            if end - begin > plateaus[f, 1] - plateaus[f, 0]:
                plateaus[f, 0], plateaus[f, 1] = begin, end
            begin = end
    return plateaus


@njit(cache=True, error_model="numpy")
def _best_splits(order, values, plateaus, weight, label):
    """All splits that may be the best: features, thresholds, votes on the left and on the right.

    They are too many to tell, or rounding may decide what they vote, where there are none.
    """
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

    best = least = dropped = 0.0
    n_kept = 0
    gains, lead, lead_right = np.empty(_MAX_TIED), np.empty(_MAX_TIED), np.empty(_MAX_TIED)
    feature, position = np.empty(_MAX_TIED, np.int64), np.empty(_MAX_TIED, np.int64)
    for f in range(n_features):
        begin, end = plateaus[f]
        # From both ends to the plateau. Which side is summed makes no difference to the gain.
        for upward in (True, False):
            inside = inside1 = 0.0
            for k in range(begin if upward else n - end):
                p = k if upward else n - 1 - k
                r = order[f, p]
                inside += both[r, 0]
                inside1 += both[r, 1]
                outside = total - inside
                if inside <= negligible or outside <= negligible:
                    noise = 4.0 * margin * n
                    continue
                q = inside1 * total - inside * total1
                # The split decreases the impurity by 2 q^2 / (total inside outside): whether that
                # is near the largest so far needs no division.
                if 2.0 * q * q < least * (total * inside * outside):
                    continue
                below = p if upward else p - 1
                if values[f, below + 1] <= values[f, below] + FEATURE_THRESHOLD:
                    continue
                gain = 2.0 * q * q / (total * inside * outside)
                if gain > best:
                    best, least = gain, max(gain - margin, 0.0)
                    kept = 0
                    for i in range(n_kept):
                        if gains[i] >= least:
                            gains[kept], lead[kept], lead_right[kept] = (
                                gains[i],
                                lead[i],
                                lead_right[i],
                            )
                            feature[kept], position[kept] = feature[i], position[i]
                            kept += 1
                    n_kept = kept
                if n_kept == _MAX_TIED:
                    dropped = max(dropped, gain)
                    continue
                inside_lead = 2.0 * inside1 - inside
                outside_lead = 2.0 * (total1 - inside1) - outside
                gains[n_kept], feature[n_kept], position[n_kept] = gain, f, below
                lead[n_kept] = inside_lead if upward else outside_lead
                lead_right[n_kept] = outside_lead if upward else inside_lead
                n_kept += 1

    certain = n_kept > 0 and best - noise > margin and dropped < least
    for i in range(n_kept):
        certain = certain and min(abs(lead[i]), abs(lead_right[i])) > margin
    if not certain:
        n_kept = 0
    threshold = np.empty(n_kept)
    for i in range(n_kept):
        threshold[i] = (
            np.float64(values[feature[i], position[i]]) / 2.0
            + np.float64(values[feature[i], position[i] + 1]) / 2.0
        )
    left = (lead[:n_kept] > 0.0).astype(np.int8)
    right = (lead_right[:n_kept] > 0.0).astype(np.int8)
    return feature[:n_kept].copy(), threshold, left, right


@njit(cache=True)
def _vote_alike(X, feature, threshold, left, right):
    """Whether all splits vote the same on each of the rows."""
    for i in range(1, len(feature)):
        for v in range(len(X)):
            is_left = np.float64(np.float32(X[v, feature[0]])) <= threshold[0]
            vote = left[0] if is_left else right[0]
            is_left = np.float64(np.float32(X[v, feature[i]])) <= threshold[i]
            if vote != (left[i] if is_left else right[i]):
                return False
    return True


@njit(cache=True)
def _add_vote(X, feature, threshold, left, right, weight, decision):
    """Add a stump's weight where it votes for class 1, and take it off where for class 0."""
    on_left = weight if left == 1 else -weight
    on_right = weight if right == 1 else -weight
    for v in range(len(decision)):
        decision[v] += on_left if np.float64(X[v, feature]) <= threshold else on_right
