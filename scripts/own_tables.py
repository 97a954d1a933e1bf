"""Take three made-up tables through the four commands for a table of one's own, as a user does.

    python scripts/own_tables.py --results-dir results

The tables (`made_up_tables.py`): customers with categories, gaps, an id, dates and money; 30,000
payments, one of 201 a fraud; 320 patients, of whom 15 had a complication. Each goes through
compare, fit, predict and resample, with the options that docs/own_table.md recommends. Checked are

    compare     a row for each method, and a picture
    fit         a model's file
    predict     new rows, which fit has not seen, byte for byte, each with a class and two scores
    resample    the given rows byte for byte; synthetic cells of their columns' kinds: whole numbers
                whole, digits kept, within the given range, known texts, no gaps, no ids or dates

Prints for each command its seconds, the memory of its largest process and what it concluded, and
writes them to ``<results-dir>/own_tables/``. Faults are an exit status of 1, and a sentence each.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from made_up_tables import TABLES
from own_tables_checks import OUTPUTS, find_fault, rows_of
from reliability_tables import add_row

CONCLUDED = {
    "compare": r".*(?=\nwritten: )",
    "fit": r"kept: .*",
    "predict": r"predicted: .*",
    "resample": r"synthetic rows: .*",
}
"""The line of what a command prints that says what came out."""


def arguments_of(command: str, target: str, iterations: int | None) -> list[str]:
    """Return the arguments of `autosmote` for a table; by default those that are recommended."""
    output = ["-o", OUTPUTS[command]]
    if command == "predict":
        return [command, OUTPUTS["fit"], "new.csv", *output]
    options = ["--repeats", "1", "--iterations", "60"] if command == "compare" else []
    options += ["--iterations", str(iterations)] if iterations else []
    return [command, "table.csv", "--target", target, *options, *output]


def run(arguments: Sequence[str], folder: Path) -> dict[str, str]:
    """Run a command in a folder; return what it took and concluded, and whether it failed."""
    printed, said = (folder / f"{arguments[0]}.{end}" for end in ("txt", "err"))
    started = time.perf_counter()
    with printed.open("wb") as out, said.open("wb") as err:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "autosmote", *arguments], cwd=folder, stdout=out, stderr=err
        )
        # Of the process and of all that it has waited for; the memory is that of the largest one.
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    concluded = re.search(CONCLUDED[arguments[0]], printed.read_text(encoding="utf-8"))
    fault = ""
    if process.returncode:
        last = said.read_text(encoding="utf-8").strip().splitlines()[-1:]
        fault = f"exit status {process.returncode} ({' '.join(last)})"
    return {
        "concluded": concluded[0] if concluded else "",
        "wall s": f"{seconds:.1f}",
        "peak MB": f"{kilobytes / 1024:.0f}",
        "exit status": str(process.returncode),
        "rows written": "",
        "fault": fault,
    }


def take_through(
    name: str, commands: Sequence[str], folder: Path, seed: int, iterations: int | None
) -> Iterator[dict[str, str]]:
    """Take a table through commands in a folder; yield a row for each, with its fault."""
    from sklearn.metrics import f1_score

    made_up = TABLES[name]
    table, new = made_up.tables(seed)
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "table.csv", index=False)
    new.drop(columns=made_up.target).to_csv(folder / "new.csv", index=False)
    for command in commands:
        row = {"table": name, "command": command}
        row |= run(arguments_of(command, made_up.target, iterations), folder)
        row["fault"] = row["fault"] or find_fault(command, folder, made_up)
        if command != "fit" and not row["fault"]:
            names, *lines = rows_of(folder / OUTPUTS[command])
            row["rows written"] = str(len(lines))
        if command == "predict" and not row["fault"]:
            predicted = [line[names.index(f"predicted {made_up.target}")] for line in lines]
            score = f1_score(new[made_up.target], predicted, average="macro")
            row["concluded"] += f"; macro-F1 {score:.3f} by the true classes"
        yield row


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if all commands ended well and wrote what they should, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    parser.add_argument("--commands", nargs="+", choices=list(OUTPUTS), default=list(OUTPUTS))
    parser.add_argument("--iterations", type=int, help="of each search; default: as recommended")
    parser.add_argument("--seed", type=int, default=0, help="of the tables")
    parser.add_argument("--folder", type=Path, help="where to keep what is written")
    parser.add_argument("--results-dir", type=Path, help="where to write own_tables/own_tables.md")
    options = parser.parse_args(argv)
    faults = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        for name in options.tables:
            for row in take_through(
                name, options.commands, folder / name, options.seed, options.iterations
            ):
                fault = row.pop("fault")
                print(" | ".join(row.values()), flush=True)
                if fault:
                    faults.append(f"own_tables: {name}, {row['command']}: {fault}.")
                if options.results_dir:
                    path = options.results_dir / "own_tables" / "own_tables.csv"
                    add_row(path, dict(row), by=("table", "command"), n_text=3)
    for fault in faults:
        print(fault, file=sys.stderr)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
