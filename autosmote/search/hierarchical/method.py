"""The paper's hierarchical policies as a method of the search loop (Section 3.3).

Where no level decides by its policy (`search.ablation=random_search`) there is no learner, and the
same generator is uniformly random search in the paper's space.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.config.search import largest_factors, resolve_G1
from autosmote.scoring.reward import Score
from autosmote.search.candidates import InterpolatedSet
from autosmote.search.hierarchical.episode import EpisodeGenerator, Rules
from autosmote.search.hierarchical.episode_kernels import FIXED, LEARNED, UNIFORM
from autosmote.search.hierarchical.parameters import (
    LEFT_OUT,
    check_policies,
    initial_parameters,
    join,
    policy_shapes,
    read_policies,
    split_levels,
)
from autosmote.search.method import Generator, Learner, Method, Parameters, Proposal, SpaceProblem
from autosmote.search.space_reward import SpaceReward
from autosmote.streams import Purpose, stream


def ablation_rules(ablation: str, G1: int, G2: int) -> Rules:
    """Return how the levels decide under an ablation (Section 4.4); halves are rounded up."""
    half: dict[str, Any] = {"fixed_g1": (G1 + 1) // 2, "fixed_g2": (G2 + 1) // 2}
    return {
        "none": Rules(),
        "no_cross_instance": Rules(cross=FIXED, **half),
        "no_instance_specific": Rules(instance=FIXED, **half),
        "no_low_level": Rules(low=UNIFORM),
        "random_search": Rules(under=UNIFORM, cross=UNIFORM, instance=UNIFORM, low=UNIFORM),
        "flat": Rules(flat=True),
        "merge_train_val": Rules(),  # it is the data that differ
        "random_search_per_row": Rules(
            under=UNIFORM, cross=FIXED, instance=UNIFORM, low=UNIFORM, fixed_g1=1
        ),
    }[ablation]


class HierarchicalMethod(Method):
    """Three policies that decide how many rows, around which rows, and between which neighbours.

    Raises
    ------
    UserError
        Where the policies to start from cannot be read or do not fit.
    """

    G1: int

    def __init__(self, problem: SpaceProblem) -> None:
        config, space = problem.config, problem.space
        self.problem, self.seed = problem, problem.seed
        self.G1 = resolve_G1(config, problem.ir)
        self.largest = largest_factors(config, self.G1)
        rules = ablation_rules(config.ablation, *self.largest)
        self.rules = replace(rules, under_sampling=config.under_sampling)
        self.shapes = policy_shapes(
            n_features=space.X.shape[1], G1=self.largest[0], G2=self.largest[1],
            low_level_net=config.low_level_net, continuous=space.continuous,
            flat=self.rules.flat, under=self.rules.under_sampling,
        )  # fmt: skip

    def initial_parameters(self) -> Parameters:
        """Return random policies, or those of `search.init_from`."""
        init_from = self.problem.config.init_from
        if init_from is not None:
            found = read_policies(init_from)
            check_policies(found, self.shapes)
        else:
            rng = stream(self.seed, Purpose.POLICIES)
            found = {
                level: initial_parameters(shapes, rng) for level, shapes in self.shapes.items()
            }
        return join({level: found[level] for level in self.shapes})

    def named(self, parameters: Parameters) -> dict[str, Parameters]:
        """Split the parameters by level; a flat policy is the level "low" alone."""
        return {level: flat.copy() for level, flat in split_levels(parameters, self.shapes).items()}

    def synthetic_rows(self, sample_set: InterpolatedSet) -> NDArray[np.float64]:
        return self.problem.space.rows(sample_set.samples)

    def make_generator(self) -> Generator:
        return HierarchicalGenerator(self)

    @property
    def learned_levels(self) -> list[str]:
        """Levels that decide by their policies, in the order of their decisions."""
        return [level for level in self.shapes if getattr(self.rules, level) == LEARNED]

    def make_learner(self, parameters: Parameters) -> Learner | None:
        if not self.learned_levels:
            return None
        # Imported here, so that actors do not load it.
        from autosmote.search.hierarchical.learner import make_learner

        problem = self.problem
        return make_learner(
            problem.space, self.shapes, parameters, self.learned_levels, problem.config
        )


class HierarchicalGenerator(Generator):
    """Makes episodes and scores their samples."""

    def __init__(self, method: HierarchicalMethod) -> None:
        problem, config = method.problem, method.problem.config
        self._episodes = EpisodeGenerator(
            problem.space,
            *method.largest,
            rules=method.rules,
            low_level_net=config.low_level_net,
            low_level_rows=config.low_level_rows,
            bin_width=config.bin_width,
        )
        shares = LEFT_OUT if method.rules.under_sampling else LEFT_OUT[:1]
        self._reward = SpaceReward(problem, shares)
        self.scorer_name = self._reward.name
        self._learns = bool(method.learned_levels)
        self._without_samples: dict[float, Score] = {}

    def load(self, parameters: Parameters) -> None:
        self._episodes.load(parameters)

    def warm_up(self, n_parameters: int) -> None:
        super().warm_up(n_parameters)
        self._episodes.generate(np.random.default_rng(0))

    def propose(self, n: int, rng: np.random.Generator) -> Proposal:
        episode = self._episodes.generate(rng)
        sample_set = InterpolatedSet(
            episode.samples, np.int32(episode.g1) * episode.g2, LEFT_OUT[episode.under]
        )
        return Proposal(sample_set, episode.n_synthetic, episode if self._learns else None)

    def score(self, proposal: Proposal) -> Score:
        sample_set: Any = proposal.sample_set
        if proposal.n_synthetic:
            return self._reward.score(sample_set)
        # g1 = 0 is legal and always scores as the plain classifier. Not known before it is needed:
        # a refit might start threads in a process that is to fork.
        left_out = sample_set.left_out
        if left_out not in self._without_samples:
            self._without_samples[left_out] = self._reward.score(sample_set)
        return self._without_samples[left_out]
