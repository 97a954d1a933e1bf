"""The command `python -m autosmote.status`: progress of the sweeps in a results folder.

It reads plans, records and claims only, so it can be asked at any time, from any machine that
sees the folder.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autosmote.config.commandline import complain, end_process, key_values
from autosmote.errors import UserError, shorten
from autosmote.progress import duration
from autosmote.records import collected
from autosmote.records.claims import is_claimed
from autosmote.records.files import read_record
from autosmote.sweep.estimate import MeansOfAlike

if TYPE_CHECKING:
    import pandas as pd

_SETTINGS = {"results_dir": "results", "experiment": "*", "budget": "*"}
_COUNTS = ("runs", "done", "failed", "running", "left")


def main(argv: Sequence[str] | None = None) -> int:
    """Print the status of the sweeps that results_dir=, experiment= and budget= name."""
    try:
        settings = key_values(sys.argv[1:] if argv is None else argv, _SETTINGS, "status")
        folder = Path(settings["results_dir"])
        plans = _find_plans(folder, settings["experiment"], settings["budget"])
        if not plans:
            raise UserError(
                f"There is no plan of a sweep in '{folder}' yet; start one by "
                "python -m autosmote.sweep experiment=..."
            )
    except UserError as error:
        return complain(error)
    code, shown = 0, []
    for path in plans:
        try:
            shown.append(_status(folder, path))
        except UserError as error:  # a damaged file hides no other sweep
            code = complain(error)
    if shown:
        print("\n\n".join(shown))
    return code


def _find_plans(folder: Path, experiment: str, budget: str) -> list[Path]:
    for key, name in (("experiment", experiment), ("budget", budget)):
        if not name or "/" in name or "**" in name or name == "..":
            raise UserError(f"{key}={name} is no name; give one, or leave {key}= out for all.")
    try:
        return sorted(folder.glob(f"{experiment}/plans/{budget}.csv.gz"))
    except OSError as error:
        raise UserError(
            f"The plans in results_dir={shorten(str(folder))} cannot be read ({error.strerror}); "
            "check the folder."
        ) from error


def status(results_dir: str | Path, experiment: str, budget: str) -> pd.DataFrame:
    """Return each planned run with its state (done, failed, running or left) and its seconds.

    Returns
    -------
    DataFrame
        The plan's columns, `state`, and `seconds` where a run is done or failed.

    Raises
    ------
    UserError
        If there is no such plan, or it has no runs: no sweep writes such a one.
    """
    folder = Path(results_dir) / experiment
    plan = collected.read_plan(folder, budget).drop_duplicates("key")
    if plan.empty:
        raise UserError(
            f"The plan of {experiment}, budget {budget}, is damaged (it has no runs); remove it, "
            "and start its sweep again, which plans anew."
        )
    table, costs = collected.read_records(folder), collected.read_costs(folder)
    statuses = dict(zip(table["key"], table["status"], strict=True))
    seconds = dict(zip(costs["key"], costs["seconds.total"], strict=True))
    states = []
    for key in plan["key"]:
        record = read_record(Path(results_dir) / "runs" / key)
        if record:
            statuses[key] = record["status"]
            seconds[key] = (record["seconds"] or {}).get("total")
        if key in statuses:
            states.append("done" if statuses[key] == "ok" else "failed")
        else:
            states.append("running" if is_claimed(results_dir, key) else "left")
    return plan.assign(state=states, seconds=plan["key"].map(seconds).astype(float))


def _status(results_dir: Path, path: Path) -> str:
    experiment, budget = path.parent.parent.name, path.name.removesuffix(".csv.gz")
    table = status(results_dir, experiment, budget)
    lines = [f"{experiment}, budget {budget}: {_hours_to_go(table)}"]
    for by in ("sampler", "dataset"):
        width = max(len(by), *(len(name) for name in table[by]))
        lines.append(f"{by:{width}}" + "".join(f"{name:>9}" for name in _COUNTS))
        lines += [_line(name, part, width) for name, part in table.groupby(by)]
    return "\n".join([*lines, _line("all", table, width)])


def _line(name: object, part: pd.DataFrame, width: int) -> str:
    counts = [len(part), *((part["state"] == state).sum() for state in _COUNTS[1:])]
    return f"{name:{width}}" + "".join(f"{n:>9}" for n in counts)


def _hours_to_go(table: pd.DataFrame) -> str:
    """Say how long the rest takes, by the runs that are done and most like each of them."""
    open_ = table[table["state"].isin(["running", "left"])]
    if open_.empty:
        return "all done"
    alike = ["sampler", "dataset", "clf", "ir"]
    means = MeansOfAlike(table.dropna(subset="seconds"), alike, ["seconds"])
    expected = [means.of(*row) for row in open_[alike].itertuples(index=False, name=None)]
    unknown = expected.count(None)
    text = f"at most {duration(sum(mean.values[0] for mean in expected if mean))} of one core to go"
    return text + (f", and {unknown} runs of samplers that none is done of" if unknown else "")


if __name__ == "__main__":
    end_process(main)
