"""Call samplers from the configuration, each in a child process with limits.

A *resampler* is a class with

    __init__(self, *, random_state, **params)
    fit(self, X, y, *, groups) -> self        the training part; one-hot column ranges
    resample(self, ratio) -> (X_new, y_new)   n_min/n_maj to reach; None where it takes none
    transform(self, X) -> X                   the identity unless it changes the features

and is trained once, in `fit`, for all ratios. A *method* is its own classifier:

    __init__(self, *, random_state, **params)
    fit(self, X_train, y_train, X_val, y_val, *, estimator, metric) -> self
    predict(self, X) -> labels 0 and 1

`SandboxedResampler` and `SandboxedMethod` have the same methods and run them in the child process.
They raise `ChildFailed` if the class fails, hangs, crashes or takes too much memory.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autosmote.config.schema import LimitSettings, SamplerSettings
from autosmote.config.targets import make_sampler
from autosmote.errors import UserError, scrub
from autosmote.isolation.forkserver import ForkServer, HostEnded
from autosmote.isolation.sandbox import (
    NO_LIMIT,
    ChildFailed,
    ChildNotStarted,
    CpuLimit,
    Deadline,
    SandboxedObject,
)

Groups = list[tuple[int, int]]


class SandboxedSampler:
    """Base class of samplers in a child process.

    With `mistakes_fail` a `UserError` of the sampler is raised as `ChildFailed` too: where it is
    one of many samplers, a missing package must not end the others.

    Attributes
    ----------
    seconds : float
        Time spent in all calls.
    warnings : list of str
    peak_memory_mb : float

    Raises
    ------
    ChildFailed
        From the constructor and every call.
    UserError
        If the sampler cannot be made from its settings, unless `mistakes_fail`.
    """

    def __init__(
        self,
        settings: SamplerSettings,
        seed: int,
        limits: LimitSettings,
        *,
        mistakes_fail: bool = False,
    ) -> None:
        self._settings, self._seed, self._limits = settings, seed, limits
        self._mistakes_fail = mistakes_fail
        self.seconds = 0.0
        self.warnings: list[str] = []
        self._peaks = [0.0]
        try:
            ForkServer.of_this_process().wait_until_ready()  # no part of the sampler's seconds
        except HostEnded as ended:
            raise ChildNotStarted(ended) from ended
        self._end = Deadline.after(limits.run_seconds, "limits.run_seconds")
        self._child = self._start()

    @property
    def peak_memory_mb(self) -> float:
        return max(*self._peaks, self._child.peak_memory_mb)

    def close(self) -> None:
        self._child.close()

    def _start(self) -> SandboxedObject:
        with self._mistakes_as_asked():
            memory = self._limits.memory_mb
            arguments = (CheckedSampler, self._settings, self._seed)
            return SandboxedObject(
                memory, *arguments, deadline=self._end, cpu=self._cpu_limit(n_served=1)
            )

    def _cpu_limit(self, n_served: int) -> CpuLimit:
        """Return the limit of a call that serves so many resamplings."""
        return NO_LIMIT

    def _call(self, method: str, *arguments: Any, n_served: int = 1) -> Any:
        started = time.perf_counter()
        try:
            with self._mistakes_as_asked():
                cpu = self._cpu_limit(n_served)
                answer = self._child.call(method, *arguments, deadline=self._end, cpu=cpu)
        finally:
            self.seconds += time.perf_counter() - started
        self.warnings += answer.warnings
        return answer.value

    @contextmanager
    def _mistakes_as_asked(self) -> Generator[None, None, None]:
        """Raise a UserError as it is, or as ChildFailed if `mistakes_fail`."""
        try:
            yield
        except UserError as mistake:
            if not self._mistakes_fail:
                raise
            raise ChildFailed("failed", scrub(str(mistake))) from mistake


class SandboxedResampler(SandboxedSampler):
    """A resampler in a child process; after a crash it is fitted again in a new one."""

    def fit(self, X: np.ndarray, y: np.ndarray, groups: Groups, n_ratios: int = 1) -> None:
        """Train, within the CPU seconds of all `n_ratios` resamplings that it serves."""
        self._training, self._n_ratios = (X, y, groups), n_ratios
        self._call("fit", *self._training, n_served=n_ratios)

    def transform(self, X: np.ndarray) -> np.ndarray:
        changed = self._call("transform", X)
        return X if changed is None else changed

    def resample(self, ratio: float | None) -> tuple[np.ndarray, np.ndarray]:
        if not self._child.alive:
            self._peaks.append(self._child.peak_memory_mb)
            self._child = self._start()
            self._call("fit", *self._training, n_served=self._n_ratios)
        X, y = self._call("resample", ratio)
        return X, y

    def _cpu_limit(self, n_served: int) -> CpuLimit:
        seconds = self._limits.resampling_seconds
        if seconds is None:
            return NO_LIMIT
        setting = f"limits.resampling_seconds={seconds:g}"
        if n_served > 1:
            setting += f" for each of {n_served} ratios"
        return CpuLimit(n_served * seconds, setting)


class SandboxedMethod(SandboxedSampler):
    """A method in a child process."""

    def fit(self, *parts: np.ndarray, estimator: Any, metric: str) -> None:
        self._call("fit_method", *parts, estimator, metric)

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self._call("predict", X)


class CheckedSampler:
    """The sampler in the child; converts its results to checked arrays."""

    def __init__(self, settings: SamplerSettings, seed: int) -> None:
        self._sampler = make_sampler(settings, seed)

    def fit(self, X: np.ndarray, y: np.ndarray, groups: Groups) -> None:
        self._sampler.fit(X, y, groups=groups)

    def resample(self, ratio: float | None) -> tuple[np.ndarray, np.ndarray]:
        X, y = self._sampler.resample(ratio)
        X = _features(X)
        return X, _labels(y, len(X))

    def transform(self, X: np.ndarray) -> np.ndarray | None:
        changed = self._sampler.transform(X)
        return None if changed is X else _features(changed)

    def fit_method(
        self,
        X_train: np.ndarray,
        y_train: np.ndarray,
        X_val: np.ndarray,
        y_val: np.ndarray,
        estimator: Any,
        metric: str,
    ) -> None:
        self._sampler.fit(X_train, y_train, X_val, y_val, estimator=estimator, metric=metric)

    def predict(self, X: np.ndarray) -> np.ndarray:
        return _labels(self._sampler.predict(X), len(X))


def _features(X: Any) -> np.ndarray:
    """Return features as float64; ValueError unless they are a table of finite numbers."""
    X = np.ascontiguousarray(X, dtype=np.float64)
    if X.ndim != 2 or not np.isfinite(X).all():
        raise ValueError(f"the sampler returned no table of finite numbers (shape {X.shape})")
    return X


def _labels(y: Any, n: int) -> np.ndarray:
    """Return labels as int8; ValueError unless they are `n` labels 0 and 1."""
    y = np.asarray(y)
    if y.shape != (n,) or not np.isin(y, (0, 1)).all():
        raise ValueError(f"the sampler returned no labels 0 and 1 for {n} rows")
    return y.astype(np.int8)
