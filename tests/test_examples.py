"""Run every example, and check what it prints."""

import re
import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SHOWN = {
    "quick_start": [r"\d+ synthetic rows of class 1", r"test rows, with them: macro-F1 0\.\d+"],
    "pipeline": [r"as it is +macro-F1 0\.\d+", r"AutoSMOTE +macro-F1 0\.\d+"],
    "own_scorer": [r"AutoSMOTE: +-?\d\.\d+", r"class weights: -?\d\.\d+"],
    "categories": [
        r"contract +category",
        r"months +int64",
        r"paperless +bool",
        r"as it is, 0\.\d+",
    ],
    "own_table": [r"tuned threshold +0\.\d+", r"kept: ", r"accuracy on new rows: 0\.\d+"],
    "compare_samplers": [r"AutoSMOTE +macro-F1 0\.\d+"],
}


def test_examples_are_all_listed_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_example_prints_what_it_shows(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"{name}.py"])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    shown = capsys.readouterr().out
    for pattern in SHOWN[name]:
        assert re.search(pattern, shown), shown
    if name == "compare_samplers":
        assert all((tmp_path / f"{plot}.png").stat().st_size > 0 for plot in ("search", "samplers"))
