"""Kill, stop and interrupt single commands many times, and count what is lost or left.

    python scripts/kill_commands.py --kills 50

Commands: run (one search of the runner), resample, compare, fit, predict, each on a small table in
a new folder that holds last week's output. Signals: SIGKILL, SIGTERM, SIGHUP, and SIGSTOP with
SIGCONT half a second later, at random moments and once it has said that it is at work; SIGKILL just
before one of its files, in turn, is moved into place, whole or cut in half. After each, the command
is given once more, undisturbed. Counted are

    lost           outputs that hold neither what they held before nor a whole new file, and the
                   best so far where SIGTERM or SIGHUP comes at work and it is not written
    doubled        records of one run
    left running   processes of the command that outlive it by five seconds
    left over      files that are there in the end and not after an undisturbed command, but for
                   hidden ones beside an output, which a kill during a write leaves
    status         exit statuses other than those that docs/reliability.md promises
    different      outputs of the second command that differ from an undisturbed one's

Exit status 0 if all are zero, and each kind of kill fell, at a write of each file, each signal at
work.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kill_trap import Trap
from reliability_tables import add_row
from whole_files import LAST_WEEK, MISSING, TORN, content, refuse_torn

from autosmote.atomic import is_temporary

FAULTS = ("lost", "doubled", "left running", "left over", "status", "different")
SIGNALS = {
    "SIGKILL": signal.SIGKILL,
    "SIGTERM": signal.SIGTERM,
    "SIGHUP": signal.SIGHUP,
    "SIGSTOP": signal.SIGSTOP,
}
AT_WRITE = "SIGKILL at a write"
KEEP_THE_BEST = ("SIGTERM", "SIGHUP")
"""Signals after which a search's best so far is written."""
PROGRAM = (sys.executable, "-m", "autosmote")


@dataclass(frozen=True)
class Command:
    """A command, the files that it writes, and what of these may be short of the whole result.

    Attributes
    ----------
    arguments : sequence of str
        Of `python -m autosmote`.
    outputs : sequence of str
        Names in its folder, of which old files are there before.
    at_work, at_end : str
        What it says on standard error once it is at work, and on standard output when all is done.
    results : sequence of str
        Names of files that it writes to a folder of results.
    is_best_so_far : function, optional
        From the text of the first output, and what was said on standard output, to whether it is
        the whole result of a search that was interrupted.
    """

    arguments: Sequence[str]
    outputs: Sequence[str]
    at_work: str
    at_end: str = "written: "
    results: Sequence[str] = ()
    is_best_so_far: Callable[[str, str], bool] | None = field(default=None)

    @property
    def files(self) -> list[str]:
        """Names of all files that it moves into place."""
        return [*self.outputs, *self.results]


def _is_best_so_far(found: str, said: str) -> bool:
    """Return whether a table has the given rows first, and then as many whole ones as were told."""
    given, told = _table(), re.search(r"synthetic rows: (\d+|none)", said)
    rows = found.removeprefix(given).splitlines()
    n_told = len(rows) if told is None else int(told[1].replace("none", "0"))
    are_whole = all(re.fullmatch(r"(-?\d+\.\d+,){3}yes", row) for row in rows)
    return found.startswith(given) and found.endswith("\n") and are_whole and len(rows) == n_told


_TABLE = ["table.csv", "--target", "y"]
_SEARCH = [*_TABLE, "--estimator", "dt", "--iterations"]
_COMPARED = ["--repeats", "1", "--jobs", "2", "--methods"]
_ITERATION = "search: "
COMMANDS = {
    "run": Command(
        ["dataset=toy", "clf=dt", "search.iterations=100", "results_dir=results"],
        [],
        _ITERATION,
        "record: ",
        ["record.json", "history.csv", "curve.png", "best_counts.npz"],
    ),
    "resample": Command(
        ["resample", *_SEARCH, "400", "-o", "out.csv"],
        ["out.csv", "out.png"],
        _ITERATION,
        is_best_so_far=_is_best_so_far,
    ),
    "compare": Command(
        ["compare", *_SEARCH, "20", *_COMPARED]
        + ["as it is;tuned threshold;SMOTE with the vote", "-o", "comparison.csv"],
        ["comparison.csv", "comparison.png"],
        "fits: ",
    ),
    "fit": Command(["fit", *_SEARCH, "60", "-o", "model.joblib"], ["model.joblib"], _ITERATION),
    "predict": Command(
        ["predict", "fitted.joblib", "new.csv", "-o", "predictions.csv"],
        ["predictions.csv"],
        "1 missing in column 'a'",
    ),
}


