"""Controls of the search: many resamplings by seeds and ratios, chosen among by the same rules."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.base import clone
from sklearn.tree import DecisionTreeClassifier

from autosmote.config.groups import load_sampler
from autosmote.config.schema import Config, DatasetSettings, SamplerSettings
from autosmote.config.search import SearchConfig
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.evaluation.protocol import evaluate
from autosmote.metrics import METRICS
from autosmote.records.files import read_record
from autosmote.run import main
from autosmote.runs.unit import Data, plan
from autosmote.streams import Purpose, derived_seed
from baselines.bootstrap import BalancedBootstrap, WeightedBootstrap

AS_IT_IS = SamplerSettings(
    "none", "baselines.bootstrap.Bootstrap", False, {"replace": False}, "resamplings"
)
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)


@pytest.fixture(scope="module")
def toy():
    return make_split(load_dataset("toy"), ir=None, seed=0)


def tried(split, sampler, metric="macro_f1", seed=0, **settings):
    config = SearchConfig(**{"iterations": 12, "actors": 0, **settings})
    (found,) = evaluate(split, sampler, [(TREE, metric)], seed=seed, search=config)
    return found


def test_resamplings_are_those_of_smote_by_ratio_and_seed(toy):
    found = tried(toy, load_sampler("smote_search"))
    own = toy.y_train.sum() / (len(toy.y_train) - toy.y_train.sum())
    ratios = [ratio / 10 for ratio in range(1, 11) if ratio / 10 > own]
    scores = []
    for n in range(12):
        seed = derived_seed(0, Purpose.RESAMPLING, n)
        ratio = ratios[n % len(ratios)]
        X, y = SMOTE(sampling_strategy=ratio, random_state=seed).fit_resample(
            toy.X_train, toy.y_train
        )
        model = clone(TREE).fit(X, y)
        scores.append(METRICS["macro_f1"](toy.y_val, model.predict(toy.X_val)))
        if n + 1 == found.search.best.iteration:
            assert found.scores["test"]["mcc"] == METRICS["mcc"](
                toy.y_test, model.predict(toy.X_test)
            )
            assert found.n_synthetic == len(y) - len(toy.y_train)
    assert found.search.history["reward"].tolist() == scores
    assert found.search.best.iteration == np.argmax(scores) + 1
    assert len(set(scores)) > 3


def test_a_fold_resamples_its_own_training_rows(toy, monkeypatch):
    seen = []
    fit_resample = SMOTE.fit_resample

    def watching(self, X, y):
        seen.append(len(y))
        return fit_resample(self, X, y)

    monkeypatch.setattr(SMOTE, "fit_resample", watching)
    tried(toy, load_sampler("smote_search"), reward="crossfit", folds=3, iterations=2)
    n = len(toy.y_train) + len(toy.y_val)
    assert sum(seen[:3]) == sum(seen[3:6]) == 2 * n and max(seen[:6]) < n
    assert n in seen[6:]  # the chosen one, of all rows


def test_both_metrics_are_chosen_by_from_the_same_resamplings(toy):
    jobs = [(TREE, "macro_f1"), (TREE, "mcc")]
    config = SearchConfig(iterations=12, actors=0)
    together = evaluate(toy, load_sampler("smote_search"), jobs, seed=3, search=config)
    for (_, metric), found in zip(jobs, together, strict=True):
        alone = tried(toy, load_sampler("smote_search"), metric, seed=3)
        assert found.scores == alone.scores
        assert found.scores["validation"][metric] == np.max(found.search.history["reward"])


def test_a_bootstrap_keeps_the_size_of_each_class(toy):
    found = tried(toy, load_sampler("bagging_search"))
    assert found.rows["train"] == found.rows["resampled"] and found.n_synthetic == 0
    assert {tuple(row) for row in found.X} < {tuple(row) for row in toy.X_train}
    found = tried(toy, AS_IT_IS, iterations=1)
    assert np.array_equal(found.X, toy.X_train) and found.scores == found.reference


@pytest.mark.parametrize("ratio", [None, 0.25, 0.5])
def test_balanced_bootstrap_keeps_the_minority_and_draws_few_of_the_majority(toy, ratio):
    sampler = BalancedBootstrap(random_state=1).fit(toy.X_train, toy.y_train)
    X, y = sampler.resample(ratio)
    n = int(toy.y_train.sum())
    assert (y.sum(), (y == 0).sum()) == (n, round(n / (ratio or 1)))
    drawn = {(*row, label) for row, label in zip(X, y, strict=True)}
    given = {(*row, label) for row, label in zip(toy.X_train, toy.y_train, strict=True)}
    assert drawn < given
    other = BalancedBootstrap(random_state=2).fit(toy.X_train, toy.y_train).resample(ratio)
    assert not np.array_equal(other[0], X)


def test_weighted_bootstrap_repeats_one_bootstrap_of_the_minority(toy):
    X, y = WeightedBootstrap(random_state=1).fit(toy.X_train, toy.y_train).resample(0.5)
    n_minority = int(toy.y_train.sum())
    n_majority = len(toy.y_train) - n_minority
    assert ((y == 0).sum(), y.sum()) == (n_majority, round(0.5 * n_majority))
    rows, counts = np.unique(X[y == 1], axis=0, return_counts=True)
    assert len(rows) < n_minority  # a bootstrap lacks some rows, whatever its weights
    at_least = round(0.5 * n_majority) // n_minority
    assert counts.min() >= at_least and at_least > 1


def test_failed_resampling_has_no_score_and_a_sampler_that_always_fails_is_imputed(toy):
    def failing(deed):
        target = "rivals.Failing"
        return SamplerSettings("failing", target, True, {"deed": deed}, "resamplings")

    found = tried(toy, failing("sometimes"), iterations=6)
    rewards = found.search.history["reward"]
    assert 0 < np.isnan(rewards).sum() < 6
    assert found.search.best.score == np.nanmax(rewards)
    assert any("on purpose" in text for text in found.warnings)
    found = tried(toy, failing("always"), iterations=3)
    assert (found.status, found.imputed) == ("failed", True)
    assert "on purpose" in found.error
    # It learns from the rows that the sampler would have been given, and is scored alike.
    found = tried(toy, failing("always"), iterations=1, reward="crossfit", folds=3)
    as_it_is = tried(toy, AS_IT_IS, iterations=1, reward="crossfit", folds=3)
    assert found.scores == found.reference == as_it_is.scores == as_it_is.reference
    assert found.rows == as_it_is.rows


def test_unit_shares_a_search_and_identity_holds_what_matters(tmp_path):
    def config(sampler, metric="mcc", **search):
        return Config(
            dataset=DatasetSettings("toy"), sampler=load_sampler(sampler), ir=None, metric=metric,
            search=SearchConfig(**search), results_dir=str(tmp_path),
        )  # fmt: skip

    data = Data()
    rules = [{}, {"final": "vote"}, {"final": "vote", "keep": 3}, {"final": "tuned_vote"}]
    assert len(plan([config("autosmote", **rule) for rule in rules], data)) == 1
    differing = [*rules, {"iterations": 5}, {"reward": "crossfit"}]
    assert len(plan([config("autosmote", **rule) for rule in differing], data)) == 3
    metrics = [config("autosmote", metric) for metric in ("mcc", "macro_f1")]
    assert len(plan(metrics, data)) == 2  # the reward is another
    metrics = [config("smote_search", metric, **rule) for rule in rules for metric in METRICS]
    (unit,) = plan(metrics, data)
    assert len(unit) == 8
    # What does not matter to resamplings is no part of their identity; what does, is.
    same = [config("smote_search", learning_rate=rate) for rate in (0.1, 0.2)]
    assert len(plan(same, data)[0]) == 1
    assert len({str(run.identity["search"]) for run in unit}) == 4


def test_settings_outside_the_identity_of_a_control_change_nothing(toy):
    found = tried(toy, load_sampler("smote_search"))
    settings = {"time_limit": 1e-9, "patience": 1, "ablation": "merge_train_val"}
    again = tried(toy, load_sampler("smote_search"), **settings)
    assert again.search.stopped_by == found.search.stopped_by == "iterations"
    assert again.scores == found.scores and again.rows == found.rows


def test_a_control_leaves_a_record_a_history_and_a_curve(tmp_path, capsys):
    command = [
        "sampler=smote_search", "search.iterations=10", "search.final=vote", "search.keep=3",
        f"results_dir={tmp_path}",
    ]  # fmt: skip
    assert main(command) == 0
    assert "best of 10 iterations" in capsys.readouterr().out
    (folder,) = (tmp_path / "runs").iterdir()
    assert {path.name for path in folder.iterdir()} == {"record.json", "history.csv", "curve.png"}
    record = read_record(folder)
    assert record["search"]["scorer"] == "refit" and record["iterations"] == 10
    assert main(command) == 0
    assert "Done before" in capsys.readouterr().out
