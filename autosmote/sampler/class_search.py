"""Search for the synthetic rows of one class; the estimator and the runner both call it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from autosmote.config.search import SearchConfig
from autosmote.sampler.checks import check_pool_size, check_state_size
from autosmote.sampler.encoding import Encoder
from autosmote.sampler.folds import Fold
from autosmote.sampler.search_trials import InterpolatedTables, Trials
from autosmote.scoring.reward import Score, Scoring
from autosmote.search.candidates import Candidate, InterpolatedSet, PartwiseSet
from autosmote.search.loop import OnIteration, search
from autosmote.search.method import SpaceProblem, make_method, method_class
from autosmote.search.result import SearchResult
from autosmote.search.space_reward import SpaceReward
from autosmote.space.base import Space
from autosmote.space.continuous import space_builder
from autosmote.space.hard_majority import hardest_first, hardest_share
from autosmote.space.labelled_rows import LabelledRows
from autosmote.streams import Purpose, derived_seed

PARENTS = np.dtype([("row", np.int64), ("neighbour", np.int64), ("weight", np.float64)])
"""Of a synthetic row: the given row it was made around, the other one, and that one's weight."""


class SearchRows:
    """The rows of a search: the labels, the folds, and the rows as codes and as states.

    With `standardize` distances are measured between, and policies see, standardised numbers.
    """

    def __init__(
        self, y: NDArray, folds: list[Fold], encoder: Encoder, *, standardize: bool
    ) -> None:
        self.y, self.folds, self.encoder = y, folds, encoder
        self.classes = np.unique(y)
        self.base = np.unique(np.concatenate([fold.rows for fold in folds]))
        """Positions of the rows that some fold trains on."""
        check_state_size(encoder)
        self.codes = encoder.impute(self.base)
        self.states = encoder.states(self.codes, self.base, standardize=standardize)

    @classmethod
    def plain(cls, X: NDArray[np.float64], y: NDArray, folds: list[Fold]) -> SearchRows:
        """Make the rows of preprocessed numbers."""
        encoder = Encoder(X, np.zeros(X.shape[1], dtype=bool))
        return cls(y, folds, encoder, standardize=False)

    @cached_property
    def n_largest(self) -> int:
        """Number of rows of the largest class."""
        return int(np.unique(self.y[self.base], return_counts=True)[1].max())


