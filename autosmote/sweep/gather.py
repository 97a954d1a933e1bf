"""From the records in runs/ to the collected tables of an experiment."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autosmote import collected, records
from autosmote.records import PROTOCOL_VERSION
from autosmote.sweep.planning import Plan
from autosmote.sweep.settings import SweepConfig
from autosmote.units import Run


def write_plan(config: SweepConfig, plan: Plan, command: str) -> None:
    """Write which runs the sweep asks for."""
    about = {
        "experiment": config.name,
        "budget": config.budget,
        "command": command,
        "protocol_version": PROTOCOL_VERSION,
    }
    collected.write_plan(Path(config.results_dir) / config.name, config.budget, plan.rows, about)


def collect(config: SweepConfig, plan: Plan) -> list[dict[str, Any]]:
    """Write the collected tables from the records of a plan; the failed ones' rows.

    What was collected before of runs whose folders are gone, or of other plans, stays.
    """
    folder = Path(config.results_dir) / config.name
    runs = {run.key: run for unit in plan.units for run in unit.runs}
    rows = [
        collected.record_row(key, record)
        for key, run in runs.items()
        if (record := records.read_record(run.folder))
    ]
    collected.write_records(folder, rows)
    if config.histories:
        collected.write_histories(folder, _histories(runs))
    failed = [row for row in rows if row["status"] != "ok"]
    names = ("key", "dataset", "ir", "clf", "metric", "sampler", "seed", "status", "error")
    collected.write_csv(
        folder / "failures.csv", names, sorted(failed, key=lambda row: str(row["key"]))
    )
    return failed


def _histories(runs: dict[str, Run]) -> Iterator[dict[str, str]]:
    for key, run in runs.items():
        path = run.folder / "history.csv"
        if path.exists():
            with path.open(newline="", encoding="utf-8") as stream:
                for row in csv.DictReader(stream):
                    yield {"key": key, **row}
