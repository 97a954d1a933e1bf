"""Histograms of features with few values: a node's packed weight per feature and value."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def fill_histograms(histograms, members, start, end, origin, codes, packed):
    """Fill ``histograms`` with the weight per feature and value of rows ``members[start:end]``."""
    for k in range(histograms.shape[0]):
        for code in range(histograms.shape[1]):
            histograms[k, code] = 0
    for p in range(start, end):
        r = members[p]
        row = origin[r]
        for k in range(histograms.shape[0]):
            histograms[k, codes[row, k]] += packed[r]


@njit(cache=True)
def _subtract(minuend, subtrahend, out):
    for k in range(out.shape[0]):
        for code in range(out.shape[1]):
            out[k, code] = minuend[k, code] - subtrahend[k, code]


@njit(cache=True)
def divide_histograms(histograms, top, members, start, position, end, origin, codes, packed):
    """Replace the histograms of a node, at ``top``, by its right and (at ``top + 1``) left child's.

    Only the smaller child's rows are summed; the larger child gets the difference.
    """
    parent, left = histograms[top], histograms[top + 1]
    if position - start <= end - position:
        fill_histograms(left, members, start, position, origin, codes, packed)
        _subtract(parent, left, parent)
    else:
        right = histograms[top + 2]
        fill_histograms(right, members, position, end, origin, codes, packed)
        _subtract(parent, right, left)
        _subtract(parent, left, parent)


@njit(cache=True)
def grown(array):
    """Return an array of twice the length that begins with the same histograms."""
    larger = np.empty((2 * array.shape[0], array.shape[1], array.shape[2]), dtype=np.int64)
    for i in range(array.shape[0]):
        for k in range(array.shape[1]):
            for code in range(array.shape[2]):
                larger[i, k, code] = array[i, k, code]
    return larger
