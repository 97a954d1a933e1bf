"""MESA: its parts against computations by hand, and the whole against random actions."""

import copy
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats
from sklearn.ensemble import AdaBoostClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from autosmote.errors import UserError
from autosmote.metrics import score
from autosmote.scoring.registry import drop_in_for
from baselines.mesa import MESA
from baselines.mesa.ensemble import Ensemble, draw, error_histogram, log_weights
from baselines.mesa.members import fit_member, fit_sigmoid
from baselines.mesa.neighbours import NeighbourVotes, supports
from baselines.mesa.networks import Adam, Perceptrons
from baselines.mesa.replay import ReplayRing, Transitions, prefill
from baselines.mesa.sac import SoftActorCritic, log_density, squash

CLASSIFIERS = {
    "svm": LinearSVC(random_state=0),
    "knn": KNeighborsClassifier(),
    "dt": DecisionTreeClassifier(random_state=0),
    "adaboost": AdaBoostClassifier(n_estimators=5, random_state=0),
}
SHORT = {
    "n_members": 4,
    "environment_steps": 12,
    "random_steps": 6,
    "batch_size": 8,
    "replay_capacity": 10,
    "synthetic_transitions": 9,
}


# Meta-states, weights and rewards


def test_error_histogram_by_hand():
    # Bins [0, .2), [.2, .4), [.4, .6), [.6, .8), [.8, 1].
    assert error_histogram(np.array([0.0, 0.1, 0.25, 0.5, 1.0])).tolist() == [2, 1, 1, 0, 1]
    assert error_histogram(np.array([0.9, 0.95])).tolist() == [0, 0, 0, 0, 5]


def test_weights_are_the_normal_density():
    errors = np.array([0.0, 0.3, 0.75, 1.0])
    density = stats.norm.pdf(errors, 0.6, 0.2)
    weights = np.exp(log_weights(errors, 0.6, 0.2))
    np.testing.assert_allclose(weights / weights.sum(), density / density.sum())


def test_draws_follow_the_weights_without_replacement():
    rng = np.random.default_rng(0)
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    pairs = [tuple(draw(np.log(weights), 2, rng)) for _ in range(20_000)]
    # argpartition does not order what it finds: the chance of a pair in either order.
    w = weights / weights.sum()
    for i in range(4):
        for j in range(i):
            chance = w[i] * w[j] / (1 - w[i]) + w[j] * w[i] / (1 - w[j])
            share = np.mean([set(pair) == {i, j} for pair in pairs])
            assert abs(share - chance) < 4 * np.sqrt(chance * (1 - chance) / len(pairs))
    assert sorted(draw(np.log(weights), 4, rng)) == [0, 1, 2, 3]


def test_draw_with_weights_that_underflow_gives_all_rows():
    weights = log_weights(np.array([0.0, 0.1, 0.9, 1.0]), 0.0, 0.001)
    assert sorted(draw(weights, 3, np.random.default_rng(0))) == [0, 1, 2]


def test_states_members_and_rewards_by_hand():
    y_train = np.array([0, 0, 1, 0, 0, 1, 0, 0], np.int8)
    y_val = np.array([1, 0, 0], np.int8)
    answers = iter(
        [
            np.array([0.9, 0.9, 0.9, 0.1, 0.1, 0.9, 0.5, 0.3] + [0.2, 0.9, 0.1]),
            np.array([0.1, 0.1, 0.9, 0.1, 0.1, 0.9, 0.1, 0.1] + [1.0, 0.0, 0.3]),
        ]
    )
    asked = []

    def probabilities(rows):
        asked.append(rows)
        return next(answers)

    ensemble = Ensemble(
        probabilities,
        y_train,
        y_val,
        "macro_f1",
        n_members=2,
        sigma=0.01,
        rng=np.random.default_rng(0),
    )
    # Majority errors .9 .9 .1 .1 .5 .3 in the training part, .9 .1 in the validation part.
    state = ensemble.reset()
    np.testing.assert_allclose(state, [5 / 3, 5 / 6, 5 / 6, 0, 5 / 3, 2.5, 0, 0, 0, 2.5])
    assert ensemble.score == score("macro_f1", y_val, [0, 1, 0])

    # Rows 0 and 1 have the error .9; the mean probabilities are then .5 .5 .1 .1 .3 .2 and .45 .2.
    state, reward, full = ensemble.step(0.9)
    assert asked[1].tolist() == [0, 1, 2, 5]
    np.testing.assert_allclose(state, [5 / 3, 5 / 3, 5 / 3, 0, 0] + [0, 2.5, 2.5, 0, 0])
    assert full
    after = score("macro_f1", y_val, [1, 0, 0])
    assert ensemble.score == after == 1.0
    assert reward == pytest.approx(100 * (after - score("macro_f1", y_val, [0, 1, 0])))


