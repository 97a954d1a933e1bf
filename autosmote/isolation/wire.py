"""Plain data as bytes: JSON and arrays of numbers, nothing that runs when it is read."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

_TEXT, _ARRAY = "text", "__array__"


def pack(value: Any) -> bytes:
    """Write dictionaries, lists, texts, numbers and numpy arrays.

    Raises
    ------
    TypeError, ValueError
        For anything else, arrays of Python objects among it.
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
    """Read what `pack` wrote; tuples come back as lists."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:

        def restore(found: dict[str, Any]) -> Any:
            return stored[found[_ARRAY]] if set(found) == {_ARRAY} else found

        return json.loads(stored[_TEXT].tobytes(), object_hook=restore)
