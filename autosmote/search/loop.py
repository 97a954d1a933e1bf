"""Algorithm 2: the search for the synthetic rows with the best validation score.

How to read it: ``run_search`` builds the search space (Section 3.1) for plain arrays; ``search``
sets up the three policies (Section 3.3) and the actors, then ``_Search.run`` is Algorithm 2, line
by line. Line 4, the generation of an episode (Algorithm 1), is ``hierarchical.episode``, in plain
steps ``hierarchical.reference``; line 5, its reward, is ``scoring.reward``; lines 6-14, the
updates, are ``hierarchical.learner``.

Determinism: episode n is made with the parameters after episodes 0..n-lag were learned from, in
order, and its random numbers come from (seed, n). So the number of actors changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.config.search import SearchConfig, resolve_actors, resolve_device, resolve_G1
from autosmote.errors import UserError, interrupts_let_through
from autosmote.isolation.processes import proportional_set_size
from autosmote.scoring.reward import Part, Scoring
from autosmote.search.actor_pool import InlinePool, Pool, Problem, ProcessPool, Result
from autosmote.search.candidates import Candidate, TopCandidates
from autosmote.search.hierarchical.episode import FIXED, LEARNED, UNIFORM, Rules
from autosmote.search.hierarchical.parameters import (
    check_policies,
    initial_parameters,
    n_parameters,
    policy_shapes,
    read_policies,
)
from autosmote.space.base import Space
from autosmote.space.continuous import space_builder
from autosmote.space.hard_majority import hardest_first

_MEMORY_EVERY = 5.0
"""Seconds between two looks at the memory."""

OnIteration = Callable[[int, float, float], None]
"""Called for every iteration in order with its number (from 1), reward, and best reward so far."""


@dataclass
class SearchResult:
    """What a search found.

    Attributes
    ----------
    candidates : tuple of Candidate
        The sample sets with the best scores, the best first, ties to the earlier iteration: one,
        or as many as `final` looks at.
    X_synthetic : ndarray of shape (n, columns)
        Synthetic minority rows of the best candidate.
    iterations : int
        Iterations done.
    stopped_by : {"iterations", "time_limit", "patience", "interrupted"}
    history : dict of ndarrays
        "iteration", "reward", "best", "n_synthetic", "seconds" since the start; one entry each.
        A reward is NaN where the scorer had no number to give.
    seconds : dict
        "total"; "start", until the first episode is there; "generate" and "score", summed over
        actors; "learn" and "wait" of the learner.
    scorer, device : str
        How episodes were scored, and where the learner computed.
    actors, G1 : int
        As resolved.
    peak_memory_mb : float or None
        Largest summed proportional set size seen of all processes.
    parameters : dict
        Each level's final parameters as a flat vector; a flat policy is the level "low" alone.
    """

    candidates: tuple[Candidate, ...]
    X_synthetic: NDArray[np.float64]
    iterations: int
    stopped_by: str
    history: dict[str, NDArray]
    seconds: dict[str, float]
    scorer: str
    device: str
    actors: int
    G1: int
    peak_memory_mb: float | None
    parameters: dict[str, NDArray[np.float32]]

    @property
    def best(self) -> Candidate:
        """The candidate with the best score."""
        return self.candidates[0]


class SearchInterrupted(KeyboardInterrupt):
    """Ctrl-C (or what a program makes of SIGTERM) during a search.

    Attributes
    ----------
    result : SearchResult or None
        What was found so far; None before the first iteration was done.
    """

    def __init__(self, result: SearchResult | None) -> None:
        super().__init__("the search was interrupted")
        self.result = result


def ablation_rules(ablation: str, G1: int, G2: int) -> Rules:
    """How the levels decide under an ablation (Section 4.4); halves are rounded up."""
    half: dict[str, Any] = {"fixed_g1": (G1 + 1) // 2, "fixed_g2": (G2 + 1) // 2}
    return {
        "none": Rules(),
        "no_cross_instance": Rules(cross=FIXED, **half),
        "no_instance_specific": Rules(instance=FIXED, **half),
        "no_low_level": Rules(low=UNIFORM),
        "random_search": Rules(under=UNIFORM, cross=UNIFORM, instance=UNIFORM, low=UNIFORM),
        "flat": Rules(flat=True),
        "merge_train_val": Rules(),  # it is the data that differ
    }[ablation]


def run_search(
    X_train: NDArray[np.float64],
    y_train: NDArray[np.int8],
    X_val: NDArray[np.float64],
    y_val: NDArray[np.int8],
    estimator: Any,
    *,
    metric: str,
    ir: float | None,
    seed: int,
    config: SearchConfig,
    on_iteration: OnIteration | None = None,
) -> SearchResult:
    """Search in plain arrays, all of them preprocessed alike, with one validation part.

    Parameters
    ----------
    X_train, X_val : ndarrays of shape (n, D)
        Preprocessed features. The ablation "merge_train_val" trains and scores on all of them.
    y_train, y_val : ndarrays of shape (n,)
        1 is the minority class.
    estimator : scikit-learn classifier
        Trained anew for every episode; never changed itself.
    metric : {"macro_f1", "mcc"}
        The reward.
    ir : float, optional
        Imbalance ratio that sets G1; the training part's own where None.
    seed : int
    config : SearchConfig
    on_iteration : callable, optional

    Raises
    ------
    UserError, autosmote.search.actor_pool.ActorError, SearchInterrupted
        As `search` does.
    """
    config.check()
    if config.ablation == "merge_train_val":
        X_train = X_val = np.concatenate([X_train, X_val])
        y_train = y_val = np.concatenate([y_train, y_val])
    minority = X_train[y_train == 1]
    if ir is None:
        ir = (len(y_train) - len(minority)) / len(minority)
    space = space_builder(config.lambda_head)(minority, config.K)
    part = Part(
        X_train=np.ascontiguousarray(X_train, dtype=np.float64),
        y_train=np.asarray(y_train, dtype=np.int8),
        maker=space.row_maker(),
        X_val=np.ascontiguousarray(X_val, dtype=np.float64),
        y_val=np.asarray(y_val, dtype=np.int8),
        hardest=hardest_first(X_train, y_train == 1) if config.under_sampling else None,
    )
    return search(
        space,
        [part],
        estimator,
        metric=metric,
        ir=ir,
        seed=seed,
        config=config,
        on_iteration=on_iteration,
    )


def search(
    space: Space,
    parts: Sequence[Part],
    estimator: Any,
    *,
    metric: Scoring,
    ir: float,
    seed: int,
    config: SearchConfig,
    on_iteration: OnIteration | None = None,
) -> SearchResult:
    """Search for the synthetic minority rows that help a classifier most on held-out rows.

    Parameters
    ----------
    space : Space
        Of the kind that `lambda_head` asks for (`autosmote.space.continuous.space_builder`).
    parts : sequence of Part
        The reward is the mean over these held-out parts, or comes from one after another. With
        `under_sampling` they must say which majority rows are the hardest.
    estimator : scikit-learn classifier
        Trained anew for every episode; never changed itself.
    metric : {"macro_f1", "mcc"} or scikit-learn scorer
        The reward. An episode for which a scorer returns no finite number is learned from as the
        worst so far, and never chosen.
    ir : float
        Imbalance ratio that sets G1.
    seed : int
    config : SearchConfig
    on_iteration : callable, optional

    Raises
    ------
    UserError
        Where a setting is out of its range, a GPU is asked for and there is none, the policies to
        start from do not fit, or the scorer returned no finite number in any iteration.
    autosmote.search.actor_pool.ActorError
        Where an actor raises or dies.
    SearchInterrupted
        On KeyboardInterrupt, with the result so far.
    """
    start = time.perf_counter()
    config.check()
    assert space.continuous == (config.lambda_head == "continuous")
    G1 = resolve_G1(config, ir)
    problem = Problem(
        space=space,
        parts=tuple(parts),
        estimator=estimator,
        metric=metric,
        seed=seed,
        G1=G1,
        G2=config.G2,
        rules=replace(
            ablation_rules(config.ablation, G1, config.G2), under_sampling=config.under_sampling
        ),
        low_level_net=config.low_level_net,
        low_level_rows=config.low_level_rows,
        scoring=config.scoring,
        scoring_memory=config.scoring_memory * 2**20,
    )
    running = _Search(problem, config, on_iteration, start)
    try:
        with interrupts_let_through():
            running.run()
    except KeyboardInterrupt:
        running.stopped_by = "interrupted"
        found = running.keeper.best
        raise SearchInterrupted(running.result() if found else None) from None
    finally:
        running.close()
    if not running.keeper.best:
        raise UserError(
            f"The scorer returned no finite number in any of {running.iterations} iterations; "
            "try it on the classifier without synthetic rows."
        )
    return running.result()


@dataclass
class _Search:
    """State of a running search."""

    problem: Problem
    config: SearchConfig
    on_iteration: OnIteration | None
    start: float
    stopped_by: str = "iterations"
    worst_score: float = np.nan
    iterations: int = 0
    device: str = "cpu"
    peak_memory_mb: float | None = None
    pool: Pool | None = None
    parameters: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    history: dict[str, list] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.seconds = dict.fromkeys(("total", "start", "generate", "score", "learn", "wait"), 0.0)
        self.history = {key: [] for key in ("reward", "best", "n_synthetic", "seconds")}
        problem = self.problem
        self.shapes = policy_shapes(
            n_features=problem.space.X.shape[1], G1=problem.G1, G2=problem.G2,
            low_level_net=problem.low_level_net, continuous=problem.space.continuous,
            flat=problem.rules.flat, under=problem.rules.under_sampling,
        )  # fmt: skip
        if self.config.init_from is not None:
            self.parameters = read_policies(self.config.init_from)
            check_policies(self.parameters, self.shapes)
        else:
            rng = np.random.default_rng([problem.seed, 0, 0])
            self.parameters = {
                level: initial_parameters(shapes, rng) for level, shapes in self.shapes.items()
            }
        self.keeper = TopCandidates(self.config.n_kept)
        self._policies: dict[str, Any] = {}
        self._torch_threads: int | None = None
        self._memory_looked_at = -np.inf

    def run(self) -> None:
        """Algorithm 2."""
        config = self.config
        lag = config.lag
        self.pool = pool = self._start_pool()  # the actors start while torch is imported
        learner = self._start_learner()
        pool.publish(0, self._flat())
        dispatched = 0
        for n in range(config.iterations):
            # Lines 4 and 5: actors generate episodes n, n + 1, ... and get their rewards.
            while dispatched < min(config.iterations, n + lag):
                version = max(0, dispatched - lag + 1) if learner else 0
                pool.dispatch(dispatched, version)
                dispatched += 1
            waiting = time.perf_counter()
            result = pool.result(n)
            learning = time.perf_counter()
            if n == 0:  # processes started, modules imported, scores precomputed
                self.seconds["start"] = learning - self.start
            else:
                self.seconds["wait"] += learning - waiting
            self._keep(n + 1, result)
            # Lines 6 to 14: put the episode into the queues, update what is due.
            if learner:
                failed = not np.isfinite(result.reward)
                reward = self.worst_score if failed else result.reward
                if not np.isnan(reward):  # nothing to compare with yet
                    learner.consume(result.episode, reward)
                pool.publish(n + 1, self._flat())
            self.seconds["learn"] += time.perf_counter() - learning
            self._look_at_memory()
            if self.on_iteration is not None:
                self.on_iteration(n + 1, result.reward, self._best_score())
            if n + 1 < config.iterations and (reason := self._reason_to_stop()):
                self.stopped_by = reason
                break

    def _reason_to_stop(self) -> str | None:
        """Why to stop before the last iteration, if there is a reason."""
        config = self.config
        if config.time_limit is not None and self._elapsed() > config.time_limit:
            return "time_limit"
        waited = self.iterations - (self.keeper.best[0].iteration if self.keeper.best else 0)
        return "patience" if config.patience is not None and waited >= config.patience else None

    def _start_pool(self) -> Pool:
        config, problem = self.config, self.problem
        # Versions that some episode in flight may still have to read, and one that is written.
        versions = config.lag + 1
        total = sum(n_parameters(shapes) for shapes in self.shapes.values())
        n_actors = resolve_actors(config.actors, config.lag)
        if n_actors == 0:
            return InlinePool(problem, versions, total)
        return ProcessPool(problem, n_actors, versions, config.lag, total)

    def _start_learner(self) -> Any:
        """The learner of the levels that decide by their policies; None where none does."""
        config, rules = self.config, self.problem.rules
        learned = [level for level in self.shapes if getattr(rules, level) == LEARNED]
        if not learned:
            return None
        import torch

        from autosmote.search.hierarchical.learner import Learner, LearnerSettings, Level
        from autosmote.search.hierarchical.policies import HighLevelPolicy, LowLevelPolicy

        self.device = resolve_device(config.device)
        # One thread: the actors use the other cores, and small products gain nothing from more.
        self._torch_threads = torch.get_num_threads()
        torch.set_num_threads(1)
        settings = LearnerSettings(
            config.learning_rate,
            config.gamma,
            config.value_cost,
            config.entropy_cost,
            config.max_grad_norm,
        )
        levels = {}
        for level in learned:
            where = (
                self.problem.space, self.shapes[level], self.parameters[level],
                torch.device(self.device),
            )  # fmt: skip
            self._policies[level] = (
                LowLevelPolicy(*where)
                if level == "low"
                else HighLevelPolicy(*where, average=level != "instance")
            )
            # Both "under" and "cross" decide once per episode.
            batch = getattr(config, f"buffer_{'cross' if level == 'under' else level}")
            levels[level] = Level(self._policies[level], batch, settings)
        return Learner(levels)

    def _flat(self) -> NDArray[np.float32]:
        """All parameters as they are now, the levels joined."""
        for level, policy in self._policies.items():
            self.parameters[level] = policy.flat.detach().cpu().numpy()
        return np.concatenate([self.parameters[level] for level in self.shapes])

    def _keep(self, iteration: int, result: Result) -> None:
        """Note an iteration, and its samples where they are among the best so far."""
        self.iterations = iteration
        if np.isfinite(result.reward):
            self.worst_score = float(np.fmin(result.reward, self.worst_score))
            self.keeper.offer(iteration, result.reward, result.episode)
        self.seconds["generate"] += result.generate_seconds
        self.seconds["score"] += result.score_seconds
        self.history["reward"].append(result.reward)
        self.history["best"].append(self._best_score())
        self.history["n_synthetic"].append(result.episode.n_synthetic)
        self.history["seconds"].append(self._elapsed())

    def _best_score(self) -> float:
        return self.keeper.best[0].score if self.keeper.best else np.nan

    def _elapsed(self) -> float:
        return time.perf_counter() - self.start

    def _look_at_memory(self, *, now: bool = False) -> None:
        if self.pool and (now or self._elapsed() - self._memory_looked_at > _MEMORY_EVERY):
            self._memory_looked_at = self._elapsed()
            seen = proportional_set_size(self.pool.pids())
            if seen is not None:
                self.peak_memory_mb = max(seen, self.peak_memory_mb or 0.0)

    def close(self) -> None:
        """End the actors, and give the caller its torch threads back."""
        if self.pool is not None:
            if self.iterations:
                self._look_at_memory(now=True)
            self.pool.close()
        if self._torch_threads is not None:
            import torch

            torch.set_num_threads(self._torch_threads)
        self.seconds["total"] = self._elapsed()

    def result(self) -> SearchResult:
        """What was found so far."""
        assert self.pool is not None
        best = tuple(self.keeper.best)
        history = {key: np.array(column) for key, column in self.history.items()}
        return SearchResult(
            candidates=best,
            X_synthetic=self.problem.space.rows(best[0].samples),
            iterations=self.iterations,
            stopped_by=self.stopped_by,
            history={"iteration": np.arange(1, self.iterations + 1), **history},
            seconds=self.seconds,
            scorer=self.pool.scorer_name,
            device=self.device,
            actors=self.pool.n_actors,
            G1=self.problem.G1,
            peak_memory_mb=self.peak_memory_mb,
            parameters={level: flat.copy() for level, flat in self.parameters.items()},
        )
