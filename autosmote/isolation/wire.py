"""Serialise plain data as JSON and numpy arrays; unlike pickles, reading runs no code."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

_TEXT, _ARRAY = "text", "__array__"


def pack(value: Any) -> bytes:
    """Return dictionaries, lists, strings, numbers and numpy arrays as bytes.

    Raises
    ------
    TypeError, ValueError
        For other objects, including arrays of Python objects.
    """
    arrays: dict[str, np.ndarray] = {}

    def convert(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray):
            arrays[str(len(arrays))] = leaf
            return {_ARRAY: str(len(arrays) - 1)}
        if isinstance(leaf, np.generic):
            return leaf.item()
        raise TypeError(f"{type(leaf).__name__} is no plain data")

    text = json.dumps(value, default=convert).encode()
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **{_TEXT: np.frombuffer(text, np.uint8)}, **arrays)
    return stream.getvalue()


def unpack(data: bytes) -> Any:
    """Return what was given to `pack`, with tuples as lists."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:

        def restore(found: dict[str, Any]) -> Any:
            return stored[found[_ARRAY]] if set(found) == {_ARRAY} else found

        return json.loads(stored[_TEXT].tobytes(), object_hook=restore)
