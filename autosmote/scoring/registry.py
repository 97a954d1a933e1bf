"""The faster equivalents of scikit-learn classifiers, and the choice of one (Section 3.3).

The reward of an episode is a score on the validation part. The training part, the pool of possible
synthetic rows and the validation part are the same for all episodes of a search, and an episode is
a count per pool row. A *scorer* turns counts into validation predictions; it computes once whatever
does not depend on the counts. A *drop-in classifier* takes the place of scikit-learn's class
wherever rows are not known beforehand. Everything else is refitted by scikit-learn.
(docs/performance.md, "Fact 2", explains and measures both.)
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from autosmote.config.targets import import_object
from autosmote.errors import UserError
from autosmote.space.pool import repeat

logger = logging.getLogger("autosmote")


class _Equivalents(NamedTuple):
    """Import paths; the classes' own ``supports`` checks an estimator's type and parameters."""

    scorer: str
    drop_in: str | None


_EQUIVALENTS = {
    "AdaBoostClassifier": _Equivalents(
        "autosmote.scoring.scorers.adaboost.AdaBoostScorer",
        "autosmote.scoring.estimators.adaboost.PresortedAdaBoost",
    ),
    "DecisionTreeClassifier": _Equivalents(
        "autosmote.scoring.scorers.tree.TreeScorer",
        "autosmote.scoring.estimators.tree.PresortedTree",
    ),
    "KNeighborsClassifier": _Equivalents(
        "autosmote.scoring.scorers.knn.KnnScorer",
        "autosmote.scoring.estimators.knn.BoxedKNeighbors",
    ),
    "LinearSVC": _Equivalents("autosmote.scoring.scorers.svm.SvmScorer", None),
    "RandomForestClassifier": _Equivalents("autosmote.scoring.scorers.forest.ForestScorer", None),
}
"""By the name of scikit-learn's class, which is known without importing it."""


class Scorer(Protocol):
    """Scores episodes. The answer depends on the counts only, never on earlier calls."""

    name: str

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        """Return predictions (0 or 1) for the validation rows.

        Parameters
        ----------
        counts : integer ndarray of shape (n_pool,)
            How often each pool row is added to the training part, with label 1.
        """


class FastScorer(Scorer, Protocol):
    """Scores episodes of one classifier without refitting it.

    Attributes
    ----------
    tolerance : float or None
        Largest share of predictions that may differ from a refit's; None: not compared.
    """

    tolerance: ClassVar[float | None]

    def __init__(
        self,
        estimator: Any,
        X_train: NDArray[np.float64],
        y_train: NDArray[np.integer],
        pool: NDArray[np.float64],
        X_val: NDArray[np.float64],
        memory_bytes: int,
    ) -> None:
        """Compute what does not depend on the counts; parameters as in `make_scorer`.

        Raises
        ------
        MemoryError
            When that would take more than ``memory_bytes``.
        """

    @staticmethod
    def supports(estimator: Any, X_train: NDArray[np.float64]) -> bool:
        """Return whether the estimator's type and parameters are reproduced."""


@runtime_checkable
class AddedRowsScorer(Protocol):
    """Scores rows that are in no pool, too."""

    def accepts(self, rows: NDArray[np.float64]) -> bool:
        """Return whether what was computed once is valid when these rows are added."""

    def predict_added(self, rows: NDArray[np.float64]) -> NDArray[np.int8]:
        """Return predictions (0 or 1) for the validation rows.

        Parameters
        ----------
        rows : ndarray of shape (m, D)
            Added to the training part once, with label 1.
        """


