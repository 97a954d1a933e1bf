"""The command `autosmote compare`: does over-sampling help here, which way, and by how much?"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autosmote.data.files import name_of
from autosmote.data.user_table import add_options, options_of, read_user_table
from autosmote.data.write_rows import check_output, write_output
from autosmote.own_table.commands import (
    Written,
    add_search_options,
    draw_picture,
    jobs,
    picture_title,
    print_notes,
    run,
    whole,
)
from autosmote.own_table.ranges import FOLDS, REPEATS

if TYPE_CHECKING:
    import pandas as pd


def main(arguments: Sequence[str]) -> int:
    """Compare methods on a table; return the exit status: 0, 2 for a mistake, 130 interrupted."""
    return run(_compare, _parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autosmote compare",
        description="Cross-validate the ways to treat an imbalanced table: as it is, a tuned "
        "threshold, class weights, random sampling, SMOTE, votes and AutoSMOTE. Prints a table and "
        "a concluding sentence, and writes the table as CSV and a picture as PNG.",
    )
    add = parser.add_argument
    add("data", type=Path, help="a CSV, TSV, Parquet, ARFF or Excel file")
    add_search_options(parser)
    add("--methods", help="names separated by semicolons; default: all")
    add("--folds", type=whole(*FOLDS), default=5, help="default: %(default)s")
    add(
        "--repeats", type=whole(*REPEATS), default=2,
        help="of the cross-validation; default: %(default)s",
    )  # fmt: skip
    add("--jobs", type=jobs, default=-1, help="fits at a time; default: as many as cores")
    add(
        "-o", "--output", type=Path,
        help="the CSV file to write, with the picture beside it; default: the table's name with "
        "-comparison.csv, in this folder",
    )  # fmt: skip
    add_options(parser)
    return parser


def _compare(options: argparse.Namespace, written: Written) -> int:
    from autosmote.own_table.comparison import ComparisonInterrupted, compare
    from autosmote.own_table.picture import draw

    output = options.output or Path(f"{name_of(options.data)}-comparison.csv")
    check_output(output, options.data, (".csv",))
    table = read_user_table(options.data, options_of(options))
    print_notes(table)
    methods = options.methods.split(";") if options.methods else None
    try:
        found = compare(
            table.frame,
            table.labels,
            options.estimator,
            scoring=options.scoring,
            methods=None if methods is None else [name.strip() for name in methods],
            folds=options.folds,
            repeats=options.repeats,
            iterations=options.iterations,
            time_limit=options.time_limit,
            n_jobs=options.jobs,
            random_state=options.seed,
            verbose=1,
        )
    except ComparisonInterrupted as interrupted:  # printed alone: a file would pass for a whole one
        _print(interrupted.table)
        raise
    # Printed first, so that no file that cannot be written costs the answer.
    _print(found)
    write_output(output, lambda path: found.to_csv(path, float_format="%.6g"))
    written.append(output)
    picture, title = output.with_suffix(".png"), picture_title(options)
    draw_picture("comparison", picture, lambda path: draw(found, path, title=title), written)
    return 0


def _print(found: pd.DataFrame) -> None:
    print(printed(found))
    print(found.attrs["conclusion"])


def printed(found: pd.DataFrame) -> str:
    """Return a comparison as a table of text."""
    width = max(len(name) for name in found.index)
    head = f"{'method':{width}}  {found.attrs['metric']:>10.10}  against as it is (95%)    seconds"
    lines = [head]
    for name, row in found.iterrows():
        if row["note"]:
            lines.append(f"{name:{width}}  {'-':>10}  {row['note']}")
            continue
        interval = ""
        if row["low"] == row["low"]:
            interval = f"({row['low']:+.3f} to {row['high']:+.3f})"
        difference = f"{row['difference']:+.3f} {interval}"
        numbers = f"{row['score']:>10.4f}  {difference:25}{row['seconds']:>8.2f}"
        lines.append(f"{name:{width}}  {numbers}")
    return "\n".join(lines)
