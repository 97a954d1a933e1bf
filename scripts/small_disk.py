"""Run a sweep on a disk that is full again and again, and count what is lost, torn or different.

    python scripts/small_disk.py

Its results folder is a file system in memory with too little room. Each time the sweep stops, the
room grows a little, until the sweep is done. Needs the right to mount.

    unsaid       stops without one sentence and exit status 2

and what `crash_test.py` counts after kills, here after stops.

Exit status 0 if all are zero and the disk was full at least ten times.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from crash_test import Sweep
from reliability_tables import add_row

LEAST_STOPS = 10


def mount(folder: Path, kilobytes: int, *, again: bool = False) -> None:
    """Mount a file system in memory of that size, or give the mounted one that size."""
    options = f"{'remount,' if again else ''}size={kilobytes}k"
    subprocess.run(  # noqa: S603 - of our own words
        ["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=100, help="kilobytes at first")
    parser.add_argument("--step", type=int, default=40, help="kilobytes more after a stop")
    parser.add_argument("--results-dir", type=Path, help="where to add to the table of disks")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        undisturbed = Sweep(Path(made) / "undisturbed", reports=True)
        undisturbed.finish()
        sweep = Sweep(Path(made) / "small", reports=True, whole=undisturbed.files())
        sweep.results.mkdir()
        size = arguments.first
        mount(sweep.results, size)
        stops = unsaid = 0
        try:
            while True:
                process = sweep.start()
                output = sweep.wait(process)
                sweep.look()
                if process.returncode == 0:
                    break
                stops, size = stops + 1, size + arguments.step
                last = output.splitlines()[-1]
                is_said = process.returncode == 2 and last.startswith("autosmote: ")
                unsaid += not is_said or "Traceback" in output
                print(f"{size - arguments.step} kB: {len(sweep.known)} records; {last}", flush=True)
                mount(sweep.results, size, again=True)
            counts = {"unsaid": unsaid, **sweep.counts()}
        finally:
            subprocess.run(["/bin/umount", str(sweep.results)], check=True)  # noqa: S603
    print(f"done with {size} kB after {stops} stops: {counts}")
    if arguments.results_dir:
        row = {"first kB": arguments.first, "last kB": size, "stops": stops, **counts}
        add_row(arguments.results_dir / "disks.csv", row, by=("first kB",), n_text=0)
    return int(any(counts.values()) or stops < LEAST_STOPS)


if __name__ == "__main__":
    sys.exit(main())
