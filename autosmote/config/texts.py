"""Take settings that are texts as they are typed, whatever Hydra's grammar makes of them.

Hydra reads values as numbers, lists and calls: ``results_dir=2024_05`` would be 202405, and a
target such as ``a (b)`` or a path such as ``~/d.csv`` no value at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TEXTS = ("dataset.path", "dataset.target", "results_dir", "data_dir")
"""Names of files, folders and columns."""
_OVERRIDE = re.compile(
    rf"(?P<key>\+{{0,2}}(?:{'|'.join(map(re.escape, TEXTS))}))=(?P<value>.+)", re.S
)
_BEFORE_QUOTE = re.compile(r"(\\*)('|$)")


def quote_texts(arguments: Sequence[str], *, several: bool) -> list[str]:
    """Put the values of ``TEXTS`` in quotes, for Hydra.

    As they are stay null, what is in quotes already, values with an interpolation ``${...}``, and,
    where `several` jobs are asked for, lists of values.
    """
    return [_quoted(word, several) for word in arguments]


def _quoted(word: str, several: bool) -> str:
    found = _OVERRIDE.fullmatch(word)
    if found is None:
        return word
    value = found["value"]
    in_quotes = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    if value == "null" or in_quotes or "${" in value or (several and "," in value):
        return word
    # A backslash is one but before a quote, where two are one.
    escaped = _BEFORE_QUOTE.sub(lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value)
    return f"{found['key']}='{escaped}'"
