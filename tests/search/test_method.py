"""Another method is one module and one YAML file; the loop does the rest."""

import json
from collections import Counter

import numpy as np
import pytest
from searching import search_in
from sklearn.tree import DecisionTreeClassifier

from autosmote import AutoSMOTE
from autosmote.config.search import ABLATIONS, SearchConfig
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.errors import UserError
from autosmote.run import main
from autosmote.sampler.class_search import run_search
from autosmote.search.class_aware.method import LEARNERS
from autosmote.search.method import make_method

YAML = """
name: bandit
kind: search
params:
  method: toy_method.Bandit
  method_params: {most: 3}
"""


@pytest.fixture(scope="module")
def toy():
    return make_split(load_dataset("toy"), ir=None, seed=0)


def search(split, **settings):
    config = SearchConfig(**{"method": "toy_method.Bandit", "actors": 0, "K": 5, **settings})
    return run_search(
        split.X_train, split.y_train, split.X_val, split.y_val,
        DecisionTreeClassifier(max_depth=3, random_state=0),
        metric="macro_f1", ir=None, seed=3, config=config,
    )  # fmt: skip


def test_toy_method_learns_the_best_number_of_copies(toy):
    result = search(toy, iterations=200, keep=3, final="vote")
    copies = result.history["n_synthetic"] // toy.y_train.sum()
    means = {n: result.history["reward"][copies == n].mean() for n in set(copies)}
    best = max(means, key=means.get)
    assert Counter(copies[-50:])[best] > 1.5 * Counter(copies[:50])[best]
    assert np.argmax(result.parameters["preferences"]) == best
    assert result.best.score == result.history["reward"].max()
    assert len(result.candidates) == 3  # each number of copies is one sample set


def test_toy_method_finds_the_same_for_any_number_of_actors(toy):
    inline, processes = (search(toy, iterations=30, lag=3, actors=n) for n in (0, 2))
    assert np.array_equal(inline.history["reward"], processes.history["reward"])
    assert np.array_equal(inline.parameters["preferences"], processes.parameters["preferences"])
    assert processes.actors == 2 and inline.scorer == processes.scorer == "tree"


def test_one_yaml_file_makes_a_method_a_sampler_of_the_runner(tmp_path, capsys):
    (tmp_path / "sampler").mkdir()
    (tmp_path / "sampler" / "bandit.yaml").write_text(YAML)
    command = [
        "--config-dir", str(tmp_path), "sampler=bandit", "search.iterations=20", "search.actors=0",
        "search.reward=crossfit", "search.final=tuned_vote", "search.keep=3",
        f"results_dir={tmp_path}",
    ]  # fmt: skip
    assert main(command) == 0
    assert "best of 20 iterations" in capsys.readouterr().out
    (path,) = tmp_path.glob("runs/toy-irown-dt-bandit-*/record.json")
    record = json.loads(path.read_text())
    assert record["status"] == "ok" and record["search"]["G1"] is None
    assert record["n_synthetic"] % 35 in (0, 28, 21)  # whole copies of 28 minority rows
    assert (path.parent / "curve.png").exists() and (path.parent / "best_counts.npz").exists()


def test_toy_method_serves_the_estimator(toy):
    options = {"method": "toy_method.Bandit", "method_params": {"most": 2}}
    sampler = AutoSMOTE(
        DecisionTreeClassifier(max_depth=3), iterations=10, random_state=0, search_options=options
    )
    _, y = sampler.fit_resample(toy.X_train, toy.y_train)
    counts = sampler.sampling_counts_
    assert len(y) - len(toy.y_train) == counts.sum() and len(set(counts[counts > 0])) <= 1


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"method": "hierarchic"}, "search.method=hierarchic cannot be imported"),
        ({"method": "toy_method.Nothing"}, "search.method=toy_method.Nothing cannot be imported"),
        ({"method": "toy_method.BanditLearner", "method_params": {"step": 1}}, "is no method"),
        ({"method_params": {"size": 3}}, "search.method_params do not suit toy_method.Bandit"),
    ],
)
def test_unusable_method_is_refused_in_one_sentence(toy, settings, says):
    with pytest.raises(UserError, match=says):
        search(toy, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        *({"ablation": ablation} for ablation in ABLATIONS),
        *({"method": "class_aware", "method_params": {"learner": name}} for name in LEARNERS),
    ],
    ids=str,
)
def test_a_search_depends_on_scores_where_its_method_has_a_learner(toy, settings):
    """A sweep plans by the settings alone: a wrong answer would share draws between metrics."""
    config = SearchConfig(actors=0, K=5, **settings)
    searched = search_in(toy.X_train, toy.y_train, DecisionTreeClassifier(random_state=0), config)
    method = make_method(searched.problem)
    learner = method.make_learner(method.initial_parameters())
    assert config.depends_on_scores == (learner is not None)
