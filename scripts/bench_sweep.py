"""Measure the overhead of a sweep and of Hydra's launchers, in CPU seconds per unit.

    python scripts/bench_sweep.py

Units with little work (no resampling and a decision tree on the embedded toy data) run in the
local pool; the CPU time of all its processes is divided by the number of units. The same runs are
then executed by `python -m autosmote.run -m` under Hydra's launchers. Writes
<results-dir>/bench/sweep.{csv,md}.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_common import Row, Table, busy, machine, markdown

from autosmote.reports.render.writers import write_text

COLUMNS = ("what", "n", "cpu_s", "wall_s")
LAUNCHERS = {
    "basic": [],
    "joblib": ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"],
    "submitit_local": ["hydra/launcher=submitit_local"],
    "ray": ["hydra/launcher=ray"],
}


def cpu_of(arguments: list[str]) -> tuple[float, float]:
    """Return the CPU and wall seconds of a command with all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own sweep
        [sys.executable, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - started


def sweep_arguments(n: int, folder: Path) -> list[str]:
    return [
        *("-m", "autosmote.sweep", "experiment=table2", "budget=smoke", "samplers=[none]"),
        *("clfs=[dt]", "metrics=[macro_f1]", f"seeds=[{','.join(map(str, range(n)))}]"),
        *("reports=false", f"results_dir={folder}"),
    ]


def multirun_arguments(n: int, folder: Path, launcher: str) -> list[str]:
    return [
        *("-m", "autosmote.run", "-m", "sampler=none", f"seed=range({n})"),
        *(f"results_dir={folder}", *LAUNCHERS[launcher]),
    ]


def measure(n_units: int, n_jobs: int, table: Table) -> None:
    def add(name: str, n: int, cpu: float, wall: float) -> None:
        row: Row = {"what": name, "n": n, "cpu_s": cpu, "wall_s": wall}
        table.add([row])
        print(f"{name:42} {n:>6} {cpu:>9.3f} {wall:>9.3f}", flush=True)

    print(f"{'':42} {'n':>6} {'CPU s':>9} {'wall s':>9}")
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        start_cpu, start_wall = cpu_of(sweep_arguments(1, few))
        add("sweep: start, one unit, end", 1, start_cpu, start_wall)
        cpu, wall = cpu_of(sweep_arguments(n_units, many))
        per_unit = (cpu - start_cpu) / (n_units - 1), (wall - start_wall) / (n_units - 1)
        add("sweep: each further unit", n_units - 1, *per_unit)
        cpu, wall = cpu_of(sweep_arguments(n_units, many))
        add("sweep: the same again, all done before", n_units, cpu, wall)
        for launcher in LAUNCHERS:
            if (
                launcher == "ray"
                and subprocess.run([sys.executable, "-c", "import ray"]).returncode
            ):
                print("ray: not installed")
                continue
            one = cpu_of(multirun_arguments(1, Path(folder) / f"{launcher}1", launcher))
            all_ = cpu_of(multirun_arguments(n_jobs, Path(folder) / launcher, launcher))
            per_job = [(b - a) / (n_jobs - 1) for a, b in zip(one, all_, strict=True)]
            add(f"hydra/launcher={launcher}: start, one job", 1, *one)
            add(f"hydra/launcher={launcher}: each further job", n_jobs - 1, *per_job)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--results-dir", type=Path, default=Path("results"))
    arguments = parser.parse_args()
    folder = arguments.results_dir / "bench"
    table, load = Table(folder / "sweep.csv", COLUMNS, keep=False), busy()
    measure(arguments.units, arguments.jobs, table)
    lines = [
        "# Overhead of a sweep",
        "",
        "CPU and wall seconds of all processes; units and jobs fit one decision tree to the toy",
        "data, without resampling. Made by `python scripts/bench_sweep.py`.",
        "",
        *machine(),
        load,
        "",
        markdown(COLUMNS, [[row[name] for name in COLUMNS] for row in table.rows]),
    ]
    write_text(folder / "sweep.md", "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
