"""Shapes of settings that neither Hydra nor the schema's types check.

An interpolation (``sampler.params=${seed}``) can put anything in place of a table of settings, a
group can be given what names no file, a list of texts can hold tables, and YAML reads ``2024_05``
as a number where a folder is meant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from numbers import Integral, Real
from os import PathLike
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from autosmote.config.names import GROUPS, available, did_you_mean
from autosmote.config.texts import NO_TEXT
from autosmote.errors import UserError, shorten

_MAX_DEPTH = 50
_LIST = re.compile(r"\[[^\]]*,")  # of more than one
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_WORDS |= {list: "a list", NoneType: "null"}

type_hints: Callable[[Any], dict[str, Any]] = cache(get_type_hints)
"""Returns the annotations of a dataclass's fields."""


def check_shapes(config: Any) -> None:
    """Check that settings have the shape of their schema, and that all numbers are finite.

    Raises
    ------
    UserError
        With the setting's name and its value.
    """
    check_kind(config, type(config), "")


def check_kind(value: Any, kind: Any, name: str) -> None:
    """Check what a setting is set to: an object of the schema, or what a file has in its place.

    Parameters
    ----------
    value : object
    kind : type
        A dataclass, or the annotation of one of its fields.
    name : str
        Of the setting, with a point between parts; empty for all settings.

    Raises
    ------
    UserError
        As `check_shapes` does, and for a setting that there is not.
    """
    if isinstance(value, str) and "${" in value:  # the text that it will be is not known yet
        return
    or_null = NoneType in get_args(kind)
    if or_null and value is None:
        return
    inner = [one for one in get_args(kind) if one is not NoneType] if or_null else [kind]
    container = inner[0] if len(inner) == 1 else None
    if is_dataclass(container):
        _check_fields(value, container, name)
    elif get_origin(container) is dict:
        if not _has_names(value):
            raise _mistake(name, kind, value)
        for key, one in value.items():
            check_kind(one, get_args(container)[1], f"{name}.{key}")
    elif get_origin(container) is list:
        if not isinstance(value, list | tuple):
            raise _mistake(name, kind, value)
        for number, one in enumerate(value):
            check_kind(one, get_args(container)[0], f"{name}[{number}]")
    elif kind is not Any and not _is_scalar(value, kind):
        raise _mistake(name, kind, value)
    else:
        _check_finite(name, value, kind)


def wanted(kind: Any) -> str:
    """Return in words what a setting of an annotation has to do, such as "be a number or null"."""
    if is_dataclass(kind) or get_origin(kind) is dict:
        return "hold settings by name"
    types = get_args(kind) if get_origin(kind) is not list else (list,)
    names = [_WORDS.get(get_origin(one) or one) for one in types or (kind,)]
    return f"be {' or '.join(name for name in names if name) or 'of another type'}"


def no_setting(full_name: str, where: str, names: list[str]) -> str:
    """Return the sentence on a setting that there is not, with those that there are beside it."""
    place = f"under '{where}'" if where else "at the top level"
    hint = did_you_mean(full_name.rpartition(".")[2], names)
    return f"There is no setting '{full_name}'; {place} there are {', '.join(names)}{hint}."


def _check_fields(value: Any, schema: Any, where: str) -> None:
    by_name = isinstance(value, Mapping)
    if not by_name and not is_dataclass(value):
        raise _mistake(where, schema, value)
    hints = type_hints(schema)
    for name in value if by_name else hints:
        full_name = f"{where}.{name}" if where else str(name)
        if name not in hints:
            raise UserError(no_setting(full_name, where, list(hints)))
        one = value[name] if by_name else getattr(value, name)
        if full_name == "ir":  # which has a sentence of its own
            continue
        is_container = is_dataclass(hints[name]) or get_origin(hints[name]) in (dict, list)
        if hasattr(value, "check") and not is_container:  # it checks these itself, with their range
            _check_finite(full_name, one, hints[name])
        else:
            check_kind(one, hints[name], full_name)


def _is_scalar(value: Any, kind: Any) -> bool:
    types = get_args(kind) or (kind,)
    if str in types:  # a file may write a text as a number
        return isinstance(value, str | PathLike | bool | int | float)
    if isinstance(value, bool):  # which Python counts as a number, too
        return bool in types
    # NumPy's numbers as well, from a caller in Python.
    numbers = Real if float in types else Integral if int in types else ()
    return isinstance(value, (*types, numbers))


def _check_finite(name: str, value: Any, kind: Any) -> None:
    or_null = " or null" if NoneType in get_args(kind) else ""
    for key, leaf in _leaves(name, value):
        if isinstance(leaf, float) and not math.isfinite(leaf):
            raise UserError(f"{key} must be a finite number{or_null}, not {leaf}.")


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
    else:
        yield name, value


def _mistake(name: str, kind: Any, value: Any) -> UserError:
    given = shorten(repr(value) if isinstance(value, str) else str(value))
    return UserError(
        f"{name or 'The file'} must {wanted(kind)}, not {'null' if value is None else given}."
    )


def check_groups(arguments: Sequence[str]) -> None:
    """Check that what a group is set to, as in ``clf=svm``, can be the name of one file.

    Raises
    ------
    UserError
        For a number, a truth value or null, which Hydra's own error does not name; for a list,
        whose options Hydra merges to one that nobody has asked for.
    """
    for argument in arguments:
        group, given, value = argument.lstrip("+").partition("=")
        if given and not group:
            raise UserError(
                f"'{argument}' names no setting; settings are written key=value (see --help)."
            )
        is_group = group in (*GROUPS, "experiment", "budget")
        members = value.strip("[]").split(",") if given and is_group else []
        for member in members:
            if not _may_be_name(member):
                names = [name for name in available(group) if not name.startswith("sv_")]
                raise UserError(
                    f"There is no {group} '{member.strip()}'; choose one of {', '.join(names)}."
                )
        if is_group and _LIST.search(value) and not value.lstrip().startswith("glob("):
            in_turn = value.replace("[", "").replace("]", "")
            as_group = ", or samplers as a group by sampler=[...] alone" * (group == "sampler")
            raise UserError(
                f"{argument} has a list, which would mix the settings of its options; run each of "
                f"them by -m {group}={in_turn}{as_group}."
            )


def _may_be_name(text: str) -> bool:
    text = text.strip("[] ")
    return not (NO_TEXT.fullmatch(text) or text.lower() == "null" or text.startswith("{"))
