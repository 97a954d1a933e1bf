"""A run's identity, and the name of its folder."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from run_configs import CONFIG, SMOTE, changed, folder_of, identity_of

from autosmote.config.schema import (
    ClassifierSettings,
    Config,
    DatasetSettings,
    LimitSettings,
    PreprocessSettings,
    SamplerSettings,
    resolve_search,
)
from autosmote.config.search import SearchConfig
from autosmote.errors import UserError
from autosmote.records import identity
from autosmote.records.files import write_policies


def searched(**settings) -> Config:
    return changed(search=SearchConfig(**settings))


def test_folder_name_is_readable_and_fixed():
    name = folder_of(CONFIG).name
    assert name.startswith("mozilla4-ir50-svm-autosmote-macro_f1-seed0-")
    # A setting that is added must not make all searches of before look as if they were missing.
    assert name.rpartition("-")[2] == "26fa74c94a65"
    assert folder_of(CONFIG).parent == Path("results/runs")
    own = changed(ir=None, dataset=DatasetSettings("toy"))
    assert folder_of(own).name.startswith("toy-irown-svm-")


# What else can change a result: a later setting must be put on one of the two lists.
RESULT = {
    "ir": 20.0,
    "metric": "mcc",
    "seed": 1,
    "clf": ClassifierSettings("svm", "sklearn.svm.LinearSVC", {"random_state": 0, "C": 2.0}),
    "sampler": SMOTE,
    "dataset": DatasetSettings("phoneme", 50),
    "preprocess": PreprocessSettings("all"),
}
NO_RESULT = {
    "results_dir": "elsewhere",
    "data_dir": "data",
    "force": True,
    "retry": "failed",
    "save_data": True,
    "save_curve": False,
    "seeds": 3,
}


def test_each_setting_is_tested():
    settings = {f.name for f in dataclasses.fields(Config)} - {"search", "limits"}
    assert settings == set(RESULT) | set(NO_RESULT)


@pytest.mark.parametrize("name", RESULT)
def test_identity_depends_on(name):
    assert folder_of(changed(**{name: RESULT[name]})) != folder_of(CONFIG)


@pytest.mark.parametrize("name", NO_RESULT)
def test_identity_does_not_depend_on(name):
    assert folder_of(changed(**{name: NO_RESULT[name]})) == folder_of(CONFIG)


def test_identity_depends_on_the_data_and_the_protocol(monkeypatch):
    before = folder_of(CONFIG)
    assert folder_of(CONFIG, "b" * 64) != before
    monkeypatch.setattr(identity, "PROTOCOL_VERSION", identity.PROTOCOL_VERSION + 1)
    assert folder_of(CONFIG) != before


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(SearchConfig)])
def test_identity_depends_on_search_settings_of_searches_alone(name, tmp_path):
    default = getattr(SearchConfig(), name)
    other = {"actors": 3, "time_limit": 5.0, "G1": 4, "patience": 9, "method_params": {"x": 1}}.get(
        name
    )
    if name == "init_from":
        write_policies(tmp_path, {"low": np.zeros(3, np.float32)})
        other = str(tmp_path)
    if other is None:
        other = f"{default}x" if isinstance(default, str) else default + 1
    differs = folder_of(searched(**{name: other})) != folder_of(CONFIG)
    assert differs == (name not in ("actors", "device", "save_policies"))
    # A sampler that does not search is not run again because a setting of the search differs.
    smote = dataclasses.replace(CONFIG, sampler=SMOTE)
    assert folder_of(dataclasses.replace(smote, search=SearchConfig(**{name: other}))) == folder_of(
        smote
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("none", set()),
        ("search", set()),
        ("resampler", {"resampling_seconds", "run_seconds", "memory_mb"}),
        ("method", {"run_seconds", "memory_mb"}),
    ],
)
def test_identity_depends_on_limits_by_kind(kind, expected):
    sampler = SamplerSettings("x", "somewhere.X", kind=kind)
    before = folder_of(changed(sampler=sampler))
    found = {
        f.name
        for f in dataclasses.fields(LimitSettings)
        if folder_of(changed(sampler=sampler, limits=LimitSettings(**{f.name: 7.0}))) != before
    }
    assert found == expected


def test_a_sampler_may_fix_settings_of_the_search():
    random = SamplerSettings("r", kind="search", params={"ablation": "random_search"})
    assert identity_of(changed(sampler=random))["search"]["ablation"] == "random_search"
    with pytest.raises(UserError, match=r"sampler\.params\.ablate .*did you mean ablation\?"):
        resolve_search(SamplerSettings("r", kind="search", params={"ablate": 1}), SearchConfig())


def test_folder_name_is_a_plain_file_name():
    wild = changed(clf=ClassifierSettings("a/b c" * 100, "x.Y", {}))
    name = folder_of(wild).name
    assert len(name) < 200 and "/" not in name and " " not in name
