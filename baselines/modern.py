"""Alternatives to over-sampling: class weights, thresholds, balanced ensembles, tuned samplers.

Each is a method: it is fitted on the training and validation part and is its own classifier.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, NamedTuple, Self

import numpy as np

from autosmote.errors import UserError
from autosmote.metrics import score
from baselines.imblearn_samplers import ImblearnSampler
from baselines.resampler import Features, Labels


class Parts(NamedTuple):
    """The training and validation part."""

    X_train: Features
    y_train: Labels
    X_val: Features
    y_val: Labels

    def joined(self) -> tuple[Features, Labels]:
        """Return the rows and labels of both parts."""
        return np.vstack([self.X_train, self.X_val]), np.append(self.y_train, self.y_val)


class Method:
    """Base class of the methods.

    Parameters
    ----------
    random_state : int
        Of everything random.
    """

    _model: Any

    def __init__(self, *, random_state: int) -> None:
        self.random_state = int(random_state)

    def fit(
        self,
        X_train: Features,
        y_train: Labels,
        X_val: Features,
        y_val: Labels,
        *,
        estimator: Any,
        metric: str,
    ) -> Self:
        """Fit the classifier.

        Parameters
        ----------
        X_train, X_val : ndarray of float64, shape (n, D)
            As preprocessed.
        y_train, y_val : ndarray of int8, shape (n,)
            1 for the minority class.
        estimator : scikit-learn classifier
            Cloned before it is fitted.
        metric : {"macro_f1", "mcc"}
            For choices on the validation part.
        """
        self._learn(Parts(X_train, y_train, X_val, y_val), estimator, metric)
        return self

    def _learn(self, parts: Parts, estimator: Any, metric: str) -> None:
        """Set `_model` to the fitted classifier."""
        raise NotImplementedError

    def predict(self, X: Features) -> Labels:
        """Return the labels of rows, shape (n,)."""
        return np.asarray(self._model.predict(X)).astype(np.int8)


class ClassWeights(Method):
    """The classifier with balanced class weights: n / (2 n_class) for each class.

    AdaBoost takes them as initial row weights. Nearest neighbours take no weights: `fit` raises
    ValueError.

    Parameters
    ----------
    random_state : int
    join : bool
        Train on the training and validation part together, of which nothing is chosen here.
    """

    def __init__(self, *, random_state: int, join: bool = False) -> None:
        super().__init__(random_state=random_state)
        self.join = join

    def _learn(self, parts: Parts, estimator: Any, metric: str) -> None:
        from sklearn.base import clone
        from sklearn.utils.class_weight import compute_sample_weight
        from sklearn.utils.validation import has_fit_parameter

        model = clone(estimator)
        X, y = parts.joined() if self.join else (parts.X_train, parts.y_train)
        if "class_weight" in model.get_params(deep=False):
            self._model = model.set_params(class_weight="balanced").fit(X, y)
        elif has_fit_parameter(model, "sample_weight"):
            weights = compute_sample_weight("balanced", y)
            self._model = model.fit(X, y, sample_weight=weights)
        else:
            raise ValueError(
                f"{type(model).__name__} takes neither class weights nor weights of rows"
            )


class TunedThreshold(Method):
    """The unchanged classifier with the decision threshold that is best on validation.

    Candidates are its default threshold and the midpoints between adjacent scores of the
    validation rows; ties go to the candidate nearest to the default.

    Attributes
    ----------
    threshold_ : float
        Rows above it are predicted as minority: a value of the decision function, or else of the
        probability.
    """

    threshold_: float

    def _learn(self, parts: Parts, estimator: Any, metric: str) -> None:
        from sklearn.base import clone

        self._model = clone(estimator).fit(parts.X_train, parts.y_train)
        scores, default = self._scores(parts.X_val)
        distinct = np.unique(scores)
        candidates = np.append((distinct[:-1] + distinct[1:]) / 2, default)
        values = np.array([score(metric, parts.y_val, scores > t) for t in candidates])
        best = candidates[values == values.max()]
        self.threshold_ = float(best[np.abs(best - default).argmin()])

    def predict(self, X: Features) -> Labels:
        return (self._scores(X)[0] > self.threshold_).astype(np.int8)

    def _scores(self, X: Features) -> tuple[np.ndarray, float]:
        """Return the minority class's scores and the classifier's default threshold."""
        if hasattr(self._model, "decision_function"):
            return self._model.decision_function(X), 0.0
        column = list(self._model.classes_).index(1)
        return self._model.predict_proba(X)[:, column], 0.5


class CrossfitThreshold(Method):
    """The unchanged classifier with the decision threshold that is best over five folds.

    The folds are of the training and validation part together, and so are the rows that it is
    trained on: scikit-learn's TunedThresholdClassifierCV with its 100 thresholds.
    """

    def _learn(self, parts: Parts, estimator: Any, metric: str) -> None:
        from sklearn.base import clone
        from sklearn.metrics import make_scorer
        from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV

        self._model = TunedThresholdClassifierCV(
            clone(estimator),
            scoring=make_scorer(lambda labels, predicted: score(metric, labels, predicted)),
            cv=StratifiedKFold(5, shuffle=True, random_state=self.random_state),
        ).fit(*parts.joined())


class _Ensemble(Method):
    """An ensemble of imbalanced-learn; it has its own members and ignores the classifier."""

    _name: str

    def __init__(self, *, random_state: int, **params: Any) -> None:
        super().__init__(random_state=random_state)
        import imblearn.ensemble

        self._model = getattr(imblearn.ensemble, self._name)(
            random_state=self.random_state, **params
        )

    def _learn(self, parts: Parts, estimator: Any, metric: str) -> None:
        self._model.fit(parts.X_train, parts.y_train)


class BalancedRandomForest(_Ensemble):
    """Random forest with as many majority as minority rows for each tree (Chen et al., 2004)."""

    _name = "BalancedRandomForestClassifier"


class EasyEnsemble(_Ensemble):
    """AdaBoost models, each on all minority and as many majority rows (Liu et al., 2009)."""

    _name = "EasyEnsembleClassifier"


# Module and name of the neighbours parameter of imbalanced-learn's samplers that are fast and have
# a ratio or neighbours to choose. Without KMeansSMOTE, which nearly always fails.
_SPACE: dict[str, tuple[str, str | None]] = {
    "none": ("", None),
    "RandomOverSampler": ("over_sampling", None),
    "SMOTE": ("over_sampling", "k_neighbors"),
    "BorderlineSMOTE": ("over_sampling", "k_neighbors"),
    "SVMSMOTE": ("over_sampling", "k_neighbors"),
    "ADASYN": ("over_sampling", "n_neighbors"),
    "SMOTEENN": ("combine", "smote"),
    "SMOTETomek": ("combine", "smote"),
    "RandomUnderSampler": ("under_sampling", None),
    "NearMiss": ("under_sampling", "n_neighbors"),
    "EditedNearestNeighbours": ("under_sampling", "n_neighbors"),
    "NeighbourhoodCleaningRule": ("under_sampling", "n_neighbors"),
}
_WITHOUT_RATIO = {"none", "EditedNearestNeighbours", "NeighbourhoodCleaningRule"}
_MAX_NEIGHBOURS = 15
_FAILED = -1.0  # the lowest value of a metric, which TPE learns to avoid


class OptunaSearch(Method):
    """Search by Optuna's TPE over imbalanced-learn's samplers, ratios and neighbours.

    Each trial resamples the training part, fits the classifier and is scored on validation. The
    first trial does not resample. The best model is kept, the earlier one in a tie. A sampler that
    fails uses up a trial.

    Parameters
    ----------
    random_state : int
        Of TPE and of all samplers.
    fits : int
        Number of trials, by default as many as AutoSMOTE trains classifiers.

    Attributes
    ----------
    best_ : dict
        Keys sampler and, where the sampler has them, ratio and k.
    best_score_ : float
        On validation.
    n_failed_ : int
        Trials whose sampler failed.

    Raises
    ------
    UserError
        If optuna is not installed.
    """

    best_: dict[str, Any]

    def __init__(self, *, random_state: int, fits: int = 1000) -> None:
        super().__init__(random_state=random_state)
        if find_spec("optuna") is None:
            raise UserError(
                "The search over imbalanced-learn needs the package optuna, which is not "
                "installed; install the extra `optuna`: pip install -e '.[optuna]'."
            )
        if fits < 1:
            raise UserError(f"sampler.params.fits must be at least 1, not {fits}.")
        self.fits = fits

    def _learn(self, parts: Parts, estimator: Any, metric: str) -> None:
        import optuna
        from sklearn.base import clone

        self.best_score_, self.n_failed_ = -np.inf, 0
        n_minority = int(np.count_nonzero(parts.y_train == 1))
        n_majority = len(parts.y_train) - n_minority
        with _quiet(optuna):
            tpe = optuna.samplers.TPESampler(seed=self.random_state)
            study = optuna.create_study(direction="maximize", sampler=tpe)
            study.enqueue_trial({"sampler": "none"})
            for _ in range(self.fits):
                trial = study.ask()
                choice = _suggest(trial, n_majority, n_minority)
                try:
                    part = _resample(choice, self.random_state, parts.X_train, parts.y_train)
                    model = clone(estimator).fit(*part)
                    value = score(metric, parts.y_val, model.predict(parts.X_val))
                except Exception:
                    self.n_failed_ += 1
                    study.tell(trial, _FAILED)
                    continue
                study.tell(trial, value)
                if value > self.best_score_:
                    self._model, self.best_, self.best_score_ = model, choice, value


def _suggest(trial: Any, n_majority: int, n_minority: int) -> dict[str, Any]:
    """Return a trial's sampler, ratio and number of neighbours."""
    choice = {"sampler": trial.suggest_categorical("sampler", list(_SPACE))}
    if choice["sampler"] not in _WITHOUT_RATIO:
        # At the lowest ratio one row is added or removed.
        lowest = min(1.0, (n_minority + 1) / n_majority)
        choice["ratio"] = trial.suggest_float("ratio", lowest, 1.0)
    if _SPACE[choice["sampler"]][1]:
        most = max(1, min(_MAX_NEIGHBOURS, n_minority - 1))
        choice["k"] = trial.suggest_int("k", 1, most)
    return choice


def _resample(
    choice: dict[str, Any], seed: int, X: Features, y: Labels
) -> tuple[np.ndarray, np.ndarray]:
    """Resample by what `_suggest` returned."""
    if choice["sampler"] == "none":
        return X, y
    from imblearn.over_sampling import SMOTE

    module, neighbours = _SPACE[choice["sampler"]]
    ratio, params = choice.get("ratio"), {}
    if neighbours == "smote":
        params["smote"] = SMOTE(sampling_strategy=ratio, k_neighbors=choice["k"], random_state=seed)
    elif neighbours:
        params[neighbours] = choice["k"]
    path = f"imblearn.{module}.{choice['sampler']}"
    return ImblearnSampler(random_state=seed, sampler=path, **params).fit(X, y).resample(ratio)


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Suppress Optuna's log line for each trial."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
