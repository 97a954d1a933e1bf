"""k nearest neighbours with scikit-learn's predictions, from rows in boxes.

Below 16 features scikit-learn searches neighbours in a tree, node by node. Here the rows are in
some hundred boxes; a query computes its distance to each box, and to the rows of the few boxes that
are near enough, in vectorised loops.

Which of several equally distant rows are among the k nearest depends on the layout of
scikit-learn's tree. Where that can change a prediction, scikit-learn predicts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from autosmote.scoring.kernels.distances import Boxes, squared_distances, squared_distances_to_boxes
from autosmote.scoring.parameters import counts_euclidean_neighbours

_IN_BOX = 64
"""Most rows in a box."""

_NEAR = 1e-12
"""Relative difference below which squared distances count as equal: another order of summation, or
a fused multiplication and addition, rounds differently."""


class BoxedKNeighbors(KNeighborsClassifier):
    """``KNeighborsClassifier`` that predicts faster where scikit-learn would use a tree.

    Parameters, methods, attributes and results are those of scikit-learn's class. Data other than
    arrays of finite numbers, other than two classes, and other distances and weights are left to
    scikit-learn.
    """

    @staticmethod
    def supports(estimator: Any) -> bool:
        """Return whether `estimator` is of scikit-learn's class and votes as this one does."""
        return type(estimator) is KNeighborsClassifier and counts_euclidean_neighbours(estimator)

    def fit(self, X: Any, y: Any) -> BoxedKNeighbors:
        super().fit(X, y)
        self._boxes: Boxes | None = None  # made by the first prediction
        return self

    def predict(self, X: Any) -> NDArray:
        check_is_fitted(self, "_fit_method")
        if not self._is_supported(X):
            return super().predict(X)
        rows = validate_data(self, X, order="C", reset=False)
        if self._boxes is None:
            self._boxes = Boxes.of(self._fit_X, self._y.ravel(), _IN_BOX)
        codes = _votes(rows, *self._boxes, int(self.n_neighbors))
        uncertain = np.flatnonzero(codes < 0)
        predicted = self.classes_[np.maximum(codes, 0)]
        if len(uncertain):
            predicted[uncertain] = super().predict(rows[uncertain])
        return predicted

    def _is_supported(self, X: Any) -> bool:
        return bool(
            self._fit_method == "kd_tree"
            and counts_euclidean_neighbours(self)
            and isinstance(self.n_neighbors, int | np.integer)
            and 1 <= self.n_neighbors <= len(self._fit_X)
            and not self.outputs_2d_
            and len(self.classes_) == 2
            and isinstance(X, np.ndarray)
            and X.ndim == 2
            and len(X) > 0
            and X.dtype == self._fit_X.dtype == np.float64
        )


@njit(cache=True)
def _votes(X, columns, labels, low, high, k):
    """Return the class, 0 or 1, of most of the k nearest rows; -1 where ties may decide."""
    n_boxes = len(columns)
    to_box, distances = np.empty(n_boxes), np.empty(columns.shape[2])
    nearest = np.empty(k)  # the k smallest distances, in ascending order
    votes = np.empty(len(X), dtype=np.int8)
    for v in range(len(X)):
        x = X[v]
        squared_distances_to_boxes(x, low, high, to_box)
        nearest[:] = np.inf
        first = np.argmin(to_box)
        for t in range(-1, n_boxes):
            b = first if t < 0 else t
            if t == first or to_box[b] >= nearest[k - 1]:
                continue
            squared_distances(columns[b], x, distances)
            for j in range(len(distances)):
                if distances[j] < nearest[k - 1]:
                    _insert(nearest, distances[j])

        # Rows that are certainly among the k nearest, and rivals for the last places.
        below, upto = nearest[k - 1] * (1.0 - _NEAR), nearest[k - 1] * (1.0 + _NEAR)
        certain = certain1 = rivals = rivals1 = 0
        for b in range(n_boxes):
            if to_box[b] > upto:
                continue
            squared_distances(columns[b], x, distances)
            for j in range(len(distances)):
                if distances[j] < below:
                    certain += 1
                    certain1 += labels[b, j]
                elif distances[j] <= upto:
                    rivals += 1
                    rivals1 += labels[b, j]
        least = certain1 + max(0, k - certain - (rivals - rivals1))
        most = certain1 + min(k - certain, rivals1)
        # A draw, possible when k is even, goes to the smaller class.
        votes[v] = 2 * most > k
        if votes[v] != (2 * least > k):
            votes[v] = -1
    return votes


@njit(cache=True)
def _insert(ascending, value):
    """Insert a value into a sorted array whose last value is dropped."""
    at = len(ascending) - 1
    while at > 0 and ascending[at - 1] > value:
        ascending[at] = ascending[at - 1]
        at -= 1
    ascending[at] = value
