"""Make the table of learned starts from the records of experiment=class_aware.

    python scripts/learned_start.py [--results-dir results]

Each search with the default settings ended with means of its numbers. A start's means are the mean
over the datasets of these, so that each dataset counts alike; its deviations are those of the
searches' means around it, and at least a third of the first ones. It writes
autosmote/search/class_aware/starts.csv: for each kind of classifier and over all, from all datasets
and without each of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.errors import UserError
from autosmote.records.collected import read_records, write_csv
from autosmote.search.class_aware.features import DEFAULT_FEATURES
from autosmote.search.class_aware.policy import Family
from autosmote.search.class_aware.starts import ANY_KIND, TABLE

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENT = "class_aware"
_SAMPLER = "autosmote_class_aware"
_DEFAULT = {"method": "class_aware"}
_LEAST = 1 / 3
"""Least deviations, as a share of the first ones."""
_ONE_SEARCH = ["dataset", "ir", "kind", "metric", "seed", "reward", "means"]
_MIN_DATASETS = 2


def read_searches(results_dir: Path) -> pd.DataFrame:
    """Return the searches with the default settings: dataset, kind of classifier, final means.

    Raises
    ------
    UserError
        If there are too few.
    """
    records = read_records(results_dir / EXPERIMENT)
    records = records[(records["sampler"] == _SAMPLER) & (records["status"] == "ok")]
    records = records.dropna(subset=["search.parameters.means"])
    config = [json.loads(text) for text in records["config"]]
    found = records.assign(
        kind=[one["clf"]["_target_"].rpartition(".")[2] for one in config],
        reward=[one["search"]["reward"] for one in config],
        means=records["search.parameters.means"],
        is_default=np.array([one["sampler"]["params"] == _DEFAULT for one in config], dtype=bool),
    )
    # The rules of one search share its means.
    found = found[found["is_default"]].drop_duplicates(_ONE_SEARCH)[_ONE_SEARCH]
    if found["dataset"].nunique() < _MIN_DATASETS:
        raise UserError(
            f"{EXPERIMENT}/records.csv.gz in {results_dir} has searches of "
            f"{found['dataset'].nunique()} datasets, and a start takes {_MIN_DATASETS}; run "
            f"experiment={EXPERIMENT} budget=quick of autosmote.sweep."
        )
    return found


def make_rows(searches: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table."""
    family = Family(DEFAULT_FEATURES)
    means = np.array([json.loads(text) for text in searches["means"]], dtype=float)
    datasets, kinds = searches["dataset"].to_numpy(), searches["kind"].to_numpy()
    for without in ("", *sorted(set(datasets))):
        for kind in (ANY_KIND, *sorted(set(kinds))):
            used = (datasets != without) & ((kinds == kind) | (kind == ANY_KIND))
            if not used.any():
                continue
            by_dataset = [means[used & (datasets == one)] for one in sorted(set(datasets[used]))]
            centre = np.mean([of.mean(axis=0) for of in by_dataset], axis=0)
            spread = np.mean([np.square(of - centre).mean(axis=0) for of in by_dataset], axis=0)
            deviations = np.maximum(np.sqrt(spread), _LEAST * family.deviations)
            yield {"kind": kind, "without": without, "searches": int(used.sum())} | {
                f"{what}.{name}": f"{value:.4f}"
                for what, values in (("means", centre), ("deviations", deviations))
                for name, value in zip(family.names, values, strict=True)
            }


def main(argv: Sequence[str] | None = None) -> int:
    """Write the table; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    options = parser.parse_args(argv)
    try:
        rows = list(make_rows(read_searches(options.results_dir)))
    except UserError as error:
        print(f"learned_start: {error}", file=sys.stderr)
        return 2
    write_csv(TABLE, list(rows[0]), rows)
    print(f"{len(rows)} starts of {rows[0]['searches']} searches: {TABLE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
