"""Classifiers that misbehave."""

import os
import resource
import signal
import warnings

import numpy as np
from sklearn.tree import DecisionTreeClassifier


class _NoMessage(Exception):
    def __str__(self):
        raise RuntimeError("no message")


ODD_ERRORS = {
    "SystemExit": SystemExit(0),
    "GeneratorExit": GeneratorExit(),
    "_NoMessage": _NoMessage(),
}


class Faulty(DecisionTreeClassifier):
    """A tree that does ``fault`` when it is fitted with synthetic rows."""

    def __init__(self, n_train=0, fault="raise", random_state=0):
        super().__init__(random_state=random_state)
        self.n_train = n_train
        self.fault = fault

    def fit(self, X, y, sample_weight=None):
        if len(X) > self.n_train:
            if self.fault == "raise":
                raise ValueError("this classifier does not like synthetic rows")
            if self.fault == "interrupt":  # as it comes out of compiled code
                raise SystemError("a result with an exception set") from KeyboardInterrupt()
            if self.fault == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.fault == "exit":
                os._exit(7)
            if self.fault in ODD_ERRORS:
                raise ODD_ERRORS[self.fault]
        return super().fit(X, y, sample_weight)


class Strange(DecisionTreeClassifier):
    """A tree that predicts what is no label once it has learned from more than ``n_train`` rows."""

    def __init__(self, n_train=0, predicts="text", random_state=0):
        super().__init__(random_state=random_state)
        self.n_train = n_train
        self.predicts = predicts

    def fit(self, X, y, sample_weight=None):
        self.n_fitted_ = len(X)
        return super().fit(X, y, sample_weight)

    def predict(self, X, check_input=True):
        if self.n_fitted_ <= self.n_train:
            return super().predict(X, check_input)
        return np.full(len(X), {"text": "1", "two": 2, "no_number": np.nan}[self.predicts])


class Coded(DecisionTreeClassifier):
    """Takes labels 0, 1, ... alone, as XGBoost does, and remembers the seeds that it had."""

    seeds: set = set()  # noqa: RUF012

    def fit(self, X, y, sample_weight=None):
        if sorted(set(y)) != list(range(len(set(y)))):
            raise ValueError(f"Invalid classes: expected numbers from 0, got {sorted(set(y))}")
        Coded.seeds.add(self.random_state)
        return super().fit(X, y, sample_weight)


class Killing(Faulty):
    """A tree that kills its process."""

    def __init__(self, random_state=0):
        super().__init__(fault="kill", random_state=random_state)


class Complaining(DecisionTreeClassifier):
    """A tree that warns of what it predicts for more than 100 rows, such as a test part's."""

    def predict(self, X, check_input=True):
        predicted = super().predict(X, check_input)
        if len(X) > 100:
            warnings.warn(f"{predicted.sum()} rows are rare", stacklevel=1)
        return predicted


class Counting(DecisionTreeClassifier):
    """A tree that warns of how many rows it is fitted with."""

    def fit(self, X, y, sample_weight=None):
        warnings.warn(f"{len(X)} rows", stacklevel=1)
        return super().fit(X, y, sample_weight)


class Filling(DecisionTreeClassifier):
    """Limits the files that its process may write to ten bytes."""

    def fit(self, X, y, sample_weight=None):
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, most))
        return super().fit(X, y, sample_weight)
