"""The result of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autosmote.search.candidates import Candidate

DIVERGED = "diverged"
"""Of a search that was stopped by its own policies, which were no finite numbers any more."""


@dataclass(frozen=True)
class SearchResult:
    """Candidates, history and cost of a search, by one metric.

    Attributes
    ----------
    candidates : tuple of Candidate
        The sample sets with the best scores, the best first, ties to the earlier iteration: one,
        or as many as `final` looks at; none where no sample set could be scored.
    X_synthetic : ndarray of shape (n, columns) or None
        Synthetic minority rows of the best candidate, where its method knows them.
    iterations : int
        Iterations done.
    stopped_by : {"iterations", "time_limit", "patience", "interrupted", "diverged"}
    history : dict of ndarrays
        "iteration", "reward", "best", "n_synthetic", "seconds" since the start; one entry each.
        A reward is NaN where there was no score.
    seconds : dict
        "total"; "start", until the first episode is there; "generate" and "score", summed over
        actors; "learn" and "wait" of the learner.
    scorer, device : str
        How sample sets were scored, and where the learner computed.
    actors : int
        Number of actor processes; 0 where the search ran in one process.
    G1 : int or None
        Largest cross-instance factor, where the method has one.
    peak_memory_mb : float or None
        Largest summed proportional set size seen of all processes.
    parameters : dict
        Final parameters by name: of the hierarchical policies, a flat vector for each level. Of a
        search that diverged, the last finite ones.
    errors : tuple of str
        Why sample sets could not be made or scored, or the search diverged; each text once.
    """

    candidates: tuple[Candidate, ...]
    X_synthetic: NDArray[np.float64] | None
    iterations: int
    stopped_by: str
    history: dict[str, NDArray]
    seconds: dict[str, float]
    scorer: str
    device: str
    actors: int
    G1: int | None
    peak_memory_mb: float | None
    parameters: dict[str, NDArray[np.float32]]
    errors: tuple[str, ...] = ()

    @property
    def best(self) -> Candidate:
        """The candidate with the best score."""
        return self.candidates[0]


class SearchInterrupted(KeyboardInterrupt):
    """Ctrl-C (or SIGTERM, where a program turns it into one) during a search.

    Attributes
    ----------
    results : tuple of (SearchResult or None)
        What was found so far, one for each metric; None where nothing has a score yet.
    """

    def __init__(self, results: Sequence[SearchResult | None]) -> None:
        super().__init__("the search was interrupted")
        self.results = tuple(results)

    @property
    def result(self) -> SearchResult | None:
        """The first metric's."""
        return self.results[0]
