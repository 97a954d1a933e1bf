"""The same runs by Hydra's launchers and by the sweep's: the same records."""

import errno
import importlib.util
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from composing import compose_sweep
from waiting import wait_for_end, wait_until

from autosmote.errors import UserError
from autosmote.isolation import sandbox
from autosmote.isolation.processes import descendants
from autosmote.records import collected
from autosmote.records.files import read_record, record_stamp
from autosmote.run import main as run_main
from autosmote.sweep import ray_tasks
from autosmote.sweep.command import sweep

FEW = ("search.iterations=3", "search.device=cpu")
SWEEP = (*FEW, "search.G1=1,2", "search.G2=2", "search.K=3,5")
linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs Ray")


def scores(folder):
    found = {}
    for path in Path(folder).glob("runs/*/record.json"):
        record = read_record(path.parent)
        found[path.parent.name] = (record["status"], record["scores"], record["n_synthetic"])
    return found


def run(*overrides, folder, env=None):
    return subprocess.run(
        [sys.executable, "-m", "autosmote.run", *overrides, f"results_dir={folder}"],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
    )


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    """Four single runs over G1 and K."""
    folder = tmp_path_factory.mktemp("single")
    for G1, K in ((1, 3), (1, 5), (2, 3), (2, 5)):
        sizes = [f"search.G1={G1}", "search.G2=2", f"search.K={K}"]
        assert run_main([*FEW, *sizes, "search.actors=0", f"results_dir={folder}"]) == 0
    return scores(folder)


def test_multirun_equals_single_runs(single, tmp_path):
    assert run_main(["-m", *SWEEP, "search.actors=0", f"results_dir={tmp_path}"]) == 0
    assert scores(tmp_path) == single and len(single) == 4


