"""Choice on validation, one look at the test part, failures that are said and imputed."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from estimators import Complaining, Counting
from imblearn.over_sampling import SMOTE
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, matthews_corrcoef
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from autosmote.config.schema import LimitSettings, SamplerSettings
from autosmote.config.search import SearchConfig
from autosmote.errors import UserError
from autosmote.evaluation.protocol import RATIOS, evaluate
from autosmote.evaluation.results import SealedLabels
from autosmote.isolation import sandbox

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
DT = DecisionTreeClassifier(random_state=0)
SVM = LinearSVC(random_state=0)
NONE = SamplerSettings("none", kind="none")
AUTOSMOTE = SamplerSettings("autosmote", kind="search")
SMOTE_SETTINGS = SamplerSettings(
    "smote",
    "baselines.imblearn_samplers.ImblearnSampler",
    takes_ratio=True,
    params={"sampler": "imblearn.over_sampling.SMOTE"},
)
SEARCH = SearchConfig(iterations=12, G1=3, G2=3, K=4, actors=0, device="cpu")


def own(name: str, *, takes_ratio=False, kind="resampler", **params) -> SamplerSettings:
    """A sampler of tests/rivals.py."""
    return SamplerSettings(name.lower(), f"rivals.{name}", takes_ratio, params, kind)


def run(split, sampler, estimator=DT, metric="macro_f1", seed=0, **settings):
    (found,) = evaluate(split, sampler, [(estimator, metric)], seed=seed, search=SEARCH, **settings)
    return found


def stop_clock(monkeypatch, log, hanging):
    """Let no limit be passed until a sampler logs one of the lines after which it hangs."""

    def now(*_):
        lines = log.read_text().splitlines() if log.exists() else []
        return 1e6 * sum(line in hanging for line in lines)

    monkeypatch.setattr(sandbox, "time", SimpleNamespace(monotonic=now))
    monkeypatch.setattr(sandbox, "cpu_seconds", now)


def expected_looks(model, split, change=lambda X: X):
    """Scores on the test part and on the extended test, by scikit-learn's sample weights."""
    X, y = np.vstack([split.X_test, split.X_extra]), np.append(split.y_test, split.y_extra)
    predictions = model.predict(change(X))
    weights = np.where(y == 1, 1 / (y == 1).sum(), split.ir_whole / (y == 0).sum())
    macro_f1 = f1_score(y, predictions, average="macro", sample_weight=weights)
    mcc = matthews_corrcoef(y, predictions, sample_weight=weights)
    return {
        "test": expected_scores(model, change(split.X_test), split.y_test),
        "extended": {
            "macro_f1": pytest.approx(macro_f1, abs=1e-12),
            "mcc": pytest.approx(mcc, abs=1e-12),
        },
    }


def expected_scores(model, X, y):
    predictions = model.predict(X)
    return {
        "macro_f1": pytest.approx(f1_score(y, predictions, average="macro"), abs=1e-12),
        "mcc": pytest.approx(matthews_corrcoef(y, predictions), abs=1e-12),
    }


def test_sealed_labels_are_evaluated_once(small_split):
    model = DecisionTreeClassifier(random_state=0).fit(small_split.X_train, small_split.y_train)
    held_out = SealedLabels(small_split)
    predictions = {"a": model.predict(small_split.X_look)}
    scores = held_out.evaluate(predictions)
    assert scores == {"a": expected_looks(model, small_split)}
    with pytest.raises(RuntimeError, match="before"):
        held_out.evaluate(predictions)


def test_sealed_labels_without_extra_rows_have_no_extended_scores(small_split):
    X_extra, y_extra = small_split.X_extra[:0], small_split.y_extra[:0]
    split = dataclasses.replace(small_split, X_extra=X_extra, y_extra=y_extra)
    (scores,) = SealedLabels(split).evaluate({"a": np.zeros(80)}).values()
    assert list(scores) == ["test"] and scores["test"]["mcc"] == 0
    with pytest.raises(ValueError, match="80 predictions for 80 \\+ 25 test rows"):
        SealedLabels(small_split).evaluate({"a": np.zeros(80)})


