"""A user's mistake: one sentence with the remedy, exit status 2, no traceback, nothing written."""

import errno
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autosmote.data import datasets, splits
from autosmote.run import main

GOOD = pd.DataFrame(
    {
        "size": np.arange(60) / 7,
        "kind": ["a", "b", "c"] * 20,
        "label": ["rare" if i % 6 == 0 else "common" for i in range(60)],
    }
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUTOSMOTE_DATA_DIR", raising=False)
    return tmp_path


def complaint(capsys, *arguments: str) -> str:
    """Run, and return the one sentence that says what is wrong."""
    before = sorted(Path().rglob("*"))
    assert main(arguments) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    (sentence,) = streams.err.splitlines()
    assert sentence.startswith("autosmote: ")
    assert sentence.rstrip(".)").count("Traceback") == 0
    assert sorted(Path().rglob("*")) == before, "something was written"
    return sentence


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        # Names: the valid ones are listed, a close one is suggested.
        (["dataset=mozilla5"], ["mozilla4", "toy", "did you mean mozilla4?"]),
        (["clf=SVM"], ["adaboost_samme_r, catboost, dt", "did you mean svm?"]),
        (["sampler=smotee"], ["borderlinesmote", "did you mean smote"]),
        (["search.Gs=3"], ["search.Gs", "G2, K"]),
        (["+search.iteration=1"], ["setting 'search.iteration'", "did you mean iterations?"]),
        (["++limits.run_second=1"], ["under 'limits' there are", "did you mean run_seconds?"]),
        (["+foo=3"], ["no setting 'foo'; at the top level there are dataset, clf"]),
        (["++clf.foo=3"], ["no setting 'clf.foo'; under 'clf' there are name, _target_, params."]),
        (["+dataset.shown_name=x"], ["no setting 'dataset.shown_name'"]),
        (["+limits={seconds:1}"], ["no setting 'limits.seconds'"]),
        (["metric=accuracy"], ["macro_f1, mcc"]),
        # The imbalance ratio.
        (["ir=large"], ["ir must be a number"]),
        (["ir=5"], ["below the data's own ratio of 12.86", "ir=null"]),
        (["ir=-1"], ["ir=-1", "positive"]),
        (["ir=nan"], ["ir=nan", "positive"]),
        (["ir=400"], ["too few", "smaller ir"]),
        # The search.
        (["search.K=0"], ["search.K", "at least 1", "0"]),
        (["search.G1=0"], ["search.G1", "at least 1"]),
        (["search.G2=-3"], ["search.G2", "at least 1", "-3"]),
        (["search.iterations=0"], ["search.iterations", "at least 1"]),
        (["search.lag=0"], ["search.lag", "at least 1"]),
        (["search.keep=0"], ["search.keep", "at least 1"]),
        (["search.actors=-1"], ["search.actors", "-1"]),
        (["search.actors=many"], ["search.actors", "many"]),
        (["search.time_limit=0"], ["search.time_limit", "above 0"]),
        (["search.device=gpu"], ["search.device", "auto, cpu, cuda"]),
        (["search.K=2.5"], ["search.K", "whole number"]),
        # Odd shapes.
        (["dataset=1.5"], ["no dataset '1.5'", "toy"]),
        (["clf=0"], ["no clf '0'", "knn"]),
        (["sampler=null"], ["no sampler 'null'"]),
        (["search=[1]"], ["no search '1'", "default"]),
        (["dataset=[toy,1]"], ["no dataset '1'", "toy"]),
        (["search=[{a:1}]"], ["no search '{a:1}'"]),
        (["=3"], ["'=3' names no setting", "key=value"]),
        # Lists of a group's options, which Hydra merges.
        (["clf=[dt,forest]"], ["mix the settings", "by -m clf=dt,forest."]),
        (["dataset=[toy, phoneme]"], ["mix the settings", "by -m dataset=toy, phoneme."]),
        (["+search=[default,paper]"], ["mix the settings", "by -m search=default,paper."]),
        (["-m", "sampler=[none,smote],tomeklinks"], ["-m sampler=none,smote,tomeklinks, or"]),
        (["-m", "sampler=none,[smote,all]"], ["mix the settings", "sampler=[...] alone"]),
        (["clf=dt,knn"], ["run all of them by -m."]),
        (["sampler=none,smote"], ["run all of them by -m, or put a list in brackets."]),
        # Jobs that there are none of.
        (["-m", "sampler=glob(zzz*)"], ["nothing to run", "glob(...)"]),
        (["-m", "seed=range(3,1)"], ["nothing to run", "range(...)"]),
        # Flags.
        (["--cfg", "xx"], ["invalid choice: 'xx' (choose from 'job'", "--hydra-help"]),
        (["--cfg"], ["--cfg/-c: expected one argument"]),
        (["--info", "xx"], ["invalid choice: 'xx'", "searchpath"]),
        (["--multirun=1"], ["--multirun/-m"]),
        (["--cfg", "job", "--package", "xx"], ["no setting 'xx' to show"]),
        (["--resolve"], ["--resolve", "--cfg job"]),
        (["--package", "clf"], ["--package", "--cfg job"]),
        (["-m", "--cfg", "job"], ["--multirun and --cfg exclude each other"]),
        (["--shell-completion"], ["settings cannot be read", "install"]),
        (["--experimental-rerun", "config.pickle"], ["no flag --experimental-rerun"]),
        (["sampler.params=${seed}"], ["sampler.params must hold settings by name, not 0"]),
        (["clf.params=${metric}"], ["clf.params must hold settings by name, not 'macro_f1'"]),
        (["+sampler.params.1=2"], ["sampler.params"]),
        (["+clf.params.a=" + "[" * 5000 + "]" * 5000], ["nested too deeply"]),
        (["seed=${seed}"], ["settings cannot be read"]),
        (["clf._target_=../../x"], ["'../../x' cannot be imported", "no import path"]),
        (["clf._target_=sklearn.tree"], ["no class"]),
        (["clf._target_=nowhere.X"], ["nowhere"]),
        (["clf._target_=sklearn.X"], ["sklearn.X"]),
        (["clf._target_=" + "x" * 5000], ["x…x", "no import path"]),
        (["search.method=../../x"], ["search.method=../../x", "hierarchical"]),
        (["search.method=nowhere.X"], ["search.method=nowhere.X"]),
        (["results_dir=" + "x" * 5000], ["results_dir=", "too long"]),
        (["results_dir=" + "x/" * 2000], ["results_dir=", "too long"]),
        (["search.init_from=" + "x" * 5000], ["search.init_from="]),
        # Numbers that are none.
        (["search.time_limit=inf"], ["search.time_limit", "finite number or null", "inf"]),
        (["+clf.params.ccp_alpha=nan"], ["clf.params.ccp_alpha", "finite", "nan"]),
        (["+sampler.params.learning_rate=inf"], ["sampler.params.learning_rate", "finite"]),
        (["search.learning_rate=nan"], ["search.learning_rate", "finite"]),
        (["limits.run_seconds=inf", "sampler=smote"], ["limits.run_seconds", "null"]),
        # Huge numbers, before any work.
        (["search.lag=1000000000"], ["search.lag", "at most 1000"]),
        (["search.G1=1000000000"], ["search.G1", "at most 10000"]),
        (["search.G2=1000000000"], ["search.G2", "at most 10000"]),
        (["search.buffer_low=1000000000"], ["search.buffer_low", "at most"]),
        (["search.folds=1000000000"], ["search.folds", "at most"]),
        (["search.folds=100", "search.reward=crossfit"], ["search.folds=100", "28 minority rows"]),
        (["search.iterations=1" + "0" * 30], ["search.iterations"]),
        # A classifier's parameters.
        (["+clf.params.max_depth=abc"], ["clf.params", "max_depth", "abc"]),
        (["clf=svm", "+clf.params.C=-1"], ["clf.params", "'C'", "-1"]),
        # Others.
        (["preprocess.fit_on=test"], ["fit_on", "train", "all"]),
        (["sampler=smote", "+sampler.params.k=3"], ["sampler.params", "k_neighbors"]),
        (["results_dir=/dev/null/results"], ["/dev/null/results", "results_dir="]),
        (["dataset=mozilla4", "data_dir=nowhere"], ["nowhere", "mozilla4.arff", "data_dir"]),
        (["dataset=file"], ["dataset.path", "dataset.target"]),
        (["dataset.path=x.csv"], ["dataset=file"]),
        (["dataset=file", "dataset.path=no.csv", "dataset.target=y"], ["no.csv"]),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else None,
)
def test_wrong_setting_is_one_sentence(here, capsys, arguments, parts):
    sentence = complaint(capsys, *arguments)
    for part in parts:
        assert part in sentence


