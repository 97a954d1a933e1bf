"""Check what the four commands have written for a made-up table; `own_tables.py` says what."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from made_up_tables import MadeUp

from autosmote.own_table.methods import METHODS

OUTPUTS = {
    "compare": "table-comparison.csv",
    "fit": "model.joblib",
    "predict": "predictions.csv",
    "resample": "out.csv",
}
"""What each command writes into the folder of ``table.csv`` and ``new.csv``."""


def find_fault(command: str, folder: Path, made_up: MadeUp) -> str:
    """Return the first fault of what a command has written, in one clause; none is empty."""
    try:
        return next(_CHECKS[command](folder, made_up), "")
    except (OSError, ValueError) as error:
        return f"{OUTPUTS[command]} cannot be read ({error})"


def rows_of(path: Path) -> list[list[str]]:
    """Return the cells of a CSV file without line breaks in cells, its header first."""
    return list(csv.reader(path.read_bytes().decode().splitlines()))


def _check_comparison(folder: Path, made_up: MadeUp) -> Iterator[str]:
    path = folder / OUTPUTS["compare"]
    methods = [row[0] for row in rows_of(path)[1:]]
    if methods != list(METHODS):
        yield f"the methods are {', '.join(methods)}"
    if not path.with_suffix(".png").exists():
        yield "there is no picture"


def _check_model(folder: Path, made_up: MadeUp) -> Iterator[str]:
    if not (folder / OUTPUTS["fit"]).stat().st_size:
        yield "the model's file is empty"


def _check_predictions(folder: Path, made_up: MadeUp) -> Iterator[str]:
    path = folder / OUTPUTS["predict"]
    given, found = ((folder / "new.csv").read_bytes(), path.read_bytes())
    given_lines, found_lines = given.splitlines(), found.splitlines()
    if len(found_lines) != len(given_lines):
        yield f"{len(found_lines) - 1} rows are predicted, and {len(given_lines) - 1} were given"
    lines = zip(found_lines, given_lines, strict=True)
    if not all(line.startswith(own + b",") for line, own in lines):
        yield "the new rows are not byte for byte as they were given"
    names, *rows = rows_of(path)
    start = names.index(f"predicted {made_up.target}")
    for number, row in enumerate(rows, start=1):
        predicted, *scores = row[start:]
        if predicted not in made_up.labels:
            yield f"row {number} is predicted as '{predicted}', which is no class"
        if len(scores) != 2 or not all(0 <= float(score) <= 1 for score in scores):
            yield f"row {number} has scores that are not two numbers between 0 and 1"


def _check_synthetic(folder: Path, made_up: MadeUp) -> Iterator[str]:
    path = folder / OUTPUTS["resample"]
    if not path.read_bytes().startswith((folder / "table.csv").read_bytes()):
        yield "the given rows are not byte for byte as they were"
    names, *given = rows_of(folder / "table.csv")
    synthetic = rows_of(path)[1 + len(given) :]
    if any(len(row) != len(names) for row in synthetic):
        yield "a synthetic row has not a cell for each column"
    for j, name in enumerate(names):
        is_right = _cells_of([row[j] for row in given if row[j]])
        if name in made_up.left_out:
            is_right = {""}.__contains__
        elif name == made_up.target:
            is_right = {made_up.labels[1]}.__contains__
        wrong = [row[j] for row in synthetic if not is_right(row[j])]
        if wrong:
            yield f"'{wrong[0]}' in a synthetic row is no value of the column '{name}'"


def _cells_of(given: Sequence[str]) -> Callable[[str], bool]:
    """Return what tells whether a synthetic cell is of the column that has these values."""
    number = re.compile(r"-?(?:0|[1-9]\d*)(?:\.(\d+))?")
    matches = [number.fullmatch(cell) for cell in given]
    if not all(matches):
        return set(given).__contains__
    digits = {len(match[1] or "") for match in matches if match}
    values = [float(cell) for cell in given]

    def is_right(cell: str) -> bool:
        match = number.fullmatch(cell)
        return (
            match is not None
            and min(digits) <= len(match[1] or "") <= max(digits)
            and min(values) <= float(cell) <= max(values)
        )

    return is_right


_CHECKS = {
    "compare": _check_comparison,
    "fit": _check_model,
    "predict": _check_predictions,
    "resample": _check_synthetic,
}
