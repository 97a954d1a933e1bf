"""The extension that also leaves majority rows out: its order, its level, what it is judged by."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
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
from autosmote.search.hierarchical.parameters import LEFT_OUT, initial_parameters
from autosmote.search.hierarchical.reference import PlainPolicies, plain_episode
from autosmote.space.hard_majority import hardest_first, hardest_share
from autosmote.space.pool import build_space

TREE = DecisionTreeClassifier(random_state=0)


@pytest.fixture(scope="module")
def toy():
    return make_split(load_dataset("toy"), ir=None, seed=0)


def search(split, estimator=TREE, **settings):
    config = SearchConfig(**{"actors": 0, "device": "cpu", "under_sampling": True, **settings})
    return run_search(
        split.X_train, split.y_train, split.X_val, split.y_val, estimator,
        metric="macro_f1", ir=None, seed=0, config=config,
    )  # fmt: skip


def test_the_hardest_rows_are_those_among_the_minority():
    #            far away             beside 1   among three   minority
    X = np.array([[9.0], [9.1], [9.2], [2.0], [0.05], [0.0], [0.1], [0.2]])
    is_minority = np.arange(8) >= 5
    hardest = hardest_first(X, is_minority)
    # Rows 3 and 4 have three minority rows among their five nearest, and row 4 is nearer to one;
    # of the others the nearer to the minority comes first.
    assert hardest.tolist() == [4, 3, 0, 1, 2]
    assert hardest_share(hardest, 0.4).tolist() == [4, 3]
    assert len(hardest_share(hardest, 1.0)) == 4  # never all
    assert len(hardest_share(hardest, 0.0)) == 0


def test_equal_rows_are_left_out_by_position():
    X = np.zeros((12, 2))
    assert hardest_first(X, np.arange(12) == 0).tolist()[-1] == 11


@pytest.mark.parametrize("net", ["joint", "paper"])
def test_the_level_decides_as_one_step_at_a_time(net):
    rng = np.random.default_rng(5)
    space = build_space(rng.normal(size=(12, 3)), 6)
    rules = Rules(under_sampling=True)
    generator = EpisodeGenerator(space, 6, 3, rules=rules, low_level_net=net, low_level_rows=99)
    flat = {name: 3 * initial_parameters(s, rng) for name, s in generator.shapes.items()}
    assert list(flat) == ["under", "cross", "instance", "low"]
    generator.load(np.concatenate(list(flat.values())))
    policies = PlainPolicies(space, flat, G1=6, G2=3, low_level_net=net, under=True)
    seen = set()
    for seed in range(8):
        plain = plain_episode(policies, np.random.default_rng(seed))
        made = generator.generate(np.random.default_rng(seed))
        assert (made.under, made.g1, made.g2.tolist()) == (plain.under, plain.g1, plain.g2)
        assert made.action.tolist() == plain.action
        np.testing.assert_allclose(made.under_log_prob, plain.under_log_prob, atol=1e-4)
        seen.add(made.under)
    assert len(seen) > 2


@pytest.mark.parametrize("estimator", [TREE, KNeighborsClassifier()], ids=["dt", "knn"])
def test_the_best_score_is_that_of_the_rows_that_are_left(toy, estimator):
    results = [search(toy, estimator, iterations=25, actors=n) for n in (0, 2)]
    for key in ("reward", "n_synthetic"):
        assert np.array_equal(results[0].history[key], results[1].history[key])
    result = results[0]
    assert result.best.sample_set.left_out == results[1].best.sample_set.left_out
    hardest = hardest_first(toy.X_train, toy.y_train == 1)
    kept = np.setdiff1d(
        np.arange(len(toy.y_train)), hardest_share(hardest, result.best.sample_set.left_out)
    )
    X = np.vstack([toy.X_train[kept], result.X_synthetic])
    y = np.append(toy.y_train[kept], np.ones(len(result.X_synthetic), np.int8))
    model = clone(estimator).fit(X, y)
    assert macro_f1(toy.y_val, model.predict(toy.X_val)) == result.best.score
    refit = search(toy, estimator, iterations=25, scoring="refit")
    assert np.array_equal(refit.history["reward"], result.history["reward"])


def test_under_sampling_level_learns_the_best_share(toy):
    initial = search(toy, iterations=1).parameters["under"]
    assert not np.array_equal(search(toy, iterations=6).parameters["under"], initial)
    uniform = search(toy, iterations=6, ablation="random_search").parameters["under"]
    assert np.array_equal(uniform, initial)
    assert set(search(toy, iterations=6, ablation="flat").parameters) == {"under", "low"}


class Prefers:
    """A scorer that wants as few majority rows as possible."""

    def __call__(self, estimator, X, y):
        return 1.0 - estimator.n_majority_ / 100.0


class Counts(LogisticRegression):
    def fit(self, X, y):
        self.n_majority_ = int(np.sum(y == 0))
        return super().fit(X, y)


def test_estimator_leaves_out_the_best_share():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(80, 2)), rng.normal(1.5, 1, (20, 2))])
    y = np.repeat([0, 1], [80, 20])
    sampler = AutoSMOTE(
        Counts(), scoring=Prefers(), iterations=60, random_state=0,
        method="paper", search_options={"under_sampling": True},
    )  # fmt: skip
    X_new, y_new = sampler.fit_resample(X, y)
    result = sampler.searches_[1]
    assert result.best.sample_set.left_out == LEFT_OUT[-1]
    left_out = sampler.left_out_
    assert len(left_out) == round(0.9 * 60) and np.all(y[left_out] == 0)  # 60 of 80 are trained on
    kept = np.setdiff1d(np.arange(100), left_out)
    assert np.array_equal(X_new[: len(kept)], X[kept])
    assert np.array_equal(y_new[: len(kept)], y[kept])
    assert len(X_new) == len(kept) + len(result.X_synthetic)
    # It is learned, not only found.
    n = len(result.history["reward"])
    assert result.history["reward"][n // 2 :].mean() > result.history["reward"][:10].mean()


def test_under_sampling_works_with_folds_and_refuses_three_classes():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 2)), np.repeat([0, 1, 2], [60, 20, 10])
    options = {"under_sampling": True}
    sampler = AutoSMOTE(TREE, method="paper", iterations=5, random_state=0, search_options=options)
    with pytest.raises(ValueError, match="two classes, but there are 3"):
        sampler.fit_resample(X, y)
    sampler.set_params(cv=3).fit_resample(X, y == 2)
    assert not sampler.left_out_.size or np.all(y[sampler.left_out_] != 2)


def test_a_run_counts_what_was_left_out(toy):
    config = SearchConfig(under_sampling=True, iterations=20, actors=0, device="cpu")
    (found,) = evaluate(toy, load_sampler("autosmote"), [(TREE, "macro_f1")], seed=0, search=config)
    before, after = found.rows["train"], found.rows["resampled"]
    assert before[0] - after[0] == round(found.search.best.sample_set.left_out * before[0])
    assert found.n_synthetic == after[1] - before[1] == found.search.best.sample_set.samples.sum()
    assert found.search.best.score == pytest.approx(found.scores["validation"]["macro_f1"])
    assert (
        search(toy, iterations=20).best.sample_set.left_out == found.search.best.sample_set.left_out
    )
