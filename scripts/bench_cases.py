"""Measure loops, scores and generators of one case: see ``bench_search``."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
from bench_common import Row, classifier, revision, search_within

from autosmote.config.search import LOW_LEVEL_NETS, SearchConfig
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import Split, make_split
from autosmote.errors import UserError
from autosmote.sampler.class_search import run_search
from autosmote.scoring.registry import make_scorer
from autosmote.search.hierarchical.episode import EpisodeGenerator
from autosmote.search.hierarchical.parameters import LEVELS
from autosmote.search.hierarchical.reference import PlainPolicies, plain_episode
from autosmote.search.result import SearchResult
from autosmote.space.base import Space
from autosmote.space.pool import build_space

CLASSIFIERS = ("svm", "knn", "dt", "adaboost")
_AT_LEAST = 12
"""Least number of iterations of a loop."""
_SCORED = (5, 20)
"""Fewest and most episodes that are scored both ways, as time allows."""


@dataclass(frozen=True)
class Case:
    """A data set, a classifier and an imbalance ratio."""

    dataset: str
    clf: str
    ir: float | None

    @classmethod
    def parse(cls, text: str) -> Case:
        """Parse ``dataset/clf/ir``, or ``dataset/clf`` for the data as they are."""
        found = re.fullmatch(rf"(\w+)/({'|'.join(CLASSIFIERS)})(?:/(\d+(?:\.\d+)?))?", text)
        if not found:
            raise UserError(
                f"A case is dataset/clf or dataset/clf/ir, such as mozilla4/svm/50, not '{text}'; "
                f"clf is one of {', '.join(CLASSIFIERS)}."
            )
        dataset, clf, ir = found.groups()
        return cls(dataset, clf, float(ir) if ir else None)


@dataclass(frozen=True)
class Variant:
    """Settings of a search that are compared."""

    net: str = SearchConfig.low_level_net
    scoring: str = "auto"
    actors: int = 2

    @property
    def name(self) -> str:
        """Label in tables."""
        return f"{self.net}, {self.scoring}, {self.actors} actors"


@cache
def _split(dataset: str, ir: float | None, data_dir: str | None, seed: int) -> Split:
    return make_split(load_dataset(dataset, data_dir=data_dir), ir=ir, seed=seed)


class Bench:
    """Measures cases in this process, on one thread."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.args = arguments
        # The same for all variants, since the lag changes what a search computes.
        self.lag = max(SearchConfig.lag, arguments.actors)

    def split(self, case: Case) -> Split:
        """Return the training and the validation part."""
        return _split(case.dataset, case.ir, self.args.data_dir, self.args.seed)

    def case(self, case: Case, *, generator: bool) -> list[Row]:
        """Return the rows of loops and scores, and those of the generator if requested."""
        print(f"{case.dataset}/{case.clf}" + (f", IR {case.ir:g}" if case.ir else ""), flush=True)
        split = self.split(case)
        space = build_space(split.X_train[split.y_train == 1], SearchConfig.K)
        # Compile (or load from numba's cache) before anything is timed.
        toy = Case("toy", case.clf, None)
        default = SearchConfig.low_level_net
        others = [net for net in LOW_LEVEL_NETS if net != default]
        nets = (default, *others) if generator else (default,)
        for net in nets:
            self.search(toy, Variant(net, actors=0), budget=0)
        rows, results = self.loops(case, self.variants(case, nets))
        generators = {
            net: _loaded_generator(space, results[Variant(net, actors=self.args.actors)], net)
            for net in nets
        }
        rows.append(self.score(case, space, generators[default][0]))
        if generator:
            rows += [self.generator(space, net, *made) for net, made in generators.items()]
        return [{"revision": revision(), **asdict(case), **row} for row in rows]

    def variants(self, case: Case, nets: tuple[str, ...]) -> dict[Variant, Variant | None]:
        """Return the variants to alternate, each with the one that it is compared with."""
        actors = self.args.actors
        fast, refit = Variant(actors=actors), Variant(scoring="refit", actors=actors)
        pairs: dict[Variant, Variant | None] = {fast: None, refit: fast}
        pairs[Variant(actors=0)] = fast
        if case.clf == "adaboost":  # the slowest to refit: scoring takes nearly all time
            pairs[Variant(scoring="refit", actors=0)] = refit
        for net in nets[1:]:
            pairs[Variant(net, actors=actors)] = fast
        return pairs

    def search(
        self, case: Case, variant: Variant, budget: float, iterations: int | None = None
    ) -> SearchResult:
        """Search until the iterations are done, or for some seconds after the first."""
        split = self.split(case)
        config = SearchConfig(
            iterations=iterations or self.args.iterations,
            low_level_net=variant.net,
            scoring=variant.scoring,
            actors=variant.actors,
            lag=self.lag,
            device=self.args.device,
        )

        def run(on_iteration: Callable[..., None]) -> SearchResult:
            return run_search(
                split.X_train, split.y_train, split.X_val, split.y_val, classifier(case.clf),
                metric="macro_f1", ir=split.ir, seed=self.args.seed, config=config,
                on_iteration=on_iteration,
            )  # fmt: skip

        return search_within(budget, _AT_LEAST, run)

    def loops(
        self, case: Case, pairs: dict[Variant, Variant | None]
    ) -> tuple[list[Row], dict[Variant, SearchResult]]:
        """Return a row per variant, from rounds of searches that alternate forth and back."""
        results: dict[Variant, list[SearchResult]] = {variant: [] for variant in pairs}
        for turn in range(self.args.rounds):
            for variant in list(pairs)[:: 1 if turn % 2 == 0 else -1]:
                results[variant].append(self.search(case, variant, self.args.budget))
        rows = []
        for variant, other in pairs.items():
            row = {"kind": "loop", **loop_row(results[variant], self.lag), **asdict(variant)}
            if other is not None:
                # Over the iterations that both did, as their cost changes while policies learn.
                n = min(r.iterations for v in (variant, other) for r in results[v])
                seconds = [
                    sum(_window(r, n, self.lag) for r in results[v]) for v in (variant, other)
                ]
                row |= {"ratio": seconds[0] / seconds[1], "against": other.name}
                if variant.net == other.net:
                    ours, theirs = (results[v][0].history["reward"][:n] for v in (variant, other))
                    row |= {"compared": n, "different": int(np.sum(ours != theirs))}
            rows.append(row)
        return rows, {variant: found[-1] for variant, found in results.items()}

    def score(self, case: Case, space: Space, generator: EpisodeGenerator) -> Row:
        """Compare the fast scorer and a refit on the same episodes, one after the other."""
        split = self.split(case)
        parts = (split.X_train, split.y_train, space.pool, split.X_val)
        fast, refit = (
            make_scorer(classifier(case.clf), *parts, scoring=scoring)
            for scoring in ("auto", "refit")
        )
        seconds: dict[Any, list[float]] = {fast: [], refit: []}
        different = compared = n = 0
        while n < _SCORED[0] or (n < _SCORED[1] and sum(seconds[refit]) < self.args.budget):
            counts = generator.generate(np.random.default_rng([self.args.seed, n])).samples
            predictions = {}
            for scorer in (fast, refit) if n % 2 == 0 else (refit, fast):
                predictions[scorer] = _timed(seconds[scorer], scorer.predict, counts)
            different += int(np.sum(predictions[fast] != predictions[refit]))
            compared += len(predictions[fast])
            n += 1
        return {
            "kind": "score", "scorer": fast.name, "iterations": n,
            **_ratio(seconds[refit], seconds[fast]), "compared": compared, "different": different,
        }  # fmt: skip

    def generator(
        self, space: Space, net: str, generator: EpisodeGenerator, flat: dict[str, np.ndarray]
    ) -> Row:
        """Compare the exact generator, loading of parameters included, and the naive one."""
        joined = np.concatenate([flat[level] for level in LEVELS])
        plain = PlainPolicies(space, flat, G1=generator.G1, G2=generator.G2, low_level_net=net)
        slow: list[float] = []
        fast: list[float] = []
        n_rows = different = 0
        for seed in self._typical_episodes(generator):
            seconds: list[float] = []
            _timed(seconds, _load_and_generate, generator, joined, seed)
            naive = _timed(slow, plain_episode, plain, np.random.default_rng(seed))
            made = _timed(seconds, _load_and_generate, generator, joined, seed)
            fast.append(float(np.mean(seconds)))
            slow[-1] /= len(naive.row)
            fast[-1] /= len(naive.row)
            counts = np.bincount(
                space.action_row[naive.row, naive.action], minlength=len(space.pool)
            )
            different += not np.array_equal(counts, made.samples)
            n_rows += len(naive.row)
        return {
            "kind": "generator", "net": net, "iterations": len(slow), "n_synthetic": n_rows,
            **_ratio(slow, fast), "compared": len(slow), "different": different,
        }  # fmt: skip

    def _typical_episodes(self, generator: EpisodeGenerator) -> list[list[int]]:
        """Return seeds of episodes of median size: a row costs less in a long one."""
        seeds = [[self.args.seed, n] for n in range(41)]
        sizes = [generator.generate(np.random.default_rng(seed)).n_synthetic for seed in seeds]
        middle = np.argsort(np.abs(sizes - np.median([size for size in sizes if size])))
        return [seeds[n] for n in middle[: self.args.episodes]]


