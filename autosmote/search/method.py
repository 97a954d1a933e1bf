"""The interface between the search loop and a way of proposing sample sets.

A *method* is a generator and, where it learns, a learner. The generator lives in the actors: it
proposes sample sets from parameters and random numbers, and scores them. The learner lives in the
parent process: it turns a proposal and its score into the next parameters. Everything else (budget,
lag, actors, candidates, final rules, records) belongs to the loop and is the same for all methods,
so that a comparison of two methods differs in nothing else.

The paper's policies are `autosmote.search.hierarchical.method`; random search is their generator
without a learner; `autosmote.search.resamplings` tries the seeds and ratios of a resampler. Another
method is one module with a `Method`, named by its import path in ``search.method``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from autosmote.config.search import SearchConfig
from autosmote.config.targets import import_object
from autosmote.errors import UserError, shorten
from autosmote.scoring.reward import Part, Score, Scoring
from autosmote.space.base import Space
from autosmote.space.labelled_rows import LabelledRows

Parameters = NDArray[np.float32]
"""All parameters of a method as one flat vector, as the actors read it from shared memory."""

METHODS = {
    "hierarchical": "autosmote.search.hierarchical.method.HierarchicalMethod",
    "class_aware": "autosmote.search.class_aware.method.ClassAwareMethod",
}
"""Methods with a short name in ``search.method``."""


class SampleSet(Protocol):
    """A set of synthetic rows to train with, in a form of its method's own."""

    @property
    def left_out(self) -> float:
        """Share of the majority rows that is left out with it."""

    def content(self) -> bytes:
        """Return bytes that are equal for equal sample sets."""


@dataclass(frozen=True)
class Proposal:
    """A proposed sample set.

    Attributes
    ----------
    sample_set : SampleSet
    n_synthetic : int
        Number of synthetic rows.
    steps : object
        What the learner needs to know of how the sample set was made; sent to the parent.
    tables : object
        What the generator computed to score it; stays in the actor.
    """

    sample_set: SampleSet
    n_synthetic: int
    steps: Any = None
    tables: Any = None


class Generator(ABC):
    """Proposes and scores sample sets, in an actor.

    A proposal depends on the parameters, the iteration and the random numbers alone, and a score
    on the proposal alone: the number of actors then changes nothing.
    """

    scorer_name: str = "refit"

    def load(self, parameters: Parameters) -> None:  # noqa: B027 - nothing to do without any
        """Take over a version of the parameters."""

    @abstractmethod
    def propose(self, n: int, rng: np.random.Generator) -> Proposal:
        """Propose the sample set of iteration n, counted from 0."""

    @abstractmethod
    def score(self, proposal: Proposal) -> Score:
        """Score a proposal by each metric of the method."""

    def warm_up(self, n_parameters: int) -> None:
        """Compile what `propose` needs, before the actors fork."""
        self.load(np.zeros(n_parameters, dtype=np.float32))


class Learner(ABC):
    """Turns proposals and their scores into parameters, in the parent process."""

    device: str = "cpu"

    @abstractmethod
    def learn(self, proposal: Proposal, score: float) -> None:
        """Learn from one iteration; iterations come in order."""

    @abstractmethod
    def parameters(self) -> Parameters:
        """Return the parameters after all that was learned."""

    def close(self) -> None:  # noqa: B027 - most learners hold nothing
        """Give back what the learner has taken from the process."""


class Method(ABC):
    """A way of proposing sample sets. It is pickled once, to the process that forks the actors.

    Attributes
    ----------
    seed : int
        The random numbers of iteration n come from (seed, n).
    skips_failures : bool
        Let a sample set that cannot be made or scored be one without a score, instead of an error.
    G1 : int or None
        Largest cross-instance factor, where the method has one.
    makes_part_spaces : bool
        Let each held-out part have a space of its own training rows (`Part.maker.space`), instead
        of the share of the whole space that can be made from them.
    """

    seed: int
    skips_failures: ClassVar[bool] = False
    G1: int | None = None
    makes_part_spaces: ClassVar[bool] = False

    @abstractmethod
    def make_generator(self) -> Generator:
        """Make the generator; called in the process that runs it."""

    def make_learner(self, parameters: Parameters) -> Learner | None:
        """Make the learner of the initial parameters; None where nothing is learned.

        Called after the actors were started, so that imports run beside theirs.
        """
        return None

    def initial_parameters(self) -> Parameters:
        """Return the parameters of the first iterations."""
        return np.empty(0, dtype=np.float32)

    def unsearched(self) -> SampleSet:
        """Return the sample set that the method makes where it must not search.

        Raises
        ------
        UserError
            If it makes none.
        """
        raise UserError(
            "search.iterations=0 makes one sample set without a search, which "
            "search.method=class_aware alone does; give at least 1."
        )

    def named(self, parameters: Parameters) -> dict[str, Parameters]:
        """Split a flat vector by the names under which parameters are saved."""
        return {}

    def complete(self, sample_set: Any) -> SampleSet:
        """Return a candidate's sample set as a search returns it, for one kept in short form."""
        return sample_set

    def synthetic_rows(self, sample_set: Any) -> NDArray[np.float64] | None:
        """Return the synthetic rows of a sample set; None where they need more than the set."""
        return None


@dataclass(frozen=True)
class SpaceProblem:
    """The inputs of a method in an interpolation space.

    Attributes
    ----------
    space : Space
        Of the kind that `search.lambda_head` asks for.
    parts : tuple of Part
        Held-out parts; the reward is the mean over them. With `search.under_sampling` they name
        their hardest majority rows.
    estimator : scikit-learn classifier
        Trained anew for every sample set; never changed itself.
    metric : {"macro_f1", "mcc"} or scikit-learn scorer
        What a learner learns from.
    ir : float
        Imbalance ratio that sets G1.
    seed : int
    config : SearchConfig
    agreed : dict
        Comparisons of fast scorers with refits so far (`scoring.registry.make_scorer`).
    rows : LabelledRows, optional
        The rows of all classes, for methods that look at where the majority lies.
    further : sequence of str
        Metrics by which sample sets are scored as well.
    """

    space: Space
    parts: tuple[Part, ...]
    estimator: Any
    metric: Scoring
    ir: float
    seed: int
    config: SearchConfig
    agreed: dict[str, bool] = field(default_factory=dict)
    rows: LabelledRows | None = None
    further: Sequence[str] = ()


def method_class(config: SearchConfig) -> type[Method]:
    """Return the class that ``search.method`` names, a short name or an import path.

    Raises
    ------
    UserError
        If it cannot be imported, or is no method.
    """
    name = config.method
    try:
        found = import_object(METHODS.get(name, name))
    except ImportError as error:
        raise UserError(
            f"search.method={shorten(name)} cannot be imported ({error}); give one of "
            f"{', '.join(METHODS)}, or the import path of a class of methods."
        ) from error
    if not (isinstance(found, type) and issubclass(found, Method)):
        raise UserError(
            f"search.method={name} is no method of a search; name a class derived from "
            "autosmote.search.method.Method."
        )
    return found


def make_method(problem: SpaceProblem) -> Method:
    """Make the method of ``search.method`` with, as keywords, ``search.method_params``.

    Raises
    ------
    UserError
        As `method_class` does, or if the class does not take its parameters.
    """
    config = problem.config
    try:
        return method_class(config)(problem, **config.method_params)  # type: ignore[call-arg]
    except TypeError as error:
        raise UserError(f"search.method_params do not suit {config.method}: {error}.") from error
