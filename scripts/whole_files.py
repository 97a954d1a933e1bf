"""What must be the same twice of a file that the project writes, and whether the file is whole."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from autosmote.records.check import find_fault

LAST_WEEK = b"last week's\n"
"""What an output holds before a command is given."""
TORN, MISSING = "torn", "missing"
_DIFFERS = re.compile(r"second|hour|memory")
"""Columns and names of a record that differ each time."""
_DAMAGE = (OSError, EOFError, ValueError, csv.Error, zlib.error, zipfile.BadZipFile, SyntaxError)
"""What readers raise; SyntaxError is Pillow's."""


def content(path: Path) -> object:
    """Return what must be the same twice of a file: all but seconds and memory; or `TORN`."""
    if path.name == ".claims":  # locked, never read
        return "claims"
    try:
        data = path.read_bytes()
        return data if data == LAST_WEEK else _read(path, data)
    except _DAMAGE:
        return TORN


def refuse_torn(whole: Mapping[str, object]) -> None:
    """Raise SystemExit where files of an undisturbed command are torn: all torn would be equal."""
    if torn := [name for name, found in whole.items() if found == TORN]:
        raise SystemExit(f"undisturbed, it leaves files that are not whole: {', '.join(torn)}")


def _read(path: Path, data: bytes) -> object:
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if ".csv" in path.suffixes:
        return _table(data.decode())
    if path.suffix == ".json":
        return _json(path.name, json.loads(data))
    if path.suffix == ".npz":
        with np.load(io.BytesIO(data)) as arrays:
            return {name: arrays[name].tobytes() for name in arrays}
    if path.suffix == ".png":
        with Image.open(io.BytesIO(data)) as picture:
            picture.verify()
        return "a picture"  # with seconds in its axis
    if path.suffix in (".md", ".tex", ".html", ".svg"):
        if not data.endswith(b"\n"):
            return TORN
        if "cost" in path.name:
            return re.sub(rb"[\d.]+", b"#", data)
    return data


def _json(name: str, found: object) -> object:
    if name not in ("record.json", "partial.json"):
        return found
    if find_fault(found) is not None:
        return TORN
    assert isinstance(found, dict)
    return {key: value for key, value in found.items() if not _DIFFERS.search(key)}


def _table(text: str) -> object:
    """Return a table's text; where columns differ each time, its cells, of these whether filled."""
    header, *rows = csv.reader(io.StringIO(text), strict=True)
    if not text.endswith("\n") or any(len(row) != len(header) for row in rows):
        return TORN
    differs = [_DIFFERS.search(name) is not None for name in header]
    if not any(differs):
        return text
    lines = [
        [bool(cell) if apart else cell for cell, apart in zip(row, differs, strict=True)]
        for row in rows
    ]
    return [header, *lines]