def make_scorer(
    estimator: Any,
    X_train: NDArray[np.float64],
    y_train: NDArray[np.integer],
    pool: NDArray[np.float64],
    X_val: NDArray[np.float64],
    *,
    scoring: str = "auto",
    memory_bytes: int = 1 << 30,
    refit: Scorer | None = None,
    agreed: dict[str, bool] | None = None,
) -> Scorer:
    """Return the fastest scorer that predicts what a refit of the estimator would.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Cloned before it is fitted. A randomised one needs an integer ``random_state`` to be
        reproduced; otherwise it is refitted.
    X_train, y_train : ndarray of shape (n, D) and (n,)
        Training part; labels are 0 and 1, the minority being 1.
    pool : ndarray of shape (n_pool, D)
        Rows that episodes may add.
    X_val : ndarray of shape (n_val, D)
        Rows to predict.
    scoring : {"auto", "refit"}
        ``"refit"`` uses scikit-learn whatever the estimator.
    memory_bytes : int
        Most memory for what is computed once; where more is needed, a refit is used.
    refit : Scorer, optional
        The scorer to fall back on and to compare with; by default a ``RefitScorer`` of the same
        rows. Give one where the estimator is trained on another form of the rows.
    agreed : dict, optional
        Results of earlier comparisons with a refit, by a hash of estimator and data; new ones are
        added. Pass the same dictionary where scorers of the same data are made again: two refits
        on large data may take seconds. Without it, each call compares.

    Raises
    ------
    UserError
        When ``scoring`` is neither of its values.
    """
    if scoring not in ("auto", "refit"):
        raise UserError(f"search.scoring is {scoring!r}; use 'auto' or 'refit'.")
    X_train, pool, X_val = (
        np.ascontiguousarray(X, dtype=np.float64) for X in (X_train, pool, X_val)
    )
    y_train = np.ascontiguousarray(y_train)

    if refit is None:
        from autosmote.scoring.scorers.refit import RefitScorer

        fitted = drop_in_for(estimator) if scoring == "auto" else estimator
        refit = RefitScorer(fitted, X_train, y_train, partial(repeat, pool), X_val)
    known = _EQUIVALENTS.get(type(estimator).__name__)
    if scoring == "refit" or known is None:
        return refit
    scorer: type[FastScorer] = import_object(known.scorer)
    if not (_is_plain(X_train, y_train, pool, X_val) and scorer.supports(estimator, X_train)):
        logger.info("Scoring by refits: %r on these data has no faster scorer.", estimator)
        return refit
    try:
        fast = scorer(estimator, X_train, y_train, pool, X_val, memory_bytes)
    except MemoryError as error:
        logger.warning("Scoring by refits: search.scoring_memory is too small (%s).", error)
        return refit
    if scorer.tolerance is None:
        return fast
    import joblib

    agreed = {} if agreed is None else agreed
    case = joblib.hash((estimator, X_train, y_train, pool, X_val))
    if case not in agreed:
        agreed[case] = _agree(fast, refit, len(X_train), len(pool), scorer.tolerance)
    if not agreed[case]:
        logger.warning("Scoring by refits: %s predicts otherwise here.", scorer.__module__)
        return refit
    return fast


def drop_in_for(estimator: Any) -> Any:
    """Return an unfitted classifier that learns and predicts the same, to the bit, in less time.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Unfitted.

    Returns
    -------
    scikit-learn classifier
        With the same parameters; `estimator` itself where no faster one is known.
    """
    known = _EQUIVALENTS.get(type(estimator).__name__)
    if known is None or known.drop_in is None:
        return estimator
    drop_in = import_object(known.drop_in)
    if not drop_in.supports(estimator):
        return estimator
    return drop_in(**estimator.get_params(deep=False))


def scores_added_rows(estimator: Any) -> bool:
    """Return whether the estimator's fast scorer is an ``AddedRowsScorer``."""
    known = _EQUIVALENTS.get(type(estimator).__name__)
    return known is not None and issubclass(import_object(known.scorer), AddedRowsScorer)


def _agree(fast: Scorer, refit: Scorer, n_train: int, n_pool: int, tolerance: float) -> bool:
    """Return whether both predict alike, up to a share of rows, without and with synthetic rows.

    The fast scorers reproduce details that scikit-learn does not promise, and liblinear stops
    at a tolerance that shows on some data. Two episodes reveal both. (A refit by a drop-in
    classifier, to the bit scikit-learn's, is enough.)
    """
    episodes = [np.zeros(n_pool, dtype=np.int32)]
    if n_pool > 0:
        rate = min(1.0, n_train / n_pool)
        episodes.append(np.random.default_rng(0).poisson(rate, n_pool).astype(np.int32))
    # The refit first: scikit-learn refuses invalid parameters with its own message.
    different = np.concatenate([refit.predict(c) != fast.predict(c) for c in episodes])
    return different.sum() <= np.ceil(tolerance * len(different))


def _is_plain(X_train: Any, y_train: Any, pool: Any, X_val: Any) -> bool:
    """Return whether both classes are present and all values are finite as float32."""
    limit = np.finfo(np.float32).max  # trees work with float32
    finite = all((np.abs(X) <= limit).all() for X in (X_train, pool, X_val))
    return finite and np.array_equal(np.unique(y_train), [0, 1])
