"""The command of sweeps: what it does, skips, collects, says; and how it ends."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from waiting import wait_until

from autosmote.config import commandline, explain
from autosmote.errors import UserError
from autosmote.records import collected
from autosmote.records.files import HISTORY_COLUMNS, read_record, write_history
from autosmote.runs.execute import record_failure
from autosmote.runs.unit import Data
from autosmote.sweep import collect as gather
from autosmote.sweep.collect import collect
from autosmote.sweep.command import main, sweep
from autosmote.sweep.plan import make_plan

FAST = ("clfs=[dt]", "samplers=[none,randomoversampler]", "seeds=[0]", "workers=1", "reports=false")


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in Path(folder).glob("small/**/*")
        if path.is_file() and path.name != collected.COSTS
    }


def test_sweep_does_missing_runs_and_collects_records(small, capsys):
    config = small()
    assert sweep(config) == 0
    assert "4 runs: 4 ok, 0 failed" in capsys.readouterr().out
    folder = Path(config.results_dir) / "small"
    table = collected.read_records(folder)
    assert len(table) == 4 and set(table["status"]) == {"ok"}
    assert set(collected.read_plan(folder, "smoke")["key"]) == set(table["key"])
    assert (collected.read_costs(folder)["seconds.total"] > 0).all()
    before = files(config.results_dir)
    # What a killed sweep had begun to write is cleared away.
    (folder / "plans" / f".{'0' * 32}-smoke.csv.gz").write_bytes(b"half")
    (folder / f".{'1' * 32}-records.csv.gz").write_bytes(b"half")
    # Again, and with more: only what is new is done.
    assert sweep(config) == 0
    assert files(config.results_dir) == before
    more = small(seeds=[0, 1])
    assert make_plan(more, Data()).to_do()[0].runs[0].config.seed == 1
    assert sum(len(unit.runs) for unit in make_plan(more, Data()).to_do()) == 4


def test_sweep_in_a_clone_does_only_what_is_not_collected(small, tmp_path):
    config = small()
    assert sweep(config) == 0
    before = files(config.results_dir)
    os.rename(Path(config.results_dir) / "runs", tmp_path / "gone")
    assert make_plan(config, Data()).to_do() == []
    more = small(seeds=[0, 1], budget="custom")
    assert sweep(more) == 0
    assert len(list(Path(config.results_dir).glob("runs/*/record.json"))) == 4
    folder = Path(config.results_dir) / "small"
    assert len(collected.read_records(folder)) == 8
    # An uninterrupted one has the same tables.
    assert sweep(small(results_dir=str(tmp_path / "other"), seeds=[0, 1], budget="custom")) == 0
    after, other = files(config.results_dir), files(tmp_path / "other")
    assert {name: after[name] for name in other} == other
    assert before.keys() < after.keys()


def test_run_with_a_damaged_record_is_done_again_though_it_was_collected(small):
    config = small()
    assert sweep(config) == 0
    before = files(config.results_dir)
    (unit, _) = make_plan(config, Data()).units
    (unit.runs[0].folder / "record.json").write_text('{"status": "o')
    assert [one.runs for one in make_plan(config, Data()).to_do()] == [unit.runs[:1]]
    assert sweep(config) == 0
    assert read_record(unit.runs[0].folder)["status"] == "ok"
    assert files(config.results_dir) == before


def test_failed_runs_are_counted_and_repeated_by_retry(small, capsys):
    config = small(samplers=["kmeanssmote", "none"])
    assert sweep(config) == 1
    said = capsys.readouterr().out
    assert "4 runs: 2 ok, 2 failed" in said and "kmeanssmote: 2 x failed" in said
    folder = Path(config.results_dir) / "small"
    assert "No clusters found" in (folder / "failures.csv").read_text()
    assert sweep(small(samplers=["kmeanssmote", "none"], imputed_is_ok=True)) == 0
    again = {
        retry: len(make_plan(small(samplers=["kmeanssmote"], retry=retry), Data()).to_do())
        for retry in ("none", "failed", "timeout")
    }
    assert again == {"none": 0, "failed": 1, "timeout": 0}


def test_history_of_a_search_that_was_ended_is_not_collected(small):
    config = small(samplers=["autosmote"], metrics=["mcc"], histories=True)
    planned = make_plan(config, Data())
    (run,) = planned.units[0].runs
    history = np.arange(1, 3)
    write_history(run.folder, dict.fromkeys(HISTORY_COLUMNS, history))
    record_failure([run], "timeout", "it took longer than unit_seconds=1 allows")
    n_ok, failed = collect(config, planned)
    assert n_ok == 0 and [row["status"] for row in failed] == ["timeout"]
    folder = Path(config.results_dir) / "small"
    assert collected.read_histories(folder).empty
    assert sweep(small(samplers=["autosmote"], metrics=["mcc"], histories=True, force=True)) == 0
    assert collected.read_histories(folder)["iteration"].tolist() == [1, 2, 3]


def test_units_whose_policies_vanished_since_the_plan_are_left_and_done_later(
    small, monkeypatch, capsys
):
    search = small().search
    first = small(samplers=["autosmote"], search=replace(search, save_policies=True))
    assert sweep(first) == 0
    (run, _) = (run for unit in make_plan(first, Data()).units for run in unit.runs)
    there, gone = run.folder / "policies.npz", run.folder / "moved.npz"
    config = small(samplers=["autosmote", "none"], search=replace(search, init_from=str(there)))
    write_plan = gather.write_plan

    def remove(*given):
        write_plan(*given)
        there.rename(gone)

    with monkeypatch.context() as patched:
        patched.setattr(gather, "write_plan", remove)
        says = "2 of 3 units have no record, and the same command goes on with them: .*no policies"
        with pytest.raises(UserError, match=says):
            sweep(config)
    assert "4 runs: 2 ok, 0 failed, 2 not done" in capsys.readouterr().out
    gone.rename(there)
    assert sweep(config) == 0
    assert "4 runs: 4 ok, 0 failed" in capsys.readouterr().out


@pytest.mark.parametrize("launcher", ["local", "ray"])
def test_dry_run_prints_the_plan_and_writes_nothing(tmp_path, capsys, launcher):
    folder = tmp_path / "results"
    overrides = ["experiment=table2", "budget=smoke", f"results_dir={folder}"]
    overrides.append(f"launcher={launcher}")  # without a cluster being started
    assert main([*overrides, "dry_run=true"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:5] == ["sampler", "runs", "done", "failed", "to"]
    assert any(line.startswith("mesa ") and line.endswith("a rough guess") for line in lines)
    assert lines[-2].split()[:5] == ["all", "232", "0", "0", "232"]
    assert not folder.exists()


def test_plan_with_overrides_is_custom_and_keeps_its_command(tmp_path, capsys):
    folder = tmp_path / "results"
    overrides = [*FAST, f"results_dir={folder}", "budget=smoke", "experiment=table2"]
    overrides += [f"search.init_from={tmp_path}/policies.npz"]  # of no sampler that is here
    assert main(overrides) == 0
    assert not (folder / "table2" / "plans" / "smoke.csv.gz").exists()
    about = (folder / "table2" / "plans" / "custom.json").read_text()
    assert "autosmote.sweep experiment=table2 budget=smoke " in about  # in whichever order said
    assert "search.init_from=policies.npz" in about and str(tmp_path) not in about
    assert main([*overrides, "dry_run=true"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].split()[:5] == ["all", "4", "4", "0", "0"]


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ([], "There is no default experiment; give one by experiment=, out of "),
        (["experiment=tabel2"], "did you mean table2"),
        (["experiment=table2", "budget=fast"], "There is no budget 'fast'"),
        (["experiment=table2", "worker=3"], "did you mean workers"),
        (["experiment=table2", "budget=smoke", "+worker=3"], "did you mean workers"),
        (["experiment=table2", "budget=smoke", "launcher=slurm"], "choose one of local"),
        (["experiment=table2", "budget=smoke", "irs=[2]"], "12.86"),
        (["experiment=1.5"], "There is no experiment '1.5'"),
        (["experiment=table2", "budget=null"], "There is no budget 'null'"),
        (
            ["experiment=table2", "budget=smoke", "unit_seconds=inf"],
            "unit_seconds must be",
        ),
        (
            ["experiment=table2", "budget=smoke", "search.gamma=nan"],
            "search.gamma must be",
        ),
        (["experiment=table2", "budget=smoke", "workers=100000000000"], "between 1 and 10000"),
    ],
)
def test_mistake_is_one_sentence_and_exits_2(overrides, says, capsys, tmp_path):
    assert main([*overrides, f"results_dir={tmp_path / 'results'}"]) == 2
    captured = capsys.readouterr()
    assert says in captured.err and "Traceback" not in captured.err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("limits: 5", "limits must hold settings by name, not 5."),
        ("limits: [1]", "limits must hold settings by name, not [1]."),
        (
            "preprocess: {scale: [1]}",
            "no setting 'preprocess.scale'; under 'preprocess' there are fit_on.",
        ),
        ("arms: [{sampler: none, params: [1]}]", "arms[0].params must hold settings by name"),
        (
            "arms: [{sampler: none, limits: 5}]",
            "There is no setting 'arms[0].limits'; under 'arms[0]'",
        ),
        ("variants: {a: {limits: 5}}", "variants.a.limits must hold settings by name, not 5."),
        ("grid: {sources: {a: {rules: 5}}}", "grid.sources.a.rules must be a list or null"),
        ("arms: [", " of mine.yaml is no YAML: expected the node content"),
    ],
)
def test_mistake_in_a_file_is_one_sentence_that_names_the_setting(
    lines, says, capsys, tmp_path, monkeypatch
):
    conf = Path(shutil.copytree(commandline.CONF_DIR, tmp_path / "conf"))
    for module in (commandline, explain):
        monkeypatch.setattr(module, "CONF_DIR", conf)
    (conf / "experiment" / "mine.yaml").write_text(f"# @package _global_\n{lines}\n")
    assert main(["experiment=mine", "budget=smoke", f"results_dir={tmp_path / 'results'}"]) == 2
    sentence = capsys.readouterr().err
    assert says in sentence and sentence.count("\n") == 1 and "mine.yaml" in sentence


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name: mine\nbudget: caf\xe9\n", "Line 3 of mine.yaml is not UTF-8 from its byte 12 on"),
        (b"#" * 20000 + b"\n# \xe9", "Line 3 of mine.yaml is not UTF-8 from its byte 3 on"),
        (b'name: "a\x01b"', "Line 2 of mine.yaml is no YAML: it has the character '\\x01'; remove"),
        (b"name: a\nname: b", "Line 3 of mine.yaml is no YAML: found duplicate key name; correct"),
        (b"seeds: !!int a", "mine.yaml is no YAML that can be read (invalid literal for int()"),
        (b"5", "mine.yaml must hold settings by name"),
        (b"defaults: 5", "The defaults of experiment/mine.yaml cannot be read"),
    ],
)
def test_file_of_a_config_dir_that_cannot_be_read_is_one_sentence(content, says, capsys, tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_bytes(b"# @package _global_\n" + content)
    folder = tmp_path / "results"
    overrides = ["experiment=mine", "budget=smoke", f"results_dir={folder}"]
    assert main(["--config-dir", str(tmp_path), *overrides]) == 2
    sentence = capsys.readouterr().err
    assert says in sentence and sentence.count("\n") == 1 and str(tmp_path) not in sentence
    assert not folder.exists()


def test_file_without_its_package_is_one_sentence_that_names_the_first_line(capsys, tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("name: mine\n")
    assert main(["--config-dir", str(tmp_path), "experiment=mine", "budget=smoke"]) == 2
    says = "mine.yaml must hold settings by name below a first line '# @package _global_'"
    assert says in capsys.readouterr().err


def test_interrupted_sweep_exits_130_and_collects(tmp_path):
    folder = tmp_path / "results"
    arguments = ["experiment=table2", "budget=smoke", "clfs=[dt]", "reports=false", "workers=1"]
    arguments += ["samplers=[none,autosmote]", "search.iterations=100000", "seeds=[0]"]
    process = subprocess.Popen(
        [sys.executable, "-m", "autosmote.sweep", *arguments, f"results_dir={folder}"],
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    wait_until(lambda: claimed(folder))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "start the same command again" in said and "Traceback" not in said
    assert not list(folder.glob("runs/*autosmote*/record.json"))
    assert (folder / "table2" / "records.csv.gz").exists()


def claimed(folder):
    from autosmote.status import status

    try:
        return "running" in set(status(folder, "table2", "custom")["state"])
    except UserError:
        return False


def test_full_disk_at_any_write_loses_nothing(small, monkeypatch, tmp_path):
    """Each write of the parent's fails once; after all of them the tables are as ever."""
    expected_config = small(results_dir=str(tmp_path / "expected"))
    assert sweep(expected_config) == 0
    config, fsync = small(), os.fsync
    failed = 0
    for n in range(50):
        writes = 0

        def full(fd, n=n):
            nonlocal writes
            writes += 1
            if writes == n + 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            fsync(fd)

        monkeypatch.setattr(os, "fsync", full)
        for path in Path(config.results_dir).glob("small/**/*.csv*"):
            path.unlink()
        try:
            assert sweep(config) == 0
        except UserError as error:
            assert "No space left on device" in str(error)
            failed += 1
        else:
            break
    assert failed == n >= 4
    assert not list(Path(config.results_dir).glob("**/.*-*"))
    assert files(config.results_dir) == files(tmp_path / "expected")
