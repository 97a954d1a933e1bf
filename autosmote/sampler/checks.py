"""Input checks of the sampler, with scikit-learn's messages where it has one."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import is_regressor
from sklearn.utils import check_array, check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from autosmote.errors import InputError
from autosmote.sampler.encoding import Encoder, categorical_columns, column_name, is_frame
from autosmote.space.base import N_LAMBDAS

MAX_BYTES = 4 << 30
"""Of one array: beyond it a densified matrix or the possible synthetic rows are refused."""

LARGEST = 1e150
"""Beyond it a number's square overflows, or a sum of such squares."""

_SPARSE = ("csr", "csc")
_METHODS = ("fit", "predict", "get_params", "set_params")


def check_kind(X: Any) -> None:
    """Refuse tables of other packages, and names of columns, before a search is done in vain.

    Raises
    ------
    InputError
    """
    if is_frame(X):
        _check_names(X)
    elif hasattr(X, "to_pandas") or hasattr(X, "__dataframe__"):
        package = type(X).__module__.partition(".")[0]
        raise InputError(f"X is a {package} {type(X).__name__}; pass X.to_pandas().")


def _check_names(X: Any) -> None:
    """Refuse names of columns that scikit-learn would refuse later, in less clear words."""
    if twice := list(X.columns[X.columns.duplicated()]):
        raise InputError(f"X has several columns named {twice[0]!r}; give each a name of its own.")
    types = {type(name) for name in X.columns}
    if str in types and len(types) > 1:
        other = next(name for name in X.columns if type(name) is not str)
        raise InputError(
            f"X has a column named {other!r}, of type {type(other).__name__}, among others of type "
            "str; name all alike, as X.columns = X.columns.map(str) does."
        )


def check_magnitude(X: Any) -> None:
    """Refuse numbers whose squares overflow, before a scaler's deviations do.

    Its numbers would be missing ones, and the message one of missing values.

    Raises
    ------
    InputError
    """
    if is_frame(X):
        X = X.select_dtypes("number", exclude="timedelta")
        values = X.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = np.asarray(X)
    _check_magnitude(X, values)


def check_labels(y: Any) -> NDArray:
    """Return labels as an array of one dimension.

    Raises
    ------
    ValueError
        With scikit-learn's message for numbers with fractions and for several columns; else an
        InputError where there are none, some are missing, or they cannot be sorted or are bytes.
    """
    import pandas as pd

    y = column_or_1d(y, warn=True)
    if y.dtype == object:  # numbers or truth values from a table that holds texts, too
        y = pd.Series(y).infer_objects().to_numpy()
    if not len(y):
        raise InputError("y has no labels, and X no rows; give some of each class.")
    if missing := int(np.count_nonzero(pd.isna(y))):
        raise InputError(
            f"y has {missing} missing label{'s' * (missing > 1)}; leave these rows out, or name "
            "their class."
        )
    try:
        check_classification_targets(y)
    except TypeError as error:
        raise InputError(
            f"The labels y cannot be used ({error}); make all of them text, or all numbers."
        ) from error
    return y


def check_no_regressor(estimator: Any) -> None:
    """Refuse an estimator that predicts numbers.

    Raises
    ------
    InputError
    """
    if is_regressor(estimator):
        raise InputError(
            f"The estimator {type(estimator).__name__} is a regressor; give a classifier."
        )


def check_classifier(estimator: Any) -> None:
    """Refuse what is no classifier: a class, a clusterer, a regressor, no estimator at all.

    Raises
    ------
    InputError
    """
    if not isinstance(estimator, type) and all(hasattr(estimator, name) for name in _METHODS):
        tags = getattr(estimator, "__sklearn_tags__", None)
        # Of a class that does not inherit ClassifierMixin, or after BaseEstimator, it is None.
        if tags is None or tags().estimator_type in ("classifier", None):
            return
        check_no_regressor(estimator)
    name = getattr(estimator, "__name__", type(estimator).__name__)
    raise InputError(
        f"The estimator {name} is no classifier; give one, such as "
        "sklearn.tree.DecisionTreeClassifier()."
    )


