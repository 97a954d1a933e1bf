"""The status of a sweep, from its files alone."""

import json

import pytest
from claiming import claimed_elsewhere
from record_names import whole_record

from autosmote import status
from autosmote.records import collected
from autosmote.records.files import write_json


@pytest.fixture
def results(tmp_path):
    """Six planned runs: one done and one failed here, one collected, one running, two left."""
    keys = [f"run{i}" for i in range(6)]
    rows = [
        {"key": key, "arm": sampler, "dataset": "toy", "clf": "dt", "metric": "mcc", "seed": 0}
        | {"sampler": sampler}
        for key, sampler in zip(keys, ["smote"] * 3 + ["none"] * 3, strict=True)
    ]
    folder = tmp_path / "table2"
    # A run may serve two rows of a table; it is one run all the same.
    collected.write_plan(folder, "quick", [*rows, {**rows[0], "arm": "again"}], {})
    for key, state in (("run0", "ok"), ("run1", "timeout")):
        write_json(tmp_path / "runs" / key, "record.json", whole_record(status=state))
    collected.write_records(
        folder, [{"key": "run3", "sampler": "none", "status": "ok", "seconds.total": 60.0}]
    )
    with claimed_elsewhere(tmp_path, "run2"):
        yield tmp_path


def test_each_run_has_its_state(results):
    table = status.status(results, "table2", "quick").set_index("key")
    states = ["done", "failed", "running", "done", "left", "left"]
    assert table["state"].to_dict() == {f"run{i}": state for i, state in enumerate(states)}
    assert table["seconds"].dropna().to_dict() == {"run0": 30.0, "run1": 30.0, "run3": 60.0}


def test_status_is_printed_by_sampler_and_dataset(results, capsys):
    assert status.main([f"results_dir={results}"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    # 30 s for the one that runs, 60 s for each of two: 150 s.
    assert " ".join(lines[0]) == "table2, budget quick: at most 2 min of one core to go"
    assert lines[1] == ["sampler", "runs", "done", "failed", "running", "left"]
    assert ["none", "3", "1", "0", "0", "2"] in lines
    assert ["smote", "3", "1", "1", "1", "0"] in lines
    assert lines[-1] == ["all", "6", "2", "1", "1", "2"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "no plan of a sweep"),
        (["budgets=quick"], "'budgets=quick' is no setting"),
        (["experiment="], "experiment= is no name; give one, or leave experiment= out for all."),
        (["experiment=/etc"], "experiment=/etc is no name"),
        (["budget=a**"], "budget=a** is no name"),
        (["experiment=" + "a" * 300], "cannot be read (File name too long)"),
        (["results_dir=" + "a" * 300], "cannot be read (File name too long)"),
    ],
)
def test_mistake_exits_2(arguments, says, tmp_path, capsys):
    assert status.main([f"results_dir={tmp_path}", *arguments]) == 2
    sentence = capsys.readouterr().err
    assert sentence.startswith("autosmote: ") and sentence.count("\n") == 1 and says in sentence


def test_plan_without_runs_is_damaged_and_hides_no_other(results, capsys):
    collected.write_plan(results / "figure4", "quick", [], {})
    assert status.main([f"results_dir={results}"]) == 2
    streams = capsys.readouterr()
    says = "autosmote: The plan of figure4, budget quick, is damaged (it has no runs); remove it"
    assert streams.err.startswith(says) and streams.err.count("\n") == 1
    assert streams.out.startswith("table2, budget quick: ")


def test_status_writes_nothing(results):
    before = sorted(map(str, results.rglob("*")))
    status.main([f"results_dir={results}"])
    assert sorted(map(str, results.rglob("*"))) == before
    assert json.loads((results / "runs" / "run0" / "record.json").read_text())["status"] == "ok"
