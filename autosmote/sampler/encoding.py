"""Encode a user's rows as a search's numbers, and decode synthetic rows.

A search needs two views of a row. Its *codes* are what is interpolated: the numbers in the user's
units, and for each categorical column the index of a category. Its *state* is what distances and
policies see: the numbers standardised, the categories one-hot. Synthetic rows go back from codes
to the form, the types and the categories of the rows that were given.
"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autosmote.errors import InputError

Codes = NDArray[np.float64]

_TEXT_KINDS = "OSU"
_MOST_DIGITS = 6
LARGEST_WHOLE = 2**53


def is_frame(X: Any) -> bool:
    """Return whether X is a pandas DataFrame."""
    return hasattr(X, "iloc") and hasattr(X, "dtypes") and getattr(X, "ndim", 0) == 2


def categorical_columns(X: Any, categorical_features: Any) -> NDArray[np.bool_]:
    """Return which columns hold categories.

    Parameters
    ----------
    X : {ndarray, sparse matrix, DataFrame} of shape (n, columns)
    categorical_features : {"auto", None} or sequence
        Positions, names, or a mask; "auto" takes a DataFrame's columns of text, categories and
        truth values, and none of an array.

    Raises
    ------
    InputError
        When a name or a position is not there.
    """
    n_columns = X.shape[1]
    mask = np.zeros(n_columns, dtype=bool)
    if categorical_features is None:
        return mask
    if isinstance(categorical_features, str):
        if is_frame(X):
            mask[:] = [
                not _is_number(dtype) and not _time_type(X.iloc[:, j])
                for j, dtype in enumerate(X.dtypes)
            ]
        return mask
    chosen = np.asarray(categorical_features)
    if chosen.ndim != 1:
        raise InputError(
            "categorical_features must be a list of positions, names or truth values; give the "
            "positions of columns whose names are tuples."
        )
    if chosen.dtype.kind == "b":
        if chosen.shape != mask.shape:
            raise InputError(
                f"categorical_features is a mask of {chosen.size} values, but X has {n_columns} "
                "columns; give one value for each."
            )
        return chosen.copy()
    if chosen.dtype.kind in _TEXT_KINDS:
        names = list(X.columns) if is_frame(X) else []
        unknown = [name for name in chosen if name not in names]
        if unknown:
            raise InputError(
                f"categorical_features names {unknown[0]!r}, but X has no column of that name; "
                f"its columns are {', '.join(map(str, names)) or 'without names'}."
            )
        chosen = np.array([names.index(name) for name in chosen], dtype=int)
    if chosen.size and not (-n_columns <= chosen.min() <= chosen.max() < n_columns):
        raise InputError(
            f"categorical_features must lie between 0 and {n_columns - 1}, the positions of X's "
            f"columns; got {chosen.tolist()}."
        )
    mask[chosen.astype(int)] = True
    return mask


class Encoder:
    """Encoder of given rows as codes, and decoder of codes to rows of the same kind.

    X is an array or a DataFrame, `categorical` the mask of `categorical_columns`.

    Attributes
    ----------
    codes : float64 ndarray of shape (n, columns)
        Of the given rows; NaN where a value is missing.
    plain : bool
        Whether X is nothing but 64-bit floats, whole numbers and truth values, which a classifier
        turns into 64-bit floats without a change.

    Raises
    ------
    InputError
        When a column is neither a number nor a category, or has values that are no categories.
    ValueError
        When a column that is to be a number holds text.
    """

    def __init__(self, X: Any, categorical: NDArray[np.bool_]) -> None:
        import pandas as pd

        self.categorical = categorical
        self._like = X[:0]
        self._categories: dict[int, Any] = {}
        self.codes = np.empty(X.shape, dtype=np.float64)
        self._dtypes: list[Any] = []
        for j in range(X.shape[1]):
            column = X.iloc[:, j] if is_frame(X) else X[:, j]
            self._dtypes.append(column.dtype)
            if categorical[j]:
                try:
                    codes, self._categories[j] = pd.factorize(column, sort=True)
                except (TypeError, NotImplementedError) as error:  # lists and the like
                    raise InputError(
                        f"Column {column_name(X, j)} is of type {column.dtype} and holds values "
                        f"that are no categories ({error}); turn them into text or numbers, or "
                        "leave the column out."
                    ) from error
                self.codes[:, j] = np.where(codes < 0, np.nan, codes)
            else:
                self.codes[:, j] = _to_numbers(column, X, j)
        self._digits = {
            j: digits
            for j in range(X.shape[1] if is_frame(X) else 0)
            if j not in self._categories
            and _kind(self._dtypes[j]) == "f"
            and (digits := _digits(X.iloc[:, j])) is not None
        }
        self._empty = np.asarray(np.isnan(self.codes).all(axis=0))
        numbers = [np.dtype("O") if not isinstance(d, np.dtype) else d for d in self._dtypes]
        self.plain = all(dtype.kind in "iub" or dtype == np.float64 for dtype in numbers)

    @property
    def has_text(self) -> bool:
        """Whether a column holds categories that are no numbers."""
        return any(not _is_number(self._dtypes[j]) for j in self._categories)

    def store(self, codes: Codes) -> Codes:
        """Round interpolated codes to what their columns can hold: whole numbers, short floats.

        A DataFrame's floats keep to the digits of the given ones, if these have six at most.
        """
        codes = codes.copy()
        for j, dtype in enumerate(self._dtypes):
            if j in self._categories:
                continue
            if j in self._digits:
                codes[:, j] = np.round(codes[:, j], self._digits[j])
            if _kind(dtype) in "iub":
                codes[:, j] = np.rint(codes[:, j])
            elif _kind(dtype) == "f":
                codes[:, j] = codes[:, j].astype(_numpy_dtype(dtype))
        return codes

    def decode(self, codes: Codes) -> Any:
        """Return rows with these codes, none of them missing, in the form of the given ones."""
        if not is_frame(self._like):
            if self._like.dtype.kind in _TEXT_KINDS or self._categories:
                rows = np.empty(codes.shape, dtype=self._like.dtype)
                for j in range(codes.shape[1]):
                    rows[:, j] = self._values(j, codes)
                return rows
            return codes.astype(self._like.dtype, copy=False)
        import pandas as pd

        columns = [
            pd.Series(self._values(j, codes)).astype(dtype) for j, dtype in enumerate(self._dtypes)
        ]
        rows = pd.concat(columns, axis=1, ignore_index=True)
        rows.columns = self._like.columns
        return rows

    def _values(self, j: int, codes: Codes) -> Any:
        if self._empty[j]:  # a column without any value stays one
            return np.full(len(codes), np.nan)
        if j in self._categories:
            return self._categories[j].take(codes[:, j].astype(np.intp))
        return codes[:, j]

    def widest(self) -> tuple[str, int]:
        """Return the name (or place) of the column with most categories, and their number."""
        j = max(self._categories, key=lambda j: len(self._categories[j]))
        return column_name(self._like, j), len(self._categories[j])

    def n_state_features(self) -> int:
        """Return the length of a state."""
        numbers = int(np.count_nonzero(~self.categorical))
        return numbers + sum(len(categories) for categories in self._categories.values())

    def impute(self, rows: NDArray[np.integer]) -> Codes:
        """Fill missing codes by medians and most frequent categories (the first) of `rows`."""
        if not np.isnan(self.codes).any():
            return self.codes
        from sklearn.impute import SimpleImputer

        filled = self.codes.copy()
        for mask, strategy in ((~self.categorical, "median"), (self.categorical, "most_frequent")):
            if mask.any():
                imputer = SimpleImputer(strategy=strategy, keep_empty_features=True)
                imputer.fit(self.codes[rows][:, mask])
                filled[:, mask] = imputer.transform(self.codes[:, mask])
        return self.store(filled)

    def states(
        self, codes: Codes, rows: NDArray[np.integer], *, standardize: bool
    ) -> NDArray[np.float64]:
        """Return the states of imputed codes; scales are those of `rows`."""
        blocks: list[NDArray] = []
        numbers = codes[:, ~self.categorical]
        if numbers.shape[1]:
            if standardize:
                from sklearn.preprocessing import StandardScaler

                numbers = StandardScaler().fit(numbers[rows]).transform(numbers)
            blocks.append(numbers)
        for j, categories in self._categories.items():
            blocks.append(codes[:, j, None] == np.arange(len(categories)))
        return np.concatenate(blocks, axis=1, dtype=np.float64)


def _is_number(dtype: Any) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return is_numeric_dtype(dtype) and not is_bool_dtype(dtype)


def _time_type(column: Any) -> str:
    """Return the type of a column of dates, times or durations, Python's too; "" of any other."""
    import pandas as pd

    dtype = column.dtype
    if dtype.kind in "mM":
        return str(dtype)
    if dtype.kind != "O" or hasattr(dtype, "categories"):
        return ""
    known = pd.Series(column).dropna()
    times = (datetime.date, datetime.time, datetime.timedelta, pd.Period)
    if not len(known) or not all(isinstance(value, times) for value in known):
        return ""
    return type(known.iloc[0]).__name__


