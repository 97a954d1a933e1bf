"""The command `autosmote resample`: over-sample a table in a file, without writing Python.

The rows are split 60/20/20 into training, validation and test rows. The search makes synthetic rows
from the training rows and is scored on the validation rows; the test rows are scored once, at the
end, so that one of the scores is not optimistic. All given rows are written unchanged, followed by
the synthetic ones.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.config.commandline import INTERRUPTED, MISTAKE
from autosmote.data.columns import RawColumn, is_numeric, to_numbers
from autosmote.data.files import read_table
from autosmote.errors import UserError
from autosmote.evaluation.results import PartScores, score_table
from autosmote.streams import Purpose, derived_seed

if TYPE_CHECKING:
    import pandas as pd

    from autosmote.sampler.autosmote import AutoSMOTE

_ROWS_NEEDED = 5
_WHOLE = re.compile(r"[+-]?\d{1,15}")


def _classifiers() -> dict[str, Callable[[], Any]]:
    from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import LinearSVC
    from sklearn.tree import DecisionTreeClassifier

    return {
        "dt": lambda: DecisionTreeClassifier(random_state=0),
        "adaboost": lambda: AdaBoostClassifier(random_state=0),
        "forest": lambda: RandomForestClassifier(random_state=0),
        "knn": KNeighborsClassifier,
        "svm": lambda: LinearSVC(random_state=0),
        "logistic": lambda: LogisticRegression(max_iter=1000),
    }


ESTIMATORS = ("dt", "adaboost", "forest", "knn", "svm", "logistic")
_BY_DISTANCE = ("knn", "svm", "logistic")


def main(arguments: Sequence[str]) -> int:
    """Resample a table; return the exit status: 0, 2 for a mistake, 130 if interrupted."""
    options = _parser().parse_args(arguments)
    try:
        return _resample(options)
    except (UserError, ValueError, OSError) as error:
        print(f"autosmote: {error}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        print("autosmote: interrupted, nothing was written", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autosmote resample",
        description="Add synthetic rows of the rarer classes to a table: those with which a "
        "classifier scores best on rows held out.",
    )
    add = parser.add_argument
    add("data", type=Path, help="a CSV, Parquet or ARFF file")
    add("--target", required=True, help="the column with the classes")
    add("-o", "--output", type=Path, required=True, help="the CSV file to write")
    add("--estimator", choices=ESTIMATORS, default="dt", help="default: %(default)s")
    add("--scoring", choices=("macro_f1", "mcc"), default="macro_f1", help="default: %(default)s")
    add("--iterations", type=int, default=1000, help="classifiers to train; default: %(default)s")
    add("--time-limit", type=float, help="seconds after which to take the best so far")
    add("--jobs", type=int, default=-1, help="processes; default: all cores")
    add("--seed", type=int, default=0, help="default: %(default)s")
    add("--curve", type=Path, help="where to draw the search; default: beside the output, as PNG")
    return parser


def _resample(options: argparse.Namespace) -> int:
    from autosmote.records.curve import plot_curve
    from autosmote.sampler.autosmote import AutoSMOTE
    from autosmote.sampler.encoding import tabular

    output, curve = options.output, options.curve or options.output.with_suffix(".png")
    if output.suffix.lower() != ".csv" or output.resolve() == options.data.resolve():
        raise UserError(f"The output {output.name} must be a .csv file, and not the input.")
    if not options.data.is_file():
        raise UserError(f"There is no file {options.data}; check its name and folder.")
    if not output.resolve().parent.is_dir():
        raise UserError(f"There is no folder for the output {output}; make it first.")
    columns = read_table(options.data)
    X, y = _frame_and_labels(columns, options.target, options.data.name)

    train, validation, test = _parts(y, options.seed)
    estimator = _classifiers()[options.estimator]()
    by_distance = options.estimator in _BY_DISTANCE
    if by_distance or X.isna().any(axis=None) or X.dtypes.eq(object).any():
        estimator = tabular(estimator, scale=by_distance)
    sampler = AutoSMOTE(
        estimator,
        scoring=options.scoring,
        validation=(X.iloc[validation], y[validation]),
        iterations=options.iterations,
        allow_nan=True,
        time_limit=options.time_limit,
        n_jobs=options.jobs,
        random_state=options.seed,
        verbose=1,
    )
    X_new, y_new = sampler.fit_resample(X.iloc[train], y[train])
    parts = {"validation": validation, "test": test}
    held_out = {name: (X.iloc[part], y[part]) for name, part in parts.items()}
    before = _scores(estimator, X.iloc[train], y[train], held_out)
    after = _scores(estimator, X_new, y_new, held_out)
    _write(output, columns, options.target, X_new.iloc[len(train) :], y_new[len(train) :])
    count = np.arange(1, len(sampler.history_["reward"]) + 1)
    plot_curve(
        sampler.history_ | {"iteration": count},
        curve,
        metric=options.scoring,
        title=f"{options.data.name}, {options.estimator}",
        reference=sampler.baseline_score_,
    )
    print(_summary(sampler, before, after))
    print(f"written: {output}, {curve}")
    return 0


def _frame_and_labels(
    columns: Sequence[RawColumn], target: str, where: str
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return features, as whole numbers, numbers or text, and the labels' texts."""
    import pandas as pd

    names = [column.name for column in columns]
    if target not in names:
        raise UserError(f"{where} has no column '{target}'; its columns are {', '.join(names)}.")
    if len(set(names)) < len(names):
        raise UserError(f"{where} has two columns of one name; rename one.")
    labels = columns[names.index(target)].cells
    if None in labels:
        raise UserError(
            f"{where}, target '{target}': the label of data row {list(labels).index(None) + 1} is "
            "missing; fill it in or remove the row."
        )
    features = {}
    for column in columns:
        if column.name == target:
            continue
        if not is_numeric(column, where):
            features[column.name] = pd.Series(column.cells, dtype=object)
            continue
        numbers = pd.Series(to_numbers(column, where))
        if all(cell is None or _WHOLE.fullmatch(cell) for cell in column.cells):
            numbers = numbers.astype("Int64" if None in column.cells else "int64")
        features[column.name] = numbers
    if not features:
        raise UserError(f"{where} has no column beside '{target}'; add some.")
    return pd.DataFrame(features), np.array(labels, dtype=object)


