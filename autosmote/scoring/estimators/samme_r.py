"""AdaBoost as scikit-learn had it in the paper's day: SAMME.R (Zhu et al., 2009).

SAMME.R boosts by the probabilities that a stump's leaves give, SAMME by its votes. It was
scikit-learn's default until 1.5 and is gone from 1.8; this class is for `clf=adaboost_samme_r`.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.extmath import softmax
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from autosmote.scoring.kernels.presort import float32_columns, sort_columns
from autosmote.scoring.kernels.weighted_splits import best_split

_EPSILON = np.finfo(np.float64).eps
"""Least probability and least weight, as in scikit-learn."""


class AdaBoostSammeR(ClassifierMixin, BaseEstimator):
    """AdaBoost of decision stumps by SAMME.R, for any number of classes.

    Nothing in it is random: of equally good splits of a stump the first feature's lowest is taken,
    where scikit-learn draws the order of the features.

    Parameters
    ----------
    n_estimators : int
        Most stumps; fewer where one makes no mistake.
    learning_rate : float
        Factor of the exponent by which a stump changes the weights.

    Attributes
    ----------
    classes_ : ndarray of shape (K,)
    features_, thresholds_ : ndarrays of shape (T,)
        Of the stumps; rows with ``x <= threshold`` are on the left.
    probabilities_ : ndarray of shape (T, 2, K)
        Of the classes in the left and in the right leaf.
    """

    def __init__(self, n_estimators: int = 50, learning_rate: float = 1.0) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the stumps, each to the weights that those before it leave."""
        if self.n_estimators < 1 or not self.learning_rate > 0:
            raise ValueError(
                "n_estimators must be at least 1 and learning_rate above 0, not "
                f"{self.n_estimators} and {self.learning_rate}."
            )
        X, y = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        weights = _check_sample_weight(
            sample_weight, X, dtype=np.float64, copy=True, ensure_non_negative=True
        )
        counts = weights > 0
        X, labels, weights = X[counts], labels[counts], weights[counts]
        least = _EPSILON * weights  # of as many rows as the weight stands for
        weights /= weights.sum()
        columns = float32_columns(X)
        order = sort_columns(columns)
        stumps: list[tuple[int, float, NDArray[np.float64]]] = []
        for _ in range(self.n_estimators):
            weights = np.maximum(weights, least)
            feature, threshold, is_right, leaves = self._fit_stump(order, columns, weights, labels)
            stumps.append((feature, threshold, leaves))
            wrong = leaves.argmax(axis=1)[is_right] != labels
            if not weights[wrong].sum() > 0:
                break
            weights *= self._factors(leaves)[is_right, labels]
            weights /= weights.sum()
        features, thresholds, probabilities = zip(*stumps, strict=True)
        self.features_ = np.array(features)
        self.thresholds_ = np.array(thresholds)
        self.probabilities_ = np.array(probabilities)
        return self

    def _fit_stump(
        self,
        order: NDArray[np.int32],
        columns: NDArray[np.float32],
        weights: NDArray[np.float64],
        labels: NDArray[np.intp],
    ) -> tuple[int, float, NDArray[np.intp], NDArray[np.float64]]:
        """Return feature, threshold, each row's side, and the leaves' probabilities (2, K)."""
        n_classes = len(self.classes_)
        feature, threshold = best_split(order, columns, weights, labels, n_classes)
        feature = max(feature, 0)  # without a split all rows are left of infinity
        # As a scalar of numpy, or it would be rounded to the columns' 32 bits.
        is_right = (columns[feature] > np.float64(threshold)).astype(np.intp)
        cells = np.bincount(n_classes * is_right + labels, weights, 2 * n_classes)
        cells = cells.reshape(2, n_classes)
        sums = cells.sum(axis=1, keepdims=True)
        leaves = np.divide(cells, sums, out=np.full_like(cells, 1 / n_classes), where=sums > 0)
        return int(feature), float(threshold), is_right, leaves

    def _factors(self, leaves: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by what the weights of a leaf's rows of each class are multiplied, (2, K).

        exp(-(K - 1) / K sum_k y_k log p_k), where y is 1 for the row's class and -1 / (K - 1) for
        the others: step 2 (d) of Zhu et al.'s Algorithm 4.
        """
        n_classes = len(self.classes_)
        if n_classes == 1:
            return np.ones_like(leaves)
        log = np.log(np.maximum(leaves, _EPSILON))
        others = log.sum(axis=1, keepdims=True) - log
        exponent = (n_classes - 1) / n_classes * (log - others / (n_classes - 1))
        return np.exp(-self.learning_rate * exponent)

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the mean over the stumps of their scores of the classes.

        A stump's is (K - 1) (log p_k - mean of log p). Of shape (n, K), or for two classes (n,):
        that of the second less that of the first.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        log = np.log(np.maximum(self.probabilities_, _EPSILON))
        n_classes = len(self.classes_)
        scores = (n_classes - 1) * (log - log.mean(axis=2, keepdims=True))
        decision = np.zeros((len(X), n_classes))
        for feature, threshold, of_leaf in zip(
            self.features_, self.thresholds_, scores, strict=True
        ):
            decision += of_leaf[(X[:, feature] > threshold).astype(np.intp)]
        decision /= len(self.features_)
        return decision[:, 1] - decision[:, 0] if n_classes == 2 else decision

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the class with the highest score; of two equal ones the first."""
        decision = self.decision_function(X)
        chosen = (decision > 0).astype(np.intp) if decision.ndim == 1 else decision.argmax(axis=1)
        return self.classes_[chosen]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probabilities that the scores stand for, (n, K)."""
        decision = self.decision_function(X)
        if decision.ndim == 1:
            return softmax(np.column_stack([-decision, decision]) / 2)
        return softmax(decision / max(1, len(self.classes_) - 1))
