"""Files of a run: whole or absent, and read as they were written."""

import gzip
import os

import numpy as np
import pandas as pd
import pytest
from record_names import whole_record

from autosmote.errors import UserError
from autosmote.records import files


def test_read_record_of_half_a_file_is_none(tmp_path):
    assert files.read_record(tmp_path) is None
    (tmp_path / "record.json").write_text('{"status": "o')
    assert files.read_record(tmp_path) is None
    values = {"peak_memory_mb": np.float64(0.5), "rows": {"train": np.arange(2)}}
    files.write_json(tmp_path, "record.json", whole_record(**values))
    expected = whole_record(peak_memory_mb=0.5, rows={"train": [0, 1]})
    assert files.read_record(tmp_path) == expected


def test_write_json_refuses_nan_and_objects(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path, "record.json", {"x": float("nan")})
    with pytest.raises(TypeError, match="cannot be written"):
        files.write_json(tmp_path, "record.json", {"x": object()})
    assert list(tmp_path.iterdir()) == []


def test_write_history_keeps_all_digits(tmp_path):
    history = {
        "iteration": np.arange(1, 4),
        "reward": np.array([0.1, 1 / 3, 0.2]),
        "best": np.array([0.1, 1 / 3, 1 / 3]),
        "n_synthetic": np.array([5, 0, 7]),
        "seconds": np.array([0.5, 1.0, 1.5]),
    }
    files.write_history(tmp_path, history)
    frame = pd.read_csv(tmp_path / "history.csv", float_precision="round_trip")
    assert list(frame) == ["iteration", "reward", "best", "n_synthetic", "seconds"]
    for name, column in history.items():
        assert np.array_equal(frame[name], column)


def test_write_training_part_is_reproducible(tmp_path):
    X, y = np.random.default_rng(0).normal(size=(5, 2)), np.array([0, 1, 0, 0, 1], np.int8)
    files.write_training_part(tmp_path, X, y, ("label", "x=a,b"))
    path = tmp_path / "train_resampled.csv.gz"
    frame = pd.read_csv(path, float_precision="round_trip")
    assert list(frame) == ["label", "x=a,b", "label_"]
    assert np.array_equal(frame.to_numpy()[:, :2], X) and np.array_equal(frame["label_"], y)
    first = path.read_bytes()
    files.write_training_part(tmp_path, X, y, ("label", "x=a,b"))
    assert path.read_bytes() == first
    with gzip.open(path, "rt") as stream:
        assert stream.readline() == 'label,"x=a,b",label_\n'


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs files without names")
def test_kill_of_a_trial_of_writing_leaves_nothing(tmp_path, monkeypatch):
    there = []
    monkeypatch.setattr(os, "fsync", lambda _: there.append(list(tmp_path.iterdir())))
    files.check_writable(tmp_path)
    assert there == [[]]


def test_check_writable_leaves_nothing(tmp_path):
    files.check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UserError, match="results_dir="):
        files.check_writable(file / "below")
    with pytest.raises(UserError, match="results_dir="):
        files.check_writable(file)
