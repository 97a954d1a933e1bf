"""V-trace targets and the IMPALA loss of one chunk of steps (Equations 1 and 2). Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Returns:
    """V-trace targets of a chunk, both of shape (B,).

    Attributes
    ----------
    targets : Tensor
        ``v_t`` of Equation 1, what the value head is fitted to.
    advantages : Tensor
        ``rho_t (r_t + gamma_t v_{t+1} - V(s_t))`` of Equation 2.
    """

    targets: Tensor
    advantages: Tensor


@torch.no_grad()
def vtrace(
    log_ratios: Tensor, rewards: Tensor, discounts: Tensor, values: Tensor, bootstrap: Tensor
) -> Returns:
    """Compute V-trace targets with rho and c truncated at 1.

    Parameters
    ----------
    log_ratios : Tensor of shape (B,)
        log pi(a_t | s_t) under the learner minus the same under the behaviour policy.
    rewards : Tensor of shape (B,)
    discounts : Tensor of shape (B,)
        gamma, and 0 on an episode's last step: no bootstrap and no trace crosses a border.
    values : Tensor of shape (B,)
        V(s_t) under the learner.
    bootstrap : Tensor of shape ()
        V of the step after the chunk; without effect where the chunk ends an episode.
    """
    rhos = torch.exp(log_ratios).clamp(max=1.0)
    next_values = torch.cat([values[1:], bootstrap.reshape(1)])
    deltas = rhos * (rewards + discounts * next_values - values)
    # The recursion is sequential; plain floats are faster than B tiny tensor operations.
    decay = (discounts * rhos).tolist()
    delta = deltas.tolist()
    excess = [0.0] * len(delta)
    following = 0.0
    for t in range(len(delta) - 1, -1, -1):
        following = delta[t] + decay[t] * following
        excess[t] = following
    targets = values + torch.tensor(excess, dtype=values.dtype, device=values.device)
    next_targets = torch.cat([targets[1:], bootstrap.reshape(1)])
    return Returns(targets, rhos * (rewards + discounts * next_targets - values))


def impala_loss(
    log_probs: Tensor,
    values: Tensor,
    entropies: Tensor,
    returns: Returns,
    *,
    value_cost: float,
    entropy_cost: float,
) -> Tensor:
    """Compute the loss of a chunk, summed over its steps.

    ``-rho log pi(a|s) (r + gamma v' - V) + value_cost (v - V)^2 - entropy_cost H``: Equation 2
    with an entropy bonus, and the policy term's sign turned: the paper prints it as an objective.
    """
    policy = -(log_probs * returns.advantages).sum()
    value = (returns.targets - values).square().sum()
    return policy + value_cost * value - entropy_cost * entropies.sum()
