"""CTGAN and TVAE, trained once and sampled for each ratio."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from inspect import signature
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from autosmote.errors import UserError
from baselines.random_state import isolated
from baselines.resampler import Features, Groups, Labels, Resampler, training_part

if TYPE_CHECKING:
    import pandas as pd

_TABLE = "rows"
_LABEL = "label"
_BATCH = 10_000
"""Rows that are sampled at a time where only those of the minority are kept."""
_MOST_BATCHES = 50
"""After so many, those kept are all that a synthesizer makes: TVAE may make one in 10,000."""


class _Synthesizer(Resampler):
    """A resampler that samples new minority rows from an sdv synthesizer.

    Parameters
    ----------
    random_state : int
        Of training and sampling.
    rows : {"minority", "all"}
        Training rows of the synthesizer. minority: it samples what it has seen; all: with their
        label as a column, and of what it samples the rows with the minority's label are kept. (The
        paper says no more than "augment the minority class".)
    **params
        Of sdv's class, such as ``epochs=300``.

    Raises
    ------
    UserError
        If sdv is not installed, its class does not take a parameter, or `rows` is neither value.

    Notes
    -----
    The generator is given each one-hot block as one discrete column, with a block of zeros (a
    missing value) as a category of its own. It is trained on a GPU if there is one. sdv clips
    numbers to the range of the training rows.
    """

    _name: str

    def __init__(self, *, random_state: int, rows: str = "minority", **params: Any) -> None:
        super().__init__(random_state=random_state)
        if rows not in ("minority", "all"):
            raise UserError(f"sampler.params.rows must be minority or all, not {rows}.")
        if find_spec("sdv") is None:
            raise UserError(
                "CTGAN and TVAE need the package sdv, which is not installed; "
                "install the extra `generative`: pip install -e '.[generative]'."
            )
        self._with_label = rows == "all"
        self._params = params
        if params:
            self._check_params()

    def fit(self, X: Features, y: Labels, *, groups: Groups = ()) -> Self:
        super().fit(X, y, groups=groups)
        import torch

        Metadata, synthesizer = _from_sdv(self._name)
        rows, sdtypes = self._encode(X if self._with_label else X[y == 1])
        if self._with_label:
            rows[_LABEL] = y.astype(str).astype(object)
            sdtypes[_LABEL] = "categorical"
        columns = {name: {"sdtype": sdtype} for name, sdtype in sdtypes.items()}
        with isolated(self.random_state, with_torch=True), _without_advice():
            self._model = synthesizer(
                Metadata.load_from_dict({"tables": {_TABLE: {"columns": columns}}}),
                **{
                    # Scaled values have no fixed number of decimals.
                    "enforce_rounding": False,
                    "enable_gpu": torch.cuda.is_available(),
                    **self._params,
                },
            )
            self._model.fit({_TABLE: rows})
        # With labels: minority rows so far, of which smaller ratios take fewer.
        self._minority, self._n_batches = self._decode(rows[:0]), 0
        return self

    def resample(self, ratio: float | None) -> tuple[Features, Labels]:
        """Append generated minority rows; ratio None balances the classes."""
        n_majority, n_minority = self._class_counts()
        n_new = int((1.0 if ratio is None else ratio) * n_majority) - n_minority
        if n_new <= 0:
            raise ValueError(f"ratio {ratio} is not above that of the data")
        new = self._sample_labelled(n_new) if self._with_label else self._sample(n_new)
        X = np.vstack([self._X, new])
        return training_part(X, np.append(self._y, np.ones(len(new), dtype=np.int8)))

    def _sample(self, n_new: int) -> Features:
        """Sample rows of a synthesizer of minority rows."""
        with isolated(self.random_state, with_torch=True), _without_advice():
            self._model.reset_sampling()  # else it would continue the last call's random sequence
            return self._decode(self._model.sample(num_rows=n_new)[_TABLE])

    def _sample_labelled(self, n_new: int) -> Features:
        """Sample rows until enough have the minority's label; fewer where they are too rare.

        sdv's conditional sampling does the same: these synthesizers take no conditions.

        Raises
        ------
        ValueError
            If none has it.
        """
        while len(self._minority) < n_new and self._n_batches < _MOST_BATCHES:
            with isolated(self.random_state, with_torch=True), _without_advice():
                rows = self._model.sample(num_rows=_BATCH)[_TABLE]
            found = self._decode(rows[rows[_LABEL] == "1"])
            self._minority = np.vstack([self._minority, found])
            self._n_batches += 1
        if len(self._minority) == 0:
            raise ValueError(f"none of {_MOST_BATCHES * _BATCH} rows sampled is of the minority")
        return self._minority[:n_new]

    def _encode(self, X: Features) -> tuple[pd.DataFrame, dict[str, str]]:
        """Return a table with one text column per one-hot block, and the columns' sdv types."""
        import pandas as pd

        columns: dict[str, np.ndarray] = {}
        for start, stop in self._groups:
            block = X[:, start:stop]
            codes = np.where(block.any(axis=1), block.argmax(axis=1), -1)
            columns[f"block {start}"] = codes.astype(str).astype(object)
        sdtypes = dict.fromkeys(columns, "categorical")
        for j in self._numeric():
            columns[f"column {j}"] = X[:, j]
            sdtypes[f"column {j}"] = "numerical"
        return pd.DataFrame(columns), sdtypes

    def _decode(self, rows: pd.DataFrame) -> Features:
        """Return the rows of a table that `_encode` describes as features."""
        X = np.zeros((len(rows), self._X.shape[1]))
        for start, stop in self._groups:
            codes = rows[f"block {start}"].to_numpy().astype(int)
            X[:, start:stop] = codes[:, None] == np.arange(stop - start)
        for j in self._numeric():
            X[:, j] = rows[f"column {j}"]
        return X

    def _numeric(self) -> list[int]:
        """Return the indices of the columns outside the one-hot blocks."""
        in_blocks = {j for start, stop in self._groups for j in range(start, stop)}
        return [j for j in range(self._X.shape[1]) if j not in in_blocks]

    def _check_params(self) -> None:
        names = [
            name for name in signature(_from_sdv(self._name)[1]).parameters if name != "metadata"
        ]
        for given in self._params:
            if given not in names:
                raise UserError(
                    f"sampler.params.{given} does not suit sdv's {self._name}; "
                    f"it takes {', '.join(names)}."
                )


class CTGAN(_Synthesizer):
    """Conditional tabular GAN (Xu et al., 2019)."""

    _name = "CTGANSynthesizer"


class TVAE(_Synthesizer):
    """Tabular variational autoencoder (Xu et al., 2019)."""

    _name = "TVAESynthesizer"


def _from_sdv(synthesizer: str) -> tuple[Any, Any]:
    """Return sdv's class of metadata and the synthesizer's class."""
    with isolated(0):  # the import draws from `random`'s global generator
        from sdv import metadata, single_table
    return metadata.Metadata, getattr(single_table, synthesizer)


def _without_advice() -> warnings.catch_warnings:
    """Suppress sdv's advice, such as to save the metadata to a file."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)