def seed_of(random_state: Any) -> int:
    """Return a random state that is a whole number, or one drawn from it as scikit-learn does."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def check_rows(
    sampler: Any, X: Any, *, categorical_features: Any, allow_nan: bool, reset: bool
) -> Any:
    """Check rows; DataFrames stay as they are, and arrays with categories keep their text.

    The sampler learns (or, without `reset`, is compared with) the number and names of the columns.

    Raises
    ------
    ValueError
        With scikit-learn's message, or an `InputError` with ours.
    """
    may_hold_text = categorical_features is not None and not isinstance(categorical_features, str)
    if is_frame(X) or (may_hold_text and not sparse.issparse(X)):
        if not is_frame(X):
            X = np.asarray(X, dtype=object if isinstance(X, list) else None)
            X = X.astype(object) if X.dtype.kind in "SU" else X
        validate_data(sampler, X, reset=reset, skip_check_array=True)
        values = Encoder(X, categorical_columns(X, categorical_features)).codes
        check_array(values, ensure_all_finite="allow-nan", estimator=sampler, input_name="X")
    else:
        X = validate_data(
            sampler, X, reset=reset, accept_sparse=_SPARSE, ensure_all_finite="allow-nan"
        )
        values = X.data if sparse.issparse(X) else X
    if not allow_nan and np.isnan(values).any():
        raise InputError(
            "Input X contains NaN: missing values. Fill them in, or pass allow_nan=True and an "
            "estimator that accepts them."
        )
    _check_magnitude(X, values)
    return X


def _check_magnitude(X: Any, values: Any) -> None:
    """Refuse numbers whose squares overflow: distances and deviations would be infinite."""
    if values.dtype.kind != "f" or float(np.finfo(values.dtype).max) <= LARGEST:
        return
    places = np.argwhere(np.abs(values) > LARGEST)
    if not len(places):
        return
    place = places[0]
    value = values[tuple(place)]
    column = "" if values.ndim == 1 else f" in column {column_name(X, place[1])}"
    raise InputError(
        f"X holds {value:g}{column}; numbers beyond {LARGEST:g} overflow where distances are "
        "measured: rescale the column, or correct the value."
    )


def check_state_size(encoder: Encoder) -> None:
    """Raise InputError for one-hot blocks that would not fit into memory.

    They are made again by most estimators, and copied: a quarter of the memory of other arrays.
    """
    n_bytes = 8 * len(encoder.codes) * encoder.n_state_features()
    if encoder.categorical.any() and n_bytes > MAX_BYTES // 4:
        name, count = encoder.widest()
        raise InputError(
            f"Column {name} has {count:,} categories, whose one-hot columns would take "
            f"{_gb(n_bytes)} with those of the others (at most {_gb(MAX_BYTES // 4)}); leave it "
            "out if it is an id, or group its values."
        )


def check_validation(sampler: Any, X: Any, validation: Any, **rows: Any) -> tuple[Any, np.ndarray]:
    """Check a validation part (X, y) against the given rows X, as ``check_rows`` does."""
    if len(validation) != 2:
        raise InputError(f"validation must be a pair (X, y), not {len(validation)} values.")
    X_val, y_val = validation
    if is_frame(X_val) != is_frame(X):
        raise InputError("The validation rows and the given ones must both be DataFrames, or not.")
    X_val = dense(check_rows(sampler, X_val, reset=False, **rows))
    y_val = column_or_1d(y_val, warn=True)
    if len(X_val) != len(y_val):
        raise InputError(f"validation has {len(X_val)} rows, but {len(y_val)} labels.")
    return X_val, y_val


def dense(X: Any) -> Any:
    """Return a sparse matrix as an array, anything else as it is.

    Raises
    ------
    InputError
        When the array would be too large.
    """
    if not sparse.issparse(X):
        return X
    n_bytes = X.shape[0] * X.shape[1] * X.dtype.itemsize
    if n_bytes > MAX_BYTES:
        raise InputError(
            f"X is sparse, and made dense inside, where its {X.shape[0]:,} x {X.shape[1]:,} values "
            f"would take {_gb(n_bytes)} (at most {_gb(MAX_BYTES)}); reduce its columns first, for "
            "example by TruncatedSVD."
        )
    return X.toarray()


def check_pool_size(n_minority: int, K: int, encoder: Encoder) -> None:
    """Raise InputError for a search space that would not fit into memory."""
    widest = max(encoder.codes.shape[1], encoder.n_state_features())
    n_bytes = 8 * n_minority * min(K, n_minority) * N_LAMBDAS * widest
    if n_bytes > MAX_BYTES:
        raise InputError(
            f"The possible synthetic rows of {n_minority:,} minority rows and K={K} would take up "
            f"to {_gb(n_bytes)} (at most {_gb(MAX_BYTES)}); choose a smaller K or fewer columns."
        )


def _gb(n_bytes: int) -> str:
    return f"{n_bytes / 2**30:.1f} GB"
