"""imbalanced-learn's samplers: equal to the wrapped classes, seeded, with their own errors."""

import importlib
import warnings
from pathlib import Path

import numpy as np
import pytest
import yaml
from imblearn.over_sampling import SMOTE
from parts import Part, check_first_use, check_resampler, global_states, is_changed, mixed, numeric

from autosmote.config.targets import from_target, import_object
from autosmote.errors import UserError
from baselines.imblearn_samplers import ImblearnSampler
from baselines.random_state import isolated

CONF = Path(__file__).parents[2] / "conf" / "sampler"
CONFIGS = {
    path.stem: config
    for path in sorted(CONF.glob("*.yaml"))
    if (config := yaml.safe_load(path.read_text())).get("_target_", "").startswith("baselines.imbl")
    and config["kind"] == "resampler"
}
# Samplers with a class of their own: what resamplings of the same rows share is computed once.
SHARING = {
    "svmsmote": "imblearn.over_sampling.SVMSMOTE",
    "instancehardnessthreshold": "imblearn.under_sampling.InstanceHardnessThreshold",
    "clustercentroids": "imblearn.under_sampling.ClusterCentroids",
}
# Samplers that fail on `numeric()`, with a part of the error.
FAILING = {"kmeanssmote": "No clusters found with sufficient samples of class 1"}


def sampler(name: str, seed: int = 0, **params) -> ImblearnSampler:
    config = CONFIGS[name]
    return from_target(
        "sampler", config["_target_"], config.get("params", {}) | params, random_state=seed
    )


def wrapped(name: str, ratio: float | None, seed: int = 0, **params):
    """Return the wrapped class with the arguments that the wrapper should pass."""
    path = SHARING.get(name) or CONFIGS[name]["params"]["sampler"]
    strategy = {} if ratio is None else {"sampling_strategy": ratio}
    return from_target("sampler", path, params, random_state=seed, **strategy)


def test_configurations_are_the_20_of_table_2():
    assert len(CONFIGS) == 20


@pytest.mark.parametrize("name", CONFIGS)
def test_sampler_equals_the_wrapped_class(name):
    part, ratio = numeric(), 0.4 if CONFIGS[name]["takes_ratio"] else None
    if name in FAILING:
        with pytest.raises(RuntimeError, match=FAILING[name]):
            sampler(name).fit(part.X, part.y).resample(ratio)
        return
    X, y = check_resampler(lambda: sampler(name), part, ratio)
    assert is_changed(X, y, part)
    X_original, y_original = wrapped(name, ratio).fit_resample(part.X, part.y)
    assert np.array_equal(X, X_original) and np.array_equal(y, y_original)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("svmsmote", {}),
        ("svmsmote", {"k_neighbors": 3, "out_step": 0.3}),
        ("instancehardnessthreshold", {"cv": 2}),
        ("clustercentroids", {}),
        ("clustercentroids", {"voting": "hard"}),
    ],
)
def test_sampler_that_shares_work_equals_the_wrapped_class_at_every_ratio(name, params):
    # The second part has the first one's rows in another order: a result must not be taken for it.
    part = numeric(400, 30)
    other = Part(np.ascontiguousarray(part.X[::-1]), np.ascontiguousarray(part.y[::-1]))
    for rows, seed in ((part, 0), (other, 0), (part, 1)):
        fitted = sampler(name, seed, **params).fit(rows.X, rows.y)
        for ratio in (0.5, 0.1, 1.0, 0.2):
            X, y = fitted.resample(ratio)
            X_same, y_same = wrapped(name, ratio, seed, **params).fit_resample(rows.X, rows.y)
            assert np.array_equal(X, X_same) and np.array_equal(y, y_same), (seed, ratio)


@pytest.mark.parametrize(
    ("name", "work", "times"),
    [
        ("svmsmote", "sklearn.svm.SVC.fit", 1),
        # Among all rows of all support vectors and of those that are not noise; among the
        # minority of those in danger and of the safe ones.
        ("svmsmote", "sklearn.neighbors.NearestNeighbors.kneighbors", 4),
        ("instancehardnessthreshold", "sklearn.ensemble.RandomForestClassifier.fit", 5),
        # 157 and 137 centres try 7 candidates each, 110 and 55 six.
        ("clustercentroids", "sklearn.cluster.kmeans_plusplus", 2),
    ],
)
def test_shared_work_is_done_once_for_all_ratios(name, work, times, monkeypatch):
    path, _, attribute = work.rpartition(".")
    try:
        owner = import_object(path)
    except ImportError:  # a module's function
        owner = importlib.import_module(path)
    original, calls = getattr(owner, attribute), []

    def counted(*arguments, **keywords):
        calls.append(attribute)
        return original(*arguments, **keywords)

    monkeypatch.setattr(owner, attribute, counted)
    part = numeric(350, 55, seed=len(work))  # of its own, as what is remembered outlives a test
    fitted = sampler(name).fit(part.X, part.y)
    for ratio in (0.35, 0.4, 0.5, 1.0):
        fitted.resample(ratio)
    assert len(calls) == times


