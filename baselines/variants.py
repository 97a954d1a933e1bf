"""Wrap smote_variants' over-samplers as resamplers, with fixes for those that are broken."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from inspect import signature
from types import ModuleType
from typing import Any, Self

import numpy as np

from autosmote.errors import UserError
from baselines.random_state import isolated
from baselines.resampler import Features, Groups, Labels, Resampler, training_part
from baselines.variants_registry import VARIANTS


class SmoteVariant(Resampler):
    """A resampler that calls one of smote_variants' over-samplers (Kovács, 2019).

    Parameters
    ----------
    random_state : int
        Of the sampler, and of the global generators that some samplers draw from.
    variant : str
        A name of `baselines.variants_registry.VARIANTS`, such as ``SMOTE_IPF``.
    **params
        Further arguments of the class; `proportion` comes from the ratio.

    Raises
    ------
    UserError
        If there is no such variant, it does not take the parameters, or a package is missing.

    Notes
    -----
    A sampler that returns the rows unchanged says why in a warning.
    """

    def __init__(self, *, random_state: int, variant: str, **params: Any) -> None:
        super().__init__(random_state=random_state)
        if variant not in VARIANTS:
            by_lower = {name.lower(): name for name in VARIANTS}
            close = get_close_matches(variant.lower(), by_lower, n=1)
            hint = f" (did you mean {by_lower[close[0]]}?)" if close else ""
            raise UserError(f"There is no variant '{variant}' in smote_variants{hint}.")
        _require_packages(variant)
        self._variant, self._params = VARIANTS[variant], params
        if params:
            self._check_params()
        self._trained: Any = None

    def fit(self, X: Features, y: Labels, *, groups: Groups = ()) -> Self:
        super().fit(X, y, groups=groups)
        if self._variant.changes_features:
            self._trained = self._make()
            with _call(self.random_state):
                self._trained.train(X.copy(), y.astype(np.int64))
        return self

    def resample(self, ratio: float | None) -> tuple[Features, Labels]:
        n_majority, n_minority = self._class_counts()
        if ratio is not None and not self._variant.takes_ratio:
            raise ValueError(f"{self._variant.name} takes no ratio")
        p = {} if ratio is None else {"proportion": proportion(ratio, n_majority, n_minority)}
        sampler = self._make(**p)
        self._warn_if_too_small(sampler, n_minority)
        if self._trained is not None:
            sampler.take_training_from(self._trained)
        with _call(self.random_state):
            X, y = sampler.sample(self._X.copy(), self._y.astype(np.int64))
        return training_part(X, y)

    def transform(self, X: Features) -> Features:
        """Map other rows to the features of E_SMOTE or ISOMAP_Hybrid; the identity for others."""
        if self._trained is None:
            return X
        return np.ascontiguousarray(self._trained.preprocessing_transform(X), dtype=np.float64)

    def _make(self, **ratio: float) -> Any:
        return _class(self._variant.name)(random_state=self.random_state, **ratio, **self._params)

    def _check_params(self) -> None:
        # The classes ignore unknown parameters.
        parameters = signature(_class(self._variant.name)).parameters.values()
        own = ("proportion", "random_state")
        names = [p.name for p in parameters if p.kind != p.VAR_KEYWORD and p.name not in own]
        for given in self._params:
            if given not in names:
                raise UserError(
                    f"sampler.params.{given} does not suit {self._variant.name}; "
                    f"it takes {', '.join(names)}."
                )

    def _warn_if_too_small(self, sampler: Any, n_minority: int) -> None:
        limits: Mapping[str, int] = sampler.checks
        for found, what, limit in (
            (n_minority, "minority rows", limits["min_n_min"] + 1),
            (self._X.shape[1], "features", limits.get("min_n_dim", 0)),
        ):
            if found < limit:
                warnings.warn(
                    f"{self._variant.name} needs at least {limit} {what}, not {found}, "
                    "and gives the rows back as they are",
                    stacklevel=3,
                )


def proportion(ratio: float, n_majority: int, n_minority: int) -> float:
    """Return smote_variants' `proportion` for a ratio n_min/n_maj after resampling.

    smote_variants makes ``int((n_majority - n_minority) * proportion)`` rows. Half a row is added
    so that, however it is rounded, this equals imbalanced-learn's number of rows,
    ``int(ratio * n_majority) - n_minority``.
    """
    return float((int(ratio * n_majority) - n_minority + 0.5) / (n_majority - n_minority))


def _require_packages(variant: str) -> None:
    """Raise UserError if a package that a variant needs is missing."""
    if find_spec("smote_variants") is None:
        raise UserError(
            "The SMOTE variants need the package smote-variants, which is not installed; "
            "install the extra `variants`, or without tensorflow by "
            "pip install minisom metric-learn seaborn; pip install --no-deps smote-variants."
        )
    if variant == "DEAGO" and find_spec("tensorflow") is None:
        raise UserError(
            "DEAGO trains its autoencoder with tensorflow, which is not installed (the other "
            "variants do without); install it by pip install tensorflow."
        )


@cache
def _package() -> ModuleType:
    """Import smote_variants without its changes to warning filters and the global generators."""
    with warnings.catch_warnings(), isolated(0):
        import smote_variants
    logging.getLogger("smote_variants").setLevel(logging.CRITICAL)
    return smote_variants


@contextmanager
def _call(seed: int) -> Iterator[None]:
    """Seed a call and undo its global changes; let it warn why it returns rows unchanged."""
    config = _package().config
    is_silent = config.suppress_internal_warnings()
    environment = dict(os.environ)
    with warnings.catch_warnings(), isolated(seed):
        config.suppress_internal_warnings(False)
        try:
            yield
        finally:
            config.suppress_internal_warnings(is_silent)
            if dict(os.environ) != environment:  # DEAGO sets the number of threads
                os.environ.clear()
                os.environ.update(environment)


@cache
def _class(name: str) -> type:
    """Return the package's class, or its fixed version below."""
    adapter = _ADAPTERS.get(name)
    original = getattr(_package(), name)
    return original if adapter is None else adapter(original)


