"""The learner's view of the policies against one plain call per step."""

import numpy as np
import pytest
import torch

from autosmote.search.hierarchical.episode import EpisodeGenerator
from autosmote.search.hierarchical.parameters import (
    HIDDEN,
    LEVELS,
    N_BINS,
    initial_parameters,
    n_parameters,
    split,
)
from autosmote.search.hierarchical.policies import HighLevelPolicy, LowLevelPolicy
from autosmote.search.hierarchical.reference import PlainPolicies
from autosmote.space.pool import build_space

G1, G2 = 8, 4
CPU = torch.device("cpu")


@pytest.fixture(params=["joint", "paper"])
def net(request):
    return request.param


def make(net):
    rng = np.random.default_rng(3)
    space = build_space(rng.normal(size=(12, 3)), 6)
    generator = EpisodeGenerator(space, G1, G2, low_level_net=net)
    flat = {level: 3 * initial_parameters(generator.shapes[level], rng) for level in LEVELS}
    generator.load(np.concatenate(list(flat.values())))
    plain = PlainPolicies(space, flat, G1=G1, G2=G2, low_level_net=net)
    return space, generator, flat, plain


def test_low_level_equals_one_call_per_step_with_its_gradient(net):
    space, generator, flat, plain = make(net)
    made = next(
        e for s in range(99) if (e := generator.generate(np.random.default_rng(s))).g1 == G1
    )
    policy = LowLevelPolicy(space, generator.shapes["low"], flat["low"], CPU)
    steps = {"row": made.row, "bins": made.bins_low}
    evaluation = policy.evaluate(steps, made.action)
    weights = torch.randn(3, len(made.row), generator=torch.Generator().manual_seed(0))
    parts = (evaluation.log_probs, evaluation.entropies, evaluation.values)
    sum((w * part).sum() for w, part in zip(weights, parts, strict=True)).backward()

    leaf = torch.nn.Parameter(torch.from_numpy(flat["low"].copy()))
    plain = PlainPolicies(space, flat, G1=G1, G2=G2, low_level_net=net)
    rebind(plain, leaf, generator.shapes["low"])
    log_probs, entropies, values = [], [], []
    for row, bins, action in zip(made.row, made.bins_low, made.action, strict=True):
        log_policy, value = plain.low_level(int(row), bins.tolist())
        log_probs.append(log_policy[action])
        entropies.append(-(log_policy.exp() * log_policy).sum())
        values.append(value[0])
    expected = [torch.stack(part) for part in (log_probs, entropies, values)]
    for ours, theirs in zip(parts, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    sum((w * part).sum() for w, part in zip(weights, expected, strict=True)).backward()
    torch.testing.assert_close(policy.flat.grad, leaf.grad, rtol=1e-3, atol=1e-3)
    assert torch.count_nonzero(leaf.grad) > HIDDEN * HIDDEN // 4
    torch.testing.assert_close(policy.values(steps), expected[2], rtol=1e-4, atol=1e-4)


def rebind(plain, leaf, shapes):
    """Let the plain low-level network compute with views of one differentiable vector."""
    plain.p["low"] = low = split(leaf, shapes)
    names = ("x", "bin", "slot_bin", "slot_x", "lambda")
    if not plain.joint:
        names = ("representation", "slot_bin", "lambda")
    plain._first = torch.cat([low[name] for name in names if name in low])
    plain._states["low"] = torch.cat([low["state_x"], low["state_bin"]])


def test_log_probs_are_those_that_the_generator_acted_with(net):
    space, generator, flat, _ = make(net)
    for seed in range(5):
        made = generator.generate(np.random.default_rng(seed))
        low = LowLevelPolicy(space, generator.shapes["low"], flat["low"], CPU)
        instance = HighLevelPolicy(space, generator.shapes["instance"], flat["instance"], CPU)
        cross = HighLevelPolicy(space, generator.shapes["cross"], flat["cross"], CPU, average=True)
        with torch.no_grad():
            if len(made.row):
                ours = low.evaluate({"row": made.row, "bins": made.bins_low}, made.action)
                np.testing.assert_allclose(ours.log_probs, made.log_prob, atol=1e-4)
            rows = {"row": np.arange(space.n_rows), "bins": made.bins}
            ours = instance.evaluate(rows, made.g2)
            np.testing.assert_allclose(ours.log_probs, made.g2_log_prob, atol=1e-4)
            first = {"row": np.zeros(1, int), "bins": np.zeros(1, int)}
            ours = cross.evaluate(first, np.array([made.g1]))
            np.testing.assert_allclose(ours.log_probs, made.g1_log_prob, atol=1e-4)


def test_high_level_values_and_entropies(net):
    space, generator, flat, plain = make(net)
    policy = HighLevelPolicy(space, generator.shapes["instance"], flat["instance"], CPU)
    steps = {"row": np.array([3, 0, 3]), "bins": np.array([0, 9, 2])}
    evaluation = policy.evaluate(steps, np.array([0, 1, 4]))
    for t, (row, b) in enumerate(zip(steps["row"], steps["bins"], strict=True)):
        log_policy, value = plain.high_level("instance", plain.x[row], int(b))
        entropy = -(log_policy.exp() * log_policy).sum()
        torch.testing.assert_close(evaluation.entropies[t], entropy)
        torch.testing.assert_close(evaluation.values[t], value[0])


def test_initial_parameters_are_uniform_within_the_fan_in(net):
    _, generator, _, _ = make(net)
    state = 3 + N_BINS
    first = state + 3 + N_BINS + 5 if net == "joint" else HIDDEN + N_BINS + 5
    inputs = {"x": state, "b1": state, "w2": HIDDEN, "policy_b": HIDDEN, "value": HIDDEN}
    low = {"lambda": first, "slot_bin": first, "state_x": state, "state_w2": HIDDEN}
    low["score"] = HIDDEN
    for level, shapes in generator.shapes.items():
        flat = initial_parameters(shapes, np.random.default_rng(0))
        assert flat.shape == (n_parameters(shapes),) and flat.dtype == np.float32
        parts = split(flat, shapes)
        for name, n_inputs in (low if level == "low" else inputs).items():
            bound = 1 / np.sqrt(n_inputs)
            assert np.abs(parts[name]).max() <= bound
            if parts[name].size > 100:
                assert np.abs(parts[name]).max() > 0.95 * bound