def _numpy_dtype(dtype: Any) -> Any:
    """Return the NumPy type behind a nullable, sparse or Arrow one."""
    return getattr(dtype, "subtype", getattr(dtype, "numpy_dtype", dtype))


def _kind(dtype: Any) -> str:
    return _numpy_dtype(dtype).kind


def _digits(column: Any) -> int | None:
    """Return after how many decimals, at most six, all of a column's numbers end; else None."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    values = values[np.isfinite(values)]
    exact = _numpy_dtype(column.dtype)
    if values.size:
        with np.errstate(over="ignore", invalid="ignore"):
            for digits in range(_MOST_DIGITS + 1):
                if np.array_equal(np.round(values, digits).astype(exact), values.astype(exact)):
                    return digits
    return None


def check_types(X: Any) -> NDArray[np.bool_]:
    """Return the columns that "auto" takes for categories, if no other holds dates and the like.

    Raises
    ------
    InputError
        With the column's name.
    """
    categorical = categorical_columns(X, "auto")
    if is_frame(X):
        for j in np.flatnonzero(~categorical).tolist():
            _check_type(X.iloc[:, j], X, j)
    return categorical


def _check_type(column: Any, X: Any, j: int) -> None:
    """Refuse a column of dates, durations and the like."""
    dtype = column.dtype
    other = dtype.kind not in "iufbO" and not hasattr(dtype, "categories")
    if kind := _time_type(column) or (str(dtype) if other else ""):
        raise InputError(
            f"Column {column_name(X, j)} is of type {kind}, which is neither a number nor a "
            "category; turn it into numbers, or leave it out."
        )


def column_name(X: Any, j: int) -> str:
    """Return what a column is called in a message: its name in quotes, or its position."""
    return f"'{X.columns[j]}'" if is_frame(X) else str(j)


def _to_numbers(column: Any, X: Any, j: int) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where missing."""
    dtype = column.dtype
    _check_type(column, X, j)
    if is_frame(X):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        numbers = column.astype(np.float64)
    if _kind(dtype) in "iu" and np.nanmax(np.abs(numbers), initial=0) >= LARGEST_WHOLE:
        raise InputError(
            f"Column {column_name(X, j)} has whole numbers from 2**53 on, which 64-bit floats "
            "skip; leave it out if it is an id, or turn it into text or smaller numbers."
        )
    return numbers


