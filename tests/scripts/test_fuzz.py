"""The fuzzer finds what it looks for, and what it tries is mostly valid."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def fuzz(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import fuzz

    return fuzz


@pytest.mark.parametrize("area", ["sampler", "files", "config", "disk"])
def test_inputs_of_each_area_hold(fuzz, area, capsys):
    assert fuzz.main(["--area", area, "--n", "3", "--seed", "0"]) in (0, 1)
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith(f"{area}: 3 tried, ")
    assert out.endswith(" 0 failed\n"), out


@pytest.mark.parametrize("fault", ["raise", "filter", "process", "exit", "random"])
def test_faults_are_found_and_told_with_their_number(fuzz, monkeypatch, capsys, fault):
    def broken(rng, folder):
        if fault == "raise":
            raise KeyError("a bug")
        if fault == "exit":
            sys.exit(0)
        if fault == "filter":
            fuzz.os.environ["LEFT_BEHIND"] = "1"
        if fault == "random":
            np.random.random()  # noqa: NPY002 - the fault
        if fault == "process":
            children.append(fuzz.subprocess_of_a_test())
        return fuzz.FITTED

    children = []
    monkeypatch.setattr(fuzz, "subprocess_of_a_test", _sleeper, raising=False)
    monkeypatch.setitem(fuzz.AREAS, "sampler", broken)
    monkeypatch.delenv("LEFT_BEHIND", raising=False)
    try:
        assert fuzz.main(["--area", "sampler", "--n", "1", "--seed", "5"]) == 1
    finally:
        fuzz.os.environ.pop("LEFT_BEHIND", None)
        for child in children:
            child.kill()
            child.wait()
    out = capsys.readouterr().out
    assert "--area sampler --seed 5 --only 0" in out and "1 failed" in out


def _sleeper():
    import subprocess

    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_fewer_fitted_than_half_fail(fuzz, monkeypatch):
    became = iter([fuzz.REFUSED, fuzz.REFUSED, fuzz.FITTED])
    monkeypatch.setitem(fuzz.AREAS, "sampler", lambda rng, folder: next(became))
    before = list(warnings.filters)
    assert fuzz.main(["--area", "sampler", "--n", "3"]) == 1
    assert warnings.filters == before


def test_a_process_of_before_may_end_meanwhile(fuzz, monkeypatch, capsys):
    def ends_it(rng, folder):
        child.kill()
        child.wait()
        return fuzz.FITTED

    child = _sleeper()
    monkeypatch.setitem(fuzz.AREAS, "sampler", ends_it)
    assert fuzz.main(["--area", "sampler", "--n", "1"]) == 0, capsys.readouterr().out


class Drawn:
    """Stands for random numbers."""

    def __init__(self, number):
        self.number = number

    def random(self):
        return self.number

    def integers(self, *bounds):
        return min(3, bounds[-1] - 1)


def in_place(path, write):
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)


@pytest.mark.parametrize(
    ("number", "sabotage", "why"),
    [
        (0.9, ("runs.in_process.files.remove_leftovers", lambda folder: None), "0-history"),
        # A file of more than 3,000 bytes cannot be written; the curve is left out.
        (0.27, ("records.files.write_file", in_place), "the record is another one"),
        (0.9, None, ""),
        (0.27, None, ""),
    ],
)
def test_disk_asks_for_leftovers_and_the_old_record(
    fuzz, monkeypatch, tmp_path, number, sabotage, why
):
    def plant(rng, results):
        (path,) = results.rglob("history.csv")
        path.with_name(f".{'0' * 32}-history.csv").write_bytes(b"half")
        return "leftover"

    monkeypatch.setattr(fuzz.fuzz_inputs, "damage_results", plant)
    monkeypatch.setattr(fuzz.fuzz_inputs, "with_curve", lambda rng: ["save_curve=false"])
    monkeypatch.chdir(tmp_path)
    if sabotage is None:
        assert fuzz.try_disk(Drawn(number), tmp_path) == (
            fuzz.REFUSED if number < 0.3 else fuzz.FITTED
        )
        return
    monkeypatch.setattr(f"autosmote.{sabotage[0]}", sabotage[1])
    with pytest.raises(AssertionError, match=why):
        fuzz.try_disk(Drawn(number), tmp_path)


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (lambda was, words: was(*words[:-1]), "did not repeat"),
        (lambda was, words: (1, was(*words)[1]), "the exit status 1 after 0"),
    ],
)
def test_run_that_is_not_repeated_is_found(fuzz, monkeypatch, tmp_path, second, why):
    was = fuzz.command
    monkeypatch.setattr(
        fuzz,
        "command",
        lambda *words: second(was, words) if words[-1] == "force=true" else was(*words),
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match=why):
        fuzz.try_run(tmp_path, "save_curve=false", again=True)


def test_file_that_was_to_be_moved_into_place_is_found(fuzz, tmp_path):
    (tmp_path / "record.json").touch()
    fuzz.check_whole(tmp_path)
    (tmp_path / f".{'c0ffee12' * 4}-record.json").touch()
    with pytest.raises(AssertionError, match="c0ffee"):
        fuzz.check_whole(tmp_path)
