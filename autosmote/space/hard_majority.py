"""Rank majority rows by hardness: the number of minority rows around them.

Serves an extension that the paper names as future work: over-sampling combined with leaving out
majority rows, as SMOTEENN does, but by a share that the search chooses.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = 5
SHARES = tuple(i / 10 for i in range(10))
"""Shares of the majority rows that a search may leave out (`search.under_sampling`)."""


def hardest_first(X: NDArray[np.float64], is_minority: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the positions of the majority rows, the hardest first.

    Rows are ordered by the number of minority rows among their 5 nearest rows (descending), then by
    the distance to the nearest minority row, then by position.

    Parameters
    ----------
    X : ndarray of shape (n, D)
        All rows, scaled so that distances are meaningful.
    is_minority : bool ndarray of shape (n,)
    """
    from sklearn.neighbors import NearestNeighbors

    majority = np.flatnonzero(~is_minority)
    k = min(_NEIGHBOURS, len(X) - 1)
    near = NearestNeighbors(n_neighbors=k).fit(X)
    # Without a query, no row counts as its own neighbour, even where it has duplicates.
    around = is_minority[near.kneighbors(return_distance=False)].sum(axis=1)[majority]
    nearest = NearestNeighbors(n_neighbors=1).fit(X[is_minority])
    distance = nearest.kneighbors(X[majority])[0][:, 0]
    return majority[np.lexsort((majority, distance, -around))]


def hardest_share(hardest: NDArray[np.integer], share: float) -> NDArray[np.integer]:
    """Return the hardest rows, a share of them rounded to whole rows, but never all of them."""
    return hardest[: min(round(share * len(hardest)), len(hardest) - 1)]
