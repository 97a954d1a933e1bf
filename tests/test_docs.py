"""Documents name files, modules and functions that exist; documents that code cites exist.

In backticks, `folder/file` is a path from the root, `folder/file.py:name` a class, function or
constant at the top of a module (`name.method` a method), `autosmote.module.name` an import path.
"""

import ast
import io
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest
from documents import DOCUMENTS, ROOT

FOLDERS = ("autosmote", "baselines", "conf", "docs", "examples", "results", "scripts", "tests")
# Made by commands, not committed, or folders of another repository's layout.
MADE = re.compile(r"results/(runs|report|<)|build/|.*[<{*]")
CODE = sorted(
    path
    for folder in ("autosmote", "baselines", "conf", "examples", "scripts", "tests")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".yaml")
)


def quoted(document: Path) -> list[str]:
    """Return what stands in single backticks outside fenced blocks."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.findall(r"`([^`\n]+)`", text)


@cache
def names_in(path: Path) -> set[str]:
    """Return the names that a module defines, methods as Class.method."""
    found: set[str] = set()

    def add(body: list[ast.stmt], prefix: str = "") -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(prefix + node.name)
                if isinstance(node, ast.ClassDef) and not prefix:
                    add(node.body, f"{node.name}.")
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found.update(prefix + t.id for t in targets if isinstance(t, ast.Name))
            elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                add(node.body, prefix)  # public names of a package that imports them when used
            elif isinstance(node, ast.ImportFrom) and not prefix:
                found.update(alias.asname or alias.name for alias in node.names)

    add(ast.parse(path.read_text(encoding="utf-8")).body)
    return found


def missing_path(word: str) -> str | None:
    """Say what does not exist of a quoted path, if anything."""
    name, _, inner = word.partition(":")
    path = ROOT / name
    if not path.exists():
        return f"{name} does not exist"
    return f"{name} has no {inner}" if inner and inner not in names_in(path) else None


def missing_module(word: str) -> str | None:
    """Say what does not exist of a dotted import path, if anything."""
    parts = word.split(".")
    for n in range(len(parts), 0, -1):
        base = ROOT.joinpath(*parts[:n])
        module = next((m for m in (base.with_suffix(".py"), base / "__init__.py") if m.exists()), 0)
        if module:
            inner = ".".join(parts[n:])
            return f"{word} is not there" if inner and inner not in names_in(module) else None
    return f"{word} is not there"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_what_exists(document):
    wrong = []
    for word in quoted(document):
        if " " in word or MADE.match(word):
            continue
        if word.startswith(tuple(f"{folder}/" for folder in FOLDERS)):
            wrong.append(missing_path(word))
        elif re.fullmatch(r"(autosmote|baselines)(\.\w+)+", word):
            wrong.append(missing_module(word))
    assert not [text for text in wrong if text]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_of_documents_lead_to_files(document):
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    inside = [target for target in targets if not re.match(r"https?://|#", target)]
    missing = [t for t in inside if not (document.parent / t.partition("#")[0]).exists()]
    assert not missing


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130


def comments_and_docstrings(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yaml":
        return "\n".join(line.partition("#")[2] for line in text.splitlines())
    found = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    ]
    # Also the strings below constants and fields, which say what these are.
    found += [
        node.value.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    return "\n".join(found)


def test_documents_that_code_cites_exist():
    wrong = []
    for path in CODE:
        for cited in re.findall(r"[\w./<>-]+\.md\b", comments_and_docstrings(path)):
            is_output = "<" in cited or f'"{cited}"' in path.read_text(encoding="utf-8")
            if not is_output and not (ROOT / cited).exists():
                wrong.append(f"{path.relative_to(ROOT)} cites {cited}")
    assert not wrong
