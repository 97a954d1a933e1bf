"""Hydra's errors in plain words, and those of files of settings that cannot be read."""

import io
import re
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import is_dataclass
from pathlib import Path
from types import FrameType
from typing import Any, get_args, get_origin

from autosmote.config.names import CONF_DIR, available, did_you_mean
from autosmote.config.schema import Config
from autosmote.config.shapes import check_kind, no_setting, type_hints, wanted
from autosmote.errors import UserError

_GLOBAL = ("experiment", "budget", "experiment_budget")
"""Groups whose files hold settings of the whole schema."""
_NO_SETTINGS = "must hold settings by name"


def explain(error: Any, schema: type[Any] = Config) -> str:
    """Turn an error of Hydra's composition, or of a file of it, into a sentence with the remedy."""
    cause = error.__cause__ or error
    if lacking := re.search(r"You must specify '(\w+)'", str(error)):
        return (
            f"There is no default {lacking[1]}; give one by {lacking[1]}=, out of "
            f"{', '.join(available(lacking[1]))}."
        )
    group, _, name = (getattr(error, "missing_cfg_file", None) or "").rpartition("/")
    if group:
        names = sorted(getattr(error, "options", None) or available(group))
        # A hundred SMOTE variants would hide the rest.
        shown = [name for name in names if not name.startswith("sv_")]
        shown += ["sv_<name>"] if len(shown) < len(names) else []
        return (
            f"There is no {group} '{name}'; choose one of "
            f"{', '.join(shown)}{did_you_mean(name, names)}."
        )
    for where, given, kind, name in _given(error, schema):
        try:
            check_kind(given, kind, name)
        except UserError as mistake:
            return f"{where}{mistake}"
    full_key = getattr(cause, "full_key", None)
    override = re.match(r"(?:Error merging override |Could not override ')\+*([\w.]+)", str(error))
    if full_key and re.match(r"Key '(\w+)' (?:is )?not in", str(cause)):
        parent, _, key = full_key.rpartition(".")
        owner = getattr(cause, "object_type", None)
        keys = list(type_hints(owner)) if is_dataclass(owner) else _keys(parent, schema)
        if not keys and is_dataclass(_schema(full_key, schema)):
            return f"{parent} has no '{key}' yet; add it by +{parent}={{{key}: {{...}}}}."
        if not keys:  # a free dictionary, such as clf.params
            return f"{full_key} is not set yet; add it by a plus sign: +{full_key}=..."
        if not parent and owner is not schema and override:  # of a list, which is not named
            parent = override[1]
        return no_setting(full_key, parent, keys)
    if override and is_dataclass(_schema(override[1], schema)) and "subclass" in str(cause):
        parent, _, key = override[1].rpartition(".")
        return f"{override[1]} cannot be added alone; write +{parent}={{{key}: {{...}}}}."
    if full_key and type(cause).__name__ == "ValidationError":
        value = re.search(r"Value '(.*)' of type", str(cause), re.DOTALL)
        not_ = f", not '{value[1]}'" if value else ""
        return f"{full_key} must {wanted(_schema(full_key, schema))}{not_}."
    if ambiguous := re.search(r"Ambiguous value for argument '(.*?)'", str(error)):
        key = ambiguous[1].lstrip("+").partition("=")[0]
        kind = _schema(key, schema)
        takes_list = key == "sampler" or kind is Any or get_origin(kind) is list
        in_brackets = ", or put a list in brackets" if takes_list else ""
        return f"{ambiguous[1]} has several values; run all of them by -m{in_brackets}."
    if file := re.match(r"In '([^']+)': \w+ raised while composing config:\s*(.*)", str(error)):
        if file[2].startswith(f"Key '{file[1].partition('/')[0]}' not in"):
            return f"{file[1]}.yaml {_NO_SETTINGS} below a first line '# @package _global_'."
        if "is not a subclass of" in file[2]:
            return f"{file[1]}.yaml {_NO_SETTINGS}, such as 'name: mine'."
        return f"{file[1]}.yaml cannot be read ({file[2]}); correct it there."
    return _unreadable(error)


def _unreadable(error: BaseException) -> str:
    first_line = next((line for line in str(error).splitlines() if line.strip()), repr(error))
    return (
        f"The settings cannot be read: {first_line.strip().rstrip('.')}; they are written "
        "key=value (see --help)."
    )