def test_joblib_with_actor_processes_survives_crashes(single, tmp_path):
    done = run(
        *("-m", *FEW, "search.G1=1", "search.G2=2", "search.K=3,5", "search.actors=2"),
        *("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
        "clf._target_=sklearn.tree.DecisionTreeClassifier,estimators.Killing",
        folder=tmp_path,
        env={"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])},
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    found = scores(tmp_path)
    ok = {key: record for key, record in found.items() if record[0] == "ok"}
    assert len(ok) == 2 and ok == {key: single[key] for key in ok}
    assert [record[0] for key, record in found.items() if key not in ok] == ["crashed"] * 2


@pytest.mark.slow
def test_hydra_submitit_launcher_equals_single_runs(single, tmp_path):
    done = run("-m", *SWEEP, "hydra/launcher=submitit_local", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert scores(tmp_path) == single
    assert not list(tmp_path.glob(".autosmote-*"))


@linux
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_ended_multirun_of_submitit_leaves_no_local_job(tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "-m", "autosmote.run", "-m", "hydra/launcher=submitit_local", "seed=0,1"]
        + ["search.iterations=1000000", f"results_dir={tmp_path}"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    wait_until((tmp_path / ".claims").exists)
    below = descendants(process.pid)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else 128 + number)
    assert said.endswith("autosmote: interrupted\n") and "Traceback" not in said
    assert len(below) >= 4
    wait_for_end(below)


@linux
@pytest.mark.slow
def test_killed_multirun_of_joblib_leaves_no_process(tmp_path):
    """Its processes would do their jobs to the end and wait five minutes for more."""
    process = subprocess.Popen(
        [sys.executable, "-m", "autosmote.run", "-m", "hydra/launcher=joblib", "seed=0,1"]
        + ["hydra.launcher.n_jobs=2", "search.iterations=1000000", f"results_dir={tmp_path}"],
        stderr=subprocess.DEVNULL,
    )
    wait_until((tmp_path / ".claims").exists)
    below = descendants(process.pid)
    process.kill()
    process.wait()
    assert len(below) >= 4
    wait_for_end(below)


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    """Settings of a sweep of twelve runs, and its records by the local pool."""
    config = compose_sweep(
        *("experiment=table2", "budget=smoke", "samplers=[none,smote,autosmote]", "clfs=[dt]"),
        *("search.iterations=3", "reports=false", "workers=2"),
    )
    folder = tmp_path_factory.mktemp("local")
    assert sweep(replace(config, results_dir=str(folder))) == 0
    return config, collected.read_records(folder / "table2")


def assert_equal(folder, expected):
    found = collected.read_records(Path(folder) / "table2")
    assert len(found) == 12
    same = [name for name in found if name not in ("git_revision", "versions")]
    assert found[same].equals(expected[same])


def test_submitit_jobs_equal_local_pool(twelve, tmp_path):
    config, expected = twelve
    jobs = {"cluster": "local", "timeout_min": 10}
    settings = {"results_dir": str(tmp_path), "workers": 1, "submitit": jobs}
    assert sweep(replace(config, launcher="submitit", **settings)) == 0
    assert_equal(tmp_path, expected)


class EndedJob:
    """A job that has ended, as submitit tells of it."""

    def __init__(self, error=None, result=None):
        self.error, self._result = error, result

    def done(self):
        return True

    def exception(self):
        return self.error

    def result(self):
        return self._result


@pytest.fixture
def jobs_are(monkeypatch):
    """A function that puts one of its own in the place of submitit's arrays of jobs."""

    def replace_jobs(map_array):
        monkeypatch.setattr("submitit.AutoExecutor.map_array", lambda _, *given: map_array(*given))

    return replace_jobs


def test_units_of_ended_jobs_are_left_without_records(small, jobs_are, capsys):
    error = RuntimeError("CANCELLED DUE TO TIME LIMIT")
    jobs_are(lambda job, configs, *_: [EndedJob(error) for _ in configs])
    config = small(launcher="submitit", submitit={"cluster": "local"})
    assert sweep(config) == 1
    out, err = capsys.readouterr()
    assert "4 runs: 0 ok, 0 failed, 4 not done" in out
    assert "2 of 2 units are left, because their jobs ended (RuntimeError: CANCELLED" in err
    assert "start the same command again" in err
    assert not list(Path(config.results_dir).glob("runs/*/record.json"))
    assert sweep(replace(config, launcher="local")) == 0


def test_submitit_jobs_repeat_a_failed_run_once_and_keep_its_record(small, jobs_are):
    config = small(samplers=["kmeanssmote"])
    assert sweep(config) == 1
    stamps = []

    def jobs_in_turn(job, *settings):
        for of_job in zip(*settings, strict=True):
            job(*of_job)
            folders = sorted(Path(config.results_dir).glob("runs/*"))
            stamps.append([record_stamp(folder) for folder in folders])
        return [EndedJob() for _ in settings[0]]

    jobs_are(jobs_in_turn)
    settings = {"launcher": "submitit", "submitit": {"cluster": "local"}, "workers": 2}
    seeds = {"seeds": [0, 1]}  # two units, one of them new, so that there are two jobs
    assert sweep(small(samplers=["kmeanssmote"], retry="failed", **seeds, **settings)) == 1
    assert len(stamps) == 2 and stamps[0] == stamps[1]
    found = collected.read_records(Path(config.results_dir) / "small")
    assert set(found["status"]) == {"failed"} and found["imputed"].all()


def test_units_that_a_job_s_machine_cannot_read_are_left_without_records(
    small, jobs_are, monkeypatch
):
    def on_another_machine(job, *settings):
        def fail(*_, **__):
            raise OSError(errno.EIO, "Input/output error")

        with monkeypatch.context() as patched:
            patched.setattr("autosmote.data.datasets.load_dataset", fail)
            return [EndedJob(result=job(*of_job)) for of_job in zip(*settings, strict=True)]

    jobs_are(on_another_machine)
    config = small(launcher="submitit", submitit={"cluster": "local"})
    with pytest.raises(UserError, match=r"2 of 2 units have no record.*\(Input/output error\)"):
        sweep(config)
    assert not list(Path(config.results_dir).glob("runs/*/record.json"))
    assert sweep(replace(config, launcher="local")) == 0


@pytest.mark.parametrize(("workers", "share"), [(4, 200.0), (100, 100.0)])
def test_ray_tasks_share_the_memory_of_their_machine(monkeypatch, workers, share):
    given = []
    monkeypatch.setattr(ray_tasks, "execute", lambda *_, memory_mb, **__: given.append(memory_mb))
    monkeypatch.setattr(ray_tasks, "usable_cores", lambda: 8)
    monkeypatch.setattr(sandbox, "available_memory", lambda: 1000.0)
    ray_tasks._share_of_memory.cache_clear()
    ray_tasks._do([], None, workers, None, None)
    ray_tasks._do([], None, workers, None, 300.0)
    ray_tasks._share_of_memory.cache_clear()
    assert given == [share, 300.0]


@needs_ray
@pytest.mark.slow
def test_ray_tasks_equal_local_pool(twelve, tmp_path, monkeypatch):
    config, expected = twelve
    monkeypatch.chdir(tmp_path)
    assert sweep(replace(config, results_dir="here", launcher="ray")) == 0
    assert_equal(tmp_path / "here", expected)


@needs_ray
@pytest.mark.slow
def test_hydra_ray_launcher_equals_single_runs(single, tmp_path):
    done = run("-m", *SWEEP, "hydra/launcher=ray", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert scores(tmp_path) == single
