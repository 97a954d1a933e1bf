"""Run the documents' comparison in small, on one of the datasets."""

import csv
import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "compare_library.py"


@pytest.mark.data
def test_compare_library_scores_every_method_on_every_fold(tmp_path, monkeypatch, data_dir):
    arguments = ["--datasets", "phoneme", "--folds", "2", "--iterations", "2"]
    monkeypatch.setattr(sys, "argv", [SCRIPT.name, *arguments, "--results-dir", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert end.value.code == 0
    with (tmp_path / "library" / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    methods = {row["method"] for row in rows}
    assert len(rows) == 2 * 2 * len(methods) and len(methods) == 8
    assert {"AutoSMOTE", "AutoSMOTEClassifier"} < methods
    assert all(0 < float(row["macro_f1"]) < 1 for row in rows)
    table = (tmp_path / "library" / "comparison.md").read_text()
    assert all(f"| {method} |" in table for method in methods)
