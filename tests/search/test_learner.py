"""Queues, chunks, and the update itself."""

import numpy as np
import pytest
import torch

from autosmote.search.hierarchical.adam import Adam
from autosmote.search.hierarchical.cpu_level import Adam as NumpyAdam
from autosmote.search.hierarchical.cpu_level import CpuLevel, vtrace_arrays
from autosmote.search.hierarchical.cpu_policies import CpuHighLevelPolicy, CpuLowLevelPolicy
from autosmote.search.hierarchical.episode import Episode, EpisodeGenerator, Rules
from autosmote.search.hierarchical.learner import HierarchicalLearner
from autosmote.search.hierarchical.levels import LearnerSettings, StepQueue
from autosmote.search.hierarchical.parameters import initial_parameters, join
from autosmote.search.hierarchical.policies import (
    Evaluation,
    HighLevelPolicy,
    LowLevelPolicy,
    Policy,
)
from autosmote.search.hierarchical.reference import plain_vtrace
from autosmote.search.hierarchical.torch_level import TorchLevel
from autosmote.space.pool import build_space

SETTINGS = LearnerSettings(
    learning_rate=0.1, gamma=1.0, value_cost=0.5, entropy_cost=0.0, max_grad_norm=40.0
)


def test_queue_keeps_the_order_of_steps():
    queue = StepQueue()
    queue.put(a=np.arange(3), b=np.zeros((3, 2)))
    queue.put(a=np.arange(3, 5), b=np.ones((2, 2)))
    assert len(queue) == 5
    assert queue.pop(4)["a"].tolist() == [0, 1, 2, 3]
    assert len(queue) == 1 and queue.peek()["b"].tolist() == [[1.0, 1.0]]
    queue.put(a=np.array([9]), b=np.zeros((1, 2)))
    assert queue.pop(2)["a"].tolist() == [4, 9] and len(queue) == 0


class Recorder(Policy):
    """A policy of two parameters (a logit and a value) that notes what it is asked."""

    def __init__(self):
        self.device = torch.device("cpu")
        self.flat = torch.nn.Parameter(torch.tensor([0.3, 0.2]))
        self.chunks, self.peeked = [], []

    def evaluate(self, steps, actions):
        self.chunks.append({**steps})
        log_policy = torch.log_softmax(torch.stack([self.flat[0], -self.flat[0]]), dim=0)
        n = len(actions)
        return Evaluation(
            log_policy[torch.as_tensor(actions.astype(np.int64))],
            torch.zeros(n),
            self.flat[1].expand(n),
        )

    def values(self, steps):
        self.peeked.append({**steps})
        return self.flat[1].expand(len(steps["row"]))


def episode(n_rows, steps_per_row, seed=0):
    rng = np.random.default_rng(seed)
    row = np.repeat(np.arange(n_rows), steps_per_row).astype(np.int32)
    n = len(row)
    return Episode(
        1, -0.5, np.zeros(n_rows, np.uint8), rng.integers(2, size=n_rows).astype(np.int32),
        np.full(n_rows, -0.6, np.float32), row, np.zeros((n, 2), np.uint8),
        rng.integers(2, size=n).astype(np.int32), np.full(n, -0.7, np.float32),
        np.append(np.diff(row) > 0, n > 0)[:n], np.ones(4, np.int32),
    )  # fmt: skip


def test_level_updates_with_exactly_B_steps_while_there_are_enough():
    policy = Recorder()
    level = TorchLevel(policy, 4, SETTINGS)
    learner = HierarchicalLearner({"low": level})
    learner.consume(episode(3, 5), 0.8)  # 15 steps: three chunks, three steps left
    assert level.updates == 3 and len(level.queue) == 3
    assert [len(c["row"]) for c in policy.chunks] == [4, 4, 4]
    assert np.concatenate([c["row"] for c in policy.chunks]).tolist() == [0] * 5 + [1] * 5 + [2] * 2
    learner.consume(episode(1, 1), 0.1)
    assert level.updates == 4 and len(level.queue) == 0


