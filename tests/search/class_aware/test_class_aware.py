"""The class-aware search in the loop, in the estimator and in the runner."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from searching import search_in
from sklearn.base import clone
from sklearn.metrics import make_scorer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from autosmote import AutoSMOTE
from autosmote.config.search import SearchConfig
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.errors import UserError
from autosmote.metrics import macro_f1
from autosmote.run import main
from autosmote.sampler.class_search import run_search
from autosmote.sampler.encoding import tabular
from autosmote.search.class_aware.method import Draw
from autosmote.search.class_aware.policy import Family
from autosmote.search.method import make_method
from autosmote.space.continuous import Segments
from autosmote.space.hard_majority import hardest_first, hardest_share

TREE = DecisionTreeClassifier(max_depth=3, random_state=0)


@pytest.fixture(scope="module")
def toy():
    return make_split(load_dataset("toy"), ir=None, seed=0)


def search(split, estimator=TREE, metric="macro_f1", **settings):
    config = SearchConfig(**{"method": "class_aware", "actors": 0, "iterations": 24, **settings})
    return run_search(
        split.X_train, split.y_train, split.X_val, split.y_val, estimator,
        metric=metric, ir=None, seed=1, config=config,
    )  # fmt: skip


def problem_of(X, y, **settings):
    config = SearchConfig(method="class_aware", actors=0, reward="crossfit", **settings)
    return search_in(X, y, TREE, config).problem


def test_same_result_for_any_number_of_actors(toy):
    results = [
        search(toy, KNeighborsClassifier(), actors=n, lag=3, final="vote", keep=4)
        for n in (0, 1, 2)
    ]
    for other in results[1:]:
        for column in ("reward", "n_synthetic"):
            assert np.array_equal(results[0].history[column], other.history[column])
        for name in ("means", "deviations"):
            assert np.array_equal(results[0].parameters[name], other.parameters[name])
        for one, two in zip(results[0].candidates, other.candidates, strict=True):
            assert (one.score, one.iteration) == (two.score, two.iteration)
            assert np.array_equal(one.sample_set.samples, two.sample_set.samples)
    assert len(set(results[0].history["reward"])) > 5
    assert results[0].device == "cpu" and results[0].G1 is None


def test_first_iteration_is_the_plain_classifier(toy):
    result = search(toy, iterations=1)
    plain = macro_f1(toy.y_val, clone(TREE).fit(toy.X_train, toy.y_train).predict(toy.X_val))
    assert result.best.score == plain and result.best.sample_set.samples.sum() == 0
    assert len(result.X_synthetic) == 0


@pytest.mark.parametrize("estimator", [TREE, KNeighborsClassifier()], ids=["dt", "knn"])
@pytest.mark.parametrize("lambda_head", ["discrete", "continuous"])
def test_best_score_is_that_of_the_rows_that_are_returned(toy, estimator, lambda_head):
    result = search(toy, estimator, lambda_head=lambda_head)
    X = np.vstack([toy.X_train, result.X_synthetic])
    y = np.append(toy.y_train, np.ones(len(result.X_synthetic), np.int8))
    model = clone(estimator).fit(X, y)
    assert macro_f1(toy.y_val, model.predict(toy.X_val)) == result.best.score
    best = result.best.sample_set
    assert best.row_counts.sum() == len(result.X_synthetic) > 0
    assert isinstance(best.samples, Segments) == (lambda_head == "continuous")


def test_hardest_majority_rows_can_be_left_out(toy):
    result = search(toy, under_sampling=True, iterations=40, final="vote", keep=40)
    assert len(result.parameters["means"]) == 9
    shares = {found.sample_set.left_out for found in result.candidates}
    assert len(shares) > 2
    found = next(found for found in result.candidates if found.sample_set.left_out > 0)
    hardest = hardest_first(toy.X_train, toy.y_train == 1)
    kept = np.setdiff1d(
        np.arange(len(toy.y_train)), hardest_share(hardest, found.sample_set.left_out)
    )
    validation = (toy.X_val, toy.y_val)
    searched = search_in(toy.X_train, toy.y_train, TREE, SearchConfig(), validation)
    space = searched.problem.space
    rows = space.rows(found.sample_set.samples)
    X = np.vstack([toy.X_train[kept], rows])
    y = np.append(toy.y_train[kept], np.ones(len(rows), np.int8))
    assert macro_f1(toy.y_val, clone(TREE).fit(X, y).predict(toy.X_val)) == found.score


def folded(seed=0):
    rng = np.random.default_rng(seed)
    X = np.vstack([rng.normal(0, 1, (90, 3)), rng.normal(1, 1, (20, 3))])
    return X, np.repeat([0, 1], [90, 20]).astype(np.int8)


def draw_of(method, seed=3):
    family = method.family
    point = np.random.default_rng(seed).normal(family.means, family.deviations)
    numbers = family.read(point)
    return Draw(numbers, seed, method.whole.n_synthetic(numbers))


def test_what_a_fold_is_scored_with_does_not_depend_on_its_held_out_rows():
    X, y = folded()
    problem = problem_of(X, y)
    method = make_method(problem)
    draw = draw_of(method)
    before = method.part_samples(draw)
    changed = 0
    for part, used in enumerate(problem.rows.parts):
        other = X.copy()
        other[~used] = np.random.default_rng(part).normal(5, 3, (np.count_nonzero(~used), 3))
        of_other = problem_of(other, y)
        after = make_method(of_other).part_samples(draw)
        own = problem.parts[part].maker.rows(before[part])
        assert np.array_equal(own, of_other.parts[part].maker.rows(after[part])) and len(own) > 10
        changed += not np.array_equal(before[part - 1], after[part - 1])
    assert changed  # of the folds that do train on them


def test_each_fold_draws_its_own_rows_and_the_whole_has_all_minority_rows():
    X, y = folded()
    problem = problem_of(X, y)
    method = make_method(problem)
    whole = method.complete(draw_of(method))
    assert len(whole.row_counts) == 20 and whole.row_counts.sum() == whole.samples.sum()
    parts = [part.maker.rows(whole.for_part(i)) for i, part in enumerate(problem.parts)]
    assert len({rows.tobytes() for rows in parts}) == 5
    for part, rows in zip(problem.parts, parts, strict=True):
        own = part.X_train[part.y_train == 1]
        assert rows.min() >= own.min() and len(own) == 16


def test_scores_of_folds_are_those_of_their_own_rows():
    X, y = folded()
    problem = problem_of(X, y, iterations=5)
    result = search_in(X, y, TREE, problem.config).run()
    best, scores = result.best.sample_set, []
    for index, part in enumerate(problem.parts):
        rows = part.maker.rows(best.for_part(index))
        labels = np.append(part.y_train, np.ones(len(rows), np.int8))
        model = clone(TREE).fit(np.vstack([part.X_train, rows]), labels)
        scores.append(macro_f1(part.y_val, model.predict(part.X_val)))
    assert result.best.score == np.mean(scores)


@pytest.mark.parametrize(
    ("free", "varying"),
    [
        (["ratio"], [0]),
        (["ratio", "h5"], [0, 1]),
        (["ratio", "reach", "alpha", "beta"], [0, 5, 6, 7]),
    ],
)
def test_only_the_free_numbers_vary(toy, free, varying):
    result = search(toy, method_params={"free": free})
    moved = np.flatnonzero(result.parameters["deviations"])
    assert moved.tolist() == varying
    assert np.flatnonzero(result.parameters["means"]).tolist() == varying


def test_other_features_make_other_numbers(toy):
    result = search(toy, method_params={"features": ["h30"]})
    assert len(result.parameters["means"]) == len(Family(["h30"]).names) == 5


def test_without_a_learner_the_first_distribution_stays(toy):
    result = search(toy, method_params={"learner": "random"})
    family = Family(["h5", "h5_squared", "h30", "distance"])
    assert np.array_equal(result.parameters["means"], family.means)
    assert np.array_equal(result.parameters["deviations"], family.deviations.astype(np.float32))


def test_only_the_means_move_unless_the_floor_lets_deviations_shrink(toy):
    first = Family(["h5", "h5_squared", "h30", "distance"]).deviations.astype(np.float32)
    wide, narrow = (search(toy, method_params={"floor": floor}) for floor in (1.0, 0.1))
    assert np.all(wide.parameters["deviations"] >= first) and wide.parameters["means"].all()
    assert np.mean(narrow.parameters["deviations"] / first) < 0.9
    by_default = search(toy)
    assert np.array_equal(by_default.history["reward"], wide.history["reward"])


def test_search_starts_from_given_or_saved_means_and_deviations(toy, tmp_path):
    start = {"means": [0.5] * 8, "deviations": [0.01] * 8}
    given = search(toy, iterations=3, method_params={"start": start})
    np.savez(
        tmp_path / "policies.npz", **{name: np.float32(column) for name, column in start.items()}
    )
    saved = search(toy, iterations=3, init_from=str(tmp_path))
    assert np.array_equal(given.history["reward"], saved.history["reward"])
    assert abs(given.history["n_synthetic"][1] - given.history["n_synthetic"][2]) < 5


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"features": ["h7"]}, "features has h7; there are h5, h5_squared"),
        ({"free": ["n"]}, "free has n; there are ratio"),
        ({"learner": "vtrace"}, "learner has vtrace"),
        ({"start": {"means": [0.0], "deviations": [1.0]}}, "its 8 numbers: ratio, h5"),
        ({"most": 3}, "search.method_params do not suit class_aware"),
    ],
)
def test_unusable_parameter_is_refused_in_one_sentence(toy, params, says):
    with pytest.raises(UserError, match=says):
        search(toy, method_params=params)


def table(n=160, seed=0):
    """A table with text, missing values, whole numbers and three classes."""
    rng = np.random.default_rng(seed)
    y = rng.choice(["a", "b", "c"], n, p=[0.7, 0.2, 0.1])
    frame = pd.DataFrame(
        {
            "size": rng.normal(0, 1, n) + (y == "c"),
            "count": rng.integers(0, 9, n),
            "colour": np.where(rng.random(n) < 0.3 + 0.4 * (y == "b"), "red", "blue"),
        }
    )
    frame.loc[rng.random(n) < 0.1, "size"] = np.nan
    return frame, y


def test_estimator_takes_several_classes_categories_and_missing_values():
    X, y = table()
    sampler = AutoSMOTE(
        tabular(DecisionTreeClassifier(max_depth=4, random_state=0)),
        method="class_aware", iterations=15, allow_nan=True, random_state=0, cv=3,
    )  # fmt: skip
    X_new, y_new = sampler.fit_resample(X, y)
    pd.testing.assert_frame_equal(X_new[: len(X)], X)
    assert set(sampler.searches_) == {"b", "c"}
    for label, n in sampler.sampling_strategy_.items():
        assert np.count_nonzero(y_new == label) == np.count_nonzero(y == label) + n
        assert sampler.sampling_counts_[y == label].sum() == n
    assert set(X_new["colour"]) == {"red", "blue"} and X_new["count"].dtype == X["count"].dtype
    assert sampler.best_score_ >= sampler.baseline_score_
    assert set(sampler.policies_["b"]) == {"means", "deviations"}


def test_estimator_returns_the_rows_it_scored_and_the_same_rows_again():
    X, y = folded()
    sampler = AutoSMOTE(TREE, method="class_aware", iterations=15, random_state=0)
    made = [sampler.fit_resample(X, y) for _ in range(2)]
    assert np.array_equal(made[0][0], made[1][0]) and len(made[0][1]) > len(y)
    assert not np.array_equal(made[0][0], sampler.set_params(random_state=1).fit_resample(X, y)[0])


def test_estimator_votes_by_the_class_aware_search():
    X, y = folded()
    sampler = AutoSMOTE(
        TREE, method="class_aware", iterations=12, random_state=0, cv=3, final="tuned_vote", keep=5
    )
    sampler.fit_resample(X, y)
    assert len(sampler.ensemble_.members) == 5
    assert set(sampler.ensemble_.predict(X)) == {0, 1}


def test_scorer_of_ones_own_rewards_the_search():
    X, y = folded()
    recall = make_scorer(lambda y, predicted: np.mean(predicted[y == 1]))
    sampler = AutoSMOTE(TREE, method="class_aware", scoring=recall, iterations=12, random_state=0)
    sampler.fit_resample(X, y)
    assert sampler.best_score_ >= sampler.baseline_score_


def test_runner_writes_a_record_counts_and_the_final_distribution(tmp_path):
    command = [
        "sampler=autosmote_class_aware", "search.iterations=12", "search.actors=0",
        "search.reward=crossfit", "search.final=tuned_vote", "search.keep=3",
        "search.save_policies=true", f"results_dir={tmp_path}",
    ]  # fmt: skip
    assert main(command) == 0
    (path,) = tmp_path.glob("runs/toy-irown-dt-autosmote_class_aware-*/record.json")
    record = json.loads(path.read_text())
    assert record["status"] == "ok"
    with np.load(path.parent / "best_counts.npz") as counts:
        assert counts["counts"].sum() == record["n_synthetic"]
    with np.load(path.parent / "policies.npz") as policies:
        assert {name: len(policies[name]) for name in policies} == {"means": 8, "deviations": 8}


@pytest.mark.parametrize("actors", [0, 1])
def test_search_imports_no_torch(tmp_path, actors):
    code = f"""
import sys
from autosmote.run import main
command = ["sampler=autosmote_class_aware", "search.iterations=3", "search.actors={actors}"]
assert main([*command, "results_dir={tmp_path}"]) == 0
assert not {{"torch", "openml"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
