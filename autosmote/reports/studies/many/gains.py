"""Differences between arms over families of datasets, in all and by classifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from autosmote.config.many import ManyDataset
from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import OVERALL
from autosmote.reports.statistics.families import (
    FamilyMeans,
    estimate_over_families,
    group_means,
)
from autosmote.reports.statistics.ranks import Floats, mean_of_known
from autosmote.reports.studies.many.arms import (
    CLASSIFIERS,
    NONE,
    SMOTE,
    THRESHOLD,
    WEIGHTS,
    Arms,
    Contrast,
    form_of,
)

OVER_NONE, OVER_SMOTE, FALLBACK = "over no resampling", "over SMOTE", "with the fallback"
_WITHOUT_VALIDATION = (WEIGHTS, THRESHOLD)
"""Sources whose scores on the validation part are of rows that they were trained on."""

Listed = Mapping[str, ManyDataset]
"""Datasets of the list by name."""


@dataclass(frozen=True)
class Many:
    """The cells of one metric, with the families of their datasets.

    Attributes
    ----------
    cells : Cells
        Where a sampler failed, the scores of the classifier without resampling stand.
    arms : Arms
    """

    cells: Cells
    arms: Arms
    listed: Listed

    def family(self, dataset: str) -> str:
        """Return a dataset's family; one outside the list is a family of its own."""
        return self.listed[dataset].family if dataset in self.listed else dataset

    @property
    def families(self) -> list[str]:
        """The family of each dataset."""
        return [self.family(dataset) for dataset in self.cells.datasets]

    def where(self, chosen: Sequence[bool]) -> Many:
        """Return the same of some of the configurations."""
        return replace(self, cells=self.cells.where(chosen))

    def of_classifier(self, clf: str) -> Many:
        """Return the same of one classifier's configurations, or of all."""
        return self.where([clf in (OVERALL, own) for _, _, own in self.cells.configurations])

    def scores(self, arm: str) -> Floats:
        """Return the test scores of an arm; of shape (C, S)."""
        return self.cells.test[:, self.cells.arms.index(arm)]

    def by_dataset(self, values: Floats) -> Floats:
        """Return means over the runs of each configuration, then over each dataset's; (D, N).

        The values are of shape (C, N, S).
        """
        return group_means(mean_of_known(values, axis=2), self.cells.dataset_of)

    def estimate(self, values: Floats) -> FamilyMeans:
        """Return means of such values over the families."""
        return estimate_over_families(self.by_dataset(values), self.families)

    def differences(self, pairs: Sequence[tuple[str, str]]) -> Floats:
        """Return the score of the first arm less that of the second; of shape (C, N, S)."""
        return np.stack([self.scores(arm) - self.scores(other) for arm, other in pairs], axis=1)

    def with_fallback(self) -> Many:
        """Return the same of samplers that may all return the classifier without resampling.

        It is chosen where it is at least as good over the folds; it is the arm "none" then, which
        was trained on the same rows.
        """
        test = self.cells.test.copy()
        none = self.arms.find(NONE, "")
        for i, arm in enumerate(self.cells.arms):
            if none and self.arms.known[arm].source not in _WITHOUT_VALIDATION:
                back = self.cells.falls_back[:, i]
                test[:, i] = np.where(back, self.scores(none), test[:, i])
        return replace(self, cells=replace(self.cells, test=test))


def read_runs(cells: Cells, arms: Arms, listed: Listed) -> Many:
    """Return the cells of a metric, failures as the classifier without resampling."""
    none = arms.find(NONE, "")
    if none in cells.arms:
        plain = cells.test[:, [cells.arms.index(none)]]
        cells = replace(cells, test=np.where(cells.imputed, plain, cells.test))
    return Many(cells, arms, listed)


def list_classifiers(many: Many) -> list[str]:
    """Return "overall", then the classifiers in the order of tables."""
    clfs = {clf for _, _, clf in many.cells.configurations}
    return [OVERALL, *names.in_order(clfs, CLASSIFIERS)]


