"""Made-up sweeps: the benchmark's, whose records have the form that a sweep leaves."""

import importlib
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def make_sweep(monkeypatch, tmp_path):
    """``make_sweep(...)`` of scripts/bench_reports.py in the test's folder."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    bench = importlib.import_module("bench_reports")
    return lambda *args, **kwargs: bench.make_sweep(tmp_path, *args, **kwargs)