def make_folder(folder: Path, outputs: Sequence[str], fitted: bytes) -> None:
    """Make a folder with what the commands read, and with last week's outputs."""
    folder.mkdir()
    (folder / "table.csv").write_text(_table())
    # A gap, of which predict tells before its work.
    (folder / "new.csv").write_text(_table() + ",0.5,0.5,no\n")
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
        self.trap = Trap(folder.with_suffix(".trap"))
        self._said = [folder.with_suffix(ending) for ending in (".stdout", ".stderr")]
        make_folder(folder, self.command.outputs, fitted)

    def start(self, *endings: str) -> subprocess.Popen[bytes]:
        """Start the command; it is killed where a file with such an ending is moved into place."""
        environment = self.trap.set(endings) | {"PYTHONUNBUFFERED": "1"}
        with self._said[0].open("wb") as said, self._said[1].open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603 - our own command
                [*PROGRAM, *self.command.arguments],
                cwd=self.folder,
                env=environment,
                stdout=said,
                stderr=errors,
                start_new_session=True,
            )
        self.trap.tell(process.pid)
        return process

    def said(self) -> str:
        """Return what it has said on standard output."""
        return self._said[0].read_text()

    def is_at_work(self) -> bool:
        """Return whether it has said that it is at work, and not that all is done."""
        return self.command.at_work in self._said[1].read_text() and not self.is_at_end()

    def is_at_end(self) -> bool:
        """Return whether it has said that all is done."""
        return self.command.at_end in self.said()

    def outputs(self) -> dict[str, object]:
        """Return all files that the command makes, by name, as `content` has them.

        A run clears its temporary files away; beside an output they stay.
        """
        given = ("table.csv", "new.csv", "fitted.joblib")
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.folder)): content(path)
            for path in paths
            if path.name not in given and not (self.command.outputs and is_temporary(path))
        }

    def lost(self, whole: Mapping[str, object], fell: Fell) -> list[str]:
        """Return the files that are neither the old ones nor whole, and what is not written."""
        may_be_best = fell.kind in KEEP_THE_BEST
        found = {n: has for n, has in self.outputs().items() if not is_temporary(Path(n))}
        lost = []
        for i, name in enumerate(self.command.outputs):
            is_kept = found.get(name) == LAST_WEEK
            is_whole = found.get(name, MISSING) == whole[name]
            if i == 0 and may_be_best and self.command.is_best_so_far is not None:
                table = (self.folder / name).read_text() if name in found else ""
                is_whole |= self.command.is_best_so_far(table, self.said())
                is_kept &= not fell.at_work
            lost += [name] * (not (is_kept or is_whole))
        if self.command.results:  # of a folder that was empty before
            for name, has in found.items():
                may_differ = may_be_best and Path(name).name != "record.json"
                lost += [name] * (has == TORN or not (may_differ or has == whole.get(name)))
            if may_be_best and fell.at_work and not self._has_best_so_far(found):
                lost.append(f"best so far, of {', '.join(found)}")
        return lost

    def _has_best_so_far(self, found: Mapping[str, object]) -> bool:
        """Return whether a run has left its record, or its best so far and the history of it."""
        names = {Path(name).name: has for name, has in found.items()}
        if isinstance(names.get("record.json"), dict):
            return True
        partial, history = names.get("partial.json"), names.get("history.csv")
        if not isinstance(partial, dict) or not isinstance(history, list):
            return False
        # An interrupt may come before the last iteration's row.
        return len(history) - 1 in (partial["iterations"], partial["iterations"] - 1)


@dataclass(frozen=True)
class Fell:
    """What fell on a command: its `kind` is "" where it ended before.

    `at_work` says whether the command had said that it was at work, and not that all was done.
    """

    kind: str
    status: int
    at_work: bool = False

    @property
    def is_promised(self) -> bool:
        """Whether the exit status is one of those that are promised.

        Before Python handles a signal, and for SIGKILL always, the system ends the process.
        """
        if self.kind in ("", "SIGSTOP"):
            return self.status == 0
        number = int(SIGNALS.get(self.kind, signal.SIGKILL))
        if self.kind not in KEEP_THE_BEST:
            return self.status == -number
        return self.status in ([128 + number] if self.at_work else [-number, 128 + number])


