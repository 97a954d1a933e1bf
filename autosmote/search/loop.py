"""Algorithm 2: propose, score, learn.

`search` starts the actors and the learner of a method (`search.method`); `_Search.run` is
Algorithm 2, line by line. Lines 4 and 5, a sample set and its reward, are made in the actors
(`search.rollout`); lines 6 to 14, the updates, by the method's learner. Of the paper's method these
are `search.hierarchical.episode` and `search.hierarchical.learner`; the whole of it in plain steps
is `search.hierarchical.plain_search`.

Determinism: iteration n is made with the parameters after iterations 0..n - lag were learned from,
in order, and its random numbers come from (seed, n). So the number of actors changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from autosmote.config.search import SearchConfig, resolve_actors
from autosmote.errors import UserError, interrupts_let_through
from autosmote.interrupts import interrupts_held
from autosmote.isolation.processes import proportional_set_size
from autosmote.search.actor_pool import ActorPool, InlinePool, ProcessPool
from autosmote.search.candidates import Candidate, TopCandidates
from autosmote.search.method import Learner, Method
from autosmote.search.result import DIVERGED, SearchInterrupted, SearchResult
from autosmote.search.rollout import Rollout

_MEMORY_EVERY = 5.0
"""Seconds between two looks at the memory."""

_SECONDS = ("total", "start", "generate", "score", "learn", "wait")

OnIteration = Callable[[int, float, float], None]
"""Called after every iteration with its number (from 1), reward, and best reward so far."""


def search(
    method: Method,
    config: SearchConfig,
    *,
    n_metrics: int = 1,
    fewer_rows: bool = False,
    on_iteration: OnIteration | None = None,
) -> tuple[SearchResult, ...]:
    """Search for the sample sets with the best scores.

    Parameters
    ----------
    method : Method
        Proposes the sample sets.
    config : SearchConfig
        The budget (`iterations`, `time_limit`, `patience`), `lag`, `actors` and `n_kept`.
    n_metrics : int
        Metrics by which the method's generator scores; a learner learns from the first.
    fewer_rows : bool
        Whether ties between candidates go to fewer rows, and not at once to the earlier one.
    on_iteration : callable, optional

    Returns
    -------
    tuple of SearchResult
        One for each metric.

    Raises
    ------
    UserError
        Where a setting is out of its range, a GPU is asked for and there is none, or no sample set
        has a score (unless the method skips failures).
    ActorError
        Where an actor or the actors' host dies. What the method or the classifier raises there is
        raised here.
    SearchInterrupted
        On KeyboardInterrupt, with the results so far.
    """
    config.check()
    if config.iterations == 0:
        return (_unsearched(method),) * n_metrics
    running = _Search(method, config, n_metrics, on_iteration, fewer_rows=fewer_rows)
    try:
        with interrupts_let_through():
            try:
                running.run()
            finally:
                with interrupts_held():
                    running.close()
    except KeyboardInterrupt:
        running.stopped_by = "interrupted"
        so_far = [running.result(i) if top.best else None for i, top in enumerate(running.top)]
        raise SearchInterrupted(so_far) from None
    if not running.top[0].best and not method.skips_failures:
        raise UserError(
            f"The scorer returned no finite number in any of {running.iterations} iterations; "
            "try it on the classifier without synthetic rows."
        )
    return tuple(running.result(metric) for metric in range(n_metrics))


def _unsearched(method: Method) -> SearchResult:
    """Return the sample set that a method makes without a search; it has no score."""
    sample_set = method.complete(method.unsearched())
    names = ("iteration", "reward", "best", "n_synthetic", "seconds")
    return SearchResult(
        candidates=(Candidate(np.nan, 0, sample_set),),
        X_synthetic=method.synthetic_rows(sample_set),
        iterations=0,
        stopped_by="iterations",
        history={name: np.empty(0) for name in names},
        seconds=dict.fromkeys(_SECONDS, 0.0),
        scorer="none",
        device="cpu",
        actors=0,
        G1=method.G1,
        peak_memory_mb=None,
        parameters=method.named(method.initial_parameters()),
    )


class _Search:
    """A running search."""

    def __init__(
        self,
        method: Method,
        config: SearchConfig,
        n_metrics: int,
        on_iteration: OnIteration | None,
        *,
        fewer_rows: bool,
    ) -> None:
        self.start = time.perf_counter()
        self.method, self.config, self.n_metrics = method, config, n_metrics
        self.on_iteration = on_iteration
        self.top = [TopCandidates(config.n_kept, fewer_rows=fewer_rows) for _ in range(n_metrics)]
        self.scores: list[tuple[float, ...]] = []
        self.best_scores: list[tuple[float, ...]] = []
        self.n_synthetic: list[int] = []
        self.elapsed_seconds: list[float] = []
        self.errors: list[str] = []
        self.seconds = dict.fromkeys(_SECONDS, 0.0)
        self.stopped_by = "iterations"
        self.worst_reward = np.nan
        self.diverged = False
        self.peak_memory_mb: float | None = None
        self.parameters = method.initial_parameters()
        self.pool: ActorPool | None = None
        self.learner: Learner | None = None
        self._memory_looked_at = -np.inf

    @property
    def iterations(self) -> int:
        """Number of iterations done."""
        return len(self.scores)

    def run(self) -> None:
        """Run Algorithm 2."""
        config = self.config
        lag = config.lag
        self.pool = pool = self._start_pool()  # the actors start while the learner is made
        self.learner = learner = self.method.make_learner(self.parameters)
        pool.publish(0, self.parameters)
        dispatched = 0
        for n in range(config.iterations):
            # Lines 4 and 5: actors propose sample sets n, n + 1, ... and score them.
            while dispatched < min(config.iterations, n + lag):
                pool.dispatch(dispatched, max(0, dispatched - lag + 1) if learner else 0)
                dispatched += 1
            waiting = time.perf_counter()
            rollout = pool.result(n)
            learning = time.perf_counter()
            if n == 0:  # processes started, modules imported, scores precomputed
                self.seconds["start"] = learning - self.start
            else:
                self.seconds["wait"] += learning - waiting
            self._keep(rollout)
            # Lines 6 to 14: learn from it.
            if learner:
                self._learn(learner, rollout)
                pool.publish(n + 1, self.parameters)
            self.seconds["learn"] += time.perf_counter() - learning
            self._look_at_memory()
            if self.on_iteration is not None:
                self.on_iteration(n + 1, self.scores[-1][0], self.top[0].score)
            if (n + 1 < config.iterations or self.diverged) and (reason := self._reason_to_stop()):
                self.stopped_by = reason
                break

    def _start_pool(self) -> ActorPool:
        # Versions that an iteration in flight may still have to read, and one that is written.
        n_versions, n_parameters = self.config.lag + 1, len(self.parameters)
        n_actors = resolve_actors(self.config.actors, self.config.lag)
        if n_actors == 0:
            return InlinePool(self.method, n_versions)
        return ProcessPool(self.method, n_actors, n_versions, n_parameters)

    def _keep(self, rollout: Rollout) -> None:
        """Add an iteration to the history, and its sample set to the candidates."""
        proposal = rollout.proposal
        scores = rollout.score.values if proposal else (np.nan,) * self.n_metrics
        self.scores.append(scores)
        if proposal:
            for top, score in zip(self.top, scores, strict=True):
                held_out = rollout.score.held_out
                candidate = Candidate(score, self.iterations, proposal.sample_set, held_out)
                top.offer(candidate, proposal.n_synthetic)
        if rollout.error is not None:
            self.errors.append(rollout.error)
        self.best_scores.append(tuple(top.score for top in self.top))
        self.n_synthetic.append(proposal.n_synthetic if proposal else 0)
        self.elapsed_seconds.append(self._elapsed())
        self.seconds["generate"] += rollout.generate_seconds
        self.seconds["score"] += rollout.score_seconds

    def _learn(self, learner: Learner, rollout: Rollout) -> None:
        """Let the learner learn; an iteration without a score counts as the worst so far."""
        reward = self.scores[-1][0]
        if np.isfinite(reward):
            self.worst_reward = float(np.fmin(reward, self.worst_reward))
        else:
            reward = self.worst_reward
        if rollout.proposal and not np.isnan(reward):  # else there is nothing to compare with yet
            with np.errstate(all="ignore"):  # what is no number any more is told below
                learner.learn(rollout.proposal, reward)
        learned = learner.parameters()
        if np.isfinite(learned).all():
            self.parameters = learned
        else:
            self.errors.append(
                f"The policies are no finite numbers after iteration {self.iterations}, so the "
                "search stopped with the best so far; use a smaller search.learning_rate, or a "
                "scorer with smaller numbers."
            )
            self.diverged = True

    def _reason_to_stop(self) -> str | None:
        """Return why to stop before the last iteration, if there is a reason."""
        config, best = self.config, self.top[0].best
        if self.diverged:
            return DIVERGED
        if config.time_limit is not None and self._elapsed() > config.time_limit:
            return "time_limit"
        waited = self.iterations - (best[0].iteration if best else 0)
        return "patience" if config.patience is not None and waited >= config.patience else None

    def _elapsed(self) -> float:
        return time.perf_counter() - self.start

    def _look_at_memory(self, *, now: bool = False) -> None:
        if self.pool and (now or self._elapsed() - self._memory_looked_at > _MEMORY_EVERY):
            self._memory_looked_at = self._elapsed()
            seen = proportional_set_size(self.pool.pids())
            if seen is not None:
                self.peak_memory_mb = max(seen, self.peak_memory_mb or 0.0)

    def close(self) -> None:
        """End the learner and the actors, the last one first: both may limit threads."""
        with ExitStack() as stack:  # whatever one of them raises, the other one is closed
            if self.pool is not None:
                stack.callback(self.pool.close)
            if self.learner is not None:
                stack.callback(self.learner.close)
            if self.pool is not None and self.iterations:
                self._look_at_memory(now=True)
        self.seconds["total"] = self._elapsed()

    def result(self, metric: int) -> SearchResult:
        """Return what was found so far by one of the metrics."""
        assert self.pool is not None
        best = tuple(
            replace(found, sample_set=self.method.complete(found.sample_set))
            for found in self.top[metric].best
        )
        n = len(self.elapsed_seconds)  # an interrupt may have come before the last column's entry
        history = {
            "iteration": np.arange(1, n + 1),
            "reward": np.array([scores[metric] for scores in self.scores[:n]]),
            "best": np.array([scores[metric] for scores in self.best_scores[:n]]),
            "n_synthetic": np.array(self.n_synthetic[:n]),
            "seconds": np.array(self.elapsed_seconds),
        }
        return SearchResult(
            candidates=best,
            X_synthetic=self.method.synthetic_rows(best[0].sample_set) if best else None,
            iterations=self.iterations,
            stopped_by=self.stopped_by,
            history=history,
            seconds=self.seconds,
            scorer=self.pool.scorer_name,
            device=self.learner.device if self.learner else "cpu",
            actors=self.pool.n_actors,
            G1=self.method.G1,
            peak_memory_mb=self.peak_memory_mb,
            parameters=self.method.named(self.parameters),
            errors=tuple(dict.fromkeys(self.errors)),
        )
