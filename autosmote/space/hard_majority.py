"""Which majority rows are hardest: those with most minority rows around them.

An extension that the paper names as future work: over-sampling combined with leaving majority rows
out, as SMOTEENN does, but by a share that the search decides about.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = 5


def hardest_first(X: NDArray[np.float64], is_minority: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Positions of the majority rows, the hardest first.

    A row is the harder the more minority rows are among its 5 nearest rows, then the nearer the
    nearest minority row is, then the earlier it comes.

    Parameters
    ----------
    X : ndarray of shape (n, D)
        All rows, on scales that distances make sense on.
    is_minority : bool ndarray of shape (n,)
    """
    from sklearn.neighbors import NearestNeighbors

    majority = np.flatnonzero(~is_minority)
    k = min(_NEIGHBOURS, len(X) - 1)
    near = NearestNeighbors(n_neighbors=k).fit(X)
    # Without a query, a row is not its own neighbour, be it doubled or not.
    around = is_minority[near.kneighbors(return_distance=False)].sum(axis=1)[majority]
    nearest = NearestNeighbors(n_neighbors=1).fit(X[is_minority])
    distance = nearest.kneighbors(X[majority])[0][:, 0]
    return majority[np.lexsort((majority, distance, -around))]


def hardest_share(hardest: NDArray[np.integer], share: float) -> NDArray[np.integer]:
    """The first of a share of rows, never all of them."""
    return hardest[: min(round(share * len(hardest)), len(hardest) - 1)]
