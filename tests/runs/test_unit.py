"""Units of work: what is shared, what is done before, and what is left behind."""

import dataclasses
import itertools
import json
import os

import numpy as np
import pandas as pd
import pytest
from test_run import NAMES

from autosmote.config.schema import (
    ClassifierSettings,
    Config,
    DatasetSettings,
    LimitSettings,
    SamplerSettings,
)
from autosmote.config.search import SearchConfig
from autosmote.errors import UserError
from autosmote.records import record as records
from autosmote.runs import unit as units
from autosmote.runs.unit import Data, missing, plan, run_unit

CLASSIFIERS = {
    "dt": ClassifierSettings("dt", "sklearn.tree.DecisionTreeClassifier", {"random_state": 0}),
    "svm": ClassifierSettings("svm", "sklearn.svm.LinearSVC", {"random_state": 0}),
    "broken": ClassifierSettings("broken", "sklearn.svm.LinearSVC", {"C": -1}),
}
AUTOSMOTE = SamplerSettings("autosmote", kind="search")
SEEDS = SamplerSettings("seeds", "rivals.Jittering", True, {}, "resamplings")


def rival(name="Jittering", kind="resampler", takes_ratio=True, **params) -> SamplerSettings:
    return SamplerSettings(name.lower(), f"rivals.{name}", takes_ratio, params, kind)


@pytest.fixture
def make(tmp_path):
    """A function that makes configurations on the toy data."""

    def config(sampler, clf="dt", metric="macro_f1", **settings) -> Config:
        return Config(
            dataset=DatasetSettings("toy"),
            clf=CLASSIFIERS[clf],
            sampler=sampler,
            search=SearchConfig(iterations=3, G1=2, G2=2, actors=0, device="cpu"),
            results_dir=str(tmp_path / "results"),
            **{"ir": None, "metric": metric, **settings},
        )

    return config


def do(configs, **settings):
    """Plan and run what is missing; returns the records of what was run."""
    data = Data()
    made = []
    for unit in plan(configs, data):
        if runs := missing(unit):
            made += run_unit(runs, data.split(runs[0].config), **settings)
    return made


def without_machine(record):
    """A record without what differs from run to run, and without what names the run."""
    return {
        key: value
        for key, value in record.items()
        if key not in ("seconds", "peak_memory_mb", "warnings")
    }


def test_what_is_shared_is_one_unit(make):
    pairs = list(itertools.product(("dt", "svm"), ("macro_f1", "mcc")))
    samplers = [SamplerSettings("none", kind="none"), rival(), rival("Threshold", "method")]
    configs = [
        make(sampler, clf, metric, seed=seed)
        for sampler in [*samplers, AUTOSMOTE]
        for clf, metric in pairs
        for seed in (0, 1)
    ]
    found = plan([*configs, *configs], Data())
    sizes = [(unit[0].config.sampler.name, unit[0].config.seed, len(unit)) for unit in found]
    shared = [(name, seed, 4) for name in ("none", "jittering") for seed in (0, 1)]
    alone = [(name, seed, 1) for name in ("threshold", "autosmote") for seed in (0, 1) * 4]
    assert sorted(sizes) == sorted(shared + alone)
    assert [sizes[0][0], sizes[-1][0]] == ["none", "autosmote"]


@pytest.mark.parametrize(
    "difference",
    [
        {"limits": LimitSettings(resampling_seconds=5)},
        {"ir": 20.0},
        {"sampler": rival(more=1)},
        {"results_dir": "elsewhere"},
    ],
    ids=lambda value: next(iter(value)),
)
def test_what_differs_is_not_shared(make, difference):
    config = make(rival())
    assert len(plan([config, dataclasses.replace(config, **difference)], Data())) == 2


def test_a_unit_resamples_once_and_leaves_a_record_per_run(make, tmp_path):
    log = tmp_path / "log"
    sampler = rival(log=str(log))
    pairs = list(itertools.product(("dt", "svm"), ("macro_f1", "mcc")))
    made = do([make(sampler, *pair) for pair in pairs])
    assert log.read_text().count("fit") == 1
    assert log.read_text().count("resample") == 10
    assert [(record["clf"], record["metric"]) for record in made] == pairs
    paths = list(tmp_path.glob("results/runs/*/record.json"))
    written = [json.loads(path.read_text()) for path in paths]
    assert sorted(map(json.dumps, written)) == sorted(json.dumps(record) for record in made)
    for record in made:
        assert set(record) >= NAMES
        assert record["schema_version"] == records.SCHEMA_VERSION
        assert set(record["scores"]) == {"validation", "test"}
        assert set(record["seconds"]) == {"total", "generate", "score", "learn"}
        assert record["seconds"]["generate"] > 0 and record["peak_memory_mb"] > 0
        assert record["grid"][0] == {"ratio": 0.1, "status": "ok"} | {
            key: record["grid"][0][key] for key in ("score", "error")
        }
        (alone,) = do([make(sampler, record["clf"], record["metric"], force=True)])
        alone["config"]["force"] = False
        assert without_machine(alone) == without_machine(record)


