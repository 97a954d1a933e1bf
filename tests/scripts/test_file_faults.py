"""Faults of the file system are made where they are said to be, and what they do is counted."""

import errno
import gzip
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
    monkeypatch.setattr(f"{module}.write_file", lambda path, write: write(path))
    assert faults.main(["--command", command, "--fault", "full"]) == 1
    shown = capsys.readouterr().out.splitlines()[-1]
    assert "operations, {'lost': " in shown and "'lost': 0" not in shown


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("records.csv.gz", gzip.compress(b"a,b\n1,2\n")),
        ("records.csv", b"a,b\n1,2\n"),
        ("plans/custom.json", b'{"budget": "quick"}'),
        ("comparison.csv", b"last week's\n"),
        ("out.png", b"last week's\n"),
    ],
)
def test_half_a_file_is_not_taken_for_the_whole(faults, tmp_path, name, whole):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(whole)
    before = faults._content(path)
    path.write_bytes(whole[: len(whole) // 2])
    assert faults._content(path) != before
