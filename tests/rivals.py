"""Resamplers and methods for tests, by their import path; most of them misbehave."""

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from autosmote.errors import UserError


def hang():
    while True:  # uses CPU time, which limits count
        pass


class Own:
    """Base class: duplicates the minority rows, whatever the ratio."""

    def __init__(self, *, random_state, **params):
        self.random_state, self.params = random_state, params

    def fit(self, X, y, *, groups):
        self.X, self.y, self.groups = X, y, groups
        return self

    def resample(self, ratio):
        rows = np.concatenate([np.arange(len(self.y)), np.flatnonzero(self.y == 1)])
        return self.X[rows], self.y[rows]

    def transform(self, X):
        return X


class Jittering(Own):
    """Adds noisy copies up to the ratio; logs its calls to a file."""

    def fit(self, X, y, *, groups):
        self.note("fit")
        return super().fit(X, y, groups=groups)

    def resample(self, ratio):
        self.note(f"resample {ratio}")
        rng = np.random.default_rng(self.random_state)
        minority = self.X[self.y == 1]
        n = int((ratio or 1.0) * np.sum(self.y == 0)) - len(minority)
        new = minority[rng.integers(len(minority), size=n)] + rng.normal(0, 0.3, (n, len(self.X.T)))
        return np.vstack([self.X, new]), np.concatenate([self.y, np.ones(n)])

    def note(self, text):
        if path := self.params.get("log"):
            with open(path, "a") as file:
                file.write(f"{text}\n")


class AtSomeRatios(Jittering):
    """Does `deed` at the ratios `at`."""

    def resample(self, ratio):
        made = super().resample(ratio)
        if ratio is None or ratio in self.params["at"]:
            getattr(self, self.params["deed"])()
        return made

    def fail(self):
        raise ValueError("no such ratio in /some/where/data.csv")

    def loop(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        hang()

    def kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def exit(self):
        os._exit(7)

    def sys_exit(self):
        sys.exit(3)

    def eat(self):
        eaten = []
        while True:
            eaten.append(np.ones(2_000_000))
            time.sleep(0.005)  # else it takes hundreds of MB between two looks at its memory

    def refuse(self):
        raise MemoryError

    def odd_error(self):
        class Unpicklable(Exception):
            def __init__(self, first, second):
                super().__init__("an odd error")

            def __str__(self):
                return "odd in /some/where/x.py"

        raise Unpicklable(1, lambda: None)

    def mute_error(self):
        class Mute(Exception):
            def __str__(self):
                raise RuntimeError

        raise Mute

    def leave_child(self):
        """Hang after starting a grandchild outside the process group."""
        child = subprocess.Popen(["setsid", "sleep", "300"])
        Path(self.params["pids"]).write_text(f"{os.getpid()} {child.pid}")
        hang()


class Working(Own):
    """Sleeps, or uses CPU time in this process or in one of its own, for some seconds a ratio."""

    def resample(self, ratio):
        seconds = str(self.params["seconds"])
        if self.params["work"] == "sleep":
            time.sleep(float(seconds))
        elif self.params["work"] == "in a child":
            # One process after the other: those that have ended count, too.
            code = "import sys, time\nwhile time.process_time() < float(sys.argv[1]): pass"
            for _ in range(2):
                subprocess.run([sys.executable, "-c", code, seconds], check=True)
        return super().resample(ratio)


class HangingInFit(Jittering):
    def fit(self, X, y, *, groups):
        self.note("fit")
        hang()


class HangingInInit(Own):
    def __init__(self, *, random_state):
        hang()


class FailingInFit(Own):
    def fit(self, X, y, *, groups):
        raise RuntimeError("nothing works in /some/where/data.csv")


class Needy(Own):
    def __init__(self, *, random_state):
        raise UserError("Needy needs the package needful; install it.")


class Shuffling(Own):
    """Changes only the order."""

    def resample(self, ratio):
        order = np.random.default_rng(self.random_state).permutation(len(self.y))
        return self.X[order], self.y[order]


class Relabelling(Own):
    """Changes three labels and no rows."""

    def resample(self, ratio):
        y = self.y.copy()
        y[:3] = 1
        return self.X, y


class OneClass(Own):
    """Returns one class only."""

    def resample(self, ratio):
        return self.X[self.y == 1], self.y[self.y == 1]


class Warning_(Own):
    def resample(self, ratio):
        warnings.warn("mind the gap", UserWarning, stacklevel=2)
        return super().resample(ratio)


class Odd(Own):
    """Returns invalid training parts."""

    def resample(self, ratio):
        X, y = super().resample(ratio)
        return {
            "nan": (np.full_like(X, np.nan), y),
            "objects": ([[object()]], y),
            "labels": (X, np.full(len(y), 2)),
            "lengths": (X, y[:-1]),
            "nothing": None,
        }[self.params["what"]]


class Projecting(Own):
    """Changes the features: returns twice the first one and the sum of all."""

    def resample(self, ratio):
        X, y = super().resample(ratio)
        return self.transform(X), y

    def transform(self, X):
        return np.column_stack([2 * X[:, 0], X.sum(axis=1)])


class GroupsSeen(Own):
    """Fails with the one-hot column ranges that it is given."""

    def fit(self, X, y, *, groups):
        raise ValueError(f"groups {groups}")


class Threshold:
    """A method: the threshold of the estimator's probabilities that is best on validation."""

    def __init__(self, *, random_state, deed=None):
        self.random_state, self.deed = random_state, deed

    def fit(self, X_train, y_train, X_val, y_val, *, estimator, metric):
        from autosmote.metrics import score

        if self.deed:
            getattr(AtSomeRatios(random_state=0), self.deed)()
        self.model = estimator.fit(X_train, y_train)
        p = self.model.predict_proba(X_val)[:, 1]
        self.cut = max(np.unique(p), key=lambda cut: score(metric, y_val, (p >= cut).astype(int)))
        return self

    def predict(self, X):
        return (self.model.predict_proba(X)[:, 1] >= self.cut).astype(int)


class NoMethod:
    def __init__(self, *, random_state):
        pass

    def fit(self, X, y):
        pass


class Failing(Own):
    """Fails always, or for every second seed."""

    def __init__(self, *, random_state, deed):
        super().__init__(random_state=random_state)
        self.fails = deed == "always" or random_state % 2 == 0

    def resample(self, ratio):
        if self.fails:
            raise ValueError("on purpose")
        return super().resample(ratio)
