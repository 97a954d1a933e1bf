"""What the commands compare, fit and predict share: options, exit statuses, notes on a table."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from autosmote.config.commandline import FAILED, INTERRUPTED, MISTAKE, signals_as_interrupts
from autosmote.data.user_table import UserTable
from autosmote.errors import UserError, describe_error, let_interrupts_through
from autosmote.own_table.estimators import ESTIMATORS
from autosmote.own_table.scorings import OWN


def run(job: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Do a command's job; return the exit status: 0, 1, 2 for a mistake, 130 if interrupted."""
    try:
        with signals_as_interrupts():
            return job(options)
    except (UserError, ValueError, OSError) as error:
        print(f"autosmote: {' '.join(str(error).split())}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        print("autosmote: interrupted, nothing was written", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        let_interrupts_through(error)
        print(f"autosmote: failed: {describe_error(error)}", file=sys.stderr)
        return FAILED


def add_search_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that trains classifiers."""
    add = parser.add_argument
    add("--target", required=True, help="the column with the classes")
    add_estimator_option(parser)
    add(
        "--scoring",
        default="macro_f1",
        help=f"{', '.join(OWN)}, or the name of a scikit-learn scorer; default: %(default)s",
    )
    add("--iterations", type=int, default=300, help="of each search; default: %(default)s")
    add("--time-limit", type=float, help="seconds after which a search takes the best so far")
    add("--seed", type=int, default=0, help="default: %(default)s")


def add_estimator_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a classifier."""
    parser.add_argument(
        "--estimator",
        default="dt",
        help=f"{', '.join(ESTIMATORS)}, or the import path of a scikit-learn classifier, which is "
        "code; default: %(default)s",
    )


def check_target(path: Path, suffix: str, given: Path) -> None:
    """Check, before any work, that a file can be written at a place.

    Raises
    ------
    UserError
    """
    if suffix and path.suffix.lower() != suffix:
        raise UserError(f"The output {path.name} must be a {suffix} file.")
    if path.resolve() == given.resolve():
        raise UserError(f"The output {path} is the input; give another name.")
    if not path.resolve().parent.is_dir():
        raise UserError(f"There is no folder for the output {path}; make it first.")
    if path.is_dir():
        raise UserError(f"The output {path} is a folder; name a file.")
    if not os.access(path.resolve().parent, os.W_OK):
        raise UserError(f"The folder of the output {path} cannot be written; give another place.")


def print_notes(table: UserTable) -> None:
    """Say on standard error what was found out about a table."""
    for note in table.notes:
        print(f"{table.name}: {note}", file=sys.stderr)