def _fix_deago(original: Any) -> type:
    class DEAGO(original):
        def sampling_algorithm(self, X: np.ndarray, y: np.ndarray) -> tuple:
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # no log output on import
            return super().sampling_algorithm(X, y)

        def get_model(self, n_dim: int, encoding_d: int) -> Any:
            return super().get_model(n_dim, int(encoding_d))  # keras 3 takes no numpy integers

    return DEAGO


def _fix_mot2ld(original: Any) -> type:
    from sklearn.manifold import TSNE
    from smote_variants.oversampling import _mot2ld

    # scikit-learn 1.7 renamed the argument.
    _mot2ld.TSNE = lambda *args, n_iter, **kwargs: TSNE(*args, max_iter=n_iter, **kwargs)
    return original


def _train_e_smote_once(original: Any) -> type:
    class E_SMOTE(original):
        """E_SMOTE that selects features once, since they depend on the seed, not on the ratio."""

        def train(self, X: np.ndarray, y: np.ndarray) -> None:
            self.sample(X, y)

        def take_training_from(self, trained: Any) -> None:
            self.mask = trained.mask

        def sampling_algorithm(self, X: np.ndarray, y: np.ndarray) -> tuple:
            if self.mask is None:
                return super().sampling_algorithm(X, y)
            smote = _class("SMOTE")(
                proportion=self.proportion,
                n_neighbors=self.n_neighbors,
                nn_params=self.nn_params,
                ss_params=self.ss_params,
                n_jobs=self.n_jobs,
                random_state=self._random_state_init,
            )
            return smote.sample(X[:, self.mask], y)

    return E_SMOTE


def _train_isomap_once(original: Any) -> type:
    class ISOMAP_Hybrid(original):
        """ISOMAP_Hybrid that fits its map once; each ratio repeats only SMOTE and the cleaning."""

        def train(self, X: np.ndarray, y: np.ndarray) -> None:
            self.isomap.fit(X)

        def take_training_from(self, trained: Any) -> None:
            self.isomap = _Fitted(trained.isomap)

    return ISOMAP_Hybrid


class _Fitted:
    """A fitted map that returns its embedding in place of being fitted again."""

    def __init__(self, isomap: Any) -> None:
        self._isomap = isomap

    def fit_transform(self, X: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self._isomap.embedding_

    def __getattr__(self, name: str) -> Any:  # the parameters, which the logger reads
        return getattr(self._isomap, name)


_ADAPTERS: dict[str, Any] = {
    "DEAGO": _fix_deago,
    "MOT2LD": _fix_mot2ld,
    "E_SMOTE": _train_e_smote_once,
    "ISOMAP_Hybrid": _train_isomap_once,
}
