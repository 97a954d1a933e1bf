"""The meta-sampler's environment: meta-states, under-sampling by error, rewards."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from autosmote.metrics import score

N_BINS = 5
N_STATE = 2 * N_BINS
_INNER_EDGES = np.linspace(0.0, 1.0, N_BINS + 1)[1:-1]

Probabilities = Callable[[NDArray[np.intp]], NDArray[np.float64]]
"""Function from a member's training rows to its probabilities of class 1 for all training rows,
followed by all validation rows."""


def error_histogram(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the density of errors in [0, 1] in five equal bins; it sums to 5."""
    # As np.histogram counts, which takes several times as long.
    at_least = np.count_nonzero(errors >= _INNER_EDGES[:, None], axis=1)
    counts = -np.diff(at_least, prepend=len(errors), append=0)
    return N_BINS * counts / len(errors)


def log_weights(errors: NDArray[np.float64], mu: float, sigma: float) -> NDArray[np.float64]:
    """Return the logarithm of the normal density N(error; mu, sigma), up to a constant."""
    return -0.5 * ((errors - mu) / sigma) ** 2


def draw(weights: NDArray[np.float64], n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw n indices by log weights, successively and without replacement.

    By the Gumbel trick: the n largest log weights plus Gumbel noise. No weight underflows.
    """
    keys = weights + rng.gumbel(size=len(weights))
    return np.argpartition(-keys, n - 1)[:n]


def labels(p: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return the labels of mean probabilities."""
    return (p >= 0.5).astype(np.int8)


class Ensemble:
    """An ensemble that grows by a member at a step: an episode of the meta-sampler.

    The first member is trained on all minority rows and as many majority rows drawn uniformly,
    each further one on majority rows weighted by how close their error |y - p| is to the action,
    where p is the mean probability of class 1 so far.

    Parameters
    ----------
    probabilities : callable
        Fits a member on training rows and returns its probabilities of class 1.
    y_train, y_val : int8 ndarray
        1 for the minority class.
    metric : {"macro_f1", "mcc"}
        The reward is 100 times a member's gain in it on the validation part.
    n_members : int
        Number of members of a full ensemble, at least 2; one action for each but the first.
    sigma : float
        Standard deviation of the weights.
    rng : numpy Generator

    Attributes
    ----------
    members : list of ndarray of int
        Training rows of each member so far, in ascending order.
    score : float
        The metric on the validation part.
    """

    def __init__(
        self,
        probabilities: Probabilities,
        y_train: NDArray[np.int8],
        y_val: NDArray[np.int8],
        metric: str,
        *,
        n_members: int,
        sigma: float,
        rng: np.random.Generator,
    ) -> None:
        self._probabilities = probabilities
        self._minority, self._majority = np.flatnonzero(y_train == 1), np.flatnonzero(y_train == 0)
        self._n_train, self._val_majority = len(y_train), y_val == 0
        self._y_val, self._metric = y_val, metric
        self._n_members, self._sigma, self._rng = n_members, sigma, rng
        self.members: list[NDArray[np.intp]] = []

    def reset(self) -> NDArray[np.float64]:
        """Start a new ensemble with its first member; return the state, shape (10,)."""
        self.members = []
        self._sum = np.zeros(self._n_train + len(self._y_val))
        self._add(np.zeros(len(self._majority)))
        return self._state()

    def step(self, action: float) -> tuple[NDArray[np.float64], float, bool]:
        """Add a member; return the state, the reward and whether the ensemble is full."""
        before = self.score
        self._add(log_weights(self._majority_errors(), action, self._sigma))
        full = len(self.members) == self._n_members
        return self._state(), 100.0 * (self.score - before), full

    def grow(self, policy: Callable[[NDArray[np.float64]], float]) -> None:
        """Grow a new ensemble with a policy's actions."""
        state, full = self.reset(), False
        while not full:
            state, _, full = self.step(policy(state))

    def _add(self, weights: NDArray[np.float64]) -> None:
        """Add a member trained on majority rows drawn by log weights."""
        n = min(len(self._minority), len(self._majority))
        chosen = self._majority[draw(weights, n, self._rng)]
        rows = np.sort(np.concatenate([self._minority, chosen]))
        self.members.append(rows)
        self._sum += self._probabilities(rows)
        self._p = self._sum / len(self.members)
        self.score = score(self._metric, self._y_val, labels(self._p[self._n_train :]))

    def _majority_errors(self) -> NDArray[np.float64]:
        return self._p[self._majority]  # |y - p| with y = 0

    def _state(self) -> NDArray[np.float64]:
        validation = self._p[self._n_train :][self._val_majority]
        return np.concatenate(
            [error_histogram(self._majority_errors()), error_histogram(validation)]
        )