def _loaded_generator(
    space: Space, result: SearchResult, net: str
) -> tuple[EpisodeGenerator, dict[str, np.ndarray]]:
    """Return a generator with the final parameters of a search, and these parameters."""
    generator = EpisodeGenerator(space, result.G1, SearchConfig.G2, low_level_net=net)
    generator.load(np.concatenate([result.parameters[level] for level in LEVELS]))
    return generator, result.parameters


def _load_and_generate(generator: EpisodeGenerator, flat: np.ndarray, seed: list[int]) -> Any:
    generator.load(flat)
    return generator.generate(np.random.default_rng(seed))


def _timed(seconds: list[float], function: Callable, *arguments: Any) -> Any:
    """Call a function and append its CPU time: on one thread, the wall time of an idle machine."""
    start = time.process_time()
    answer = function(*arguments)
    seconds.append(time.process_time() - start)
    return answer


def _ratio(slow: list[float], fast: list[float]) -> Row:
    slow_ms, fast_ms = (1000 * float(np.median(seconds)) for seconds in (slow, fast))
    return {"slow_ms": slow_ms, "fast_ms": fast_ms, "ratio": slow_ms / fast_ms}


def _window(result: SearchResult, n: int, lag: int) -> float:
    """Return the seconds from the iteration at which all actors work to the n-th."""
    at = result.history["seconds"]
    return at[n - 1] - at[_first(n, lag)]


