"""Choice on validation, one look at the test part, failures that are said and imputed."""

import dataclasses
import warnings

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.metrics import f1_score, matthews_corrcoef
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from autosmote.config import SamplerSettings
from autosmote.errors import UserError
from autosmote.evaluation import RATIOS, HeldOut, evaluate
from autosmote.search_config import SearchConfig

DT = DecisionTreeClassifier(random_state=0)
SVM = LinearSVC(random_state=0)
NONE = SamplerSettings("none")
AUTOSMOTE = SamplerSettings("autosmote")
SMOTE_SETTINGS = SamplerSettings("smote", "imblearn.over_sampling.SMOTE", takes_ratio=True)
SEARCH = SearchConfig(iterations=12, G1=3, G2=3, K=4, actors=0, device="cpu")


class OwnSampler:
    """Base of the samplers below, which the configuration names by their import path."""

    def __init__(self, sampling_strategy=None, random_state=None):
        self.sampling_strategy = sampling_strategy
        self.random_state = random_state

    def fit_resample(self, X, y):
        raise NotImplementedError


class Duplicating(OwnSampler):
    """The same rows at every ratio, so that all grid points tie."""

    def fit_resample(self, X, y):
        return np.vstack([X, X[y == 1]]), np.concatenate([y, y[y == 1]])


class FailingBelowHalf(Duplicating):
    def fit_resample(self, X, y):
        if self.sampling_strategy < 0.5:
            raise ValueError("too small a ratio for /some/where/data.csv")
        return super().fit_resample(X, y)


class Failing(OwnSampler):
    def fit_resample(self, X, y):
        raise RuntimeError("nothing works in /some/where/data.csv")


class OutOfMemory(OwnSampler):
    def fit_resample(self, X, y):
        raise MemoryError


class Shuffling(OwnSampler):
    """Changes nothing but the order."""

    def fit_resample(self, X, y):
        order = np.random.default_rng(self.random_state).permutation(len(y))
        return X[order], y[order]


class Relabelling(OwnSampler):
    """Changes no row, but three labels."""

    def fit_resample(self, X, y):
        y = y.copy()
        y[:3] = 1
        return X, y


class OneClass(OwnSampler):
    """Leaves nothing that a classifier could learn from."""

    def fit_resample(self, X, y):
        return X[y == 1], y[y == 1]


class Warning_(Duplicating):
    def fit_resample(self, X, y):
        warnings.warn("mind the gap", UserWarning, stacklevel=2)
        return super().fit_resample(X, y)


def own(cls: type, *, takes_ratio: bool = False) -> SamplerSettings:
    return SamplerSettings(cls.__name__.lower(), f"{__name__}.{cls.__name__}", takes_ratio)


def run(split, sampler, estimator=DT, metric="macro_f1", seed=0, search=SEARCH):
    return evaluate(split, sampler, estimator, metric=metric, seed=seed, search=search)


def expected_scores(model, X, y):
    predictions = model.predict(X)
    return {
        "macro_f1": pytest.approx(f1_score(y, predictions, average="macro"), abs=1e-12),
        "mcc": pytest.approx(matthews_corrcoef(y, predictions), abs=1e-12),
    }


def test_the_test_part_opens_once(small_split):
    model = DecisionTreeClassifier(random_state=0).fit(small_split.X_train, small_split.y_train)
    held_out = HeldOut(small_split.X_test, small_split.y_test)
    scores = held_out.evaluate({"a": model})
    assert scores == {"a": expected_scores(model, small_split.X_test, small_split.y_test)}
    with pytest.raises(RuntimeError, match="before"):
        held_out.evaluate({"a": model})


@pytest.mark.parametrize("sampler", [NONE, SMOTE_SETTINGS, AUTOSMOTE], ids=lambda s: s.name)
def test_permuted_test_labels_change_test_scores_only(small_split, sampler):
    def comparable(evaluation):
        found = dataclasses.asdict(evaluation)
        for changing in ("seconds", "X", "y"):
            found.pop(changing)
        tests = (found["scores"].pop("test"), found["reference"].pop("test"))
        search = found.pop("search")
        if search:
            found["search"] = (search["best_score"], search["best_iteration"], search["G1"])
            found["history"] = search["history"]["reward"].tolist()
            found["counts"] = search["counts"].tolist()
        return found, tests

    permuted = dataclasses.replace(
        small_split, y_test=np.random.default_rng(1).permutation(small_split.y_test)
    )
    first, second = run(small_split, sampler), run(permuted, sampler)
    (found, tests), (found_permuted, tests_permuted) = comparable(first), comparable(second)
    assert found == found_permuted
    assert np.array_equal(first.X, second.X) and np.array_equal(first.y, second.y)
    assert tests != tests_permuted


