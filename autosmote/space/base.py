"""The interface of a search space: which synthetic rows a search can make (Section 3.1).

Every synthetic row is ``x_i + lambda (x_j - x_i)`` for a minority row ``i`` and one of its ``K``
nearest minority neighbours ``j``. Neighbours are found among the *states* of the rows, the rows as
preprocessed; synthetic rows are made of the rows themselves, which may be in other units and may
hold codes of categories.

Two spaces implement it: ``space.pool`` with the paper's five weights, and ``space.continuous`` with
any weight. Each represents a sample set in its own way; code outside treats it as opaque.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

LAMBDAS: NDArray[np.float64] = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
"""Interpolation weights of the paper; action ``a`` is slot ``a // 5`` and weight ``a % 5``."""
N_LAMBDAS = len(LAMBDAS)

Samples = Any
"""A sample set as its space represents it: a count per pool row, or
`autosmote.space.continuous.Segments`."""

Store = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Converts interpolated rows to what is stored, such as whole numbers."""

Decode = Callable[[NDArray[np.float64]], Any]
"""Converts rows to the form that the classifier is trained on."""

_DISTANCE_BLOCK = 4_000_000
"""Most distances that are held at once."""


@dataclass(frozen=True)
class Space(ABC):
    """Minority rows, their neighbours, and the synthetic rows that can be made of them.

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
    """Whether lambda is any number between 0 and 1 rather than one of five."""

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
        """Return the synthetic rows of a sample set."""

    @abstractmethod
    def parents(
        self, samples: Samples
    ) -> tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.float64]]:
        """Return for each row of a sample set, in the order of `rows`, the minority row that it
        was made around, the other one, and the weight of the other one."""

    @abstractmethod
    def row_maker(self, decode: Decode | None = None) -> RowMaker:
        """Return a maker of rows for classifiers; undecoded rows where `decode` is None."""

    @abstractmethod
    def no_samples(self) -> Samples:
        """Return the empty sample set."""


class RowMaker(ABC):
    """Makes rows for a classifier out of a sample set of a space, or of a part's share of it.

    Attributes
    ----------
    space : Space
    pool : {ndarray, DataFrame} or None
        All rows that it can make, where they are known beforehand.
    """

    space: Any
    pool: Any

    @abstractmethod
    def restrict(self, samples: Samples) -> Samples:
        """Return those samples of a sample set of the whole space that this maker can make."""

    @abstractmethod
    def rows(self, samples: Samples) -> Any:
        """Return the rows of a restricted sample set, as they are returned in the end."""

    @abstractmethod
    def restricted_to(self, known: NDArray[np.bool_]) -> RowMaker:
        """Return a maker of those samples that need none but some of the N minority rows."""


def nearest_neighbours(X: NDArray[np.float64], K: int) -> NDArray[np.int32]:
    """Return the slots of each row: itself, then its K - 1 nearest other rows, ties by index."""
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
