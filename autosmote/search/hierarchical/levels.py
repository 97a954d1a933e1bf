"""The queue of a level, and when it is learned from (Algorithm 2, lines 2 and 7)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class StepQueue:
    """Steps of one level in the order of their episodes, as columns."""

    def __init__(self) -> None:
        self._columns: dict[str, NDArray] = {}

    def __len__(self) -> int:
        return len(next(iter(self._columns.values()))) if self._columns else 0

    def put(self, **columns: NDArray) -> None:
        """Append steps; every column has one entry a step."""
        if self._columns:
            columns = {k: np.concatenate([self._columns[k], new]) for k, new in columns.items()}
        else:
            columns = {k: np.array(new) for k, new in columns.items()}
        self._columns = columns

    def pop(self, n: int) -> dict[str, NDArray]:
        """Take out the n oldest steps."""
        taken = {key: column[:n] for key, column in self._columns.items()}
        self._columns = {key: column[n:] for key, column in self._columns.items()}
        return taken

    def peek(self) -> dict[str, NDArray]:
        """Return the oldest step, left in place."""
        return {key: column[:1] for key, column in self._columns.items()}


@dataclass(frozen=True)
class LearnerSettings:
    """Numbers of the update, the same for all levels (docs/method.md, "Learning")."""

    learning_rate: float
    gamma: float
    value_cost: float
    entropy_cost: float
    max_grad_norm: float
    chunks: int = 1
    """Of an update, each with V-trace targets of its own."""


class Level(ABC):
    """One level: its queue, and updates of its policy.

    Parameters
    ----------
    batch : int
        B, the number of steps of a chunk.
    settings : LearnerSettings
    """

    def __init__(self, batch: int, settings: LearnerSettings) -> None:
        self.batch, self.settings = batch, settings
        self.queue = StepQueue()
        self.updates = 0

    def learn(self) -> None:
        """Update while the queue has the steps (the paper's ``if`` would let it grow for ever)."""
        n = self.batch * self.settings.chunks
        while len(self.queue) >= n:
            self._update(self.queue.pop(n))
            self.updates += 1

    @abstractmethod
    def parameters(self) -> NDArray[np.float32]:
        """Return the policy's parameters as they are now."""

    @abstractmethod
    def _update(self, steps: Mapping[str, NDArray]) -> None:
        """Update the policy by one or more chunks; the queue holds the steps that follow."""

    def _chunks(self) -> list[slice]:
        """Return where the chunks are among the steps of an update."""
        starts = range(0, self.batch * self.settings.chunks, self.batch)
        return [slice(start, start + self.batch) for start in starts]

    def _discounts(self, steps: Mapping[str, NDArray]) -> NDArray[np.float32]:
        """Return gamma for each step, and 0 at the ends of episodes."""
        return np.where(steps["end"], 0.0, self.settings.gamma).astype(np.float32)
