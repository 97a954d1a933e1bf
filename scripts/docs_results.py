"""Pages of results, from the tables, figures and records that are committed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from docs_markup import for_site, plain, with_code

from autosmote.errors import UserError
from autosmote.reports.findings import CAVEATS
from autosmote.reports.report import TITLES, build_report, list_experiments

BUDGETS = ("paper", "quick")
"""Those that are shown, the first that has tables; others are tests, or parts of one."""


@dataclass(frozen=True)
class ExperimentPage:
    """A page of the site, and the figures in it by their place on the site."""

    title: str
    uri: str
    text: str
    figures: dict[str, Path]


def list_shown(results_dir: Path) -> list[tuple[str, str]]:
    """Return the experiments that have committed tables, each with the budget that is shown."""
    shown: dict[str, str] = {}
    for experiment, budget in list_experiments(results_dir):
        has_tables = any((results_dir / experiment / "tables" / budget).glob("*.md"))
        if budget in BUDGETS and has_tables:
            shown.setdefault(experiment, budget)
    return list(shown.items())


def make_experiment_pages(results_dir: Path) -> Iterator[ExperimentPage]:
    """Make a page for each experiment that has tables; none for those that are not there."""
    for experiment, budget in list_shown(results_dir):
        yield _make_page(results_dir, experiment, budget)


def _make_page(results_dir: Path, experiment: str, budget: str) -> ExperimentPage:
    title = TITLES.get(experiment, experiment)
    findings, order = _read_report(results_dir, experiment, budget)
    folder = results_dir / experiment / "figures" / budget
    figures = {f"results/{experiment}/{path.name}": path for path in sorted(folder.glob("*.svg"))}
    # Its tables need the room that the list of sections would take.
    parts = [f"---\nhide: [toc]\n---\n\n# {title}", _how_much(budget)]
    if findings:
        parts += ["## What the records say", "\n".join(f"- {plain(one)}" for one in findings)]
    if figures:
        parts += ["## Figures", *_write_figures(figures)]
    parts += ["## Tables", *_write_tables(results_dir / experiment / "tables" / budget, order)]
    return ExperimentPage(title, f"results/{experiment}.md", "\n\n".join(parts), figures)


def _read_report(results_dir: Path, experiment: str, budget: str) -> tuple[list[str], list[str]]:
    """Return the generated sentences, and the names of the tables in their order."""
    try:
        report = build_report(results_dir, experiment, budget)
    except UserError as error:
        return [f"What the records say could not be computed: {error}"], []
    return report.findings, [table.name for table in report.tables]


def _how_much(budget: str) -> str:
    if budget == "paper":
        return "The paper's protocol, from the records that are committed with the code."
    return (
        f"Of the budget `{budget}`, which is smaller than the paper's protocol "
        "([sweeps](../sweeps.md)); from the records that are committed with the code."
    )


def _write_figures(figures: dict[str, Path]) -> Iterator[str]:
    for uri, path in figures.items():
        yield f"![{path.stem.replace('_', ' ')}]({uri.removeprefix('results/')})"
        if caption := read_caption(path):
            yield plain(caption)


def read_caption(svg: Path) -> str:
    """Return the caption that a figure's file holds as its title."""
    with svg.open(encoding="utf-8") as file:
        found = re.search(r"<title>(.*?)</title>", file.read(4000), re.S)
    return unescape(found[1]) if found else ""


def _write_tables(folder: Path, order: list[str]) -> Iterator[str]:
    """Yield the first table, and the others folded, without those that have no rows."""
    tables = sorted(
        folder.glob("*.md"),
        key=lambda path: (order.index(path.stem) if path.stem in order else len(order), path.stem),
    )
    for n, path in enumerate(tables):
        caption, _, rest = path.read_text(encoding="utf-8").partition("\n")
        table = put_overall_first(for_site(rest.strip()))
        if n == 0:
            yield f"{caption}\n\n{table}"
        elif re.search(r"^\| (?!Method \||---)", table, re.M):
            title = caption.strip().strip("*").replace("\\", "").replace('"', "'")
            yield f'??? note "{title}"\n\n{textwrap.indent(table, " " * 4)}'


def put_overall_first(table: str) -> str:
    """Move the columns over all datasets beside the names, where they need no scrolling."""
    lines = [line for line in table.splitlines() if line.startswith("|")]
    if len(lines) < 2:
        return table
    head, marks = _cells(lines[0]), _cells(lines[1])
    n_names = next((n for n, mark in enumerate(marks) if mark.endswith(":")), len(marks))
    overall = [n for n, name in enumerate(head) if n >= n_names and name.startswith("Overall")]
    others = [n for n in range(n_names, len(head)) if n not in overall]
    order = [*range(n_names), *overall, *others]

    def moved(line: str) -> str:
        cells = _cells(line)
        return "| " + " | ".join(cells[n] for n in order) + " |"

    return "\n".join(moved(line) if line.startswith("|") else line for line in table.splitlines())


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def include_markdown(path: Path) -> str:
    """Return a committed Markdown file; one that is not there is named.

    Results may be fewer than the page knows.
    """
    if not path.is_file():
        return f"(There is no {path.name} here.)"
    return for_site(path.read_text(encoding="utf-8"))


def fold_markdown(path: Path) -> str:
    """Return a committed Markdown file in a block that opens by a click, under its heading."""
    text = include_markdown(path)
    heading = re.match(r"# (.+)\n", text)
    title = heading[1] if heading else f"All rows: {path.name}"
    text = text[heading.end() :] if heading else text
    # No headings, which would be in the list of the page's sections.
    text = re.sub(r"^#+ (.+)$", r"**\1**", text.strip(), flags=re.M)
    return f'??? note "{title}"\n\n{textwrap.indent(text, " " * 4)}'


def write_overview(results_dir: Path) -> str:
    """Return the list of the experiments' pages."""
    lines = []
    for experiment, budget in list_shown(results_dir):
        title = TITLES.get(experiment, experiment)
        lines.append(f"- [{title}](results/{experiment}.md), budget `{budget}`")
    return "\n".join(lines) or "No experiment has tables here yet."


def write_caveats() -> str:
    """Return what weakens all of these results, as a list."""
    return "\n".join(f"- {with_code(caveat)}" for caveat in CAVEATS)