def test_every_member_has_all_minority_and_as_many_majority_rows(small_split):
    model = fitted(small_split, "dt", "macro_f1")
    ensemble = model.ensembles[-1]
    minority = np.flatnonzero(small_split.y_train == 1)
    assert len(ensemble.members) == SHORT["n_members"]
    for rows in ensemble.members:
        assert np.isin(minority, rows).all()
        assert len(np.unique(rows)) == len(rows) == 2 * len(minority)


# The memory


def test_prefill_adds_three_kinds_of_transitions():
    ring = ReplayRing(1000)
    prefill(ring, 999, np.random.default_rng(0))
    assert len(ring) == 999
    filled = Transitions(*(column[:999] for column in ring.columns))
    assert (filled.reward == 5).all()
    assert filled.end.all()
    for action, peak in ((0.9, 4), (0.5, 2), (0.1, 0)):
        chosen = filled.action == action
        assert chosen.sum() == 333
        for states in (filled.state[chosen], filled.next_state[chosen]):
            noise = states - np.tile(5.0 * (np.arange(5) == peak), 2)
            assert noise.min() >= 0
            assert noise.max() <= 0.5
            assert abs(noise.mean() - 0.25) < 0.02


def test_ring_replaces_the_oldest():
    ring = ReplayRing(3)
    for i in range(5):
        ring.put(np.full(10, i), i / 10, 10.0 * i, np.full(10, i + 1), i == 4)
    assert len(ring) == 3
    batch = ring.sample(200, np.random.default_rng(0))
    assert set(batch.reward) == {20.0, 30.0, 40.0}
    for state, action, reward, following, end in zip(*batch, strict=True):
        assert (state == reward / 10).all()
        assert action == reward / 100
        assert (following == state + 1).all()
        assert end == (reward == 40)


# Soft actor-critic


def batch_of(n, seed=0, end=None):
    rng = np.random.default_rng(seed)
    return Transitions(
        rng.uniform(0, 5, (n, 10)),
        rng.uniform(size=n),
        rng.normal(0, 3, n),
        rng.uniform(0, 5, (n, 10)),
        rng.random(n) < 0.4 if end is None else np.full(n, end),
    )


def weights_of(networks, at=0):
    """Return a network's weights and biases, layer by layer."""
    return [part[at].copy() for layer in networks.layers for part in layer]


def twins_of(networks):
    return [weights_of(networks, at) for at in range(2)]


def network(weights, x):
    """A perceptron with ReLU, layer by layer."""
    for i in range(0, len(weights), 2):
        x = x @ weights[i] + weights[i + 1]
        if i + 2 < len(weights):
            x = np.maximum(x, 0)
    return x


def plain_draw(actor, states, noise):
    """Return actions and their log densities by the change of variables."""
    mean, log_std = network(actor, states).T
    log_std = np.clip(log_std, -20, 2)
    u = mean + np.exp(log_std) * noise
    log_prob = stats.norm.logpdf(u, mean, np.exp(log_std)) - np.log((1 - np.tanh(u) ** 2) / 2)
    return (np.tanh(u) + 1) / 2, log_prob


def plain_value(critics, states, actions):
    x = np.column_stack([states, actions])
    return np.minimum(*(network(weights, x)[:, 0] for weights in critics))


