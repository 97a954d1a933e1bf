"""Names by identity, files whole or absent, nothing private inside."""

import dataclasses
import gzip
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from run_configs import CONFIG, FINGERPRINT, SMOTE, changed

from autosmote.config.schema import (
    ClassifierSettings,
    Config,
    DatasetSettings,
    LimitSettings,
    PreprocessSettings,
    SamplerSettings,
    search_settings,
)
from autosmote.config.search import SearchConfig
from autosmote.errors import UserError
from autosmote.records import record as records


def folder(config: Config = CONFIG, fingerprint: str = FINGERPRINT) -> Path:
    return records.run_folder("results", records.identity(config, fingerprint))


def searched(**settings) -> Config:
    return changed(search=SearchConfig(**settings))


def test_the_folder_s_name_is_readable_and_fixed():
    name = folder().name
    assert name.startswith("mozilla4-ir50-svm-autosmote-macro_f1-seed0-")
    # A setting that is added must not make all searches of before look as if they were missing.
    assert name.rpartition("-")[2] == "b68d946e707f"
    assert folder().parent == Path("results/runs")
    own = changed(ir=None, dataset=DatasetSettings("toy"))
    assert folder(own).name.startswith("toy-irown-svm-")


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
}


def test_every_setting_is_on_a_list():
    settings = {f.name for f in dataclasses.fields(Config)} - {"search", "limits"}
    assert settings == set(RESULT) | set(NO_RESULT)


@pytest.mark.parametrize("name", RESULT)
def test_identity_depends_on(name):
    assert folder(changed(**{name: RESULT[name]})) != folder()


@pytest.mark.parametrize("name", NO_RESULT)
def test_identity_does_not_depend_on(name):
    assert folder(changed(**{name: NO_RESULT[name]})) == folder()


def test_identity_depends_on_the_data_and_the_protocol(monkeypatch):
    before = folder()
    assert folder(fingerprint="b" * 64) != before
    monkeypatch.setattr(records, "PROTOCOL_VERSION", records.PROTOCOL_VERSION + 1)
    assert folder() != before


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(SearchConfig)])
def test_identity_and_the_search_s_settings(name, tmp_path):
    default = getattr(SearchConfig(), name)
    other = {"actors": 3, "time_limit": 5.0, "G1": 4, "patience": 9}.get(name)
    if name == "init_from":
        records.write_policies(tmp_path, {"low": np.zeros(3, np.float32)})
        other = str(tmp_path)
    if other is None:
        other = f"{default}x" if isinstance(default, str) else default + 1
    differs = folder(searched(**{name: other})) != folder()
    assert differs == (name not in ("actors", "device", "save_policies"))
    # A sampler that does not search is not run again because a setting of the search differs.
    smote = dataclasses.replace(CONFIG, sampler=SMOTE)
    assert folder(dataclasses.replace(smote, search=SearchConfig(**{name: other}))) == folder(smote)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("none", set()),
        ("search", set()),
        ("resampler", {"resampling_seconds", "run_seconds", "memory_mb"}),
        ("method", {"run_seconds", "memory_mb"}),
    ],
)
def test_identity_and_the_limits(kind, expected):
    sampler = SamplerSettings("x", "somewhere.X", kind=kind)
    before = folder(changed(sampler=sampler))
    found = {
        f.name
        for f in dataclasses.fields(LimitSettings)
        if folder(changed(sampler=sampler, limits=LimitSettings(**{f.name: 7.0}))) != before
    }
    assert found == expected


def test_a_sampler_may_fix_settings_of_the_search():
    random = SamplerSettings("r", kind="search", params={"ablation": "random_search"})
    identity = records.identity(changed(sampler=random), FINGERPRINT)
    assert identity["search"]["ablation"] == "random_search"
    with pytest.raises(UserError, match=r"sampler\.params\.ablate .*did you mean ablation\?"):
        search_settings(SamplerSettings("r", kind="search", params={"ablate": 1}), SearchConfig())


def test_a_name_is_a_plain_file_name():
    wild = changed(clf=ClassifierSettings("a/b c" * 100, "x.Y", {}))
    name = folder(wild).name
    assert len(name) < 200 and "/" not in name and " " not in name


