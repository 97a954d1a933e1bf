"""One iteration of a search in an actor: propose a sample set and score it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from autosmote.errors import describe_error, let_interrupts_through
from autosmote.scoring.reward import Score
from autosmote.search.method import Method, Parameters, Proposal
from autosmote.streams import Purpose, stream

SentWarning = tuple[bytes | None, str, str, str, int]
"""A warning: pickled, if it can be; the name of its class, its text, its file and line."""


@dataclass(frozen=True)
class Rollout:
    """A proposal with its scores.

    Attributes
    ----------
    proposal : Proposal or None
        None where it could not be made or scored, as `error` says.
    score : Score
    generate_seconds, score_seconds : float
    warnings : tuple
        Those of another process (`actor_process.take_warnings`); here they need no sending.
    """

    proposal: Proposal | None
    score: Score
    generate_seconds: float
    score_seconds: float
    error: str | None = None
    warnings: tuple[SentWarning, ...] = ()


class RolloutWorker:
    """Makes rollouts with a method's generator (Algorithm 2, lines 4 and 5)."""

    def __init__(self, method: Method) -> None:
        self.generator = method.make_generator()
        self._seed, self._skips_failures = method.seed, method.skips_failures
        self._version = -1

    def run(self, n: int, version: int, parameters: Parameters) -> Rollout:
        """Make iteration n under a version of the parameters.

        Its random numbers come from (seed, n).
        """
        start = time.perf_counter()
        if version != self._version:
            self.generator.load(parameters)
            self._version = version
        try:
            proposal = self.generator.propose(n, stream(self._seed, Purpose.ITERATION, n))
            generated = time.perf_counter()
            score = self.generator.score(proposal)
        except Exception as error:
            if not self._skips_failures:
                raise
            let_interrupts_through(error)
            seconds = time.perf_counter() - start
            return Rollout(None, Score(()), seconds, 0.0, describe_error(error))
        scored = time.perf_counter()
        return Rollout(replace(proposal, tables=None), score, generated - start, scored - generated)
