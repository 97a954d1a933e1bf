"""Scores of linear support vectors by Newton's method, with rows weighted by count.

``LinearSVC`` by default minimises liblinear's primal problem, with the intercept as one more
feature of constant value ``intercept_scaling``, regularised like the others::

    f(w) = 1/2 w'w + C sum_i c_i max(0, 1 - y_i w'x_i)^2

On the rows with a positive loss (the *active* rows) f is a quadratic, and its minimum solves
``H w = b`` with ``H = I + 2C sum c_i x_i x_i'`` and ``b = 2C sum c_i y_i x_i`` over active rows.
A Newton step moves to it; when the active rows stay the same, w is the minimum up to rounding,
while liblinear stops at a tolerance. Only rows whose activity changes change H and b.

Computed once: the minimum for a training part over-sampled uniformly to balance, and the H and b of
the training rows there. Every episode starts from it, never from an earlier episode's minimum, so
that results do not depend on history.

One-hot blocks are linearly dependent. As w is a combination of rows, all computations use
coordinates of the rows' span, which are fewer (39 instead of 69 on PhishingWebsites).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

_MAX_STEPS = 100
_MAX_HALVINGS = 50
_SPAN_TOLERANCE = 1e-10
"""Directions whose singular value is below this share of the largest are rounding errors."""


class SvmScorer:
    """Predicts as ``LinearSVC`` with squared hinge loss and an L2 penalty."""

    name = "svm"
    tolerance: ClassVar[float | None] = 1e-4
    """liblinear's early stop shows in some predictions."""

    @staticmethod
    def supports(estimator: Any, X_train: NDArray[np.float64]) -> bool:
        from sklearn.svm import LinearSVC

        if type(estimator) is not LinearSVC:
            return False
        is_primal = estimator.dual is False or (
            estimator.dual == "auto" and X_train.shape[0] >= X_train.shape[1]
        )
        return (
            is_primal
            and estimator.penalty == "l2"
            and estimator.loss == "squared_hinge"
            and estimator.multi_class == "ovr"
            and estimator.fit_intercept
            and estimator.class_weight is None
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
        n_rows = len(X_train) + len(pool) + len(X_val)
        needed = 32 * n_rows * (X_train.shape[1] + 1)
        if needed > memory_bytes:
            raise MemoryError(f"{n_rows} rows of {X_train.shape[1]} features: {needed} bytes")

        self._C = float(estimator.C)
        self._scaling = float(estimator.intercept_scaling)
        X_train = self._with_intercept(X_train)
        _, singular_values, directions = np.linalg.svd(X_train, full_matrices=False)
        # Pool rows lie between training rows, so these span all.
        in_span = singular_values > _SPAN_TOLERANCE * singular_values[0]
        self._span = np.ascontiguousarray(directions[in_span].T)
        # Rows are multiplied by their labels: a row is active where its product with w is below 1.
        self._rows = (X_train @ self._span) * np.where(y_train == 1, 1.0, -1.0)[:, None]
        self._columns = np.ascontiguousarray(self._rows.T)
        self._pool = self._with_intercept(pool) @ self._span
        self._val = np.ascontiguousarray((self._with_intercept(X_val) @ self._span).T)

        d, n_train = self._span.shape[1], len(X_train)
        H, b, active = np.eye(d), np.zeros(d), np.zeros(n_train, dtype=bool)
        self._start = np.zeros(d), H, b, active
        surplus = max(0, n_train - 2 * int((y_train == 1).sum()))
        w = self._minimum(np.full(len(pool), surplus / max(1, len(pool))))
        _add_changes(H, b, self._rows, np.ones(n_train), self._rows @ w, active, self._C)
        self._start = w, H, b, active

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        return self._predictions(self._minimum(counts))

    def accepts(self, rows: NDArray[np.float64]) -> bool:
        """Return whether rows outside the pool are combinations of the training rows."""
        rows = self._with_intercept(rows)
        return np.allclose(rows @ self._span @ self._span.T, rows, rtol=1e-9, atol=1e-9)

    def predict_added(self, rows: NDArray[np.float64]) -> NDArray[np.int8]:
        added = self._with_intercept(rows) @ self._span
        return self._predictions(self._minimum_with(added, np.ones(len(rows))))

    def coefficients(self, counts: NDArray[np.integer]) -> tuple[NDArray[np.float64], float]:
        """Return ``coef_`` and ``intercept_`` of the minimum."""
        w = self._span @ self._minimum(counts)
        return w[:-1], w[-1] * self._scaling

    def _minimum(self, counts: NDArray[Any]) -> NDArray[np.float64]:
        used = np.flatnonzero(counts)
        return self._minimum_with(self._pool[used], counts[used].astype(np.float64))

    def _minimum_with(
        self, rows: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the minimum when rows of class 1, in coordinates of the span, are added."""
        columns = np.ascontiguousarray(rows.T)
        return _minimise(*self._start, self._rows, self._columns, rows, columns, weight, self._C)

    def _predictions(self, w: NDArray[np.float64]) -> NDArray[np.int8]:
        decision = np.empty(self._val.shape[1])
        _multiply(self._val, w, decision)
        return (decision > 0).astype(np.int8)

    def _with_intercept(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.hstack([X, np.full((len(X), 1), self._scaling)])


@njit(cache=True)
def _minimise(w, H, b, active, rows, columns, pool_rows, pool_columns, pool_weight, C):
    """Minimise f from ``w``, where ``H`` and ``b`` hold the training rows in ``active``.

    Rows have shape (n, d), columns (d, n). Pool rows are all of class 1.
    """
    n, m = len(rows), len(pool_rows)
    H, b, active = H.copy(), b.copy(), active.copy()
    weight = np.ones(n)
    pool_active = np.zeros(m, dtype=np.bool_)
    margin, pool_margin = np.empty(n), np.empty(m)
    new_margin, new_pool_margin = np.empty(n), np.empty(m)
    _multiply(columns, w, margin)
    _multiply(pool_columns, w, pool_margin)
    value = _objective(w, margin, weight, pool_margin, pool_weight, C)
    is_full = False  # whether the last step went all the way to the minimum of its quadratic
    for _ in range(_MAX_STEPS):
        n_changes = _add_changes(H, b, rows, weight, margin, active, C)
        n_changes += _add_changes(H, b, pool_rows, pool_weight, pool_margin, pool_active, C)
        if n_changes == 0 and is_full:
            break
        new_w = _solve(H, b)
        _multiply(columns, new_w, new_margin)
        _multiply(pool_columns, new_w, new_pool_margin)
        new_value = _objective(new_w, new_margin, weight, new_pool_margin, pool_weight, C)
        # Halve a step that overshoots; margins are linear along it. The tolerance accepts the last
        # steps, which change f by rounding only.
        is_full = True
        for _ in range(_MAX_HALVINGS):
            if new_value <= value + 1e-12 * abs(value):
                break
            is_full = False
            _move_halfway(new_w, w)
            _move_halfway(new_margin, margin)
            _move_halfway(new_pool_margin, pool_margin)
            new_value = _objective(new_w, new_margin, weight, new_pool_margin, pool_weight, C)
        w, value = new_w, new_value
        margin, new_margin = new_margin, margin
        pool_margin, new_pool_margin = new_pool_margin, pool_margin
    return w


@njit(cache=True)
def _multiply(columns, w, out):
    """Fill ``out`` with the products of rows with ``w``, summed in the order of the columns."""
    for i in range(len(out)):
        out[i] = 0.0
    for a in range(len(w)):
        column, coefficient = columns[a], w[a]
        for i in range(len(out)):
            out[i] += coefficient * column[i]


@njit(cache=True)
def _objective(w, margin, weight, pool_margin, pool_weight, C):
    norm = loss = 0.0
    for coefficient in w:
        norm += coefficient * coefficient
    for i in range(len(margin)):
        loss += weight[i] * max(0.0, 1.0 - margin[i]) ** 2
    for i in range(len(pool_margin)):
        loss += pool_weight[i] * max(0.0, 1.0 - pool_margin[i]) ** 2
    return 0.5 * norm + C * loss


@njit(cache=True)
def _move_halfway(values, towards):
    for i in range(len(values)):
        values[i] = 0.5 * (values[i] + towards[i])


@njit(cache=True)
def _add_changes(H, b, rows, weight, margin, active, C):
    """Update the upper half of H, b and ``active`` to the margins; return the number of changes."""
    changed = np.zeros(len(rows) + 3, dtype=np.int64)
    coefficient = np.zeros(len(rows) + 3)
    n_changed = 0
    for i in range(len(rows)):
        if (margin[i] < 1.0) != active[i]:
            active[i] = not active[i]
            changed[n_changed] = i
            coefficient[n_changed] = (2.0 if active[i] else -2.0) * C * weight[i]
            n_changed += 1
    # Four rows at a time, so that H is read and written less often; padded with coefficient 0.
    for t in range(n_changed, n_changed + 3):
        changed[t] = changed[0]
    for t in range(0, n_changed, 4):
        x0, x1 = rows[changed[t]], rows[changed[t + 1]]
        x2, x3 = rows[changed[t + 2]], rows[changed[t + 3]]
        for a in range(len(b)):
            p0, p1 = coefficient[t] * x0[a], coefficient[t + 1] * x1[a]
            p2, p3 = coefficient[t + 2] * x2[a], coefficient[t + 3] * x3[a]
            b[a] += (p0 + p1) + (p2 + p3)
            line = H[a]
            for c in range(a, len(b)):
                line[c] += (p0 * x0[c] + p1 * x1[c]) + (p2 * x2[c] + p3 * x3[c])
    return n_changed


@njit(cache=True)
def _solve(H, b):
    """Solve ``H w = b`` by a Cholesky decomposition of the upper half, in a fixed order."""
    d = len(b)
    U, w = H.copy(), b.copy()
    for k in range(d):
        scale = 1.0 / np.sqrt(U[k, k])
        for c in range(k, d):
            U[k, c] *= scale
        w[k] *= scale
        for a in range(k + 1, d):
            factor = U[k, a]
            for c in range(a, d):
                U[a, c] -= factor * U[k, c]
            w[a] -= factor * w[k]
    for k in range(d - 1, -1, -1):
        w[k] /= U[k, k]
        for a in range(k):
            w[a] -= U[a, k] * w[k]
    return w