def test_files_are_whole_or_absent(tmp_path):
    path = tmp_path / "sub" / "record.json"
    records.write_file(path, lambda temporary: temporary.write_text("first"))

    def break_off(temporary):
        temporary.write_text("half of the sec")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        records.write_file(path, break_off)
    assert path.read_text() == "first"
    assert [p.name for p in path.parent.iterdir()] == ["record.json"]


def test_a_record_that_is_not_whole_is_none(tmp_path):
    assert records.read_record(tmp_path) is None
    (tmp_path / "record.json").write_text('{"status": "o')
    assert records.read_record(tmp_path) is None
    records.write_json(tmp_path, "record.json", {"x": np.float64(0.5), "y": np.arange(2)})
    assert records.read_record(tmp_path) == {"x": 0.5, "y": [0, 1]}


def test_no_number_that_json_does_not_know(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        records.write_json(tmp_path, "record.json", {"x": float("nan")})
    with pytest.raises(TypeError, match="cannot be written"):
        records.write_json(tmp_path, "record.json", {"x": object()})
    assert list(tmp_path.iterdir()) == []


def test_history(tmp_path):
    history = {
        "iteration": np.arange(1, 4),
        "reward": np.array([0.1, 1 / 3, 0.2]),
        "best": np.array([0.1, 1 / 3, 1 / 3]),
        "n_synthetic": np.array([5, 0, 7]),
        "seconds": np.array([0.5, 1.0, 1.5]),
    }
    records.write_history(tmp_path, history)
    frame = pd.read_csv(tmp_path / "history.csv", float_precision="round_trip")
    assert list(frame) == ["iteration", "reward", "best", "n_synthetic", "seconds"]
    for name, column in history.items():
        assert np.array_equal(frame[name], column)


def test_training_part(tmp_path):
    X, y = np.random.default_rng(0).normal(size=(5, 2)), np.array([0, 1, 0, 0, 1], np.int8)
    records.write_training_part(tmp_path, X, y, ("label", "x=a,b"))
    path = tmp_path / "train_resampled.csv.gz"
    frame = pd.read_csv(path, float_precision="round_trip")
    assert list(frame) == ["label", "x=a,b", "label_"]
    assert np.array_equal(frame.to_numpy()[:, :2], X) and np.array_equal(frame["label_"], y)
    first = path.read_bytes()
    records.write_training_part(tmp_path, X, y, ("label", "x=a,b"))
    assert path.read_bytes() == first
    with gzip.open(path, "rt") as stream:
        assert stream.readline() == 'label,"x=a,b",label_\n'


def test_a_record_names_no_folder_user_or_host():
    config = changed(
        results_dir="/home/someone/results",
        data_dir="/home/someone/data",
        dataset=DatasetSettings("file", None, "/home/someone/secret/my.csv", "label"),
    )
    record = records.make_record(
        config,
        records.identity(config, FINGERPRINT),
        status="failed",
        data_source="my.csv",
        error="ValueError",
    )
    text = json.dumps(record)
    for private in ("someone", "/home", os.getcwd(), os.path.expanduser("~") + "/"):
        assert private not in text
    assert record["config"]["dataset"]["path"] == "my.csv"
    assert not set(record["config"]) & {"results_dir", "data_dir"}
    assert record["versions"]["scikit-learn"] and record["versions"]["torch"]


def test_versions_name_the_package_of_a_target():
    config = changed(clf=ClassifierSettings("mine", "hypothesis.Thing", {}))
    assert "hypothesis" in records.versions(config)
    wrapped = SamplerSettings("mine", "somewhere.X", params={"sampler": "hypothesis.Thing"})
    assert "hypothesis" in records.versions(changed(sampler=wrapped))


def test_git_revision():
    root = Path(records.__file__).parents[2]
    git = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True
    )
    expected = git.stdout.strip() if git.returncode == 0 else None
    records.git_revision.cache_clear()  # a commit may have been made while the tests ran
    found = records.git_revision()
    assert (found and found.removesuffix("-dirty")) == expected


def test_writable_is_tried_and_leaves_nothing(tmp_path):
    records.check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UserError, match="results_dir="):
        records.check_writable(file / "below")
    with pytest.raises(UserError, match="results_dir="):
        records.check_writable(file)
