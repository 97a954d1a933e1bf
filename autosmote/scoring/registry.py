"""How an episode of the search is scored (Section 3.3: the reward is a validation score).

The training part, the pool of possible synthetic rows and the validation part are the same for all
episodes of a search, and an episode is a count per pool row. A scorer turns counts into the
validation predictions of the classifier trained on them; one module per classifier computes once
whatever does not depend on the counts, and ``refit`` does without for every other classifier, and
where lambda is continuous and rows are not known before they are made.
"""

from __future__ import annotations

import logging
from functools import partial
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from autosmote.errors import UserError
from autosmote.space.base import repeat

logger = logging.getLogger("autosmote")

_FAST = {
    "KNeighborsClassifier": ("autosmote.scoring.scorers.knn", "KnnScorer"),
    "DecisionTreeClassifier": ("autosmote.scoring.scorers.tree", "TreeScorer"),
    "AdaBoostClassifier": ("autosmote.scoring.scorers.adaboost", "BoostingScorer"),
    "LinearSVC": ("autosmote.scoring.scorers.svm", "SvmScorer"),
}
"""Where a class of this name may be reproduced; the module itself checks type and parameters."""


class Scorer(Protocol):
    """Scores episodes. The answer depends on the counts only, never on earlier calls."""

    name: str

    def predict(self, counts: NDArray[np.integer]) -> NDArray[np.int8]:
        """Predictions (0 or 1) for the validation rows.

        Parameters
        ----------
        counts : integer ndarray of shape (n_pool,)
            How often each pool row is added to the training part, with label 1.
        """


@runtime_checkable
class AddedRowsScorer(Protocol):
    """Scores rows of no pool, too."""

    def takes(self, rows: NDArray[np.float64]) -> bool:
        """Whether what was computed once holds when these rows are added."""

    def predict_added(self, rows: NDArray[np.float64]) -> NDArray[np.int8]:
        """Predictions (0 or 1) for the validation rows.

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
    """Choose the fastest scorer that predicts what a refit of the estimator would.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Cloned before it is fitted. One that draws at random needs an integer ``random_state`` to
        be reproduced; without, it is refitted.
    X_train, y_train : ndarray of shape (n, D) and (n,)
        Training part; labels are 0 and 1, the minority being 1.
    pool : ndarray of shape (n_pool, D)
        Rows that episodes may add.
    X_val : ndarray of shape (n_val, D)
        Rows to predict.
    scoring : {"auto", "refit"}
        ``"refit"`` uses scikit-learn whatever the estimator.
    memory_bytes : int
        Most memory that may be used for what is computed once; beyond it, a refit is used.
    refit : Scorer, optional
        The refit that serves where nothing is faster, and that a faster one is compared with: of
        the same data in the form in which the estimator is to see them.
    agreed : dict, optional
        Results of earlier comparisons with a refit, by a hash of estimator and data; new ones are
        added. Pass the same dictionary where scorers of the same data are made again: two refits
        of AdaBoost on large data take seconds. Without it, each call compares.

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

        refit = RefitScorer(estimator, X_train, y_train, partial(repeat, pool), X_val)
    if scoring == "refit" or type(estimator).__name__ not in _FAST:
        return refit
    module_name, class_name = _FAST[type(estimator).__name__]
    module = import_module(module_name)
    if not (_is_plain(X_train, y_train, pool, X_val) and module.supports(estimator, X_train)):
        logger.info("Scoring by refits: %r on these data has no faster scorer.", estimator)
        return refit
    try:
        fast = getattr(module, class_name)(estimator, X_train, y_train, pool, X_val, memory_bytes)
    except MemoryError as error:
        logger.warning("Scoring by refits: search.scoring_memory is too small (%s).", error)
        return refit
    if module.TOLERATED is None:
        return fast
    import joblib

    agreed = {} if agreed is None else agreed
    case = joblib.hash((estimator, X_train, y_train, pool, X_val))
    if case not in agreed:
        agreed[case] = _agree(fast, refit, len(X_train), len(pool), module.TOLERATED)
    if not agreed[case]:
        logger.warning("Scoring by refits: %s predicts otherwise here.", module_name)
        return refit
    return fast


def _agree(fast: Scorer, refit: Scorer, n_train: int, n_pool: int, tolerated: float) -> bool:
    """Whether both predict alike, but for a share of rows, without and with synthetic rows.

    The fast scorers reproduce details that scikit-learn does not promise, and liblinear stops
    at a tolerance that shows on some data: comparing two episodes finds both out.
    """
    episodes = [np.zeros(n_pool, dtype=np.int32)]
    if n_pool > 0:
        rate = min(1.0, n_train / n_pool)
        episodes.append(np.random.default_rng(0).poisson(rate, n_pool).astype(np.int32))
    # The refit first: a parameter that scikit-learn refuses is refused in its words.
    different = np.concatenate([refit.predict(c) != fast.predict(c) for c in episodes])
    return different.sum() <= np.ceil(tolerated * len(different))


def _is_plain(X_train: Any, y_train: Any, pool: Any, X_val: Any) -> bool:
    """Both classes present and every value finite as a float32, which trees work with."""
    limit = np.finfo(np.float32).max
    finite = all((np.abs(X) <= limit).all() for X in (X_train, pool, X_val))
    return finite and np.array_equal(np.unique(y_train), [0, 1])
