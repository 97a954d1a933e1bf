"""Try many inputs, most of them valid, and check what must hold whatever the input.

    python scripts/fuzz.py --area sampler --n 200 --seed 0

Areas: sampler (tables and settings of `AutoSMOTE`), files (tables as files, by the run command),
config (settings of the run command), disk (results folders that are damaged, full or read-only).
An input is *fitted* if a search came to its end, *refused* if one sentence said why not, else
*failed*. A failure is printed with its number: `--only NUMBER` tries that input alone.

After each input: no process is left, and threads, random numbers, warning filters, signal handlers,
environment and folder are as before. After a fitted one: the given rows come first and unchanged,
synthetic rows lie in the box of the minority's, numbers are finite, counts agree, and (one in four)
the same seed gives the same bytes, as it does for an estimator that writes into its rows.

Exit status 0 if none failed and at least half were fitted.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import fuzz_inputs
import numpy as np
import pandas as pd
from reliability_tables import add_row

from autosmote import AutoSMOTE, status
from autosmote.atomic import is_temporary
from autosmote.isolation.forkserver import ForkServer
from autosmote.isolation.processes import descendants
from autosmote.records import files
from autosmote.records.check import find_fault
from autosmote.records.files import read_record, record_stamp
from autosmote.run import main as run

SECONDS = 120
"""An input that takes longer has failed."""
FEW = ("search.iterations=3", "search.actors=0", "search.device=cpu")
FITTED, REFUSED, FAILED = "fitted", "refused", "failed"


def check(holds: bool, what: str) -> None:
    """Raise AssertionError where something does not hold."""
    if not holds:
        raise AssertionError(what)


def global_state() -> dict[str, Any]:
    """Return what a call must leave as it was."""
    import torch
    from threadpoolctl import threadpool_info

    numbers = np.random.get_state()  # noqa: NPY002 - the state that must not move
    return {
        "threads of torch": torch.get_num_threads(),
        "threads": sorted((pool["filepath"], pool["num_threads"]) for pool in threadpool_info()),
        "random numbers": (hash(numbers[1].tobytes()), numbers[2:], hash(random.getstate())),
        "warning filters": list(warnings.filters),
        "floating-point errors": np.geterr(),
        "signal handlers": [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)],
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "arguments": list(sys.argv),
    }


def processes() -> set[int]:
    """Return the ids of the processes below this one, without the server of samplers."""
    server = ForkServer._current  # stays for the next sampler, by design
    return {p for p in descendants(os.getpid()) if not server or p != server.pid}


def processes_left(before: set[int]) -> str:
    """Return the commands of the processes that are new; one that was there before may end."""
    commands = []
    for pid in processes() - before:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            command_line = Path(f"/proc/{pid}/cmdline").read_text()  # of a zombie empty
            commands.append(f"{pid} {command_line}".replace("\0", " "))
    return "; ".join(commands)


def try_sampler(rng: np.random.Generator, folder: Path) -> str:
    X, y, settings = fuzz_inputs.sampler_input(rng)
    as_given, given = X, X.copy()
    try:
        X_new, y_new = (sampler := AutoSMOTE(**settings)).fit_resample(X, y)
    except (ValueError, TypeError) as error:  # scikit-learn's word for a refusal
        check(bool(str(error)), "an empty message")
        check("np.int64(" not in str(error) and "np.str_(" not in str(error), str(error))
        return REFUSED
    n = len(given)
    X, given, X_new = (pd.DataFrame(rows) for rows in (X, given, X_new))
    check(X.equals(given), "the given rows were changed")
    if not len(sampler.left_out_):
        check(X_new.iloc[:n].reset_index(drop=True).equals(given), "the given rows are not first")
        check((y_new[:n] == y).all(), "the labels do not come first")
    made = sum(sampler.sampling_strategy_.values())
    check(len(X_new) == len(y_new) == n + made, "the numbers of rows do not agree")
    check(int(sampler.sampling_counts_.sum()) == made, "the counts do not agree")
    unsearched = sampler.iterations == 0
    check(np.isfinite(sampler.best_score_) != unsearched, "the score is not finite")
    for label in sampler.sampling_strategy_:
        own, new = given[y == label], X_new.iloc[n:][y_new[n:] == label]
        for name in given:
            values = new[name]
            if pd.api.types.is_numeric_dtype(given[name]) and len(new):
                known = values[values.notna()] if own[name].isna().any() else values
                inside = known.between(own[name].min(), own[name].max())
                check(bool(inside.all()), f"{name} leaves the minority's box")
            elif len(new):
                check(set(values) <= set(own[name]), f"{name} has new categories")
    if rng.random() < 0.25 or "estimator" in settings:
        if "estimator" in settings:
            settings["estimator"] = fuzz_inputs.Tree(copy=True)  # writes into nothing
        again, _ = AutoSMOTE(**settings).fit_resample(as_given, y)
        check(pd.DataFrame(again).equals(X_new), "the same seed gives other rows")
    return FITTED


def command(*arguments: str, main: Callable[..., int] = run) -> tuple[int, str]:
    """Return exit status and standard error of a command."""
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        code = main(list(arguments))
    return code, errors.getvalue()


def try_run(folder: Path, *overrides: str, again: bool = False) -> str:
    """Run, and check what is on disk afterwards."""
    before = sorted(folder.rglob("*"))
    code, said = command(*FEW, "results_dir=results", *overrides)
    check_whole(folder)
    check(code in (0, 1, 2), f"the exit status {code}")
    if code == 2:
        # Before the sentence there may be what was found out about the file: "a.csv: ...".
        *notes, sentence = said.splitlines() or [""]
        check(sentence.startswith("autosmote: "), f"it said {said!r}")
        check(all(re.match(r".+\.\w+: .", note) for note in notes), f"it said {said!r}")
        check(sorted(folder.rglob("*")) == before, "a refused run wrote something")
        return REFUSED
    records = [read_record(path.parent) for path in folder.rglob("record.json")]
    check(bool(records) and None not in records, "there is no record")
    for record in records:
        check(record["status"] in ("ok", "failed"), f"the status {record['status']}")
        check(record["status"] == "ok" or bool(record["error"]), "a failure without its reason")
        check("Traceback" not in (record["error"] or ""), "a traceback in the record")
        check(str(folder) not in json.dumps(record), "a path in the record")
    # A search that diverges has failed as it should, with the best so far.
    if code == 1:
        known = all(r["scores"] for r in records if r["status"] == "failed")
        check(known, f"failed without scores: {[r['error'] for r in records]}")
    if again:
        first = {p.name: p.read_bytes() for p in folder.rglob("best_*.npz")}
        scores = [r["scores"] for r in records]
        stamps = {path: record_stamp(path.parent) for path in folder.rglob("record.json")}
        second, said = command(*FEW, "results_dir=results", *overrides, "force=true")
        check(second == code, f"the exit status {second} after {code}: {said}")
        same = [
            path.parent.name for path, was in stamps.items() if record_stamp(path.parent) == was
        ]
        check(not same, f"force=true did not repeat {same}")
        check(first == {p.name: p.read_bytes() for p in folder.rglob("best_*.npz")}, "other bytes")
        found = [read_record(path.parent) for path in folder.rglob("record.json")]
        check(scores == [r and r["scores"] for r in found], "the same seed gives other scores")
    return FITTED


def check_whole(folder: Path) -> None:
    """Check that no file is left that was to be moved into place, and no probe."""
    for path in folder.rglob(".*"):
        check(not is_temporary(path) and not path.name.startswith(".autosmote-"), path.name)


def try_files(rng: np.random.Generator, folder: Path) -> str:
    path = fuzz_inputs.write_table(rng, folder)
    words = ["dataset=file", f"dataset.path='{path.name}'", "dataset.target=label"]
    words += fuzz_inputs.with_curve(rng)
    given = path.read_bytes()
    became = try_run(folder, *words, again=rng.random() < 0.25)
    check(path.read_bytes() == given, "the given file was changed")
    return became


def try_config(rng: np.random.Generator, folder: Path) -> str:
    overrides = [*fuzz_inputs.config_input(rng), *fuzz_inputs.with_curve(rng)]
    return try_run(folder, *overrides, again=rng.random() < 0.1)


def try_disk(rng: np.random.Generator, folder: Path) -> str:
    """Run on a results folder with a damaged file; then status, and the run once more."""
    words = [f"seed={rng.integers(3)}", *fuzz_inputs.with_curve(rng)]
    overrides = (*FEW, "results_dir=results", *words)
    code, _ = command(*overrides)
    check(code == 0, f"the first run ended with {code}")
    names = ["key", "arm", "dataset", "clf", "sampler", "metric"]
    from autosmote.records import collected

    (record_path,) = folder.rglob("record.json")
    key = record_path.parent.name
    row = dict.fromkeys(names, "a") | {"key": key, "seed": 0}
    collected.write_plan(folder / "results" / "table2", "quick", [row], {})
    collected.write_records(folder / "results" / "table2", [])
    what = fuzz_inputs.damage_results(rng, folder / "results")
    code, said = command("results_dir=results", main=status.main)
    check(code in (0, 2) and "Traceback" not in said, f"status: {code}, {said}")
    full = rng.random() < 0.3
    was = _bytes_of(record_path)
    forced = full or "leftover" in what  # a run that was done before has nothing to clear away
    with small_files(rng) if full else contextlib.nullcontext():
        code, said = command(*overrides, *["force=true"] * forced)
    if code == 2:
        check(len(said.splitlines()) >= 1 and "autosmote: " in said.splitlines()[-1], said)
        check(full or "folder" in what, f"refused after {what}: {said}")
        check(_bytes_of(record_path) == was, f"refused, and the record is another one: {said}")
        return REFUSED
    check(code == 0, f"{what}: exit status {code}, {said}")
    (path,) = folder.rglob("record.json")
    check(find_fault(json.loads(path.read_text())) is None, "the record is not whole")
    check(not forced or path.read_bytes() != was, "force=true did not repeat the run")
    check_whole(path.parent)
    return FITTED


def _bytes_of(path: Path) -> bytes | None:
    """Return a file's bytes; None where it is none."""
    try:
        return path.read_bytes()
    except OSError:
        return None


