"""Kill, stop and interrupt single commands many times, and count what is lost or left.

    python scripts/kill_commands.py --kills 50

Commands: run (one search of the runner), resample, compare, fit, predict, each on a small table in
a new folder that holds last week's output. Signals: SIGKILL, SIGTERM, SIGHUP, and SIGSTOP with
SIGCONT half a second later, at random moments; SIGKILL just before one of its files, in turn, is
moved into place, whole or cut in half. After each, the command is given once more, undisturbed.
Counted are

    lost           outputs that hold neither what they held before nor a whole new file
    doubled        records of one run
    left running   processes of the command that outlive it by five seconds
    left over      files that are there in the end and not after an undisturbed command, but for
                   hidden ones beside an output, which a kill during a write leaves
    status         exit statuses other than those that docs/reliability.md promises
    different      outputs of the second command that differ from an undisturbed one's

Exit status 0 if all are zero, and each kind of kill fell, at a write of each file.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kill_trap import Trap
from reliability_tables import add_row

LAST_WEEK = b"last week's\n"
FAULTS = ("lost", "doubled", "left running", "left over", "status", "different")
SIGNALS = {
    "SIGKILL": signal.SIGKILL,
    "SIGTERM": signal.SIGTERM,
    "SIGHUP": signal.SIGHUP,
    "SIGSTOP": signal.SIGSTOP,
}
AT_WRITE = "SIGKILL at a write"
TORN = "torn"
"""What is read of an output that is gone or not whole."""
GRACE = 5.0
"""Seconds in which the processes of a command that has ended have to end."""


def read_whole(path: Path) -> object:
    """Return what must be the same twice of an output: its bytes, but for seconds; else `TORN`."""
    try:
        if path.read_bytes() == LAST_WEEK:
            return LAST_WEEK
        if path.name == "record.json":
            record = json.loads(path.read_text())
            return {key: record[key] for key in ("status", "scores", "iterations")}
        if path.name == "comparison.csv":
            rows = list(csv.DictReader(path.read_text().splitlines()))
            whole = len(rows) == 3 and not any(None in row.values() for row in rows)
            of = [{key: value for key, value in row.items() if key != "seconds"} for row in rows]
            return of if whole else TORN
        if path.suffix == ".png":  # with seconds in its axis
            return "a picture" if path.read_bytes().endswith(b"IEND\xaeB`\x82") else TORN
        return path.read_bytes()
    except (OSError, ValueError, KeyError):
        return TORN


@dataclass(frozen=True)
class Command:
    """A command, the files that it writes, and what of these may be short of the whole result.

    Attributes
    ----------
    arguments : sequence of str
        Of `python -m autosmote`.
    outputs : sequence of str
        Names in its folder, of which old files are there before.
    results : sequence of str
        Names of files that it writes to a folder of results.
    is_best_so_far : function
        From the bytes of the first output to whether they are a whole result of a search that was
        interrupted.
    """

    arguments: Sequence[str]
    outputs: Sequence[str]
    results: Sequence[str] = ()
    is_best_so_far: Callable[[bytes], bool] = field(default=lambda found: False)

    @property
    def files(self) -> list[str]:
        """Names of all files that it moves into place."""
        return [*self.outputs, *self.results]


def _given_first(found: bytes) -> bool:
    given = _table().encode()
    rows = found.removeprefix(given).decode().splitlines()
    return found.startswith(given) and all(row.count(",") == 3 for row in rows)


_TABLE = ["table.csv", "--target", "y"]
_SEARCH = [*_TABLE, "--estimator", "dt", "--iterations"]
_COMPARED = ["--repeats", "1", "--jobs", "2", "--methods"]
COMMANDS = {
    "run": Command(
        ["dataset=toy", "clf=dt", "search.iterations=100", "results_dir=results"],
        [],
        ["record.json", "history.csv", "curve.png", "best_segments.npz"],
    ),
    "resample": Command(
        ["resample", *_SEARCH, "100", "-o", "out.csv"], ["out.csv", "out.png"], (), _given_first
    ),
    "compare": Command(
        ["compare", *_SEARCH, "20", *_COMPARED]
        + ["as it is;tuned threshold;SMOTE with the vote", "-o", "comparison.csv"],
        ["comparison.csv", "comparison.png"],
    ),
    "fit": Command(["fit", *_SEARCH, "60", "-o", "model.joblib"], ["model.joblib"]),
    "predict": Command(
        ["predict", "fitted.joblib", "new.csv", "-o", "predictions.csv"], ["predictions.csv"]
    ),
}


def make_folder(folder: Path, outputs: Sequence[str], fitted: bytes) -> None:
    """Make a folder with what the commands read, and with last week's outputs."""
    folder.mkdir()
    for name in ("table.csv", "new.csv"):
        (folder / name).write_text(_table())
    (folder / "fitted.joblib").write_bytes(fitted)
    for output in outputs:
        (folder / output).write_bytes(LAST_WEEK)