def _first(n: int, lag: int) -> int:
    """Return the index of the first iteration to count: without set-up and the first results."""
    return min(lag, n // 2) - 1


def loop_row(results: list[SearchResult], lag: int) -> Row:
    """Return the row of a loop: milliseconds per iteration of each step, over all rounds."""
    n = [result.iterations for result in results]
    done = sum(n) - sum(_first(m, lag) + 1 for m in n)
    seconds = sum(_window(result, m, lag) for result, m in zip(results, n, strict=True))
    parts = {
        part: 1000 * sum(result.seconds[part] for result in results) / sum(n)
        for part in ("generate", "score", "learn")
    }
    busy_ms = sum(parts.values()) if results[0].actors == 0 else parts["learn"]
    return {
        "scorer": results[0].scorer,
        "device": results[0].device,
        "iterations": min(n),
        "iterations_per_s": done / seconds,
        **{f"{part}_ms": value for part, value in parts.items()},
        # The rest of an iteration: the search's own sum includes the wait for its first actor.
        "wait_ms": max(0.0, 1000 * seconds / done - busy_ms),
        "setup_s": float(np.median([result.history["seconds"][0] for result in results])),
        "n_synthetic": float(np.mean(np.concatenate([r.history["n_synthetic"] for r in results]))),
    }
