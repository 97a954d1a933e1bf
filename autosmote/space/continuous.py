"""A search space with continuous lambda (an extension: the paper's future work, Section 3.2).

A sample is ``x_i + lambda (x_j - x_i)`` for any lambda between 0 and 1, so there is no pool, and
samples are kept one by one: the two rows and the weight. All computations are row by row, so that
a sample has the same bits whichever others are computed with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autosmote.space.base import Decode, RowMaker, Space, Store, nearest_neighbours
from autosmote.space.pool import build_space


@dataclass(frozen=True)
class Segments:
    """A sample set: points on segments between minority rows, in the order of their generation.

    Attributes
    ----------
    source, neighbour : int32 ndarrays of shape (S,)
        Index i of the source row and index j of its neighbour.
    weight : float64 ndarray of shape (S,)
        lambda, above 0 and below 1.
    """

    source: NDArray[np.int32]
    neighbour: NDArray[np.int32]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.source)

    def only(self, chosen: NDArray[np.bool_]) -> Segments:
        """Return the samples that a boolean mask chooses."""
        return Segments(self.source[chosen], self.neighbour[chosen], self.weight[chosen])

    def tobytes(self) -> bytes:
        """Return the content as bytes, to compare sample sets by."""
        return b"".join(column.tobytes() for column in vars(self).values())


@dataclass(frozen=True)
class SegmentSpace(Space):
    """All points on the segments between minority rows and their neighbours.

    Attributes
    ----------
    ends : ndarray of shape (N, columns of the rows)
        The minority rows themselves.
    categorical : bool ndarray of shape (columns,), optional
    store : callable, optional
        As in `autosmote.space.pool.build_space`.
    """

    ends: NDArray[np.float64]
    categorical: NDArray[np.bool_] | None = None
    store: Store | None = None

    continuous: ClassVar[bool] = True

    def rows(self, samples: Segments) -> NDArray[np.float64]:
        """Return the rows of a sample set, in its order."""
        a, b = self.ends[samples.source], self.ends[samples.neighbour]
        weight = samples.weight[:, None]
        made = a + weight * (b - a)
        if self.categorical is not None and self.categorical.any():
            nearer = np.where(weight > 0.5, b, a)
            made[:, self.categorical] = nearer[:, self.categorical]
        return made if self.store is None else self.store(made)

    def parents(
        self, samples: Segments
    ) -> tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.float64]]:
        return samples.source, samples.neighbour, samples.weight

    def row_maker(self, decode: Decode | None = None) -> RowMaker:
        return SegmentRowMaker(self, decode)

    def no_samples(self) -> Segments:
        return Segments(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))


@dataclass(frozen=True)
class SegmentRowMaker(RowMaker):
    """Interpolates between minority rows, or between some of them (`known`)."""

    space: SegmentSpace
    decode: Decode | None
    known: NDArray[np.bool_] | None = None
    pool: Any = None

    def restrict(self, samples: Segments) -> Segments:
        if self.known is None:
            return samples
        return samples.only(self.known[samples.source] & self.known[samples.neighbour])

    def rows(self, samples: Segments) -> Any:
        rows = self.space.rows(samples)
        return rows if self.decode is None else self.decode(rows)

    def restricted_to(self, known: NDArray[np.bool_]) -> SegmentRowMaker:
        return self if known.all() else replace(self, known=known)


def build_segment_space(
    X: NDArray[np.float64],
    K: int,
    *,
    rows: NDArray[np.float64] | None = None,
    categorical: NDArray[np.bool_] | None = None,
    store: Store | None = None,
) -> SegmentSpace:
    """Find the neighbours of the minority rows; parameters as in `space.pool.build_space`."""
    X = np.ascontiguousarray(X, dtype=np.float64)
    ends = X if rows is None else rows
    return SegmentSpace(X, nearest_neighbours(X, min(K, X.shape[0])), ends, categorical, store)


def space_builder(lambda_head: str) -> Callable[..., Space]:
    """Return the function that builds the space for a setting of `search.lambda_head`."""
    return build_segment_space if lambda_head == "continuous" else build_space
