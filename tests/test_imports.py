"""Imports flow one way, and nothing heavy is imported before it is needed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "autosmote"

# From the bottom to the top: a module imports from its own layer or from one below. A new
# module is put where it belongs.
LAYERS = [
    {"", "errors", "metrics", "progress"},
    {"isolation"},
    {"config"},
    {"data"},
    {"space"},
    {"scoring"},
    {"search"},
    {"sampler", "encoding"},
    {"evaluation"},
    {"records"},
    {"runs", "reports"},
    {"sweep"},
    {"run", "compare", "resample", "status"},
    {"__main__"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
HEAVY = {
    *("torch", "numba", "openml", "sklearn", "imblearn", "scipy", "pandas", "pyarrow"),
    *("matplotlib", "tensorflow", "sdv", "ctgan", "smote_variants", "optuna", "ray"),
}
FOREIGN = {"tensorflow", "sdv", "ctgan", "smote_variants", "optuna", "ray"}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py").replace("__init__", "")


def imported(path: Path) -> set[str]:
    """Names of modules that a module imports anywhere, save for type checking alone."""
    found = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write imports in full"
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_flow_one_way(path):
    name = name_of(path)
    assert name in RANK, f"put {name} into its layer in LAYERS"
    for module in imported(path):
        package, _, rest = module.partition(".")
        assert package not in {"baselines", "scripts", "tests"}
        if package == "autosmote" and (other := rest.partition(".")[0]) in RANK:
            assert RANK[other] <= RANK[name], f"{name} imports {other}, which stands above it"


def test_the_flow_has_no_circle():
    edges = {}
    for path in MODULES:
        targets = {m.split(".")[1] for m in imported(path) if m.startswith("autosmote.")}
        edges.setdefault(name_of(path), set()).update(targets - {name_of(path)})
    done: set[str] = set()
    while len(done) < len(edges):
        free = {n for n, targets in edges.items() if not (targets & edges.keys()) - done} - done
        assert free, f"a circle among {sorted(edges.keys() - done)}"
        done |= free


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('MODULES', *sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("MODULES"))
    return {module.partition(".")[0] for module in line.split()[1:]}


def test_the_package_and_the_command_import_nothing_heavy():
    assert not modules_after("import autosmote.run, autosmote.records.record") & HEAVY


def test_help_imports_nothing_heavy():
    code = """
import contextlib, io
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
    assert not modules_after(code) & (FOREIGN | {"openml"})


def test_actors_import_neither_torch_nor_openml():
    assert not modules_after("import autosmote.search.actor_pool") & {
        "torch",
        "openml",
        "hydra",
        "pandas",
    }
