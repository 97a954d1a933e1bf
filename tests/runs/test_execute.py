"""Units that are done in this process: what is repeated, and which files they write."""

import dataclasses
import errno
import itertools
import json
import os
import signal

import pandas as pd
import pytest
from estimators import ODD_ERRORS
from record_names import NAMES
from unit_configs import AUTOSMOTE, CLASS_AWARE_RANDOM, RANDOM_EPISODES, SEEDS, rival

from autosmote.config.commandline import signals_as_interrupts
from autosmote.config.schema import ClassifierSettings, SamplerSettings
from autosmote.config.search import SearchConfig
from autosmote.errors import UserError
from autosmote.evaluation import searched
from autosmote.metrics import METRICS
from autosmote.records import files
from autosmote.records.files import read_record
from autosmote.records.record import SCHEMA_VERSION
from autosmote.runs import in_process
from autosmote.runs.execute import execute, record_failure
from autosmote.runs.unit import Data, missing, plan
from autosmote.sampler import selection


def do(configs, **settings):
    """Plan and run what is missing; return the records of what was run."""
    data = Data()
    made = []
    for unit in plan(configs, data):
        to_do = missing(unit)
        execute(unit, data, **{"in_child": False, "mistakes_fail": False, **settings})
        made += [read_record(run.folder) for run in to_do]
    return made


def without_machine(record):
    """A record without what differs from run to run, and without what names the run."""
    return {
        key: value
        for key, value in record.items()
        if key not in ("seconds", "peak_memory_mb", "warnings")
    }


def test_unit_resamples_once_and_writes_a_record_per_run(make, tmp_path):
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
        assert record["schema_version"] == SCHEMA_VERSION
        assert set(record["scores"]) == {"validation", "test", "extended"}
        assert set(record["seconds"]) == {"total", "generate", "score", "learn"}
        assert record["seconds"]["generate"] > 0 and record["peak_memory_mb"] > 0
        assert record["grid"][0] == {"ratio": 0.1, "status": "ok"} | {
            key: record["grid"][0][key] for key in ("score", "error")
        }
        (alone,) = do([make(sampler, record["clf"], record["metric"], force=True)])
        alone["config"]["force"] = False
        assert without_machine(alone) == without_machine(record)


@pytest.mark.parametrize("actors", [0, 2])
@pytest.mark.parametrize("sampler", [RANDOM_EPISODES, CLASS_AWARE_RANDOM])
def test_metrics_that_share_a_search_have_the_files_that_each_has_alone(make, sampler, actors):
    search = SearchConfig(iterations=8, reward="crossfit", folds=3, actors=actors, keep=3)
    configs = [
        make(sampler, "svm", metric, search=dataclasses.replace(search, final=final))
        for final in ("best", "diverse_vote")
        for metric in ("macro_f1", "mcc")
    ]
    (unit,) = plan(configs, Data())
    together = do(configs)

    def samples(run):
        return {path.name: path.read_bytes() for path in run.folder.glob("*.npz")}

    def rewards(run):
        return pd.read_csv(run.folder / "history.csv").drop(columns="seconds")

    of_unit = [(samples(run), rewards(run)) for run in unit]
    assert not of_unit[0][1].equals(of_unit[1][1])  # the metrics differ, else nothing is seen
    for config, run, record, (its_samples, its_rewards) in zip(
        configs, unit, together, of_unit, strict=True
    ):
        (alone,) = do([dataclasses.replace(config, force=True)])
        alone["config"]["force"] = False
        assert without_machine(alone) == without_machine(record)
        assert samples(run) == its_samples
        assert rewards(run).equals(its_rewards)


def test_execute_does_missing_runs_only(make, tmp_path):
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


def test_execute_removes_leftovers_of_a_killed_process(make):
    (run,) = plan([make(SamplerSettings("none", kind="none"))], Data())[0]
    leftover = run.folder / f".{'0' * 32}-record.json"
    leftover.parent.mkdir(parents=True)
    leftover.write_text("{")
    do([run.config])
    assert [path.name for path in run.folder.iterdir()] == ["record.json"]


