"""The classifiers that commands know by name, and any other by its import path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from autosmote.config.names import did_you_mean
from autosmote.config.targets import import_object
from autosmote.errors import InputError


@dataclass(frozen=True)
class NamedEstimator:
    """A classifier with settings that suit most tables.

    Attributes
    ----------
    path : str
        Import path of its class.
    settings : mapping
    by_distance : bool
        Whether numbers should be standardised for it.
    arrays : bool
        Whether it is given arrays, as it refuses some names of columns.
    """

    path: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    by_distance: bool = False
    arrays: bool = False


ESTIMATORS = {
    "dt": NamedEstimator("sklearn.tree.DecisionTreeClassifier"),
    "adaboost": NamedEstimator("sklearn.ensemble.AdaBoostClassifier"),
    "forest": NamedEstimator("sklearn.ensemble.RandomForestClassifier"),
    "histgb": NamedEstimator("sklearn.ensemble.HistGradientBoostingClassifier"),
    "knn": NamedEstimator("sklearn.neighbors.KNeighborsClassifier", by_distance=True),
    "svm": NamedEstimator("sklearn.svm.LinearSVC", by_distance=True),
    "svc_rbf": NamedEstimator("sklearn.svm.SVC", by_distance=True),
    "logistic": NamedEstimator(
        "sklearn.linear_model.LogisticRegression", {"max_iter": 1000}, by_distance=True
    ),
    "mlp": NamedEstimator(
        "sklearn.neural_network.MLPClassifier", {"early_stopping": True}, by_distance=True
    ),
    "lightgbm": NamedEstimator(
        "lightgbm.LGBMClassifier", {"n_jobs": 1, "verbose": -1}, arrays=True
    ),
    "xgboost": NamedEstimator("xgboost.XGBClassifier", {"n_jobs": 1}, arrays=True),
    "catboost": NamedEstimator(
        "catboost.CatBoostClassifier",
        {"thread_count": 1, "verbose": False, "allow_writing_files": False},
        arrays=True,
    ),
}


@dataclass(frozen=True)
class Prepared:
    """A classifier with what a table needs in front of it.

    Attributes
    ----------
    front : list of (str, transformer)
        Steps that turn a table of plain numbers into one of plain numbers: synthetic rows can be
        made behind them.
    estimator : scikit-learn classifier
        With an encoder of its own, where the table holds categories or gaps.
    """

    front: list[tuple[str, Any]]
    estimator: Any

    def pipeline(self, last: Any) -> Any:
        """Return a classifier behind the steps in front."""
        from sklearn.base import clone
        from sklearn.pipeline import Pipeline

        if not self.front:
            return last
        return Pipeline([*((name, clone(step)) for name, step in self.front), ("model", last)])

    def steps(self) -> tuple[list[tuple[str, Any]], Any]:
        """Return all steps that make numbers of a table, and the bare classifier."""
        from sklearn.pipeline import Pipeline

        if isinstance(self.estimator, Pipeline):
            *before, (_, last) = self.estimator.steps
            return [*self.front, *before], last
        return self.front, self.estimator


def make_estimator(name: str, seed: int = 0) -> Any:
    """Make an unfitted classifier.

    Parameters
    ----------
    name : str
        One of `ESTIMATORS`, or the import path of a class of classifiers.
    seed : int
        Its `random_state`, if it has one.

    Raises
    ------
    InputError
        Where there is no such name, the class cannot be imported, or it is no classifier.
    """
    from sklearn.base import is_classifier

    known = ESTIMATORS.get(name)
    if known is None and "." not in name:
        raise InputError(
            f"There is no estimator '{name}'{did_you_mean(name, list(ESTIMATORS))}; choose one of "
            f"{', '.join(ESTIMATORS)}, or name a class such as sklearn.naive_bayes.GaussianNB."
        )
    path = known.path if known else name
    package = path.partition(".")[0]
    if known and find_spec(package) is None:
        raise InputError(
            f"The estimator '{name}' needs the package {package}, which is not installed; "
            f"install it by pip install {package}."
        )
    try:
        factory = import_object(path)
    except ImportError as error:
        raise InputError(
            f"The estimator '{path}' cannot be imported ({error}); check its spelling and that its "
            "package is installed."
        ) from error
    try:
        estimator = factory(**(known.settings if known else {}))
    except TypeError as error:
        raise InputError(
            f"The estimator '{path}' cannot be made without arguments ({error}); name a class that "
            "can."
        ) from error
    if not (hasattr(estimator, "fit") and is_classifier(estimator)):
        raise InputError(f"The estimator '{path}' is no classifier; name one.")
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=seed)
    return estimator


def prepare(estimator: Any, X: Any, seed: int = 0) -> Prepared:
    """Put before a classifier what a table needs: scaling, encoding, medians for gaps.

    Parameters
    ----------
    estimator : str or scikit-learn classifier
        A name or import path as of `make_estimator`, or a classifier, which is put behind an
        encoder only where the table holds categories or gaps and it is no pipeline.
    X : {ndarray, DataFrame} of shape (n, columns)
    seed : int
        The `random_state` of an estimator that is named; where another's are None, they follow
        from it.

    Raises
    ------
    InputError
        As of `make_estimator`; for what is no classifier, for columns that are neither numbers nor
        categories, and for numbers or one-hot columns of categories that are too large.
    """
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    from autosmote.sampler.checks import check_classifier, check_magnitude
    from autosmote.sampler.class_search import seeded
    from autosmote.sampler.encoding import check_types, is_frame, tabular

    known = ESTIMATORS.get(estimator) if isinstance(estimator, str) else None
    by_distance, arrays = (known.by_distance, known.arrays) if known else (False, False)
    if isinstance(estimator, str):
        estimator = make_estimator(estimator, seed)
    else:
        check_classifier(estimator)
        estimator = seeded(estimator, seed)
    check_magnitude(X)
    if isinstance(estimator, Pipeline):  # which may know what to do with dates
        return Prepared([], estimator)
    check_types(X)
    if not _plain_numbers(X) or (arrays and is_frame(X)):
        if is_frame(X):
            _check_categories(X)
        return Prepared([], tabular(estimator, scale=by_distance))
    return Prepared([("scale", StandardScaler())] if by_distance else [], estimator)


def _check_categories(X: Any) -> None:
    """Refuse one-hot columns that would not fit into memory, as each fit makes them anew."""
    from autosmote.sampler.checks import check_state_size
    from autosmote.sampler.encoding import Encoder, categorical_columns

    mask = categorical_columns(X, "auto")
    check_state_size(Encoder(X.loc[:, mask], mask[mask]))


def _plain_numbers(X: Any) -> bool:
    """Return whether a table holds nothing but numbers, none of them missing."""
    import numpy as np

    if not hasattr(X, "dtypes"):
        return np.asarray(X).dtype.kind in "iuf" and not np.isnan(X).any()
    kinds = (dtype.kind if isinstance(dtype, np.dtype) else "O" for dtype in X.dtypes)
    return all(kind in "iuf" for kind in kinds) and not X.isna().any(axis=None)
