"""Read and write separated text (CSV, TSV): its rows as they stand in the file.

The rows are split by the csv module. Encoding and separator are found out where they are not given;
what was found is said, with the option that overrides it. Beside its cells each row keeps the text
that it was read from, so that it can be written again byte for byte.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autosmote.errors import UserError

SEPARATORS = ",;\t|"
_LINE_ENDS = ("\r\r\n", "\r\n", "\r", "\n")
"""The first is what Windows makes of the second where it is written as text."""
_SPOKEN = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "blanks"}
_SAMPLE_ROWS = 200
_SAMPLE_BYTES = 1 << 18
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class TextFormat:
    """How a file of separated text is written.

    Attributes
    ----------
    sep, encoding, line_end : str
    mark : bytes
        What stands before the text.
    is_exact : bool
        Whether the text gives the file's bytes again in its encoding.
    """

    sep: str = ","
    encoding: str = "utf-8"
    line_end: str = "\n"
    mark: bytes = b""
    is_exact: bool = True


@dataclass(frozen=True)
class Guess:
    """What was found out about a file, the option that overrides it, and what to do without one."""

    what: str
    option: str
    remedy: str


@dataclass
class TextRows:
    """The rows of a file of separated text.

    Attributes
    ----------
    header : list of str
        Stripped names, in the order of the file.
    rows : list of list of str
        The cells as they are, blanks included; empty lines are not among them.
    raw : list of str
        The text of the header line and then of each row, with its line end and the empty lines
        after it; those before the header are the header's.
    format : TextFormat
    guesses : list of Guess
    """

    header: list[str]
    rows: list[list[str]]
    raw: list[str]
    format: TextFormat
    guesses: list[Guess] = field(default_factory=list)


def read_text_rows(path: Path, *, sep: str | None = None, encoding: str | None = None) -> TextRows:
    """Read a file of separated text, packed by gzip or not.

    Parameters
    ----------
    path : Path
    sep, encoding : str, optional
        Found out where not given.

    Raises
    ------
    UserError
        When the file is not such text, or a row has another number of values than the header.
    """
    guesses: list[Guess] = []
    data = unpacked(path)
    text, encoding, mark = _decoded(data, encoding, path.name, guesses)
    if not text.strip():
        raise UserError(f"{path.name} is empty; it needs a header line and rows.")
    if sep is None:
        sep = _find_separator(text)
        if sep != ",":
            spoken = _SPOKEN.get(sep, repr(sep))
            what = f"values are separated by {spoken}"
            guesses.append(Guess(what, "--sep", "separate them by commas"))
    elif len(sep) != 1 or sep in '"\r\n':
        raise UserError(f"The separator {sep!r} is not valid; give one character, such as ';'.")
    records = _records(text, sep, path.name)
    names, head = [name.strip() for name in records[0][0]], records[0][1]
    for cells, _, line in records:
        if len(cells) != len(names):
            spoken = _SPOKEN.get(sep, f"'{sep}'")
            raise UserError(
                f"{path.name}, line {line}: {len(cells)} values where the header names "
                f"{len(names)} columns; correct the row ({spoken} between values)."
            )
    after = head[len(head.rstrip("\r\n")) :]
    line_end = next((end for end in _LINE_ENDS if after.startswith(end)), "\n")
    is_exact = text.encode(encoding, "replace") == data[len(mark) :]
    return TextRows(
        header=names,
        rows=[cells for cells, _, _ in records[1:]],
        raw=[raw for _, raw, _ in records],
        format=TextFormat(sep, encoding, line_end, mark, is_exact),
        guesses=guesses,
    )


def unpacked(path: Path) -> bytes:
    """Return a file's bytes, unpacked where its suffix is .gz."""
    data = path.read_bytes()
    if path.suffix.lower() != ".gz":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as exc:
        raise UserError(f"{path.name} is damaged or not packed by gzip; pack it again.") from exc


