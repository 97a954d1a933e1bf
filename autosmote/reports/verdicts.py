"""Words for differences and their intervals.

A *row* is one of `autosmote.reports.studies.differences.compute_differences`. It is judged by the
extended test where there is one, else by the test part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autosmote.reports.statistics.significance import MIN_CONFIGURATIONS

ABOVE, BELOW, OPEN, TOO_FEW = "above", "below", "open", "too few"
"""Where the interval of a difference lies: to one side of 0 or across it; or there is none."""
NOTHING = f"nothing can be concluded, as an interval needs {MIN_CONFIGURATIONS} configurations"
TESTS = {"test": "test part", "extended": "extended test"}

Row = Mapping[str, Any]


def locate(row: Row) -> str:
    """Return where the judged interval lies: `ABOVE`, `BELOW`, `OPEN` or `TOO_FEW`."""
    low, high = (row[f"{row['judged']}_{end}"] for end in ("low", "high"))
    if np.isnan(low):
        return TOO_FEW
    return ABOVE if low > 0 else BELOW if high < 0 else OPEN


def phrase_difference(row: Row, test: str) -> str:
    """Return a difference with its interval, such as "+0.010 [+0.002, +0.018]"."""
    low, high = row[f"{test}_low"], row[f"{test}_high"]
    within = "" if np.isnan(low) else f" [{low:+.3f}, {high:+.3f}]"
    return f"{row[test]:+.3f}{within}"


def phrase_both(row: Row) -> str:
    """Return the difference on the judged test, then that on the test part."""
    tests = dict.fromkeys([row["judged"], "test"])
    return ", ".join(f"{phrase_difference(row, test)} on the {TESTS[test]}" for test in tests)


def count_configurations(row: Row) -> int:
    """Return the number of configurations in which the judged difference is known."""
    return int(row[f"{_prefix(row)}configurations"])


def phrase_sample(row: Row) -> str:
    """Return over what the judged mean is: "48 configurations and 96 runs"."""
    runs = int(row[f"{_prefix(row)}runs"])
    n = count_noun(count_configurations(row), "configuration")
    return f"{n} and {count_noun(runs, 'run')}"


def _prefix(row: Row) -> str:
    return "extended_" if row["judged"] == "extended" else ""


def count_noun(n: int, what: str) -> str:
    """Return "1 seed" or "2 seeds"."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def join_words(texts: Sequence[str]) -> str:
    """Return "a, b and c"; of more than eight the first, and how many more."""
    if len(texts) > 8:
        return f"{', '.join(texts[:8])} and {len(texts) - 8} more"
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))
