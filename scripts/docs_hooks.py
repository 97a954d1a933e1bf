"""Hooks of MkDocs (`mkdocs.yml`): what the site generates, and formulas as MathML.

The home page is README.md, the changelog CHANGELOG.md; each experiment with committed tables has a
page. In a page, a line ``<!-- generated: NAME -->`` stands for what `GENERATED` makes of it, and
``<!-- include: PATH -->`` for a committed Markdown file, seen from the root; ``fold`` folds it. The
line ``(On the site: ...)`` below it is for readers of the plain file, and goes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docs_commands import (
    write_commands,
    write_experiments,
    write_groups,
    write_run_settings,
    write_sweep_settings,
    write_targets,
)
from docs_formulas import formulas_to_mathml
from docs_results import (
    fold_markdown,
    include_markdown,
    make_experiment_pages,
    write_caveats,
    write_overview,
)

ROOT = Path(__file__).resolve().parents[1]

GENERATED = {
    "commands": lambda results_dir: write_commands(),
    "run settings": lambda results_dir: write_run_settings(),
    "sweep settings": lambda results_dir: write_sweep_settings(),
    "groups": lambda results_dir: write_groups(),
    "experiments": lambda results_dir: write_experiments(),
    "make targets": lambda results_dir: write_targets(ROOT / "Makefile"),
    "results": write_overview,
    "caveats": lambda results_dir: write_caveats(),
}
"""What makes each generated part, from the folder of results."""

_PLAIN = r"(?:\n\(On the site: .*\))?"
"""What stands below a mark for who reads the plain file."""

_ROOT_PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Files of the root that the site has as pages."""


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages and the figures of the results; list the former in the navigation."""
    from mkdocs.structure.files import File

    def add(uri: str, **content: str) -> None:
        files.append(File.generated(config, uri, **content))

    add("index.md", content=make_home((ROOT / "README.md").read_text(encoding="utf-8")))
    add("changelog.md", content=(ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    listed = next(entry["Results"] for entry in config.nav if "Results" in entry)
    for page in make_experiment_pages(_results_dir(config)):
        add(page.uri, content=page.text)
        listed.append({page.title: page.uri})
        for uri, path in page.figures.items():
            add(uri, abs_src_path=str(path))
    for path in sorted((_results_dir(config) / "bench").glob("*.svg")):
        add(f"results/bench/{path.name}", abs_src_path=str(path))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Put in what is generated or included."""
    results_dir = _results_dir(config)

    def generate(mark: re.Match[str]) -> str:
        return GENERATED[mark[1]](results_dir)

    def include(mark: re.Match[str]) -> str:
        path = results_dir.parent / mark[2]
        text = fold_markdown(path) if mark[1] == "fold" else include_markdown(path)
        # A figure beside the file, as seen from the page.
        place = "../" * page.file.src_uri.count("/") + str(Path(mark[2]).parent)
        return re.sub(r"(!\[[^\]]*\]\()([\w-]+\.svg\))", rf"\1{place}/\2", text)

    markdown = link_pages(markdown, page.file.src_uri)
    markdown = re.sub(rf"^<!-- generated: ([\w ]+) -->{_PLAIN}$", generate, markdown, flags=re.M)
    return re.sub(rf"^<!-- (include|fold): (\S+) -->{_PLAIN}$", include, markdown, flags=re.M)


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Turn the page's formulas into MathML, which browsers draw without a script."""
    return formulas_to_mathml(html)


def link_pages(markdown: str, uri: str) -> str:
    """Make links of what names a page of the documentation as a file, in backticks."""
    up = "../" * uri.count("/")

    def link(name: re.Match[str]) -> str:
        path = ROOT / "docs" / name[1]
        if not path.is_file():
            return name[0]
        title = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        return f"[{title}]({up}{name[1]})"

    return re.sub(r"`docs/([\w-]+\.md)`", link, markdown)


def make_home(readme: str) -> str:
    """Return README as the site's home page: links and pictures as seen from there."""
    text = re.sub(
        r'<picture>.*?srcset="docs/([^"]+)".*?<img[^>]*src="docs/([^"]+)"[^>]*alt="([^"]+)"[^>]*>'
        r".*?</picture>",
        r"![\3](\2#only-light)\n![\3](\1#only-dark)",
        readme,
        flags=re.S,
    )
    text = re.sub(r"\]\(docs/", "](", text)

    def other(link: re.Match[str]) -> str:
        page = _ROOT_PAGES.get(link[2])
        return f"[{link[1]}]({page})" if page else link[1]

    # What is left of links to files is to those that the site does not have.
    return re.sub(r"(?<!!)\[([^\]]+)\]\(([A-Z][\w.]*)\)", other, text)


def _results_dir(config: Any) -> Path:
    return Path(config.config_file_path).resolve().parent / config.extra["results_dir"]
