"""Render the page: a Jinja2 template that escapes all text, its style and script beside it."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autosmote.errors import let_interrupts_through
from autosmote.reports.render import drawing
from autosmote.reports.render.drawing import Figure
from autosmote.reports.render.table import Table

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Section:
    """A section of the page; its parts are shown in this order.

    Attributes
    ----------
    key : str
        What links to it name.
    title : str
    warning : str
    missing : list of str
        A summary, and the list that it unfolds.
    texts : list of str
    tables : list of Table
    figures : list of Figure
    folded : list of Table
        Shown when their caption is clicked.
    source : str
    """

    key: str
    title: str
    warning: str = ""
    missing: Sequence[str] = ()
    texts: Sequence[str] = ()
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    folded: Sequence[Table] = ()
    source: str = ""


def render(sections: Sequence[Section]) -> str:
    """Return the page as HTML that needs no other file."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["svg"] = _svg
    environment.filters["anchor"] = _anchor
    # Each between its tags with the line end that the template sets before it.
    style, script = (
        "\n" + (_FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "page.js")
    )
    return environment.get_template("page.html.jinja").render(
        sections=sections,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _svg(figure: Figure) -> str:
    """Return a figure as SVG in base64, without a date; nothing where matplotlib refuses it."""
    buffer = io.BytesIO()
    try:
        with drawing.style():
            figure.canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    except Exception as error:  # as for a name with a dollar sign, which begins a formula
        let_interrupts_through(error)
        return ""
    return base64.b64encode(buffer.getvalue()).decode()


def _anchor(key: str) -> str:
    """Return a section's key as an identifier: in a link, too, no character then means anything.

    A key with other characters gets a digest, so that no two keys share an identifier.
    """
    safe = re.sub(r"[^\w.=-]+", "-", key, flags=re.ASCII)
    return safe if safe == key else f"{safe}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def _hash(content: str) -> str:
    """Return what the content security policy calls the one style or script that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
