"""A rule that says what to do with a dataset, by two questions at most, and what it would cost.

It is fitted on the decision half by a fixed procedure: of all trees of depth two over the edges of
`autosmote.reports.studies.many.traits` and over groups of classifiers, the one whose choices have
the best mean score over families less `MIN_GAIN` for each question, each of whose sides must hold
`MIN_FAMILIES` families; of choices within `MARGIN` of the best one the cheapest is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autosmote.reports.statistics.families import (
    MIN_FAMILIES,
    estimate_over_families,
    group_means,
)
from autosmote.reports.statistics.ranks import Floats, mean_of_known
from autosmote.reports.studies.many.arms import (
    CLASSIFIERS,
    NONE,
    SMOTE,
    SUBJECT,
    THRESHOLD,
    UNSEARCHED,
    VOTE,
    WEIGHTS,
)
from autosmote.reports.studies.many.gains import Many
from autosmote.reports.studies.many.traits import CLASSIFIER, TRAITS
from autosmote.reports.verdicts import join_words

CHOICES = (NONE, WEIGHTS, UNSEARCHED, THRESHOLD, SMOTE, SUBJECT)
"""Sources that a rule chooses among, the cheapest first; with the vote, where they have one."""
DEPTH = 2
MARGIN = 0.005
"""Of the mean score: what a reader would not pay hundreds of classifiers for."""
MIN_GAIN = 0.002
"""Of the mean score over all families."""
TREES = ("dt", "adaboost", "lightgbm")
THE_RULE = "the rule"

_PHRASES = {
    "minority": ("fewer than {} minority rows", "at least {} minority rows"),
    "ir": ("an imbalance ratio below {}", "an imbalance ratio of at least {}"),
    "features": ("fewer than {} features", "at least {} features"),
    "overlap": ("an overlap below {}", "an overlap of at least {}"),
}


@dataclass(frozen=True)
class Cases:
    """Datasets with a classifier: their traits, and the score of each choice.

    Attributes
    ----------
    datasets, families, clfs : sequence of str
        Of each of the n cases.
    traits : dict
        Values by a trait's name, of shape (n,).
    choices : list of str
        Sources of `CHOICES` that there are.
    scores : ndarray of shape (n, choices)
        Means over seeds and metrics.
    weights : ndarray of shape (n,)
        Each family has as much in all, within it each dataset; their sum over all cases is 1.
    """

    datasets: Sequence[str]
    families: Sequence[str]
    clfs: Sequence[str]
    traits: Mapping[str, Floats]
    choices: Sequence[str]
    scores: Floats
    weights: Floats

    def where(self, chosen: NDArray[np.bool_]) -> Cases:
        """Return some of the cases, with the weights that they have among all."""
        index = np.flatnonzero(chosen)
        names = ("datasets", "families", "clfs")
        return replace(
            self,
            **{name: [getattr(self, name)[i] for i in index] for name in names},
            traits={name: values[index] for name, values in self.traits.items()},
            scores=self.scores[index],
            weights=self.weights[index],
        )

    def estimate(self, values: Floats) -> Any:
        """Return means over the families of values of shape (n, N)."""
        of_dataset = dict(zip(self.datasets, self.families, strict=True))
        return estimate_over_families(group_means(values, self.datasets), list(of_dataset.values()))


@dataclass(frozen=True)
class Question:
    """Whether a trait is below an edge, or the classifier is one of some."""

    trait: str
    edge: float = np.nan
    clfs: tuple[str, ...] = ()

    def holds(self, cases: Cases) -> NDArray[np.bool_]:
        """Return for each case whether it does."""
        if self.trait == CLASSIFIER:
            return np.isin(cases.clfs, self.clfs)
        return cases.traits[self.trait] < self.edge

    def phrase(self, answer: bool) -> str:
        """Return an answer as a condition, such as "fewer than 40 minority rows"."""
        if self.trait == CLASSIFIER:
            shown = join_words([CLASSIFIERS.get(clf, clf) for clf in self.clfs])
            return f"{'with' if answer else 'not with'} {shown.replace(' and ', ' or ')}"
        return _PHRASES[self.trait][not answer].format(f"{self.edge:.{TRAITS[self.trait].digits}f}")


@dataclass(frozen=True)
class Rule:
    """A choice, or a question with the rules for both answers.

    Attributes
    ----------
    choice : str
        A source of `CHOICES`; of a question, what would be chosen without it.
    question : Question, optional
    yes, no : Rule, optional
    """

    choice: str
    question: Question | None = None
    yes: Rule | None = None
    no: Rule | None = None

    def choose(self, cases: Cases) -> list[str]:
        """Return the choice for each case."""
        if self.question is None or self.yes is None or self.no is None:
            return [self.choice] * len(cases.datasets)
        yes, no = self.yes.choose(cases), self.no.choose(cases)
        answers = self.question.holds(cases)
        return [a if answer else b for answer, a, b in zip(answers, yes, no, strict=True)]

    def paths(self, conditions: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the conditions of each choice, and the choice."""
        if self.question is None or self.yes is None or self.no is None:
            yield conditions, self.choice
            return
        yield from self.yes.paths((*conditions, self.question.phrase(True)))
        yield from self.no.paths((*conditions, self.question.phrase(False)))