def tabular(estimator: Any, *, categorical: Any = None, scale: bool = False) -> Any:
    """Put one-hot encoding of categories, and medians for missing numbers, before a classifier.

    Parameters
    ----------
    estimator : scikit-learn classifier
    categorical : sequence, optional
        Names, positions or mask of their columns; None takes a DataFrame's columns of text,
        categories and truth values.
    scale : bool
        Standardise the numbers too, for classifiers that go by distances.

    Returns
    -------
    sklearn.pipeline.Pipeline

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from autosmote.encoding import tabular
    >>> [name for name, step in tabular(KNeighborsClassifier(), scale=True).steps]
    ['columntransformer', 'kneighborsclassifier']
    """
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    missing_as_none = FunctionTransformer(_missing_as_none, feature_names_out="one-to-one")
    one_hot = make_pipeline(missing_as_none, OneHotEncoder(handle_unknown="ignore"))
    numbers = [
        SimpleImputer(strategy="median", keep_empty_features=True),
        *([StandardScaler()] if scale else []),
    ]
    columns = _categories if categorical is None else categorical
    encoding = make_column_transformer(
        (one_hot, columns),
        remainder=make_pipeline(*numbers),
        sparse_threshold=0.0,
    )
    # Whatever set_config says: pandas' form cannot hold what the one-hot step makes.
    return make_pipeline(encoding.set_output(transform="default"), estimator)


def _missing_as_none(X: Any) -> Any:
    """Return text with None where it is missing: scikit-learn cannot compare pandas' NA."""
    if not is_frame(X):
        return X
    X = X.copy()
    for j, dtype in enumerate(X.dtypes):  # by position, as names may be of any type
        if dtype.kind in _TEXT_KINDS and not hasattr(dtype, "categories"):
            column = X.iloc[:, j]
            X.isetitem(j, column.astype(object).where(column.notna(), None))
    return X


def _categories(X: Any) -> NDArray[np.bool_]:
    """Return the mask of a table's columns of text, categories and truth values."""
    return check_types(X)  # no names: whole numbers would be taken for positions