def test_failed_run_is_repeated_by_retry_and_force(make):
    sampler = rival("AtSomeRatios", takes_ratio=False, deed="kill")
    (record,) = do([make(sampler)])
    assert (record["status"], record["imputed"]) == ("crashed", True)
    assert record["error"] == "its process ended by signal SIGKILL"
    assert record["scores"] == record["reference"]
    assert do([make(sampler)]) == []
    assert len(do([make(sampler, retry="failed")])) == 1
    assert len(do([make(sampler, force=True)])) == 1


@pytest.mark.parametrize("again", [{"retry": "failed"}, {"force": True}])
def test_run_that_two_sweeps_repeat_is_repeated_once(make, again):
    sampler = rival("AtSomeRatios", takes_ratio=False, deed="kill")
    do([make(sampler)])
    first, second = (plan([make(sampler, **again)], Data())[0] for _ in range(2))
    assert execute(first, Data(), in_child=False).statuses == ("crashed",)
    assert execute(second, Data(), in_child=False).statuses == ()
    assert first[0].record()["imputed"]
    assert record_failure(second, "crashed", "its process ended").statuses == ()


def test_failing_classifier_leaves_the_others_of_its_unit(make, capsys):
    broken, fine = do([make(rival(), "broken"), make(rival(), "dt")])
    assert (broken["status"], broken["scores"], broken["imputed"]) == ("failed", None, False)
    assert "C" in broken["error"]
    assert (fine["status"], fine["imputed"]) == ("ok", False)
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("fault", ODD_ERRORS)
def test_whatever_a_classifier_raises_has_a_record(make, fault):
    odd = ClassifierSettings("odd", "estimators.Faulty", {"fault": fault})
    (record,) = do([dataclasses.replace(make(rival()), clf=odd)])
    assert record["status"] == "failed" and record["error"].startswith(f"{fault}: ")


def test_error_of_the_work_is_no_error_of_writing(make, monkeypatch):
    def refuse():
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(in_process.ForkServer, "of_this_process", refuse)
    (record,) = do([make(rival())])
    assert record["status"] == "failed" and "BlockingIOError" in record["error"]


def test_mistake_writes_nothing_unless_mistakes_fail(make, tmp_path):
    with pytest.raises(UserError, match="needful") as caught:
        do([make(rival("Needy"))])
    assert caught.value.__cause__ is None  # it was its own, which is a trap for whoever looks
    assert not (tmp_path / "results").exists()
    (record,) = do([make(rival("Needy"))], mistakes_fail=True)
    assert (record["status"], record["imputed"]) == ("failed", True)


def test_failed_search_is_imputed(make, capsys):
    search = SearchConfig(iterations=9, G1=2, G2=2, actors=0)
    faulty = ClassifierSettings("faulty", "estimators.Faulty", {"n_train": 291, "fault": "raise"})
    (record,) = do([dataclasses.replace(make(AUTOSMOTE), clf=faulty, search=search, seed=1)])
    assert (record["status"], record["imputed"]) == ("failed", True)
    assert "does not like synthetic rows" in record["error"]
    assert record["scores"] == record["reference"] is not None
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sampler", "n_train"), [(rival(), 0), (rival(), 291), (AUTOSMOTE, 291), (SEEDS, 291)]
)
def test_interrupt_raised_as_another_error_interrupts(make, tmp_path, sampler, n_train):
    search = SearchConfig(iterations=9, G1=2, G2=2, actors=0)
    faulty = ClassifierSettings(
        "faulty", "estimators.Faulty", {"n_train": n_train, "fault": "interrupt"}
    )
    with pytest.raises(KeyboardInterrupt):
        do([dataclasses.replace(make(sampler), clf=faulty, search=search, seed=1)])
    assert [path.name for path in tmp_path.glob("results/runs/*/*")] == ["partial.json"]


def test_saved_data_with_new_features_have_new_names(make, tmp_path):
    do([make(rival("Projecting", takes_ratio=False), save_data=True)])
    (path,) = tmp_path.glob("results/runs/*/train_resampled.csv.gz")
    assert list(pd.read_csv(path)) == ["feature_0", "feature_1", "label"]


