"""Every example runs, and prints what it is there to show."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHOWN = {
    "quick_start": [r"\d+ synthetic rows of class 1", r"test rows, with them: macro-F1 0\.\d+"],
    "pipeline": [r"as it is +macro-F1 0\.\d+", r"AutoSMOTE +macro-F1 0\.\d+"],
    "own_scorer": [r"AutoSMOTE: +-?\d\.\d+", r"class weights: -?\d\.\d+"],
    "categories": [r"contract +category", r"months +int64", r"paperless +bool", r"as it is, 0\.\d+"],
    "compare_samplers": [r"AutoSMOTE +macro-F1 0\.\d+"],
}


def test_there_are_five_examples_and_all_are_here():
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_example(name, tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / f"{name}.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for pattern in SHOWN[name]:
        assert re.search(pattern, done.stdout), done.stdout
    if name == "compare_samplers":
        assert all((tmp_path / f"{plot}.png").stat().st_size > 0 for plot in ("search", "samplers"))
