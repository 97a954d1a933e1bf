"""The sample sets of AutoSMOTE's search, and the classifiers trained with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from autosmote.sampler.selection import Trials
from autosmote.scoring.registry import drop_in_for
from autosmote.scoring.reward import Part, Reward, Scoring
from autosmote.scoring.scorers.refit import stack
from autosmote.search.candidates import Candidate
from autosmote.search.loop import SearchResult
from autosmote.space.base import RowMaker, Space
from autosmote.space.hard_majority import hardest_share


@dataclass
class SearchTrials(Trials):
    """What a search for one class tried.

    Parameters
    ----------
    result : SearchResult
    space : Space
    maker : RowMaker
        Of the space's rows as they are returned.
    parts : sequence of Part
        By which the search was rewarded.
    given, y : {ndarray, sparse matrix, DataFrame} and ndarray of shape (n,)
        Rows to learn from, and their labels.
    hardest : integer ndarray
        Positions of the given majority rows, in the order in which they would be left out.
    apart : bool
        As for `Trials`.
    estimator, metric, scoring, memory_bytes
        As for `autosmote.scoring.reward.Reward`.
    """

    result: SearchResult
    space: Space
    maker: RowMaker
    parts: Sequence[Part]
    given: Any
    y: NDArray
    hardest: NDArray[np.integer]
    apart: bool
    estimator: Any
    metric: Scoring
    scoring: str
    memory_bytes: int

    def __post_init__(self) -> None:
        self.candidates = self.result.candidates
        self.label = self.parts[0].label
        self.held_out = self.parts
        self._fitted = drop_in_for(self.estimator)

    def left_out(self, candidate: Candidate) -> NDArray[np.integer]:
        """Positions of the given rows that a candidate leaves out, in order."""
        return np.sort(hardest_share(self.hardest, candidate.left_out))

    def table(self, candidate: Candidate) -> tuple[Any, NDArray]:
        """The given rows that are not left out, then the synthetic ones; of the given kind."""
        given, y = self.given, self.y
        left_out = self.left_out(candidate)
        if len(left_out):
            kept = np.setdiff1d(np.arange(len(y)), left_out)
            given, y = _safe_indexing(given, kept), y[kept]
        rows = self.maker.rows(candidate.samples)
        return _append(given, rows), np.append(y, np.full(len(rows), self.label, y.dtype))

    def _fit(self, candidate: Candidate) -> Any:
        return clone(self._fitted).fit(*self.table(candidate))

    def _called(self, candidate: Candidate, part: int) -> NDArray[np.bool_]:
        return self._by_parts.of(candidate).predict_minority(part, candidate.samples)

    def result_of(self, chosen: Candidate) -> SearchResult:
        """The search's result with another candidate for its best."""
        others = tuple(found for found in self.candidates if found is not chosen)
        rows = self.space.rows(chosen.samples)
        return replace(self.result, candidates=(chosen, *others), X_synthetic=rows)

    @cached_property
    def _by_parts(self) -> _Rewards:
        return _Rewards(self._reward, self.parts)

    def _reward(self, parts: Sequence[Part]) -> Reward:
        memory = self.memory_bytes
        return Reward(self.estimator, parts, self.metric, scoring=self.scoring, memory_bytes=memory)


class _Rewards:
    """Rewards by some parts: one for each share of the majority rows that was left out."""

    def __init__(self, make: Callable[[Sequence[Part]], Reward], parts: Sequence[Part]) -> None:
        self._make, self._parts = make, parts
        self._made: dict[float, Reward] = {}

    def of(self, candidate: Candidate) -> Reward:
        share = candidate.left_out
        if share not in self._made:
            self._made[share] = self._make([part.without_hardest(share) for part in self._parts])
        return self._made[share]


def _append(given: Any, rows: Any) -> Any:
    """Rows after the given ones, of their kind: sparse if those are."""
    if sparse.issparse(given):
        return sparse.vstack([given, type(given)(rows)], format=given.format)
    return stack(given, rows)
