"""The equality contracts on the six datasets at the three imbalance ratios, 20 episodes each.

This takes half an hour; ``--episodes`` sets a smaller number.
"""

import numpy as np
import pytest
from contracts import check_boosting, check_forest, check_knn, check_svm, check_tree
from problems import Problem, draw_counts
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from autosmote.data.datasets import PAPER_DATASETS, load_dataset
from autosmote.data.splits import make_split
from autosmote.scoring.registry import make_scorer
from autosmote.space.pool import build_space

CONTRACTS = {
    "knn": (check_knn, KNeighborsClassifier()),
    "tree": (check_tree, DecisionTreeClassifier(random_state=0)),
    "boosting": (check_boosting, AdaBoostClassifier(random_state=0)),
    "svm": (check_svm, LinearSVC(random_state=0)),
    "forest": (check_forest, RandomForestClassifier(10, random_state=0)),
}


@pytest.fixture(scope="module")
def problem_of(data_dir):
    loaded = {}

    def problem(name: str, ir: int) -> Problem:
        if name not in loaded:
            loaded.clear()
            loaded[name] = load_dataset(name, data_dir=data_dir)
        split = make_split(loaded[name], ir=ir, seed=0)
        pool = build_space(split.X_train[split.y_train == 1], 30).pool
        return Problem(split.X_train, split.y_train, pool, split.X_val)

    return problem


@pytest.mark.data
@pytest.mark.parametrize("classifier", CONTRACTS)
@pytest.mark.parametrize("ir", [20, 50, 100])
@pytest.mark.parametrize("name", PAPER_DATASETS)
def test_fast_scorers_on_the_six_datasets_keep_their_contracts(
    problem_of, name, ir, classifier, pytestconfig
):
    problem = problem_of(name, ir)
    rng = np.random.default_rng(ir)
    # A search adds up to about two rows per majority row, and none in some episodes.
    n_episodes = pytestconfig.getoption("episodes")
    episodes = [draw_counts(problem, rng) for _ in range(n_episodes - 1)]
    episodes.append(np.zeros(len(problem.pool), dtype=np.int32))
    check, estimator = CONTRACTS[classifier]
    report = check(problem, estimator, episodes)
    print(f"\n{name} IR {ir} {classifier}: {report}")


@pytest.mark.data
@pytest.mark.parametrize("classifier", CONTRACTS)
@pytest.mark.parametrize("name", ["phoneme", "phishingwebsites", "mozilla4"])
def test_make_scorer_on_the_six_datasets_is_fast(problem_of, name, classifier):
    problem = problem_of(name, 50)
    estimator = CONTRACTS[classifier][1]
    scorer = make_scorer(estimator, problem.X_train, problem.y_train, problem.pool, problem.X_val)
    assert scorer.name == classifier
