"""What a kill of a sweep can do wrong is counted: files torn, rows lost, processes left."""

import gzip
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from autosmote.atomic import write_file
from autosmote.records import collected
from autosmote.records.files import write_json

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
KEYS = ("a", "b")
TEXTS = dict.fromkeys(("dataset", "clf", "sampler", "metric"), "x")
RECORD = (
    TEXTS
    | dict.fromkeys(("ir", "ratio", "n_synthetic", "iterations", "error", "scores"))
    | dict.fromkeys(("schema_version", "protocol_version", "seed"), 1)
    | {"status": "ok", "imputed": False, "seconds": {"total": 1.5}, "config": {}, "versions": {}}
)


@pytest.fixture
def crash(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    monkeypatch.setattr("kill_trap.GRACE", 0.1)
    import crash_test

    return crash_test


def fill(results):
    """Write what a sweep of two runs leaves."""
    for key in KEYS:
        write_json(results / "runs" / key, "record.json", RECORD)
    folder = results / "table2"
    collected.write_plan(
        folder, "custom", [TEXTS | {"key": key, "arm": "x", "seed": 1} for key in KEYS], {}
    )
    collected.write_records(folder, [collected.record_row(key, RECORD) for key in KEYS])
    collected.write_csv(folder / "failures.csv", ("key", "error"), [])
    for ending in ("md", "csv"):
        path = folder / "tables" / f"table2.{ending}"
        write_file(path, lambda path: path.write_text("a,b\n1,2\n3,4\n"))


@pytest.fixture
def sweep(crash, tmp_path):
    """Return a sweep that was killed once, and looked at, with all of its files there."""
    whole = crash.Sweep(tmp_path / "undisturbed", reports=True)
    fill(whole.results)
    made = crash.Sweep(tmp_path / "killed", reports=True, whole=whole.files())
    fill(made.results)
    made.look()
    made.in_place.clear()  # since no trap was laid
    assert not any(made.counts().values()), made.counts()
    return made


def zipped(text):
    return gzip.compress(text.encode(), mtime=0)  # as part of a test's name the same at each start


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("runs/a/record.json", b"[]"),
        ("runs/a/record.json", json.dumps(RECORD | {"status": "failed"}).encode()),
        ("table2/failures.csv", b"key,er"),
        ("table2/plans/custom.json", b"{"),
        ("table2/plans/custom.csv.gz", zipped("nonsense")),
        ("table2/plans/custom.csv.gz", zipped("nonsense\n")),
        ("table2/records.csv.gz", zipped(",".join(collected.RECORD_COLUMNS) + "\n")),
        ("table2/costs.csv.gz", zipped(",".join(collected.COST_COLUMNS) + "\n")),
        ("table2/costs.csv.gz", zipped("key,seconds.total\na,\nb,1.5\n")),
        ("table2/records.csv.gz", zipped("nonsense\n")),
        ("table2/tables/table2.md", b"a,b\n"),
        ("table2/tables/table2.csv", b"a,b\n1,2\n"),
    ],
)
def test_spoiled_file_is_seen_after_a_kill(sweep, name, data):
    (sweep.results / name).write_bytes(data)
    sweep.look()
    assert set(sweep.unreadable) == {name}


@pytest.mark.parametrize("name", ["records", "costs"])
def test_rows_that_are_never_collected_are_lost(crash, tmp_path, name):
    sweep = crash.Sweep(tmp_path, reports=True)
    fill(sweep.results)
    columns = {"records": collected.RECORD_COLUMNS, "costs": collected.COST_COLUMNS}[name]
    (sweep.results / f"table2/{name}.csv.gz").write_bytes(zipped(",".join(columns) + "\n"))
    assert sweep.counts()["lost"] == 2


def test_leftover_and_record_that_is_gone_are_counted(sweep):
    (sweep.results / "runs" / "a" / "record.json").unlink()
    (sweep.results / "table2" / f".{'0a' * 16}-records.csv.gz").write_bytes(b"half")
    counts = sweep.counts()
    assert (counts["lost"], counts["different"], counts["left over"]) == (1, 1, 1)


STAND_IN = """
import subprocess, sys
from pathlib import Path
from autosmote.atomic import write_file

results = Path(sys.argv[1].removeprefix("results_dir="))
for name in ("moved.csv", "rewritten.csv"):
    write_file(results / "table2" / name, lambda path: path.write_text("a\\n"))
for name in ("rewritten.csv", "in place.csv"):
    (results / "table2" / name).write_text("b\\n")
print(subprocess.Popen(["sleep", "60"], start_new_session=True).pid)
"""


def test_files_written_in_place_and_processes_that_are_left_are_counted(
    crash, monkeypatch, tmp_path
):
    monkeypatch.setattr(crash, "PROGRAM", (sys.executable, "-c", STAND_IN))
    monkeypatch.setattr(crash, "SWEEP", ())
    sweep = crash.Sweep(tmp_path, reports=True)
    child = int(sweep.wait(sweep.start()))
    sweep.look()
    os.kill(child, signal.SIGKILL)
    assert sweep.in_place == {"table2/rewritten.csv", "table2/in place.csv"}
    assert sweep.left_running == 1
    monkeypatch.setattr(crash, "PROGRAM", (sys.executable, "-c", STAND_IN.partition("print")[0]))
    with pytest.raises(SystemExit, match="'in place': 2"):
        sweep.finish()