def test_level_with_chunks_updates_once_by_the_sum_of_their_losses():
    several = LearnerSettings(0.1, 1.0, 0.5, 0.0, 40.0, chunks=3)
    policy = Recorder()
    level = TorchLevel(policy, 4, several)
    made = episode(3, 5)
    HierarchicalLearner({"low": level}).consume(made, 0.8)  # 15 steps: one update, three left
    assert level.updates == 1 and len(level.queue) == 3
    expected = np.zeros(2)
    for chunk in range(3):
        alone = Recorder()
        one = TorchLevel(alone, 4, SETTINGS)
        one.queue.put(**{k: v[4 * chunk :] for k, v in _low_columns(made, 0.8).items()})
        one._update(one.queue.pop(4))
        expected += alone.flat.grad.numpy()
    np.testing.assert_allclose(policy.flat.grad.numpy(), expected, rtol=1e-5)


def _low_columns(made, reward):
    return {
        "row": made.row,
        "bins": made.bins_low,
        "action": made.action,
        "log_prob": made.log_prob,
        "reward": np.where(made.end, reward, 0.0),
        "end": made.end,
    }


def test_reward_is_at_the_last_step_of_each_episode_alone():
    policies = {name: Recorder() for name in ("cross", "instance", "low")}
    learner = HierarchicalLearner({n: TorchLevel(p, 1, SETTINGS) for n, p in policies.items()})
    learner.consume(episode(3, 2), 0.8)
    steps = {name: [c["reward"][0] for c in p.chunks] for name, p in policies.items()}
    assert steps["cross"] == pytest.approx([0.8])
    assert steps["instance"] == pytest.approx([0, 0, 0.8])
    assert steps["low"] == pytest.approx([0, 0.8] * 3)
    assert [bool(c["end"][0]) for c in policies["instance"].chunks] == [False, False, True]


def test_a_cut_episode_bootstraps_with_the_next_step_in_the_queue():
    policy = Recorder()
    HierarchicalLearner({"low": TorchLevel(policy, 4, SETTINGS)}).consume(episode(3, 5), 0.8)
    # Chunks end inside row 0, inside row 1, inside row 2.
    assert [p["row"].tolist() for p in policy.peeked] == [[0], [1], [2]]
    policy = Recorder()
    HierarchicalLearner({"low": TorchLevel(policy, 5, SETTINGS)}).consume(episode(3, 5), 0.8)
    assert policy.peeked == []  # every chunk ends with an episode


def test_one_update_is_the_gradient_of_equation_2():
    policy = Recorder()
    level = TorchLevel(policy, 6, SETTINGS)
    made = episode(2, 3)
    HierarchicalLearner({"low": level}).consume(made, 0.9)
    # By hand: pi = softmax([0.3, -0.3]), V = 0.2 everywhere.
    logits = np.array([0.3, -0.3])
    log_policy = logits - np.log(np.exp(logits).sum())
    log_probs = log_policy[made.action]
    ends = made.end
    targets, advantages = plain_vtrace(
        log_probs + 0.7, np.where(ends, 0.9, 0.0), np.where(ends, 0.0, 1.0), np.full(6, 0.2), 0.0
    )
    p0 = np.exp(log_policy[0])
    slope = np.where(made.action == 0, 2 * (1 - p0), -2 * p0)  # d log pi(a) / d logit
    gradient = np.array([-(slope * advantages).sum(), -(targets - 0.2).sum()])
    np.testing.assert_allclose(policy.flat.grad.numpy(), gradient, rtol=1e-5)


def test_the_gradients_norm_is_clipped():
    tight = LearnerSettings(0.1, 1.0, 0.5, 0.0, max_grad_norm=1e-3)
    policy = Recorder()
    HierarchicalLearner({"low": TorchLevel(policy, 6, tight)}).consume(episode(2, 3), 0.9)
    assert policy.flat.grad.norm().item() == pytest.approx(1e-3, rel=1e-3)


def test_an_episode_without_samples_teaches_the_high_levels_only():
    policies = {name: Recorder() for name in ("cross", "instance", "low")}
    learner = HierarchicalLearner({n: TorchLevel(p, 2, SETTINGS) for n, p in policies.items()})
    learner.consume(episode(4, 0), 0.5)
    assert len(learner.levels["low"].queue) == 0
    assert learner.levels["instance"].updates == 2 and len(learner.levels["cross"].queue) == 1


