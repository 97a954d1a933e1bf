"""Collect the records in runs/ into the tables of an experiment."""

from __future__ import annotations

import csv
import logging
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autosmote.atomic import write_file
from autosmote.records import collected, files
from autosmote.records.claims import wait_for_claim
from autosmote.records.identity import PROTOCOL_VERSION
from autosmote.runs.unit import Run
from autosmote.sweep.plan import Plan
from autosmote.sweep.settings import SweepConfig

logger = logging.getLogger("autosmote")

_FAILURES = (
    *("key", "dataset", "ir", "clf", "metric", "sampler", "seed", "status", "imputed", "error"),
)


def write_plan(config: SweepConfig, plan: Plan, command: str) -> None:
    """Write the plan of a sweep."""
    about = {
        "experiment": config.name,
        "budget": config.budget,
        "command": command,
        "protocol_version": PROTOCOL_VERSION,
    }
    folder = Path(config.results_dir) / config.name
    with wait_for_claim(config.results_dir, [f"collect {config.name}"]):
        files.remove_leftovers(folder / "plans")
        collected.write_plan(folder, config.budget, plan.rows, about)


def collect(config: SweepConfig, plan: Plan) -> tuple[int, list[dict[str, Any]]]:
    """Write the collected tables from the records of a plan.

    Collected rows of runs whose folders are gone, or of other plans, stay.

    Returns
    -------
    n_ok : int
        The number of its runs that are ok.
    failed : list of dict
        The rows of its runs that failed.
    """
    folder = Path(config.results_dir) / config.name
    runs = {run.key: run for unit in plan.units for run in unit.runs}
    # One at a time, since each adds to what is there.
    with wait_for_claim(config.results_dir, [f"collect {config.name}"]):
        for part in (folder, folder / "plans", folder / "data"):
            files.remove_leftovers(part)
        records = {
            key: record for key, run in runs.items() if (record := files.read_record(run.folder))
        }
        rows = [collected.record_row(key, record) for key, record in records.items()]
        collected.write_records(folder, rows)
        if config.histories:
            # Not what an interrupted or ended search has left: its record has no iterations.
            searched = {key: runs[key] for key, found in records.items() if found["iterations"]}
            collected.write_histories(folder, _histories(searched))
        if config.save_data:
            _copy_data(folder / "data", runs)
        table = collected.read_records(folder)
        table = table[table["key"].isin(list(runs))]
        failed = table[table["status"] != "ok"]
        texts = failed[list(_FAILURES)].astype(object).replace({np.nan: None}).to_dict("records")
        collected.write_csv(folder / "failures.csv", _FAILURES, texts)
    return len(table) - len(failed), texts


def _histories(runs: dict[str, Run]) -> Iterator[dict[str, str]]:
    for key, run in runs.items():
        path = run.folder / "history.csv"
        if path.exists():
            try:
                rows = _read_history(path)
            except (OSError, ValueError, KeyError, csv.Error) as error:
                logger.warning(
                    "%s/history.csv is damaged (%s) and is left out; remove the run's folder to "
                    "have it done again.",
                    *(key, error),
                )
                continue
            for row in rows:
                yield {"key": key, **row}


def _read_history(path: Path) -> list[dict[str, str]]:
    """Read a run's history as text.

    Raises
    ------
    OSError, ValueError, KeyError, csv.Error
        If it is damaged.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream, strict=True)
        rows = list(reader)
    if tuple(reader.fieldnames or ()) != files.HISTORY_COLUMNS:
        raise ValueError("its columns are others")
    for number, row in enumerate(rows, start=1):
        if row["iteration"] != str(number):
            raise ValueError(f"row {number} is not iteration {number}")
        if None in row or not all(row.values()):
            raise ValueError(f"row {number} is not whole")
        for name in ("reward", "best", "n_synthetic"):
            float(row[name])
    return rows


def _copy_data(folder: Path, runs: dict[str, Run]) -> None:
    for key, run in runs.items():
        source, copy = run.folder / "train_resampled.csv.gz", folder / f"{key}.csv.gz"
        if source.exists() and not (copy.exists() and copy.read_bytes() == source.read_bytes()):
            write_file(copy, partial(shutil.copyfile, source))
