"""The local pool: a unit's failure leaves the others alone, and a stopped pool leaves nothing."""

import json
import os
import signal
from pathlib import Path

import pytest
from claiming import claimed_elsewhere
from waiting import wait_for_end, wait_until

from autosmote.config.schema import ClassifierSettings
from autosmote.errors import UserError
from autosmote.isolation.forkserver import ForkServer
from autosmote.isolation.processes import descendants
from autosmote.records.claims import claim
from autosmote.records.files import read_record
from autosmote.sweep import local_pool
from autosmote.sweep.command import sweep
from autosmote.sweep.local_pool import LocalPool

linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


def faulty(fault):
    return ClassifierSettings("faulty", "estimators.Faulty", {"n_train": 0, "fault": fault})


def found(unit):
    return [read_record(run.folder) for run in unit.runs]


def do(pool, units):
    """Return the outcomes by unit, in the order in which they ended."""
    return [(unit, outcome) for what, unit, outcome in pool.run(units) if what == "end"]


def test_failed_units_leave_records_and_the_other_units(unit):
    units = [
        unit("none", faulty("exit")),
        unit("none", faulty("kill")),
        unit("none", faulty("raise")),
        unit("AtSomeRatios", at=[0.1, 0.2], deed="odd_error"),
        unit("AtSomeRatios", at=[0.1], deed="exit"),
        unit("none"),
    ]
    pool = LocalPool(unit.data, workers=2, unit_seconds=100)
    outcomes = do(pool, units)
    assert len(outcomes) == len(units) and {outcome.state for _, outcome in outcomes} == {"done"}
    by_exit, by_kill, by_error, odd, exits, fine = map(found, units)
    assert {record["status"] for record in by_exit} == {"crashed"}
    assert "with exit code 7" in by_exit[0]["error"]
    assert {record["status"] for record in by_kill} == {"crashed"}
    assert "by signal SIGKILL" in by_kill[0]["error"]
    assert {record["status"] for record in by_error} == {"failed"}
    assert "does not like synthetic rows" in by_error[0]["error"]
    # Of samplers the ratios that run are tuned over; the others are in the grid.
    for record, status in ((odd[0], "failed"), (exits[0], "crashed")):
        assert record["status"] == "ok" and record["scores"]
        assert status in {point["status"] for point in record["grid"]}
    assert {record["status"] for record in fine} == {"ok"}
    assert "Traceback" not in json.dumps(by_error)


def test_unit_claimed_elsewhere_is_done_last(unit, tmp_path):
    one, other = unit(), unit(seed=1)
    folder = str(tmp_path / "results")
    states = []
    with claimed_elsewhere(folder, one.runs[1].key) as process:
        with claim(folder, [one.runs[0].key, one.runs[1].key]) as mine:
            assert not mine
        with claim(folder, [one.runs[0].key]) as mine:  # nothing is kept of a claim that failed
            assert mine
        for what, which, outcome in LocalPool(unit.data, workers=1).run([one, other]):
            if what == "end":
                states.append((which is one, outcome.state))
                if len(states) == 3:
                    process.kill()  # which lets go of its claim
                    process.wait()
    assert states[:2] == [(True, "taken"), (False, "done")] and states[-1] == (True, "done")
    assert {record["status"] for record in found(one)} == {"ok"}


@pytest.fixture
def kill_before_first_unit(monkeypatch):
    """A function that has a pool's root or first thread's server killed before its first unit."""

    def arrange(*names):
        servers, left = {}, list(names)
        fork, execute = ForkServer.fork, local_pool.execute

        def remember(root):
            server = fork(root)
            servers.setdefault("root", root)
            servers.setdefault("first", server)
            return server

        def kill(*arguments, **settings):
            while left:
                server = servers[left.pop()]
                os.kill(server.pid, signal.SIGKILL)
                wait_for_end([server.pid])
            return execute(*arguments, **settings)

        monkeypatch.setattr(ForkServer, "fork", remember)
        monkeypatch.setattr(local_pool, "execute", kill)

    return arrange


@linux
def test_ended_fork_server_is_replaced_and_no_unit_s_failure(unit, kill_before_first_unit):
    kill_before_first_unit("first")
    units = [unit("none", seed=seed) for seed in range(2)]
    outcomes = do(LocalPool(unit.data, workers=1), units)
    assert [outcome.statuses for _, outcome in outcomes] == [("ok", "ok")] * 2


@linux
def test_sweep_without_any_fork_server_stops_and_records_nothing(small, kill_before_first_unit):
    kill_before_first_unit("first", "root")
    config = small()
    with pytest.raises(UserError, match="The work stopped, since no process can be started"):
        sweep(config)
    assert not list(Path(config.results_dir).glob("runs/*/record.json"))


@linux
def test_stopped_pool_leaves_no_process_and_no_record(unit, tmp_path):
    log = tmp_path / "log"
    hanging = unit("HangingInFit", log=str(log))
    before = set(descendants(os.getpid()))
    messages = LocalPool(unit.data, workers=1).run([hanging, unit()])
    assert next(messages)[0] == "begin"
    wait_until(log.exists)
    messages.close()
    assert not set(descendants(os.getpid())) - before
    # What was at work is marked as interrupted; what had not begun has nothing.
    assert not any(map(os.path.exists, [run.folder / "record.json" for run in hanging.runs]))
