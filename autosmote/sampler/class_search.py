"""One way to search for the synthetic rows of a class, for the estimator and the runner alike."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from autosmote.config.search import SearchConfig
from autosmote.sampler.checks import check_pool_size
from autosmote.sampler.encoding import Encoder
from autosmote.sampler.folds import Fold
from autosmote.sampler.search_trials import InterpolatedTables, Trials
from autosmote.scoring.reward import Part, Scoring
from autosmote.search.candidates import InterpolatedSet
from autosmote.search.loop import OnIteration, search
from autosmote.search.method import SpaceProblem, make_method
from autosmote.search.result import SearchResult
from autosmote.search.space_reward import SpaceReward
from autosmote.space.base import Space
from autosmote.space.continuous import space_builder
from autosmote.space.hard_majority import hardest_first, hardest_share


class SearchRows:
    """The rows of a search: as they were given, by folds, and as states.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n, columns)
    y : ndarray of shape (n,)
    folds : list of Fold
    encoder : Encoder
        Of X.
    standardize : bool
        Whether distances are measured between, and policies see, standardised numbers.
    """

    def __init__(
        self, X: Any, y: NDArray, folds: list[Fold], encoder: Encoder, *, standardize: bool
    ) -> None:
        self.X, self.y, self.folds, self.encoder = X, y, folds, encoder
        self.classes = np.unique(y)
        self.base = np.unique(np.concatenate([fold.rows for fold in folds]))
        """Positions of the rows that some fold trains on."""
        self.codes = encoder.impute(self.base)
        self.states = encoder.states(self.codes, self.base, standardize=standardize)

    @classmethod
    def plain(cls, X: NDArray[np.float64], y: NDArray, folds: list[Fold]) -> SearchRows:
        """Make the rows of preprocessed numbers."""
        encoder = Encoder(X, np.zeros(X.shape[1], dtype=bool))
        return cls(X, y, folds, encoder, standardize=False)

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

    Attributes
    ----------
    minority : integer ndarray
        Positions of the class's rows.
    space : Space
    parts : list of Part
        Held-out parts, one for each fold.

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
    ) -> None:
        encoder, base = rows.encoder, rows.base
        self.rows, self.label, self.estimator, self.metric = rows, label, estimator, metric
        self.seed, self.config = seed, config
        self.minority = minority = base[rows.y[base] == label]
        self.ir = rows.n_largest / len(minority) if ir is None else ir
        if config.lambda_head == "discrete":
            check_pool_size(len(minority), config.K, encoder)
        self.space: Space = space_builder(config.lambda_head)(
            rows.states[minority],
            config.K,
            rows=rows.codes[minority],
            categorical=encoder.categorical,
            store=encoder.store,
        )
        self._maker = self.space.row_maker(encoder.decode)
        fast = encoder.plain and len(rows.classes) == 2 and label == rows.classes[1]
        self.parts = [fold.part(self._maker, minority, label, fast=fast) for fold in rows.folds]
        self._hardest: NDArray[np.integer] = np.zeros(0, dtype=int)
        if config.under_sampling:
            self._hardest = base[hardest_first(rows.states[base], rows.y[base] == label)]
            self.parts = [
                self._with_hardest(fold, part)
                for fold, part in zip(rows.folds, self.parts, strict=True)
            ]
        self._agreed: dict[str, bool] = {}

    def _with_hardest(self, fold: Fold, part: Part) -> Part:
        states, y = self.rows.states[fold.rows], self.rows.y[fold.rows]
        return replace(part, hardest=hardest_first(states, y == self.label))

    def run(self, on_iteration: OnIteration | None = None) -> SearchResult:
        """Search for the sample sets with the best scores.

        Raises
        ------
        UserError, ActorError, SearchInterrupted
            As `autosmote.search.loop.search` and `autosmote.search.method.make_method` do.
        """
        problem = SpaceProblem(
            space=self.space,
            parts=tuple(self.parts),
            estimator=self.estimator,
            metric=self.metric,
            ir=self.ir,
            seed=self.seed,
            config=self.config,
            agreed=self._agreed,
        )
        (result,) = search(make_method(problem), self.config, on_iteration=on_iteration)
        return result

    def left_out(self, sample_set: InterpolatedSet) -> NDArray[np.integer]:
        """Return the positions of the given rows that a sample set leaves out, in order."""
        return np.sort(hardest_share(self._hardest, sample_set.left_out))

    def trials(self, result: SearchResult, given: Any, y: NDArray, *, apart: bool) -> Trials:
        """Return the candidates with what their classifiers predict.

        Parameters
        ----------
        result : SearchResult
        given, y : {ndarray, sparse matrix, DataFrame} and ndarray of shape (n,)
            Rows to learn from, of which those of `rows` come first.
        apart : bool
            Whether the held-out rows are not among them (`Trials`).
        """
        reward = SpaceReward(
            self.estimator,
            self.parts,
            self.metric,
            scoring=self.config.scoring,
            memory_bytes=self.config.scoring_memory * 2**20,
            agreed=self._agreed,
        )
        tables = InterpolatedTables(self._maker, given, y, self.left_out, self.label, reward)
        return Trials(
            result.candidates,
            tables,
            self.estimator,
            self.parts,
            apart=apart,
            label=self.label,
            metric=self.metric,
        )


def seeded(estimator: Any, seed: int) -> Any:
    """Return a clone of a classifier whose unset random states are set to a seed."""
    estimator = clone(estimator)
    return estimator.set_params(
        **{
            name: seed
            for name, value in estimator.get_params().items()
            if name.split("__")[-1] == "random_state" and value is None
        }
    )


def crossfit_folds(config: SearchConfig, seed: int) -> StratifiedKFold:
    """Return the folds of the crossfit reward."""
    return StratifiedKFold(config.folds, shuffle=True, random_state=seed)


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