def test_no_resampling(small_split):
    evaluation = run(small_split, NONE)
    model = DecisionTreeClassifier(random_state=0).fit(small_split.X_train, small_split.y_train)
    assert evaluation.scores == {
        "validation": expected_scores(model, small_split.X_val, small_split.y_val),
        "test": expected_scores(model, small_split.X_test, small_split.y_test),
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
    assert evaluation.rows == {"train": [90, 9], "resampled": [90, int(y.sum())]}
    for point in evaluation.grid[1:]:
        assert point.score == pytest.approx(by_hand[point.ratio][0])


def test_the_present_ratio_is_skipped(small_split):
    points = run(small_split, SMOTE_SETTINGS).grid
    assert [point.ratio for point in points] == list(RATIOS)
    assert points[0].status == "skipped"  # 9 of 90
    assert {point.status for point in points[1:]} == {"ok"}


def test_ties_go_to_the_smallest_ratio(small_split):
    assert run(small_split, own(Duplicating, takes_ratio=True)).ratio == RATIOS[1]


def test_tuned_over_the_ratios_that_ran(small_split):
    evaluation = run(small_split, own(FailingBelowHalf, takes_ratio=True))
    assert (evaluation.status, evaluation.ratio) == ("ok", 0.5)
    failed = [point for point in evaluation.grid if point.status == "failed"]
    assert [point.ratio for point in failed] == [0.2, 0.3, 0.4]
    assert "ValueError: too small a ratio for data.csv" in failed[0].error


@pytest.mark.parametrize(
    ("sampler", "status", "error"),
    [
        (own(Failing), "failed", "RuntimeError: nothing works in data.csv"),
        (own(Failing, takes_ratio=True), "failed", "RuntimeError: nothing works in data.csv"),
        (own(OutOfMemory), "memory", "MemoryError"),
        (own(Shuffling), "failed", "changed neither rows nor labels"),
        (own(Shuffling, takes_ratio=True), "failed", "changed neither rows nor labels"),
    ],
)
def test_failures_are_imputed(small_split, sampler, status, error):
    evaluation = run(small_split, sampler)
    assert (evaluation.status, evaluation.imputed) == (status, True)
    assert error in evaluation.error
    assert "/some/where" not in evaluation.error
    assert evaluation.scores == evaluation.reference == run(small_split, NONE).scores
    assert evaluation.n_synthetic == 0


def test_all_ratios_at_or_below_the_present_one(small_split):
    balanced = dataclasses.replace(
        small_split, X_train=small_split.X_train[:98], y_train=np.tile(np.int8([0, 1]), 49)
    )
    evaluation = run(balanced, SMOTE_SETTINGS)
    assert (evaluation.status, evaluation.imputed) == ("failed", True)
    assert "at or below" in evaluation.error


def test_a_change_of_labels_is_a_change(small_split):
    evaluation = run(small_split, own(Relabelling))
    assert (evaluation.status, evaluation.imputed) == ("ok", False)
    assert evaluation.rows["resampled"] == [87, 12]


def test_a_classifier_that_cannot_use_the_rows_fails_the_grid_point(small_split):
    evaluation = run(small_split, own(OneClass), estimator=SVM)
    assert (evaluation.status, evaluation.imputed) == ("failed", True)
    assert "ValueError" in evaluation.error


def test_a_seed_reaches_the_sampler(small_split):
    first, again, other = (run(small_split, SMOTE_SETTINGS, seed=seed) for seed in (0, 0, 1))
    assert [p.score for p in first.grid] == [p.score for p in again.grid]
    assert [p.score for p in first.grid] != [p.score for p in other.grid]


def test_warnings_are_kept_once(small_split):
    evaluation = run(small_split, own(Warning_, takes_ratio=True))
    assert evaluation.warnings == ["UserWarning: mind the gap"]


def test_settings_that_no_sampler_takes_are_the_user_s_mistake(small_split):
    settings = dataclasses.replace(SMOTE_SETTINGS, params={"k": 3})
    with pytest.raises(UserError, match=r"sampler\.params .* k_neighbors"):
        run(small_split, settings)
    settings = dataclasses.replace(SMOTE_SETTINGS, _target_="imblearn.over_sampling.SMOOTE")
    with pytest.raises(UserError, match="cannot be imported"):
        run(small_split, settings)


@pytest.mark.parametrize("metric", ["macro_f1", "mcc"])
def test_autosmote_retrains_on_the_best_samples(small_split, metric):
    seen = []
    evaluation = evaluate(
        small_split,
        AUTOSMOTE,
        SVM,
        metric=metric,
        seed=0,
        search=SEARCH,
        on_iteration=lambda *iteration: seen.append(iteration),
    )
    result = evaluation.search
    X = np.vstack([small_split.X_train, result.X_synthetic])
    y = np.concatenate([small_split.y_train, np.ones(len(result.X_synthetic))])
    model = LinearSVC(random_state=0).fit(X, y)
    assert evaluation.scores == {
        "validation": expected_scores(model, small_split.X_val, small_split.y_val),
        "test": expected_scores(model, small_split.X_test, small_split.y_test),
    }
    assert evaluation.scores["validation"][metric] == pytest.approx(result.best_score)
    assert evaluation.n_synthetic == len(result.X_synthetic) == result.counts.sum()
    assert (evaluation.status, evaluation.ratio, evaluation.grid) == ("ok", None, [])
    assert [iteration for iteration, _, _ in seen] == list(range(1, 13))
    assert evaluation.seconds["total"] >= result.seconds["total"]
    assert set(evaluation.seconds) >= {"total", "generate", "score", "learn"}
