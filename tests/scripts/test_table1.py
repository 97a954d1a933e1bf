"""Run `make reproduce-table1` and `make data` as commands."""

import csv
import importlib.util
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def script(name):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.data
def test_table1_counts_equal_the_paper(data_dir, tmp_path, capsys):
    code = script("table1").main(["--data-dir", str(data_dir), "--results-dir", str(tmp_path)])
    printed = capsys.readouterr().out
    assert code == 0
    assert "30 of 30 counts are equal." in printed
    folder = tmp_path / "table1" / "tables"
    assert (folder / "table1.md").read_text() in printed
    with (folder / "table1.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["dataset"] for row in rows] == [
        "phoneme", "phishingwebsites", "eegeyestate", "mozilla4", "magictelescope", "electricity",
    ]  # fmt: skip
    # Literal numbers of the paper's Table 1, not the script's own copy of them.
    assert rows[3] == {
        "dataset": "mozilla4",
        "majority (paper)": "10437", "majority (ours)": "10437",
        "minority at IR 20 (paper)": "521", "minority at IR 20 (ours)": "521",
        "minority at IR 50 (paper)": "208", "minority at IR 50 (ours)": "208",
        "minority at IR 100 (paper)": "104", "minority at IR 100 (ours)": "104",
        "features (paper)": "5", "features (ours)": "5",
    }  # fmt: skip


@pytest.mark.data
def test_table1_different_count_is_shown_and_fails(data_dir, tmp_path, monkeypatch, capsys):
    table1 = script("table1")
    monkeypatch.setattr(table1, "PAPER", {"phoneme": (3818, 190, 77, 38, 5)})
    code = table1.main(["--data-dir", str(data_dir), "--results-dir", str(tmp_path)])
    printed = capsys.readouterr().out
    assert code == 1
    assert "77 ≠ 76" in printed and "4 of 5 counts are equal." in printed


@pytest.mark.data
def test_fetch_data_prints_a_line_for_each(data_dir, capsys):
    assert script("fetch_data").main(["--data-dir", str(data_dir)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[5].split()[:5] == ["electricity", "45,312", "rows", "14", "features"]


@pytest.mark.parametrize("name", ["table1", "fetch_data"])
def test_script_without_data_says_what_to_do(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert script(name).main(["--data-dir", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert "phoneme.arff" in captured.err and captured.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.data
def test_table1_unwritable_results_folder_is_a_mistake(data_dir, tmp_path, monkeypatch, capsys):
    table1 = script("table1")
    monkeypatch.setattr(table1, "PAPER", {"phoneme": table1.PAPER["phoneme"]})
    (tmp_path / "file").write_text("")
    arguments = ["--data-dir", str(data_dir), "--results-dir", str(tmp_path / "file")]
    assert table1.main(arguments) == 2
    assert "cannot be written" in capsys.readouterr().err