def compute_gains(many_of: Mapping[str, Many], trained: Mapping[str, int]) -> pd.DataFrame:
    """Compute what each arm gains over no resampling, and over SMOTE in the same form.

    Returns
    -------
    DataFrame
        metric, what (`OVER_NONE`, `OVER_SMOTE`, or `FALLBACK`: over no resampling where all may
        fall back on it), group ("overall" or a classifier), arm, source, form, against; families,
        datasets; gain with its 95% interval; wins, ties, losses: families; classifiers: how many a
        run trains.
    """
    rows: list[dict[str, Any]] = []
    for metric, many in many_of.items():
        for what, used, pairs in _gain_pairs(many):
            for group in list_classifiers(many):
                part = used.of_classifier(group)
                for (arm, against), found in zip(pairs, _rows(part, pairs), strict=True):
                    known = many.arms.known[arm]
                    head = {"metric": metric, "what": what, "group": group, "arm": arm}
                    head |= {"source": known.source, "form": form_of(known), "against": against}
                    rows.append(head | found | {"classifiers": trained.get(arm, np.nan)})
    return pd.DataFrame(rows)


def _gain_pairs(many: Many) -> Iterator[tuple[str, Many, list[tuple[str, str]]]]:
    """Yield what is computed, of which scores, and the pairs of arms."""
    arms = many.arms.in_order(many.cells.arms)
    none = many.arms.find(NONE, "")
    if none in arms:
        pairs = [(arm, none) for arm in arms if arm != none]
        yield OVER_NONE, many, pairs
        yield FALLBACK, many.with_fallback(), pairs
    smote = {arm: many.arms.find(SMOTE, form_of(many.arms.known[arm])) for arm in arms}
    pairs = [
        (arm, other) for arm, other in smote.items() if other in many.cells.arms and other != arm
    ]
    if pairs:
        yield OVER_SMOTE, many, pairs


def _rows(many: Many, pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the mean difference of each pair over the families, and in how many it wins."""
    by_dataset = many.by_dataset(many.differences(pairs))
    of_families = group_means(by_dataset, many.families)
    means = estimate_over_families(by_dataset, many.families)
    return [
        {
            "families": means.families[i],
            "datasets": means.datasets[i],
            "gain": means.mean[i],
            "gain_low": means.low[i],
            "gain_high": means.high[i],
            "wins": int((of_families[:, i] > 0).sum()),
            "ties": int((of_families[:, i] == 0).sum()),
            "losses": int((of_families[:, i] < 0).sum()),
        }
        for i in range(len(pairs))
    ]


def compute_contrasts(
    many_of: Mapping[str, Many], contrasts: Sequence[Contrast], trained: Mapping[str, int]
) -> pd.DataFrame:
    """Compute the contrasts over all classifiers, and for each.

    Returns
    -------
    DataFrame
        metric, question, form, group, arm, against, then as of `compute_gains`; runs: of the pair;
        classifiers, classifiers_against: how many a run of each trains.
    """
    rows: list[dict[str, Any]] = []
    for metric, many in many_of.items():
        for group in list_classifiers(many):
            part = many.of_classifier(group)
            there = [one for one in contrasts if {one.arm, one.against} <= set(part.cells.arms)]
            if not there:
                continue
            pairs = [(one.arm, one.against) for one in there]
            runs = (~np.isnan(part.differences(pairs))).sum(axis=(0, 2))
            for i, (one, found) in enumerate(zip(there, _rows(part, pairs), strict=True)):
                head = {"metric": metric, "question": one.question, "form": one.form}
                head |= {"group": group, "arm": one.arm, "against": one.against}
                counts = {
                    "runs": runs[i],
                    "classifiers": trained.get(one.arm, np.nan),
                    "classifiers_against": trained.get(one.against, np.nan),
                }
                rows.append(head | found | counts)
    return pd.DataFrame(rows)


def compute_by_family(many_of: Mapping[str, Many], contrasts: Sequence[Contrast]) -> pd.DataFrame:
    """Compute the contrasts in each family.

    Returns
    -------
    DataFrame
        metric, family, datasets, question, form, gain: the mean difference.
    """
    rows: list[dict[str, Any]] = []
    for metric, many in many_of.items():
        there = [one for one in contrasts if {one.arm, one.against} <= set(many.cells.arms)]
        if not there:
            continue
        by_dataset = many.by_dataset(many.differences([(one.arm, one.against) for one in there]))
        families = many.families
        means = group_means(by_dataset, families)
        for family, gains in zip(dict.fromkeys(families), means, strict=True):
            head = {"metric": metric, "family": family, "datasets": families.count(family)}
            rows += [
                head | {"question": one.question, "form": one.form, "gain": gain}
                for one, gain in zip(there, gains, strict=True)
            ]
    return pd.DataFrame(rows)
