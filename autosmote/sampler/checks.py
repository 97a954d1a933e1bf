"""Input checks of the sampler, with scikit-learn's messages where it has one."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import validate_data

from autosmote.errors import InputError
from autosmote.sampler.encoding import Encoder, categorical_columns, is_frame
from autosmote.space.base import N_LAMBDAS

MAX_BYTES = 4 << 30
"""Of one array: beyond it a densified matrix or the possible synthetic rows are refused."""

_SPARSE = ("csr", "csc")


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
    return X


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
