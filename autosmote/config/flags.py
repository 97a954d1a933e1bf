"""Flags of the run and sweep commands, which are Hydra's, in the order that its parser takes."""

from __future__ import annotations

from collections.abc import Sequence

from autosmote.config.names import did_you_mean
from autosmote.errors import UserError

_INFO = ("--info", "-i")
_VALUED = (
    *("--cfg", "-c", "--package", "-p", "--config-path", "-cp", "--config-name", "-cn"),
    *("--config-dir", "-cd", "--experimental-rerun"),
)
_FLAGS = (
    *("--help", "-h", "--hydra-help", "--version", "--resolve", "--run", "-r"),
    *("--multirun", "-m", "--shell-completion", "-sc", *_INFO, *_VALUED),
)


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
        is_value = flag in _VALUED or (flag in _INFO and "=" not in word)
        return not (word.startswith("-") or is_value)

    for word, flag in zip(arguments, before, strict=False):
        name = word.partition("=")[0]
        if word.startswith("-") and name not in _FLAGS and flag not in _VALUED:
            raise UserError(
                f"There is no flag {name}{did_you_mean(name, list(_FLAGS))}; settings are written "
                "key=value (see --help)."
            )
    return [arguments[place] for place in sorted(range(len(arguments)), key=is_setting)]