def noises(agent, n, draws):
    """Return the agent's next draws."""
    rng = copy.deepcopy(agent.rng)
    return [rng.standard_normal(n) for _ in range(draws)]


def test_networks_have_the_described_shapes():
    agent = SoftActorCritic(10, seed=0)
    shapes = [part.shape for part in weights_of(agent.actor)]
    assert shapes == [(10, 50), (1, 50), (50, 2), (1, 2)]
    for critic, target in zip(twins_of(agent.critics), twins_of(agent.targets), strict=True):
        shapes = [part.shape for part in critic]
        assert shapes == [(11, 50), (1, 50), (50, 50), (1, 50), (50, 1), (1, 1)]
        bound = np.sqrt(6 / (50 + 50))  # Xavier
        assert 0.9 * bound < np.abs(critic[2]).max() <= bound
        for a, b in zip(critic, target, strict=True):
            assert np.array_equal(a, b)
    first, second = (critic[0] for critic in twins_of(agent.critics))
    assert not np.array_equal(first, second)


def test_gradients_equal_differences():
    rng = np.random.default_rng(0)
    networks, x, weight = Perceptrons(2, (3, 7, 5, 2), rng), rng.normal(size=(9, 3)), rng.normal
    networks.parameters += rng.normal(0, 0.1, networks.parameters.shape)  # biases too
    slope = weight(size=(2, 9, 2))

    def loss():
        return np.sum(slope * networks.forward(x)[-1])

    def differences(array):
        found = np.empty(array.size)
        for at in range(array.size):
            kept = array.flat[at]
            values = []
            for shift in (1e-6, -1e-6):
                array.flat[at] = kept + shift
                values.append(loss())
            array.flat[at] = kept
            found[at] = (values[0] - values[1]) / 2e-6
        return found.reshape(array.shape)

    passed = networks.forward(x)
    np.testing.assert_allclose(
        networks.gradient(passed, slope), differences(networks.parameters), rtol=1e-6, atol=1e-7
    )
    np.testing.assert_allclose(
        networks.input_gradient(passed, slope), differences(x), rtol=1e-6, atol=1e-7
    )


