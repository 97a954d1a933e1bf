"""imbalanced-learn's samplers: equal to the wrapped classes, seeded, with their own errors."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import yaml
from imblearn.over_sampling import SMOTE
from parts import Part, check_first_use, check_resampler, global_states, is_changed, mixed, numeric

from autosmote.config.targets import from_target
from autosmote.errors import UserError
from baselines.imblearn_samplers import ImblearnSampler
from baselines.random_state import isolated

CONF = Path(__file__).parents[2] / "conf" / "sampler"
CONFIGS = {
    path.stem: config
    for path in sorted(CONF.glob("*.yaml"))
    if "imblearn."
    in (config := yaml.safe_load(path.read_text())).get("params", {}).get("sampler", "")
    and config["kind"] == "resampler"
}
# Samplers that fail on `numeric()`, with a part of the error.
FAILING = {"kmeanssmote": "No clusters found with sufficient samples of class 1"}


def sampler(name: str, seed: int = 0, **params) -> ImblearnSampler:
    return ImblearnSampler(random_state=seed, sampler=CONFIGS[name]["params"]["sampler"], **params)


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
    # The wrapped class with the arguments that the wrapper should pass.
    strategy = {} if ratio is None else {"sampling_strategy": ratio}
    original = from_target(
        "sampler", CONFIGS[name]["params"]["sampler"], {}, random_state=0, **strategy
    )
    X_original, y_original = original.fit_resample(part.X, part.y)
    assert np.array_equal(X, X_original) and np.array_equal(y, y_original)


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
