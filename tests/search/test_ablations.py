"""The ablations of Section 4.4: the flat policy's generator, its learning, and merged parts."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from autosmote.config.groups import load_sampler
from autosmote.config.search import SearchConfig
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.evaluation.protocol import evaluate
from autosmote.metrics import macro_f1
from autosmote.sampler.autosmote import AutoSMOTE
from autosmote.sampler.class_search import run_search
from autosmote.search.hierarchical.episode import EpisodeGenerator, Rules
from autosmote.search.hierarchical.learner import HierarchicalLearner
from autosmote.search.hierarchical.levels import LearnerSettings
from autosmote.search.hierarchical.parameters import HIDDEN, initial_parameters
from autosmote.search.hierarchical.policies import LowLevelPolicy
from autosmote.search.hierarchical.reference import PlainPolicies, plain_flat_episode
from autosmote.search.hierarchical.torch_level import TorchLevel
from autosmote.space.base import N_LAMBDAS
from autosmote.space.pool import build_space

G1, G2 = 10, 4
CPU = torch.device("cpu")


def make(net="paper", n=12, K=6, next_bias=2.0, **settings):
    """A space and a flat generator whose policy is far from uniform and ends rows now and then."""
    rng = np.random.default_rng(5)
    space = build_space(rng.normal(size=(n, 3)), K)
    generator = EpisodeGenerator(
        space, G1, G2, rules=Rules(flat=True), low_level_net=net, **settings
    )
    parameters = 3 * initial_parameters(generator.shapes["low"], rng)
    parameters[-1] += next_bias  # the last parameter is the bias of "next row"
    generator.load(parameters)
    return space, generator, parameters


@pytest.fixture(scope="module")
def toy():
    return make_split(load_dataset("toy"), ir=None, seed=0)


def search(split, estimator=None, **settings):
    seed = settings.pop("seed", 0)
    return run_search(
        split.X_train, split.y_train, split.X_val, split.y_val,
        estimator or DecisionTreeClassifier(random_state=0),
        metric="macro_f1", ir=None, seed=seed, config=SearchConfig(**{"actors": 0, **settings}),
    )  # fmt: skip


@pytest.mark.parametrize("net", ["joint", "paper"])
def test_the_flat_policy_s_decisions_are_those_of_one_step_at_a_time(net):
    space, generator, parameters = make(net, low_level_rows=99)
    plain_policies = PlainPolicies(
        space, {"low": parameters}, G1=G1, G2=G2, low_level_net=net, next_row=True
    )
    ended = full = crossed = 0
    for seed in range(6):
        plain = plain_flat_episode(plain_policies, G1 * G2, np.random.default_rng(seed))
        made = generator.generate(np.random.default_rng(seed))
        assert made.row.tolist() == plain.row
        assert made.action.tolist() == plain.action
        assert made.bins_low.tolist() == plain.bins
        assert made.g1 == 1 and made.g2.tolist() == plain.g2
        np.testing.assert_allclose(made.log_prob, plain.log_prob, atol=1e-4)
        assert made.n_synthetic == len(plain.rows)
        ours = np.sort(space.rows(made.samples).round(9), axis=0)
        np.testing.assert_allclose(ours, np.sort(np.round(plain.rows, 9), axis=0), atol=1e-8)
        ended += np.sum(made.action == space.K * N_LAMBDAS)
        full += np.sum(made.g2 == G1 * G2)
        crossed = max(crossed, made.bins_low.max())
    # Rows ended both ways, and bins were crossed, or the test says little.
    assert ended > 10 and full > 2 and crossed >= 3


def test_a_flat_episode_is_one_episode():
    space, generator, _ = make(low_level_rows=3)
    made = generator.generate(np.random.default_rng(1))
    assert len(np.unique(made.row)) == 3 and np.all(np.diff(made.row) >= 0)
    assert made.end.tolist() == [False] * (len(made.end) - 1) + [True]
    for i in np.unique(made.row):
        steps = made.action[made.row == i]
        last = steps[-1] == space.K * N_LAMBDAS
        assert len(steps) == made.g2[i] + last and (last or made.g2[i] == G1 * G2)
        assert np.all(steps[:-1] < space.K * N_LAMBDAS)


def test_flat_policy_may_make_no_samples():
    _, generator, _ = make(next_bias=1e4)
    made = generator.generate(np.random.default_rng(0))
    assert made.n_synthetic == 0 and len(made.row) == 10 and made.g2.max() == 0


@pytest.mark.parametrize("net", ["joint", "paper"])
def test_the_learner_sees_the_flat_policy_as_it_acted_with_its_gradient(net):
    space, generator, parameters = make(net)
    made = generator.generate(np.random.default_rng(2))
    steps = {"row": made.row, "bins": made.bins_low}
    policy = LowLevelPolicy(space, generator.shapes["low"], parameters, CPU)
    evaluation = policy.evaluate(steps, made.action)
    np.testing.assert_allclose(evaluation.log_probs.detach(), made.log_prob, atol=1e-4)
    plain = PlainPolicies(
        space, {"low": parameters}, G1=G1, G2=G2, low_level_net=net, next_row=True
    )
    for t in range(0, len(made.row), 7):
        log_policy, value = plain.low_level(int(made.row[t]), made.bins_low[t].tolist())
        assert len(log_policy) == space.K * N_LAMBDAS + 1
        entropy = -(log_policy.exp() * log_policy).sum()
        torch.testing.assert_close(evaluation.entropies[t].detach(), entropy, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(evaluation.values[t].detach(), value[0], rtol=1e-4, atol=1e-4)
    # d log pi(next) / d bias of "next row" is 1 - pi(next) where it is chosen, -pi(next) elsewhere.
    evaluation.log_probs.sum().backward()
    chosen = made.action == space.K * N_LAMBDAS
    with torch.no_grad():
        pi = policy.evaluate(steps, np.full_like(made.action, space.K * N_LAMBDAS)).log_probs.exp()
    expected = chosen.sum() - pi.sum()
    torch.testing.assert_close(policy.flat.grad[-1], expected, rtol=1e-3, atol=1e-3)
    assert torch.count_nonzero(policy.flat.grad[-1 - HIDDEN : -1]) > HIDDEN // 8


def test_only_the_low_level_of_a_flat_policy_learns(toy):
    result = search(toy, ablation="flat", iterations=12)
    assert list(result.parameters) == ["low"]
    initial = search(toy, ablation="flat", iterations=1).parameters["low"]
    assert not np.array_equal(result.parameters["low"], initial)
    assert result.best.sample_set.row_counts.sum() == len(result.X_synthetic)


def test_actors_change_nothing_for_the_flat_policy(toy):
    inline, processes = (search(toy, ablation="flat", iterations=30, actors=n) for n in (0, 2))
    for key in ("reward", "best", "n_synthetic"):
        assert np.array_equal(inline.history[key], processes.history[key])
    assert np.array_equal(inline.best.sample_set.samples, processes.best.sample_set.samples)
    assert np.array_equal(inline.parameters["low"], processes.parameters["low"])


@pytest.mark.parametrize("wanted", ["few", "many"])
def test_the_flat_policy_learns(wanted):
    """It learns the rewarded action, more rows or fewer, by the same queue, loss and optimiser."""
    space, generator, _ = make(low_level_rows=99)
    flat = initial_parameters(generator.shapes["low"], np.random.default_rng(0))
    flat[-1] += 1.0 if wanted == "few" else 2.0
    policy = LowLevelPolicy(space, generator.shapes["low"], flat, CPU)
    settings = LearnerSettings(0.005, 1.0, 0.5, 0.0006, 40.0)
    learner = HierarchicalLearner({"low": TorchLevel(policy, 300, settings)})
    shares = []
    for n in range(120):
        generator.load(policy.flat.detach().numpy())
        episode = generator.generate(np.random.default_rng([1, n]))
        shares.append(episode.n_synthetic / (space.n_rows * G1 * G2))
        learner.consume(episode, shares[-1] if wanted == "many" else 1 - shares[-1])
    assert learner.levels["low"].updates > 20
    first, last = np.mean(shares[:15]), np.mean(shares[-15:])
    assert last < 0.5 * first if wanted == "few" else last > 1.5 * first


def test_merged_parts_are_trained_and_scored_on_together(toy):
    result = search(toy, ablation="merge_train_val", iterations=15)
    X = np.vstack([toy.X_train, toy.X_val])
    y = np.append(toy.y_train, toy.y_val)
    n = len(result.X_synthetic)
    tree = clone(DecisionTreeClassifier(random_state=0))
    tree.fit(np.vstack([X, result.X_synthetic]), np.append(y, np.ones(n, np.int8)))
    assert result.best.score == macro_f1(y, tree.predict(X))
    assert (
        len(result.best.sample_set.row_counts) == y.sum()
    )  # minority rows of both parts make samples


def test_merged_parts_train_the_final_classifier(toy):
    config = SearchConfig(ablation="merge_train_val", iterations=15, actors=0)
    estimator = LinearSVC(random_state=0)
    sampler = load_sampler("autosmote")
    (found,) = evaluate(toy, sampler, [(estimator, "macro_f1")], seed=0, search=config)
    assert found.status == "ok"
    n_given = len(toy.y_train) + len(toy.y_val)
    assert sum(found.rows["train"]) == n_given
    assert found.n_synthetic == len(found.X) - n_given == found.search.best.sample_set.samples.sum()
    model = clone(estimator).fit(found.X, found.y)
    expected = macro_f1(toy.y_test, model.predict(toy.X_test))
    assert found.scores["test"]["macro_f1"] == pytest.approx(expected)
    # The sampler's own search is that of plain arrays.
    plain = search(toy, estimator, ablation="merge_train_val", iterations=15)
    assert np.array_equal(plain.best.sample_set.samples, found.search.best.sample_set.samples)


def test_a_user_s_held_out_rows_do_not_go_with_merged_parts(toy):
    sampler = AutoSMOTE(cv=3, method="paper", search_options={"ablation": "merge_train_val"})
    with pytest.raises(ValueError, match="neither validation nor cv"):
        sampler.fit_resample(toy.X_train, toy.y_train)
