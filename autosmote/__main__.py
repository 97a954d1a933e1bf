"""The command `autosmote`: one of `COMMANDS` for a table of one's own, or else a run.

A run is one of the paper's protocol (`autosmote.run`).
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from autosmote.isolation.processes import prepare_process

COMMANDS = {
    "compare": "autosmote.own_table.compare_command",
    "fit": "autosmote.own_table.fit_command",
    "predict": "autosmote.own_table.predict_command",
    "resample": "autosmote.resample",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; return the exit status."""
    prepare_process()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] and arguments[0] in COMMANDS:
        return import_module(COMMANDS[arguments[0]]).main(arguments[1:])
    if arguments and not _is_of_a_run(arguments[0]):
        return _complain_of(arguments[0])
    from autosmote.run import main as run

    return run(arguments)


def _is_of_a_run(argument: str) -> bool:
    """Return whether an argument is an override or a flag."""
    return "=" in argument or argument.startswith(("-", "+", "~"))


def _complain_of(name: str) -> int:
    from autosmote.config.commandline import complain
    from autosmote.config.names import did_you_mean

    return complain(
        f"There is no command '{name}'{did_you_mean(name, list(COMMANDS))}; choose one of "
        f"{', '.join(COMMANDS)}, or give settings of a run such as dataset=toy."
    )


def command() -> NoReturn:
    """Run the command that the arguments name, and end the process."""
    from autosmote.config.commandline import end_process

    end_process(main)


if __name__ == "__main__":
    command()