def test_first_use_leaves_global_generators_unchanged():
    check_first_use("""
from baselines.imblearn_samplers import ImblearnSampler
smote = ImblearnSampler(random_state=0, sampler="imblearn.over_sampling.SMOTE")
smote.fit(part.X, part.y).resample(0.5)
""")


def test_resample_depends_on_the_seed_and_not_on_earlier_ratios():
    part = numeric()
    fitted = sampler("smote").fit(part.X, part.y)
    X_first, _ = fitted.resample(0.3)
    fitted.resample(0.9)
    X_again, y = fitted.resample(0.3)
    assert np.array_equal(X_first, X_again)
    assert y.sum() == 90
    assert not np.array_equal(X_first, sampler("smote", 1).fit(part.X, part.y).resample(0.3)[0])


def test_parameters_reach_the_class():
    part = mixed()
    X = sampler("smote", k_neighbors=1).fit(part.X, part.y).resample(0.5)[0]
    expected = SMOTE(sampling_strategy=0.5, random_state=0, k_neighbors=1)
    assert np.array_equal(X, expected.fit_resample(part.X, part.y)[0])
    default = sampler("smote").fit(part.X, part.y).resample(0.5)[0]
    assert not np.array_equal(X, default)


class DrawsGlobally:
    """Takes no seed; returns a NaN if `broken`."""

    def __init__(self, broken: bool = False):
        self.broken = broken

    def fit_resample(self, X, y):
        X += np.random.normal(size=X.shape)  # noqa: NPY002
        if self.broken:
            X[0, 0] = np.nan
        return X, y


def own(**params) -> ImblearnSampler:
    return ImblearnSampler(random_state=3, sampler=f"{__name__}.DrawsGlobally", **params)


def test_sampler_that_takes_no_seed_is_seeded():
    check_resampler(own, numeric(), None)


def test_values_that_are_not_finite_raise():
    part = numeric()
    with pytest.raises(ValueError, match="not finite"):
        own(broken=True).fit(part.X, part.y).resample(None)


@pytest.mark.parametrize(
    ("target", "params", "message"),
    [
        ("imblearn.over_sampling.SMOTEE", {}, "cannot be imported"),
        ("imblearn.over_sampling.SMOTE", {"k": 3}, "do not suit .* it takes .*k_neighbors"),
        ("sklearn.tree.DecisionTreeClassifier", {}, "no fit_resample"),
    ],
)
def test_constructor_with_wrong_settings_raises(target, params, message):
    with pytest.raises(UserError, match=message):
        ImblearnSampler(random_state=0, sampler=target, **params)


@pytest.mark.parametrize("name", SHARING)
def test_sampler_that_shares_work_with_wrong_settings_raises(name):
    with pytest.raises(UserError, match=r"do not suit .*'k'"):
        sampler(name, k=3)


def few(n_minority: int) -> Part:
    return numeric(120, n_minority)


def noise() -> Part:
    """Return six minority rows, each isolated among the majority."""
    rng = np.random.default_rng(1)
    return Part(rng.normal(0, 1, (306, 2)), (np.arange(306) >= 300).astype(np.int8))


@pytest.mark.parametrize(
    ("name", "part", "ratio", "message"),
    [
        ("smote", numeric(), 0.05, "required to remove samples from the minority class"),
        ("randomundersampler", numeric(), 0.05, "required to generate new sample in the majority"),
        ("tomeklinks", numeric(), 0.5, "'clean-sampling' methods do"),
        ("smote", few(5), 0.5, "Expected n_neighbors <= n_samples_fit"),
        ("adasyn", few(5), 0.5, "Expected n_neighbors <= n_samples_fit"),
        ("smotetomek", few(5), 0.5, "Expected n_neighbors <= n_samples_fit"),
        ("svmsmote", noise(), 0.5, "All support vectors are considered as noise"),
    ],
)
def test_known_failures_raise_with_a_reason(name, part, ratio, message):
    state = global_states()
    with pytest.raises((ValueError, RuntimeError), match=message):
        sampler(name).fit(part.X, part.y).resample(ratio)
    assert global_states() == state


def separable() -> Part:
    part = numeric(120, 20)
    return Part(part.X + 100.0 * part.y[:, None], part.y)


def test_adasyn_fails_on_separable_data():
    part = separable()
    with pytest.raises(RuntimeError, match="Not any neigbours belong to the majority class"):
        sampler("adasyn").fit(part.X, part.y).resample(0.5)


def test_borderline_smote_may_change_nothing():
    part = separable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X, y = sampler("borderlinesmote").fit(part.X, part.y).resample(0.5)
    assert not is_changed(X, y, part)


def test_svm_smote_may_undershoot():
    part = numeric(300, 12, seed=1)
    _, y = sampler("svmsmote").fit(part.X, part.y).resample(0.5)
    assert 12 < y.sum() < 150


def test_isolated_restores_generators_after_an_error():
    state = global_states()
    with pytest.raises(ZeroDivisionError), isolated(5, with_torch=True):
        import torch

        np.random.random()  # noqa: NPY002
        torch.rand(1)
        raise ZeroDivisionError
    assert global_states() == state
