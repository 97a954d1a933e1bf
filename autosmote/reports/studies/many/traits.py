"""Gains against what a dataset is like: minority rows, ratio, dimension, overlap, classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from autosmote.config.many import ManyDataset
from autosmote.reports.names import OVERALL
from autosmote.reports.studies.many.arms import CLASSIFIERS, WHEN, Contrast
from autosmote.reports.studies.many.gains import Many, list_classifiers

CLASSIFIER = "classifier"


@dataclass(frozen=True)
class Trait:
    """A number that describes a dataset, and the fixed bins that it is looked at in.

    Attributes
    ----------
    name : str
        A key of `TRAITS`.
    what : str
        Its name in texts.
    edges : tuple of float
        Between the bins; a bin holds its lower edge.
    value : callable
    digits : int
        Decimals of an edge.
    """

    name: str
    what: str
    edges: tuple[float, ...]
    value: Callable[[ManyDataset], float]
    digits: int = 0

    def bins(self) -> list[tuple[str, float, float]]:
        """Return the bins: name, lowest value, and the value that is above all of it."""
        low = (-float("inf"), *self.edges)
        high = (*self.edges, float("inf"))
        return [(self._name(a, b), a, b) for a, b in zip(low, high, strict=True)]

    def _name(self, low: float, high: float) -> str:
        texts = [f"{edge:.{self.digits}f}" for edge in (low, high)]
        if low == -float("inf"):
            return f"below {texts[1]}"
        return f"{texts[0]} or more" if high == float("inf") else f"{texts[0]} to {texts[1]}"


TRAITS = {
    trait.name: trait
    for trait in (
        Trait("minority", "minority rows", (40, 100, 250), lambda one: one.minority),
        Trait("ir", "imbalance ratio", (3, 9, 25), lambda one: one.ir),
        Trait("features", "features", (8, 15, 30), lambda one: one.features),
        Trait("overlap", "overlap", (0.2, 0.4, 0.6), lambda one: one.overlap, digits=1),
    )
}


def list_parts(many: Many) -> Iterator[tuple[str, str, Many]]:
    """Yield a trait's name, a bin's, and the configurations of its datasets; classifiers last.

    Datasets outside the list have no traits; bins without any dataset are left out.
    """
    for name, trait in TRAITS.items():
        of = [
            trait.value(many.listed[dataset]) if dataset in many.listed else float("nan")
            for dataset in many.cells.dataset_of
        ]
        for label, low, high in trait.bins():
            chosen = [low <= value < high for value in of]
            if any(chosen):
                yield name, label, many.where(chosen)
    for clf in list_classifiers(many):
        if clf != OVERALL:
            yield CLASSIFIER, CLASSIFIERS.get(clf, clf), many.of_classifier(clf)


def compute_by_trait(
    many_of: Mapping[str, Many], contrasts: Sequence[Contrast], form: str
) -> pd.DataFrame:
    """Compute the differences that say when what pays, for each bin of each trait.

    Returns
    -------
    DataFrame
        metric, trait, bin, question (of `WHEN`), form, arm, against; families, datasets; gain with
        its 95% interval over the families.
    """
    rows: list[dict[str, Any]] = []
    for metric, many in many_of.items():
        # A question whose arms have one form is asked in either.
        asked = {one.question: one for one in reversed(contrasts) if one.question in WHEN}
        asked |= {one.question: one for one in contrasts
                  if one.question in WHEN and one.form == form}  # fmt: skip
        there = [
            one for question in WHEN if (one := asked.get(question))
            and {one.arm, one.against} <= set(many.cells.arms)
        ]  # fmt: skip
        if not there:
            continue
        for trait, label, part in list_parts(many):
            found = part.estimate(part.differences([(one.arm, one.against) for one in there]))
            for i, one in enumerate(there):
                rows.append(
                    {
                        **{"metric": metric, "trait": trait, "bin": label},
                        **{"question": one.question, "form": one.form},
                        **{"arm": one.arm, "against": one.against},
                        "families": found.families[i],
                        "datasets": found.datasets[i],
                        "gain": found.mean[i],
                        "gain_low": found.low[i],
                        "gain_high": found.high[i],
                    }
                )
    return pd.DataFrame(rows)
