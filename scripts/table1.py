"""Print Table 1, the paper's counts beside ours (`make reproduce-table1`)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autosmote.data.datasets import DATA_DIR_VARIABLE, Dataset, load_dataset
from autosmote.data.splits import make_split
from autosmote.errors import UserError
from autosmote.records.collected import write_csv
from autosmote.reports.render.writers import markdown_table, write_text

RATIOS = (20, 50, 100)
COLUMNS = ("majority", *(f"minority at IR {ratio}" for ratio in RATIOS), "features")
# As printed in the paper; the loader has its own copy of what it checks.
PAPER = {
    "phoneme": (3818, 190, 76, 38, 5),
    "phishingwebsites": (6157, 307, 123, 61, 68),
    "eegeyestate": (8257, 412, 165, 82, 14),
    "mozilla4": (10437, 521, 208, 104, 5),
    "magictelescope": (12332, 616, 246, 123, 10),
    "electricity": (26075, 1303, 521, 260, 14),
}


def counts(dataset: Dataset, seed: int = 0) -> tuple[int, ...]:
    """Return the counts of one row of Table 1, taken from the parts that a run would use."""
    n_minority = []
    for ratio in RATIOS:
        split = make_split(dataset, ir=ratio, seed=seed)
        parts = (split.y_train, split.y_val, split.y_test)
        n_minority.append(sum(int(y.sum()) for y in parts))
        n_majority = sum(len(y) for y in parts) - n_minority[-1]
    return n_majority, *n_minority, split.X_train.shape[1]


def write_tables(ours: dict[str, tuple[int, ...]], folder: Path) -> str:
    """Write table1.csv and table1.md, and return the latter's text."""
    header = ["dataset"]
    for column in COLUMNS:
        header += [f"{column} (paper)", f"{column} (ours)"]
    rows, lines = [], []
    for name, found in ours.items():
        pairs = list(zip(PAPER[name], found, strict=True))
        counts = [name, *(count for pair in pairs for count in pair)]
        rows.append(dict(zip(header, counts, strict=True)))
        lines.append([name, *(_beside(*pair) for pair in pairs)])
    write_csv(folder / "table1.csv", header, rows)
    text = markdown_table(["dataset", *COLUMNS], lines, n_text=1)
    write_text(folder / "table1.md", text)
    return text


def _beside(paper: int, ours: int) -> str:
    return f"{paper} {'=' if paper == ours else '≠'} {ours}"


def main(argv: list[str] | None = None) -> int:
    """Return 0 when all counts agree, 1 when one differs, 2 when the data cannot be loaded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", help=f"folder of ARFF files (default: {DATA_DIR_VARIABLE})")
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    arguments = parser.parse_args(argv)
    try:
        ours = {name: counts(load_dataset(name, data_dir=arguments.data_dir)) for name in PAPER}
        text = write_tables(ours, arguments.results_dir / "table1" / "tables")
    except UserError as exc:
        print(exc, file=sys.stderr)
        return 2
    except OSError as exc:
        print(f"{arguments.results_dir} cannot be written: {exc.strerror}.", file=sys.stderr)
        return 2
    print("Table 1, paper = ours (minority rows after under-sampling, features after one-hot):\n")
    print(text)
    n_different = sum(
        paper != found
        for name in PAPER
        for paper, found in zip(PAPER[name], ours[name], strict=True)
    )
    total = len(PAPER) * len(COLUMNS)
    print(f"{total - n_different} of {total} counts are equal.")
    return 1 if n_different else 0


if __name__ == "__main__":
    sys.exit(main())
