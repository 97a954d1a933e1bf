"""The command `autosmote resample`: over-sample a table in a file, without writing Python.

The rows are split 60/20/20 into training, validation and test rows. The search makes synthetic rows
from the training rows and is scored on the validation rows; the test rows are scored once, at the
end, so that one of the scores is not optimistic. All given rows are written unchanged, followed by
the synthetic ones.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.config.commandline import exit_status
from autosmote.data.user_table import UserTable, add_options, options_of, read_user_table
from autosmote.data.write_rows import check_exact, check_output, check_place, write_rows
from autosmote.errors import UserError
from autosmote.evaluation.results import PartScores, score_table
from autosmote.interrupts import interrupts_held
from autosmote.metrics import METRICS
from autosmote.own_table.commands import (
    Written,
    add_method_options,
    add_search_options,
    draw_picture,
    picture_title,
    print_notes,
    run,
)
from autosmote.own_table.estimators import prepare
from autosmote.own_table.scorings import Scorer, for_search, make_scoring
from autosmote.scoring.lending import lend
from autosmote.streams import Purpose, derived_seed

if TYPE_CHECKING:
    import pandas as pd

    from autosmote.sampler.autosmote import AutoSMOTE

_ROWS_NEEDED = 5


def main(arguments: Sequence[str]) -> int:
    """Resample a table; return the exit status: 0, 2 for a mistake, 130 if interrupted."""
    return run(_resample, _parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autosmote resample",
        description="Add synthetic rows of the rarer classes to a table: those with which a "
        "classifier scores best on rows held out; none where none help.",
    )
    add = parser.add_argument
    add("data", type=Path, help="a table: CSV, TSV, Parquet, ARFF or XLSX")
    add_search_options(parser)
    add_method_options(parser)
    add("-o", "--output", type=Path, required=True, help="the CSV or TSV file to write")
    add("--curve", type=Path, help="where to draw the search; default: beside the output, as PNG")
    add("--mark", metavar="COLUMN", help="add a column: 1 for synthetic rows, 0 for given ones")
    add(
        "--quote-formulas",
        action="store_true",
        help="put an apostrophe before texts that a spreadsheet would take for a formula, such as "
        "=cmd, in given rows too",
    )
    add_options(parser)
    return parser


def _resample(options: argparse.Namespace, written: Written) -> int:
    from autosmote.own_table.comparison import check_classes, encode_labels
    from autosmote.sampler.autosmote import AutoSMOTE
    from autosmote.sampler.encoding import tabular

    output = options.output
    check_output(output, options.data)
    curve = options.curve or output.with_suffix(".png")
    check_place("curve", curve)
    table = read_user_table(options.data, options_of(options))
    check_exact(table)
    print_notes(table)
    if options.mark in table.names:
        raise UserError(f"{table.name} has a column '{options.mark}'; give --mark another name.")
    assert table.labels is not None
    X, (names, y) = table.frame, encode_labels(table.labels)
    check_classes(names, y, _ROWS_NEEDED, "to split them into three parts")
    train, validation, test = _parts(table.labels, options.seed)
    scoring = for_search(options.scoring, len(names))
    prepared = prepare(options.estimator, X, options.seed)
    # Synthetic rows are made in the table's units, so the scaling goes into the estimator.
    estimator = tabular(prepared.estimator, scale=True) if prepared.front else prepared.estimator
    sampler = AutoSMOTE(
        estimator,
        scoring=scoring,
        validation=(X.iloc[validation], y[validation]),
        method=options.method,
        iterations=options.iterations,
        allow_nan=True,
        time_limit=options.time_limit,
        n_jobs=options.jobs,
        random_state=options.seed,
        verbose=1,
    )
    with interrupts_held(at_once=False) as sampler._held:  # after a search
        X_new, y_new = sampler.fit_resample(X.iloc[train], y[train])
        synthetic = _as_written(table, X_new.iloc[len(train) :])
        labels = names[y_new[len(train) :]]
        mark = ["0"] * len(y) + ["1"] * len(synthetic)
        write_rows(
            output,
            table,
            synthetic,
            labels,
            extra={options.mark: mark} if options.mark else None,
            quote_formulas=options.quote_formulas,
        )
        written.append(output)
    draw_picture("search", curve, lambda path: _draw(sampler, path, options), written)
    parts = {"validation": validation, "test": test}
    held_out = {name: (X.iloc[part], y[part]) for name, part in parts.items()}
    scorers = {name: make_scoring(name, len(names)) for name in (*METRICS, options.scoring)}
    before = _scores(estimator, X.iloc[train], y[train], held_out, scorers)
    after = _scores(estimator, _stacked(X.iloc[train], synthetic), y_new, held_out, scorers)
    made = {names[code]: n for code, n in sampler.sampling_strategy_.items() if n}
    print(_summary(made, before, after))
    if sampler._interrupt is not None:
        print("autosmote: interrupted, so this is the best so far", file=sys.stderr)
        return exit_status(sampler._interrupt)
    return 0


def _as_written(table: UserTable, rows: pd.DataFrame) -> pd.DataFrame:
    """Return synthetic rows as they are read again: numbers with their columns' digits."""
    import pandas as pd

    columns = {
        name: kind.values(kind.texts(list(rows[name])), table.name, name)
        for name, kind in table.features.items()
    }
    return pd.DataFrame(columns)


def _stacked(given: pd.DataFrame, synthetic: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    if not len(synthetic):
        return given
    return pd.concat([given, synthetic.astype(given.dtypes)], ignore_index=True)


def _draw(sampler: AutoSMOTE, path: Path, options: argparse.Namespace) -> None:
    from autosmote.records.curve import plot_curve

    count = np.arange(1, len(sampler.history_["reward"]) + 1)
    plot_curve(
        sampler.history_ | {"iteration": count},
        path,
        metric=options.scoring,
        title=picture_title(options),
        reference=sampler.baseline_score_,
    )


def _parts(y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the indices of training, validation and test rows, stratified by class."""
    from sklearn.model_selection import train_test_split

    rest, test = train_test_split(
        np.arange(len(y)), test_size=0.2, stratify=y,
        random_state=derived_seed(seed, Purpose.SPLIT, 0),
    )  # fmt: skip
    train, validation = train_test_split(
        rest, test_size=0.25, stratify=y[rest], random_state=derived_seed(seed, Purpose.SPLIT, 1)
    )
    return train, validation, test


def _scores(
    estimator: Any,
    X: Any,
    y: np.ndarray,
    parts: Mapping[str, tuple[Any, Any]],
    scorers: Mapping[str, Scorer],
) -> PartScores:
    """Return each score on each part."""
    from sklearn.base import clone

    model = clone(estimator).fit(lend(X, estimator), y)
    return {
        name: {score: float(scorer(model, lend(X, model), y)) for score, scorer in scorers.items()}
        for name, (X, y) in parts.items()
    }


def _summary(made: Mapping[str, int], before: PartScores, after: PartScores) -> str:
    if not made:
        lines = score_table({"as it is": before})
        lines.append(
            "synthetic rows: none. No synthetic rows scored better than none on the validation "
            "part, so the given rows alone are written."
        )
        return "\n".join(lines)
    lines = score_table({"as it is": before, "with synthetic rows": after})
    counts = [f"{n} of class {label}" for label, n in made.items()]
    lines.append(f"synthetic rows: {', '.join(counts)}")
    if all(score <= before["test"][metric] for metric, score in after["test"].items()):
        lines.append("They do not help on the test part: consider leaving the table as it is.")
    else:
        lines.append("This is one split: autosmote compare judges over many.")
    return "\n".join(lines)
