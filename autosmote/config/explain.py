"""Hydra's errors in plain words."""

import re
from dataclasses import fields, is_dataclass
from typing import Any

from autosmote.config.names import available, did_you_mean
from autosmote.config.schema import Config


def explain(error: BaseException, schema: type[Any] = Config) -> str:
    """Turn an error of Hydra's composition into one sentence with the remedy."""
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
    full_key = getattr(cause, "full_key", None)
    if full_key and (unknown := re.match(r"Key '(\w+)' (?:is )?not in", str(cause))):
        parent, _, _ = full_key.rpartition(".")
        keys = _keys(parent, schema)
        if not keys:  # a free dictionary, such as clf.params
            return f"{full_key} is not set yet; add it by a plus sign: +{full_key}=..."
        where = f"under '{parent}'" if parent else "at the top level"
        return (
            f"There is no setting '{full_key}'; {where} there are "
            f"{', '.join(keys)}{did_you_mean(unknown[1], keys)}."
        )
    if full_key and type(cause).__name__ == "ValidationError":
        wanted = _wanted(full_key, schema)
        given = re.search(r"Value '(.*?)'", str(cause), re.DOTALL)
        value = f", not '{given[1]}'" if given else ""
        return f"{full_key} must be {wanted}{value}."
    if ambiguous := re.search(r"Ambiguous value for argument '(.*?)'", str(error)):
        return (
            f"{ambiguous[1]} has several values; run all of them by -m, or put a list in brackets."
        )
    first_line = next((line for line in str(error).splitlines() if line.strip()), repr(error))
    return (
        f"The settings cannot be read: {first_line.strip().rstrip('.')}; they are written "
        "key=value (see --help)."
    )


def _schema(key: str, schema: type[Any]) -> Any:
    """Return the dataclass or annotation at a dotted key; None where the schema ends."""
    node: Any = schema
    for part in key.split(".") if key else []:
        if not is_dataclass(node):
            return None
        node = {f.name: f.type for f in fields(node)}.get(part)
    return node


def _keys(parent: str, schema: type[Any]) -> list[str]:
    node = _schema(parent, schema)
    return [f.name for f in fields(node)] if is_dataclass(node) else []


def _wanted(key: str, schema: type[Any]) -> str:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    node = _schema(key, schema)
    types = getattr(node, "__args__", (node,))
    names = [words[t] for t in words if t in types]
    if type(None) in types:
        names.append("null")
    return " or ".join(names) or "of another type"
