"""Render the page: a Jinja2 template that escapes all text, its style and script beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
    return environment.get_template("page.html.jinja").render(
        sections=sections,
        style=(_FOLDER / "page.css").read_text(encoding="utf-8"),
        script=(_FOLDER / "page.js").read_text(encoding="utf-8"),
    )


def _svg(figure: Figure) -> str:
    """Return a figure as SVG in base64, without a date."""
    buffer = io.BytesIO()
    with drawing.style():
        figure.canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return base64.b64encode(buffer.getvalue()).decode()
