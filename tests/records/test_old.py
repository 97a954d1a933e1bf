"""Files of each schema version are read: a folder of small ones for each in `old/`."""

import json
from pathlib import Path

import pytest

from autosmote.records import collected, files
from autosmote.records.record import SCHEMA_VERSION

OLD = Path(__file__).parent / "old"


def test_there_are_files_of_each_version():
    assert sorted(path.name for path in OLD.iterdir()) == [
        str(version) for version in range(1, SCHEMA_VERSION + 1)
    ]


@pytest.mark.parametrize("folder", sorted(OLD.iterdir()), ids=lambda path: path.name)
def test_files_of_a_version_are_read(folder):
    record = files.read_record(folder)
    assert record == json.loads((folder / "record.json").read_text())
    assert record["schema_version"] == int(folder.name)
    table = collected.read_records(folder)
    assert table["status"].tolist() == ["ok"] and table["sampler"].tolist() == ["none"]
    assert table["scores.test.mcc"].tolist() == [0.25]
    assert collected.read_costs(folder)["seconds.total"].tolist() == [30.0]
    assert collected.read_histories(folder)["iteration"].tolist() == [1, 2]
    assert collected.read_plan(folder, "quick")["key"].tolist() == table["key"].tolist()
    assert "autosmote.sweep" in collected.read_about(folder, "quick")["command"]


@pytest.mark.parametrize("folder", sorted(OLD.iterdir()), ids=lambda path: path.name)
def test_a_row_of_a_version_is_collected_beside_newer_ones(folder, tmp_path):
    (tmp_path / collected.RECORDS).write_bytes((folder / collected.RECORDS).read_bytes())
    newer = collected.record_row("a", files.read_record(folder) | {"seed": 7})
    collected.write_records(tmp_path, [newer])
    assert sorted(collected.read_records(tmp_path)["seed"]) == [0, 7]
