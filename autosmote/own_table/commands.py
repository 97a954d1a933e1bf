"""What the commands compare, fit and predict share: options, exit statuses, notes on a table."""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from autosmote.atomic import write_file
from autosmote.config.commandline import FAILED, MISTAKE, exit_status, signals_as_interrupts
from autosmote.data.user_table import UserTable
from autosmote.errors import UserError, describe_error, let_interrupts_through, valid
from autosmote.own_table.estimators import ESTIMATORS
from autosmote.own_table.ranges import ITERATIONS, SEEDS
from autosmote.own_table.scorings import OWN

_SHOWN = 4
"""Classes that are named at the start."""

Written = list[Path]
"""The files that a command has written so far."""


def run(job: Callable[[argparse.Namespace, Written], int], options: argparse.Namespace) -> int:
    """Do a command's job, which returns its exit status, and say which files it has written.

    Returns
    -------
    int
        The job's exit status; 1 if it failed, 2 for a mistake, 130 after Ctrl-C and, after another
        signal that ends a job, 128 and its number.
    """
    written: Written = []
    try:
        with signals_as_interrupts():
            status = job(options, written)
            print(f"written: {', '.join(map(str, written))}")
            return status
    except (UserError, ValueError, OSError) as error:
        print(f"autosmote: {' '.join(str(error).split())}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt as interrupt:
        done = f"written: {', '.join(map(str, written))}" if written else "nothing was written"
        print(f"autosmote: interrupted, {done}", file=sys.stderr)
        return exit_status(interrupt)
    except (Exception, SystemExit, GeneratorExit) as error:  # a classifier may raise any
        let_interrupts_through(error)
        print(f"autosmote: failed: {describe_error(error)}", file=sys.stderr)
        return FAILED


def draw_picture(what: str, path: Path, draw: Callable[[Path], object], written: Written) -> None:
    """Draw a picture to the path that is given; one that fails costs itself alone."""
    try:
        write_file(path, draw, follow=True)
    except Exception as error:
        let_interrupts_through(error)
        # What names a file names the one that was to be moved into place.
        why = (isinstance(error, OSError) and error.strerror) or describe_error(error)
        print(f"autosmote: no picture of the {what}: {why}", file=sys.stderr)
    else:
        written.append(path)


def picture_title(options: argparse.Namespace) -> str:
    """Return the file's name and the classifier's."""
    return valid(f"{options.data.name}, {options.estimator}")


def _number(kind: type, is_right: Callable[[Any], bool], what: str) -> Callable[[str], Any]:
    """Return what reads an option that is such a number."""

    def parse(text: str) -> Any:
        with suppress(ValueError):
            if is_right(value := kind(text)):
                return value
        raise argparse.ArgumentTypeError(f"it must be {what}, not '{text}'")

    return parse


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what reads an option that is a whole number from one to another."""
    what = f"a whole number from {least:,} to {most:,}"
    return _number(int, lambda value: least <= value <= most, what)


jobs = _number(int, bool, "a whole number but 0")
"""Reads an option that is a number of processes."""
_seconds = _number(float, lambda value: 0 < value < math.inf, "a number of seconds above 0")


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that trains classifiers."""
    add = parser.add_argument
    add("--target", required=True, help="the column with the classes")
    add(
        "--estimator",
        default="dt",
        help=f"{', '.join(ESTIMATORS)}, or the import path of a scikit-learn classifier, which is "
        "code; default: %(default)s",
    )
    add(
        "--scoring",
        default="macro_f1",
        help=f"{', '.join(OWN)}, or the name of a scikit-learn scorer; default: %(default)s",
    )
    iterations, seeds = whole(*ITERATIONS), whole(*SEEDS)
    add("--iterations", type=iterations, default=300, help="of each search; default: %(default)s")
    add("--time-limit", type=_seconds, help="seconds after which a search takes the best so far")
    add("--seed", type=seeds, default=0, help="default: %(default)s")


def add_method_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that does one search: the way, and its processes."""
    add = parser.add_argument
    add(
        "--method",
        choices=("class_aware", "paper"),
        default="class_aware",
        help="how synthetic rows are searched for; default: %(default)s",
    )
    add("--jobs", type=jobs, default=-1, help="processes; default: all cores")


def print_notes(table: UserTable) -> None:
    """Say on standard error what was found out about a table, and that the work begins."""
    for note in table.notes:
        print(f"{table.name}: {note}", file=sys.stderr)
    if table.labels is not None:
        print(f"{table.name}: {_describe(table)}; starting", file=sys.stderr)


def _describe(table: UserTable) -> str:
    """Return the numbers of a table's rows, features and classes, the most frequent classes."""
    sizes = Counter(table.labels).most_common()
    classes = [f"{n:,} are '{label}'" for label, n in sizes[:_SHOWN]]
    if len(sizes) > _SHOWN:
        classes.append(f"the others of {len(sizes) - _SHOWN} further classes")
    n_features = len(table.features)
    features = f"{n_features:,} feature{'s' if n_features != 1 else ''}"
    return f"{len(table.frame):,} rows of {features}, of which {', '.join(classes)}"