def _parts(y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the indices of training, validation and test rows, stratified by class."""
    from sklearn.model_selection import train_test_split

    labels, counts = np.unique(y, return_counts=True)
    if counts.min() < _ROWS_NEEDED:
        raise UserError(
            f"Class '{labels[counts.argmin()]}' has {counts.min()} rows, and {_ROWS_NEEDED} are "
            "needed to split them into three parts; get more, or leave the class out."
        )
    rest, test = train_test_split(
        np.arange(len(y)), test_size=0.2, stratify=y,
        random_state=derived_seed(seed, Purpose.SPLIT, 0),
    )  # fmt: skip
    train, validation = train_test_split(
        rest, test_size=0.25, stratify=y[rest], random_state=derived_seed(seed, Purpose.SPLIT, 1)
    )
    return train, validation, test


def _scores(
    estimator: Any, X: Any, y: np.ndarray, parts: Mapping[str, tuple[Any, Any]]
) -> PartScores:
    """Return macro-F1 and MCC on each part."""
    from sklearn.base import clone
    from sklearn.metrics import f1_score, matthews_corrcoef

    model = clone(estimator).fit(X, y)
    scores: PartScores = {}
    for name, (X_part, y_part) in parts.items():
        predicted = model.predict(X_part)
        scores[name] = {
            "macro_f1": float(f1_score(y_part, predicted, average="macro", zero_division=0)),
            "mcc": float(matthews_corrcoef(y_part, predicted)),
        }
    return scores


def _summary(sampler: AutoSMOTE, before: PartScores, after: PartScores) -> str:
    lines = score_table({"as it is": before, "with synthetic rows": after})
    made = [f"{n} of class {label}" for label, n in sampler.sampling_strategy_.items()]
    lines.append(f"synthetic rows: {', '.join(made)}")
    if all(score <= before["test"][metric] for metric, score in after["test"].items()):
        lines.append("They do not help on the test part: consider leaving the table as it is.")
    return "\n".join(lines)


def _write(
    path: Path, columns: Sequence[RawColumn], target: str, X: pd.DataFrame, y: np.ndarray
) -> None:
    """Write the given rows, unchanged, and then the synthetic ones."""
    new = {**{name: X[name] for name in X.columns}, target: y}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([column.name for column in columns])
        writer.writerows(zip(*(column.cells for column in columns), strict=True))
        writer.writerows(zip(*(new[column.name] for column in columns), strict=True))