@pytest.mark.parametrize("name", ["2024_05", "1e3", "null_", "true", "007"])
def test_folder_that_looks_like_a_number_keeps_its_name(here, name):
    assert main(["sampler=none", f"results_dir={name}"]) == 0
    assert [path.name for path in here.iterdir()] == [name]


def test_cuda_where_there_is_none(here, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA GPU")
    sentence = complaint(capsys, "search.device=cuda")
    assert "no CUDA GPU" in sentence and "device=auto" in sentence


@pytest.mark.parametrize(
    ("table", "target", "parts"),
    [
        (GOOD, "y", ["no column 'y'", "size, kind, label"]),
        (GOOD.assign(label="one"), "label", ["1 classes", "exactly two"]),
        (GOOD, "kind", ["3 classes", "exactly two"]),
        (GOOD.head(0), "label", ["no rows"]),
        (GOOD.assign(label=["rare", *["common"] * 59]), "label", ["too few"]),
    ],
    ids=["no target", "one class", "three classes", "no rows", "one minority row"],
)
def test_wrong_file_is_one_sentence(here, capsys, table, target, parts):
    table.to_csv("mine.csv", index=False)
    sentence = complaint(
        capsys, "dataset=file", "dataset.path=mine.csv", f"dataset.target={target}"
    )
    for part in parts:
        assert part in sentence


def test_text_in_a_numeric_column(here, capsys):
    Path("mine.arff").write_text(
        "@relation r\n@attribute size numeric\n@attribute label {a,b}\n@data\n"
        + "1.5,a\n" * 20
        + "large,b\n" * 8
    )
    sentence = complaint(capsys, "dataset=file", "dataset.path=mine.arff", "dataset.target=label")
    assert "size" in sentence and "large" in sentence


def test_empty_and_constant_columns_work(here):
    GOOD.assign(empty=np.nan, constant=4.0).to_csv("mine.csv", index=False)
    arguments = ["dataset=file", "dataset.path=mine.csv", "dataset.target=label"]
    assert main([*arguments, "sampler=none"]) == 0


def test_openml_out_of_reach(here, capsys, monkeypatch):
    import openml

    monkeypatch.setattr(openml.config, "server", "http://127.0.0.1:9/api/v1/xml")
    monkeypatch.setattr(openml.config, "_root_cache_directory", here.parent / "openml-cache")
    sentence = complaint(capsys, "dataset=phoneme", "sampler=none")
    for remedy in ("data_dir", "AUTOSMOTE_DATA_DIR", "OPENML_CACHE_DIR", "dataset=toy"):
        assert remedy in sentence


def test_from_a_shell(here):
    done = subprocess.run(
        [sys.executable, "-m", "autosmote.run", "clf=SVM"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(("module", "name"), [(datasets, "load_dataset"), (splits, "make_split")])
def test_disk_that_fails_as_data_are_read(here, capsys, monkeypatch, module, name):
    def fail(*_, **__):
        raise OSError(errno.EIO, "Input/output error", "/some/where/data.csv")

    monkeypatch.setattr(module, name, fail)
    sentence = complaint(capsys, "sampler=none")
    assert "data of dataset=toy cannot be read (Input/output error); check" in sentence
