"""Take settings that are texts as they are typed, whatever Hydra's grammar makes of them.

Hydra reads values as numbers, lists and calls: ``results_dir=2024_05`` would be 202405, and a
target such as ``a (b)`` or a path such as ``~/d.csv`` no value at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

TEXTS = ("dataset.path", "dataset.target", "results_dir", "data_dir")
"""Names of files, folders and columns: their values may be any text."""
NO_TEXT = re.compile(r"[+-]?[\d.][\d_.]*(?:e[+-]?[\d_]+)?|[+-]?(?:inf|nan)|true|false", re.I)
"""What Hydra's grammar takes for a number or a truth value."""
_OVERRIDE = re.compile(r"(?P<key>\+{0,2}(?P<name>[\w.]+))=(?P<value>.+)", re.S)
_BEFORE_QUOTE = re.compile(r"(\\*)('|$)")


def quote_texts(arguments: Sequence[str], schema: type[Any], *, several: bool) -> list[str]:
    """Put values of settings that are text in quotes, for Hydra.

    Those of ``TEXTS`` always, those of others where they look like a number or a truth value. As
    they are stay null, what is in quotes already, values with an interpolation ``${...}``, and,
    where `several` jobs are asked for, lists of values.

    Parameters
    ----------
    arguments : sequence of str
        Of the command line.
    schema : dataclass
        Of the settings.
    several : bool
    """
    return [_quoted(word, schema, several) for word in arguments]


def _quoted(word: str, schema: type[Any], several: bool) -> str:
    found = _OVERRIDE.fullmatch(word)
    if found is None:
        return word
    name, value = found["name"], found["value"]
    if name not in TEXTS and not (NO_TEXT.fullmatch(value) and _is_text(name, schema)):
        return word
    in_quotes = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    if value == "null" or in_quotes or "${" in value or (several and "," in value):
        return word
    return f"{found['key']}={quote(value)}"


def quote(value: str) -> str:
    """Return a text as Hydra's grammar has it in quotes."""
    # A backslash is one but before a quote, where two are one.
    escaped = _BEFORE_QUOTE.sub(lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value)
    return f"'{escaped}'"


def _is_text(key: str, schema: type[Any]) -> bool:
    """Return whether a dotted key is a setting that is text, or text or null."""
    node: Any = schema
    for part in key.split("."):
        if not is_dataclass(node):
            return False
        node = get_type_hints(node).get(part)
    return node is str or set(get_args(node)) == {str, type(None)}
