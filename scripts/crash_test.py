"""Kill a sweep by SIGKILL many times, and count what is lost, duplicated, unreadable or different.

    python scripts/crash_test.py --kills 100
    python scripts/crash_test.py --kills 100 --at-once 2

A small sweep on the embedded toy data is started again until it is done, then another one, until
that many kills are done: at random moments, inside the writing of a record (by the unit's process,
which is killed with the sweep's) and inside collecting. With `--at-once 2` another sweep that
nobody kills is at work in the same folder each time. Then:

    lost         runs that had a record after a kill and have none, or another one, at the end
    duplicated   runs whose record was written twice
    unreadable   records and collected tables that cannot be read at any time after a kill
    unsynced     files that were moved into place before their bytes were synced; at a kill these
                 lose half of them, as by a power cut
    different    files of scores, ranks and tests that differ by a byte from an undisturbed sweep's

Exit status 0 if all are zero, and each kind of kill fell. It ends where none falls any more.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from kill_trap import Trap
from reliability_tables import add_row

WHERE = {"record": ["record.json"], "collect": [".csv.gz", "failures.csv"], "any": [], "": []}
"""Endings of the files before whose move the sweep is killed, by the kind of kill."""
MOST_IN_VAIN = 5
"""Sweeps without a kill after which none is to be expected."""

SWEEP = (
    *("experiment=table2", "budget=smoke", "samplers=[none,smote,adasyn,tomeklinks,nearmiss]"),
    *("workers=2", "collect_every=0.5"),
)


class Sweep:
    """A sweep that is started until it is done.

    Parameters
    ----------
    folder : Path
        A new one, for its results and the traps.
    reports : bool
        Whether it writes its tables and figures.
    sabotage : str
        "fsync": what the sweep calls to sync does nothing.
    """

    def __init__(self, folder: Path, reports: bool, sabotage: str) -> None:
        self.results, self._reports = folder / "results", reports
        self.trap = Trap(folder / "trap", WHERE["record"] + WHERE["collect"], sabotage)
        self.known: dict[str, bytes] = {}
        self.unreadable = 0

    def start(self, where: str = "", share: float = 0.0) -> subprocess.Popen[str]:
        arguments = [*SWEEP, f"results_dir={self.results}", f"reports={self._reports}"]
        process = subprocess.Popen(  # noqa: S603 - our own sweep
            [sys.executable, "-m", "autosmote.sweep", *arguments],
            env=self.trap.set(WHERE[where], share),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.trap.tell(process.pid)
        return process

    def finish(self) -> None:
        """Run it undisturbed.

        Raises
        ------
        SystemExit
            If it fails.
        """
        process = self.start()
        output, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"the undisturbed sweep failed:\n{output}")

    def trapped(self, where: str) -> str | None:
        how = self.trap.fell()
        return f"{where}, {how}" if how else None

    def cut_power(self) -> None:
        """Lose what a power cut may: the bytes of files that were not synced."""
        for path in self.trap.unsynced():
            if path.is_file():
                os.truncate(path, os.path.getsize(path) // 2)

    def look(self) -> None:
        """Read all records and collected tables; note records and count unreadable files."""
        for path in self.results.glob("runs/*/record.json"):
            try:
                text = path.read_bytes()
                json.loads(text)
                self.known.setdefault(path.parent.name, text)
            except ValueError:
                self.unreadable += 1
        for path in self.results.glob("*/**/*.csv.gz"):
            if not path.name.startswith("."):
                try:
                    gzip.decompress(path.read_bytes())
                except (OSError, EOFError):
                    self.unreadable += 1

    def lost(self) -> list[str]:
        """Return the runs whose record is gone or differs from the one first read."""
        folder = self.results / "runs"
        paths = {key: folder / key / "record.json" for key in self.known}
        return [
            key
            for key, path in paths.items()
            if not path.exists() or path.read_bytes() != self.known[key]
        ]

    def duplicated(self) -> list[str]:
        moved = self.trap.moved()
        counts = Counter(path.parent.name for path in moved if path.name == "record.json")
        return [key for key, n in counts.items() if n > 1]

    def files(self) -> dict[str, bytes]:
        """Return the collected files that must be the same in every sweep: all but the costs."""
        found = {}
        for path in sorted(self.results.glob("table2/**/*")):
            name = str(path.relative_to(self.results))
            if path.is_file() and "cost" not in name:
                found[name] = path.read_bytes()
        return found


def kill_once(
    sweep: Sweep, where: str, rng: random.Random, longest: float, at_once: int
) -> str | None:
    """Start a sweep and kill it; return where it was killed, or None if it was done before.

    The others that are at work in its folder at once do all that is left.
    """
    others = [sweep.start() for _ in range(at_once - 1)]
    process = sweep.start(where, 0.0 if where == "any" else rng.uniform(0.05, 0.5))
    fell = None
    if where == "any":
        try:
            process.wait(rng.uniform(0.2, longest))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            fell = "a random moment"
    output, _ = process.communicate()
    for other in others:
        told, _ = other.communicate()
        if other.returncode:
            raise SystemExit(f"the sweep that was not killed failed:\n{told}")
    if process.returncode == -signal.SIGKILL:
        fell = sweep.trapped(where) or fell or "?"
        if fell == "a random moment":
            begun = "units:" in output or "runs in" in output
            fell += ", units at work" if begun else ", before the first unit"
    elif process.returncode != 0:
        raise SystemExit(f"the sweep failed:\n{output}")
    return fell if process.returncode == -signal.SIGKILL else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=1, help="sweeps on one folder, one killed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sabotage", choices=["fsync"], default="", help="let this do nothing")
    parser.add_argument("--no-reports", action="store_true", help="leave out tables and figures")
    parser.add_argument("--results-dir", type=Path, help="where to add to the table of sweeps")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)  # noqa: S311 - a test's
    fell: Counter[str] = Counter()
    lost, duplicated, different = set(), set(), set()
    unreadable = sweeps = unsynced = in_vain = 0
    with tempfile.TemporaryDirectory() as folder:
        reports = not arguments.no_reports
        undisturbed = Sweep(Path(folder) / "undisturbed", reports, arguments.sabotage)
        started = time.monotonic()
        undisturbed.finish()
        longest = 1.2 * (time.monotonic() - started)
        expected = undisturbed.files()
        n_runs = len(list(undisturbed.results.glob("runs/*/record.json")))
        print(f"undisturbed: {n_runs} runs, {len(expected)} files, {longest / 1.2:.0f} s")
        # At least a fifth inside a record's write, a fifth inside collecting.
        wanted = ["record", "collect", "any"] * arguments.kills
        done = 0
        while done < arguments.kills and in_vain < MOST_IN_VAIN:
            sweeps += 1
            in_vain += 1
            sweep = Sweep(Path(folder) / str(sweeps), reports, arguments.sabotage)
            finished = False
            while not finished:
                where = wanted[done] if done < arguments.kills else ""
                # Where the undisturbed sweep was slow by chance, the later ones may end before.
                most = longest / 2 ** (in_vain - bool(in_vain))
                place = kill_once(sweep, where, rng, most, arguments.at_once)
                finished = place is None
                if place:
                    done, in_vain = done + 1, 0
                    fell[place] += 1
                    sweep.cut_power()
                    sweep.look()
                    print(f"kill {done}: {place}; {len(sweep.known)} records", flush=True)
            sweep.look()
            lost |= set(sweep.lost())
            duplicated |= set(sweep.duplicated())
            unreadable += sweep.unreadable
            unsynced += len(sweep.trap.unsynced())
            found = sweep.files()
            different |= {
                name for name in expected | found if expected.get(name) != found.get(name)
            }
            shutil.rmtree(Path(folder) / str(sweeps))
    print(f"{done} kills in {sweeps} sweeps of {n_runs} runs:")
    for place, n in sorted(fell.items()):
        print(f"  {n:>4}  {place}")
    counts = {
        "lost": len(lost),
        "duplicated": len(duplicated),
        "unreadable": unreadable,
        "unsynced": unsynced,
        "different": len(different),
    }
    print(", ".join(f"{what} {n}" for what, n in counts.items()))
    for name in sorted(lost | duplicated | different):
        print(f"  {name}")
    if done < arguments.kills:
        print(f"no kill fell in the last {MOST_IN_VAIN} sweeps: this tests nothing")
        return 1
    if arguments.results_dir:
        places = Counter({where: 0 for where in ("record", "collect", "a random moment")})
        for place, n in fell.items():
            places[place.partition(",")[0].replace("?", "a random moment")] += n
        head = {"at once": arguments.at_once, "seed": arguments.seed}
        row = {**head, "sweeps": sweeps, "kills": done, **places, **counts}
        add_row(arguments.results_dir / "sweeps.csv", row, by=tuple(head))
    return int(any(counts.values()))


if __name__ == "__main__":
    sys.exit(main())
