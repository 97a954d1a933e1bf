"""SMOTE variants: registry, configurations, counts, adapters, and each one on a small part."""

import importlib.util
import inspect
import logging
import os
import random
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import yaml
from imblearn.utils import check_sampling_strategy
from parts import (
    Part,
    check_first_use,
    check_resampler,
    global_states,
    is_changed,
    mixed,
    numeric,
)

from autosmote.errors import UserError
from baselines.random_state import isolated
from baselines.variants import SmoteVariant, proportion
from baselines.variants_registry import VARIANTS

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf" / "sampler"


needs_package = pytest.mark.rivals("smote_variants")

# Fast settings for slow variants, which take up to minutes on 94 rows with their defaults.
QUICK = {
    "AMSCO": {"n_pop": 2, "n_iter": 1},
    "DSRBF": {"n_init_pop": 20, "n_pop": 10, "n_iter": 1, "n_sampling_epoch": 1},
    "GASMOTE": {"n_pop": 4, "Ge": 2},
    "IPADE_ID": {"max_it": 2, "OT": 2},
    "SMOTE_PSO": {"n_pop": 3, "num_it": 2},
    "SMOTE_PSOBAT": {"maxit": 2},
}
# Fast enough with default settings on few rows.
ON_FEW_ROWS = {*QUICK, "A_SUWO", "ADG", "DSMOTE", "E_SMOTE", "MOT2LD", "DEAGO"}
# Variants that return `numeric()` unchanged, with a part of the reason.
UNCHANGED = {
    "SMOBD": "factor_1 or factor_2 is not suitable",
    "SOI_CJ": "No clusters with at least 2 elements",
    "SYMPROD": "could not be broadcast",
}
# Variants that do not make the requested number of rows: they round, clean, relabel or stop
# early.
INEXACT = set(
    """A_SUWO ADG CCR DE_oversampling DSMOTE DSRBF Gazzah MOT2LD NDO_sampling NEATER
    polynom_fit_SMOTE_bus polynom_fit_SMOTE_star SMOTE_D SMOTE_ENN SMOTE_RSB SMOTE_TomekLinks
    SVM_balance VIS_RST""".split()
)


def variant(name: str, seed: int = 0, **params) -> SmoteVariant:
    return SmoteVariant(random_state=seed, variant=name, **params)


def resample(name: str, part: Part, ratio: float | None, seed: int = 0):
    return variant(name, seed).fit(part.X, part.y, groups=part.groups).resample(ratio)


# The registry.


def test_registry_has_the_85_and_six_newer_variants():
    newer = {v.name for v in VARIANTS.values() if not v.in_85}
    assert newer == {
        *("polynom_fit_SMOTE_bus", "polynom_fit_SMOTE_mesh", "polynom_fit_SMOTE_poly"),
        *("SYMPROD", "SMOTE_AMSR", "SMOTEWB"),
    }
    assert len(VARIANTS) - len(newer) == 85
    assert len({v.sampler for v in VARIANTS.values()}) == 91


def test_registry_knows_which_take_no_ratio_or_change_features():
    assert {v.name for v in VARIANTS.values() if not v.takes_ratio} == {
        *("AHC", "AMSCO", "GASMOTE", "IPADE_ID", "ISMOTE", "SMOTE_FRST_2T", "SMOTE_PSO"),
        *("SMOTE_PSOBAT", "SPY", "Stefanowski", "SUNDO"),
    }
    changing = {v.name for v in VARIANTS.values() if v.changes_features}
    assert changing == {"E_SMOTE", "ISOMAP_Hybrid"}


@needs_package
def test_registry_agrees_with_the_package():
    import smote_variants

    classes = {cls.__name__: cls for cls in smote_variants.get_all_oversamplers()}
    assert classes.keys() == VARIANTS.keys()
    for name, cls in classes.items():
        takes_ratio = "proportion" in inspect.signature(cls).parameters
        assert VARIANTS[name].takes_ratio == takes_ratio, name
        # SMOTEWB's is the identity.
        transforms = "preprocessing_transform" in vars(cls) and name != "SMOTEWB"
        assert VARIANTS[name].changes_features == transforms, name


def test_configurations_agree_with_the_registry():
    spec = importlib.util.spec_from_file_location(
        "make_variant_configs", ROOT / "scripts" / "make_variant_configs.py"
    )
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    files = {path.name: path.read_text() for path in CONF.glob("sv_*.yaml")}
    assert files == script.configs(), "run scripts/make_variant_configs.py"
    assert len(files) == 91
    config = yaml.safe_load(files["sv_smote_ipf.yaml"])
    assert config == {
        "name": "sv_smote_ipf",
        "_target_": "baselines.variants.SmoteVariant",
        "kind": "resampler",
        "takes_ratio": True,
        "params": {"variant": "SMOTE_IPF"},
    }


