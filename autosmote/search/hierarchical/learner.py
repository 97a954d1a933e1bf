"""The learner of the hierarchical policies: queues and updates (Algorithm 2, lines 2, 6-14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from autosmote.config.search import SearchConfig, resolve_device
from autosmote.search.hierarchical.adam import Adam
from autosmote.search.hierarchical.episode import Episode
from autosmote.search.hierarchical.parameters import Shapes, join, split_levels
from autosmote.search.hierarchical.policies import HighLevelPolicy, LowLevelPolicy, Policy
from autosmote.search.hierarchical.vtrace import impala_loss, vtrace
from autosmote.search.method import Learner, Parameters, Proposal
from autosmote.space.base import Space


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
        self._optimizer = Adam(policy.flat, settings.learning_rate)

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
        policy.flat.grad = None
        loss.backward()
        torch.nn.utils.clip_grad_norm_([policy.flat], settings.max_grad_norm)
        self._optimizer.step()
        self.updates += 1

    def _tensor(self, column: NDArray) -> torch.Tensor:
        return torch.as_tensor(column, dtype=torch.float32, device=self.policy.device)


class HierarchicalLearner(Learner):
    """Updates the policies of the levels that learn.

    Parameters
    ----------
    levels : dict of Level
        A level that an ablation decides otherwise is absent.
    initial : dict of float32 ndarrays
        Flat vectors of all levels, in their order.
    device : str
        Where the policies are.
    """

    def __init__(
        self,
        levels: Mapping[str, Level],
        initial: Mapping[str, NDArray[np.float32]] | None = None,
        device: str = "cpu",
    ) -> None:
        self.levels, self.device = dict(levels), device
        self._initial = initial or {}
        # One thread: the actors use the other cores, and small products gain nothing from more.
        self._torch_threads = torch.get_num_threads()
        torch.set_num_threads(1)

    def close(self) -> None:
        """Give the process its torch threads back."""
        torch.set_num_threads(self._torch_threads)

    def parameters(self) -> Parameters:
        """Return the parameters of all levels as they are now."""
        return join(
            {
                level: self.levels[level].policy.flat.detach().cpu().numpy()
                if level in self.levels
                else flat
                for level, flat in self._initial.items()
            }
        )

    def learn(self, proposal: Proposal, score: float) -> None:
        """Learn from the episode of a proposal."""
        self.consume(proposal.steps, score)

    def consume(self, episode: Episode, reward: float) -> None:
        """Put an episode's steps into the queues and update while a queue holds a batch.

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


def make_learner(
    space: Space,
    shapes: Mapping[str, Shapes],
    parameters: Parameters,
    learned: Sequence[str],
    config: SearchConfig,
) -> HierarchicalLearner:
    """Make the learner of a search.

    Parameters
    ----------
    space : Space
    shapes : dict
        Names and shapes of each level's parameters (`parameters.policy_shapes`).
    parameters : float32 ndarray
        The initial parameters of all levels.
    learned : sequence of str
        Levels that decide by their policies.
    config : SearchConfig

    Raises
    ------
    UserError
        If `search.device` asks for a GPU and there is none.
    """
    device = resolve_device(config.device)
    settings = LearnerSettings(
        config.learning_rate,
        config.gamma,
        config.value_cost,
        config.entropy_cost,
        config.max_grad_norm,
    )
    # Both "under" and "cross" decide once per episode.
    batches = {
        "under": config.buffer_cross,
        "cross": config.buffer_cross,
        "instance": config.buffer_instance,
        "low": config.buffer_low,
    }
    initial = split_levels(parameters, shapes)
    levels = {}
    for level in learned:
        arguments = (space, shapes[level], initial[level], torch.device(device))
        policy: Policy = (
            LowLevelPolicy(*arguments)
            if level == "low"
            else HighLevelPolicy(*arguments, average=level != "instance")
        )
        levels[level] = Level(policy, batches[level], settings)
    return HierarchicalLearner(levels, initial, device)
