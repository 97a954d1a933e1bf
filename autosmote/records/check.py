"""Check that what was read from a record's file is a record, of whatever version.

A file can be whole JSON and yet no record: of another program, or edited by hand. What reads
records relies on these names and kinds alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

_STATUSES = ("ok", "failed", "memory", "timeout", "crashed", "interrupted")
_PARTS = ("validation", "test")
_LONGEST = 100_000
"""Letters of a text that a table of records can hold."""


def find_fault(record: Any) -> str | None:
    """Say what is wrong with the content of a record's file; None where nothing is."""
    if not isinstance(record, dict):
        return "it holds no record"
    for name, (kind, is_right) in _NAMES.items():
        if name not in record:
            return f"it has no '{name}'"
        if not is_right(record[name]):
            return f"its '{name}' is no {kind}"
    for name, (kind, is_right) in _LATER_NAMES.items():
        if record.get(name) is not None and not is_right(record[name]):
            return f"its '{name}' is no {kind}"
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST


def _is_number(value: Any) -> bool:
    return _is_count(value) or (isinstance(value, float) and math.isfinite(value))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def _or_none(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


def _are_scores(value: Any) -> bool:
    """Return whether it has scores of each part; None for a part that is not there."""
    return (
        isinstance(value, dict)
        and all(value.get(part) for part in _PARTS)
        and all(scores is None or _are_numbers(scores) for scores in value.values())
    )


def _are_numbers(value: Any) -> bool:
    return isinstance(value, Mapping) and all(_or_none(_is_number)(n) for n in value.values())


def _are_rows(value: Any) -> bool:
    """Return whether it has two counts, of the majority and the minority, for each part."""
    return isinstance(value, dict) and all(
        isinstance(counts, list) and len(counts) == 2 and all(map(_is_count, counts))
        for counts in value.values()
    )


def _is_config(value: Any) -> bool:
    groups = ("clf", "sampler", "search")
    return isinstance(value, dict) and all(isinstance(value.get(g, {}), dict) for g in groups)


_TEXT = ("text", _is_text)
_NUMBER = ("number", _or_none(_is_number))
_NAMES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "schema_version": ("whole number", _is_count),
    "protocol_version": ("whole number", _is_count),
    "status": ("status", lambda value: value in _STATUSES),
    "error": ("text", _or_none(_is_text)),
    **dict.fromkeys(("dataset", "clf", "sampler", "metric"), _TEXT),
    **dict.fromkeys(("ir", "ratio", "n_synthetic", "iterations"), _NUMBER),
    "seed": ("whole number", _is_count),
    "imputed": ("truth value", lambda value: isinstance(value, bool)),
    "scores": ("table of scores", _or_none(_are_scores)),
    "seconds": ("table of numbers", _or_none(_are_numbers)),
    "config": ("table of settings", _is_config),
    "versions": ("table", lambda value: isinstance(value, dict)),
}
"""Names that every record has had."""
_LATER_NAMES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "reference": ("table of scores", _are_scores),
    "rows": ("table of counts", _are_rows),
    "search": ("table", lambda value: isinstance(value, dict)),
    "grid": ("list", lambda value: isinstance(value, list)),
    "warnings": ("list", lambda value: isinstance(value, list)),
    **dict.fromkeys(("stopped_by", "data_source", "git_revision", "data_fingerprint"), _TEXT),
    "peak_memory_mb": _NUMBER,
    "machine": ("table", lambda value: isinstance(value, dict)),
}
"""Names that a record need not have, or may have without a value."""
