"""The command `autosmote predict`: a saved classifier's classes for new rows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from autosmote.data.user_table import ReadOptions, UserTable, add_reading_options, read_user_table
from autosmote.data.write_rows import check_exact, check_output, write_rows
from autosmote.own_table.commands import Written, print_notes, run


def main(arguments: Sequence[str]) -> int:
    """Predict; return the exit status: 0, 2 for a mistake, 130 if interrupted."""
    return run(_predict, _parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autosmote predict",
        description="Predict the classes of new rows by a model of autosmote fit. The model's file "
        "is code: only use one that you trust.",
    )
    add = parser.add_argument
    add("model", type=Path, help="a .joblib file of autosmote fit")
    add("data", type=Path, help="a table with the columns that the model was fitted on")
    add("-o", "--output", type=Path, required=True, help="the CSV file to write: the rows with "
        "the predicted class, and a number between 0 and 1 for each class")  # fmt: skip
    add_reading_options(parser)
    return parser


def _predict(options: argparse.Namespace, written: Written) -> int:
    from autosmote.own_table.saved import load

    check_output(options.output, options.data)
    model, note = load(options.model)
    if note:
        print(f"autosmote: {note}", file=sys.stderr)
    reading = ReadOptions(sep=options.sep, decimal=options.decimal, encoding=options.encoding)
    table = read_user_table(options.data, reading, like=model.columns)
    check_exact(table)
    print_notes(table)
    unused = [name for name in table.names if name not in model.columns and name != model.target]
    if unused:
        print(
            f"{table.name}: the model does not use {', '.join(map(repr, unused))}",
            file=sys.stderr,
        )
    _say_what_is_new(table, model.categories)
    X = _filled(table, model.medians)
    predicted = [model.labels[code] for code in model.classifier.predict(X)]
    extra: dict[str, Sequence[str]] = {_free(f"predicted {model.target}", table.names): predicted}
    if hasattr(model.classifier, "predict_proba"):
        shares = model.classifier.predict_proba(X)
        for label, column in zip(model.labels, shares.T, strict=True):
            name = _free(f"score {label}", [*table.names, *extra])
            extra[name] = [f"{share:.6f}" for share in column]
    write_rows(options.output, table, extra=extra)
    written.append(options.output)
    counts = ", ".join(f"{predicted.count(label)} of class {label}" for label in model.labels)
    print(f"predicted: {counts}")
    return 0


def _say_what_is_new(table: UserTable, categories: Mapping[str, Collection[str]]) -> None:
    """Say which categories the model has not seen."""
    for name, texts in categories.items():
        known = set(texts)
        counts = table.frame[name].value_counts()
        new = {text: n for text, n in counts.items() if text not in known}
        if new:
            more = f" and {len(new) - 1} more" if len(new) > 1 else ""
            print(
                f"{table.name}: '{next(iter(new))}'{more} in column '{name}' "
                f"({sum(new.values())} of {len(table.frame)} rows) is new to the model and counts "
                "as none of its categories",
                file=sys.stderr,
            )


def _filled(table: UserTable, medians: Mapping[str, float]) -> Any:
    """Fill gaps in columns that had none when the model was fitted, and say so."""
    X = table.frame
    for name, median in medians.items():
        gaps = int(X[name].isna().sum())
        if gaps:
            print(
                f"{table.name}: {gaps} missing in column '{name}', where the model has seen none; "
                f"the median {median:g} stands in",
                file=sys.stderr,
            )
            X = X.assign(**{name: X[name].astype("float64").fillna(median)})
    return X


def _free(name: str, taken: Collection[str]) -> str:
    """Return a column's name that is not taken."""
    while name in taken:
        name += "_"
    return name
