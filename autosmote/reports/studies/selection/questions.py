"""Questions of the experiment on choosing among sample sets: pairs of arms, blocks of seeds.

It was decided on some seeds, and is confirmed on those that no decision has seen. So all is said
three times: over all seeds, over the deciding and over the confirming ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autosmote.config.search import FINALS, REWARDS
from autosmote.errors import UserError
from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.names import FULL
from autosmote.reports.statistics.ranks import Floats, mean_of_known
from autosmote.reports.study import Study

DECIDING_SEEDS = (0, 1)
"""By which rules were chosen; the other seeds confirm."""
CONFIRMATION = "selection_confirmation"
"""All of it confirms: but for the smoke budget, no decision has seen its seeds."""
EXPERIMENTS = ("selection", CONFIRMATION)
CONFIRMATIONS = (CONFIRMATION, "class_aware_confirmation", "class_aware_start")
"""Likewise, of all experiments."""

RIVAL_SOURCES = ("smote", "svmsmote", "bagging")
"""Sources that AutoSMOTE is compared with by the same rule, beside random search in its space."""
SOURCES = (FULL, "random", *RIVAL_SOURCES, "none")
"""Sources of sample sets, in the order of tables."""
_RULES = [name.replace("_", " ") for name in FINALS]

ALL, DECIDED, CONFIRMED = "all", "decided", "confirmed"


class Selection(NamedTuple):
    """Source of an arm's sample sets, the reward of their search, and the rule that chooses."""

    source: str
    """The name of the grid's source."""
    reward: str = REWARDS[0]
    rule: str = _RULES[0]
    """The rule for choosing among sample sets, and of how many: "vote 25"."""

    def place(self) -> tuple[int, str, int, int, int]:
        """Return a key that sorts as tables do: by source, reward and rule."""
        known = SOURCES.index(self.source) if self.source in SOURCES else len(SOURCES)
        words = self.rule.rstrip(" 0123456789")
        keep = self.rule[len(words) :]
        return (
            *(known, self.source, REWARDS.index(self.reward)),
            *(_RULES.index(words), int(keep or 0)),
        )

    def title(self) -> str:
        """Return the row's name, such as "SMOTE, crossfit, vote 25"."""
        reward = [self.reward] * (self.reward != REWARDS[0])
        rule = [self.rule] * (self.rule != _RULES[0])
        return ", ".join([names.arm(self.source), *reward, *rule])


Selections = Mapping[str, Selection]
"""By an arm's label."""
PLAIN = Selection("none", "crossfit")
"""The classifier without synthetic rows, trained on the training and validation rows together."""
_VALIDATION = Selection("").reward
_BEST = Selection("").rule


def read_selections(study: Study) -> dict[str, Selection]:
    """Return how each arm's sample sets were chosen, as the plan says; in the order of tables.

    Raises
    ------
    UserError
        If the plan does not say it.
    """
    if "source" not in study.runs:
        raise UserError(
            f"The plan {study.budget} of {study.experiment} does not name sources and rules; make "
            f"it again by experiment={study.experiment} budget={study.budget} of autosmote.sweep."
        )
    columns = ["arm", "source", "reward", "final", "keep"]
    found = {
        arm: Selection(source, reward, _rule(final, keep))
        for arm, source, reward, final, keep in study.runs[columns]
        .drop_duplicates("arm")
        .itertuples(index=False)
    }
    return dict(sorted(found.items(), key=lambda item: item[1].place()))


def _rule(final: str, keep: Any) -> str:
    words = final.replace("_", " ")
    return words if words == _RULES[0] else f"{words} {keep:g}"


@dataclass(frozen=True)
class Block:
    """Seeds that are looked at together: "all", or those that decided or confirmed."""

    name: str
    seeds: tuple[int, ...]

    def index(self, cells: Cells) -> list[int]:
        """Return the places of its seeds among those of some cells."""
        return [i for i, seed in enumerate(cells.seeds) if seed in self.seeds]


def list_tests(cells_of: Mapping[str, Cells]) -> tuple[str, ...]:
    """Return the tests that there are, "test" and "extended"; conclusions are drawn on the last."""
    has_extended = any(not np.isnan(cells.extended).all() for cells in cells_of.values())
    return ("test", "extended") if has_extended else ("test",)


