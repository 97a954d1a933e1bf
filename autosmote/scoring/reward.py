"""The reward of an episode: the score, on held-out rows, of the classifier trained with its rows.

One held-out part is the paper's way; with several (cross-validation) the reward is their mean. The
two metrics of the paper are computed from predictions, which a fast scorer can make; anything else
that scikit-learn calls a scorer gets a classifier that was fitted anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.metrics import METRICS
from autosmote.scoring.drop_in import equal_but_faster
from autosmote.scoring.registry import make_scorer
from autosmote.space.base import RowMaker, Samples
from autosmote.space.hard_majority import hardest_share

Scoring = str | Callable[[Any, Any, Any], float]
"""The name of a metric in ``METRICS``, or a scikit-learn scorer (estimator, X, y) -> score."""


@dataclass(frozen=True)
class Part:
    """What a classifier is trained on, what an episode may add, and what judges it.

    Attributes
    ----------
    X_train, X_val : {ndarray, DataFrame} of shape (n, columns)
        In the form in which the classifier is to see them.
    y_train, y_val : ndarrays of shape (n,)
    maker : RowMaker
        Makes the rows that this part may have of an episode, as they will be returned.
    label : scalar
        Of the rows that are added.
    fast : bool
        Whether the classifier may be reproduced from these rows as 64-bit floats with `label`
        coded as 1 and the other as 0: two classes, in this order when sorted.
    hardest : integer ndarray, optional
        Positions of the majority rows in X_train, in the order in which they would be left out.
    """

    X_train: Any
    y_train: NDArray
    maker: RowMaker
    X_val: Any
    y_val: NDArray
    label: Any = 1
    fast: bool = True
    hardest: NDArray[np.integer] | None = None

    def without(self, share: float) -> Part:
        """This part without a share of its majority rows, the hardest."""
        if share == 0:
            return self
        assert self.hardest is not None
        kept = np.setdiff1d(np.arange(len(self.y_train)), hardest_share(self.hardest, share))
        rows = self.X_train.iloc[kept] if hasattr(self.X_train, "iloc") else self.X_train[kept]
        return replace(self, X_train=rows, y_train=self.y_train[kept], hardest=None)


class Reward:
    """Scores episodes. The answer depends on the samples only, never on earlier calls.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Cloned before it is fitted.
    parts : sequence of Part
    metric : str or callable
        A name in ``METRICS`` takes `label` for the minority class, everything else for the other.
    scoring : {"auto", "refit"}
    memory_bytes : int
        As for ``make_scorer``; the parts share the memory.
    agreed : dict, optional
        As for ``make_scorer``: results of earlier comparisons of fast scorers with refits.

    Attributes
    ----------
    name : str
        How episodes are scored, such as "knn" or "refit".
    """

    def __init__(
        self,
        estimator: Any,
        parts: Sequence[Part],
        metric: Scoring,
        *,
        scoring: str = "auto",
        memory_bytes: int = 1 << 30,
        agreed: dict[str, bool] | None = None,
    ) -> None:
        self.name = "refit"
        self._agreed = agreed
        self._parts, self._metric = parts, metric
        share = memory_bytes // len(parts)
        self._scorers = [self._scorer(part, estimator, scoring, share) for part in parts]

    def __call__(self, samples: Samples) -> float:
        """Mean score over the parts; NaN where a scorer says so."""
        scores = [self.on(part, samples) for part in range(self.n_parts)]
        return scores[0] if len(scores) == 1 else float(np.mean(scores))

    @property
    def n_parts(self) -> int:
        """Number of held-out parts."""
        return len(self._parts)

    def on(self, part: int, samples: Samples) -> float:
        """Score on one of the parts."""
        rows, scorer, own = self._parts[part], self._scorers[part], self._own(part, samples)
        if isinstance(self._metric, str):
            return float(METRICS[self._metric](rows.y_val == rows.label, scorer.predict(own)))
        return float(self._metric(scorer.fit(own), rows.X_val, rows.y_val))

    def called(self, part: int, samples: Samples) -> NDArray[np.bool_]:
        """Which held-out rows of one of the parts are said to be of its class `label`."""
        return self._scorers[part].predict(self._own(part, samples)).astype(bool)

    def _own(self, part: int, samples: Samples) -> Samples:
        return self._parts[part].maker.own(samples)

    def _scorer(self, part: Part, estimator: Any, scoring: str, memory_bytes: int) -> Any:
        # Here, since it imports scikit-learn: an actor's host does so once, its parent need not.
        from autosmote.scoring.scorers.refit import RefitScorer

        pool = part.maker.pool
        fits = not isinstance(self._metric, str) or not part.fast or pool is None
        if fits and scoring == "auto":  # a fit that is equal is all that there is
            estimator = equal_but_faster(estimator)
        refit = RefitScorer(
            estimator, part.X_train, part.y_train, part.maker.rows, part.X_val, part.label
        )
        if fits:
            return refit
        scorer = make_scorer(
            estimator,
            part.X_train,
            (part.y_train == part.label).astype(np.int8),
            pool,
            part.X_val,
            scoring=scoring,
            memory_bytes=memory_bytes,
            refit=refit,
            agreed=self._agreed,
        )
        self.name = scorer.name
        return scorer


def resolve_scoring(scoring: Any, n_classes: int) -> Scoring:
    """What a sampler's `scoring` stands for: a name in ``METRICS`` where two classes allow it.

    Parameters
    ----------
    scoring : str or callable
        A name in ``METRICS``, of a scikit-learn scorer, or a scorer.
    n_classes : int
    """
    from sklearn.metrics import f1_score, get_scorer, make_scorer, matthews_corrcoef

    if not isinstance(scoring, str) or scoring not in METRICS:
        return get_scorer(scoring)
    if n_classes == 2:
        return scoring
    of_all_classes = {
        "macro_f1": make_scorer(f1_score, average="macro", zero_division=0),
        "mcc": make_scorer(matthews_corrcoef),
    }
    return of_all_classes[scoring]
