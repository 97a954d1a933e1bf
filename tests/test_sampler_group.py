"""Several samplers on one configuration: run, kept where done, and ranked."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from claiming import claimed_elsewhere
from record_names import NAMES
from run_configs import FEW

from autosmote import sampler_group as comparison
from autosmote.config.groups import load_sampler
from autosmote.run import main
from autosmote.sampler_group import ranking

# Settings with which the 25 take seconds.
TINY = [
    *FEW,
    "+sampler.params.mesa={environment_steps:20,random_steps:10,n_members:3}",
    "+sampler.params.ctgan.epochs=1",
    "+sampler.params.tvae.epochs=1",
    "+sampler.params.instancehardnessthreshold.cv=2",
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows_of(out: str) -> list[list[str]]:
    """Sampler, extended, test, validation, seconds, status of the printed table of one seed."""
    rows = re.findall(r"^(?!no )\w+ +-?\d\.\d{4} .*", out, re.MULTILINE)
    return [row.split(None, 5) for row in rows]


def ranks_of(out: str) -> list[list[str]]:
    """Rank, sampler, score and difference of the printed table of several seeds."""
    row = r"^ *([\d.]+)  (\w+) +(-?\d\.\d{4}) .*?([+-]\d\.\d{4} \(.+?\))"
    return re.findall(row, out, re.MULTILINE)


def test_sampler_all_runs_25_samplers(here, capsys):
    assert main(["sampler=all", *TINY]) == 0
    streams = capsys.readouterr()
    found = {}
    for path in here.glob("results/runs/*/record.json"):
        record = json.loads(path.read_text())
        found[record["sampler"]] = record
        assert set(record) >= NAMES
        assert record["scores"] is not None
        assert record["imputed"] == (record["status"] != "ok")
        assert record["status"] in ("ok", "failed")
    assert len(found) == 25
    failed = {name for name, record in found.items() if record["status"] != "ok"}
    assert "kmeanssmote" in failed <= {"kmeanssmote", "ctgan", "tvae"}
    rows = rows_of(streams.out)
    assert [row[0] for row in rows] == load_sampler("all").members
    assert "one split says little about which is better: seeds=5" in streams.out
    for name, extended, test, validation, _, status in rows:
        scores = found[name]["scores"]
        assert extended == f"{scores['extended']['macro_f1']:.4f}"
        assert test == f"{scores['test']['macro_f1']:.4f}"
        assert validation == f"{scores['validation']['macro_f1']:.4f}"
        assert status == ("failed, imputed" if name in failed else "ok")
    assert "kmeanssmote: RuntimeError: No clusters found" in streams.out
    assert "toy, own IR, dt, all, seed 0" in streams.err
    assert re.search(r"samplers: 25/25 done, \d failed, 0 left$", streams.err, re.MULTILINE)
    assert re.search(
        r"samplers: 3/25 done, 0 failed, 22 left, about \d+ (s|min) to go", streams.err
    )


@pytest.fixture
def two(monkeypatch):
    """A way to run two samplers of tests/rivals.py as a group."""

    def run(*arguments: str, first: str = "Own", second: str = "Jittering") -> int:
        from autosmote import run as command
        from autosmote.config.schema import SamplerSettings

        group = [
            SamplerSettings(name.lower(), f"rivals.{name}", True, params)
            for name, params in ((first, {}), (second, {"log": "log"}))
        ]
        monkeypatch.setattr(command, "members", lambda sampler: group)
        return main(["sampler=all", *arguments])

    return run


def test_group_does_missing_runs_only(here, two, capsys):
    assert two() == 0
    assert "2/2 done" in capsys.readouterr().err
    paths = list(here.glob("results/runs/*/record.json"))
    assert len(paths) == 2
    times = {path: path.stat().st_mtime_ns for path in paths}
    assert two() == 0
    streams = capsys.readouterr()
    assert len(rows_of(streams.out)) == 2
    assert "samplers: 2 of 2 were done before" in streams.err
    assert {path: path.stat().st_mtime_ns for path in paths} == times
    (lost,) = (path for path in paths if "jittering" in path.parent.name)
    lost.unlink()
    assert two() == 0
    assert "samplers: 1 of 2 were done before" in capsys.readouterr().err
    assert lost.exists()
    assert Path("log").read_text().count("fit") == 2
    assert two("force=true") == 0
    assert Path("log").read_text().count("fit") == 3


def test_imputed_failure_is_ranked(here, two, capsys):
    assert two(first="FailingInFit") == 0
    streams = capsys.readouterr()
    (row,) = (row for row in rows_of(streams.out) if row[0] == "failinginfit")
    assert row[5] == "failed, imputed"
    assert "failinginfit: RuntimeError: nothing works in data.csv" in streams.out
    assert "2/2 done, 1 failed, 0 left" in streams.err


def test_missing_package_fails_one_sampler_only(here, two, capsys):
    assert two(first="Needy") == 0
    assert "needy: Needy needs the package needful; install it." in capsys.readouterr().out


def test_samplers_without_scores_are_listed(here, two, capsys):
    assert two("clf=dt", "clf._target_=estimators.Faulty") == 1
    streams = capsys.readouterr()
    assert rows_of(streams.out) == []
    assert re.search(r"^autosmote: no scores of own \(.*\); jittering \(", streams.err, re.M)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["ir=1"], "below the data's own ratio"),
        (["+clf.params.depth=1"], "clf.params do not suit"),
        (["search.K=0"], "search.K must be"),
        (["+sampler.params.smotee.k_neighbors=3"], "did you mean smote?"),
        (["+sampler.params.smote=3"], "sampler.params.smote must hold settings of 'smote', not"),
        (["+sampler.params.autosmote.iteration=3"], "did you mean iterations?"),
        (["sampler.members=[smote,smotee]"], "There is no sampler 'smotee' (did you mean smote"),
        (["sampler.members=[smote,variants]"], "which is a group as well"),
        (["sampler.members=[]"], "has no samplers; name some"),
        (["seeds=0"], "seeds must lie between 1 and 10,000, not 0."),
        (["seed=4294967295", "seeds=2"], "would go up to 4294967296; the last one may be"),
    ],
)
def test_mistake_is_raised_before_any_work(here, capsys, arguments, part):
    assert main(["sampler=all", *arguments]) == 2
    streams = capsys.readouterr()
    assert part in streams.err and streams.out == ""
    assert len(streams.err.splitlines()) == 1
    assert list(here.iterdir()) == []


def test_interrupted_group_keeps_finished_records(here, two, monkeypatch, capsys):
    real = comparison.execute

    def second_is_interrupted(runs, *args, **kwargs):
        if runs[0].config.sampler.name == "jittering":
            raise KeyboardInterrupt
        return real(runs, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(comparison, "execute", second_is_interrupted)
        assert two() == 130
    assert len(list(here.glob("results/runs/*/record.json"))) == 1
    assert two() == 0
    assert "1 of 2 were done before" in capsys.readouterr().err


def test_group_survives_crash_of_a_unit(here, capsys):
    faulty = ["clf._target_=estimators.Faulty", "+clf.params.n_train=291", "+clf.params.fault=kill"]
    assert main(["sampler=all", "sampler.members=[randomoversampler,none]", *faulty]) == 1
    streams = capsys.readouterr()
    assert [row[0] for row in rows_of(streams.out)] == ["none"]
    assert "no scores of randomoversampler (its process ended by signal SIGKILL)" in streams.err


# Loaded by each process before anything else: notes each record that is moved into its place.
NOTE_RECORDS = """
import os
_replace = os.replace
def replace(source, target, **kwargs):
    _replace(source, target, **kwargs)
    if str(target).endswith("record.json"):
        with open("written", "a") as log:
            log.write(str(target) + "\\n")
