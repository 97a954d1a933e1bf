"""The extension whose lambda is continuous: its space, its policy, what it is scored by."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from run_configs import CONFIG, changed, identity_of
from sklearn.base import clone
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from test_policies import rebind

from autosmote.config.groups import load_sampler
from autosmote.config.search import SearchConfig
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.errors import UserError
from autosmote.evaluation.protocol import evaluate
from autosmote.metrics import macro_f1
from autosmote.records.files import write_policies
from autosmote.run import main
from autosmote.sampler.autosmote import AutoSMOTE
from autosmote.sampler.class_search import run_search
from autosmote.sampler.encoding import tabular
from autosmote.search.hierarchical.episode import EpisodeGenerator, Rules
from autosmote.search.hierarchical.episode_kernels import UNIFORM
from autosmote.search.hierarchical.learner import HierarchicalLearner
from autosmote.search.hierarchical.levels import LearnerSettings
from autosmote.search.hierarchical.parameters import initial_parameters
from autosmote.search.hierarchical.policies import LowLevelPolicy
from autosmote.search.hierarchical.reference import PlainPolicies, plain_episode, plain_flat_episode
from autosmote.search.hierarchical.torch_level import TorchLevel
from autosmote.search.result import SearchInterrupted
from autosmote.space.continuous import Segments, build_segment_space

G1, G2 = 10, 4
CPU = torch.device("cpu")
TREE = DecisionTreeClassifier(random_state=0)
CONTINUOUS = {"lambda_head": "continuous"}


def make(net="paper", n=12, K=6, scale=3.0, next_bias=-3.0, seed=5, **settings):
    """A space, a generator, and parameters that are far from uniform; a flat policy's end rows now
    and then."""
    rng = np.random.default_rng(seed)
    space = build_segment_space(rng.normal(size=(n, 3)), K)
    generator = EpisodeGenerator(
        space, G1, G2, low_level_net=net, **{"low_level_rows": 99, **settings}
    )
    flat = {name: scale * initial_parameters(s, rng) for name, s in generator.shapes.items()}
    if generator.rules.flat:
        flat["low"][-1] += next_bias
    generator.load(np.concatenate(list(flat.values())))
    return space, generator, flat


@pytest.fixture(scope="module")
def toy():
    return make_split(load_dataset("toy"), ir=None, seed=0)


def search(split, estimator=TREE, **settings):
    config = SearchConfig(**{"actors": 0, "device": "cpu", **CONTINUOUS, **settings})
    return run_search(
        split.X_train, split.y_train, split.X_val, split.y_val, estimator,
        metric="macro_f1", ir=None, seed=0, config=config,
    )  # fmt: skip


# The space


def test_rows_lie_where_their_weights_say_whatever_is_made_beside():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(9, 4))
    space = build_segment_space(X, 5)
    source = rng.integers(9, size=200).astype(np.int32)
    neighbour = space.neighbours[source, rng.integers(5, size=200)]
    samples = Segments(source, neighbour, rng.random(200))
    rows = space.rows(samples)
    for s in range(200):
        a, b, w = X[source[s]], X[neighbour[s]], samples.weight[s]
        np.testing.assert_allclose(rows[s], (1 - w) * a + w * b, atol=1e-12)
        if source[s] == neighbour[s]:
            assert rows[s].tobytes() == a.tobytes()  # slot 0 is the row itself, to the bit
        assert space.rows(samples.only(np.arange(200) == s)).tobytes() == rows[s].tobytes()
    assert space.rows(space.no_samples()).shape == (0, 4)


def test_categories_are_the_nearer_end_s_and_numbers_what_columns_hold():
    ends = np.array([[0.0, 3.0, 10.0], [1.0, 7.0, 20.0]])
    space = build_segment_space(
        ends[:, :1],
        2,
        rows=ends,
        categorical=np.array([False, True, False]),
        store=lambda rows: np.column_stack([rows[:, :2], np.rint(rows[:, 2])]),
    )
    weight = np.array([0.5 - 1e-9, 0.5, 0.5 + 1e-9, 0.26])
    of = np.zeros(4, np.int32)
    there = space.rows(Segments(of, of + 1, weight))
    assert there[:, 1].tolist() == [3, 3, 7, 3]  # in the middle the source's
    assert there[3, 2] == 13
    assert space.rows(Segments(of + 1, of, weight))[:, 1].tolist() == [7, 7, 3, 7]


def test_a_part_gets_only_samples_of_which_it_has_both_ends():
    space, generator, _ = make()
    samples = generator.generate(np.random.default_rng(2)).samples
    known = np.arange(12) % 3 > 0
    maker = space.row_maker().restricted_to(known)
    own = maker.restrict(samples)
    both = known[samples.source] & known[samples.neighbour]
    assert 0 < both.sum() < len(samples)
    assert np.array_equal(maker.rows(own), space.rows(samples)[both])
    assert space.row_maker().restricted_to(np.ones(12, bool)).restrict(samples) is samples


# The generator


@pytest.mark.parametrize("net", ["joint", "paper"])
@pytest.mark.parametrize("kind", ["hierarchy", "flat", "under"])
def test_episode_equals_plain_episode_with_continuous_lambda(net, kind):
    rules = Rules(flat=kind == "flat", under_sampling=kind == "under")
    space, generator, flat = make(net, rules=rules)
    policies = PlainPolicies(
        space, flat, G1=G1, G2=G2, low_level_net=net, next_row=rules.flat,
        under=rules.under_sampling,
    )  # fmt: skip
    n_samples = crossed = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        plain = (
            plain_flat_episode(policies, G1 * G2, rng)
            if rules.flat
            else plain_episode(policies, rng)
        )
        made = generator.generate(np.random.default_rng(seed))
        assert (made.under, made.g1, made.g2.tolist()) == (plain.under, plain.g1, plain.g2)
        assert (made.row.tolist(), made.action.tolist()) == (plain.row, plain.action)
        assert made.bins_low.tolist() == plain.bins
        np.testing.assert_allclose(made.log_prob, plain.log_prob, atol=2e-3)
        is_sample = made.action < space.K
        assert made.n_synthetic == len(made.samples) == is_sample.sum() == len(plain.rows)
        np.testing.assert_allclose(made.samples.weight, plain.weight, atol=1e-5)
        np.testing.assert_array_equal(made.weight[is_sample], made.samples.weight)
        if plain.rows:
            np.testing.assert_allclose(space.rows(made.samples), plain.rows, atol=1e-4)
            crossed = max(crossed, made.bins_low.max())
        n_samples += made.n_synthetic
    assert n_samples > 300 and crossed >= 3


def test_kept_steps_are_those_of_the_whole_episode():
    _, everything, _ = make()
    _, some, _ = make(low_level_rows=3)
    whole, made = (g.generate(np.random.default_rng(1)) for g in (everything, some))
    where = np.isin(whole.row, np.unique(made.row))
    assert 0 < len(made.row) < len(whole.row) and len(np.unique(made.row)) == 3
    assert np.array_equal(whole.weight[where], made.weight)
    assert whole.samples.tobytes() == made.samples.tobytes()


@pytest.mark.parametrize("net", ["joint", "paper"])
def test_zero_parameters_are_nearly_uniform(net):
    space, generator, _ = make(net, scale=0.0)
    made = [generator.generate(np.random.default_rng(seed)) for seed in range(60)]
    weight = np.concatenate([e.samples.weight for e in made])
    assert len(weight) > 5000
    share = np.histogram(weight, 10, (0, 1))[0] / len(weight)
    assert np.all((share > 0.075) & (share < 0.125))
    density = np.concatenate([e.log_prob for e in made]) + np.log(space.K)
    inside = np.concatenate([np.abs(e.weight - 0.5) < 0.46 for e in made])
    assert np.all(np.abs(density[inside]) < 0.12)


@pytest.mark.parametrize("scale", [30.0, 1e4])
def test_lambda_stays_inside_whatever_the_network_says(scale):
    for seed in range(4):
        space, generator, flat = make(scale=scale, seed=seed)
        for n in range(6):
            made = generator.generate(np.random.default_rng(n))
            weight = made.samples.weight
            assert np.all((weight > 0) & (weight < 1))
            assert np.all(np.isfinite(made.log_prob))
            policy = LowLevelPolicy(space, generator.shapes["low"], flat["low"], CPU)
            steps = {"row": made.row, "bins": made.bins_low, "weight": made.weight}
            evaluation = policy.evaluate(steps, made.action)
            assert torch.isfinite(evaluation.log_probs).all()
            assert torch.isfinite(evaluation.entropies).all()


def test_a_uniform_low_level_is_uniform_in_both():
    space, generator, _ = make(rules=Rules(cross=UNIFORM, instance=UNIFORM, low=UNIFORM))
    made = [generator.generate(np.random.default_rng(seed)) for seed in range(60)]
    weight = np.concatenate([e.samples.weight for e in made])
    assert np.all((weight > 0) & (weight < 1))
    share = np.histogram(weight, 10, (0, 1))[0] / len(weight)
    assert len(weight) > 5000 and np.all(np.abs(share - 0.1) < 0.02)
    slots = np.bincount(np.concatenate([e.action for e in made]), minlength=space.K)
    assert slots.shape == (space.K,) and np.all(np.abs(slots / len(weight) * space.K - 1) < 0.15)
    assert made[0].log_prob == pytest.approx(-np.log(space.K))


# The policy and its learning


@pytest.mark.parametrize("net", ["joint", "paper"])
@pytest.mark.parametrize("flat", [False, True])
def test_the_learner_sees_the_policy_as_it_acted_with_its_gradient(net, flat):
    space, generator, parameters = make(net, rules=Rules(flat=flat))
    episodes = (generator.generate(np.random.default_rng(seed)) for seed in range(99))
    made = next(episode for episode in episodes if len(episode.row) > 100)
    chosen = np.arange(0, len(made.row), 4)  # one call per step is slow
    steps = {"row": made.row, "bins": made.bins_low, "weight": made.weight}
    steps = {name: column[chosen] for name, column in steps.items()}
    actions = made.action[chosen]
    policy = LowLevelPolicy(space, generator.shapes["low"], parameters["low"], CPU)
    evaluation = policy.evaluate(steps, actions)
    np.testing.assert_allclose(evaluation.log_probs.detach(), made.log_prob[chosen], atol=1e-3)

    plain = PlainPolicies(space, parameters, G1=G1, G2=G2, low_level_net=net, next_row=flat)
    leaf = torch.nn.Parameter(torch.from_numpy(parameters["low"].copy()))
    rebind(plain, leaf, generator.shapes["low"])
    log_probs, entropies, values = [], [], []
    for row, bins, weight, action in zip(*steps.values(), actions, strict=True):
        row, bins = int(row), bins.tolist()
        log_policy, value = plain.low_level(row, bins)
        log_prob, entropy = log_policy[action], -(log_policy.exp() * log_policy).sum()
        for k in range(space.K):
            normal, squashed = plain.weight(row, bins, k)
            entropy = entropy + log_policy[k].exp() * normal.entropy()
            if k == action:
                log_prob = log_prob + squashed.log_prob(torch.tensor(weight, dtype=torch.float64))
        log_probs.append(log_prob.float())
        entropies.append(entropy)
        values.append(value[0])
    parts = (evaluation.log_probs, evaluation.entropies, evaluation.values)
    expected = [torch.stack(part) for part in (log_probs, entropies, values)]
    for ours, theirs in zip(parts, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    random = torch.randn(3, len(chosen), generator=torch.Generator().manual_seed(0))
    sum((w * part).sum() for w, part in zip(random, parts, strict=True)).backward()
    sum((w * part).sum() for w, part in zip(random, expected, strict=True)).backward()
    torch.testing.assert_close(policy.flat.grad, leaf.grad, rtol=5e-3, atol=5e-3)
    assert torch.count_nonzero(leaf.grad) > 1000


@pytest.mark.parametrize("wanted", [0.15, 0.85])
def test_low_level_learns_a_lambda(wanted):
    """A weight that pays is learned, through the same queue, losses and optimiser."""
    space, generator, _ = make()
    rng = np.random.default_rng(0)
    flat = {name: initial_parameters(shapes, rng) for name, shapes in generator.shapes.items()}
    policy = LowLevelPolicy(space, generator.shapes["low"], flat["low"], CPU)
    settings = LearnerSettings(0.005, 1.0, 0.5, 0.0006, 40.0)
    learner = HierarchicalLearner({"low": TorchLevel(policy, 100, settings)})
    errors = []
    for n in range(150):
        flat["low"] = policy.flat.detach().numpy()
        generator.load(np.concatenate(list(flat.values())))
        episode = generator.generate(np.random.default_rng([1, n]))
        if episode.n_synthetic:
            errors.append(np.abs(episode.samples.weight - wanted).mean())
            learner.consume(episode, 1.0 - errors[-1])
    assert learner.levels["low"].updates > 50
    assert np.mean(errors[-20:]) < 0.6 * np.mean(errors[:20])


# The search


@pytest.mark.parametrize(
    ("actors", "settings"), [((1, 2), {}), ((2,), {"low_level_net": "joint", "ablation": "flat"})]
)
def test_continuous_search_is_the_same_for_any_number_of_actors(toy, actors, settings):
    first, *others = (search(toy, iterations=15, actors=n, **settings) for n in (0, *actors))
    for other in others:
        for key in ("reward", "best", "n_synthetic"):
            assert np.array_equal(other.history[key], first.history[key])
        assert other.best.sample_set.samples.tobytes() == first.best.sample_set.samples.tobytes()
        assert np.array_equal(other.X_synthetic, first.X_synthetic)
        for level, flat in first.parameters.items():
            assert np.array_equal(other.parameters[level], flat)
    assert (
        first.scorer == "refit"
        and len(first.best.sample_set.samples) == first.best.sample_set.row_counts.sum()
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"ablation": "no_cross_instance"},
        {"ablation": "no_instance_specific"},
        {"ablation": "no_low_level"},
        {"ablation": "random_search"},
        {"ablation": "flat", "under_sampling": True},
        {"under_sampling": True, "low_level_net": "joint"},
    ],
    ids=lambda settings: "-".join(map(str, settings.values())),
)
def test_the_best_score_is_that_of_the_rows_that_are_returned(toy, settings):
    config = SearchConfig(iterations=12, actors=0, device="cpu", **CONTINUOUS, **settings)
    (found,) = evaluate(toy, load_sampler("autosmote"), [(TREE, "macro_f1")], seed=0, search=config)
    assert found.status == "ok"
    model = clone(TREE).fit(found.X, found.y)
    best = found.search.best
    assert macro_f1(toy.y_val, model.predict(toy.X_val)) == best.score
    assert found.scores["validation"]["macro_f1"] == pytest.approx(best.score)
    assert found.n_synthetic == len(best.sample_set.samples) == best.sample_set.row_counts.sum()
    source = np.bincount(best.sample_set.samples.source, minlength=len(best.sample_set.row_counts))
    assert np.array_equal(source, best.sample_set.row_counts)
    plain = search(toy, iterations=12, **settings)
    assert plain.best.sample_set.samples.tobytes() == best.sample_set.samples.tobytes()
    initial = search(toy, iterations=1, **settings).parameters
    learned = settings.get("ablation") not in ("no_low_level", "random_search")
    assert np.array_equal(plain.parameters["low"], initial["low"]) != learned


def test_merged_parts_with_continuous_lambda(toy):
    result = search(toy, ablation="merge_train_val", iterations=10)
    X, y = np.vstack([toy.X_train, toy.X_val]), np.append(toy.y_train, toy.y_val)
    n = len(result.X_synthetic)
    model = clone(TREE).fit(np.vstack([X, result.X_synthetic]), np.append(y, np.ones(n, np.int8)))
    assert result.best.score == macro_f1(y, model.predict(X))


@pytest.mark.parametrize(
    "estimator", [AdaBoostClassifier(n_estimators=8, random_state=0), KNeighborsClassifier()]
)
def test_a_faster_fit_changes_no_reward(toy, estimator):
    auto, refit = (search(toy, estimator, iterations=8, scoring=s) for s in ("auto", "refit"))
    assert np.array_equal(auto.history["reward"], refit.history["reward"])
    assert auto.scorer == refit.scorer == "refit"


def test_an_interrupted_search_has_its_best_samples(toy):
    def interrupt(iteration, reward, best):
        if iteration == 6:
            raise KeyboardInterrupt

    config = SearchConfig(iterations=20, actors=2, device="cpu", **CONTINUOUS)
    with pytest.raises(SearchInterrupted) as caught:
        run_search(
            toy.X_train, toy.y_train, toy.X_val, toy.y_val, TREE,
            metric="macro_f1", ir=None, seed=0, config=config, on_iteration=interrupt,
        )  # fmt: skip
    result = caught.value.result
    assert len(result.best.sample_set.samples) == len(result.X_synthetic) and result.iterations == 6
    assert result.best.score == result.history["reward"].max()


# The sampler


def frame(rng, n=120):
    y = np.repeat([0, 1], [n - 24, 24])
    return pd.DataFrame(
        {
            "size": rng.normal(y, 1.0),
            "count": rng.poisson(4 + 3 * y),
            "colour": rng.choice(["red", "green", "blue"], n),
            "flag": rng.random(n) < 0.3 + 0.3 * y,
        }
    ), np.where(y == 1, "yes", "no")


def test_frames_with_categories_and_whole_numbers():
    X, y = frame(np.random.default_rng(0))
    sampler = AutoSMOTE(
        tabular(LogisticRegression(max_iter=200)), iterations=6, random_state=0,
        method="paper", search_options=CONTINUOUS,
    )  # fmt: skip
    X_new, y_new = sampler.fit_resample(X, y)
    pd.testing.assert_frame_equal(X_new[: len(X)], X)
    made = X_new[len(X) :]
    assert len(made) > 0 and set(y_new[len(X) :]) == {"yes"}
    assert (made.dtypes == X.dtypes).all() and set(made["colour"]) <= set(X["colour"])
    minority = X[y == "yes"]
    assert made["size"].between(minority["size"].min(), minority["size"].max()).all()
    assert not np.isin(made["size"], X["size"]).all()
    assert made["count"].between(minority["count"].min(), minority["count"].max()).all()


@pytest.mark.parametrize("standardize", [False, True])
def test_a_fold_is_trained_with_samples_between_its_own_rows(standardize):
    rng = np.random.default_rng(1)
    X = np.vstack([rng.normal(size=(90, 2)), rng.normal(1.5, 1, (24, 2))]) * [1, 100]
    y = np.repeat([0, 1], [90, 24])
    cv = StratifiedKFold(3, shuffle=True, random_state=0)
    sampler = AutoSMOTE(
        TREE, cv=cv, iterations=6, random_state=0, standardize=standardize,
        method="paper", search_options=CONTINUOUS,
    )  # fmt: skip
    X_new, _ = sampler.fit_resample(X, y)
    samples, made = sampler.searches_[1].best.sample_set.samples, X_new[len(X) :]
    minority = np.flatnonzero(y == 1)
    scores = []
    for train, held_out in cv.split(X, y):
        known = np.isin(minority, train)
        both = known[samples.source] & known[samples.neighbour]
        assert 0 < both.sum() < len(both)
        model = clone(TREE).fit(
            np.vstack([X[train], made[both]]), np.append(y[train], np.ones(both.sum(), int))
        )
        scores.append(macro_f1(y[held_out], model.predict(X[held_out])))
    assert sampler.best_score_ == pytest.approx(np.mean(scores))


def test_several_minority_classes_and_numbers_alone():
    rng = np.random.default_rng(2)
    y = np.repeat(["a", "b", "c"], [60, 15, 10])
    X = rng.normal(size=(85, 3)) + np.repeat([0, 1, 2], [60, 15, 10])[:, None]
    sampler = AutoSMOTE(
        TREE, method="paper", iterations=5, random_state=0, search_options=CONTINUOUS
    )
    X_new, y_new = sampler.fit_resample(X, y)
    for label in "bc":
        made = X_new[85:][y_new[85:] == label]
        best = sampler.searches_[label].best
        assert len(made) == len(best.sample_set.samples) == sampler.sampling_strategy_[label]
        assert np.array_equal(made, sampler.searches_[label].X_synthetic)
    assert X_new[:85].tobytes() == X.tobytes()


@pytest.mark.parametrize("final", ["vote", "tuned_vote"])
def test_votes_of_continuous_sample_sets(final):
    rng = np.random.default_rng(3)
    X = np.vstack([rng.normal(size=(80, 2)), rng.normal(1.5, 1, (20, 2))])
    y = np.repeat([0, 1], [80, 20])
    sampler = AutoSMOTE(
        TREE, method="paper", iterations=8, final=final, keep=3, random_state=0,
        search_options=CONTINUOUS,
    )  # fmt: skip
    X_new, _ = sampler.fit_resample(X, y)
    assert len(X_new) - 100 == len(sampler.searches_[1].best.sample_set.samples)
    assert len(sampler.searches_[1].candidates) == 3
    assert set(sampler.ensemble_.predict(X)) <= {0, 1}


# Settings, saved policies, records


def test_unknown_lambda_head_is_refused():
    with pytest.raises(
        UserError, match=r"lambda_head must be one of discrete, continuous, not lin"
    ):
        SearchConfig(lambda_head="lin").check()


def test_policies_of_the_other_head_do_not_fit(toy, tmp_path):
    write_policies(tmp_path, search(toy, iterations=1).parameters)
    again = search(toy, iterations=1, init_from=str(tmp_path))
    assert (
        again.best.sample_set.samples.tobytes()
        == search(toy, iterations=1).best.sample_set.samples.tobytes()
    )
    with pytest.raises(UserError, match="same G1, G2, low_level_net, lambda_head"):
        search(toy, iterations=1, init_from=str(tmp_path), lambda_head="discrete")
    write_policies(tmp_path, search(toy, iterations=1, lambda_head="discrete").parameters)
    with pytest.raises(UserError, match="same G1, G2, low_level_net, lambda_head"):
        search(toy, iterations=1, init_from=str(tmp_path))


def test_identity_names_lambda_head_unless_it_is_the_default():
    def identity(**settings):
        return identity_of(changed(search=SearchConfig(**settings)))

    assert identity() == identity_of(CONFIG)
    assert "lambda_head" not in identity()["search"]
    assert identity(**CONTINUOUS)["search"]["lambda_head"] == "continuous"


def test_a_run_keeps_its_best_samples(tmp_path):
    arguments = [
        "search.lambda_head=continuous", "search.iterations=6", "search.actors=0",
        "search.device=cpu", f"results_dir={tmp_path}", "save_data=true",
    ]  # fmt: skip
    assert main(arguments) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    record = json.loads((folder / "record.json").read_text())
    assert record["status"] == "ok" and record["search"]["scorer"] == "refit"
    assert not (folder / "best_counts.npz").exists()
    with np.load(folder / "best_segments.npz", allow_pickle=False) as arrays:
        samples = Segments(**arrays)
    assert len(samples) == record["n_synthetic"]
    split = make_split(load_dataset("toy"), ir=None, seed=0)
    space = build_segment_space(split.X_train[split.y_train == 1], 30)
    kept = pd.read_csv(folder / "train_resampled.csv.gz").to_numpy()[len(split.X_train) :, :-1]
    np.testing.assert_allclose(kept, space.rows(samples), rtol=1e-12)
