"""What a kill of a command can do wrong is counted: statuses, what is lost, torn or left."""

import json
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")
HISTORY = "iteration,reward,best,n_synthetic,seconds\n1,0.5,0.5,3,0.1\n2,0.6,0.6,3,0.2\n"
RUN = "results/runs/a"


@pytest.fixture
def kills(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import kill_commands

    return kill_commands


@pytest.fixture
def trial(kills, monkeypatch, tmp_path):
    """Return a function that makes a trial of a command whose program is given instead."""

    def make(program="", command="run"):
        monkeypatch.setattr(kills, "PROGRAM", (sys.executable, "-c", program))
        return kills.Trial(command, tmp_path / command, b"")

    return make


def record(status="interrupted", iterations=2):
    scores = {part: {"mcc": 0.5} for part in ("validation", "test")}
    return json.dumps(
        dict.fromkeys(("dataset", "clf", "sampler", "metric"), "a")
        | dict.fromkeys(("ir", "ratio", "n_synthetic", "seconds", "error"))
        | dict.fromkeys(("schema_version", "protocol_version", "seed"), 1)
        | {"status": status, "iterations": iterations, "imputed": False, "scores": scores}
        | {"config": {}, "versions": {}}
    )


@pytest.mark.parametrize(
    ("kind", "status", "at_work", "is_promised"),
    [
        ("", 0, False, True),
        ("", 1, False, False),  # it ended by itself
        ("SIGKILL", -9, True, True),
        ("SIGKILL", 0, True, False),
        ("SIGSTOP", 0, True, True),
        ("SIGSTOP", 1, True, False),
        ("SIGTERM", -15, False, True),  # before the handlers are there
        ("SIGTERM", -15, True, False),
        ("SIGTERM", 143, True, True),
        ("SIGTERM", 0, True, False),
        ("SIGTERM", 0, False, False),
        ("SIGHUP", -1, True, False),
        ("SIGHUP", 129, True, True),
        ("SIGKILL at a write", -9, False, True),
        ("SIGKILL at a write", 0, False, False),
    ],
)
def test_statuses_that_are_promised(kills, kind, status, at_work, is_promised):
    assert kills.Fell(kind, status, at_work).is_promised == is_promised


IMPORTS = "import signal, subprocess, sys, time\n"
SAID = "sys.stderr.write('search: 1/9'); sys.stderr.flush(); time.sleep({})"


@pytest.mark.parametrize(
    ("program", "status"),
    [
        (SAID.format(60), -15),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SAID.format(0.5), 0),
    ],
)
def test_run_that_does_not_handle_a_signal_is_counted(kills, trial, program, status):
    made = trial(IMPORTS + program)
    fell = kills.kill_once(made, "SIGTERM", "", random.Random(0), 0, at_work=True)
    assert (fell.kind, fell.status, fell.at_work) == ("SIGTERM", status, True)
    assert not fell.is_promised and len(made.lost({}, fell)) == 1


@pytest.mark.parametrize(
    ("files", "lost"),
    [
        ({"partial.json": record(), "history.csv": HISTORY}, 0),
        ({}, 1),
        ({"partial.json": record()[:40], "history.csv": HISTORY}, 2),
        ({"partial.json": "[]", "history.csv": HISTORY}, 2),
        ({"partial.json": record(), "history.csv": HISTORY[:-3]}, 2),
        ({"partial.json": record(iterations=9), "history.csv": HISTORY}, 1),
        ({"partial.json": record()}, 1),
        ({"record.json": record("ok"), "history.csv": HISTORY}, 0),
        ({"record.json": record("ok", 7), "history.csv": HISTORY}, 1),
    ],
)
def test_best_so_far_of_a_run_is_asked_for(kills, trial, files, lost):
    made = trial()
    (made.folder / RUN).mkdir(parents=True)
    (made.folder / RUN / "record.json").write_text(record("ok"))
    whole = made.outputs()
    (made.folder / RUN / "record.json").unlink()
    for name, text in files.items():
        (made.folder / RUN / name).write_text(text)
    assert len(made.lost(whole, kills.Fell("SIGTERM", 143, True))) == lost


BEST = "0.125,0.250,0.500,yes\n"


@pytest.mark.parametrize(
    ("made_rows", "kind", "at_work", "lost"),
    [
        (2 * BEST, "SIGTERM", True, 0),
        (2 * BEST, "SIGKILL", True, 1),  # there is no best so far after it
        (BEST, "SIGTERM", True, 1),  # cut at a row's end
        (2 * BEST[:-1], "SIGTERM", True, 1),
        (BEST + BEST[:-2], "SIGTERM", True, 1),  # in the last cell
        (BEST + "0.125,,0.500,yes\n", "SIGHUP", True, 1),
        (None, "SIGTERM", True, 1),  # last week's
        (None, "SIGTERM", False, 0),
        (None, "SIGKILL", True, 0),
    ],
)
def test_best_so_far_of_resample_is_whole(kills, trial, made_rows, kind, at_work, lost):
    made = trial("print('synthetic rows: 2 of class yes')", "resample")
    made.start().wait()
    if made_rows is not None:
        (made.folder / "out.csv").write_text(kills._table() + made_rows)
    whole = {"out.csv": kills._table() + 9 * BEST, "out.png": "a picture"}
    assert len(made.lost(whole, kills.Fell(kind, 143, at_work))) == lost


def test_file_that_is_missing_or_torn_in_the_end_is_different(kills, trial):
    made = trial()
    (made.folder / RUN).mkdir(parents=True)
    for name in ("history.csv", "best_counts.npz", "curve.png"):
        (made.folder / RUN / name).write_text(HISTORY)
    whole = made.outputs() | {f"{RUN}/best_counts.npz": {"counts": b""}}
    (made.folder / RUN / "history.csv").write_text(HISTORY[:-1])
    (made.folder / RUN / "curve.png").unlink()
    found = Counter()
    kills.count_faults(made, kills.Fell("SIGTERM", 143), whole, found)
    assert found["different"] == 3


def test_torn_files_of_an_undisturbed_command_are_refused(kills, trial, tmp_path):
    trial("open('record.json', 'w').write('{')")
    with pytest.raises(SystemExit, match=r"not whole: record\.json"):
        kills.try_command("run", 1, random.Random(0), tmp_path, b"")


def test_process_that_is_left_is_counted(trial, monkeypatch):
    monkeypatch.setattr("kill_trap.GRACE", 0.1)
    made = trial(
        IMPORTS + "child = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "print(child.pid)"
    )
    made.start().wait()
    left = made.trap.count_left()
    os.kill(int(made.said()), signal.SIGKILL)
    assert left == 1
