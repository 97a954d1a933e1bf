"""Scores of the planned runs as arrays: configurations x arms x seeds.

A *configuration* is a dataset, an imbalance ratio and a classifier; an *arm* is a row of a
table, such as a sampler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autosmote.reports import names
from autosmote.reports.study import Study

Configuration = tuple[str, float | None, str]
"""Dataset, imbalance ratio (None: the data's own), classifier."""


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
    test, extended, validation : ndarray
        Scores of the metric; nan where there is none, or it means nothing (`names.MERGED`).
    plain_test, plain_extended, plain_validation : ndarray
        Those of no resampling with the same configuration and seed.
    imputed : ndarray of bool
        The score of no resampling stands for that of a sampler that failed.
    planned : ndarray of bool, shape (C, A)
    """

    metric: str
    configurations: list[Configuration]
    arms: list[str]
    seeds: list[int]
    test: NDArray[np.float64]
    extended: NDArray[np.float64]
    validation: NDArray[np.float64]
    plain_test: NDArray[np.float64]
    plain_extended: NDArray[np.float64]
    plain_validation: NDArray[np.float64]
    imputed: NDArray[np.bool_]
    planned: NDArray[np.bool_]

    @property
    def test_gain(self) -> NDArray[np.float64]:
        """What each run gains over no resampling on the test part."""
        return self.test - self.plain_test

    @property
    def extended_gain(self) -> NDArray[np.float64]:
        """What each run gains on the extended test."""
        return self.extended - self.plain_extended

    @property
    def validation_gain(self) -> NDArray[np.float64]:
        """What each run gains on the rows by which was chosen."""
        return self.validation - self.plain_validation

    @property
    def falls_back(self) -> NDArray[np.bool_]:
        """Whether no resampling is at least as good on the validation part."""
        return self.plain_validation >= self.validation

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

    def on_extended(self) -> Cells | None:
        """Return the cells with the extended test in the place of the test part.

        Without the configurations that have none, since their dataset keeps its own ratio; None
        where no record has an extended test.
        """
        known = (~np.isnan(self.extended)).any(axis=(1, 2))
        if not known.any():
            return None
        return replace(self, test=self.extended, plain_test=self.plain_extended).where(known)

    def with_fallback(self) -> Cells:
        """Return the cells of samplers that may all return the classifier without resampling.

        It is one more candidate of each, chosen by the validation part, ties included.
        """
        back = self.falls_back
        return replace(
            self,
            test=np.where(back, self.plain_test, self.test),
            extended=np.where(back, self.plain_extended, self.extended),
            validation=np.where(back, self.plain_validation, self.validation),
        )

    def subtract(
        self, scores: NDArray[np.float64], pairs: Sequence[tuple[str, str]]
    ) -> NDArray[np.float64]:
        """Return the differences in score of pairs of arms; of shape (C, pairs, S)."""
        sides = zip(*pairs, strict=True)
        first, second = ([self.arms.index(arm) for arm in side] for side in sides)
        return scores[:, first] - scores[:, second]

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
        parts = ("test", "extended", "validation")
        arrays = [*parts, *(f"plain_{part}" for part in parts), "imputed"]
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

    parts = ("test", "extended", "validation")
    scores = {part: array(runs[f"scores.{part}.{metric}"]) for part in parts}
    plain = {f"plain_{part}": array(runs[f"reference.{part}.{metric}"]) for part in parts}
    if names.MERGED in arms:
        scores["validation"][:, arms.index(names.MERGED)] = np.nan
    imputed = np.zeros(shape, dtype=bool)
    imputed[where] = runs["imputed"].fillna(False).to_numpy(dtype=bool)
    planned = np.zeros(shape, dtype=bool)
    planned[where] = True
    return Cells(
        metric=metric,
        configurations=configurations,
        arms=arms,
        seeds=seeds,
        **scores,
        **plain,
        imputed=imputed,
        planned=np.any(planned, axis=2),
    )
