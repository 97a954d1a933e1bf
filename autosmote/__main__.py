"""The command `autosmote`: `autosmote resample ...`, or else a run of the paper's protocol."""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; return the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["resample"]:
        from autosmote.resample import main as resample

        return resample(arguments[1:])
    from autosmote.run import main as run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