@contextlib.contextmanager
def small_files(rng: np.random.Generator) -> Iterator[None]:
    """Limit the files that this process may write, as a full disk does.

    It is full at once, where room is tried for before a run's work, or only at a later file of it.
    """
    most = fuzz_inputs.choose(rng, 100, 300, 1000, 3000, 10_000)
    at_once = rng.random() < 0.25
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    probed = files._PROBE_BYTES if at_once else 0
    try:
        with mock.patch.object(files, "_PROBE_BYTES", probed):
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


AREAS = {"sampler": try_sampler, "files": try_files, "config": try_config, "disk": try_disk}


def try_one(area: str, seed: int, number: int) -> tuple[str, str]:
    """Try an input; return what became of it, and of a failed one the reason."""
    rng = np.random.default_rng([seed, list(AREAS).index(area), number])
    here, before, children = os.getcwd(), global_state(), processes()
    folder = Path(tempfile.mkdtemp(prefix="autosmote-fuzz-"))
    handler = signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(SECONDS)
    try:
        os.chdir(folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            became = AREAS[area](rng, folder)
        os.chdir(here)
        after = global_state()
        changed = [name for name in before if before[name] != after[name]]
        check(not changed, f"not as before: {', '.join(changed)}")
        left = processes_left(children)
        check(not left, f"processes are left: {left}")
        return became, ""
    except BaseException as error:  # SystemExit is a failure, too
        if isinstance(error, KeyboardInterrupt):
            raise
        return FAILED, "".join(traceback.format_exception(error)[-6:])
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
        os.chdir(here)
        shutil.rmtree(folder, ignore_errors=True)


def _too_slow(*_: object) -> None:
    raise TimeoutError(f"it took longer than {SECONDS} s")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--area", choices=[*AREAS, "all"], default="all")
    parser.add_argument("--n", type=int, default=100, help="inputs of each area")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results-dir", type=Path, help="where to add to the table of inputs")
    parser.add_argument("--only", type=int, help="the number of one input to try")
    arguments = parser.parse_args(argv)
    if arguments.only is not None and arguments.results_dir:
        parser.error("--only tries one input, which is no row of a table")
    numbers = range(arguments.n) if arguments.only is None else [arguments.only]
    failed = False
    for area in AREAS if arguments.area == "all" else [arguments.area]:
        counts: Counter[str] = Counter()
        for number in numbers:
            became, why = try_one(area, arguments.seed, number)
            counts[became] += 1
            if became == FAILED:
                print(f"--area {area} --seed {arguments.seed} --only {number}\n{why}", flush=True)
        tried = sum(counts.values())
        print(
            f"{area}: {tried} tried, {counts[FITTED]} fitted, {counts[REFUSED]} refused, "
            f"{counts[FAILED]} failed",
            flush=True,
        )
        if arguments.results_dir:
            row = {"area": area, "seed": arguments.seed, "tried": tried}
            row |= {what: counts[what] for what in (FITTED, REFUSED, FAILED)}
            add_row(arguments.results_dir / "fuzz.csv", row, by=("area", "seed"))
        failed |= bool(counts[FAILED]) or (len(numbers) > 1 and 2 * counts[FITTED] < tried)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