@pytest.mark.parametrize("learning_rate", [0.005, 0.1])
def test_adam_equals_torchs_to_the_bit(learning_rate):
    start = torch.randn(500, generator=torch.Generator().manual_seed(0))
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    adam, expected = Adam(ours, learning_rate), torch.optim.Adam([theirs], lr=learning_rate)
    for scale in (1.0, 1e-6, 0.0, 3.0) * 5:
        for flat, optimizer in ((ours, adam), (theirs, expected)):
            flat.grad = scale * torch.sin(7 * flat.detach())
            optimizer.step()
    assert torch.equal(ours, theirs) and not torch.equal(ours, start)


def test_vtrace_arrays_equal_equation_1_written_out():
    rng = np.random.default_rng(1)
    log_ratios, rewards, values = rng.normal(size=(3, 12))
    discounts = np.where(np.arange(12) % 5 == 4, 0.0, 0.9)
    found = vtrace_arrays(log_ratios, rewards, discounts, values, 0.37)
    np.testing.assert_allclose(
        found, plain_vtrace(log_ratios, rewards, discounts, values, 0.37), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("learning_rate", [0.005, 0.1])
def test_numpy_adam_equals_torchs_to_rounding(learning_rate):
    start = np.random.default_rng(0).normal(size=500).astype(np.float32)
    ours, theirs = start.copy(), torch.nn.Parameter(torch.tensor(start))
    adam, expected = NumpyAdam(ours, learning_rate), torch.optim.Adam([theirs], lr=learning_rate)
    for scale in (1.0, 1e-6, 0.0, 3.0) * 5:
        gradient = scale * np.sin(7 * start)
        theirs.grad = torch.tensor(gradient)
        expected.step()
        adam.step(gradient)
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert np.abs(ours - start).max() > learning_rate


def one_episode(*, flat=False):
    """A space, an episode in it, and the parameters that made it."""
    rng = np.random.default_rng(3)
    space = build_space(rng.normal(size=(40, 4)), 8)
    generator = EpisodeGenerator(space, 4, 5, rules=Rules(flat=flat))
    initial = {level: initial_parameters(shapes, rng) for level, shapes in generator.shapes.items()}
    generator.load(join(initial))
    return space, generator.shapes, initial, generator.generate(rng)


def levels_of(space, shapes, initial, batch, settings):
    """The same levels in numpy and in torch."""
    ours, theirs = {}, {}
    for name, of_level in shapes.items():
        arguments = (space, of_level, initial[name])
        on_device = (*arguments, torch.device("cpu"))
        if name == "low":
            pair = CpuLowLevelPolicy(*arguments), LowLevelPolicy(*on_device)
        else:
            average = {"average": name != "instance"}
            pair = (
                CpuHighLevelPolicy(*arguments, **average),
                HighLevelPolicy(*on_device, **average),
            )
        ours[name] = CpuLevel(pair[0], batch, settings)
        theirs[name] = TorchLevel(pair[1], batch, settings)
    return ours, theirs


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(("clip", "chunks"), [(40.0, 1), (0.01, 1), (40.0, 4)])
def test_cpu_levels_have_the_gradients_of_torch(flat, clip, chunks):
    space, shapes, initial, made = one_episode(flat=flat)
    settings = LearnerSettings(0.005, 1.0, 0.5, 0.05, clip, chunks)
    ours, theirs = levels_of(space, shapes, initial, 1, settings)
    for levels in (ours, theirs):
        for name, level in levels.items():
            n_steps = {"cross": chunks, "instance": len(made.g2) - 3, "low": len(made.row) - 2}
            level.batch = n_steps[name] // chunks
        if chunks > 1:  # the level that decides once needs as many episodes
            levels.pop("cross", None)
        HierarchicalLearner(levels).consume(made, 0.7)
    for name, level in ours.items():
        expected = theirs[name].policy.flat.grad.numpy()
        assert level.updates == theirs[name].updates == 1
        np.testing.assert_allclose(level.policy.gradient, expected, rtol=1e-3, atol=1e-4 * clip)
        assert np.count_nonzero(expected) > len(expected) // 20
