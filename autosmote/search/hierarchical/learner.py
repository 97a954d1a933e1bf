"""The learner: three queues of steps and their updates (Algorithm 2, lines 2 and 6-14)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from autosmote.search.hierarchical.episode import Episode
from autosmote.search.hierarchical.policies import Policy
from autosmote.search.hierarchical.vtrace import impala_loss, vtrace


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
        """The oldest step, left in place."""
        return {key: column[:1] for key, column in self._columns.items()}


@dataclass(frozen=True)
class LearnerSettings:
    """Numbers of the update, the same for the three levels (docs/method.md, Learning)."""

    learning_rate: float
    gamma: float
    value_cost: float
    entropy_cost: float
    max_grad_norm: float


class Level:
    """One level: its policy, its queue, its optimiser.

    Parameters
    ----------
    policy : Policy
    batch : int
        B, the number of steps of an update.
    settings : LearnerSettings
    """

    def __init__(self, policy: Policy, batch: int, settings: LearnerSettings) -> None:
        self.policy, self.batch, self.settings = policy, batch, settings
        self.queue = StepQueue()
        self.updates = 0
        self._optimizer = torch.optim.Adam([policy.flat], lr=settings.learning_rate)

    def learn(self) -> None:
        """Update while the queue holds a batch (the paper's ``if`` would let it grow for ever)."""
        while len(self.queue) >= self.batch:
            self._update(self.queue.pop(self.batch))

    def _update(self, chunk: Mapping[str, NDArray]) -> None:
        policy, settings = self.policy, self.settings
        evaluation = policy.evaluate(chunk, chunk["action"])
        bootstrap = torch.zeros((), device=policy.device)
        if not chunk["end"][-1]:
            # The episode goes on: its next step is the oldest in the queue.
            with torch.no_grad():
                bootstrap = policy.values(self.queue.peek())[0]
        returns = vtrace(
            evaluation.log_probs.detach() - self._tensor(chunk["log_prob"]),
            self._tensor(chunk["reward"]),
            self._tensor(np.where(chunk["end"], 0.0, settings.gamma)),
            evaluation.values.detach(),
            bootstrap,
        )
        loss = impala_loss(
            evaluation.log_probs,
            evaluation.values,
            evaluation.entropies,
            returns,
            value_cost=settings.value_cost,
            entropy_cost=settings.entropy_cost,
        )
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([policy.flat], settings.max_grad_norm)
        self._optimizer.step()
        self.updates += 1

    def _tensor(self, column: NDArray) -> torch.Tensor:
        return torch.as_tensor(column, dtype=torch.float32, device=self.policy.device)


class Learner:
    """The levels that learn. A level that an ablation decides otherwise is simply absent."""

    def __init__(self, levels: Mapping[str, Level]) -> None:
        self.levels = dict(levels)

    def consume(self, episode: Episode, reward: float) -> None:
        """Put an episode's steps into the queues and update what is due.

        The reward stands at the last step of every episode of every level; all others have 0.
        """
        n = len(episode.g2)
        once = {
            "under": (episode.under, episode.under_log_prob),
            "cross": (episode.g1, episode.g1_log_prob),
        }
        for name, (action, log_prob) in once.items():
            if name in self.levels:
                self.levels[name].queue.put(
                    row=np.zeros(1, np.int32),
                    bins=np.zeros(1, np.uint8),
                    action=np.array([action], np.int32),
                    log_prob=np.array([log_prob], np.float32),
                    reward=np.array([reward], np.float32),
                    end=np.ones(1, bool),
                )
        if "instance" in self.levels:
            end = np.arange(n) == n - 1
            self.levels["instance"].queue.put(
                row=np.arange(n, dtype=np.int32),
                bins=episode.bins,
                action=episode.g2,
                log_prob=episode.g2_log_prob,
                reward=np.where(end, reward, 0.0).astype(np.float32),
                end=end,
            )
        if "low" in self.levels and len(episode.row):
            weight = {} if episode.weight is None else {"weight": episode.weight}
            self.levels["low"].queue.put(
                row=episode.row,
                bins=episode.bins_low,
                action=episode.action,
                log_prob=episode.log_prob,
                reward=np.where(episode.end, reward, 0.0).astype(np.float32),
                end=episode.end,
                **weight,
            )
        for level in self.levels.values():
            level.learn()