@pytest.mark.parametrize("sampler", [NONE, SMOTE_SETTINGS, AUTOSMOTE], ids=lambda s: s.name)
def test_permuted_test_labels_change_test_scores_only(small_split, sampler):
    def comparable(evaluation):
        found = dataclasses.asdict(evaluation)
        for measured in ("seconds", "peak_memory_mb"):  # as long and as large as it happens to be
            found.pop(measured)
        for compared_below in ("X", "y"):
            found.pop(compared_below)
        looks = [
            scores.pop(part)
            for scores in (found["scores"], found["reference"])
            for part in ("test", "extended")
        ]
        found["rows"].pop("test")  # how many are of which class is in the labels
        search = found.pop("search")
        if search:
            (best,) = search["candidates"]
            found["search"] = (best["score"], best["iteration"], search["G1"])
            found["history"] = search["history"]["reward"].tolist()
            found["samples"] = best["sample_set"]["samples"].tolist()
        return found, looks

    labels = np.append(small_split.y_test, small_split.y_extra)
    labels = np.random.default_rng(1).permutation(labels)
    n = len(small_split.y_test)
    permuted = dataclasses.replace(small_split, y_test=labels[:n], y_extra=labels[n:])
    first, second = run(small_split, sampler), run(permuted, sampler)
    (found, looks), (found_permuted, looks_permuted) = comparable(first), comparable(second)
    assert found == found_permuted
    assert np.array_equal(first.X, second.X) and np.array_equal(first.y, second.y)
    assert all(one != other for one, other in zip(looks, looks_permuted, strict=True))


def test_no_resampling_has_the_scores_of_the_plain_classifier(small_split):
    evaluation = run(small_split, NONE)
    model = DecisionTreeClassifier(random_state=0).fit(small_split.X_train, small_split.y_train)
    assert evaluation.scores == {
        "validation": expected_scores(model, small_split.X_val, small_split.y_val),
        **expected_looks(model, small_split),
    }
    assert evaluation.scores == evaluation.reference
    assert (evaluation.status, evaluation.imputed, evaluation.n_synthetic) == ("ok", False, 0)


@pytest.mark.parametrize("metric", ["macro_f1", "mcc"])
def test_the_ratio_is_tuned_on_validation(small_split, metric):
    evaluation = run(small_split, SMOTE_SETTINGS, metric=metric, seed=3)
    by_hand = {}
    for ratio in RATIOS[1:]:
        sampler = SMOTE(sampling_strategy=ratio, random_state=3)
        X, y = sampler.fit_resample(small_split.X_train, small_split.y_train)
        model = DecisionTreeClassifier(random_state=0).fit(X, y)
        scores = expected_scores(model, small_split.X_val, small_split.y_val)
        by_hand[ratio] = (scores[metric].expected, model, X, y)
    best = max(by_hand, key=lambda ratio: by_hand[ratio][0])
    assert len({value for value, *_ in by_hand.values()}) > 1  # else nothing is tuned here
    _, model, X, y = by_hand[best]
    assert evaluation.ratio == best
    assert np.array_equal(evaluation.X, X) and np.array_equal(evaluation.y, y)
    expected = expected_scores(model, small_split.X_test, small_split.y_test)
    assert evaluation.scores["test"] == expected
    assert evaluation.n_synthetic == len(X) - len(small_split.X_train)
    assert evaluation.rows == {
        "train": [90, 9],
        "resampled": [90, int(y.sum())],
        "test": [60, 20],
        "extended": [60, 45],
    }
    for point in evaluation.grid[1:]:
        assert point.score == pytest.approx(by_hand[point.ratio][0])


def test_the_present_ratio_is_skipped(small_split):
    points = run(small_split, SMOTE_SETTINGS).grid
    assert [point.ratio for point in points] == list(RATIOS)
    assert points[0].status == "skipped"  # 9 of 90
    assert {point.status for point in points[1:]} == {"ok"}


def test_ties_go_to_the_smallest_ratio(small_split):
    assert run(small_split, own("Own", takes_ratio=True)).ratio == RATIOS[1]


