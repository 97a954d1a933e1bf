"""A file that is cut, blanked or filled with copies is not taken for the whole one."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def whole_files(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import whole_files

    return whole_files


def npz():
    made = io.BytesIO()
    np.savez_compressed(made, counts=np.arange(5))
    return made.getvalue()


def png():
    made = io.BytesIO()
    Image.effect_noise((50, 50), 9).save(made, "png")
    return made.getvalue()


HISTORY = b"iteration,reward,seconds\n1,0.5,0.1\n2,0.6,0.2\n3,0.7,0.3\n"
COSTS = b"key,seconds.total,peak_memory_mb\na,1.5,\nb,2.5,7\nc,0.5,7\n"


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("records.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)),  # the same name at each start
        ("records.csv", b"a,b\n1,2\n"),
        ("history.csv", HISTORY),
        ("plans/custom.json", b'{"budget": "quick"}'),
        ("comparison.csv", b"last week's\n"),
        ("out.png", b"last week's\n"),
        ("curve.png", png()),
        ("best_counts.npz", npz()),
        ("table2_costs.md", b"| Hours |\n| 0.5 |\n"),
    ],
)
def test_half_a_file_is_not_taken_for_the_whole(whole_files, tmp_path, name, whole):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(whole)
    before = whole_files.content(path)
    assert before != whole_files.TORN
    path.write_bytes(whole[: len(whole) // 2])
    assert whole_files.content(path) != before


@pytest.mark.parametrize("name", ["history.csv", "costs.csv.gz"])
@pytest.mark.parametrize("how", ["copies", "blank", "empty cells", "no rows", "seconds"])
def test_cells_of_a_table_with_seconds_count_but_for_these(whole_files, tmp_path, name, how):
    path, whole = tmp_path / name, {"history.csv": HISTORY, "costs.csv.gz": COSTS}[name]
    header, first, *others = whole.decode().splitlines()
    rows = {
        "copies": [first] * 3,
        "blank": ["", "", ""],
        "empty cells": [first, ",,", ",,"],
        "no rows": [],
        "seconds": [first, *(row[:-1] + "8" for row in others)],
    }[how]

    def write(text):
        path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
        return whole_files.content(path)

    assert (write(whole) == write("\n".join([header, *rows, ""]).encode())) == (how == "seconds")


@pytest.mark.parametrize("name", ["record.json", "partial.json"])
def test_json_that_is_no_record_is_torn(whole_files, tmp_path, name):
    (tmp_path / name).write_text("[]")
    assert whole_files.content(tmp_path / name) == whole_files.TORN


def test_torn_files_of_an_undisturbed_command_are_refused(whole_files):
    whole_files.refuse_torn({"a": "whole"})
    with pytest.raises(SystemExit, match="history"):
        whole_files.refuse_torn({"a": "whole", "history.csv": whole_files.TORN})
