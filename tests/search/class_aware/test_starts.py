"""Learned starts: the table, its use, and one sample set without a search."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from autosmote import AutoSMOTE
from autosmote.config.search import SearchConfig
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.errors import UserError
from autosmote.records.collected import record_row, write_records
from autosmote.records.files import read_record
from autosmote.run import main as run
from autosmote.sampler.class_search import run_search
from autosmote.search.class_aware import starts
from autosmote.search.class_aware.starts import learned_start

_SPEC = importlib.util.spec_from_file_location(
    "learned_start", Path(__file__).parents[3] / "scripts" / "learned_start.py"
)
script = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(script)

NAMES = ["ratio", "h5", "h5_squared", "h30", "distance", "reach", "alpha", "beta"]
FLOORS = np.array([1, 0.7, 0.4, 0.7, 0.7, 0.7, 0.4, 0.4]) / 3
CLFS = {"dt": "sklearn.tree.DecisionTreeClassifier", "svm": "sklearn.svm.LinearSVC"}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """An empty place for the table."""
    monkeypatch.setattr(starts, "TABLE", tmp_path / "starts.csv")
    monkeypatch.setattr(script, "TABLE", tmp_path / "starts.csv")
    return tmp_path / "starts.csv"


def write_searches(folder, means):
    """Write collected records; `means` has the mean of each number by dataset and classifier."""
    rows = []
    for (dataset, clf, seed), mean in means.items():
        for final in ("best", "tuned_vote"):  # the rules of one search
            record = {
                **{"status": "ok", "dataset": dataset, "clf": clf, "seed": seed, "ir": 20},
                **{"sampler": "autosmote_class_aware", "metric": "mcc"},
                "search": {"parameters": {"means": [mean] * 8, "deviations": [1.0] * 8}},
                "config": {
                    "clf": {"_target_": CLFS[clf]},
                    "search": {"reward": "crossfit", "final": final},
                    "sampler": {"params": {"method": "class_aware"}},
                },
            }
            rows.append(record_row(f"{dataset}-{clf}-{seed}-{final}", record))
    other = json.loads(rows[0]["config"])
    other["sampler"]["params"]["method_params"] = {"floor": 0.1}
    rows.append(rows[0] | {"key": "other", "config": json.dumps(other), "dataset": "c"})
    write_records(folder / "class_aware", rows)


def test_table_has_the_means_of_the_datasets_and_of_all_but_each(tmp_path, table, capsys):
    write_searches(
        tmp_path,
        {
            **{("a", "dt", 0): 1.0, ("a", "dt", 1): 3.0, ("b", "dt", 0): -1.0},
            **{("a", "svm", 0): 5.0},
        },
    )
    assert script.main(["--results-dir", str(tmp_path)]) == 0
    assert "4 searches" in capsys.readouterr().out
    tree = learned_start("learned", "DecisionTreeClassifier", NAMES)
    # Of a 2 on average, of b -1; each dataset counts alike.
    assert tree["means"].tolist() == [0.5] * 8
    spread = np.sqrt(np.mean([np.mean([0.5**2, 2.5**2]), 1.5**2]))
    np.testing.assert_allclose(tree["deviations"], spread, atol=1e-4)
    # Without a, the only search is that of b; deviations have a floor.
    alone = learned_start("learned without a", "DecisionTreeClassifier", NAMES)
    assert alone["means"].tolist() == [-1.0] * 8
    np.testing.assert_allclose(alone["deviations"], FLOORS, atol=1e-4)
    # A classifier that no search had gets the row over all.
    anything = learned_start("learned", "LogisticRegression", NAMES)
    assert anything["means"].tolist() == [1.0] * 8
    assert np.isnan(learned_start("learned", "any", ["left_out"])["means"]).all()


def test_script_refuses_too_few_datasets(tmp_path, table, capsys):
    write_searches(tmp_path, {("a", "dt", 0): 1.0})
    assert script.main(["--results-dir", str(tmp_path)]) == 2
    assert "searches of 1 datasets" in capsys.readouterr().err and not table.exists()
    assert script.main(["--results-dir", str(tmp_path / "nothing")]) == 2
    assert "searches of 0 datasets" in capsys.readouterr().err


def test_start_without_a_table_is_refused_before_any_run(tmp_path, table, capsys):
    settings = ["sampler=autosmote_class_aware", "clf=dt", f"results_dir={tmp_path / 'results'}"]
    status = run([*settings, "+search.method_params.start=learned"])
    assert status == 2 and not (tmp_path / "results").exists()
    assert "make it by `make learned-start`" in capsys.readouterr().err


def test_start_without_a_dataset_that_was_not_learned_on_is_the_whole_table(tmp_path, table):
    write_searches(tmp_path, {("a", "dt", 0): 1.0, ("b", "dt", 0): 1.0})
    script.main(["--results-dir", str(tmp_path)])
    # A dataset that it was not learned on has no part in it that could be left out.
    for what, values in learned_start("learned", "any", NAMES).items():
        assert np.array_equal(learned_start("learned without z", "any", NAMES)[what], values)
    with pytest.raises(UserError, match="start=best is no start"):
        learned_start("best", "any", NAMES)


def searched(**settings):
    split = make_split(load_dataset("toy"), ir=None, seed=0)
    rows = (split.X_train, split.y_train, split.X_val, split.y_val)
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    config = SearchConfig(method="class_aware", actors=0, **settings)
    return run_search(*rows, tree, metric="mcc", ir=None, seed=0, config=config)


def test_search_starts_from_the_table(tmp_path, table):
    write_searches(tmp_path, {("a", "dt", 0): 1.0, ("b", "dt", 0): 1.0})
    script.main(["--results-dir", str(tmp_path)])
    params = {"start": "learned", "learner": "random"}
    found = searched(iterations=3, method_params=params).parameters
    assert found["means"].tolist() == [1.0] * 8
    np.testing.assert_allclose(found["deviations"], FLOORS, atol=1e-4)
    ninth = searched(iterations=3, method_params=params, under_sampling=True).parameters
    assert ninth["means"].tolist() == [1.0] * 8 + [-1.0]  # which the table does not have


def test_no_iterations_make_one_sample_set_of_the_starts_means():
    start = {"means": [0.0] * 8, "deviations": [1.0] * 8}
    found = searched(iterations=0, method_params={"start": start})
    assert found.iterations == 0 and len(found.candidates) == 1
    split = make_split(load_dataset("toy"), ir=None, seed=0)
    n_minority = int(split.y_train.sum())
    n_majority = len(split.y_train) - n_minority
    ratio = n_minority / n_majority
    expected = round(n_majority * ratio * (1.3 / ratio) ** 0.5) - n_minority
    assert len(found.X_synthetic) == expected > 0
    again = searched(iterations=0, method_params={"start": start})
    assert np.array_equal(found.X_synthetic, again.X_synthetic)


def test_estimator_without_a_search_returns_rows_and_no_score():
    X, y = np.random.default_rng(0).normal(size=(200, 3)), np.arange(200) % 8 == 0
    sampler = AutoSMOTE(LogisticRegression(), method="class_aware", iterations=0, random_state=0)
    X_new, y_new = sampler.fit_resample(X, y)
    assert np.array_equal(X_new[:200], X) and y_new[200:].all() and len(X_new) > 200
    assert np.isnan(sampler.best_score_) and not len(sampler.history_["reward"])


@pytest.mark.parametrize("final", ["best", "diverse_vote"])
def test_run_without_a_search_leaves_a_record(tmp_path, final):
    settings = ["sampler=autosmote_class_aware", "clf=dt", "search.iterations=0"]
    status = run([*settings, f"search.final={final}", f"results_dir={tmp_path}"])
    (folder,) = (tmp_path / "runs").iterdir()
    record = read_record(folder)
    assert status == 0 and record["status"] == "ok" and record["n_synthetic"] > 0
    assert record["iterations"] == 0 and record["search"]["best_score"] is None
    assert len(record["search"]["parameters"]["means"]) == 8


def test_papers_search_needs_iterations():
    with pytest.raises(UserError, match=r"search.iterations must be a whole number of at least 1"):
        SearchConfig(iterations=0).check()