def make_cases(many_of: Mapping[str, Many]) -> Cases | None:
    """Return the cases of the datasets of the list; None without any, or without two choices.

    Only cases in which all choices have a score in every metric.
    """
    first = next(iter(many_of.values()))
    arms = {source: first.arms.find(source, VOTE) for source in CHOICES}
    choices = [
        source for source, arm in arms.items()
        if arm and all(arm in many.cells.arms for many in many_of.values())
    ]  # fmt: skip
    found: dict[Any, list[Floats]] = {}
    for many in many_of.values():
        means = np.column_stack(
            [mean_of_known(many.scores(str(arms[source])), axis=1) for source in choices]
        ) if choices else np.empty((0, 0))  # fmt: skip
        for configuration, scores in zip(many.cells.configurations, means, strict=False):
            if configuration[0] in many.listed:
                found.setdefault(configuration, []).append(scores)
    whole = {
        configuration: np.mean(scores, axis=0)
        for configuration, scores in found.items()
        if len(scores) == len(many_of) and not np.isnan(scores).any()
    }
    if not whole or len(choices) < 2:
        return None
    datasets = [dataset for dataset, _, _ in whole]
    families = [first.family(dataset) for dataset in datasets]
    return Cases(
        datasets=datasets,
        families=families,
        clfs=[clf for _, _, clf in whole],
        traits={
            name: np.array([trait.value(first.listed[dataset]) for dataset in datasets], float)
            for name, trait in TRAITS.items()
        },
        choices=choices,
        scores=np.array(list(whole.values())),
        weights=_weights(datasets, families),
    )


def _weights(datasets: Sequence[str], families: Sequence[str]) -> Floats:
    members: dict[str, set[str]] = {}
    for dataset, family in zip(datasets, families, strict=True):
        members.setdefault(family, set()).add(dataset)
    shares = [
        1 / (len(members) * len(members[family]) * datasets.count(dataset))
        for dataset, family in zip(datasets, families, strict=True)
    ]
    return np.array(shares)


def fit_rule(cases: Cases, depth: int = DEPTH) -> Rule:
    """Return the rule with the best mean score, by the procedure above."""
    return _simplified(_best(cases, depth)[1])


def _best(cases: Cases, depth: int) -> tuple[float, Rule]:
    """Return the weighted sum of the scores of the best rule, less its questions, and the rule."""
    sums = cases.weights @ cases.scores
    near = sums >= sums.max() - MARGIN * cases.weights.sum()
    # argmax: the first, and so the cheapest.
    leaf = Rule(cases.choices[int(np.argmax(near))])
    best, rule = float(sums.max()), leaf
    for question in _list_questions(cases) if depth else ():
        answers = question.holds(cases)
        sides = [cases.where(answers), cases.where(~answers)]
        if min(len(set(side.families)) for side in sides) < MIN_FAMILIES:
            continue
        (yes, of_yes), (no, of_no) = (_best(side, depth - 1) for side in sides)
        if (value := yes + no - MIN_GAIN) > best:
            best, rule = value, Rule(leaf.choice, question, of_yes, of_no)
    return best, rule


def _list_questions(cases: Cases) -> Iterator[Question]:
    """Yield all questions, in a fixed order."""
    for trait in TRAITS.values():
        for edge in trait.edges:
            yield Question(trait.name, edge)
    there = sorted(set(cases.clfs))
    trees = tuple(clf for clf in TREES if clf in there)
    for clfs in dict.fromkeys((trees, *((clf,) for clf in there))):
        yield Question(CLASSIFIER, clfs=clfs)


def _simplified(rule: Rule) -> Rule:
    """Return the rule without questions whose answers lead to one choice."""
    if rule.yes is None or rule.no is None:
        return rule
    yes, no = _simplified(rule.yes), _simplified(rule.no)
    if yes.question is None and no.question is None and yes.choice == no.choice:
        return yes
    return replace(rule, yes=yes, no=no)


def judge_rule(rule: Rule, cases: Cases) -> pd.DataFrame:
    """Compare a rule with choosing always the same.

    Returns
    -------
    DataFrame
        choice (`THE_RULE`, then each source), families, datasets; share: of the cases in which the
        rule chooses it; gain: over no resampling; less: the rule less this; regret: the best choice
        of each case, as it turned out, less this; each with its 95% interval over families.
    """
    chosen = [list(cases.choices).index(choice) for choice in rule.choose(cases)]
    by_rule = cases.scores[np.arange(len(chosen)), chosen]
    options = np.column_stack([by_rule, cases.scores])
    none = cases.scores[:, [list(cases.choices).index(NONE)]] if NONE in cases.choices else np.nan
    found = {
        "gain": cases.estimate(options - none),
        "less": cases.estimate(by_rule[:, None] - options),
        "regret": cases.estimate(cases.scores.max(axis=1)[:, None] - options),
    }
    shares = [1.0, *(np.mean(np.array(chosen) == i) for i in range(len(cases.choices)))]
    return pd.DataFrame(
        {
            "choice": choice,
            "families": found["regret"].families[i],
            "datasets": len(set(cases.datasets)),
            "share": shares[i],
            **{
                f"{name}{end}": getattr(means, of)[i]
                for name, means in found.items()
                for end, of in (("", "mean"), ("_low", "low"), ("_high", "high"))
            },
        }
        for i, choice in enumerate((THE_RULE, *cases.choices))
    )
