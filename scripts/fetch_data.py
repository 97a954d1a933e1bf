"""Fetch the paper's six datasets once, before a sweep needs them (`make data`)."""

from __future__ import annotations

import argparse
import sys

from autosmote.data.datasets import DATA_DIR_VARIABLE, PAPER_DATASETS, load_dataset, n_features
from autosmote.errors import UserError


def main(argv: list[str] | None = None) -> int:
    """Return 0 when all six datasets are there and as expected, 2 at the first that is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", help=f"folder of ARFF files (default: {DATA_DIR_VARIABLE})")
    parser.add_argument("--cache-dir", help="cache of the openml client (default: its own)")
    arguments = parser.parse_args(argv)
    for name in PAPER_DATASETS:
        try:
            dataset = load_dataset(name, data_dir=arguments.data_dir, cache_dir=arguments.cache_dir)
        except UserError as exc:
            print(exc, file=sys.stderr)
            return 2
        print(
            f"{name:<17}{len(dataset.y):>7,} rows {n_features(dataset):>3} features  "
            f"{dataset.fingerprint[:12]}  {dataset.source}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
