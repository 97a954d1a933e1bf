"""Make notebooks from examples of the same names, and execute them.

    python scripts/make_notebooks.py [it_pays it_does_not]

A script's docstring is the first cell, in Markdown with its first line as the heading. A line
``# %%`` begins a cell of code, ``# %% [markdown]`` one whose lines are comments. The notebooks are
executed in a new folder, and written without times and names of the machine, so that the same
results give the same file.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autosmote.reports.render.writers import write_text

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
NAMES = ("it_pays", "it_does_not")
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def cells_of(script: str) -> list[tuple[str, str]]:
    """Return a script's cells, each with its kind: "markdown" or "code"."""
    title, _, text = (ast.get_docstring(ast.parse(script)) or "").partition("\n")
    cells = [("markdown", f"# {title.rstrip('.')}\n{text}".strip())]
    _, *parts = re.split(r"^# %%(.*)\n", script, flags=re.M)
    for mark, source in zip(parts[::2], parts[1::2], strict=True):
        is_text = mark.strip() == "[markdown]"
        source = re.sub(r"^# ?", "", source, flags=re.M) if is_text else source
        cells.append(("markdown" if is_text else "code", source.strip()))
    return cells


def execute(cells: Sequence[tuple[str, str]]) -> Any:
    """Return an executed notebook of these cells."""
    from nbclient import NotebookClient
    from nbformat import v4

    make = {"markdown": v4.new_markdown_cell, "code": v4.new_code_cell}
    made = [make[kind](text, id=f"cell-{n}") for n, (kind, text) in enumerate(cells, start=1)]
    notebook = v4.new_notebook(cells=made, metadata=_METADATA)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=None,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        )
        client.execute()
    notebook.metadata = _METADATA  # the client adds the versions that are here
    return notebook


def main(argv: Sequence[str] | None = None) -> int:
    """Write the notebooks; return 0."""
    from nbformat import writes

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES, help="of scripts; default: all")
    for name in parser.parse_args(argv).names:
        path = EXAMPLES / f"{name}.ipynb"
        script = path.with_suffix(".py").read_text(encoding="utf-8")
        write_text(path, writes(execute(cells_of(script))) + "\n")
        print(f"written: {path.name}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
