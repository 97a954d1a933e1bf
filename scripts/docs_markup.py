"""Texts of the code and of records as Markdown of the site."""

from __future__ import annotations

import re

from autosmote.reports.render.writers import escape


def for_site(markdown: str) -> str:
    """Write out the one escape that GitHub knows and Python-Markdown does not."""
    return markdown.replace("\\<", "&lt;")


def plain(text: str) -> str:
    """Return a text of records as one line in which nothing is markup."""
    return for_site(escape(text))


def with_code(text: str) -> str:
    """Return a text of the code as one line in which backticks alone are markup."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        part.replace("|", r"\|")
        if part.startswith("`")
        else re.sub(r"([|*_\\])", r"\\\1", part).replace("<", "&lt;")
        for part in parts
    )