def test_tuned_over_the_ratios_that_ran(small_split):
    sampler = own("AtSomeRatios", takes_ratio=True, deed="fail", at=[0.2, 0.3, 0.4])
    evaluation = run(small_split, sampler)
    assert (evaluation.status, evaluation.imputed) == ("ok", False)
    assert evaluation.ratio >= 0.5
    failed = [point for point in evaluation.grid if point.status == "failed"]
    assert [point.ratio for point in failed] == [0.2, 0.3, 0.4]
    assert "ValueError: no such ratio in data.csv" in failed[0].error


@pytest.mark.parametrize(
    ("sampler", "status", "error"),
    [
        (own("FailingInFit"), "failed", "RuntimeError: nothing works in data.csv (at rivals.py:"),
        (own("FailingInFit", takes_ratio=True), "failed", "RuntimeError: nothing works"),
        (own("AtSomeRatios", deed="refuse"), "memory", "MemoryError"),
        (own("Shuffling"), "failed", "changed neither rows nor labels"),
        (own("Shuffling", takes_ratio=True), "failed", "changed neither rows nor labels"),
        (own("Odd", what="nan"), "failed", "no table of finite numbers"),
        (own("Odd", what="objects"), "failed", "TypeError"),
        (own("Odd", what="labels"), "failed", "no labels 0 and 1"),
        (own("Odd", what="lengths"), "failed", "no labels 0 and 1 for 108 rows"),
        (own("Odd", what="nothing"), "failed", "TypeError"),
        (own("AtSomeRatios", deed="sys_exit"), "failed", "SystemExit: 3"),
        (own("AtSomeRatios", deed="odd_error"), "failed", "Unpicklable: odd in x.py"),
        (own("AtSomeRatios", deed="mute_error"), "failed", "Mute"),
    ],
    ids=lambda value: f"{value.name} {value.params}" if hasattr(value, "params") else None,
)
def test_failures_are_imputed(small_split, sampler, status, error):
    evaluation = run(small_split, sampler)
    assert (evaluation.status, evaluation.imputed) == (status, True)
    assert error in evaluation.error
    assert "/some/where" not in evaluation.error
    assert evaluation.scores == evaluation.reference == run(small_split, NONE).scores
    assert evaluation.n_synthetic == 0


@pytest.mark.parametrize(
    ("deed", "status", "error"),
    [
        ("loop", "timeout", "it used more CPU seconds than limits.resampling_seconds=2 allows"),
        ("kill", "crashed", "its process ended by signal SIGKILL"),
        ("exit", "crashed", "its process ended with exit code 7"),
        ("eat", "memory", "it used more than limits.memory_mb=500"),
    ],
)
def test_misbehaving_sampler_is_imputed_and_harms_nothing_else(
    small_split, deed, status, error, tmp_path, monkeypatch
):
    """At ratio 0.4: what ran before is kept; after a crash the others are still tried."""
    limits = LimitSettings(resampling_seconds=2, memory_mb=500)
    log = tmp_path / "log"
    hanging = {"resample 0.4", "resample None"} if deed == "loop" else set()
    stop_clock(monkeypatch, log, hanging)
    sampler = own("AtSomeRatios", takes_ratio=True, deed=deed, at=[0.4], log=str(log))
    evaluation = run(small_split, sampler, limits=limits)
    assert (evaluation.status, evaluation.imputed) == ("ok", False)
    by_ratio = {point.ratio: point for point in evaluation.grid}
    assert (by_ratio[0.4].status, by_ratio[0.4].error) == (status, error)
    larger = {by_ratio[ratio].status for ratio in RATIOS if ratio > 0.4}
    assert {by_ratio[ratio].status for ratio in (0.2, 0.3)} == {"ok"}
    if status == "crashed":
        assert larger == {"ok"}
        assert log.read_text().count("fit") == 2  # in a new process
    else:
        assert larger == {"skipped"}
        assert by_ratio[0.5].error == f"after the {status} at ratio 0.4"
        assert evaluation.ratio in (0.2, 0.3)
        assert log.read_text().splitlines()[-1] == "resample 0.4"
    # A sampler that does nothing else is imputed, with the same cause.
    evaluation = run(small_split, own("AtSomeRatios", deed=deed, log=str(log)), limits=limits)
    assert (evaluation.status, evaluation.imputed, evaluation.error) == (status, True, error)
    assert evaluation.scores == evaluation.reference


