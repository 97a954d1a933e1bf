"""Figures as pictures inside the page: small, whole, and the same to the byte each time."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from autosmote.errors import let_interrupts_through
from autosmote.records.figure_style import style, to_svg
from autosmote.reports.render.drawing import Figure

_LARGE = 60_000
"""Characters from which on a picture of pixels may be smaller."""
_DPI = 160
_PIXELS = 120
"""Of the page, for an inch of a figure: its small letters are of 7 points."""
_PLACES = re.compile(r' (d|x|y|x1|x2|y1|y2|width|height|points|transform)="([^"]+)"')
_LONG = re.compile(r"-?\d+\.\d{3,}")
_FONTS = "'DejaVu Sans', Verdana, Arial, sans-serif"


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes
    ----------
    caption : str
    source : str
        What `img` shows; empty where the figure could not be drawn or the page has no room.
    width, height : int
        In pixels of the page.
    place : str
        The file that it is in as well; empty where it could not be drawn.
    """

    caption: str
    source: str
    width: int
    height: int
    place: str


def make_pictures(
    sections: Sequence[tuple[Sequence[Figure], str]], limit: int
) -> list[list[Picture]]:
    """Make the pictures of all sections.

    The first of each section is always there. Where all together are too large, later ones are left
    out, and their `place` says where they are.

    Parameters
    ----------
    sections : sequence of (sequence of Figure, str)
        Figures, the most important one first, and the folder of their files.
    limit : int
        Characters.
    """
    made: list[list[Picture]] = [[] for _ in sections]
    rounds = max((len(figures) for figures, _ in sections), default=0)
    for i in range(rounds):
        for (figures, folder), pictures in zip(sections, made, strict=True):
            if i < len(figures):
                picture = _make(figures[i], folder, limit if i else None)
                limit -= len(picture.source)
                pictures.append(picture)
    return made


def _make(figure: Figure, folder: str, room: int | None) -> Picture:
    width, height = (round(_PIXELS * inches) for inches in figure.canvas.get_size_inches())
    try:
        source = _embed(figure)
    except Exception as error:  # which costs the figure alone
        let_interrupts_through(error)
        return Picture(figure.caption, "", width, height, "")
    place = f"{folder}/{figure.name}.svg"
    source = source if room is None or len(source) <= room else ""
    return Picture(figure.caption, source, width, height, place)


def _embed(figure: Figure) -> str:
    """Return a figure as the address of an image: SVG, or pixels where these are fewer."""
    with style():
        found = _as_address(_shorten(to_svg(figure.canvas)))
        if len(found) > _LARGE:
            buffer = io.BytesIO()
            lossless = {"lossless": True, "quality": 100, "method": 6}
            figure.canvas.savefig(buffer, format="webp", dpi=_DPI, pil_kwargs=lossless)
            encoded = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
            found = min(found, encoded, key=len)
    return found


def _shorten(svg: str) -> str:
    """Return an SVG without what nobody sees: comments, line ends and the third decimal."""
    svg = re.sub(
        r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.S
    )
    svg = svg.replace("'DejaVu Sans'", _FONTS)
    svg = _PLACES.sub(lambda found: f' {found[1]}="{_LONG.sub(_round, found[2])}"', svg)
    svg = re.sub(r">[ \t\r\n]+<", "><", svg)
    return re.sub(r"[ \t\r\n]+", " ", svg).strip()  # a no-break space stays


def _round(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _as_address(svg: str) -> str:
    """Return an SVG as a data address in which no character means anything in HTML."""
    return "data:image/svg+xml," + quote(svg, safe=" !$()*+,-./:;=?@[]^_`{|}~")