def test_baselines_import_no_heavy_package():
    modules = ["baselines.mesa"]
    modules += [f"baselines.{path.stem}" for path in (ROOT / "baselines").glob("[!_]*.py")]
    code = f"import sys; import {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {module.partition(".")[0] for module in done.stdout.split()}
    assert "baselines" in loaded
    assert not loaded & {
        *("torch", "numba", "sklearn", "imblearn", "pandas", "matplotlib", "hydra"),
        *("sdv", "ctgan", "smote_variants", "tensorflow", "optuna"),
    }


# Ratio and proportion.


def random_cases(n: int):
    rng = np.random.default_rng(0)
    while n:
        n_majority, n_minority = int(rng.integers(20, 30_000)), int(rng.integers(1, 2_000))
        ratio = float(rng.choice([*np.arange(1, 11) / 10, rng.uniform(0.01, 1)]))
        if n_minority < int(ratio * n_majority):
            n -= 1
            yield ratio, n_majority, n_minority


def test_proportion_makes_as_many_rows_as_imbalanced_learn():
    for ratio, n_majority, n_minority in random_cases(500):
        y = np.repeat([0, 1], [n_majority, n_minority])
        expected = check_sampling_strategy(ratio, y, "over-sampling")[1]
        p = proportion(ratio, n_majority, n_minority)
        assert type(p) is float
        assert int((n_majority - n_minority) * p) == expected, (ratio, n_majority, n_minority)


@needs_package
@pytest.mark.parametrize("ratio", [0.2, 0.3, 0.7, 1.0])
def test_resample_makes_as_many_rows_as_imbalanced_learn(ratio):
    from imblearn.over_sampling import SMOTE

    part = numeric(311, 29)
    _, y = resample("SMOTE", part, ratio)
    _, expected = SMOTE(sampling_strategy=ratio, random_state=0).fit_resample(part.X, part.y)
    assert y.sum() == expected.sum()


# Every sampler.


def check(name: str, part: Part, **params) -> None:
    ratio = 0.4 if VARIANTS[name].takes_ratio else None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        X, y = check_resampler(lambda: variant(name, **params), part, ratio)
    texts = [str(w.message) for w in caught]
    if name in UNCHANGED and not params and name not in ON_FEW_ROWS:
        assert not is_changed(X, y, part)
        assert any(UNCHANGED[name] in text for text in texts), texts
        return
    assert is_changed(X, y, part)
    assert (X.shape[1] == part.X.shape[1]) or VARIANTS[name].changes_features
    assert set(np.unique(y)) == {0, 1}
    if ratio is not None:
        wanted = int(ratio * np.count_nonzero(part.y == 0))
        assert (int(y.sum()) == wanted) or name in INEXACT


@needs_package
@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "DEAGO"])
def test_variant_adds_the_expected_rows(name):
    part = numeric(80, 14) if name in ON_FEW_ROWS else numeric()
    check(name, part, **QUICK.get(name, {}))


@needs_package
@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_slow_variant_with_default_settings_adds_rows(name):
    check(name, numeric(30, 10))  # minutes on more


@needs_package
@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="tensorflow is not installed"
)
def test_deago_restores_the_environment():
    environment = dict(os.environ)
    check("DEAGO", numeric(80, 14))
    assert dict(os.environ) == environment


@needs_package
@pytest.mark.parametrize(
    "name", [name for name in VARIANTS if name not in {*ON_FEW_ROWS, "SMMO", "SOMO", *UNCHANGED}]
)
def test_variant_on_one_hot_columns_adds_finite_rows(name):
    part = mixed()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X, y = resample(name, part, 0.5 if VARIANTS[name].takes_ratio else None)
    assert np.isfinite(X).all()
    assert is_changed(X, y, part)


# Fixed variants, and those that are trained once.


@needs_package
@pytest.mark.parametrize("name", ["E_SMOTE", "ISOMAP_Hybrid"])
def test_variant_trained_once_equals_the_class(name):
    import smote_variants

    part = numeric(80, 14)
    fitted = variant(name).fit(part.X, part.y)
    transformed = fitted.transform(part.X)
    for ratio in (0.9, 0.4):
        X, y = fitted.resample(ratio)
        original = getattr(smote_variants, name)(proportion(ratio, 80, 14), random_state=0)
        with isolated(0), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            X_original, y_original = original.sample(part.X, part.y.astype(int))
        assert np.array_equal(X, X_original) and np.array_equal(y, y_original)
        assert np.array_equal(fitted.transform(part.X), transformed)
        np.testing.assert_allclose(transformed, original.preprocessing_transform(part.X))
    assert X.shape[1] == transformed.shape[1] < part.X.shape[1]


@needs_package
def test_e_smote_returns_the_transformed_rows():
    part = numeric(80, 14)
    fitted = variant("E_SMOTE").fit(part.X, part.y)
    X, _ = fitted.resample(0.4)
    assert np.array_equal(X[: len(part.X)], fitted.transform(part.X))


