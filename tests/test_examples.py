"""Run every example, and check what it prints; a notebook is its script, executed."""

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
SHOWN = {
    "it_pays": [
        r"tuned threshold +-?\d\.\d+",
        r"[Ss]ynthetic rows",
        r"macro-F1 on new rows: 0\.\d+",
    ],
    "it_does_not": [r"tuned threshold +-?\d\.\d+", r"macro-F1 on new rows: 0\.\d+"],
    "pipeline": [r"as it is +macro-F1 0\.\d+", r"AutoSMOTE +macro-F1 0\.\d+"],
    "own_scorer": [r"AutoSMOTE: +-?\d\.\d+", r"class weights: -?\d\.\d+"],
    "categories": [
        r"contract +category",
        r"months +int64",
        r"paperless +bool",
        r"as it is, 0\.\d+",
    ],
}
CONCLUDED = {
    "it_pays": "Synthetic rows help here",
    "it_does_not": "as good here and costs nothing",
}
"""What the comparison of each notebook says in the end."""
FEW = {"iterations": 5, "folds": 2, "repeats": 1, "n_jobs": 1}
"""Arguments that the scripts of the notebooks are run with."""


def test_examples_are_all_listed_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SHOWN)
    assert {path.stem for path in EXAMPLES.glob("*.ipynb")} == set(CONCLUDED)


@pytest.mark.parametrize("name", SHOWN)
def test_example_prints_what_it_shows(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"{name}.py"])
    script = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    if name in CONCLUDED:
        for argument, few in FEW.items():
            script = re.sub(rf"\b{argument}=-?\d+", f"{argument}={few}", script)
    exec(compile(script, f"{name}.py", "exec"), {"__name__": "__main__"})
    shown = capsys.readouterr().out
    for pattern in SHOWN[name]:
        assert re.search(pattern, shown), shown


@pytest.mark.parametrize("name", CONCLUDED)
def test_example_with_a_notebook_is_short(name):
    assert len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) < 50


@pytest.mark.parametrize("name", CONCLUDED)
def test_notebook_is_its_script_executed(name, monkeypatch):
    """Fails where the script has changed: `make notebooks` makes the notebook again."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from make_notebooks import cells_of

    cells = json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    script = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    found = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    assert found == cells_of(script)
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    printed = "".join("".join(output.get("text", "")) for output in outputs)
    assert CONCLUDED[name] in printed
    assert all(re.search(pattern, printed) for pattern in SHOWN[name])
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output.get("name") == "stderr"]


def test_cells_are_a_scripts_docstring_text_and_code(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from make_notebooks import NAMES, cells_of

    script = '"""A title.\n\nMore.\n"""\n\n# %%\nx = 1\n\n# %% [markdown]\n# Said:\n#\n# *y*\n'
    assert cells_of(script) == [
        ("markdown", "# A title\n\nMore."),
        ("code", "x = 1"),
        ("markdown", "Said:\n\n*y*"),
    ]
    assert set(NAMES) == set(CONCLUDED)
