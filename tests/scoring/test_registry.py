"""The choice of a scorer for an estimator, and what all scorers have in common."""

import logging
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from problems import SHAPES, Problem, draw_counts, numeric
from sklearn.ensemble import AdaBoostClassifier, ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from autosmote.errors import UserError
from autosmote.scoring.registry import make_scorer
from autosmote.scoring.scorers.refit import RefitScorer
from autosmote.scoring.scorers.svm import SvmScorer
from autosmote.scoring.scorers.tree import TreeScorer

FAST = [
    ("knn", KNeighborsClassifier()),
    ("knn", KNeighborsClassifier(3, metric="euclidean", algorithm="brute")),
    ("tree", DecisionTreeClassifier(random_state=0)),
    ("tree", DecisionTreeClassifier(random_state=0, max_depth=4)),
    ("boosting", AdaBoostClassifier(random_state=0)),
    ("boosting", AdaBoostClassifier(random_state=0, n_estimators=3, learning_rate=0.5)),
    ("svm", LinearSVC(random_state=0)),
    ("svm", LinearSVC(C=0.1, dual=False, intercept_scaling=2.0)),
    ("forest", RandomForestClassifier(5, random_state=0)),
    ("forest", RandomForestClassifier(3, max_features=0.5, max_depth=4, random_state=0)),
]
REFIT = [
    LogisticRegression(),
    make_pipeline(StandardScaler(), KNeighborsClassifier()),
    KNeighborsClassifier(weights="distance"),
    KNeighborsClassifier(p=1),
    KNeighborsClassifier(metric="cosine"),
    DecisionTreeClassifier(),  # without a seed there is nothing to reproduce
    DecisionTreeClassifier(random_state=np.random.RandomState(0)),
    DecisionTreeClassifier(random_state=0, criterion="entropy"),
    DecisionTreeClassifier(random_state=0, min_samples_leaf=2),
    DecisionTreeClassifier(random_state=0, class_weight="balanced"),
    DecisionTreeClassifier(random_state=0, max_features="sqrt"),
    AdaBoostClassifier(),
    AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), random_state=0),
    LinearSVC(loss="hinge"),
    LinearSVC(penalty="l1", dual=False),
    LinearSVC(dual=True),
    LinearSVC(class_weight="balanced"),
    LinearSVC(fit_intercept=False),
    RandomForestClassifier(2),
    RandomForestClassifier(2, random_state=0, min_samples_leaf=2),
    RandomForestClassifier(2, random_state=0, class_weight="balanced"),
    RandomForestClassifier(2, random_state=0, max_samples=0.5),
    ExtraTreesClassifier(2, random_state=0),
]


class MyTree(DecisionTreeClassifier):
    """A subclass may do anything."""


@pytest.fixture(scope="module")
def problem() -> Problem:
    return numeric(n=200, d=3)


def score(problem: Problem, estimator, **options):
    return make_scorer(
        estimator, problem.X_train, problem.y_train, problem.pool, problem.X_val, **options
    )


@pytest.mark.parametrize(("name", "estimator"), FAST, ids=str)
def test_make_scorer_with_a_supported_estimator_is_fast(problem, name, estimator):
    assert score(problem, estimator).name == name


def short(estimator) -> str:
    """Return its text without addresses, which differ between processes."""
    return str(estimator).partition(" at 0x")[0]


@pytest.mark.parametrize("estimator", [*REFIT, MyTree(random_state=0)], ids=short)
def test_make_scorer_with_another_estimator_refits(problem, estimator):
    assert score(problem, estimator).name == "refit"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("name", "estimator"), FAST[::2], ids=str)
def test_make_scorer_on_data_shaped_like_the_six_agrees_with_refits(shape, name, estimator):
    assert score(SHAPES[shape](n=300), estimator).name == name


@pytest.mark.parametrize(("name", "estimator"), FAST[::2], ids=str)
def test_make_scorer_on_request_or_without_memory_refits(problem, name, estimator, caplog):
    assert score(problem, estimator, scoring="refit").name == "refit"
    assert not caplog.records
    with caplog.at_level(logging.WARNING, logger="autosmote"):
        assert score(problem, estimator, memory_bytes=10_000).name == "refit"
    assert [r.getMessage().startswith("Scoring by refits") for r in caplog.records] == [True]


def test_knn_scorer_beyond_its_memory_while_lists_grow_refits():
    """The number of near pool rows cannot be estimated beforehand; the bound holds nevertheless."""
    problem = SHAPES["numeric"](n=300)
    far = Problem(problem.X_train + 100, problem.y_train, problem.pool, problem.X_val)
    scratch = 16 * 256 * len(problem.X_val)
    all_near = 2 * 16 * len(problem.pool) * len(problem.X_val)
    assert score(far, KNeighborsClassifier(), memory_bytes=scratch + all_near).name == "knn"
    assert score(far, KNeighborsClassifier(), memory_bytes=scratch + all_near - 1).name == "refit"


def test_make_scorer_with_unknown_scoring_raises_a_user_error(problem):
    with pytest.raises(UserError, match="scoring"):
        score(problem, KNeighborsClassifier(), scoring="fast")