def explain_file(error: BaseException) -> str | None:
    """Return a sentence on the file of settings that an error came from; None where it tells none.

    Hydra lets such errors through as they are.
    """
    if mark := getattr(error, "problem_mark", None):
        line = f"Line {mark.line + 1} of {Path(mark.name).name}"
        return f"{line} is no YAML: {getattr(error, 'problem', error)}; correct it there."
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names: list[Any] = [getattr(error, "filename", None)]  # of an OSError
    for frame in frames:
        opened = [one for one in frame.f_locals.values() if isinstance(one, io.TextIOWrapper)]
        names += [file.name for file in opened]
    paths = [Path(name) for name in names if str(name).endswith((".yaml", ".yml"))]
    if paths:
        return _explain_content(paths[-1], error)
    if not (isinstance(error, ValueError) and _of(frames[-1:], "hydra._internal.")):
        return None
    # Where Hydra starts, a config_path is the folder of all files.
    reading = _of(frames, "hydra._internal.config_")
    files = [frame.f_locals["config_path"] for frame in reading if "config_path" in frame.f_locals]
    if files:
        return (
            f"The defaults of {files[-1]}.yaml cannot be read ({str(error).rstrip('.')}); write "
            "them as a list of groups with their options, such as '- clf: svm'."
        )
    return _unreadable(error)


def _of(frames: list[FrameType], modules: str) -> list[FrameType]:
    """Return the frames of modules whose name begins so."""
    return [frame for frame in frames if frame.f_globals.get("__name__", "").startswith(modules)]


def _explain_content(path: Path, error: BaseException) -> str:
    """Return a sentence on a file that Hydra or YAML refused by an error without a line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{path.name} cannot be read ({error.strerror}); check the file."
    if isinstance(error, OSError):
        return f"{path.name} {_NO_SETTINGS}, such as 'name: mine'."
    with suppress(OSError):
        data = path.read_bytes()
        try:
            text = data.decode()
        except UnicodeDecodeError as found:  # by its place in the file, not in what was read last
            line, place = data.count(b"\n", 0, found.start), data.rfind(b"\n", 0, found.start)
            return (
                f"Line {line + 1} of {path.name} is not UTF-8 from its byte {found.start - place} "
                "on; save the file as UTF-8."
            )
        if (position := getattr(error, "position", None)) is not None:
            line, character = text.count("\n", 0, position), text[position : position + 1]
            return (
                f"Line {line + 1} of {path.name} is no YAML: it has the character "
                f"{character!a}; remove it."
            )
    return f"{path.name} is no YAML that can be read ({error}); correct it there."


def _given(error: BaseException, schema: type[Any]) -> Iterator[tuple[str, Any, Any, str]]:
    """Yield the settings that an error came from, of a file or an override, where it tells.

    OmegaConf does not name a setting in a list, nor one that a file sets.

    Yields
    ------
    tuple
        Words on the place, the settings as they were given, their type, and their name.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf

    if file := re.match(r"In '(\w+)/([\w-]+)': ", str(error)):
        path = CONF_DIR / file[1] / f"{file[2]}.yaml"
        if file[1] in _GLOBAL and path.is_file():
            given = OmegaConf.to_container(OmegaConf.load(path))
            if isinstance(given, dict):
                given.pop("defaults", None)
            yield f"In {file[1]}/{file[2]}.yaml: ", given, schema, ""
    elif override := re.match("Error merging override (.*)", str(error)):
        with suppress(HydraException):
            parsed = OverridesParser.create().parse_override(override[1])
            kind = _schema(parsed.key_or_group, schema)
            if kind is not None:
                yield "", parsed.value(), kind, parsed.key_or_group


def _schema(key: str, schema: type[Any]) -> Any:
    """Return the dataclass or annotation at a dotted key; None where the schema ends."""
    node: Any = schema
    for part in re.findall(r"[^.\[\]]+", key):
        if is_dataclass(node):
            node = type_hints(node).get(part)
        elif get_origin(node) in (dict, list):
            node = get_args(node)[-1]
        else:
            return None
    return node


def _keys(parent: str, schema: type[Any]) -> list[str]:
    node = _schema(parent, schema)
    return list(type_hints(node)) if is_dataclass(node) else []
