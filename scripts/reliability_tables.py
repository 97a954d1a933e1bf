"""Tables of what was tried with the project, in results/reliability/ and results/own_tables/."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from autosmote.records.collected import write_csv
from autosmote.records.provenance import git_revision
from autosmote.reports.render.writers import markdown_table, write_text


def add_row(path: Path, row: dict[str, object], by: Sequence[str], n_text: int = 1) -> None:
    """Add a row to a table as CSV and Markdown, in place of the one that agrees with it in `by`.

    The revision of the code is added to the row. The first `n_text` columns are texts.
    """
    texts = {name: str(value) for name, value in row.items()}
    texts["code"] = (git_revision() or "unknown")[:12]
    rows: list[dict[str, str]] = []
    if path.exists():
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
    rows = [other for other in rows if any(other.get(name) != texts[name] for name in by)]
    rows = sorted([*rows, texts], key=lambda row: [(len(row[name]), row[name]) for name in by])
    columns = list(dict.fromkeys(name for row in (texts, *rows) for name in row))
    lines = [[row.get(name, "") for name in columns] for row in rows]
    write_csv(path, columns, [dict(zip(columns, line, strict=True)) for line in lines])
    write_text(path.with_suffix(".md"), markdown_table(columns, lines, n_text))
