"""Generate the embedded toy dataset: small, two-dimensional, hard for interpolation.

Modelled on the paper's case study (Section 4.6): the minority forms two clusters on either side
of the majority, so a segment between the clusters crosses the majority and produces noise.
"""

from __future__ import annotations

import numpy as np

from autosmote.data.columns import NUMBER, TEXT, RawColumn

N_MAJORITY, N_LEFT, N_RIGHT = 450, 17, 18
_SEED = 2023


def toy_columns() -> list[RawColumn]:
    """Generate the toy data: columns x, y and label, 450 normal and 35 rare rows.

    The seed is fixed and numbers are rounded to six digits, so that all platforms produce the
    same bits.
    """
    rng = np.random.default_rng(_SEED)
    majority = rng.standard_normal((N_MAJORITY, 2)) * [1.5, 1.8]
    left = rng.standard_normal((N_LEFT, 2)) * [0.6, 1.2] + [-2.6, 1.6]
    right = rng.standard_normal((N_RIGHT, 2)) * [0.7, 1.0] + [3.2, 0.6]
    points = np.concatenate([majority, left, right])
    labels = ["normal"] * N_MAJORITY + ["rare"] * (N_LEFT + N_RIGHT)
    return [
        RawColumn("x", [f"{value:.6f}" for value in points[:, 0]], NUMBER),
        RawColumn("y", [f"{value:.6f}" for value in points[:, 1]], NUMBER),
        RawColumn("label", labels, TEXT),
    ]
