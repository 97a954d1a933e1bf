"""The reference of the command line, from the parsers and schemas that the commands use."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import textwrap
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from docs_markup import with_code

from autosmote.__main__ import COMMANDS
from autosmote.config.groups import load_sampler
from autosmote.config.names import CONF_DIR, available
from autosmote.config.schema import Config
from autosmote.reports.render.writers import markdown_table
from autosmote.reports.report import TITLES
from autosmote.sweep.settings import SweepConfig


class Setting(NamedTuple):
    """A setting of a schema: its key, its default as it is typed, and what it means."""

    key: str
    default: str
    meaning: str


def write_commands() -> str:
    """Return a section for each command for a table of one's own."""
    parts = []
    for name, module in COMMANDS.items():
        parser: argparse.ArgumentParser = import_module(module)._parser()
        parts += [f"### autosmote {name}", str(parser.description), _write_options(parser)]
    return "\n\n".join(parts)


def _write_options(parser: argparse.ArgumentParser) -> str:
    rows = []
    for action in parser._actions:  # argparse has no public list
        if action.dest == "help":
            continue
        names = list(action.option_strings) or [action.dest.upper()]
        value = action.metavar or (None if action.nargs == 0 else action.dest.upper())
        if action.choices:
            value = "{" + ",".join(map(str, action.choices)) + "}"
        if action.option_strings and value:
            names[-1] += f" {value}"
        meaning = (action.help or "") % (vars(action) | {"prog": parser.prog})
        if action.required and action.option_strings:
            meaning = f"{meaning} (required)"
        rows.append([", ".join(f"`{name}`" for name in names), with_code(meaning)])
    return markdown_table(["option", "meaning"], rows, 2)


def write_run_settings() -> str:
    """Return the table of the settings of one run."""
    return _write_settings(read_settings(Config))


def write_sweep_settings() -> str:
    """Return the table of the settings of a sweep that a run does not have."""
    shared = {setting.key for setting in read_settings(Config)}
    return _write_settings([s for s in read_settings(SweepConfig) if s.key not in shared])


def _write_settings(settings: list[Setting]) -> str:
    rows = [[f"`{s.key}=`", f"`{s.default}`" if s.default else "", s.meaning] for s in settings]
    return markdown_table(
        ["setting", "default", "meaning"], [[a, b, with_code(c)] for a, b, c in rows], 3
    )


def read_settings(schema: type[Any], prefix: str = "") -> list[Setting]:
    """Return the settings of a dataclass and of those in it, with the texts below its fields.

    Python keeps no docstrings of fields, so they are read from the source.
    """
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(schema))).body
    assert isinstance(tree, ast.ClassDef)
    found: list[Setting] = []
    types = inspect.get_annotations(schema, eval_str=True)
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        name = node.target.id
        if is_dataclass(types[name]):
            found += read_settings(types[name], f"{prefix}{name}.")
            continue
        meaning = ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            meaning = " ".join(str(following.value.value).split())
        found.append(Setting(f"{prefix}{name}", _default(node.value), meaning))
    return found


def _default(value: ast.expr | None) -> str:
    """Return a default as the command line has it; none where the group's file gives it."""
    if isinstance(value, ast.Constant):
        words = {None: "null", True: "true", False: "false"}
        if isinstance(value.value, bool | None):
            return words[value.value]
        text = str(value.value)
        return "the dataset's" if text.startswith("${dataset.") else text
    if isinstance(value, ast.Call):  # field(default_factory=...)
        return {"list": "[]", "dict": "{}"}.get(ast.unparse(value.keywords[0].value), "")
    return ""


def write_groups() -> str:
    """Return the options of each group: datasets, classifiers, samplers, searches."""
    parts = []
    for group in ("dataset", "clf", "search"):
        rows = [[f"`{group}={name}`", _describe(group, name)] for name in available(group)]
        parts += [f"### {group}", markdown_table(["option", "what it is"], rows, 2)]
    parts += ["### sampler", _write_samplers()]
    return "\n\n".join(parts)


def _write_samplers() -> str:
    names = available("sampler")
    groups = [name for name in names if load_sampler(name).kind == "group"]
    rows = [
        [f"`sampler={name}`", _describe("sampler", name)]
        for name in [*groups, *(name for name in names if name not in groups)]
        if not name.startswith("sv_")
    ]
    variants = ", ".join(f"`{name}`" for name in names if name.startswith("sv_"))
    return (
        markdown_table(["option", "what it is"], rows, 2)
        + f"\nVariants of SMOTE, from smote-variants: {variants}."
    )


def _describe(group: str, name: str) -> str:
    """Return the comment that an option's file begins with, else the class that it names."""
    text = (CONF_DIR / group / f"{name}.yaml").read_text(encoding="utf-8")
    if comment := _leading_comment(text):
        return with_code(comment)
    path = re.search(r"^ +sampler: (\S+)$|^_target_: (\S+)$", text, re.M)
    return f"`{path[1] or path[2]}`" if path else ""


def _leading_comment(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if line.startswith("# @package"):
            continue
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(lines)


def write_experiments() -> str:
    """Return the tables of experiments and of budgets."""
    parts = []
    for group, head in (("experiment", "experiment"), ("budget", "budget")):
        rows = []
        for name in available(group):
            text = (CONF_DIR / group / f"{name}.yaml").read_text(encoding="utf-8")
            rows.append(
                [f"`{group}={name}`", with_code(_leading_comment(text) or TITLES.get(name, ""))]
            )
        parts.append(markdown_table([head, "what it is"], rows, 2))
    return "\n\n".join(parts)


def write_targets(makefile: Path) -> str:
    """Return the table of the Makefile's targets, as `make` alone prints them."""
    targets = re.findall(r"^([a-z0-9-]+):.*## (.+)$", makefile.read_text(encoding="utf-8"), re.M)
    rows = [[f"`make {name}`", with_code(what)] for name, what in targets]
    return markdown_table(["command", "what it does"], rows, 2)
