"""Arms that are a source of sample sets, a reward and a rule, compared in pairs by blocks of seeds.

Arms are decided about on some seeds, and confirmed on those that no decision has seen: all is said
of each apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autosmote.config.search import FINALS, REWARDS
from autosmote.errors import UserError
from autosmote.reports import names
from autosmote.reports.cells import Cells
from autosmote.reports.statistics import paired
from autosmote.reports.study import Study

DECIDING_SEEDS = (0, 1)
"""By which arms were chosen; the other seeds confirm."""
CONFIRMATIONS = ("class_aware_confirmation", "class_aware_start")
"""Experiments of which all confirms: but for the smoke budget, no decision has seen their seeds."""
_RULES = [name.replace("_", " ") for name in FINALS]

DECIDED, CONFIRMED = "decided", "confirmed"


class Selection(NamedTuple):
    """Source of an arm's sample sets, the reward of their search, and the rule that chooses."""

    source: str
    """The name of the grid's source."""
    reward: str = REWARDS[0]
    rule: str = _RULES[0]
    """The rule for choosing among sample sets, and of how many: "vote 25"."""

    def place(self) -> tuple[int, int, int]:
        """Return a key that sorts by reward and rule as tables do."""
        words = self.rule.rstrip(" 0123456789")
        keep = self.rule[len(words) :]
        return REWARDS.index(self.reward), _RULES.index(words), int(keep or 0)

    def title(self) -> str:
        """Return the row's name, such as "SMOTE, crossfit, vote 25"."""
        reward = [self.reward] * (self.reward != REWARDS[0])
        rule = [self.rule] * (self.rule != _RULES[0])
        return ", ".join([names.arm(self.source), *reward, *rule])


def read_selections(study: Study) -> dict[str, Selection]:
    """Return how each arm's sample sets were chosen, as the plan says.

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
    return {
        arm: Selection(source, reward, _rule(final, keep))
        for arm, source, reward, final, keep in study.runs[columns]
        .drop_duplicates("arm")
        .itertuples(index=False)
    }


def _rule(final: str, keep: Any) -> str:
    words = final.replace("_", " ")
    return words if words == _RULES[0] else f"{words} {keep:g}"


def list_tests(cells_of: Mapping[str, Cells]) -> tuple[str, ...]:
    """Return the tests that there are, "test" and "extended"; conclusions are drawn on the last."""
    has_extended = any(not np.isnan(cells.extended).all() for cells in cells_of.values())
    return ("test", "extended") if has_extended else ("test",)


def list_blocks(study: Study) -> dict[str, list[int]]:
    """Return the deciding and the confirming seeds by block, without a block that has none."""
    deciding = () if study.experiment in CONFIRMATIONS else DECIDING_SEEDS
    blocks: dict[str, list[int]] = {DECIDED: [], CONFIRMED: []}
    for seed in sorted(int(seed) for seed in study.runs["seed"].unique()):
        blocks[DECIDED if seed in deciding else CONFIRMED].append(seed)
    return {block: seeds for block, seeds in blocks.items() if seeds}


@dataclass(frozen=True)
class Comparison:
    """Two arms that differ in what the question names.

    Attributes
    ----------
    question, arm, against : str
    """

    question: str
    arm: str
    against: str


def compare_pairs(
    study: Study, cells: Cells, pairs: Sequence[Comparison], tests: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield for each block and pair the mean differences on the runs that both have, as a row.

    Yields
    ------
    dict
        block, question, arm, against; configurations, runs; validation, and each of `tests`: mean
        difference and its 95% interval, that of validation scores being one of gains over no
        resampling, since with another reward they are of other rows.
    """
    if not pairs:
        return
    of_pairs = [(pair.arm, pair.against) for pair in pairs]
    values = {
        name: cells.subtract(scores, of_pairs)
        for name, scores in (
            ("validation", cells.validation_gain),
            *((test, getattr(cells, test)) for test in tests),
        )
    }
    for block, seeds in list_blocks(study).items():
        index = [i for i, seed in enumerate(cells.seeds) if seed in seeds]
        found = {
            name: paired.estimate(of[:, :, index], cells.dataset_of) for name, of in values.items()
        }
        for i, pair in enumerate(pairs):
            yield {
                **{"block": block, "question": pair.question},
                **{"arm": pair.arm, "against": pair.against},
                "configurations": found[tests[-1]].configurations[i],
                "runs": found[tests[-1]].runs[i],
                **{
                    column: value
                    for name, means in found.items()
                    for column, value in means.named(name, i).items()
                },
            }