def _decoded(
    data: bytes, encoding: str | None, where: str, guesses: list[Guess]
) -> tuple[str, str, bytes]:
    """Return the text, the name of its encoding, and the mark before it."""
    mark, marked = next(((m, name) for m, name in _MARKS if data.startswith(m)), (b"", ""))
    if encoding is not None:
        try:
            name = codecs.lookup(encoding).name.removesuffix("-sig")
            if mark and marked.startswith(name):
                name = marked
            else:
                mark = b""
            name += "-le" * (name in ("utf-16", "utf-32"))  # as without a mark these are read
            return data[len(mark) :].decode(name), name, mark
        except LookupError as exc:
            raise UserError(
                f"There is no encoding '{encoding}'; utf-8, utf-16 and cp1252 are usual ones."
            ) from exc
        except UnicodeError as exc:
            raise UserError(
                f"{where} is not text in {encoding}; give another encoding, or save it as UTF-8."
            ) from exc
    guess = marked or "utf-8"
    try:
        text = data[len(mark) :].decode(guess)
        if not marked and _is_of_two_bytes(data):
            raise UnicodeError("UTF-16 without its mark")
    except UnicodeError as exc:
        guess, mark = _guess_encoding(data), b""
        try:
            text = data.decode(guess)
        except (UnicodeError, LookupError):
            guess = ""
        if not guess or "\x00" in text:
            raise UserError(
                f"{where} is not text in UTF-8; save it as UTF-8, or name its encoding."
            ) from exc
    if guess != "utf-8":
        what = f"text is read as {guess}"
        guesses.append(Guess(what, "--encoding", "save it as UTF-8"))
    return text, guess, mark


def _is_of_two_bytes(data: bytes) -> bool:
    """Return whether every other byte is zero, as of western letters in UTF-16."""
    sample = data[:_SAMPLE_BYTES]
    return len(sample) > 1 and not (any(sample[::2]) and any(sample[1::2]))


def _guess_encoding(data: bytes) -> str:
    """Return the likely encoding of text that is not UTF-8; "" for what is no text."""
    from charset_normalizer import from_bytes

    if b"\x00" in data[:_SAMPLE_BYTES]:
        return ""
    # Of the 8-bit encodings Windows' western one is by far the most frequent, and short texts
    # with a few accents fit many: another is taken where it cannot be read as this one.
    try:
        data.decode("cp1252")
        return "cp1252"
    except UnicodeDecodeError:
        best = from_bytes(data[:_SAMPLE_BYTES]).best()
        return best.encoding if best else ""


def _find_separator(text: str) -> str:
    """Return the separator by which the first rows have the same number of values.

    csv.Sniffer also guesses quotes and may take a letter; its patterns take quadratic time.
    """
    sample = text[:_SAMPLE_BYTES]
    found = {}
    for sep in SEPARATORS:
        widths = []
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=sep)
        try:
            for row in reader:
                if row:
                    widths.append(len(row))
                if len(widths) == _SAMPLE_ROWS:
                    break
        except csv.Error:
            pass
        if len(sample) < len(text) and len(widths) > 1 and len(widths) < _SAMPLE_ROWS:
            widths.pop()  # cut off by the sample's end
        found[sep] = (len(set(widths)) == 1 and widths[0] > 1, widths[0] if widths else 0)
    return max(SEPARATORS, key=lambda sep: (*found[sep], sep == ","))


class _Recorded:
    """An iterator of lines that remembers those that were taken since the last look."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._taken.append(line)
        return line

    def taken(self) -> str:
        text = "".join(self._taken)
        self._taken.clear()
        return text


def _records(text: str, sep: str, where: str) -> list[tuple[list[str], str, int]]:
    """Return each row that is not empty: its cells, its text, and the number of its last line."""
    lines = _Recorded(io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=sep, strict=True)
    found: list[tuple[list[str], list[str], int]] = []
    before: list[str] = []
    try:
        for cells in reader:
            raw = lines.taken()
            if cells:
                found.append((cells, [*before, raw], reader.line_num))
                before = []
            else:
                (found[-1][1] if found else before).append(raw)
    except csv.Error as exc:
        raise UserError(
            f"{where}, line {reader.line_num}: {exc}; check the quotes of that row."
        ) from exc
    return [(cells, "".join(raw), line) for cells, raw, line in found]
