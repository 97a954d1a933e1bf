"""Made-up sweeps: the benchmark's, whose records have the form that a sweep leaves."""

import importlib.util
from functools import partial
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "bench_reports.py"


@pytest.fixture(scope="session")
def bench_reports():
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def make_sweep(bench_reports, tmp_path):
    """``make_sweep(...)`` of scripts/bench_reports.py in the test's folder."""
    return partial(bench_reports.make_sweep, tmp_path)
