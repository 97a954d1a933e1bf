"""Read ARFF, the format of OpenML.

liac-arff, a dependency of openml, parses the header and those rows that have quotes or escapes.
Other rows, such as those of the paper's six datasets, are split at commas, about ten times
faster. Reading the file here rather than as openml's data frame avoids openml's pickle cache and
8-bit integers, and any difference between a download and a local file.
"""

from __future__ import annotations

import re
from typing import Any

from autosmote.data.columns import NUMBER, TEXT, RawColumn
from autosmote.errors import UserError

_DATA_LINE = re.compile(r"^[ \t]*@data\b.*\n?", re.IGNORECASE | re.MULTILINE)
_ATTRIBUTE_LINE = re.compile(r"^[ \t]*@attribute[ \t]+(.+?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
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
    """Return the attributes' names and declared types."""
    import arff

    # liac-arff requires one blank after a keyword and is strict about the relation's name, which
    # is not needed here: it is given the attribute lines alone.
    lines = [f"@ATTRIBUTE {rest}" for rest in _ATTRIBUTE_LINE.findall(header)]
    try:
        attributes = arff.loads("\n".join(["@RELATION r", *lines, "@DATA"]))["attributes"]
    except arff.ArffException as exc:
        culprit = exc.line - 2  # counted from 1, after the line of @RELATION
        shown = f", '{lines[culprit]}'" if 0 <= culprit < len(lines) else ""
        raise UserError(
            f"{where} has a faulty attribute declaration{shown}; what can be read are numeric, "
            "real, integer, string and {nominal, ...} attributes of different names."
        ) from exc
    types = [
        (tuple(kind) if isinstance(kind, list) else TEXT if kind == "STRING" else NUMBER)
        for _, kind in attributes
    ]
    return [name for name, _ in attributes], types


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
    except arff.ArffException as exc:
        raise UserError(
            f"{where}, line {lines[len(rows)][0]}: the row cannot be split into {width} values; "
            "check its quotes and commas."
        ) from exc
    return rows
