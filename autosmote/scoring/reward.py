"""The reward of a sample set: the held-out score of the classifier trained with its rows.

The paper has one held-out part (Section 3.3); with several (cross-validation) the reward is the
mean over them. The paper's two metrics are computed from predictions, which a fast scorer can make;
any other scikit-learn scorer is given a classifier that is refitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.metrics import METRICS
from autosmote.scoring.lending import lend
from autosmote.scoring.registry import drop_in_for, make_scorer
from autosmote.scoring.threads import single_threaded
from autosmote.space.base import RowMaker, Samples
from autosmote.space.hard_majority import hardest_share

Scoring = str | Callable[[Any, Any, Any], float]
"""The name of a metric in ``METRICS``, or a scikit-learn scorer (estimator, X, y) -> score."""


@dataclass(frozen=True)
class Score:
    """Scores of a sample set, and the predictions that they were computed from.

    Attributes
    ----------
    values : tuple of float
        One for each metric; NaN where there is none.
    held_out : tuple of uint8 ndarrays, or None
        The minority predictions for the rows of each held-out part, eight to a byte
        (`np.packbits`), so that no rule over folds has to train the same classifiers again; None
        where a scorer makes them itself.
    """

    values: tuple[float, ...]
    held_out: tuple[NDArray[np.uint8], ...] | None = None


@dataclass(frozen=True)
class Part:
    """Training rows, the maker of synthetic rows, and the held-out rows that score them.

    Attributes
    ----------
    X_train, X_val : {ndarray, DataFrame} of shape (n, columns)
        In the form that the classifier is trained on.
    y_train, y_val : ndarrays of shape (n,)
    maker : RowMaker
        Makes synthetic rows from the minority rows of this part alone, as they will be returned.
    label : scalar
        Label of the synthetic rows.
    fast : bool
        Whether fast scorers may be used: the rows are 64-bit floats, and there are two classes of
        which `label` is the last when sorted.
    hardest : integer ndarray, optional
        Positions of the majority rows in X_train, the hardest first.
    """

    X_train: Any
    y_train: NDArray
    maker: RowMaker
    X_val: Any
    y_val: NDArray
    label: Any = 1
    fast: bool = True
    hardest: NDArray[np.integer] | None = None

    def without_hardest(self, share: float) -> Part:
        """Return this part without the hardest share of its majority rows."""
        if share == 0:
            return self
        assert self.hardest is not None
        kept = np.setdiff1d(np.arange(len(self.y_train)), hardest_share(self.hardest, share))
        rows = self.X_train.iloc[kept] if hasattr(self.X_train, "iloc") else self.X_train[kept]
        return replace(self, X_train=rows, y_train=self.y_train[kept], hardest=None)


class Reward:
    """Scores sample sets. The result depends on the samples only, never on earlier calls.

    Parameters
    ----------
    estimator : scikit-learn classifier
        Cloned before it is fitted, and trained by one thread.
    parts : sequence of Part
    metric : str or callable
        A name in ``METRICS`` is computed with `label` as the minority class and everything else
        as the majority class.
    further : sequence of str
        Where it is a name, further ones, which are computed from the same predictions.
    scoring : {"auto", "refit"}
    memory_bytes : int
        As for ``make_scorer``; the parts share the memory.
    agreed : dict, optional
        As for ``make_scorer``: results of earlier comparisons of fast scorers with refits.

    Attributes
    ----------
    name : str
        Name of the scorer, such as "knn" or "refit".
    """

    def __init__(
        self,
        estimator: Any,
        parts: Sequence[Part],
        metric: Scoring,
        *,
        further: Sequence[str] = (),
        scoring: str = "auto",
        memory_bytes: int = 1 << 30,
        agreed: dict[str, bool] | None = None,
    ) -> None:
        self.name = "refit"
        self._agreed = agreed
        self._parts, self._metric, self._further = parts, metric, further
        share = memory_bytes // len(parts)
        estimator = single_threaded(estimator)
        self._scorers = [self._scorer(part, estimator, scoring, share) for part in parts]

    def __call__(self, samples: Samples) -> float:
        """Return the mean score over the parts; NaN where a scorer returns NaN."""
        return self.score([samples] * len(self._parts)).values[0]

    def score(self, samples: Sequence[Samples]) -> Score:
        """Score samples of each part's own, by the mean over the parts."""
        parts = range(len(self._parts))
        if not isinstance(self._metric, str):
            return Score((_mean([self._ask(part, samples[part]) for part in parts]),))
        predicted = [self.predict_minority(part, samples[part]) for part in parts]
        means = [
            _mean(
                [
                    float(METRICS[metric](rows.y_val == rows.label, of_part))
                    for rows, of_part in zip(self._parts, predicted, strict=True)
                ]
            )
            for metric in (self._metric, *self._further)
        ]
        return Score(tuple(means), tuple(map(np.packbits, predicted)))

    def _ask(self, part: int, samples: Samples) -> float:
        """Return what the scorer that was given says of a classifier."""
        assert callable(self._metric)
        rows = self._parts[part]
        fitted = self._scorers[part].fit(rows.maker.restrict(samples))
        return float(self._metric(fitted, lend(rows.X_val, fitted), rows.y_val))

    def predict_minority(self, part: int, samples: Samples) -> NDArray[np.bool_]:
        """Return the minority predictions (of the part's `label`) for its held-out rows."""
        restricted = self._parts[part].maker.restrict(samples)
        return self._scorers[part].predict(restricted).astype(bool)

    def _scorer(self, part: Part, estimator: Any, scoring: str, memory_bytes: int) -> Any:
        # Imported here for its import of scikit-learn: processes that only hold parts need none.
        from autosmote.scoring.scorers.refit import RefitScorer

        pool = part.maker.pool
        fitted = drop_in_for(estimator) if scoring == "auto" else estimator
        refit = RefitScorer(
            fitted, part.X_train, part.y_train, part.maker.rows, part.X_val, part.label
        )
        if not isinstance(self._metric, str) or not part.fast or pool is None:
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


def _mean(scores: Sequence[float]) -> float:
    return scores[0] if len(scores) == 1 else float(np.mean(scores))


def resolve_scoring(scoring: Any, n_classes: int) -> Scoring:
    """Return a sampler's `scoring` as a name in ``METRICS``, if there are two classes, or a scorer.

    It is given as a name in ``METRICS``, the name of a scikit-learn scorer, or a scorer.
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
