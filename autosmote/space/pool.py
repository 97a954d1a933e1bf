"""The paper's search space: five interpolation weights, hence a pool of rows (Section 3.1).

With a finite set of weights, all rows that a search can make are known before it begins: the
*pool*. A sample set is a count per pool row, and whatever a classifier needs to know about the pool
is computed once (see ``autosmote.scoring``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.space.base import (
    LAMBDAS,
    N_LAMBDAS,
    Decode,
    RowMaker,
    Space,
    Store,
    nearest_neighbours,
)


@dataclass(frozen=True)
class PoolSpace(Space):
    """The paper's space of five weights; a sample set is a count per pool row.

    Attributes
    ----------
    pool : ndarray of shape (P, columns of the rows)
        Distinct synthetic rows. The minority rows themselves come first.
    action_row : int32 ndarray of shape (N, K * 5)
        Index of the pool row that each action makes.
    """

    pool: NDArray[np.float64]
    action_row: NDArray[np.int32]

    def rows(self, samples: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the rows of a sample set in pool order, each as often as it is counted."""
        return repeat(self.pool, samples)

    def parents(
        self, samples: NDArray[np.integer]
    ) -> tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.float64]]:
        """Return the first of the actions that make each row."""
        rows, first = np.unique(self.action_row, return_index=True)
        actions = first[np.searchsorted(rows, np.repeat(np.arange(len(samples)), samples))]
        source, action = np.divmod(actions, self.action_row.shape[1])
        slot, weight = np.divmod(action, N_LAMBDAS)
        return source, self.neighbours[source, slot], LAMBDAS[weight]

    def row_maker(self, decode: Decode | None = None) -> RowMaker:
        return PoolRowMaker(self, self.pool if decode is None else decode(self.pool))

    def no_samples(self) -> NDArray[np.int32]:
        return np.zeros(len(self.pool), dtype=np.int32)

    def made_from(self, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which pool rows can be made from the `known` minority rows alone.

        A synthetic row at one end of a segment is a minority row and needs no other.
        """
        weight = np.tile(LAMBDAS, self.K)
        neighbour = np.repeat(self.neighbours, N_LAMBDAS, axis=1)
        possible = (known[:, None] | (weight == 1)) & (known[neighbour] | (weight == 0))
        made = np.zeros(len(self.pool), dtype=bool)
        made[self.action_row[possible]] = True
        return made


@dataclass(frozen=True)
class PoolRowMaker(RowMaker):
    """Takes rows from the pool, or from a subset of it (`chosen`: indices into the whole pool)."""

    space: PoolSpace
    pool: Any
    chosen: NDArray[np.integer] | None = None

    def restrict(self, samples: NDArray[np.integer]) -> NDArray[np.integer]:
        return samples if self.chosen is None else samples[self.chosen]

    def rows(self, samples: NDArray[np.integer]) -> Any:
        return repeat(self.pool, samples)

    def restricted_to(self, known: NDArray[np.bool_]) -> PoolRowMaker:
        made = self.space.made_from(known)
        if made.all():
            return self
        return replace(self, pool=repeat(self.pool, made), chosen=np.flatnonzero(made))


def repeat(rows: Any, counts: NDArray) -> Any:
    """Return rows of an array or a DataFrame, each as often as it is counted."""
    chosen = np.repeat(np.arange(len(counts)), counts)
    return rows.iloc[chosen] if hasattr(rows, "iloc") else rows[chosen]


def build_space(
    X: NDArray[np.float64],
    K: int,
    *,
    rows: NDArray[np.float64] | None = None,
    categorical: NDArray[np.bool_] | None = None,
    store: Store | None = None,
) -> PoolSpace:
    """Find the neighbours of the minority rows and all rows that can be interpolated.

    Parameters
    ----------
    X : ndarray of shape (N, D)
        States of the minority rows, N >= 1.
    K : int
        Number of neighbour slots; reduced to N where there are fewer rows.
    rows : ndarray of shape (N, columns), optional
        The rows themselves; by default, the states.
    categorical : bool ndarray of shape (columns,), optional
        Columns of the rows that hold codes of categories. They take the value of the nearer end
        of the segment, the source row's in its middle.
    store : callable, optional
        Applied to interpolated rows before equal ones are merged, such as rounding to whole
        numbers.
    """
    X = np.ascontiguousarray(X, dtype=np.float64)
    neighbours = nearest_neighbours(X, min(K, X.shape[0]))
    pool, action_row = _build_pool(X if rows is None else rows, neighbours, categorical, store)
    return PoolSpace(X, neighbours, pool, action_row)


def _build_pool(
    X: NDArray[np.float64],
    neighbours: NDArray[np.int32],
    categorical: NDArray[np.bool_] | None,
    store: Store | None,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return the distinct rows of all actions, and the index of each action's row."""
    n, K = neighbours.shape
    source = np.repeat(np.arange(n), K * N_LAMBDAS)
    target = np.repeat(neighbours.astype(np.int64).ravel(), N_LAMBDAS)
    weight = np.tile(np.arange(N_LAMBDAS), n * K)

    # (i, j, l) and (j, i, 1 - l) are one row: write it from the smaller index, so that it has the
    # same bits from either side. With categories the middle is two rows: they are the source's.
    swap = source > target
    first, second = np.where(swap, target, source), np.where(swap, source, target)
    weight = np.where(swap, N_LAMBDAS - 1 - weight, weight)
    from_second = LAMBDAS[weight] > 0.5
    if categorical is not None and categorical.any():
        from_second |= swap & (LAMBDAS[weight] == 0.5)
    key = n + 2 * ((first * n + second) * N_LAMBDAS + weight) + from_second
    key = np.where((weight == 0) | (first == second), first, key)
    key = np.where((weight == N_LAMBDAS - 1) & (first != second), second, key)
    keys, chosen, action_row = np.unique(key, return_index=True, return_inverse=True)

    rows = np.empty((len(keys), X.shape[1]))
    original = keys < n
    rows[original] = X[keys[original]]
    between = chosen[~original]
    a, b = X[first[between]], X[second[between]]
    made = a + LAMBDAS[weight[between], None] * (b - a)
    if categorical is not None:
        nearer = np.where(from_second[between, None], b, a)
        made[:, categorical] = nearer[:, categorical]
    rows[~original] = made if store is None else store(made)

    # Duplicate minority rows (common in one-hot data) make equal rows from different actions.
    kept, position = _distinct_rows(rows)
    return rows[kept], position[action_row].astype(np.int32).reshape(n, K * N_LAMBDAS)


def _distinct_rows(rows: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the index of the first of each group of equal rows, and each row's group."""
    rows = np.ascontiguousarray(rows + 0.0)  # -0.0 and 0.0 are the same number
    as_bytes = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, inverse = np.unique(as_bytes, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[inverse]
