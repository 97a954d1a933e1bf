"""The SMOTE search space (Section 3.1): neighbours, interpolation weights, and the pool.

Every synthetic row that a search can make is ``x_i + lambda (x_j - x_i)`` for a minority row ``i``,
one of its ``K`` nearest minority neighbours ``j`` and one of five weights. The rows are therefore
known before the search begins: the *pool*. An episode is a count per pool row, and whatever a
classifier needs to know about the pool can be computed once (see ``autosmote.scoring``).

Neighbours are found among the *states* of the rows. Pool rows are made of the rows themselves,
which may be in other units, and may hold codes of categories.

Where the weight is continuous there is no pool, and an episode's samples are kept one by one:
``space.continuous``. What both kinds of space have in common is ``Space``: samples are whatever
the space says, and nobody else looks inside.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

LAMBDAS: NDArray[np.float64] = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
"""Interpolation weights of the paper; action ``a`` is slot ``a // 5`` and weight ``a % 5``."""
N_LAMBDAS = len(LAMBDAS)

Store = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_DISTANCE_BLOCK = 4_000_000
"""Distances are computed for as many rows at once as keep a block under this many numbers."""


Samples = Any
"""What an episode makes, as its space keeps it: a count per pool row, or
`autosmote.space.continuous.Segments`."""

Decode = Callable[[NDArray[np.float64]], Any]
"""Puts rows into the form in which a classifier is to see them."""


@dataclass(frozen=True)
class Space(ABC):
    """Where a search may put synthetic rows.

    Attributes
    ----------
    X : ndarray of shape (N, D)
        States of the minority rows of the training part: the rows as preprocessed.
    neighbours : int32 ndarray of shape (N, K)
        Slot 0 is the row itself, the others are its nearest minority rows by Euclidean distance,
        ties by index.
    """

    X: NDArray[np.float64]
    neighbours: NDArray[np.int32]

    continuous: ClassVar[bool] = False
    """Whether any weight between 0 and 1 may be chosen, and not five alone."""

    @property
    def n_rows(self) -> int:
        """Number of minority rows, N."""
        return self.X.shape[0]

    @property
    def K(self) -> int:
        """Number of neighbour slots, at most N."""
        return self.neighbours.shape[1]

    @abstractmethod
    def rows(self, samples: Samples) -> NDArray[np.float64]:
        """The synthetic rows that samples stand for."""

    @abstractmethod
    def row_maker(self, decode: Decode | None = None) -> RowMaker:
        """What makes rows for a classifier out of samples; of this space's numbers where None."""

    @abstractmethod
    def layout(self, most: int) -> dict[str, tuple[type, int]]:
        """Type and greatest length of each column of an episode of at most so many samples."""

    @abstractmethod
    def columns(self, samples: Samples) -> dict[str, NDArray]:
        """Samples as arrays of one length."""

    @abstractmethod
    def samples(self, columns: Mapping[str, NDArray]) -> Samples:
        """Samples of their columns."""

    @abstractmethod
    def nothing(self) -> Samples:
        """No samples."""


class RowMaker(ABC):
    """Makes rows for a classifier out of the samples of a space, or of a part of it.

    Attributes
    ----------
    pool : {ndarray, DataFrame} or None
        All rows that it can make, where they are known before.
    """

    pool: Any

    @abstractmethod
    def own(self, samples: Samples) -> Samples:
        """Those of an episode's samples that this part may have."""

    @abstractmethod
    def rows(self, own: Samples) -> Any:
        """Their rows, as they are returned in the end."""

    @abstractmethod
    def among(self, known: NDArray[np.bool_]) -> RowMaker:
        """What makes those samples that can be made from some of the N minority rows alone."""


