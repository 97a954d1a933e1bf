"""Scores of the planned runs as arrays: configurations x arms x seeds.

A *configuration* is a dataset, an imbalance ratio and a classifier; an *arm* is a row of a
table, such as a sampler.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autosmote.errors import UserError
from autosmote.records.collected import read_costs, read_plan, read_records
from autosmote.reports import names

if TYPE_CHECKING:
    import pandas as pd

Configuration = tuple[str, float | None, str]
"""Dataset, imbalance ratio (None: the data's own), classifier."""

# A search of fewer iterations than the table says.
_STOPPED_EARLY = ("time_limit", "patience")
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
        One row per planned run and arm; columns of the plan, and of records and costs.
    missing : list of str
        Planned runs without scores that count, each with the reason.
    about : dict
        How the sweep was asked for.
    """

    experiment: str
    budget: str
    folder: Path
    runs: pd.DataFrame
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
    runs = plan.merge(records[extra], on="key", how="left").merge(
        read_costs(folder), on="key", how="left"
    )
    _refuse_mixtures(runs)
    missing = []
    score_names = [name for name in runs.columns if name.startswith("scores.")]
    for i, reason in _unusable(runs):
        runs.loc[i, score_names] = np.nan
        run = runs.loc[i]
        missing.append(f"{run['key']} ({run['arm']}): {reason}")
    path = folder / "plans" / f"{budget}.json"
    about = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return Study(experiment, budget, folder, runs, missing, about)


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
        elif run["stopped_by"] in _STOPPED_EARLY:
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
    listed = "\n".join(f"  {line}" for line in study.missing[:_SHOWN])
    more = f"\n  and {n - _SHOWN} more" if n > _SHOWN else ""
    raise UserError(
        f"{n} of {len(study.runs)} cells of {study.experiment} with budget={study.budget} have no "
        f"score; run the sweep to its end, or mark them by allow_missing=true:\n{listed}{more}"
    )


@dataclass(frozen=True)
class Cells:
    """The runs of one metric as arrays of shape (configurations C, arms A, seeds S).

    Attributes
    ----------
    metric : str
    configurations : list of tuple
        Those of a dataset follow each other.
    arms : list of str
    seeds : list of int
    test, validation : ndarray
        Scores of the metric; nan where there is none, or it means nothing (`names.MERGED`).
    test_gain, validation_gain : ndarray
        Over no resampling with the same configuration and seed.
    imputed : ndarray of bool
        The score of no resampling stands for that of a sampler that failed.
    seconds : ndarray
    planned : ndarray of bool, shape (C, A)
    """

    metric: str
    configurations: list[Configuration]
    arms: list[str]
    seeds: list[int]
    test: NDArray[np.float64]
    validation: NDArray[np.float64]
    test_gain: NDArray[np.float64]
    validation_gain: NDArray[np.float64]
    imputed: NDArray[np.bool_]
    seconds: NDArray[np.float64]
    planned: NDArray[np.bool_]

    @property
    def dataset_of(self) -> list[str]:
        """The dataset of each configuration."""
        return [dataset for dataset, _, _ in self.configurations]

    @property
    def datasets(self) -> list[str]:
        """Each dataset once."""
        return list(dict.fromkeys(self.dataset_of))

    def shared(self) -> NDArray[np.bool_]:
        """Return the seeds that all arms with a score in the configuration have; of shape (C, S).

        Only on these are arms compared: each seed is another split of the data, and the mean
        over two easy ones says nothing against the mean over five.
        """
        present = ~np.isnan(self.test)
        absent = ~present.any(axis=2, keepdims=True)
        return np.all(present | absent, axis=1) & np.any(present, axis=1)

    def means(self, values: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return means over the shared seeds, by default of `test`; shape (C, A), nan without."""
        values = self.test if values is None else values
        shared = self.shared()[:, None, :]
        counts = shared.sum(axis=2)
        sums = np.where(shared, values, 0.0).sum(axis=2)
        return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)

    def where(self, chosen: ArrayLike) -> Cells:
        """Return the cells of some of the configurations."""
        index = np.flatnonzero(np.asarray(chosen, dtype=bool))
        kept = [self.configurations[i] for i in index]
        return self._take(index, axis=0, configurations=kept)

    def only(self, arms: Sequence[str]) -> Cells:
        """Return the cells of some of the arms, in the order given."""
        index = np.array([self.arms.index(name) for name in arms])
        return self._take(index, axis=1, arms=list(arms))

    def _take(self, index: NDArray[np.intp], axis: int, **labels: Any) -> Cells:
        arrays = ("test", "validation", "test_gain", "validation_gain", "imputed", "seconds")
        taken = {name: getattr(self, name).take(index, axis=axis) for name in arrays}
        return replace(self, planned=self.planned.take(index, axis=axis), **taken, **labels)


def make_cells(study: Study, metric: str) -> Cells:
    """Arrange the runs of one metric; only those that optimised it count (Section 4.1)."""
    runs = study.runs[study.runs["metric"] == metric]
    irs = [None if np.isnan(ir) else float(ir) for ir in runs["ir"].astype(float)]
    keys: list[Configuration] = list(zip(runs["dataset"], irs, runs["clf"], strict=True))
    datasets = names.in_order(runs["dataset"], names.DATASETS)
    configurations = sorted(set(keys), key=lambda c: (datasets.index(c[0]), c[1] or 0.0, c[2]))
    arms = names.arms_in_order(runs["arm"])
    seeds = sorted(int(seed) for seed in runs["seed"].unique())

    place = {configuration: i for i, configuration in enumerate(configurations)}
    where = (
        np.array([place[key] for key in keys], dtype=int),
        np.array([arms.index(name) for name in runs["arm"]], dtype=int),
        np.array([seeds.index(int(seed)) for seed in runs["seed"]], dtype=int),
    )
    shape = (len(configurations), len(arms), len(seeds))

    def array(column: Any) -> NDArray[np.float64]:
        filled = np.full(shape, np.nan)
        filled[where] = np.asarray(column, dtype=float)
        return filled

    test, validation = (array(runs[f"scores.{part}.{metric}"]) for part in ("test", "validation"))
    if names.MERGED in arms:
        validation[:, arms.index(names.MERGED)] = np.nan
    imputed = np.zeros(shape, dtype=bool)
    imputed[where] = runs["imputed"].fillna(False).to_numpy(dtype=bool)
    planned = np.zeros(shape, dtype=bool)
    planned[where] = True
    return Cells(
        metric=metric,
        configurations=configurations,
        arms=arms,
        seeds=seeds,
        test=test,
        validation=validation,
        test_gain=test - array(runs[f"reference.test.{metric}"]),
        validation_gain=validation - array(runs[f"reference.validation.{metric}"]),
        imputed=imputed,
        seconds=array(runs["seconds.total"]),
        planned=np.any(planned, axis=2),
    )
