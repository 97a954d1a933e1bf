"""Read ARFF, the format of OpenML.

liac-arff, a dependency of openml, splits those rows that have quotes or escapes. Other rows, such
as those of the paper's six datasets, are split at commas, about ten times faster. Reading the file
here rather than as openml's data frame avoids openml's pickle cache and 8-bit integers, and any
difference between a download and a local file. Patterns are possessive where they could try one
text in many ways, so that all of this is linear in the file's size.
"""

from __future__ import annotations

import re
from typing import Any

from autosmote.data.columns import DATE, NUMBER, TEXT, RawColumn
from autosmote.errors import UserError

_DATA_LINE = re.compile(r"^[ \t]*@data\b.*\n?", re.IGNORECASE | re.MULTILINE)
_QUOTED = r'"(?:[^"\\]|\\.)*+"' + r"|'(?:[^'\\]|\\.)*+'"
_ATTRIBUTE = re.compile(
    rf"[ \t]*@attribute[ \t]+(?P<name>{_QUOTED}|[^{{}}%,\s\"']++)(?=[\s{{]|$)", re.IGNORECASE
)
_ATTRIBUTE_LINE = re.compile(r"[ \t]*@attribute\b", re.IGNORECASE)
_SIMPLE_TYPE = re.compile(r"(numeric|real|integer|string)(?=[\s\[%]|$)", re.IGNORECASE)
_DATE_TYPE = re.compile(rf"date(?=[\s%]|$)[ \t]*+({_QUOTED}|[^\s%\"']*+)", re.IGNORECASE)
_AFTER_TYPE = re.compile(r"\s*+(\[[^\]]*+\]\s*+)?(%.*)?")
_NOMINAL_VALUE = re.compile(rf"\s*+(?P<value>{_QUOTED}|[^,\s\"'{{}}]++)?+\s*+(?P<end>[,}}])")
_ESCAPE = re.compile(r"\\([0-9]{1,3}|u[0-9a-f]{4}|.)")
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f"}
_QUOTE_OR_ESCAPE = re.compile(r"""["'\\{}]""")
_MISSING = ("?", "")


def parse_arff(data: bytes, where: str) -> list[RawColumn]:
    """Parse a dense ARFF file.

    Parameters
    ----------
    data : bytes
        The whole file, UTF-8.
    where : str
        Name of the file in error messages.

    Returns
    -------
    list of RawColumn
        In the order of the file.

    Raises
    ------
    UserError
        When the file is not ARFF, or a row has the wrong number of values.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UserError(
            f"{where} is not text in UTF-8 (byte {exc.start:,}), so it is damaged or in another "
            "encoding; fetch it again, or save it as UTF-8."
        ) from exc
    data_line = _DATA_LINE.search(text)
    if data_line is None:
        raise UserError(f"{where} has no @DATA line: it is cut short or not ARFF; fetch it again.")
    names, types = _parse_header(text[: data_line.start()], where)

    body = text[data_line.end() :]
    first_line = text.count("\n", 0, data_line.end()) + 1
    lines = [
        (number, line)
        for number, line in enumerate(body.split("\n"), start=first_line)
        if line and not line.isspace() and not line.lstrip().startswith("%")
    ]
    if any(line.lstrip().startswith("{") for _, line in lines):
        raise UserError(f"{where} is a sparse ARFF file; save it as dense ARFF, CSV or Parquet.")
    rows = (_split_quoted if _QUOTE_OR_ESCAPE.search(body) else _split_plain)(
        lines, len(names), where
    )
    cells = list(zip(*rows, strict=True)) or [()] * len(names)
    return [RawColumn(*column) for column in zip(names, cells, types, strict=True)]


def _parse_header(header: str, where: str) -> tuple[list[str], list[str | tuple[str, ...]]]:
    """Return the attributes' names and declared types.

    Not by liac-arff, whose pattern for a list of values takes exponential time on one that is not
    closed. The relation's name is not needed here.
    """
    names: list[str] = []
    types: list[str | tuple[str, ...]] = []
    for line in header.split("\n"):
        if not _ATTRIBUTE_LINE.match(line):
            continue
        found = _ATTRIBUTE.match(line)
        if found is None:
            raise _faulty(where, f", '{line.strip()[:200]}'")
        name, kind = found["name"].strip("\"'"), _declared_type(line[found.end() :].strip())
        if kind is None or name in names:
            raise _faulty(where, f", '{line.strip()[:200]}'")
        names.append(name)
        types.append(kind)
    if not names:
        raise _faulty(where, "")
    return names, types


def _faulty(where: str, shown: str) -> UserError:
    return UserError(
        f"{where} has a faulty attribute declaration{shown}; what can be read are numeric, real, "
        "integer, string, date and {nominal, ...} attributes of different names."
    )


def _declared_type(text: str) -> str | tuple[str, ...] | None:
    """Return the type that a declaration gives after the name; None where it is faulty.

    A range such as ``[0,100]`` and a comment may follow, and a date's format.
    """
    if (found := _DATE_TYPE.match(text)) and _AFTER_TYPE.fullmatch(text, found.end()):
        return DATE
    if not text.startswith("{"):
        found = _SIMPLE_TYPE.match(text)
        if found is None or not _AFTER_TYPE.fullmatch(text, found.end()):
            return None
        return TEXT if found[1].upper() == "STRING" else NUMBER
    values, position = [], 1
    while found := _NOMINAL_VALUE.match(text, position):
        values.append(_unquoted(found["value"] or ""))
        position = found.end()
        if found["end"] == "}":
            return tuple(values) if _AFTER_TYPE.fullmatch(text, position) else None
    return None


def _unquoted(value: str) -> str:
    if value[:1] not in ("'", '"'):
        return value
    return _ESCAPE.sub(_unescaped, value[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] == "u" and len(code) == 5:
        return chr(int(code[1:], 16))
    if code.isdigit():
        return chr(int(code, 8)) if set(code) <= set("01234567") else code
    return _ESCAPED.get(code, code)


def _split_plain(lines: list[tuple[int, str]], width: int, where: str) -> list[list[str | None]]:
    """Split rows without quotes at commas."""
    rows: list[list[str | None]] = []
    for number, line in lines:
        values = [value.strip() for value in line.split(",")]
        if len(values) != width:
            raise UserError(
                f"{where}, line {number}: {len(values)} values where {width} attributes are "
                "declared; the file is damaged or cut short: correct it, or fetch it again."
            )
        rows.append([None if value in _MISSING else value for value in values])
    return rows


def _split_quoted(lines: list[tuple[int, str]], width: int, where: str) -> list[list[str | None]]:
    """Split rows by ARFF's rules for quotes and escapes."""
    import arff

    # With all attributes declared strings, cells stay text, as in _split_plain.
    header = ["@RELATION r", *(f"@ATTRIBUTE a{i} STRING" for i in range(width)), "@DATA"]
    text = "\n".join([*header, *(line for _, line in lines)])
    decoder = arff.ArffDecoder()
    rows: list[list[str | None]] = []
    try:
        stream: Any = decoder.decode(text, return_type=arff.DENSE_GEN)["data"]
        for row in stream:
            rows.append([cell if cell is None else str(cell) for cell in row])
    except (arff.ArffException, ValueError) as exc:  # ValueError: an unknown escape
        raise UserError(
            f"{where}, line {lines[len(rows)][0]}: the row cannot be split into {width} values; "
            "check its quotes and commas."
        ) from exc
    return rows