@needs_package
def test_global_generators_are_restored_after_an_error():
    part = numeric(80, 14)
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    state = global_states()
    broken = variant("E_SMOTE", n_neighbors=0)
    with pytest.raises(ValueError, match="n_neighbors"):
        broken.fit(part.X, part.y)
    not_finite = part.X.copy()
    not_finite[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        resample("ISOMAP_Hybrid", Part(not_finite, part.y), 0.5)
    with pytest.raises(np.linalg.LinAlgError):
        resample("SMMO", mixed(), 0.5)
    assert global_states() == state


@needs_package
def test_first_use_leaves_generators_and_filters_unchanged():
    check_first_use("""
from baselines.variants import SmoteVariant
SmoteVariant(random_state=0, variant="MOT2LD").fit(part.X, part.y).resample(0.5)
import warnings
assert not any(f[:3] == ("ignore", None, DeprecationWarning) and f[3] is None
               for f in warnings.filters[:3]), "deprecations are hidden for good"
""")


@needs_package
def test_resample_logs_nothing_and_restores_filters(capfd):
    part, filters = numeric(80, 14), list(warnings.filters)
    resample("SMOTE_IPF", part, 0.5)
    assert warnings.filters == filters
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("smote_variants").level == logging.CRITICAL
    from smote_variants import config

    assert config.suppress_internal_warnings()


@needs_package
def test_resample_depends_on_the_seed_and_not_on_earlier_ratios():
    part = numeric(80, 14)
    fitted = variant("SMOTE").fit(part.X, part.y)
    first = fitted.resample(0.5)[0]
    fitted.resample(0.9)
    assert np.array_equal(first, fitted.resample(0.5)[0])
    assert not np.array_equal(first, resample("SMOTE", part, 0.5, seed=1)[0])


@needs_package
def test_random_state_may_be_a_numpy_integer():
    part = numeric(80, 14)
    X, _ = SmoteVariant(random_state=np.int64(3), variant="SMOTE").fit(part.X, part.y).resample(0.5)
    assert np.array_equal(X, resample("SMOTE", part, 0.5, seed=3)[0])


# Known failures say why.


@needs_package
def test_smmo_on_one_hot_columns_raises():
    with pytest.raises(np.linalg.LinAlgError, match="not full rank"):
        resample("SMMO", mixed(), 0.5)


@needs_package
def test_ratio_below_the_data_s_raises():
    with pytest.raises(ValueError, match="proportion"):
        resample("SMOTE", numeric(), 0.05)


@needs_package
def test_ratio_for_a_variant_that_takes_none_raises():
    with pytest.raises(ValueError, match="SPY takes no ratio"):
        resample("SPY", numeric(), 0.5)


@needs_package
@pytest.mark.parametrize(
    ("name", "part", "ratio", "reason"),
    [
        ("kmeans_SMOTE", "apart", 1.0, "returning copies for"),
        ("SOMO", "mixed", 0.5, "all clusters filtered"),
        ("SMOTE_ENN", "plain", 1.0, "ENN removed too many samples"),
        ("SMOTE", "two", 0.5, "SMOTE needs at least 3 minority rows, not 2"),
        ("Stefanowski", "six", None, "Stefanowski needs at least 7 minority rows, not 6"),
        ("G_SMOTE", "narrow", 0.5, "G_SMOTE needs at least 2 features, not 1"),
    ],
)
def test_rows_returned_unchanged_come_with_a_reason(name, part, ratio, reason):
    rng = np.random.default_rng(0)
    parts = {
        "plain": numeric(),
        "mixed": mixed(),
        "two": numeric(80, 2),
        "six": numeric(80, 6),
        "narrow": Part(numeric().X[:, :1].copy(), numeric().y),
        # Isolated minority rows.
        "apart": Part(rng.normal(0, 1, (312, 2)), (np.arange(312) >= 300).astype(np.int8)),
    }
    with pytest.warns(UserWarning, match=reason):
        X, y = resample(name, parts[part], ratio)
    assert not is_changed(X, y, parts[part])


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("SMOTE_IFP", {}, "no variant 'SMOTE_IFP'.*did you mean SMOTE_IPF"),
        ("SMOTE", {"k": 3}, "params.k does not suit SMOTE; it takes n_neighbors"),
        ("SMOTE", {"proportion": 1.0}, "params.proportion does not suit SMOTE"),
    ],
)
@needs_package
def test_constructor_with_wrong_settings_raises(name, params, message):
    with pytest.raises(UserError, match=message):
        variant(name, **params)


def test_missing_package_raises(monkeypatch):
    monkeypatch.setitem(sys.modules, "smote_variants", None)
    with pytest.raises(UserError, match=r"extra `variants`.*--no-deps smote-variants"):
        variant("SMOTE")


@needs_package
def test_deago_without_tensorflow_raises(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(UserError, match="tensorflow"):
        variant("DEAGO")
