"""Faults of the file system are made where they are said to be, and what they do is counted."""

import errno
import os
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def faults(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import file_faults

    return file_faults


def write(path):
    with path.open("w") as file:
        file.write("one")
        file.flush()
        os.fsync(file.fileno())
    os.replace(path, path.with_suffix(".done"))
    path.with_suffix(".done").unlink()


DONE = ["open a.txt", "write a.txt", "sync a.txt", "move a.done", "remove a.done"]


def test_layer_notes_operations_below_its_folder_alone(faults, tmp_path):
    (tmp_path / "in").mkdir()
    layer = faults.FaultyFiles(tmp_path / "in")
    with layer.laid():
        write(tmp_path / "in" / "a.txt")
        write(tmp_path / "b.txt")
    assert layer.operations == DONE


@pytest.mark.parametrize("fault", ["full", "broken", "read-only"])
@pytest.mark.parametrize("begins", range(5))
def test_fault_begins_at_its_operation(faults, tmp_path, fault, begins):
    layer = faults.FaultyFiles(tmp_path, fault, begins)
    may_remove = fault == "full" and begins == 4
    with layer.laid():
        if may_remove:
            write(tmp_path / "a.txt")
        else:
            with pytest.raises(OSError) as raised:
                write(tmp_path / "a.txt")
        if fault == "broken":
            (tmp_path / "later").mkdir()
        else:
            with pytest.raises(OSError):
                (tmp_path / "later").mkdir()
    if not may_remove:
        errors = {"full": errno.ENOSPC, "broken": errno.EIO, "read-only": errno.EROFS}
        assert raised.value.errno == errors[fault]
        assert layer.operations[begins] == DONE[begins]


def test_predict_stands_every_fault(faults, tmp_path, capsys):
    assert faults.main(["--command", "predict", "--results-dir", str(tmp_path)]) == 0
    rows = (tmp_path / "faults.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [
        ["predict", fault] for fault in ("full", "broken", "read-only")
    ]


@pytest.mark.parametrize(
    ("command", "module"),
    [("predict", "autosmote.data.write_rows"), ("resample", "autosmote.own_table.commands")],
)
def test_table_or_picture_that_is_written_in_place_is_counted_as_lost(
    faults, monkeypatch, capsys, command, module
):
    monkeypatch.setattr(f"{module}.write_file", lambda path, write, **_: write(path))
    assert faults.main(["--command", command, "--fault", "full"]) == 1
    shown = capsys.readouterr().out.splitlines()[-1]
    assert "operations, {'lost': " in shown and "'lost': 0" not in shown


def torn_history(command):
    Path("results").mkdir(exist_ok=True)
    Path("results/history.csv").write_text("iteration,reward,seconds\n1,0.5")
    return 0, ""


def test_torn_files_of_an_undisturbed_command_are_refused(faults, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(faults.Command, "__call__", torn_history)
    with pytest.raises(SystemExit, match=r"not whole: results/history\.csv"):
        next(faults.try_command("run", ["full"], 1, tmp_path, b""))


def test_new_file_that_is_torn_is_lost(faults, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(faults.Command, "__call__", torn_history)
    trial = faults.Trial("run", tmp_path / "copy", faults.prepare("run", tmp_path / "new", b""))
    found = faults.try_fault(trial, faults.FaultyFiles(trial.folder), trial.before)
    assert found["lost"] == 1