def list_blocks(study: Study) -> list[Block]:
    """Return all seeds, the deciding, and the confirming ones; one block where others are empty."""
    seeds = sorted(int(seed) for seed in study.runs["seed"].unique())
    deciding = () if study.experiment in CONFIRMATIONS else DECIDING_SEEDS
    parts = [
        Block(DECIDED, tuple(seed for seed in seeds if seed in deciding)),
        Block(CONFIRMED, tuple(seed for seed in seeds if seed not in deciding)),
    ]
    parts = [block for block in parts if block.seeds]
    return parts if len(parts) == 1 else [Block(ALL, tuple(seeds)), *parts]


@dataclass(frozen=True)
class Comparison:
    """Two arms that differ in what the question names.

    Attributes
    ----------
    question : str
        One of `QUESTIONS`.
    arm, against : str
    """

    question: str
    arm: str
    against: str


QUESTIONS: dict[str, Callable[[Selection], list[Selection]]] = {
    "rule": lambda what: [what._replace(rule=_BEST)],
    "learning": lambda what: [what._replace(source="random")] * (what.source == FULL),
    "space": lambda what: [what._replace(source="smote")] * (what.source == "random"),
    "sampler": lambda what: [
        what._replace(source=rival) for rival in RIVAL_SOURCES if what.source == FULL
    ],
    "reward": lambda what: [what._replace(reward=_VALIDATION)],
    "rows": lambda what: [PLAIN] * (what.reward != _VALIDATION),
}
"""By question, the function from an arm to those that it is compared with."""


def list_comparisons(known: Selections) -> list[Comparison]:
    """Return all comparisons that the arms allow, by question."""
    place = {what: arm for arm, what in known.items()}
    return [
        Comparison(question, arm, place[other])
        for question, rivals in QUESTIONS.items()
        for what, arm in place.items()
        for other in rivals(what)
        if other in place and other != what
    ]


def list_headlines(known_arms: Selections, chosen: Sequence[Selection]) -> list[Comparison]:
    """Return the comparisons that matter most: of the paper's choice, and of chosen rules."""
    known = {what: arm for arm, what in known_arms.items()}
    paper = Selection(FULL)
    wanted = []
    for what in [paper, *(found for found in chosen if found != paper)]:
        smote = what._replace(source="smote")
        pairs = [
            ("rule", what, paper),
            ("rule", smote, Selection("smote")),
            ("learning", what, what._replace(source="random")),
            ("space", what._replace(source="random"), smote),
            *(("sampler", what, other) for other in QUESTIONS["sampler"](what)),
            *(("rows", what, other) for other in QUESTIONS["rows"](what)),
        ]
        wanted += [pair for pair in pairs if pair[1] != pair[2]]
    return [
        Comparison(question, known[arm], known[against])
        for question, arm, against in wanted
        if arm in known and against in known
    ]


def choose_rules(study: Study, known: Selections, cells_of: Mapping[str, Cells]) -> list[Selection]:
    """Return AutoSMOTE's rule with the best mean score on the deciding seeds, all metrics.

    The score is that of the extended test where there is one. Compared run by run with the paper's
    choice, so that a missing run favours no rule. Without deciding seeds all of AutoSMOTE's rules
    were chosen before.
    """
    rules = list_tried(known)
    deciding = [block for block in list_blocks(study) if block.name == DECIDED]
    if not deciding:
        return [rule for rule in rules if rule != Selection(FULL)]
    totals = {}
    judged = list_tests(cells_of)[-1]
    for rule in rules:
        gains = []
        for cells in cells_of.values():
            arms = {known[arm]: arm for arm in cells.arms}
            if rule in arms and FULL in cells.arms:
                gain = subtract(cells, getattr(cells, judged), arms[rule], FULL)
                gains.append(mean_of_known(gain[:, deciding[0].index(cells)]))
        if len(gains) == len(cells_of) and not np.isnan(gains).any():
            totals[rule] = sum(gains)
    return [max(totals, key=totals.__getitem__)] if totals else []


def list_tried(known: Selections) -> list[Selection]:
    """Return the rules that were tried with AutoSMOTE's sample sets, each with a reward."""
    return [what for what in known.values() if what.source == FULL]


def subtract(cells: Cells, scores: Floats, arm: str, against: str) -> Floats:
    """Return the scores of an arm less those of another; of shape (C, S)."""
    return scores[:, cells.arms.index(arm)] - scores[:, cells.arms.index(against)]