def test_only_what_is_missing_is_run(make, tmp_path):
    log = tmp_path / "log"
    sampler = rival(log=str(log))
    configs = [make(sampler, clf, metric) for clf in ("dt", "svm") for metric in ("mcc",)]
    assert len(do(configs)) == 2
    assert do(configs) == []
    kept, lost = (run.folder / "record.json" for run in plan(configs, Data())[0])
    before = kept.stat().st_mtime_ns
    lost.unlink()
    assert [record["clf"] for record in do(configs)] == ["svm"]
    assert kept.stat().st_mtime_ns == before and lost.exists()
    assert log.read_text().count("fit") == 2


def test_failures_are_repeated_on_request(make):
    sampler = rival("AtSomeRatios", takes_ratio=False, deed="kill")
    (record,) = do([make(sampler)])
    assert (record["status"], record["imputed"]) == ("crashed", True)
    assert record["error"] == "its process ended by signal SIGKILL"
    assert record["scores"] == record["reference"]
    assert do([make(sampler)]) == []
    assert len(do([make(sampler, retry="failed")])) == 1
    assert len(do([make(sampler, force=True)])) == 1


def test_a_classifier_that_cannot_be_trained_leaves_the_others(make, capsys):
    broken, fine = do([make(rival(), "broken"), make(rival(), "dt")])
    assert (broken["status"], broken["scores"], broken["imputed"]) == ("failed", None, False)
    assert "C" in broken["error"]
    assert (fine["status"], fine["imputed"]) == ("ok", False)
    assert "Traceback" in capsys.readouterr().err


def test_a_mistake_leaves_nothing_unless_it_is_a_failure(make, tmp_path):
    with pytest.raises(UserError, match="needful") as caught:
        do([make(rival("Needy"))])
    assert caught.value.__cause__ is None  # it was its own, which is a trap for whoever looks
    assert not (tmp_path / "results").exists()
    (record,) = do([make(rival("Needy"))], mistakes_fail=True)
    assert (record["status"], record["imputed"]) == ("failed", True)


def test_a_search_that_fails_is_imputed(make, capsys):
    search = SearchConfig(iterations=3, G1=2, G2=2, actors=0)
    faulty = ClassifierSettings("faulty", "estimators.Faulty", {"n_train": 291, "fault": "raise"})
    (record,) = do([dataclasses.replace(make(AUTOSMOTE), clf=faulty, search=search)])
    assert (record["status"], record["imputed"]) == ("failed", True)
    assert "does not like synthetic rows" in record["error"]
    assert record["scores"] == record["reference"] is not None
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sampler", "n_train"), [(rival(), 0), (rival(), 291), (AUTOSMOTE, 291), (SEEDS, 291)]
)
def test_an_interruption_that_comes_as_another_error_is_none(make, tmp_path, sampler, n_train):
    search = SearchConfig(iterations=3, G1=2, G2=2, actors=0)
    faulty = ClassifierSettings(
        "faulty", "estimators.Faulty", {"n_train": n_train, "fault": "interrupt"}
    )
    with pytest.raises(KeyboardInterrupt):
        do([dataclasses.replace(make(sampler), clf=faulty, search=search)])
    assert [path.name for path in tmp_path.glob("results/runs/*/*")] == ["partial.json"]


def test_changed_features_are_kept_under_other_names(make, tmp_path):
    do([make(rival("Projecting", takes_ratio=False), save_data=True)])
    (path,) = tmp_path.glob("results/runs/*/train_resampled.csv.gz")
    assert list(pd.read_csv(path)) == ["feature_0", "feature_1", "label"]


def test_an_interruption_leaves_a_part_of_each(make, tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    configs = [make(rival(), clf) for clf in ("dt", "svm")]
    with monkeypatch.context() as patched:
        patched.setattr(units, "evaluate", interrupt)
        with pytest.raises(KeyboardInterrupt):
            do(configs)
    paths = list(tmp_path.glob("results/runs/*/*"))
    assert [path.name for path in paths] == ["partial.json"] * 2
    assert {json.loads(path.read_text())["status"] for path in paths} == {"interrupted"}
    assert len(do(configs)) == 2
    assert not list(tmp_path.glob("results/runs/*/partial.json"))


def test_the_sampler_s_process_names_nobody(make, tmp_path):
    (record,) = do([make(rival("FailingInFit"))])
    text = json.dumps(record)
    assert "nothing works in data.csv" in text
    assert os.getcwd() not in text and str(tmp_path) not in text


def test_data_are_made_once(make, monkeypatch):
    data = Data()
    config = make(rival())
    other = dataclasses.replace(config, seed=1)
    assert data.dataset(config) is data.dataset(other)
    assert data.split(config) is data.split(make(AUTOSMOTE, "svm"))
    assert not np.array_equal(data.split(config).X_train, data.split(other).X_train)
