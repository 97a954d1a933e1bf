"""Gains of each arm over no resampling, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autosmote.reports.cells import Cells
from autosmote.reports.statistics.bootstrap import draw_means, interval
from autosmote.reports.statistics.ranks import mean_of_known
from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS

_N_DRAWS = 1000


def compute_gains(cells_of: Mapping[str, Cells], beside: Sequence[str]) -> pd.DataFrame:
    """Compute mean gains over the configurations, as the summary has them.

    Parameters
    ----------
    cells_of : dict of str to Cells
        By metric, those of the arms beside among them.
    beside : sequence of str
        Arms that are each compared on the runs that it shares with all others.

    Returns
    -------
    DataFrame
        metric, arm, n (configurations), validation_gain, test_gain with its 95% interval
        (test_gain_low, test_gain_high), which is nan for fewer than five configurations.
    """
    rows: list[dict[str, Any]] = []
    for metric, cells in cells_of.items():
        others = [arm for arm in cells.arms if arm not in beside]
        alone = [arm for arm in cells.arms if arm in beside]
        for arms, wanted in [(others, others), *(([*others, arm], [arm]) for arm in alone)]:
            part = cells.only(arms)
            part = part.where(part.shared().any(axis=1))
            if not part.configurations:
                continue
            values = part.means(part.test_gain)
            n = np.sum(~np.isnan(values), axis=0)
            gains = mean_of_known(values, axis=0)
            chosen = mean_of_known(part.means(part.validation_gain), axis=0)
            low, high = interval(gains, draw_means(part, part.test_gain, _N_DRAWS))
            enough = n >= MIN_CONFIGURATIONS
            low, high = (np.where(enough, end, np.nan) for end in (low, high))
            for a in map(arms.index, wanted):
                rows.append(
                    {
                        **{"metric": metric, "arm": arms[a], "n": n[a]},
                        **{"validation_gain": chosen[a], "test_gain": gains[a]},
                        **{"test_gain_low": low[a], "test_gain_high": high[a]},
                    }
                )
    return pd.DataFrame(rows)
