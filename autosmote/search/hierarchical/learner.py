"""The learner of the hierarchical policies: queues and updates (Algorithm 2, lines 2, 6-14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from autosmote.config.search import SearchConfig, resolve_learner
from autosmote.search.hierarchical.cpu_level import CpuLevel
from autosmote.search.hierarchical.cpu_policies import CpuHighLevelPolicy, CpuLowLevelPolicy
from autosmote.search.hierarchical.episode import Episode
from autosmote.search.hierarchical.levels import LearnerSettings, Level
from autosmote.search.hierarchical.parameters import Shapes, join, split_levels
from autosmote.search.method import Learner, Parameters, Proposal
from autosmote.space.base import Space


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
    restore : callable, optional
        Gives the process back what the levels have taken; called in the end.
    """

    def __init__(
        self,
        levels: Mapping[str, Level],
        initial: Mapping[str, NDArray[np.float32]] | None = None,
        device: str = "cpu",
        restore: Callable[[], object] = lambda: None,
    ) -> None:
        self.levels, self.device = dict(levels), device
        self._initial = initial or {}
        self._restore = restore

    def close(self) -> None:
        """Give the process its threads back."""
        self._restore()

    def parameters(self) -> Parameters:
        """Return the parameters of all levels as they are now."""
        return join(
            {
                level: self.levels[level].parameters() if level in self.levels else flat
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
    learner, device = resolve_learner(config)
    settings = LearnerSettings(
        config.learning_rate,
        config.gamma,
        config.value_cost,
        config.entropy_cost,
        config.max_grad_norm,
        config.chunks_per_update,
    )
    # Both "under" and "cross" decide once per episode.
    batches = {
        "under": config.buffer_cross,
        "cross": config.buffer_cross,
        "instance": config.buffer_instance,
        "low": config.buffer_low,
    }
    initial = split_levels(parameters, shapes)
    make = _cpu_level if learner == "numpy" else _torch_level
    levels = {
        name: make(name, space, shapes[name], initial[name], device, batches[name], settings)
        for name in learned
    }
    # One thread: the actors use the other cores, and small products gain nothing from more.
    restore = _limit_blas() if make is _cpu_level else _limit_torch()
    return HierarchicalLearner(levels, initial, device, restore)


def _cpu_level(
    name: str,
    space: Space,
    shapes: Shapes,
    initial: Parameters,
    device: str,
    batch: int,
    settings: LearnerSettings,
) -> Level:
    if name == "low":
        return CpuLevel(CpuLowLevelPolicy(space, shapes, initial), batch, settings)
    policy = CpuHighLevelPolicy(space, shapes, initial, average=name != "instance")
    return CpuLevel(policy, batch, settings)


def _torch_level(
    name: str,
    space: Space,
    shapes: Shapes,
    initial: Parameters,
    device: str,
    batch: int,
    settings: LearnerSettings,
) -> Level:
    import torch

    from autosmote.search.hierarchical.policies import HighLevelPolicy, LowLevelPolicy
    from autosmote.search.hierarchical.torch_level import TorchLevel

    where = torch.device(device)
    if name == "low":
        return TorchLevel(LowLevelPolicy(space, shapes, initial, where), batch, settings)
    policy = HighLevelPolicy(space, shapes, initial, where, average=name != "instance")
    return TorchLevel(policy, batch, settings)


def _limit_blas() -> Callable[[], object]:
    return threadpool_limits(limits=1, user_api="blas").restore_original_limits


def _limit_torch() -> Callable[[], object]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    return lambda: torch.set_num_threads(before)
