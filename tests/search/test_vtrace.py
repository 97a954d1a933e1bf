"""V-trace against Equation 1 written out, and the loss against its parts."""

import numpy as np
import pytest
import torch

from autosmote.search.hierarchical.reference import plain_vtrace
from autosmote.search.hierarchical.vtrace import impala_loss, vtrace


def chunk(ends, seed=0, off_policy=0.7):
    """Random numbers for a chunk whose steps at ``ends`` close an episode."""
    rng = np.random.default_rng(seed)
    n = 12
    discounts = np.ones(n)
    discounts[ends] = 0.0
    rewards = np.zeros(n)
    rewards[ends] = rng.random(len(ends))
    return off_policy * rng.normal(size=n), rewards, discounts, rng.normal(size=n), 0.37


def run(log_ratios, rewards, discounts, values, bootstrap):
    tensors = [torch.tensor(a, dtype=torch.float64) for a in (log_ratios, rewards, discounts)]
    values = torch.tensor(values, dtype=torch.float64)
    return vtrace(*tensors, values, torch.tensor(bootstrap, dtype=torch.float64))


@pytest.mark.parametrize("ends", [[2, 5, 8], [11], [], [0, 1, 2, 11], [3, 4]])
def test_vtrace_equals_equation_1_written_out(ends):
    # [2, 5, 8]: three borders inside the chunk, and an episode that is cut at its end.
    args = chunk(ends)
    targets, advantages = plain_vtrace(*args)
    returns = run(*args)
    np.testing.assert_allclose(returns.targets.numpy(), targets, rtol=0, atol=1e-12)
    np.testing.assert_allclose(returns.advantages.numpy(), advantages, rtol=0, atol=1e-12)


def test_on_policy_and_undiscounted_targets_are_the_returns_of_each_episode():
    _, rewards, discounts, values, bootstrap = chunk([2, 5, 8])
    returns = run(np.zeros(12), rewards, discounts, values, bootstrap)
    expected = [rewards[2]] * 3 + [rewards[5]] * 3 + [rewards[8]] * 3 + [bootstrap] * 3
    np.testing.assert_allclose(returns.targets.numpy(), expected, atol=1e-12)


def test_vtrace_crosses_no_border_of_an_episode():
    args = list(chunk([2, 5, 8]))
    before = run(*args).targets[:6]
    args[1] = args[1].copy()
    args[1][6:] += 100.0
    args[4] = -50.0
    assert torch.equal(run(*args).targets[:6], before)


def test_bootstrap_counts_only_where_the_chunk_cuts_an_episode():
    args = list(chunk([2, 11]))
    before = run(*args)
    args[4] += 10.0
    assert torch.equal(run(*args).targets, before.targets)
    args = list(chunk([2, 8]))
    before = run(*args)
    args[4] += 10.0
    assert not torch.equal(run(*args).targets[9:], before.targets[9:])


def test_loss_pushes_up_what_paid_and_pulls_values_to_targets():
    log_probs = torch.tensor([-1.0, -2.0], requires_grad=True)
    values = torch.tensor([0.2, 0.5], requires_grad=True)
    entropies = torch.tensor([0.3, 0.4], requires_grad=True)
    zero = torch.zeros(2)
    returns = vtrace(zero, torch.tensor([1.0, 0.0]), zero, values.detach(), torch.tensor(0.0))
    loss = impala_loss(log_probs, values, entropies, returns, value_cost=0.5, entropy_cost=0.01)
    # advantages are r - V = 0.8 and -0.5
    expected = 1.0 * 0.8 - 2.0 * 0.5 + 0.5 * (0.8**2 + 0.5**2) - 0.01 * 0.7
    assert loss.item() == pytest.approx(expected)
    loss.backward()
    assert log_probs.grad.tolist() == pytest.approx([-0.8, 0.5])
    assert values.grad.tolist() == pytest.approx([-0.8, 0.5])
    assert entropies.grad.tolist() == pytest.approx([-0.01, -0.01])