def test_interrupted_unit_writes_partial_json_per_run(make, tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    configs = [make(rival(), clf) for clf in ("dt", "svm")]
    with monkeypatch.context() as patched:
        patched.setattr(in_process, "evaluate", interrupt)
        with pytest.raises(KeyboardInterrupt):
            do(configs)
    paths = list(tmp_path.glob("results/runs/*/*"))
    assert [path.name for path in paths] == ["partial.json"] * 2
    assert {json.loads(path.read_text())["status"] for path in paths} == {"interrupted"}
    assert len(do(configs)) == 2
    assert not list(tmp_path.glob("results/runs/*/partial.json"))


def signalled(function):
    def call(*arguments, **settings):
        signal.raise_signal(signal.SIGTERM)
        return function(*arguments, **settings)

    return call


def interrupted(make):
    """The folder of a search that SIGTERM ends."""
    search = SearchConfig(iterations=5, G1=2, G2=2, actors=0)
    with pytest.raises(KeyboardInterrupt), signals_as_interrupts():
        do([config := dataclasses.replace(make(AUTOSMOTE), search=search)])
    ((run,),) = plan([config], Data())
    return run.folder


@pytest.mark.parametrize("step", ["select_final", "both_metrics"])
def test_interrupt_after_the_search_leaves_what_it_found(make, monkeypatch, step):
    module = {"select_final": selection, "both_metrics": searched}[step]
    monkeypatch.setattr(module, step, signalled(getattr(module, step)))
    folder = interrupted(make)
    partial = json.loads((folder / "partial.json").read_text())
    assert (partial["status"], partial["iterations"]) == ("interrupted", 5)
    assert len(pd.read_csv(folder / "history.csv")) == 5


def test_interrupt_while_a_record_is_written_waits_for_it(make, monkeypatch):
    monkeypatch.setattr(files, "write_history", signalled(files.write_history))
    folder = interrupted(make)
    assert read_record(folder)["status"] == "ok" and not (folder / "partial.json").exists()


def test_interrupted_unit_writes_each_run_its_own_metric_s_search(make, monkeypatch):
    scores = {}

    def interrupt(iteration, reward, best):
        if iteration == 4:
            raise KeyboardInterrupt

    evaluate = in_process.evaluate
    monkeypatch.setattr(
        in_process, "evaluate", lambda *a, **k: evaluate(*a, **{**k, "on_iteration": interrupt})
    )
    search = SearchConfig(iterations=9, actors=0)
    (unit,) = plan([make(SEEDS, metric=metric, search=search) for metric in METRICS], Data())
    with pytest.raises(KeyboardInterrupt):
        execute(unit, Data(), in_child=False)
    for run in unit:
        history = pd.read_csv(run.folder / "history.csv")
        partial = json.loads((run.folder / "partial.json").read_text())
        assert partial["search"]["best_score"] == pytest.approx(history["reward"].max())
        scores[run.config.metric] = history["reward"].tolist()
    assert scores["macro_f1"] != scores["mcc"] and len(scores["mcc"]) == 4
    # What ended it is on record, and then nothing says that it is to be done.
    record_failure(unit, "timeout", "it took longer than unit_seconds=1 allows")
    assert not any((run.folder / "partial.json").exists() for run in unit)


def test_unit_whose_data_cannot_be_read_has_no_record_and_is_done_later(make, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.EIO, "Input/output error", "/some/where/data.csv")

    (unit,) = plan([make(SamplerSettings("none", kind="none"))], Data())
    data = Data()
    with monkeypatch.context() as patched:
        patched.setattr("autosmote.data.splits.make_split", fail)
        outcome = execute(unit, data, in_child=False)
        assert outcome.state == "unreadable"
        assert "data of dataset=toy cannot be read (Input/output error)" in outcome.error
        with pytest.raises(UserError, match="cannot be read"):
            execute(unit, data, in_child=False, mistakes_fail=False)
    assert missing(unit) == unit
    assert execute(unit, data, in_child=False).statuses == ("ok",)


def test_error_of_a_sandboxed_sampler_names_no_folder(make, tmp_path):
    (record,) = do([make(rival("FailingInFit"))])
    text = json.dumps(record)
    assert "nothing works in data.csv" in text
    assert os.getcwd() not in text and str(tmp_path) not in text
