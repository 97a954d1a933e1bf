"""The search space where lambda is continuous (an extension: the paper's future work, Section 3.2).

A sample is ``x_i + lambda (x_j - x_i)`` for any lambda between 0 and 1, so there is no pool of
possible rows, and an episode's samples are kept one by one: the two rows and the weight. Whatever
is computed from them is computed row by row, so that a sample is the same to the bit wherever it is
made. numpy only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autosmote.space.base import Decode, RowMaker, Space, Store, build_space, nearest_neighbours


@dataclass(frozen=True)
class Segments:
    """Samples on the segments between minority rows, in the order in which they were made.

    Attributes
    ----------
    source, neighbour : int32 ndarrays of shape (S,)
        The row around which a sample is made, and that towards which.
    weight : float64 ndarray of shape (S,)
        lambda, above 0 and below 1.
    """

    source: NDArray[np.int32]
    neighbour: NDArray[np.int32]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.source)

    def only(self, chosen: NDArray[np.bool_]) -> Segments:
        """Some of them."""
        return Segments(self.source[chosen], self.neighbour[chosen], self.weight[chosen])

    def tobytes(self) -> bytes:
        """Their content, to compare by."""
        return b"".join(column.tobytes() for column in vars(self).values())

    def copy(self) -> Segments:
        """Samples of their own memory."""
        return Segments(*(column.copy() for column in vars(self).values()))


@dataclass(frozen=True)
class SegmentSpace(Space):
    """All points on the segments between minority rows and their neighbours.

    Attributes
    ----------
    ends : ndarray of shape (N, columns of the rows)
        The minority rows themselves.
    categorical : bool ndarray of shape (columns,), optional
    store : callable, optional
        Both as in `autosmote.space.base.build_space`.
    """

    ends: NDArray[np.float64]
    categorical: NDArray[np.bool_] | None = None
    store: Store | None = None

    continuous: ClassVar[bool] = True

    def rows(self, samples: Segments) -> NDArray[np.float64]:
        """Synthetic rows of an episode, in the order in which they were made."""
        a, b = self.ends[samples.source], self.ends[samples.neighbour]
        weight = samples.weight[:, None]
        made = a + weight * (b - a)
        if self.categorical is not None and self.categorical.any():
            nearer = np.where(weight > 0.5, b, a)
            made[:, self.categorical] = nearer[:, self.categorical]
        return made if self.store is None else self.store(made)

    def row_maker(self, decode: Decode | None = None) -> RowMaker:
        return SegmentRowMaker(self, decode)

    def layout(self, most: int) -> dict[str, tuple[type, int]]:
        return {
            "source": (np.int32, most),
            "neighbour": (np.int32, most),
            "weight": (np.float64, most),
        }

    def columns(self, samples: Segments) -> dict[str, NDArray]:
        return vars(samples)

    def samples(self, columns: Mapping[str, NDArray]) -> Segments:
        return Segments(**columns)

    def nothing(self) -> Segments:
        return Segments(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))


@dataclass(frozen=True)
class SegmentRowMaker(RowMaker):
    """Interpolates rows, between those minority rows that a part may have (`known`)."""

    space: SegmentSpace
    decode: Decode | None
    known: NDArray[np.bool_] | None = None
    pool: Any = None

    def own(self, samples: Segments) -> Segments:
        if self.known is None:
            return samples
        return samples.only(self.known[samples.source] & self.known[samples.neighbour])

    def rows(self, own: Segments) -> Any:
        rows = self.space.rows(own)
        return rows if self.decode is None else self.decode(rows)

    def among(self, known: NDArray[np.bool_]) -> SegmentRowMaker:
        return self if known.all() else replace(self, known=known)


def build_segment_space(
    X: NDArray[np.float64],
    K: int,
    *,
    rows: NDArray[np.float64] | None = None,
    categorical: NDArray[np.bool_] | None = None,
    store: Store | None = None,
) -> SegmentSpace:
    """Find the neighbours of the minority rows; parameters as in `space.base.build_space`."""
    X = np.ascontiguousarray(X, dtype=np.float64)
    ends = X if rows is None else rows
    return SegmentSpace(X, nearest_neighbours(X, min(K, X.shape[0])), ends, categorical, store)


def space_builder(lambda_head: str) -> Callable[..., Space]:
    """What builds the space of a search with this setting of `search.lambda_head`."""
    return build_segment_space if lambda_head == "continuous" else build_space
