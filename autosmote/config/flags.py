"""Flags of the run and sweep commands, which are Hydra's, in the order that its parser takes."""

from __future__ import annotations

from argparse import ArgumentError, Namespace
from collections.abc import Sequence

from autosmote.config.names import did_you_mean
from autosmote.errors import UserError

_INFO = ("--info", "-i")
# Without Hydra's --experimental-rerun, which loads a pickle: that runs what is in it.
_VALUED = (
    *("--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn"),
    *("--config-dir", "-cd"),
)
_FLAGS = (
    *("--help", "-h", "--hydra-help", "--version", "--resolve", "--run", "-r"),
    *("--multirun", "-m", "--shell-completion", "-sc", *_INFO, *_VALUED),
)
_INSTEAD_OF_RUNNING = ("help", "hydra_help", "cfg", "info", "shell_completion")
_ONE_OF = ("run", "multirun", "cfg", "info", "shell_completion")


def read_flags(arguments: Sequence[str]) -> Namespace:
    """Read what `flags_first` returns, as Hydra does; `runs` is whether something is to run.

    Raises
    ------
    UserError
        For a flag with a value that it does not take, and for flags that exclude each other.
    """
    from hydra._internal.utils import get_args_parser

    parser = get_args_parser()
    parser.exit_on_error = False  # which would print the usage
    try:
        flags = parser.parse_args(arguments)
    except ArgumentError as error:
        raise UserError(f"A flag cannot be read ({error}); see --hydra-help.") from error
    given = [f"--{name.replace('_', '-')}" for name in _ONE_OF if getattr(flags, name)]
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)} exclude each other; give one of them.")
    if (flags.resolve or flags.package) and not flags.cfg and not flags.help:
        name = "--resolve" if flags.resolve else "--package"
        raise UserError(f"{name} changes what --cfg shows; add --cfg job.")
    flags.runs = not any(getattr(flags, name) for name in _INSTEAD_OF_RUNNING)
    return flags


def flags_first(arguments: Sequence[str]) -> list[str]:
    """Return flags and their values before settings: Hydra finds none on both sides of a flag.

    Raises
    ------
    UserError
        For a flag that there is not.
    """
    before = ["", *arguments]

    def is_setting(place: int) -> bool:
        word, flag = arguments[place], before[place]
        is_value = flag in _VALUED or (flag in _INFO and not _is_override(word))
        return not (word.startswith("-") or is_value)

    for word, flag in zip(arguments, before, strict=False):
        name = word.partition("=")[0]
        if word.startswith("-") and name not in _FLAGS and flag not in _VALUED:
            raise UserError(
                f"There is no flag {name}{did_you_mean(name, list(_FLAGS))}; settings are written "
                "key=value (see --help)."
            )
    ordered = [arguments[place] for place in sorted(range(len(arguments)), key=is_setting)]
    for place, word in enumerate(ordered):
        after = ordered[place + 1 : place + 2]
        # What comes to stand behind the flag would be taken for its value.
        if word in _INFO and after and (after[0].startswith("-") or _is_override(after[0])):
            ordered[place] = "--info=all"
    return ordered


def _is_override(word: str) -> bool:
    return "=" in word or word.startswith("~")
