"""Class-aware sampling policies as a method of the search loop.

The policies (`policy`) see where the majority lies around each minority row and have eight numbers
in all; the learner draws these from a normal distribution and refits it (`learner`). docs/method.md
states both.

A held-out part is scored with a sample set drawn from its own training rows, by their own features,
under the same numbers; so no held-out row informs the rows that it judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autosmote.errors import UserError
from autosmote.scoring.reward import Score
from autosmote.search.candidates import PartwiseSet
from autosmote.search.class_aware.features import (
    DEFAULT_FEATURES,
    FEATURES,
    N_NEAREST,
    SLOT_FEATURES,
    Surroundings,
    feature_matrix,
    slot_feature_matrix,
)
from autosmote.search.class_aware.learner import (
    CrossEntropyLearner,
    Normal,
    NormalLearner,
    PolicyGradientLearner,
)
from autosmote.search.class_aware.policy import Family, Numbers, RowPolicy
from autosmote.search.class_aware.starts import learned_start
from autosmote.search.hierarchical.parameters import read_policies
from autosmote.search.method import Generator, Learner, Method, Parameters, Proposal, SpaceProblem
from autosmote.search.space_reward import SpaceReward
from autosmote.space.base import Samples, Space
from autosmote.space.hard_majority import SHARES
from autosmote.space.labelled_rows import NearestRows
from autosmote.streams import Purpose, stream

LEARNERS: dict[str, type[NormalLearner] | None] = {
    "cross_entropy": CrossEntropyLearner,
    "policy_gradient": PolicyGradientLearner,
    "random": None,
}
_WHOLE = 0
"""The stream of the draw from all rows; a single part that trains on all of them is that draw."""


@dataclass(frozen=True)
class Draw:
    """A sample set that its point and seed make again.

    Attributes
    ----------
    numbers : Numbers or None
        None makes no synthetic rows: the plain classifier.
    seed : int
    n_synthetic : int
    """

    numbers: Numbers | None
    seed: int
    n_synthetic: int

    @property
    def left_out(self) -> float:
        return self.numbers.left_out if self.numbers else 0.0

    def content(self) -> bytes:
        """Return bytes that are equal for equal sample sets."""
        if not self.n_synthetic:
            return np.float64(self.left_out).tobytes()
        return repr((self.numbers, self.seed)).encode()


class ClassAwareMethod(Method):
    """One distribution over synthetic rows, of eight numbers that are searched for.

    Parameters
    ----------
    problem : SpaceProblem
    features : sequence of str
        Features whose weights choose the rows, names in ``FEATURES``.
    free : sequence of str, optional
        Numbers that vary, of ``Family.names``; the others stay at their first means. None: all.
    learner : {"cross_entropy", "policy_gradient", "random"}
        "random" draws from the first distribution to the end.
    start : mapping or str, optional
        "means" and "deviations" of the first distribution, of all numbers in order; or "learned":
        where searches on other data ended, for this kind of classifier ("learned without
        <dataset>": on other data than this). None: the widest.
    floor : float
        Least deviations, as a share of the first ones. 1: the means move and the draws stay
        diverse, on which a vote lives, that of trees foremost.
    wide : int
        Each so manyth draw is from the first distribution; 0: none.
    slot_features : sequence of str
        Features whose weights choose the neighbours, names in ``SLOT_FEATURES``.

    Raises
    ------
    UserError
        Where a parameter is not one of its values, or does not fit.
    """

    makes_part_spaces: ClassVar[bool] = True

    def __init__(
        self,
        problem: SpaceProblem,
        features: Sequence[str] = DEFAULT_FEATURES,
        free: Sequence[str] | None = None,
        learner: str = "cross_entropy",
        start: Mapping[str, Sequence[float]] | str | None = None,
        floor: float = 1.0,
        wide: int = 0,
        slot_features: Sequence[str] = (),
    ) -> None:
        _check("features", features, FEATURES)
        _check("slot_features", slot_features, SLOT_FEATURES)
        _check("learner", [learner], LEARNERS)
        self.problem, self.seed = problem, problem.seed
        self.family = Family(features, slot_features, under_sampling=problem.config.under_sampling)
        _check("free", free or (), self.family.names)
        self.learner, self.wide = learner, wide
        self.first = self._first(start, free)
        self.floor = floor * self.first.deviations
        self.whole, self.parts = _row_policies(problem, features, slot_features)

    def _first(
        self, start: Mapping[str, Sequence[float]] | str | None, free: Sequence[str] | None
    ) -> Normal:
        """Return the distribution at first: as given, of `search.init_from`, or the widest."""
        init_from = self.problem.config.init_from
        family = self.family
        found: Mapping[str, Any] = {"means": family.means, "deviations": family.deviations}
        if init_from is not None:
            found = read_policies(init_from)
        elif isinstance(start, str):
            kind = type(self.problem.estimator).__name__
            learned = learned_start(start, kind, family.names)
            found = {
                what: np.where(np.isnan(values), found[what], values)
                for what, values in learned.items()
            }
        elif start is not None:
            found = start
        if set(found) != {"means", "deviations"} or any(
            len(column) != len(family.names) for column in found.values()
        ):
            raise UserError(
                "A start of the class-aware search has means and deviations of its "
                f"{len(family.names)} numbers: {', '.join(family.names)}."
            )
        means, deviations = (np.array(found[name], float) for name in ("means", "deviations"))
        if free is not None:
            deviations[[name not in free for name in family.names]] = 0.0
        return Normal(means, deviations)

    def initial_parameters(self) -> Parameters:
        return self.first.flat()

    def named(self, parameters: Parameters) -> dict[str, Parameters]:
        """Return the means and deviations of the numbers, in the order of ``Family.names``."""
        means, deviations = parameters.reshape(2, -1).copy()
        return {"means": means, "deviations": deviations}

    def make_generator(self) -> Generator:
        return ClassAwareGenerator(self)

    def unsearched(self) -> Draw:
        """Return a draw with the means of the first distribution."""
        return self.draw(self.first.means, stream(self.seed, Purpose.ITERATION, 0))

    def draw(self, point: NDArray[np.float64], rng: np.random.Generator) -> Draw:
        """Return the sample set of a point, with a seed of its own."""
        numbers = self.family.read(point)
        return Draw(numbers, int(rng.integers(2**63)), self.whole.n_synthetic(numbers))

    def make_learner(self, parameters: Parameters) -> Learner | None:
        learner = LEARNERS[self.learner]
        if learner is None:
            return None
        return learner(Normal.read(parameters), self.problem.config.iterations, self.floor)

    def part_samples(self, draw: Draw) -> list[Samples]:
        """Return the samples with which each held-out part is scored."""
        return [
            self._realise(draw, policy, _WHOLE if policy is self.whole else 1 + part)[0]
            for part, policy in enumerate(self.parts)
        ]

    def complete(self, sample_set: Draw) -> PartwiseSet:
        """Return the sample set drawn from all rows, with those of the parts."""
        samples, row_counts = self._realise(sample_set, self.whole, _WHOLE)
        by_part = self.part_samples(sample_set)
        return PartwiseSet(samples, row_counts, sample_set.left_out, by_part)

    def synthetic_rows(self, sample_set: PartwiseSet) -> NDArray[np.float64]:
        return self.problem.space.rows(sample_set.samples)

    @staticmethod
    def _realise(draw: Draw, policy: RowPolicy, place: int) -> tuple[Samples, NDArray[np.int32]]:
        if draw.numbers is None:
            return policy.space.no_samples(), np.zeros(policy.space.n_rows, np.int32)
        return policy.draw(draw.numbers, stream(draw.seed, Purpose.DRAW, place))


class ClassAwareGenerator(Generator):
    """Draws numbers, and with them a sample set for each part."""

    def __init__(self, method: ClassAwareMethod) -> None:
        self._method = method
        shares = SHARES if method.problem.config.under_sampling else SHARES[:1]
        self._reward = SpaceReward(method.problem, shares)
        self.scorer_name = self._reward.name

    def load(self, parameters: Parameters) -> None:
        self._distribution = Normal.read(parameters)

    def propose(self, n: int, rng: np.random.Generator) -> Proposal:
        method = self._method
        if n == 0:  # the plain classifier competes
            draw, point = Draw(None, 0, 0), None
        else:
            is_wide = method.wide and n % method.wide == 0
            point = (method.first if is_wide else self._distribution).draw(rng)
            draw = method.draw(point, rng)
        return Proposal(draw, draw.n_synthetic, point, method.part_samples(draw))

    def score(self, proposal: Proposal) -> Score:
        return self._reward.score_parts(proposal.sample_set.left_out, proposal.tables)


def _row_policies(
    problem: SpaceProblem, features: Sequence[str], slot_features: Sequence[str]
) -> tuple[RowPolicy, list[RowPolicy]]:
    """Return the policy of all rows, and each part's."""
    rows = problem.rows
    assert rows is not None
    minority = np.flatnonzero(rows.is_minority)
    nearest = NearestRows(rows.states, minority, N_NEAREST)

    def policy(space: Space, used: NDArray[np.bool_]) -> RowPolicy:
        near_majority = ~rows.is_minority[nearest.among(used)]
        around = Surroundings(space, near_majority, rows.states[used & ~rows.is_minority])
        of_rows = feature_matrix(around, features)
        of_slots = slot_feature_matrix(around, slot_features)
        return RowPolicy(space, of_rows, rows.n_largest(used), of_slots)

    whole = policy(problem.space, np.ones(len(rows.y), dtype=bool))
    parts = [
        whole if used.all() else policy(part.maker.space, used)
        for part, used in zip(problem.parts, rows.parts, strict=True)
    ]
    return whole, parts


def _check(name: str, given: Sequence[str], valid: Sequence[str] | Mapping[str, Any]) -> None:
    unknown = [value for value in given if value not in valid]
    if unknown:
        raise UserError(
            f"search.method_params.{name} has {unknown[0]}; there are {', '.join(valid)}."
        )