@pytest.mark.parametrize("name", ["HangingInInit", "HangingInFit"])
def test_a_limit_holds_before_the_first_resampling(small_split, name):
    limits = LimitSettings(resampling_seconds=0.5)
    evaluation = run(small_split, own(name), limits=limits)
    assert (evaluation.status, evaluation.imputed) == ("timeout", True)
    assert "limits.resampling_seconds=0.5" in evaluation.error


def test_training_may_take_the_time_of_all_the_resamplings_that_it_serves(small_split):
    sampler = own("HangingInFit", takes_ratio=True)
    evaluation = run(small_split, sampler, limits=LimitSettings(resampling_seconds=0.3))
    assert evaluation.status == "timeout"  # 0.1 is the ratio that the data have
    assert "limits.resampling_seconds=0.3 for each of 9 ratios" in evaluation.error


@linux
def test_limit_counts_cpu_seconds_and_not_those_of_waiting(small_split):
    """A sampler that waits is as one on a busy machine: its result does not change."""
    limits = LimitSettings(resampling_seconds=0.5)
    evaluation = run(small_split, own("Working", work="sleep", seconds=1.0), limits=limits)
    assert (evaluation.status, evaluation.imputed) == ("ok", False)


@linux
@pytest.mark.parametrize(
    ("work", "seconds", "error"),
    [
        ("in a child", 0.4, "it used more CPU seconds than limits.resampling_seconds=0.6 allows"),
        ("sleep", 60, "it took longer than 5 times limits.resampling_seconds=0.6 allows"),
    ],
)
def test_work_in_processes_of_its_own_and_endless_waiting_end_at_a_limit(
    small_split, work, seconds, error
):
    sampler = own("Working", work=work, seconds=seconds)
    evaluation = run(small_split, sampler, limits=LimitSettings(resampling_seconds=0.6))
    assert (evaluation.status, evaluation.imputed, evaluation.error) == ("timeout", True, error)


def test_run_seconds_limit_all_resamplings_together(small_split, tmp_path, monkeypatch):
    limits = LimitSettings(resampling_seconds=None, run_seconds=1)
    log = tmp_path / "log"
    stop_clock(monkeypatch, log, {"resample 0.4"})
    sampler = own("AtSomeRatios", takes_ratio=True, deed="loop", at=[0.4], log=str(log))
    evaluation = run(small_split, sampler, limits=limits)
    assert evaluation.status == "ok"
    (point,) = (point for point in evaluation.grid if point.ratio == 0.4)
    assert point.error == "it took longer than limits.run_seconds=1 allows"


def test_all_ratios_at_or_below_the_present_one(small_split):
    balanced = dataclasses.replace(
        small_split, X_train=small_split.X_train[:98], y_train=np.tile(np.int8([0, 1]), 49)
    )
    evaluation = run(balanced, SMOTE_SETTINGS)
    assert (evaluation.status, evaluation.imputed) == ("failed", True)
    assert "at or below" in evaluation.error


def test_a_change_of_labels_is_a_change(small_split):
    evaluation = run(small_split, own("Relabelling"))
    assert (evaluation.status, evaluation.imputed) == ("ok", False)
    assert evaluation.rows["resampled"] == [87, 12]


def test_a_classifier_that_cannot_use_the_rows_fails_the_grid_point(small_split):
    evaluation = run(small_split, own("OneClass"), estimator=SVM)
    assert (evaluation.status, evaluation.imputed) == ("failed", True)
    assert "ValueError" in evaluation.error


def test_a_seed_reaches_the_sampler(small_split):
    first, again, other = (run(small_split, SMOTE_SETTINGS, seed=seed) for seed in (0, 0, 1))
    assert [p.score for p in first.grid] == [p.score for p in again.grid]
    assert [p.score for p in first.grid] != [p.score for p in other.grid]


def test_warnings_are_kept_once(small_split):
    evaluation = run(small_split, own("Warning_", takes_ratio=True))
    assert evaluation.warnings == ["UserWarning: mind the gap"]


