"""Render the page: a Jinja2 template that escapes all text, its style and script beside it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autosmote.reports.render.drawing import Figure
from autosmote.reports.render.layout import lay_out
from autosmote.reports.render.pictures import Picture, make_pictures
from autosmote.reports.render.table import Table

if TYPE_CHECKING:
    from markupsafe import Markup

_FOLDER = Path(__file__).parent
LIMIT = 1_450_000
"""Bytes that a page should not exceed: later figures are left out of a longer one."""
_LONG_WORD = 12
"""Characters from which on a name may be broken, between words written together."""


@dataclass(frozen=True)
class Section:
    """A section of the page; its parts are shown in this order.

    Attributes
    ----------
    key : str
        What links to it name.
    title : str
    verdict : str
        The sentence to read if only one is read.
    warning : str
    figures : list of Figure
        The first is shown, the others are folded.
    missing : list of str
        A summary, and the list that it unfolds.
    texts : list of str
    tables : list of Table
    source : str
    folder : str
        Where the files of the figures are.
    is_folded : bool
        Texts and tables are shown when their titles are clicked.
    """

    key: str
    title: str
    verdict: str = ""
    warning: str = ""
    figures: Sequence[Figure] = ()
    missing: Sequence[str] = ()
    texts: Sequence[str] = ()
    tables: Sequence[Table] = ()
    source: str = ""
    folder: str = ""
    is_folded: bool = True


def render(sections: Sequence[Section], limit: int = LIMIT) -> str:
    """Return the page as HTML that needs no other file, its later pictures up to so many bytes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["anchor"] = _anchor
    environment.filters["breakable"] = _breakable
    environment.filters["lay_out"] = lay_out
    # Each between its tags with the line end that the template sets before it.
    style, script = (
        "\n" + (_FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "page.js")
    )
    template = environment.get_template("page.html.jinja")

    def fill(pictures: Sequence[Sequence[Picture]]) -> str:
        return template.render(
            sections=list(zip(sections, pictures, strict=True)),
            style=style,
            script=script,
            style_hash=_hash(style),
            script_hash=_hash(script),
        )

    size = len(fill([[] for _ in sections]).encode("utf-8"))
    figures = [(section.figures, section.folder) for section in sections]
    return fill(make_pictures(figures, limit - size))


def _breakable(text: str) -> Markup:
    """Return escaped text in which long words may be broken: before capitals, after strokes.

    A number stays in one line with what it is, as in "(n = 8)".
    """
    from markupsafe import Markup

    def parts(word: str) -> list[str]:
        is_name = len(word) >= _LONG_WORD and re.fullmatch(r"[\w/]+", word)
        return re.split(r"(?<=[a-z])(?=[A-Z])|(?<=/)", word) if is_name else [word]

    words = re.sub(r"\(n = (?=\d)", "(n\u00a0=\u00a0", text).split(" ")
    return Markup(" ").join(Markup("<wbr>").join(parts(word)) for word in words)


def _anchor(key: str) -> str:
    """Return a section's key as an identifier: in a link, too, no character then means anything.

    A key with other characters gets a digest, so that no two keys share an identifier.
    """
    safe = re.sub(r"[^\w.=-]+", "-", key, flags=re.ASCII)
    return safe if safe == key else f"{safe}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def _hash(content: str) -> str:
    """Return what the content security policy calls the one style or script that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
