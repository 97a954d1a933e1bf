"""Tables of what was tried to break the project, in results/reliability/."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from autosmote.records.provenance import git_revision
from autosmote.reports.render.writers import markdown_table


def add_row(path: Path, row: dict[str, object], by: Sequence[str]) -> None:
    """Add a row to a table as CSV and Markdown, in place of the one that agrees with it in `by`.

    The revision of the code is added to the row.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = {name: str(value) for name, value in row.items()}
    texts["code"] = (git_revision() or "unknown")[:12]
    rows = list(csv.DictReader(path.open(newline=""))) if path.exists() else []
    rows = [other for other in rows if any(other[name] != texts[name] for name in by)]
    rows = sorted([*rows, texts], key=lambda row: [row[name] for name in by])
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(texts))
        writer.writeheader()
        writer.writerows(rows)
    lines = [[row[name] for name in texts] for row in rows]
    path.with_suffix(".md").write_text(markdown_table(list(texts), lines, n_text=1))