@pytest.mark.parametrize(
    ("scorer", "estimator"),
    [(TreeScorer, DecisionTreeClassifier(random_state=0)), (SvmScorer, LinearSVC())],
)
def test_make_scorer_where_the_fast_scorer_disagrees_refits(
    problem, scorer, estimator, monkeypatch, caplog
):
    right = scorer.predict
    monkeypatch.setattr(scorer, "predict", lambda self, counts: 1 - right(self, counts))
    with caplog.at_level(logging.WARNING, logger="autosmote"):
        assert score(problem, estimator).name == "refit"
    assert len(caplog.records) == 1


def test_make_scorer_with_agreed_compares_once(problem, monkeypatch):
    compared: list = []
    agreed: dict[str, bool] = {}
    right = RefitScorer.predict
    monkeypatch.setattr(
        RefitScorer, "predict", lambda self, counts: (compared.append(self), right(self, counts))[1]
    )

    def n_compared(problem, agreed=agreed, **parameters) -> int:
        before = len(compared)
        score(problem, AdaBoostClassifier(random_state=0, **parameters), agreed=agreed)
        return len(compared) - before

    assert n_compared(problem) > 0
    assert n_compared(problem) == 0
    assert n_compared(problem, agreed=None) > 0
    # Other estimators and data are compared.
    assert n_compared(problem, n_estimators=3) > 0
    assert n_compared(numeric(n=200, d=4)) > 0
    for name in ("X_train", "y_train", "pool", "X_val"):
        assert n_compared(replace(problem, **{name: getattr(problem, name)[::-1]})) > 0, name


@pytest.mark.parametrize("what", ["one class", "infinite value", "too few rows", "more features"])
def test_make_scorer_on_unsupported_data_refits(problem, what):
    X, y = problem.X_train.copy(), problem.y_train.copy()
    estimator = DecisionTreeClassifier(random_state=0)
    if what == "one class":
        y[:] = 1
    elif what == "infinite value":
        X[0, 0] = 1e300
    elif what == "too few rows":
        estimator = KNeighborsClassifier(len(X) + 1)
    else:  # LinearSVC solves the dual problem then
        X, y, estimator = X[:4].T.copy(), np.array([0, 0, 1]), LinearSVC()
        problem = Problem(X, y, X[2:], X)
    changed = Problem(X, y, problem.pool, problem.X_val)
    assert score(changed, estimator).name == "refit"


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(0),
        DecisionTreeClassifier(random_state=0, max_depth=0),
        AdaBoostClassifier(random_state=0, n_estimators=0),
        LinearSVC(C=-1.0),
        RandomForestClassifier(0, random_state=0),
        RandomForestClassifier(2, max_features="all", random_state=0),
    ],
    ids=str,
)
def test_make_scorer_with_invalid_parameters_raises_scikit_learns_error(problem, estimator):
    with pytest.raises(ValueError, match="parameter of"):
        score(problem, estimator).predict(np.zeros(len(problem.pool), dtype=np.int32))


def test_scorers_without_a_pool_predict_as_the_estimator(problem):
    empty = Problem(problem.X_train, problem.y_train, problem.pool[:0], problem.X_val)
    counts = np.zeros(0, dtype=np.int32)
    for name, estimator in FAST[::2]:
        scorer = score(empty, estimator)
        assert scorer.name == name
        expected = estimator.fit(empty.X_train, empty.y_train).predict(empty.X_val)
        np.testing.assert_array_equal(scorer.predict(counts), expected)


@pytest.mark.parametrize(
    ("name", "estimator"),
    [*FAST[::2], ("refit", ExtraTreesClassifier(5, random_state=0))],
    ids=str,
)
def test_scorers_in_any_order_of_calls_predict_the_same(problem, name, estimator):
    """Alone, after other episodes and in reverse: the same predictions, counts unchanged."""
    rng = np.random.default_rng(0)
    episodes = [draw_counts(problem, rng) for _ in range(4)]
    kept = [counts.copy() for counts in episodes]
    scorer = score(problem, estimator)
    assert scorer.name == name
    forward = [scorer.predict(counts) for counts in episodes]
    backward = [scorer.predict(counts) for counts in episodes[::-1]][::-1]
    alone = [score(problem, estimator).predict(counts) for counts in episodes]
    for predictions in (backward, alone):
        np.testing.assert_array_equal(forward, predictions)
    np.testing.assert_array_equal(episodes, kept)
    assert forward[0].dtype == np.int8 and forward[0].shape == (len(problem.X_val),)


def test_scorers_in_forked_processes_predict_the_same(problem):
    """Actors score with what their parent computed."""
    for _, estimator in FAST[::2]:
        scorer = score(problem, estimator)
        counts = draw_counts(problem, np.random.default_rng(0))
        expected = scorer.predict(counts)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(writer, scorer.predict(counts).tobytes())
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reader, 1 << 16) == expected.tobytes()
        os.close(reader)
        os.close(writer)


def test_scorers_import_nothing_heavy():
    """No heavy library, and of scikit-learn not the ensembles where they are not scored."""
    code = (
        "import sys\n"
        "from autosmote.scoring.scorers.knn import KnnScorer\n"
        "from autosmote.scoring.scorers.svm import SvmScorer\n"
        "from autosmote.scoring.scorers.tree import TreeScorer\n"
        "for scorer in (KnnScorer, SvmScorer, TreeScorer): scorer.supports(None, None)\n"
        "heavy = 'torch', 'openml', 'hydra', 'matplotlib', 'sklearn.ensemble'\n"
        "print([n for n in heavy if n in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