@dataclass(frozen=True)
class PoolSpace(Space):
    """The paper's space, of five weights; samples are a count per pool row.

    Attributes
    ----------
    pool : ndarray of shape (P, columns of the rows)
        Distinct synthetic rows. The minority rows themselves come first.
    action_row : int32 ndarray of shape (N, K * 5)
        The pool row that an action makes.
    """

    pool: NDArray[np.float64]
    action_row: NDArray[np.int32]

    def rows(self, samples: NDArray[np.integer]) -> NDArray[np.float64]:
        """Synthetic rows of an episode, in pool order, each as often as it is counted."""
        return repeat(self.pool, samples)

    def row_maker(self, decode: Decode | None = None) -> RowMaker:
        return PoolRowMaker(self, self.pool if decode is None else decode(self.pool))

    def layout(self, most: int) -> dict[str, tuple[type, int]]:
        return {"counts": (np.int32, len(self.pool))}

    def columns(self, samples: NDArray[np.integer]) -> dict[str, NDArray]:
        return {"counts": samples}

    def samples(self, columns: Mapping[str, NDArray]) -> NDArray[np.int32]:
        return columns["counts"]

    def nothing(self) -> NDArray[np.int32]:
        return np.zeros(len(self.pool), dtype=np.int32)

    def made_from(self, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Pool rows that can be made from some of the minority rows alone.

        A row at one end of a segment is that row, and needs no other.
        """
        weight = np.tile(LAMBDAS, self.K)
        neighbour = np.repeat(self.neighbours, N_LAMBDAS, axis=1)
        possible = (known[:, None] | (weight == 1)) & (known[neighbour] | (weight == 0))
        made = np.zeros(len(self.pool), dtype=bool)
        made[self.action_row[possible]] = True
        return made


@dataclass(frozen=True)
class PoolRowMaker(RowMaker):
    """Takes rows from the pool, or from those of its rows that a part may have (`chosen`)."""

    space: PoolSpace
    pool: Any
    chosen: NDArray[np.integer] | None = None

    def own(self, samples: NDArray[np.integer]) -> NDArray[np.integer]:
        return samples if self.chosen is None else samples[self.chosen]

    def rows(self, own: NDArray[np.integer]) -> Any:
        return repeat(self.pool, own)

    def among(self, known: NDArray[np.bool_]) -> PoolRowMaker:
        made = self.space.made_from(known)
        if made.all():
            return self
        return replace(self, pool=repeat(self.pool, made), chosen=np.flatnonzero(made))


def repeat(rows: Any, counts: NDArray) -> Any:
    """Rows of an array or a DataFrame, each as often as it is counted."""
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
        Number of neighbour slots asked for; min(K, N) are made.
    rows : ndarray of shape (N, columns), optional
        The rows themselves; the states where None.
    categorical : bool ndarray of shape (columns,), optional
        Columns of the rows that hold codes of categories. They take the value of the nearer end
        of the segment, the source row's in its middle.
    store : callable, optional
        What becomes of interpolated rows where they are stored, such as rounding to whole
        numbers, before equal ones are merged.
    """
    X = np.ascontiguousarray(X, dtype=np.float64)
    neighbours = nearest_neighbours(X, min(K, X.shape[0]))
    pool, action_row = _build_pool(X if rows is None else rows, neighbours, categorical, store)
    return PoolSpace(X, neighbours, pool, action_row)


def nearest_neighbours(X: NDArray[np.float64], K: int) -> NDArray[np.int32]:
    """Slots of each row: itself, then its K - 1 nearest other rows, ties by index."""
    n = X.shape[0]
    neighbours = np.empty((n, K), dtype=np.int32)
    step = max(1, _DISTANCE_BLOCK // max(n, 1))
    for start in range(0, n, step):
        stop = min(start + step, n)
        # Sums of squared differences, feature by feature: unlike the dot-product shortcut they are
        # exactly symmetric and exactly equal for equal rows, so ties are ties on every machine.
        distance = np.zeros((stop - start, n))
        for feature in X.T:
            distance += np.square(feature[start:stop, None] - feature[None, :])
        distance[np.arange(stop - start), np.arange(start, stop)] = -1.0
        neighbours[start:stop] = np.argsort(distance, axis=1, kind="stable")[:, :K]
    return neighbours


def _build_pool(
    X: NDArray[np.float64],
    neighbours: NDArray[np.int32],
    categorical: NDArray[np.bool_] | None,
    store: Store | None,
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Distinct rows of all actions, and the row of each action."""
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
    """Indices of the first of each group of equal rows, in order, and each row's place there."""
    rows = np.ascontiguousarray(rows + 0.0)  # -0.0 and 0.0 are the same number
    as_bytes = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, inverse = np.unique(as_bytes, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[inverse]