def test_warnings_of_a_search_are_kept_for_any_number_of_actors(small_split):
    job = (Counting(max_depth=3, random_state=0), "mcc")

    def kept(actors):
        search = dataclasses.replace(SEARCH, actors=actors)
        (found,) = evaluate(small_split, AUTOSMOTE, [job], seed=0, search=search)
        return found.warnings

    assert kept(2) == kept(0) and len(kept(0)) > 3


def test_settings_that_no_sampler_takes_are_the_user_s_mistake(small_split):
    settings = dataclasses.replace(SMOTE_SETTINGS, params=SMOTE_SETTINGS.params | {"k": 3})
    with pytest.raises(UserError, match=r"sampler\.params .* k_neighbors"):
        run(small_split, settings)
    for target, part in (
        ("baselines.imblearn_samplers.Imblearn", "cannot be imported"),
        ("imblearn.under_sampling.TomekLinks", "named by sampler.params.sampler of"),
        ("rivals.NoMethod", "has no resample and no transform, which a resampler needs"),
    ):
        with pytest.raises(UserError, match=part):
            run(small_split, SamplerSettings("mine", target))
    with pytest.raises(UserError, match="has no predict, which a method needs"):
        run(small_split, own("NoMethod", kind="method"))


def test_users_mistake_is_a_failure_where_it_is_asked_for(small_split):
    evaluation = run(small_split, own("Needy"), mistakes_fail=True)
    assert (evaluation.status, evaluation.imputed) == ("failed", True)
    assert evaluation.error == "Needy needs the package needful; install it."
    with pytest.raises(UserError, match="needful"):
        run(small_split, own("Needy"))


def test_groups_reach_the_sampler(small_split):
    split = dataclasses.replace(small_split, groups=[(1, 3)])
    assert "groups [(1, 3)]" in run(split, own("GroupsSeen")).error


def test_a_sampler_may_change_the_features(small_split):
    def project(X):
        return np.column_stack([2 * X[:, 0], X.sum(axis=1)])

    evaluation = run(small_split, own("Projecting"))
    rows = np.concatenate([np.arange(99), np.flatnonzero(small_split.y_train == 1)])
    X, y = project(small_split.X_train[rows]), small_split.y_train[rows]
    model = DecisionTreeClassifier(random_state=0).fit(X, y)
    assert evaluation.scores == {
        "validation": expected_scores(model, project(small_split.X_val), small_split.y_val),
        **expected_looks(model, small_split, project),
    }
    assert evaluation.new_features and np.array_equal(evaluation.X, X)
    assert evaluation.reference == run(small_split, NONE).scores


@pytest.mark.parametrize("metric", ["macro_f1", "mcc"])
def test_a_method_is_its_own_classifier(small_split, metric):
    estimator = LogisticRegression()
    evaluation = run(small_split, own("Threshold", kind="method"), estimator, metric)
    model = LogisticRegression().fit(small_split.X_train, small_split.y_train)

    class Cut:
        def __init__(self, cut):
            self.cut = cut

        def predict(self, X):
            return (model.predict_proba(X)[:, 1] >= self.cut).astype(int)

    cuts = np.unique(model.predict_proba(small_split.X_val)[:, 1])
    best = max(
        map(Cut, cuts),
        key=lambda cut: expected_scores(cut, small_split.X_val, small_split.y_val)[metric].expected,
    )
    assert evaluation.scores == {
        "validation": expected_scores(best, small_split.X_val, small_split.y_val),
        **expected_looks(best, small_split),
    }
    assert evaluation.reference == run(small_split, NONE, estimator, metric).scores
    assert (evaluation.status, evaluation.ratio, evaluation.n_synthetic) == ("ok", None, 0)
    assert evaluation.seconds["learn"] > 0


@pytest.mark.parametrize(
    ("deed", "status"), [("fail", "failed"), ("kill", "crashed"), ("loop", "timeout")]
)
def test_failing_method_is_imputed(small_split, deed, status):
    # The limit of a resampling is not that of a method.
    limits = LimitSettings(resampling_seconds=0.01, run_seconds=1 if deed == "loop" else None)
    sampler = own("Threshold", kind="method", deed=deed)
    evaluation = run(small_split, sampler, LogisticRegression(), limits=limits)
    assert (evaluation.status, evaluation.imputed) == (status, True)
    assert evaluation.scores == evaluation.reference


