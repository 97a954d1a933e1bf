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
