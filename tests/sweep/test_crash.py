"""A few of the kills that scripts/crash_test.py and kill_commands.py make by the hundred."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "crash_test.py"
linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")


@linux
@pytest.mark.parametrize("at_once", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_killed_sweep_loses_and_duplicates_nothing(at_once):
    done = subprocess.run(
        [sys.executable, SCRIPT, "--kills", "3", "--no-reports", "--at-once", at_once],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kills in" in done.stdout
    assert "lost 0, duplicated 0, unreadable 0, unsynced 0, different 0" in done.stdout
    assert "record, " in done.stdout and "collect, " in done.stdout


@linux
@pytest.mark.slow
def test_sync_that_does_nothing_is_found_and_the_test_ends():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--kills", "2", "--no-reports", "--sabotage", "fsync"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "kills in" in done.stdout and "unsynced 0" not in done.stdout


@linux
@pytest.mark.slow
def test_killed_command_loses_and_leaves_nothing(tmp_path):
    script = SCRIPT.with_name("kill_commands.py")
    settings = ["--command", "predict", "--kills", "5", "--results-dir", tmp_path]
    done = subprocess.run([sys.executable, script, *settings], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    table = (tmp_path / "kills.md").read_text()
    assert "| predict | 0 | 1 | 1 | 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |" in table