os.replace = replace
"""


def test_two_groups_at_once_do_each_run_once_and_both_rank_all(here):
    names = ["none", "randomoversampler", "tomeklinks", "autosmote"]
    assert main(["sampler=none", "results_dir=other"]) == 0
    (one,) = here.glob("other/runs/*")
    (here / "sitecustomize.py").write_text(NOTE_RECORDS)
    command = [sys.executable, "-m", "autosmote.run", "sampler=all", *FEW]
    command.append(f"sampler.members=[{','.join(names)}]")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here), *sys.path])}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Both meet a run that is taken, at their ends at the latest.
    with claimed_elsewhere(here / "results", one.name):
        groups = [subprocess.Popen(command, env=environment, **pipes) for _ in range(2)]
        for group in groups:
            assert any("Another process works on this now" in line for line in group.stderr)
    for group in groups:
        out, _ = group.communicate(timeout=100)
        assert group.returncode == 0
        assert [row[0] for row in rows_of(out)] == names
    written = Path("written").read_text().splitlines()
    assert len(written) == len(set(written)) == len(names)


def record(name, test, status="ok", seed=0):
    scores = {"validation": {"mcc": 0.5}, "test": {"mcc": test}, "extended": None}
    return {
        "sampler": name,
        "seed": seed,
        "status": status,
        "imputed": status != "ok",
        "error": None if status == "ok" else "why",
        "scores": scores,
        "reference": {"validation": {"mcc": 0.25}, "test": {"mcc": 0.125}, "extended": None},
        "seconds": {"total": 1.0},
    }


def test_one_seed_ranks_nothing():
    text = ranking([record("c", 0.25), record("b", 0.5, "timeout"), record("a", 0.75)], "mcc")
    assert [row[0] for row in text.splitlines()[1:4]] == ["c", "b", "a"]
    assert "rank" not in text.splitlines()[0] and "one split says little" in text
    assert "timeout, imputed" in text and "b: why" in text
    assert re.search(r"no resampling +0\.1250 +0\.2500", text)
    assert "one split" not in ranking([record("c", 0.25)], "mcc")


def test_means_of_seeds_are_ranked_with_intervals_and_equal_ones_share_a_rank():
    looks = {"c": (0.25, 0.25), "b": (0.75, 0.25), "a": (0.5, 0.5), "d": (0.75, 0.5)}
    found = [
        record(name, of[seed], "timeout" if (name, seed) == ("b", 1) else "ok", seed)
        for seed in (0, 1)
        for name, of in looks.items()
    ]
    text = ranking(found, "mcc")
    assert [(rank, name, score) for rank, name, score, _ in ranks_of(text)] == [
        ("1", "d", "0.6250"),
        ("2.5", "a", "0.5000"),
        ("2.5", "b", "0.5000"),
        ("4", "c", "0.2500"),
    ]
    differences = {name: difference for _, name, _, difference in ranks_of(text)}
    assert differences["c"] == "+0.1250 (+0.1250 to +0.1250)"
    # The half is t(0.975, 1) = 12.706 times sqrt(0.03125 (1 / 2 + 1 / 3)).
    assert differences["d"] == "+0.5000 (-1.5505 to +2.5505)"
    assert "1 of 2 imputed" in text and "b: why" in text and "means of 2 seeds" in text
    assert re.search(r"no resampling +0\.1250 +0\.2500", text)


def test_seed_without_scores_is_counted():
    found = [record("a", 0.5), record("a", 0.5, seed=1), record("b", 0.5)]
    assert re.search(r" b .*ok, 1 of 2 seeds$", ranking(found, "mcc"), re.MULTILINE)


def test_list_of_samplers_with_a_mistake_is_refused(here, capsys):
    assert main(["sampler=[smote,smotee]"]) == 2
    assert "There is no sampler 'smotee' (did you mean smote" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_list_of_samplers_is_a_group_of_them(here, capsys):
    assert main(["sampler=[none,randomoversampler]", *FEW]) == 0
    streams = capsys.readouterr()
    assert [row[0] for row in rows_of(streams.out)] == ["none", "randomoversampler"]
    assert "toy, own IR, dt, list, seed 0" in streams.err


@pytest.mark.parametrize("sampler", ["randomoversampler", "[randomoversampler]"])
def test_several_seeds_of_one_sampler_are_averaged(here, capsys, sampler):
    assert main([f"sampler={sampler}", "seeds=3", "seed=4"]) == 0
    streams = capsys.readouterr()
    records = [json.loads(path.read_text()) for path in here.glob("results/runs/*/record.json")]
    assert sorted(one["seed"] for one in records) == [4, 5, 6]
    assert not any("seeds" in one["config"] for one in records)
    mean = sum(one["scores"]["extended"]["macro_f1"] for one in records) / 3
    ((rank, name, score, _),) = ranks_of(streams.out)
    assert (rank, name, score) == ("1", "randomoversampler", f"{mean:.4f}")
    assert "runs: 3/3 done" in streams.err
    # A run by itself has the same name.
    assert main(["sampler=randomoversampler", "seed=5"]) == 0
    assert "Done before" in capsys.readouterr().out


def test_nothing_to_rank():
    assert len(ranking([], "mcc").splitlines()) == 1
