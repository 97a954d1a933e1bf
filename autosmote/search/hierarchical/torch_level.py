"""A level that learns by torch, on the CPU or a GPU."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from autosmote.search.hierarchical.adam import Adam
from autosmote.search.hierarchical.levels import LearnerSettings, Level
from autosmote.search.hierarchical.policies import Evaluation, Policy
from autosmote.search.hierarchical.vtrace import Returns, impala_loss, vtrace


class TorchLevel(Level):
    """A level whose policy is a torch network.

    Parameters
    ----------
    policy : Policy
    batch : int
        B, the number of steps of a chunk.
    settings : LearnerSettings
    """

    def __init__(self, policy: Policy, batch: int, settings: LearnerSettings) -> None:
        super().__init__(batch, settings)
        self.policy = policy
        self._adam = Adam(policy.flat, settings.learning_rate)

    def parameters(self) -> NDArray[np.float32]:
        return self.policy.flat.detach().cpu().numpy()

    def _update(self, steps: Mapping[str, NDArray]) -> None:
        policy, settings = self.policy, self.settings
        evaluation = policy.evaluate(steps, steps["action"])
        bootstrap = torch.zeros((), device=policy.device)
        if not steps["end"][-1]:
            # The episode goes on: its next step is the oldest in the queue.
            with torch.no_grad():
                bootstrap = policy.values(self.queue.peek())[0]
        returns = self._returns(steps, evaluation, bootstrap)
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
        self._adam.step()

    def _returns(
        self, steps: Mapping[str, NDArray], evaluation: Evaluation, bootstrap: torch.Tensor
    ) -> Returns:
        """Compute V-trace within each chunk; `bootstrap` is the value after the last."""
        log_ratios = evaluation.log_probs.detach() - self._tensor(steps["log_prob"])
        rewards, discounts = self._tensor(steps["reward"]), self._tensor(self._discounts(steps))
        values = evaluation.values.detach()
        following = [*values[self.batch :: self.batch], bootstrap]
        parts = [
            vtrace(log_ratios[chunk], rewards[chunk], discounts[chunk], values[chunk], after)
            for chunk, after in zip(self._chunks(), following, strict=True)
        ]
        return Returns(
            torch.cat([part.targets for part in parts]),
            torch.cat([part.advantages for part in parts]),
        )

    def _tensor(self, column: NDArray) -> torch.Tensor:
        return torch.as_tensor(column, dtype=torch.float32, device=self.policy.device)
