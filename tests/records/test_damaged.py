"""A damaged file is named, and stops nothing but what needs it."""

import gzip
import json
import logging

import numpy as np
import pytest
from unit_configs import SEEDS, rival, small_config

from autosmote import status
from autosmote.errors import UserError
from autosmote.records import collected, files
from autosmote.records.curve import plot_curve
from autosmote.runs.execute import execute
from autosmote.runs.unit import Data, missing, plan
from autosmote.sweep import collect

DEEP = b"[" * 200_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The record of a run, as bytes."""
    (unit,) = plan([small_config(tmp_path_factory.mktemp("whole"), rival())], data := Data())
    assert execute(unit, data, in_child=False).statuses == ("ok",)
    return (unit[0].folder / "record.json").read_bytes()


def changed(record: bytes, **values) -> bytes:
    return json.dumps(json.loads(record) | values).encode()


DAMAGES = {
    "byte": lambda whole: whole[:50] + b"\xff" + whole[51:],
    "half": lambda whole: whole[: len(whole) // 2],
    "empty": lambda whole: b"",
    "twice": lambda whole: whole + whole,
    "deep": lambda whole: DEEP,
    "list": lambda whole: b"[1, 2]",
    "other": lambda whole: b'{"a": 1}',
    "status": lambda whole: changed(whole, status=7),
    "scores": lambda whole: changed(whole, scores={"test": [1]}),
    "seconds": lambda whole: changed(whole, seconds=3),
    "rows": lambda whole: changed(whole, rows={"train": [1]}),
    "config": lambda whole: changed(whole, config="x"),
    "seed": lambda whole: changed(whole, seed=2**70),
    "ir": lambda whole: changed(whole, ir=float("nan")),
    "iterations": lambda whole: changed(whole, iterations=10**400),
    "error": lambda whole: changed(whole, error="x" * 200_000),
}


def damage(path, how, whole):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if how == "folder":
        path.mkdir()
    elif how == "link":
        path.symlink_to(path.name)
    else:
        path.write_bytes(DAMAGES[how](whole))


@pytest.mark.parametrize("how", [*DAMAGES, "folder", "link"])
def test_damaged_record_is_named_and_counts_as_missing(tmp_path, whole, caplog, how):
    folder = tmp_path / f"run-{how}"
    damage(folder / "record.json", how, whole)
    with caplog.at_level(logging.WARNING, "autosmote"):
        assert files.read_record(folder) is None
        assert files.read_record(folder) is None
    (message,) = caplog.messages
    assert f"run-{how}/record.json is damaged" in message and "missing" in message


def test_whole_record_is_read(tmp_path, whole):
    (tmp_path / "record.json").write_bytes(whole)
    assert files.read_record(tmp_path) == json.loads(whole)
    assert files.read_record(tmp_path / "record.json") is None  # its folder is a file
    assert files.read_record(tmp_path / "none") is None


@pytest.mark.parametrize("how", ["byte", "list", "link"])
def test_run_with_a_damaged_record_is_done_again(tmp_path, whole, how):
    (unit,) = plan([small_config(tmp_path, rival())], data := Data())
    damage(unit[0].folder / "record.json", how, whole)
    assert missing(unit) == unit
    assert execute(unit, data, in_child=False).statuses == ("ok",)
    assert not missing(unit)


@pytest.mark.parametrize("name", ["record.json", "curve.png", "history.csv"])
def test_folder_in_place_of_a_file_is_refused_before_the_work(tmp_path, monkeypatch, name):
    (unit,) = plan([small_config(tmp_path, SEEDS)], data := Data())
    (unit[0].folder / name).mkdir(parents=True)
    monkeypatch.setattr("autosmote.runs.in_process.evaluate", lambda *_, **__: pytest.fail("work"))
    outcome = execute(unit, data, in_child=False)
    assert outcome.state == "unwritable"
    assert f"{name} is a folder; remove it" in outcome.error


def test_status_counts_a_damaged_record_as_left(tmp_path, whole, capsys):
    names = ("key", "arm", "dataset", "clf", "sampler", "metric")
    row = dict.fromkeys(names, "a") | {"seed": 0}
    collected.write_plan(tmp_path / "table2", "quick", [row], {})
    damage(tmp_path / "runs" / "a" / "record.json", "byte", whole)
    assert status.main([f"results_dir={tmp_path}"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.split() == ["all", "1", "0", "0", "0", "1"]
    assert status.status(tmp_path, "table2", "quick")["state"].tolist() == ["left"]


def test_damaged_plan_hides_no_other_sweep(tmp_path, capsys):
    for experiment in ("table2", "table3"):
        table_of(tmp_path / experiment)
    (tmp_path / "table2" / "plans" / "quick.csv.gz").write_bytes(b"x")
    assert status.main([f"results_dir={tmp_path}"]) == 2
    streams = capsys.readouterr()
    assert streams.out.startswith("table3, budget quick") and "is damaged" in streams.err
    assert len(streams.err.splitlines()) == 1


def test_claims_that_cannot_be_opened_are_one_sentence_and_no_matter_to_status(tmp_path, capsys):
    table_of(tmp_path / "table2")
    (tmp_path / "table2" / collected.RECORDS).unlink()
    (tmp_path / ".claims").mkdir()
    assert status.main([f"results_dir={tmp_path}"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["all", "2", "0", "0", "0", "2"]
    (unit,) = plan([small_config(tmp_path, rival())], data := Data())
    with pytest.raises(UserError, match=r"\.claims of the results folder cannot be opened"):
        execute(unit, data, in_child=False, mistakes_fail=False)


@pytest.mark.parametrize(("name", "text"), [("config", "[1]"), ("grid", "{}"), ("versions", "{")])
def test_json_of_another_kind_in_a_table_is_one_sentence(tmp_path, name, text):
    key = {"dataset": "toy", "clf": "dt", "sampler": "none", "metric": "mcc", "seed": 0}
    collected.write_records(tmp_path, [{"key": "a", **key, "status": "ok", name: text}])
    with pytest.raises(UserError, match="is damaged"):
        collected.read_records(tmp_path)


def table_of(folder):
    key = {"dataset": "toy", "clf": "dt", "sampler": "none", "metric": "mcc", "seed": 0}
    rows = [{"key": name, **key, "status": "ok", "seconds.total": 1.5} for name in "ab"]
    collected.write_records(folder, rows)
    steps = [{"key": "a", "iteration": n, "reward": 0.5, "best": 0.5} for n in (1, 2)]
    collected.write_histories(folder, steps)
    collected.write_plan(folder, "quick", [{**row, "arm": "none"} for row in rows], {})


def edited(old: str, new: str):
    return lambda data: gzip.compress(gzip.decompress(data).decode().replace(old, new, 1).encode())


TABLE_DAMAGES = {
    "half": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "twice": lambda data: data + data,
    "text": lambda data: b"key,status\na,ok\n",
    "byte": lambda data: gzip.compress(gzip.decompress(data) + b"\xff"),
    "column": edited("key", "name"),
    "no header": lambda data: gzip.compress(gzip.decompress(data).partition(b"\n")[2]),
    "quote": lambda data: gzip.compress(gzip.decompress(data) + b'"x'),
}


@pytest.mark.parametrize("how", TABLE_DAMAGES)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        (collected.RECORDS, collected.read_records),
        (collected.COSTS, collected.read_costs),
        (collected.HISTORIES, collected.read_histories),
        ("plans/quick.csv.gz", lambda folder: collected.read_plan(folder, "quick")),
    ],
)
def test_damaged_table_is_one_sentence(tmp_path, name, read, how):
    table_of(tmp_path)
    assert len(read(tmp_path)) == 2
    path = tmp_path / name
    path.write_bytes(TABLE_DAMAGES[how](path.read_bytes()))
    with pytest.raises(UserError, match=r"^'\S+' in '\S+' is damaged \([^\n]+; [^\n]+\.$"):
        read(tmp_path)


@pytest.mark.parametrize("how", TABLE_DAMAGES)
def test_damaged_table_is_not_written_over(tmp_path, how):
    table_of(tmp_path)
    path = tmp_path / collected.HISTORIES
    path.write_bytes(damaged := TABLE_DAMAGES[how](path.read_bytes()))
    with pytest.raises(UserError, match="is damaged"):
        collected.write_histories(tmp_path, [{"key": "c", "iteration": 1}])
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("text", ["[1]", "{", '{"command": 3}', "[" * 200_000])
def test_damaged_command_of_a_plan_is_one_sentence(tmp_path, text):
    table_of(tmp_path)
    (tmp_path / "plans" / "quick.json").write_text(text)
    with pytest.raises(UserError, match=r"'quick.json' in 'plans' is damaged"):
        collected.read_about(tmp_path, "quick")


HISTORY = "iteration,reward,best,n_synthetic,seconds\n1,0.5,0.5,3,1.0\n2,0.25,0.5,4,2.0\n"


@pytest.mark.parametrize(
    "text",
    [HISTORY[:-6], HISTORY * 2, HISTORY.replace("best", "worst"), HISTORY.replace("0.25", "x"), ""],
    ids=["half", "twice", "columns", "number", "empty"],
)
def test_damaged_history_is_left_out(tmp_path, caplog, text):
    (unit,) = plan([small_config(tmp_path, SEEDS)], Data())
    (run,) = unit
    run.folder.mkdir(parents=True)
    (run.folder / "history.csv").write_text(HISTORY)
    assert len(list(collect._histories({run.key: run}))) == 2
    (run.folder / "history.csv").write_text(text)
    assert list(collect._histories({run.key: run})) == []
    assert "history.csv is damaged" in caplog.text


def test_name_that_begins_a_formula_is_drawn(tmp_path):
    history = dict.fromkeys(("iteration", "reward", "best"), np.arange(1.0, 4.0))
    plot_curve(history, tmp_path / "curve.png", metric="mcc", title="toy, $m_{$, smote")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_curve_that_cannot_be_drawn_costs_the_picture_alone(tmp_path, monkeypatch, caplog):
    def refuse(*_, **__):
        raise ValueError("matplotlib refuses it")

    (unit,) = plan([small_config(tmp_path, SEEDS)], data := Data())
    monkeypatch.setattr("autosmote.runs.in_process.plot_curve", refuse)
    assert execute(unit, data, in_child=False).statuses == ("ok",)
    assert {path.name for path in unit[0].folder.iterdir()} == {"record.json", "history.csv"}
    assert "matplotlib refuses it" in caplog.text
