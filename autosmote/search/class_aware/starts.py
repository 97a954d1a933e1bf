"""Learned starts of the class-aware search: where searches on other data ended.

`starts.csv` is made from the records of experiment=class_aware by `scripts/learned_start.py`. It
has means and deviations of the numbers for each kind of classifier and over all, from all datasets
and, so that a start can be judged on data that it has not seen, without each of them.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autosmote.errors import UnreadableError, UserError

TABLE = Path(__file__).with_name("starts.csv")
LEARNED = "learned"
_WITHOUT = f"{LEARNED} without "
ANY_KIND = "any"
"""Of the row over all classifiers, which serves those that have none."""


def learned_start(start: str, kind: str, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return means and deviations of some numbers; NaN for those that the table does not have.

    Parameters
    ----------
    start : str
        "learned", or "learned without <dataset>": all of it for one that it was not learned on.
    kind : str
        The classifier's class.
    names : sequence of str
        Of the numbers.

    Raises
    ------
    UserError
        If there is no table yet, or no such start in it.
    """
    without = start.removeprefix(_WITHOUT) if start.startswith(_WITHOUT) else ""
    if start != LEARNED and not without:
        raise UserError(
            f"search.method_params.start={start} is no start; give '{LEARNED}', "
            f"'{_WITHOUT}DATASET', or means and deviations."
        )
    rows = list(csv.DictReader(_text().splitlines()))
    left_out = without if without in {row["without"] for row in rows} else ""
    of_kind = {row["kind"]: row for row in rows if row["without"] == left_out}
    found = of_kind.get(kind) or of_kind[ANY_KIND]
    return {
        what: np.array([float(found.get(f"{what}.{name}") or np.nan) for name in names])
        for what in ("means", "deviations")
    }


def table_digest() -> str:
    """Return a digest of the table, which is a part of what a search that starts from it finds.

    Raises
    ------
    UnreadableError
        If there is no table yet.
    """
    return hashlib.sha256(_text().encode()).hexdigest()[:16]


def _text() -> str:
    try:
        return TABLE.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UnreadableError(
            "search.method_params.start=learned needs the table of learned starts, which is not "
            "made yet; make it by `make learned-start` from the records of "
            "experiment=class_aware."
        ) from None
    except OSError as error:
        raise UnreadableError(
            f"The table of learned starts, {TABLE.name}, cannot be read ({error.strerror}); check "
            "the installation."
        ) from error