def kill_once(
    trial: Trial, kind: str, file: str, rng: random.Random, seconds: float, *, at_work: bool
) -> Fell:
    """Start the command, disturb it, and wait for its end; return what fell.

    A signal comes that many seconds after its start, or after it says that it is at work.
    """
    if kind == AT_WRITE:
        status = trial.start(file).wait()
        return Fell(AT_WRITE * bool(trial.trap.fell()), status)
    process = trial.start()
    if at_work:
        wait_until_at_work(trial, process)
    with contextlib.suppress(subprocess.TimeoutExpired):
        return Fell("", process.wait(seconds))
    send = rng.choice([os.killpg, os.kill])  # as a terminal does, or as another process
    send(process.pid, signal.SIGSTOP)  # or it would go on while it is looked at
    _wait_until_held(process.pid)
    at_work, at_end = trial.is_at_work(), trial.is_at_end()
    if kind == "SIGSTOP":
        time.sleep(0.5)
    else:
        send(process.pid, SIGNALS[kind])
    send(process.pid, signal.SIGCONT)
    status = process.wait()
    if at_end and kind != "SIGSTOP":  # it came too late; the handlers are taken back by now
        number = int(SIGNALS[kind])
        return Fell("", 0 if status in (-number, 128 + number) else status)
    return Fell(kind, status, at_work)


def _wait_until_held(pid: int) -> None:
    """Wait until a process has stopped, or has ended."""
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "TZ":
        time.sleep(0.001)


def wait_until_at_work(trial: Trial, process: subprocess.Popen[bytes]) -> None:
    """Wait until a command says that it is at work, or has ended."""
    while process.poll() is None and not trial.is_at_work():
        time.sleep(0.001)


def try_command(
    name: str, kills: int, rng: random.Random, folder: Path, fitted: bytes
) -> Counter[str]:
    """Kill a command that many times; return the counts of what fell and of the faults."""
    undisturbed = Trial(name, folder / f"{name}-undisturbed", fitted)
    started = time.monotonic()
    process = undisturbed.start()
    wait_until_at_work(undisturbed, process)
    begun = time.monotonic()
    if process.wait():
        raise SystemExit(f"the undisturbed {name} failed")
    longest, longest_at_work = time.monotonic() - started, time.monotonic() - begun
    whole = undisturbed.outputs()
    refuse_torn(whole)
    found: Counter[str] = Counter()
    kinds = [*SIGNALS, AT_WRITE]
    files = COMMANDS[name].files
    tried = 0
    while sum(found[kind] for kind in kinds) < kills and tried < 3 * kills:
        kind = kinds[tried % len(kinds)]
        file = files[tried // len(kinds) % len(files)]
        trial = Trial(name, folder / f"{name}-{tried}", fitted)
        tried += 1
        is_first = not found[f"{kind} at work"]
        at_work = is_first or rng.random() < 0.5
        seconds = rng.uniform(0, longest_at_work) if at_work else rng.uniform(0.1, longest)
        fell = kill_once(trial, kind, file, rng, seconds * (not is_first), at_work=at_work)
        found[fell.kind or "too late"] += 1
        found[f"{kind} at work"] += fell.at_work
        found[f"at {file}"] += fell.kind == AT_WRITE
        count_faults(trial, fell, whole, found)
        faults = {fault: found[fault] for fault in FAULTS if found[fault]}
        where = " at work" * fell.at_work
        print(
            f"{name} {tried}: {fell.kind or 'ended before'}{where}, status {fell.status} "
            f"{faults or ''}",
            flush=True,
        )
    return found


def count_faults(
    trial: Trial, fell: Fell, whole: Mapping[str, object], found: Counter[str]
) -> None:
    """Count what a kill has done, and what the command does when it is given once more."""
    found["left running"] += trial.trap.count_left()
    if lost := trial.lost(whole, fell):
        print(f"lost: {'; '.join(lost)}", flush=True)
    found["lost"] += len(lost)
    found["status"] += not fell.is_promised
    found["status"] += trial.start().wait() != 0
    made = trial.outputs()
    n_records = sum(Path(name).name == "record.json" for name in made)
    found["doubled"] += max(n_records - 1, 0)
    found["left over"] += len(set(made) - set(whole))
    found["different"] += sum(made.get(n, MISSING) != has for n, has in whole.items())


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
            missed = [f"at the write of {n}" for n in COMMANDS[name].files if not found[f"at {n}"]]
            missed += [f"by {n} at work" for n in SIGNALS if not found[f"{n} at work"]]
            if missed:
                print(f"no kill {', '.join(missed)}", flush=True)
            bad |= any(counts.values()) or not all(fell.values()) or bool(missed)
            if arguments.results_dir:
                row = {"command": name, "seed": arguments.seed, **fell, **counts}
                add_row(arguments.results_dir / "kills.csv", row, by=("command", "seed"))
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
