"""The command `autosmote fit`: a classifier for a table, saved with all that it needs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from autosmote.data.user_table import UserTable, add_options, options_of, read_user_table
from autosmote.data.write_rows import check_output
from autosmote.own_table.commands import (
    Written,
    add_method_options,
    add_search_options,
    print_notes,
    run,
)


def main(arguments: Sequence[str]) -> int:
    """Fit a classifier; return the exit status: 0, 2 for a mistake, 130 if interrupted."""
    return run(_fit, _parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autosmote fit",
        description="Fit a classifier with the synthetic rows, vote and threshold that score best "
        "on rows held out, and save it for autosmote predict.",
    )
    add = parser.add_argument
    add("data", type=Path, help="a CSV, TSV, Parquet, ARFF or Excel file")
    add_search_options(parser)
    add_method_options(parser)
    add("-o", "--output", type=Path, required=True, help="the .joblib file to write")
    add_options(parser)
    return parser


def _fit(options: argparse.Namespace, written: Written) -> int:
    from autosmote.own_table.comparison import check_classes, encode_labels
    from autosmote.own_table.estimators import prepare
    from autosmote.own_table.saved import SavedModel, save
    from autosmote.own_table.scorings import for_search
    from autosmote.sampler.classifier import AS_IT_IS, AutoSMOTEClassifier

    check_output(options.output, options.data, (".joblib",))
    table = read_user_table(options.data, options_of(options))
    print_notes(table)
    assert table.labels is not None
    labels, y = encode_labels(table.labels)
    check_classes(labels, y, 2, "to train with and to score by")
    prepared = prepare(options.estimator, table.frame, options.seed)
    search = AutoSMOTEClassifier(
        prepared.estimator,
        scoring=for_search(options.scoring, len(labels)),
        method=options.method,
        iterations=options.iterations,
        time_limit=options.time_limit,
        allow_nan=True,
        n_jobs=options.jobs,
        random_state=options.seed,
        verbose=1,
    )
    model = prepared.pipeline(search)
    model.fit(table.frame, y)
    fitted = model[-1] if prepared.front else model
    fitted.history_.pop("seconds", None)  # or the same command would write another file each time
    save(
        SavedModel(
            model, [str(label) for label in labels], options.target, table.features,
            _medians(table), _categories(table),
        ),
        options.output,
    )  # fmt: skip
    written.append(options.output)
    scores = ", ".join(f"{name} {score:.4f}" for name, score in fitted.scores_.items())
    print(f"{options.scoring} on rows held out: {scores}")
    plain = fitted.chosen_ == AS_IT_IS
    why = "nothing else scores higher" if plain else "nothing simpler scores as high"
    print(f"kept: {fitted.chosen_}, as {why}")
    print("These scores are the best of many; autosmote compare judges by rows not seen.")
    return 0


def _medians(table: UserTable) -> dict[str, float]:
    """Return the medians of columns of numbers without gaps."""
    return {
        name: float(table.frame[name].median())
        for name, kind in table.features.items()
        if kind.is_number and not table.frame[name].isna().any()
    }


def _categories(table: UserTable) -> dict[str, list[str]]:
    """Return the texts of columns of categories, sorted: a set's order differs by process."""
    return {
        name: sorted(set(table.frame[name].dropna()))
        for name, kind in table.features.items()
        if not kind.is_number
    }