def test_one_resampling_serves_all_classifiers_and_metrics(small_split, tmp_path):
    log = tmp_path / "log"
    sampler = own("Jittering", takes_ratio=True, log=str(log))
    jobs = [(DT, "macro_f1"), (SVM, "macro_f1"), (DT, "mcc"), (SVM, "mcc")]
    together = evaluate(small_split, sampler, jobs, seed=5)
    assert log.read_text().splitlines() == ["fit", *(f"resample {ratio}" for ratio in RATIOS[1:])]
    for (estimator, metric), found in zip(jobs, together, strict=True):
        alone = run(small_split, sampler, estimator, metric, seed=5)
        assert found.scores == alone.scores and found.grid == alone.grid
        assert np.array_equal(found.X, alone.X)


def test_metrics_that_share_a_resampling_have_the_warnings_that_each_has_alone(small_split):
    sampler, tree = own("Jittering", takes_ratio=True), Complaining(max_depth=1, random_state=0)
    jobs = [(tree, metric) for metric in ("macro_f1", "mcc")]
    together = evaluate(small_split, sampler, jobs, seed=0)
    alone = [run(small_split, sampler, *job, seed=0) for job in jobs]
    assert [one.warnings for one in together] == [one.warnings for one in alone]
    assert alone[0].warnings != alone[1].warnings  # else nothing is told apart here


def test_a_classifier_that_cannot_be_trained_leaves_the_others(small_split):
    broken = LinearSVC(C=-1)
    first, second = evaluate(small_split, own("Own"), [(broken, "mcc"), (DT, "mcc")], seed=0)
    assert isinstance(first, ValueError)
    assert second.scores == run(small_split, own("Own"), metric="mcc").scores


@pytest.mark.parametrize("metric", ["macro_f1", "mcc"])
def test_autosmote_retrains_on_the_best_samples(small_split, metric):
    seen = []
    evaluation = run(
        small_split, AUTOSMOTE, SVM, metric, on_iteration=lambda *iteration: seen.append(iteration)
    )
    result = evaluation.search
    X = np.vstack([small_split.X_train, result.X_synthetic])
    y = np.concatenate([small_split.y_train, np.ones(len(result.X_synthetic))])
    model = LinearSVC(random_state=0).fit(X, y)
    assert evaluation.scores == {
        "validation": expected_scores(model, small_split.X_val, small_split.y_val),
        **expected_looks(model, small_split),
    }
    assert evaluation.scores["validation"][metric] == pytest.approx(result.best.score)
    assert evaluation.n_synthetic == len(result.X_synthetic) == result.best.sample_set.samples.sum()
    assert (evaluation.status, evaluation.ratio, evaluation.grid) == ("ok", None, [])
    assert [iteration for iteration, _, _ in seen] == list(range(1, 13))
    assert evaluation.seconds["total"] >= result.seconds["total"]
    assert set(evaluation.seconds) >= {"total", "generate", "score", "learn"}


@pytest.mark.parametrize(
    "sampler, options",
    [
        (SMOTE_SETTINGS, {}),
        (AUTOSMOTE, {}),
        (AUTOSMOTE, {"final": "vote"}),
        (AUTOSMOTE, {"reward": "crossfit", "folds": 2}),
    ],
    ids=["smote", "best", "vote", "folds"],
)
def test_estimator_that_writes_into_its_rows_changes_neither_them_nor_scores(
    small_split, sampler, options
):
    found = {}
    search = dataclasses.replace(SEARCH, **options)
    for copy in (True, False):
        split = dataclasses.replace(small_split, X_train=100 * small_split.X_train)
        given = split.X_train.copy(), split.X_val.copy(), split.X_look.copy()
        model = make_pipeline(StandardScaler(copy=copy), LogisticRegression())
        (evaluation,) = evaluate(split, sampler, [(model, "mcc")], seed=0, search=search)
        parts = split.X_train, split.X_val, split.X_look
        assert all(map(np.array_equal, parts, given))
        found[copy] = (evaluation.scores, evaluation.reference, evaluation.grid, evaluation.X)
    *expected, X = found[True]
    *scores, X_found = found[False]
    assert scores == expected and np.array_equal(X, X_found)
