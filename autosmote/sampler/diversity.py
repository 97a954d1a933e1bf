"""Members of a vote that are good and differ: what a vote lives on is that its members err apart.

The best candidates of a search that learns are alike, and so are their classifiers' mistakes; a
vote of them is little more than one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WEIGHT = 0.5
"""Of the mean correlation, against the score."""


def choose_diverse(
    scores: Sequence[float], predictions: Sequence[NDArray[np.bool_]], n: int
) -> list[int]:
    """Choose members greedily: by score less half the mean correlation with those chosen.

    Parameters
    ----------
    scores : sequence of float
        Of the candidates, the best first: it is the first member.
    predictions : sequence of bool ndarrays of shape (rows,)
        Each candidate's for the held-out rows, by models trained without them.
    n : int
        Number of members; all candidates where there are fewer.

    Returns
    -------
    list of int
        Positions in the order in which they were chosen; ties to the better score.
    """
    correlations = _correlations(np.array(predictions))
    values = np.array(scores, dtype=float)
    chosen = [0]
    total = correlations[0].copy()
    while len(chosen) < min(n, len(values)):
        worth = values - _WEIGHT * total / len(chosen)
        worth[chosen] = -np.inf
        chosen.append(int(np.argmax(worth)))
        total += correlations[chosen[-1]]
    return chosen


def _correlations(predictions: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the correlation of each pair, 1 with a constant: it would only add to a threshold."""
    positive = predictions.astype(np.float64)
    both = positive @ positive.T  # whole numbers, so exact in whatever order they are added
    n, found = predictions.shape[1], np.diag(both)
    spread = np.sqrt(found * (n - found))
    product = np.outer(spread, spread)
    known = product > 0
    covariance = n * both - np.outer(found, found)
    return np.where(known, covariance / np.where(known, product, 1.0), 1.0)
