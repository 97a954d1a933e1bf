"""AdaBoost, bit-identical to scikit-learn's, from rows sorted once per fit.

scikit-learn's ``AdaBoostClassifier`` spends its time on validating the same input for each of its
fifty stumps, and on sorting the same rows by the same features. Here the rows are sorted once, and
a stump is one pass over each feature (``kernels.stump_splits``).

scikit-learn sums the rows' weights in other orders than this pass, so it could choose differently
between splits that are equally good up to rounding. Hence the pass decides only where rounding
cannot. Otherwise the splits in question mostly vote alike on the training rows, as those of two
one-hot columns that mirror each other do: boosting continues in the same way whichever scikit-learn
chooses, and the choice matters only once they differ on rows to predict. Then, and where they do
not vote alike, the stump is fitted by scikit-learn. (``scorers.adaboost`` sorts once for all
episodes of a search, which is faster still, and accepts such differences.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from autosmote.scoring.kernels.boosting import WORSE_THAN_RANDOM, add_votes
from autosmote.scoring.kernels.presort import float32_columns, sort_columns, two_classes
from autosmote.scoring.kernels.stump_splits import best_splits, longest_plateaus, vote_alike


class PresortedAdaBoost(AdaBoostClassifier):
    """``AdaBoostClassifier`` with its default stumps, from rows that are sorted once.

    Parameters, methods and results are those of scikit-learn's class, except for the attribute
    ``feature_importances_``. Data other than arrays of finite numbers, other than two classes, and
    weights of the rows are left to scikit-learn.
    """

    @staticmethod
    def supports(estimator: Any) -> bool:
        """Return whether `estimator` is of scikit-learn's class with its default stumps."""
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
        """Fit a stump; return the new weights, the stump's weight and error, or three None."""
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
                raise ValueError(WORSE_THAN_RANDOM)
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
            feature, threshold, left, right = stump.split_for(X)
            add_votes(X[:, feature], threshold, left, right, weight, decision)
        # scikit-learn sums the votes for each class; those for one are the negative of the other's.
        return 2.0 * (decision / weights.sum())


class _SortedRows:
    """Training rows as float32, in ascending order of each feature, with labels 0 and 1."""

    def __init__(self, X: NDArray, y: NDArray[np.int8], classes: NDArray) -> None:
        self.columns, self.y, self.classes = float32_columns(X), y, classes
        self.order = sort_columns(self.columns)
        self.values = np.take_along_axis(self.columns, self.order, axis=1)
        self.plateaus = longest_plateaus(self.values)

    @classmethod
    def of(cls, X: Any, y: Any) -> _SortedRows | None:
        """Return the sorted rows; None where the data are left to scikit-learn."""
        found = two_classes(X, y)
        return None if found is None else cls(X, found[1], found[0])


class _Split(NamedTuple):
    """A split; rows with ``x <= threshold`` are on the left, votes are 0 and 1."""

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

    While several splits are possible, all voting alike on the training rows, it keeps these rows
    and their weights; copying or pickling it settles the split and drops the rows.
    """

    split: _Split
    classes_: NDArray
    tie: _Tie | None = None

    def split_for(self, X: NDArray[np.floating]) -> _Split:
        """Return a split that votes on these rows as scikit-learn's does."""
        tie = self.tie
        if tie is not None and not vote_alike(X, *tie.alternatives):
            self._settle(tie)
        return self.split

    def predict(self, X: NDArray[np.floating]) -> NDArray:
        """Return labels, as AdaBoost requires of its members."""
        return self.classes_[self.split_for(X).votes(X)]

    def _settle(self, tie: _Tie) -> None:
        # In this order, as another thread may be predicting.
        self.split = _tree_split(*tie.fit)
        self.tie = None

    def __reduce__(self) -> tuple[Any, ...]:
        if self.tie is not None:
            self._settle(self.tie)
        return _Stump, (self.split, self.classes_)


@dataclass(frozen=True, eq=False)
class _Tie:
    """Alternative splits (features, thresholds, left and right votes), and what decides: a fit's
    columns, labels, weights and seed."""

    alternatives: tuple[NDArray, NDArray, NDArray, NDArray]
    fit: tuple[NDArray, NDArray, NDArray, int]


def _best_stump(rows: _SortedRows, weight: NDArray[np.float64], seed: int) -> _Stump:
    """Return scikit-learn's stump, undecided where splits tie and vote alike."""
    splits = best_splits(rows.order, rows.values, rows.plateaus, weight, rows.y)
    fit = (rows.columns, rows.y, weight, seed)
    n_splits = len(splits[0])
    if n_splits == 0 or not vote_alike(rows.columns.T, *splits):
        return _Stump(_tree_split(*fit), rows.classes)
    feature, threshold, left, right = splits
    split = _Split(int(feature[0]), float(threshold[0]), int(left[0]), int(right[0]))
    if n_splits == 1:
        return _Stump(split, rows.classes)
    # A copy of the weights, since AdaBoost may change them in place.
    return _Stump(split, rows.classes, _Tie(splits, (rows.columns, rows.y, weight.copy(), seed)))


def _tree_split(
    columns: NDArray[np.float32], y: NDArray[np.int8], weight: NDArray[np.float64], seed: int
) -> _Split:
    """Return the split that scikit-learn's tree finds for rows given as columns."""
    model = DecisionTreeClassifier(max_depth=1, random_state=seed)
    tree = model.fit(columns.T, y, weight, check_input=False).tree_
    predicted = tree.value[:, 0].argmax(axis=1)  # of the root and the leaves
    if tree.node_count == 1:
        return _Split(0, np.inf, int(predicted[0]), int(predicted[0]))
    left, right = predicted[1:]
    return _Split(int(tree.feature[0]), float(tree.threshold[0]), int(left), int(right))
