"""One order and one fingerprint for a table, whatever source it came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np


def canonical_form(
    numbers: np.ndarray,
    codes: np.ndarray,
    categories: Sequence[tuple[str, ...]],
    labels: np.ndarray,
) -> tuple[np.ndarray, str]:
    """Return the order that sorts the rows, and the fingerprint of the sorted table.

    Numbers are compared as they are printed, at 9 significant digits: two sources of one table
    may differ in a number's last bits, and that must neither move a row nor change the hash.
    """
    texts, ranks = [], []
    for column in numbers.T:
        values, inverse = np.unique(column, return_inverse=True)
        printed = np.array([f"{value:.9g}" for value in values], dtype=object)
        texts.append(printed[inverse])
        ranks.append(np.concatenate([[0], np.cumsum(printed[1:] != printed[:-1])])[inverse])
    label_rank = np.unique(labels, return_inverse=True)[1]
    # The exact numbers come last: they only decide between rows that print alike.
    keys = [*ranks, *codes.T, label_rank, *numbers.T]
    order = np.lexsort(keys[::-1])

    digest = hashlib.sha256()
    for text in texts:
        digest.update(json.dumps(list(text[order])).encode())
    for column, names in zip(codes.T, categories, strict=True):
        cells = np.array([*names, None], dtype=object)[column[order]]  # -1 takes the None
        digest.update(json.dumps([names, list(cells)]).encode())
    digest.update(json.dumps(list(labels[order])).encode())
    return order, digest.hexdigest()
