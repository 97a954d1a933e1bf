"""The runs that a budget of an experiment asks for, joined with their records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.errors import UserError
from autosmote.records.collected import BESIDE, read_about, read_costs, read_plan, read_records
from autosmote.reports import names

if TYPE_CHECKING:
    import pandas as pd

# A search of fewer iterations than the table says.
_STOPPED_EARLY = ("time_limit", "patience", "diverged")
_SHOWN = 20  # of a list in an error


@dataclass(frozen=True)
class Study:
    """The runs that a budget of an experiment asks for, and what is known of each.

    Attributes
    ----------
    experiment, budget : str
    folder : Path
        <results_dir>/<experiment>.
    runs : DataFrame
        One row per planned run and arm; columns of the plan, and of records.
    costs : DataFrame
        The seconds and the memory of the runs that are done, which differ each time: only tables
        and figures of costs read them.
    beside : list of str
        Arms that are ranked beside the others, each alone among them.
    missing : list of str
        Planned runs without scores that count, each with the reason.
    about : dict
        How the sweep was asked for.
    """

    experiment: str
    budget: str
    folder: Path
    runs: pd.DataFrame
    costs: pd.DataFrame
    beside: list[str]
    missing: list[str]
    about: dict[str, Any]

    @property
    def metrics(self) -> list[str]:
        return names.in_order(self.runs["metric"], names.METRICS)


def load_study(results_dir: str | Path, experiment: str, budget: str) -> Study:
    """Join a plan with its records.

    Raises
    ------
    UserError
        If there is no such plan, or its records mix protocol versions, or fingerprints of one
        dataset.
    """
    folder = Path(results_dir) / experiment
    if not folder.is_dir():
        raise UserError(
            f"There are no results of experiment={experiment} in '{results_dir}'; "
            "check both, or run the sweep first."
        )
    plan = read_plan(folder, budget)
    planned = ["key", *(name for name in plan.columns if name != "key")]
    records = read_records(folder)
    extra = ["key", *(name for name in records.columns if name not in planned)]
    runs = plan.merge(records[extra], on="key", how="left")
    _refuse_mixtures(runs)
    missing = []
    score_names = [name for name in runs.columns if name.startswith("scores.")]
    for i, reason in _unusable(runs):
        runs.loc[i, score_names] = np.nan
        run = runs.loc[i]
        missing.append(f"{run['key']} ({run['arm']}): {reason}")
    about = read_about(folder, budget)
    marked = runs.loc[runs[BESIDE].fillna(False), "arm"] if BESIDE in runs else []
    beside = names.arms_in_order(marked)
    return Study(experiment, budget, folder, runs, read_costs(folder), beside, missing, about)


def _refuse_mixtures(runs: pd.DataFrame) -> None:
    versions = sorted(runs["protocol_version"].dropna().unique())
    if len(versions) > 1:
        raise UserError(
            f"The records mix protocol versions {', '.join(f'{v:g}' for v in versions)}, whose "
            "scores cannot be compared; run the older ones again."
        )
    n_fingerprints = runs.groupby("dataset")["data_fingerprint"].nunique()
    if mixed := [name for name, n in n_fingerprints.items() if n > 1]:
        raise UserError(
            f"The records of {', '.join(mixed)} come from different data under one name "
            "(data_fingerprint); run those of one of them again."
        )


def _unusable(runs: pd.DataFrame) -> list[tuple[Any, str]]:
    """Return the planned runs that have no score to count, and why."""
    found = []
    scores = np.where(
        runs["metric"] == "mcc", runs["scores.test.mcc"], runs["scores.test.macro_f1"]
    ).astype(float)
    stopped = runs["stopped_by"].isin(_STOPPED_EARLY).to_numpy(dtype=bool)
    for i in np.flatnonzero(np.isnan(scores) | stopped):
        run = runs.iloc[i]
        if not isinstance(run["status"], str):
            reason = "not run"
        elif run["stopped_by"] in _STOPPED_EARLY and run["status"] == "ok":
            reason = f"the search was stopped by search.{run['stopped_by']}"
        else:
            reason = f"{run['status']}, {run['error']}"
        found.append((runs.index[i], reason))
    return found


def refuse_missing(study: Study) -> None:
    """Raise if a planned cell has no score.

    Raises
    ------
    UserError
        With the list.
    """
    if not study.missing:
        return
    n = len(study.missing)
    listed = "; ".join(study.missing[:_SHOWN])
    more = f"; and {n - _SHOWN} more" if n > _SHOWN else ""
    raise UserError(
        f"{n} of {len(study.runs)} cells of {study.experiment} with budget={study.budget} have no "
        f"score; run the sweep to its end, or mark them by allow_missing=true: {listed}{more}."
    )