def test_adam_equals_torch_s():
    rng = np.random.default_rng(0)
    parameters = rng.normal(size=7)
    theirs = torch.tensor(parameters, requires_grad=True)
    ours, torch_adam = Adam(parameters, 1e-3), torch.optim.Adam([theirs], lr=1e-3)
    for _ in range(30):
        gradient = rng.normal(size=7)
        theirs.grad = torch.tensor(gradient)
        torch_adam.step()
        ours.step(gradient)
    np.testing.assert_allclose(parameters, theirs.detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("mean, std", [(0.0, 1.0), (1.0, 0.5), (-0.5, 0.2)])
def test_log_density_integrates_to_one(mean, std):
    u = np.linspace(-12, 12, 40_001)
    density = np.exp(log_density((u - mean) / std, mean, np.log(std)))
    assert np.trapezoid(density, squash(u)) == pytest.approx(1, abs=1e-6)


def test_log_density_where_tanh_saturates():
    zero = np.zeros(2)
    log_prob = log_density(zero, np.array([30.0, -30.0]), zero)
    np.testing.assert_allclose(log_prob, 60 - np.log(2) - 0.5 * np.log(2 * np.pi), rtol=1e-6)


def test_critic_target_bootstraps_except_at_an_end():
    agent, batch = SoftActorCritic(10, seed=1), batch_of(40)
    for _ in range(10):  # at first, critics and targets are the same
        agent.update(batch)
    (noise,) = noises(agent, 40, 1)
    actions, log_prob = plain_draw(weights_of(agent.actor), batch.next_state, noise)
    critics = twins_of(agent.targets)
    soft_value = plain_value(critics, batch.next_state, actions) - 0.1 * log_prob
    expected = np.where(batch.end, batch.reward, batch.reward + 0.99 * soft_value)
    np.testing.assert_allclose(agent.critic_target(batch), expected)
    assert 0 < batch.end.sum() < 40


def assert_first_step_of_adam(loss, before, after, rate=1e-3):
    """Check that Adam's first step moves each parameter by the rate against its gradient."""
    n_checked = 0
    for old, new in zip(before, after, strict=True):
        for at in list(np.ndindex(old.shape))[:: max(1, old.size // 12)]:
            kept = old[at]
            values = []
            for shift in (1e-5, -1e-5):
                old[at] = kept + shift
                values.append(loss())
            old[at] = kept
            slope = (values[0] - values[1]) / 2e-5
            if abs(slope) > 1e-2:
                assert new[at] - kept == pytest.approx(-rate * np.sign(slope), rel=1e-2)
                n_checked += 1
    assert n_checked > 10


def test_update_equals_plain_computation():
    agent, batch = SoftActorCritic(10, seed=2), batch_of(64, seed=3)
    _, noise = noises(agent, 64, 2)  # the first draw is the target's
    twin = SoftActorCritic(10, seed=2)
    target = twin.critic_target(batch)
    actor = weights_of(agent.actor)
    critics, targets = twins_of(agent.critics), twins_of(agent.targets)
    agent.update(batch)

    inputs = np.column_stack([batch.state, batch.action])
    updated = twins_of(agent.critics)
    for critic, after in zip(critics, updated, strict=True):
        assert_first_step_of_adam(
            lambda critic=critic: np.mean((network(critic, inputs)[:, 0] - target) ** 2),
            critic,
            after,
        )

    def actor_loss():
        actions, log_prob = plain_draw(actor, batch.state, noise)
        return np.mean(0.1 * log_prob - plain_value(updated, batch.state, actions))

    assert_first_step_of_adam(actor_loss, actor, weights_of(agent.actor))

    for old, critic, new in zip(targets, updated, twins_of(agent.targets), strict=True):
        for a, b, now in zip(old, critic, new, strict=True):
            np.testing.assert_allclose(now, a + 0.01 * (b - a), atol=1e-12)


def test_learning_rate_of_the_critics_decays():
    agent, batch = SoftActorCritic(10, seed=0), batch_of(8)
    for _ in range(25):
        agent.update(batch)
    assert agent.critic_optimizer.rate == pytest.approx(1e-3 * 0.99**2)
    assert agent.actor_optimizer.rate == 1e-3


@pytest.mark.parametrize("sign", [1, -1])
def test_actor_moves_towards_the_reward(sign):
    agent, rng = SoftActorCritic(10, seed=0), np.random.default_rng(0)
    state = np.ones(10)
    for _ in range(100):
        batch = batch_of(64, seed=rng, end=True)
        agent.update(batch._replace(reward=10 * sign * (batch.action - 0.5)))
    assert sign * (agent.mean_action(state) - 0.5) > 0.2
    assert sign * (np.mean([agent.sample_action(state) for _ in range(50)]) - 0.5) > 0.15


# Members


def imbalanced(rng, n_maj, n_min, d, gap=1.0):
    X = np.concatenate([rng.normal(0, 1, (n_maj, d)), rng.normal(gap, 1, (n_min, d))])
    order = rng.permutation(len(X))
    return X[order], (order >= n_maj).astype(np.int8)


def subset(rng, X, y, focus):
    """Return all minority and as many majority rows, drawn towards one end of a direction."""
    minority, majority = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    chosen = draw(focus * X[majority].sum(1), len(minority), rng)
    return np.sort(np.concatenate([minority, majority[chosen]]))


@pytest.mark.parametrize("memory", [0, 40_000, 1 << 28])
@pytest.mark.parametrize("k, d, n_min", [(5, 2, 40), (5, 14, 8), (1, 5, 20), (4, 20, 2)])
def test_neighbour_votes_equal_scikit_learn(k, d, n_min, memory):
    rng = np.random.default_rng(k * d)
    X, y = imbalanced(rng, 600, n_min, d)
    X_val = rng.normal(0.5, 1, (150, d))
    votes = NeighbourVotes(k, X, y, X_val, memory)
    for focus in (0, 3, -3):  # far from uniform, votes reach the cut ends of lists
        rows = subset(rng, X, y, focus)
        model = KNeighborsClassifier(k).fit(X[rows], y[rows])
        expected = model.predict_proba(np.concatenate([X, X_val]))[:, 1]
        np.testing.assert_array_equal(votes(rows), expected)


def test_neighbour_lists_are_whole_cut_or_empty():
    """The test above covers every path: whole lists, cut lists, and empty ones."""
    rng = np.random.default_rng(0)
    X, y = imbalanced(rng, 600, 8, 14)
    lengths = [NeighbourVotes(5, X, y, X[:9], memory)._lengths for memory in (0, 40_000, 1 << 28)]
    assert (lengths[0] == 0).all()
    assert (lengths[1] == 40_000 // (2 * 617)).any()
    assert len(np.unique(lengths[2])) > 50


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([0, 300, 1 << 20]))
def test_neighbour_votes_in_ties_take_the_earlier_row(seed, k, memory):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 3, (40, 2)).astype(float)  # duplicates and ties everywhere
    y = np.zeros(40, np.int8)
    y[rng.choice(40, rng.integers((k + 1) // 2, 9), replace=False)] = 1
    X_val = rng.integers(0, 3, (10, 2)).astype(float)
    rows = subset(rng, X, y, 0)
    queries = np.concatenate([X, X_val])
    distance = ((queries[:, None] - X[rows]) ** 2).sum(-1)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, :k]
    votes = NeighbourVotes(k, X, y, X_val, memory)
    np.testing.assert_array_equal(votes(rows), y[rows][nearest].sum(1) / k)


@pytest.mark.parametrize(
    "estimator, answer",
    [
        (KNeighborsClassifier(), True),
        (drop_in_for(KNeighborsClassifier()), True),
        (KNeighborsClassifier(metric="euclidean", algorithm="brute"), True),
        (KNeighborsClassifier(weights="distance"), False),
        (KNeighborsClassifier(p=1), False),
        (KNeighborsClassifier(metric="cosine"), False),
        (KNeighborsClassifier(n_neighbors=7), False),
        (DecisionTreeClassifier(), False),
    ],
)
def test_supports_only_what_neighbour_votes_reproduce(estimator, answer):
    assert supports(estimator, np.array([0] * 9 + [1] * 3, np.int8)) is answer


@pytest.mark.parametrize("shift, scale", [(0.0, 1.0), (0.7, 30.0), (3.0, 1e-3)])
def test_sigmoid_equals_a_plain_minimiser(shift, scale):
    rng = np.random.default_rng(0)
    y = np.repeat(np.array([0, 1], np.int8), [60, 40])
    scores = scale * (rng.normal(0, 1, 100) + y + shift)
    target = np.where(y == 1, 41 / 42, 1 / 62)

    def loss(at):
        z = at[0] * scores / scale + at[1]
        return np.sum(np.logaddexp(0, z) - target * z)

    expected = optimize.minimize(loss, np.zeros(2)).x / [scale, 1]
    np.testing.assert_allclose(fit_sigmoid(scores, y), expected, rtol=1e-3)


def test_sigmoid_of_separable_and_of_equal_scores_is_finite():
    y = np.array([0, 0, 0, 1, 1, 1], np.int8)
    slope, intercept = fit_sigmoid(np.array([-9.0, -8, -7, 7, 8, 9]), y)
    assert np.isfinite([slope, intercept]).all()
    # Platt's targets are met: 1/5 and 4/5.
    assert special.expit(slope * 7 + intercept) == pytest.approx(0.8, abs=0.1)
    slope, intercept = fit_sigmoid(np.ones(6), y)
    assert special.expit(slope + intercept) == pytest.approx(0.5)


def test_member_of_an_svm_has_a_sigmoid_fitted_on_its_rows(small_split):
    X, y = small_split.X_train, small_split.y_train
    rows = subset(np.random.default_rng(0), X, y, 0)
    member = fit_member(LinearSVC(random_state=0), X, y, rows)
    p = member.probability(small_split.X_val)
    decision = member.classifier.decision_function(small_split.X_val)
    assert ((p > 0) & (p < 1)).all()
    assert (np.argsort(p) == np.argsort(decision)).all()
    fitted_on = member.classifier.decision_function(X[rows])
    assert member.sigmoid == fit_sigmoid(fitted_on, y[rows])


# The method


class Recorded(MESA):
    """MESA that records its ensemble and actions."""

    def _learn(self, ensemble, rng):
        policy = super()._learn(ensemble, rng)
        self.ensembles = [ensemble]
        self.actions = []

        def recorded(state):
            self.actions.append(policy(state))
            return self.actions[-1]

        return recorded


def fitted(split, name, metric, seed=0, **changes):
    model = Recorded(random_state=seed, **(SHORT | changes))
    return model.fit(
        split.X_train,
        split.y_train,
        split.X_val,
        split.y_val,
        estimator=CLASSIFIERS[name],
        metric=metric,
    )


@pytest.mark.parametrize("metric", ["macro_f1", "mcc"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_fit_with_every_classifier_and_metric(small_split, name, metric):
    model = fitted(small_split, name, metric)
    predictions = model.predict(small_split.X_test)
    assert predictions.dtype == np.int8
    assert predictions.shape == small_split.y_test.shape
    assert set(predictions) == {0, 1}
    assert len(model.members_) == SHORT["n_members"]
    assert len(model.actions) == SHORT["n_members"] - 1
    # The final members, refitted, predict what the ensemble predicted as it grew.
    again = score(metric, small_split.y_val, model.predict(small_split.X_val))
    assert again == model.validation_score_


def test_drop_in_classifier_changes_nothing(small_split):
    part = small_split
    models = []
    for estimator in (slow := AdaBoostClassifier(random_state=0), drop_in_for(slow)):
        models.append(Recorded(random_state=0, **SHORT))
        models[-1].fit(
            part.X_train, part.y_train, part.X_val, part.y_val, estimator=estimator, metric="mcc"
        )
    assert type(slow) is not type(estimator)
    assert models[0].actions == models[1].actions
    probabilities = [
        [member.probability(part.X_test) for member in model.members_] for model in models
    ]
    np.testing.assert_array_equal(*probabilities)


def test_result_depends_on_the_seed_and_on_no_global_state(small_split):
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002

    # Without a random_state of its own, a classifier would draw from the global generator.
    estimator = DecisionTreeClassifier(splitter="random")
    models = []
    for seed in (0, 0, 1):
        model = Recorded(random_state=seed, **SHORT)
        part = small_split
        model.fit(
            part.X_train, part.y_train, part.X_val, part.y_val, estimator=estimator, metric="mcc"
        )
        models.append(model)
    after = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    assert after == before
    assert estimator.random_state is None

    first, same, other = models
    X = np.random.default_rng(0).normal(0.7, 1, (500, 3))
    assert first.actions == same.actions != other.actions
    assert np.array_equal(first.predict(X), same.predict(X))
    assert not np.array_equal(first.predict(X), other.predict(X))


def test_default_schedule_of_actions_and_updates(monkeypatch):
    """1,503 actions in 167 episodes; the first 500 are uniform and without updates."""
    updates, steps, fits = [], [], []
    put = ReplayRing.put

    def recorded_put(self, state, action, reward, following, end):
        steps.append((action, end))
        put(self, state, action, reward, following, end)

    def recorded_update(self, batch):
        updates.append((len(steps) - 999, batch.action.shape))

    monkeypatch.setattr(ReplayRing, "put", recorded_put)
    monkeypatch.setattr(SoftActorCritic, "update", recorded_update)
    monkeypatch.setattr(SoftActorCritic, "sample_action", lambda self, state: 2.0)
    y = np.array([0] * 8 + [1] * 2, np.int8)

    def probabilities(rows):
        fits.append(rows)
        return np.full(20, 0.5)

    rng = np.random.default_rng(0)
    ensemble = Ensemble(probabilities, y, y, "mcc", n_members=10, sigma=0.2, rng=rng)
    MESA(random_state=0)._learn(ensemble, rng)
    actions, ends = (np.array(column) for column in zip(*steps[999:], strict=True))
    assert len(fits) == 1670
    assert len(actions) == 1503
    assert (np.flatnonzero(ends) == np.arange(8, 1503, 9)).all()
    assert stats.kstest(actions[:500], "uniform").pvalue > 0.01
    assert (actions[500:] == 2.0).all()
    assert updates == [(step, (64,)) for step in range(501, 1504)]


@pytest.mark.parametrize(("steps", "n"), [(1500, 999), (450, 300), (45, 30), (1, 0)])
def test_synthetic_transitions_follow_the_schedule(steps, n):
    assert MESA(random_state=0, environment_steps=steps).synthetic_transitions == n
    assert MESA(random_state=0, synthetic_transitions=7).synthetic_transitions == 7


def test_fit_imports_no_torch():
    code = """
import sys
import numpy as np
from sklearn.tree import DecisionTreeClassifier
from baselines.mesa import MESA
X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 5 == 0
model = MESA(random_state=0, n_members=3, environment_steps=9, random_steps=3)
parts = X, y.astype(np.int8)
model.fit(*parts, *parts, estimator=DecisionTreeClassifier(), metric="mcc")
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_wrong_settings_raise():
    with pytest.raises(ValueError, match="n_members=1"):
        MESA(random_state=0, n_members=1)
    X, y = imbalanced(np.random.default_rng(0), 20, 5, 2)
    with pytest.raises(UserError, match="no metric 'auc'"):
        MESA(random_state=0, **SHORT).fit(
            X, y, X, y, estimator=DecisionTreeClassifier(), metric="auc"
        )


# The meta-sampler against random actions


class RandomActions(MESA):
    def _learn(self, ensemble, rng):
        return lambda state: rng.uniform()


def hard_rows_matter(seed):
    """Return parts with twenty majority rows close to the minority and a thousand far away.

    Uniform under-sampling rarely draws the twenty, so they are predicted as minority. To learn
    them, a member needs mu near 1; random actions give too few such members, and so do constant
    actions in the middle, where the thousand outweigh the twenty.
    """
    rng = np.random.default_rng(1000 + seed)

    def part(times):
        far, near, minority = 1000 * times, 20 * times, 20 * times
        X = np.concatenate(
            [
                rng.normal((-5, 0), 1.0, (far, 2)),
                rng.normal((0, 0), 0.5, (near, 2)),
                rng.normal((1.2, 0), 0.5, (minority, 2)),
            ]
        )
        return X, np.repeat(np.array([0, 1], np.int8), [far + near, minority])

    return part(1), part(1), part(3)


@pytest.mark.slow
def test_learned_actions_beat_random_and_shuffled_ones(monkeypatch):
    schedule = {
        "environment_steps": 540,
        "random_steps": 200,
        "replay_capacity": 300,
        "synthetic_transitions": 299,
        "sigma": 0.28,
    }

    def scores(method):
        values = []
        for seed in range(10):
            train, validation, (X_test, y_test) = hard_rows_matter(seed)
            model = method(random_state=seed, **schedule)
            model.fit(*train, *validation, estimator=KNeighborsClassifier(), metric="macro_f1")
            values.append(score("macro_f1", y_test, model.predict(X_test)))
        return np.array(values)

    learned, at_random = scores(MESA), scores(RandomActions)

    # The same learning from the same rewards, but of unrelated actions.
    sample = ReplayRing.sample

    def shuffled_sample(self, n, rng):
        batch = sample(self, n, rng)
        return batch._replace(action=rng.permutation(batch.action))

    monkeypatch.setattr(ReplayRing, "sample", shuffled_sample)
    shuffled = scores(MESA)

    p_learned = stats.wilcoxon(learned, at_random, alternative="greater").pvalue
    p_shuffled = stats.wilcoxon(shuffled, at_random, alternative="greater").pvalue
    print(
        f"mean {learned.mean():.4f} learned, {at_random.mean():.4f} random, "
        f"{shuffled.mean():.4f} shuffled; p {p_learned:.4g} learned, {p_shuffled:.4g} shuffled"
    )
    assert p_learned < 0.05
    assert p_shuffled > 0.05
    assert stats.wilcoxon(learned, shuffled, alternative="greater").pvalue < 0.05
