"""The command `python -m autosmote.reports`: tables, figures and the page of collected records.

    python -m autosmote.reports                              the page, results/report/index.html
    python -m autosmote.reports experiment=table2 budget=quick
                                                 the tables and figures of one sweep, as files

Settings: results_dir= (default results), experiment=, budget= (default: all that have a plan),
allow_missing=true (mark cells without a score instead of refusing them).
Exit status: 0 done, 2 a mistake of the user.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from autosmote.config.commandline import MISTAKE, end_process, key_values
from autosmote.errors import UserError
from autosmote.reports import write

_SETTINGS = {"results_dir": "results", "experiment": "", "budget": "", "allow_missing": "false"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0
    try:
        for path in _write(_settings(arguments)):
            print(path)
    except UserError as error:
        print(f"autosmote: {error}", file=sys.stderr)
        return MISTAKE
    except OSError as error:
        print(f"autosmote: {error.filename} cannot be written ({error.strerror}).", file=sys.stderr)
        return MISTAKE
    return 0


def _settings(arguments: Sequence[str]) -> dict[str, str]:
    settings = key_values(arguments, _SETTINGS, "reports")
    if settings["allow_missing"].lower() not in ("true", "false"):
        raise UserError(f"allow_missing={settings['allow_missing']} must be true or false.")
    if settings["budget"] and not settings["experiment"]:
        raise UserError(f"budget={settings['budget']} needs the experiment as well: experiment=.")
    return settings


def _write(settings: dict[str, str]) -> list[Path]:
    from autosmote.reports.page import write_page
    from autosmote.reports.report import list_experiments

    results_dir, experiment = settings["results_dir"], settings["experiment"]
    if not experiment:
        return [write_page(results_dir)]
    planned = [budget for name, budget in list_experiments(results_dir) if name == experiment]
    budgets = [settings["budget"]] if settings["budget"] else planned
    if not budgets:
        raise UserError(
            f"There is no plan of experiment={experiment} in '{results_dir}'; check both, or run "
            "the sweep first."
        )
    allow_missing = settings["allow_missing"].lower() == "true"
    written = [write(results_dir, experiment, budget, allow_missing) for budget in budgets]
    return [path for paths in written for path in paths]


if __name__ == "__main__":
    end_process(main)