def _table() -> str:
    """Return a table of 240 rows, 40 of them of the rarer class."""
    rng = random.Random(0)  # noqa: S311 - a table's
    lines = ["a,b,c,y"]
    for i in range(240):
        is_rare = i % 6 == 0
        values = [f"{rng.gauss(0.7 * is_rare, 1):.3f}" for _ in range(3)]
        lines.append(",".join([*values, "yes" if is_rare else "no"]))
    return "\n".join(lines) + "\n"


class Trial:
    """One command in a new folder, killed once and then given again."""

    def __init__(self, name: str, folder: Path, fitted: bytes) -> None:
        self.command, self.folder = COMMANDS[name], folder
        self._token, self.trap = uuid.uuid4().hex, Trap(folder.with_suffix(".trap"))
        make_folder(folder, self.command.outputs, fitted)

    def start(self, *endings: str) -> subprocess.Popen[bytes]:
        """Start the command; it is killed where a file with such an ending is moved into place."""
        environment = self.trap.set(endings)
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "autosmote", *self.command.arguments],
            cwd=self.folder,
            env=environment | {"KILL_TRIAL": self._token},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.trap.tell(process.pid)
        return process

    def count_left(self) -> int:
        """Return how many processes of the command are there after the grace."""
        until = time.monotonic() + GRACE
        while (left := self._alive()) and time.monotonic() < until:
            time.sleep(0.05)
        return left

    def _alive(self) -> int:
        mark = f"KILL_TRIAL={self._token}".encode()
        alive = 0
        for path in Path("/proc").glob("[0-9]*"):
            try:
                has_ended = (path / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
                alive += mark in (path / "environ").read_bytes().split(b"\0") and not has_ended
            except OSError:  # it ended meanwhile, or is another's
                continue
        return alive

    def outputs(self) -> dict[str, object]:
        """Return all files that the command makes, by name, as `read_whole` has them."""
        given = ("table.csv", "new.csv", "fitted.joblib")
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        found = {str(path.relative_to(self.folder)): path for path in paths}
        return {
            name: read_whole(path) if name in self.command.outputs or _is_result(path) else None
            for name, path in found.items()
            if name not in given and not (self.command.outputs and _is_temporary(path))
        }

    def count_lost(self, whole: dict[str, object]) -> int:
        """Return how many of the outputs are neither the old ones nor whole."""
        lost = 0
        for i, name in enumerate(self.command.outputs):
            path = self.folder / name
            is_known = read_whole(path) in (LAST_WEEK, whole[name])
            is_best = i == 0 and path.is_file() and self.command.is_best_so_far(path.read_bytes())
            lost += not (is_known or is_best)
        for path in self.folder.rglob("record.json"):  # which is the last that a run writes
            lost += read_whole(path) != whole.get(str(path.relative_to(self.folder)))
        return lost


def _is_result(path: Path) -> bool:
    return path.name == "record.json" or path.name.startswith("best_")


def _is_temporary(path: Path) -> bool:
    """Return whether a file is one that was not moved into place; a run clears its own away."""
    return re.match(r"\.[0-9a-f]{32}-", path.name) is not None


def is_promised(status: int, name: str) -> bool:
    """Return whether an exit status is one of those that are promised after a signal.

    Before Python handles a signal, and for SIGKILL always, the system ends the process.
    """
    number = int(SIGNALS[name])
    ends = {"SIGKILL": [-number], "SIGSTOP": [0]}.get(name, [-number, 128 + number])
    return status in ends


def kill_once(
    trial: Trial, kind: str, file: str, rng: random.Random, longest: float
) -> tuple[str, int]:
    """Start the command, disturb it, and wait for its end; return what fell, and the status."""
    if kind == AT_WRITE:
        status = trial.start(file).wait()
        return AT_WRITE * bool(trial.trap.fell()), status
    process = trial.start()
    try:
        return "", process.wait(rng.uniform(0.1, longest))
    except subprocess.TimeoutExpired:
        pass
    whole_group = rng.random() < 0.5  # as a terminal does, or as another process
    send = os.killpg if whole_group else os.kill
    send(process.pid, SIGNALS[kind])
    if kind == "SIGSTOP":
        time.sleep(0.5)
        send(process.pid, signal.SIGCONT)
    status = process.wait()
    came_late = status == 0 and kind != "SIGSTOP"  # the work was done before the signal came
    return "" if came_late else kind, status


def try_command(
    name: str, kills: int, rng: random.Random, folder: Path, fitted: bytes
) -> Counter[str]:
    """Kill a command that many times; return the counts of what fell and of the faults."""
    undisturbed = Trial(name, folder / f"{name}-undisturbed", fitted)
    started = time.monotonic()
    if undisturbed.start().wait():
        raise SystemExit(f"the undisturbed {name} failed")
    longest = time.monotonic() - started
    whole = undisturbed.outputs()
    found: Counter[str] = Counter()
    kinds = [*SIGNALS, AT_WRITE]
    files = COMMANDS[name].files
    tried = 0
    while sum(found[kind] for kind in kinds) < kills and tried < 3 * kills:
        kind = kinds[tried % len(kinds)]
        file = files[tried // len(kinds) % len(files)]
        trial = Trial(name, folder / f"{name}-{tried}", fitted)
        tried += 1
        fell, status = kill_once(trial, kind, file, rng, longest)
        found[fell or "too late"] += 1
        found[f"at {file}"] += fell == AT_WRITE
        found["left running"] += trial.count_left()
        found["lost"] += trial.count_lost(whole)
        found["status"] += bool(fell) and kind in SIGNALS and not is_promised(status, kind)
        if trial.start().wait():
            found["status"] += 1
        made = trial.outputs()
        n_records = sum(Path(name).name == "record.json" for name in made)
        found["doubled"] += max(n_records - 1, 0)
        found["left over"] += len(set(made) - set(whole))
        found["different"] += sum(made.get(n) != content for n, content in whole.items())
        faults = {fault: found[fault] for fault in FAULTS if found[fault]}
        print(
            f"{name} {tried}: {fell or 'ended before'}, status {status} {faults or ''}", flush=True
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--command", choices=[*COMMANDS, "all"], default="all")
    parser.add_argument("--kills", type=int, default=50, help="of each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results-dir", type=Path, help="where to add to the table of kills")
    arguments = parser.parse_args()
    # What is started here inherits it: under nohup it is ignored, and no kill by it would fall.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    bad = False
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        fitting = Trial("fit", folder / "fit", b"")
        if fitting.start().wait():
            raise SystemExit("fit failed")
        fitted = (fitting.folder / "model.joblib").read_bytes()
        for name in COMMANDS if arguments.command == "all" else [arguments.command]:
            rng = random.Random(f"{arguments.seed} {name}")  # noqa: S311 - a test's
            found = try_command(name, arguments.kills, rng, folder, fitted)
            fell = {kind: found[kind] for kind in (*SIGNALS, AT_WRITE)}
            counts = {fault: found[fault] for fault in FAULTS}
            print(f"{name}: {fell} {counts}", flush=True)
            missed = [file for file in COMMANDS[name].files if not found[f"at {file}"]]
            if missed:
                print(f"no kill at the write of {', '.join(missed)}", flush=True)
            bad |= any(counts.values()) or not all(fell.values()) or bool(missed)
            if arguments.results_dir:
                row = {"command": name, "seed": arguments.seed, **fell, **counts}
                add_row(arguments.results_dir / "kills.csv", row, by=("command", "seed"))
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
