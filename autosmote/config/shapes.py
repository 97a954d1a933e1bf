"""Shapes of settings that neither Hydra nor the schema's types check.

An interpolation (``sampler.params=${seed}``) can put anything in place of a table of settings, a
group can be given what names no file, and YAML reads ``2024_05`` as a number where a folder is
meant.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from autosmote.config.names import GROUPS, available
from autosmote.config.texts import NO_TEXT
from autosmote.errors import UserError, shorten

_MAX_DEPTH = 50


def check_shapes(config: Any) -> None:
    """Check that settings have the shape of their schema, and that all numbers are finite.

    Raises
    ------
    UserError
        With the setting's name and its value.
    """
    _check_fields(config, "")


def _check_fields(config: Any, where: str) -> None:
    hints = get_type_hints(type(config))
    for field in fields(config):
        name, value = where + field.name, getattr(config, field.name)
        kind = get_origin(hints[field.name])
        if is_dataclass(hints[field.name]):
            if not is_dataclass(value):
                raise _mistake(name, "hold settings by name", value)
            _check_fields(value, f"{name}.")
        elif kind is dict and not _has_names(value):
            raise _mistake(name, "hold settings by name", value)
        elif kind is list and not isinstance(value, list | tuple):
            raise _mistake(name, "be a list", value)
        elif name != "ir":  # which has a sentence of its own
            for key, leaf in _leaves(name, value):
                if isinstance(leaf, float) and not math.isfinite(leaf):
                    or_null = " or null" if type(None) in get_args(hints[field.name]) else ""
                    raise _mistake(key, f"be a finite number{or_null}", leaf)


def _has_names(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)


def _leaves(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    if depth > _MAX_DEPTH:
        raise UserError(f"{shorten(name)} is nested too deeply.")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(name, inner, depth + 1)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _leaves(f"{name}.{field.name}", getattr(value, field.name), depth + 1)
    else:
        yield name, value


def _mistake(name: str, wanted: str, value: Any) -> UserError:
    return UserError(f"{name} must {wanted}, not {shorten(str(value))}.")


def check_groups(arguments: Sequence[str]) -> None:
    """Check that what a group is set to, as in ``clf=svm``, can be the name of a file.

    Raises
    ------
    UserError
        For a number, a truth value or null, which Hydra's own error does not name.
    """
    for argument in arguments:
        group, given, value = argument.lstrip("+").partition("=")
        is_group = group in (*GROUPS, "experiment", "budget")
        if given and is_group and (NO_TEXT.fullmatch(value) or value.lower() == "null"):
            names = [name for name in available(group) if not name.startswith("sv_")]
            raise UserError(f"There is no {group} '{value}'; choose one of {', '.join(names)}.")