class ClassSearch:
    """A search for the synthetic rows of one class.

    Parameters
    ----------
    rows : SearchRows
    label : scalar
        The class.
    estimator : scikit-learn classifier
    metric : str or callable
        As for `autosmote.scoring.reward.Reward`.
    seed : int
    config : SearchConfig
    ir : float, optional
        Imbalance ratio that sets G1; by default that of the largest class and this one.
    further : sequence of str
        As for `autosmote.scoring.reward.Reward`.

    Attributes
    ----------
    minority : integer ndarray
        Positions of the class's rows.
    problem : SpaceProblem
        What the method is given; one held-out part for each fold.

    Raises
    ------
    InputError
        Where the search space would not fit into memory.
    """

    def __init__(
        self,
        rows: SearchRows,
        label: Any,
        estimator: Any,
        *,
        metric: Scoring,
        seed: int,
        config: SearchConfig,
        ir: float | None = None,
        further: Sequence[str] = (),
    ) -> None:
        encoder, base = rows.encoder, rows.base
        self.label = label
        self.minority = minority = base[rows.y[base] == label]
        if config.lambda_head == "discrete":
            check_pool_size(len(minority), config.K, encoder)
        space = self._space(rows, minority, config)
        self._maker = space.row_maker(encoder.decode)
        fast = encoder.plain and len(rows.classes) == 2 and label == rows.classes[1]
        parts = []
        for fold in rows.folds:
            maker, of_maker = self._maker, minority
            trained_on = minority[np.isin(minority, fold.rows)]
            if method_class(config).makes_part_spaces and len(trained_on) < len(minority):
                own, of_maker = self._space(rows, trained_on, config), trained_on
                maker = own.row_maker(encoder.decode)
            parts.append(fold.part(maker, of_maker, label, fast=fast))
        self._hardest: NDArray[np.integer] = np.zeros(0, dtype=int)
        if config.under_sampling:
            self._hardest = base[hardest_first(rows.states[base], rows.y[base] == label)]
            parts = [
                replace(part, hardest=hardest_first(rows.states[used], rows.y[used] == label))
                for used, part in zip((fold.rows for fold in rows.folds), parts, strict=True)
            ]
        ir = rows.n_largest / len(minority) if ir is None else ir
        labelled = LabelledRows(
            rows.states[base], rows.y[base], label,
            [np.isin(base, fold.rows) for fold in rows.folds],
        )  # fmt: skip
        self.problem = SpaceProblem(
            space, tuple(parts), estimator, metric, ir, seed, config, rows=labelled, further=further
        )

    @staticmethod
    def _space(rows: SearchRows, minority: NDArray[np.integer], config: SearchConfig) -> Space:
        """Return the space of some of the class's rows."""
        return space_builder(config.lambda_head)(
            rows.states[minority],
            config.K,
            rows=rows.codes[minority],
            categorical=rows.encoder.categorical,
            store=rows.encoder.store,
        )

    def run(
        self, on_iteration: OnIteration | None = None, *, fewer_rows: bool = False
    ) -> SearchResult:
        """Search for the sample sets with the best scores; ties may go to `fewer_rows`.

        Raises
        ------
        UserError, ActorError, SearchInterrupted
            As `autosmote.search.loop.search` and `autosmote.search.method.make_method` do.
        """
        return self.run_by_each(on_iteration, fewer_rows=fewer_rows)[0]

    def run_by_each(
        self, on_iteration: OnIteration | None = None, *, fewer_rows: bool = False
    ) -> tuple[SearchResult, ...]:
        """Search once, and return what is best by `metric`, then by each of `further`."""
        problem = self.problem
        return search(
            make_method(problem),
            problem.config,
            n_metrics=1 + len(problem.further),
            fewer_rows=fewer_rows,
            on_iteration=on_iteration,
        )

    def nothing(self, score: Score) -> Candidate:
        """Return "no synthetic rows" as candidate 0, with its score."""
        space, parts = self.problem.space, self.problem.parts
        sample_set = PartwiseSet(
            space.no_samples(),
            np.zeros(space.n_rows, dtype=np.int32),
            by_part=[part.maker.space.no_samples() for part in parts],
        )
        return Candidate(score.values[0], 0, sample_set, score.held_out)

    def parents(self, sample_set: InterpolatedSet) -> NDArray[np.void]:
        """Return the positions of the given rows that each row of a sample set lies between."""
        source, neighbour, weight = self.problem.space.parents(sample_set.samples)
        found = np.empty(len(source), dtype=PARENTS)
        found["row"], found["neighbour"] = self.minority[source], self.minority[neighbour]
        found["weight"] = weight
        return found

    def left_out(self, sample_set: InterpolatedSet) -> NDArray[np.integer]:
        """Return the positions of the given rows that a sample set leaves out, in order."""
        return np.sort(hardest_share(self._hardest, sample_set.left_out))

    def trials(
        self,
        result: SearchResult,
        given: Any,
        y: NDArray,
        *,
        apart: bool,
        metric: Scoring | None = None,
    ) -> Trials:
        """Return the candidates with what their classifiers predict.

        Parameters
        ----------
        result : SearchResult
        given, y : {ndarray, sparse matrix, DataFrame} and ndarray of shape (n,)
            Rows to learn from, of which those of `rows` come first.
        apart : bool
            Whether the held-out rows are not among them (`Trials`).
        metric : str or callable, optional
            By which a rule selects; by default the first.
        """
        problem, reward = self.problem, SpaceReward(self.problem)
        tables = InterpolatedTables(self._maker, given, y, self.left_out, self.label, reward)
        return Trials(
            result.candidates, tables, problem.estimator, problem.parts,
            apart=apart, label=self.label, metric=metric or problem.metric,
        )  # fmt: skip


def seeded(estimator: Any, seed: int) -> Any:
    """Return a clone of a classifier whose unset random states are set by a seed."""
    estimator, random_state = clone(estimator), derived_seed(seed, Purpose.CLASSIFIER)
    return estimator.set_params(
        **{
            name: random_state
            for name, value in estimator.get_params().items()
            if name.split("__")[-1] == "random_state" and value is None
        }
    )


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
    metric : {"macro_f1", "mcc"}
        The reward.
    ir : float, optional
        Imbalance ratio that sets G1; the training part's own where None.
    seed : int
    config : SearchConfig
    on_iteration : callable, optional

    Raises
    ------
    UserError, ActorError, SearchInterrupted
        As `ClassSearch.run` does.
    """
    config.check()
    if config.joins_parts:
        X_train = X_val = np.concatenate([X_train, X_val])
        y_train = y_val = np.concatenate([y_train, y_val])
    folds = [Fold(np.arange(len(y_train)), X_train, y_train, X_val, y_val)]
    rows = SearchRows.plain(X_train, y_train, folds)
    searched = ClassSearch(rows, 1, estimator, metric=metric, seed=seed, config=config, ir=ir)
    return searched.run(on_iteration)
