"""Kill a sweep by SIGKILL many times, and count what is lost, duplicated, unreadable or different.

    python scripts/crash_test.py --kills 100
    python scripts/crash_test.py --kills 100 --at-once 2

A small sweep on the embedded toy data is started again until it is done, then another one, until
that many kills are done: at random moments, inside the writing of a record (by the unit's process,
which is killed with the sweep's) and inside collecting. With `--at-once 2` another sweep that
nobody kills is at work in the same folder each time. Then:

    lost         runs that are planned, or had a record or a row of a collected table after a kill,
                 and have no record, row or costs at the end, or another record
    duplicated   runs whose record was written twice
    unreadable   files that, at any time after a kill, cannot be read or hold something else than an
                 undisturbed sweep's
    unsynced     files that were moved into place before their bytes were synced; at a kill these
                 lose half of them, as by a power cut
    different    files that differ, but for seconds and memory, from an undisturbed sweep's
    in place     files that were not moved into place as they are
    left running processes of a sweep that outlive it by five seconds
    left over    files that were to be moved into place, at the end

Exit status 0 if all are zero, and each kind of kill fell. It ends where none falls any more.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from kill_trap import Trap
from reliability_tables import add_row
from whole_files import MISSING, TORN, content, refuse_torn

from autosmote.atomic import is_temporary
from autosmote.errors import UserError
from autosmote.records import collected

WHERE = {"record": ["record.json"], "collect": [".csv.gz", "failures.csv"], "any": [], "": []}
"""Endings of the files before whose move the sweep is killed, by the kind of kill."""
MOST_IN_VAIN = 5
"""Sweeps without a kill after which none is to be expected."""
EXPERIMENT, PLAN = "table2", "custom"
GROWING = {
    f"{EXPERIMENT}/{name}": read
    for name, read in (
        (collected.RECORDS, collected.read_records),
        (collected.COSTS, collected.read_costs),
        (collected.HISTORIES, collected.read_histories),
    )
}
"""Collected tables, which get more rows as runs end, and what reads them."""

SWEEP = (
    *(
        f"experiment={EXPERIMENT}",
        "budget=smoke",
        "samplers=[none,smote,adasyn,tomeklinks,nearmiss]",
    ),
    *("workers=2", "collect_every=0.5"),
)

PROGRAM = (sys.executable, "-m", "autosmote.sweep")


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
    whole : mapping, optional
        The files of an undisturbed sweep, as `files` has them.

    Attributes
    ----------
    known : dict
        By run, the record that was read first.
    in_place : set of str
        Files that were found not to be as one was moved into place.
    unreadable : list of str
        Files that could not be read or held something else, each as often as that was seen.
    left_running : int
    """

    def __init__(
        self,
        folder: Path,
        reports: bool,
        sabotage: str = "",
        whole: Mapping[str, object] | None = None,
    ) -> None:
        self.results, self._reports, self._whole = folder / "results", reports, whole
        self._outputs: dict[int, Path] = {}
        self.trap = Trap(folder / "trap", self.results, sabotage)
        self.known: dict[str, bytes] = {}
        self._rows: dict[str, set[str]] = {name: set() for name in GROWING}
        self.in_place: set[str] = set()
        self.unreadable: list[str] = []
        self.left_running = 0

    def start(self, where: str = "", share: float = 0.0) -> subprocess.Popen[bytes]:
        arguments = [*SWEEP, f"results_dir={self.results}", f"reports={self._reports}"]
        # Not a pipe: a process that is left would hold it open, and be waited for.
        path = self.results.with_name(f"output {len(self._outputs)}")
        with path.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own sweep
                [*PROGRAM, *arguments],
                env=self.trap.set(WHERE[where], share),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.trap.tell(process.pid)
        self._outputs[process.pid] = path
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> str:
        """Wait until a process of it has ended; return what it said."""
        process.wait()
        return self._outputs[process.pid].read_text()

    def finish(self) -> None:
        """Run it undisturbed.

        Raises
        ------
        SystemExit
            If it fails, or its files are not whole: then others would pass for whole.
        """
        process = self.start()
        output = self.wait(process)
        if process.returncode:
            raise SystemExit(f"the undisturbed sweep failed:\n{output}")
        self.look()
        refuse_torn(self.files())
        faults = {what: n for what, n in self.counts().items() if n and what != "unsynced"}
        if faults:
            raise SystemExit(f"the undisturbed sweep: {faults}, {sorted(self.in_place)}")

    def trapped(self, where: str) -> str | None:
        how = self.trap.fell()
        return f"{where}, {how}" if how else None

    def cut_power(self) -> None:
        """Lose what a power cut may: the bytes of files that were not synced."""
        for path in self.trap.unsynced():
            if path.is_file():
                os.truncate(path, os.path.getsize(path) // 2)

    def look(self) -> None:
        """Read all files and see whether processes are left; note what must stay, count faults."""
        self.left_running += self.trap.count_left()
        for name, found in self.files().items():
            path = self.results / name
            # The first grow as runs end; the last is of a unit that was stopped.
            may_differ = name in (*GROWING, f"{EXPERIMENT}/failures.csv")
            may_differ |= path.name == "partial.json"
            is_other = self._whole is not None and self._whole.get(name, MISSING) != found
            if found == TORN or (is_other and not may_differ):
                self.unreadable.append(name)
            if path.name == "record.json" and found != TORN:
                self.known.setdefault(path.parent.name, path.read_bytes())
        for name, were in self._rows.items():
            try:
                keys = self._keys(name)
            except UserError:
                self.unreadable.append(name)
                continue
            if not were <= keys:
                self.unreadable.append(name)
            were |= keys
        self.in_place |= {
            str(path.relative_to(self.results)) for path in self.trap.in_place(self._paths())
        }

    def _keys(self, name: str) -> set[str]:
        """Return the runs with rows in a collected table."""
        table = GROWING[name](self.results / EXPERIMENT)
        if "seconds.total" in table:
            table = table[table["seconds.total"].notna()]
        return set(table["key"])

    def lost(self) -> set[str]:
        """Return the runs that lack what the sweep has to leave, or whose record is another one."""
        try:
            plan = set(collected.read_plan(self.results / EXPERIMENT, PLAN)["key"])
            rows = {name: self._keys(name) for name in GROWING}
        except UserError:
            return {EXPERIMENT}
        needed = plan | set(self.known)
        lacking = [needed - rows[name] for name in GROWING if collected.HISTORIES not in name]
        lacking += [was - rows[name] for name, was in self._rows.items()]
        paths = {key: self.results / "runs" / key / "record.json" for key in needed}
        others = {
            key
            for key, path in paths.items()
            if not path.exists() or path.read_bytes() != self.known.get(key, path.read_bytes())
        }
        return others.union(*lacking)

    def duplicated(self) -> set[str]:
        moved = self.trap.moved()
        counts = Counter(path.parent.name for path in moved if path.name == "record.json")
        return {key for key, n in counts.items() if n > 1}

    def left_over(self) -> list[Path]:
        return [path for path in self.results.rglob(".*") if is_temporary(path)]

    def files(self) -> dict[str, object]:
        """Return what must be the same in every sweep of each file, by name."""
        return {str(path.relative_to(self.results)): content(path) for path in self._paths()}

    def _paths(self) -> list[Path]:
        found = sorted(self.results.rglob("*"))
        return [path for path in found if path.is_file() and not path.name.startswith(".")]

    def different(self) -> set[str]:
        """Return the files that differ from the undisturbed sweep's; of that itself none."""
        found = self.files()
        whole = found if self._whole is None else self._whole
        return {n for n in whole | found if whole.get(n, MISSING) != found.get(n, MISSING)}

    def counts(self) -> dict[str, int]:
        """Return the counts of all faults, at the end."""
        return {
            "lost": len(self.lost()),
            "duplicated": len(self.duplicated()),
            "unreadable": len(self.unreadable),
            "unsynced": len(self.trap.unsynced()),
            "different": len(self.different()),
            "in place": len(self.in_place),
            "left running": self.left_running,
            "left over": len(self.left_over()),
        }


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
    output = sweep.wait(process)
    for other in others:
        told = sweep.wait(other)
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
    counts: Counter[str] = Counter()
    named: set[str] = set()
    sweeps = in_vain = 0
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
            sweep = Sweep(Path(folder) / str(sweeps), reports, arguments.sabotage, expected)
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
            counts.update(sweep.counts())
            named |= sweep.lost() | sweep.duplicated() | sweep.different() | sweep.in_place
            named.update(sweep.unreadable)
            shutil.rmtree(Path(folder) / str(sweeps))
    print(f"{done} kills in {sweeps} sweeps of {n_runs} runs:")
    for place, n in sorted(fell.items()):
        print(f"  {n:>4}  {place}")
    print(", ".join(f"{what} {n}" for what, n in counts.items()))
    for name in sorted(named):
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
