"""Generate the embedded toy dataset: small, two-dimensional, hard for interpolation.

Modelled on the paper's case study (Section 4.6): the minority forms two clusters on either side
of the majority, so a segment between the clusters crosses the majority and produces noise.
"""

from __future__ import annotations

import numpy as np

from autosmote.data.columns import NUMBER, TEXT, RawColumn

N_MAJORITY, N_LEFT, N_RIGHT = 450, 17, 18
N_FRESH = 20_000
_SEED = 2023


def toy_columns() -> list[RawColumn]:
    """Generate the toy data: columns x, y and label, 450 normal and 35 rare rows.

    The seed is fixed and numbers are rounded to six digits, so that all platforms produce the
    same bits.
    """
    return _columns(np.random.default_rng(_SEED), N_MAJORITY, N_LEFT, N_RIGHT)


def fresh_toy_columns() -> list[RawColumn]:
    """Generate the rows of the toy data's extended test: 20,000 more, with the same shares."""
    n = N_MAJORITY + N_LEFT + N_RIGHT
    left, right = (round(N_FRESH * part / n) for part in (N_LEFT, N_RIGHT))
    return _columns(np.random.default_rng(_SEED + 1), N_FRESH - left - right, left, right)


def _columns(
    rng: np.random.Generator, n_majority: int, n_left: int, n_right: int
) -> list[RawColumn]:
    majority = rng.standard_normal((n_majority, 2)) * [1.5, 1.8]
    left = rng.standard_normal((n_left, 2)) * [0.6, 1.2] + [-2.6, 1.6]
    right = rng.standard_normal((n_right, 2)) * [0.7, 1.0] + [3.2, 0.6]
    points = np.concatenate([majority, left, right])
    labels = ["normal"] * n_majority + ["rare"] * (n_left + n_right)
    return [
        RawColumn("x", [f"{value:.6f}" for value in points[:, 0]], NUMBER),
        RawColumn("y", [f"{value:.6f}" for value in points[:, 1]], NUMBER),
        RawColumn("label", labels, TEXT),
    ]
