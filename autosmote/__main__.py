"""The command `autosmote`: `autosmote resample ...`, or else a run of the paper's protocol."""

import sys
from collections.abc import Sequence
from typing import NoReturn

from autosmote.isolation.processes import prepare_process


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; return the exit status."""
    prepare_process()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["resample"]:
        from autosmote.resample import main as resample

        return resample(arguments[1:])
    from autosmote.run import main as run

    return run(arguments)


def command() -> NoReturn:
    """Run the command that the arguments name, and end the process."""
    from autosmote.config.commandline import end_process

    end_process(main())


if __name__ == "__main__":
    command()
