"""Formulas of the documentation as MathML, so that no reader needs a script from elsewhere."""

from __future__ import annotations

import html as escapes
import re

from latex2mathml.converter import convert

_FORMULA = re.compile(r'<(span|div) class="arithmatex">(.*?)</\1>', re.S)


def formulas_to_mathml(html: str) -> str:
    r"""Return a page with MathML in the place of what pymdownx.arithmatex found.

    Its generic form is ``\(...\)`` in a span, and ``\[...\]``, set apart, in a div.
    """

    def to_mathml(found: re.Match[str]) -> str:
        latex = escapes.unescape(found[2]).strip()
        return convert(latex[2:-2].strip(), display="block" if found[1] == "div" else "inline")

    return _FORMULA.sub(to_mathml, html)
