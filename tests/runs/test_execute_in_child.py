"""Units in child processes: each run leaves a record, whatever happens to the process."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from unit_configs import AUTOSMOTE, small_config

from autosmote.config.schema import ClassifierSettings, SamplerSettings
from autosmote.config.search import SearchConfig
from autosmote.isolation import sandbox
from autosmote.isolation.sandbox import ChildFailed, Deadline
from autosmote.records.files import read_record
from autosmote.runs.child import modules_for
from autosmote.runs.execute import execute, record_failure, warm_server
from autosmote.runs.unit import Data, plan

linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


def found(unit):
    return [read_record(run.folder) for run in unit]


def test_unit_past_its_limits_is_ended(make_unit):
    hanging = make_unit("HangingInFit")  # whose own limit is 60 s
    deadline = Deadline.after(1.5, "unit_seconds")
    outcome = execute(hanging, make_unit.data, deadline=deadline)
    assert outcome.statuses == ("timeout", "timeout")
    (record, _) = found(hanging)
    assert record["status"] == "timeout" and "unit_seconds=1.5" in record["error"]
    assert record["scores"] is None
    eating = make_unit("AtSomeRatios", at=[0.1], deed="eat")
    execute(eating, make_unit.data, memory_mb=1500)
    (record, _) = found(eating)
    # The sampler's share is less than the unit's, so that it is the sampler that is ended.
    assert "memory" in {point["status"] for point in record["grid"]}
    assert record["scores"]


@pytest.mark.parametrize("memory_mb", [None, 500.0])
def test_child_knows_its_limit_and_leaves_its_samplers_less(make_unit, monkeypatch, memory_mb):
    given = []

    def note(*arguments, **_):
        given.append(arguments)
        raise ChildFailed("stopped", "it was stopped")

    monkeypatch.setattr("autosmote.runs.execute.SandboxedObject", note)
    monkeypatch.setattr(sandbox, "available_memory", lambda: 1000.0)
    execute(make_unit(), make_unit.data, memory_mb=memory_mb)
    ((limit, _, told, _),) = given
    assert limit == memory_mb and told == (memory_mb or 800.0)


def test_done_unit_is_not_repeated_and_keeps_its_records(make_unit):
    one = make_unit()
    assert execute(one, make_unit.data).statuses == ("ok", "ok")
    assert execute(one, make_unit.data).statuses == ()
    assert record_failure(one, "crashed", "it ended").statuses == ()
    assert {record["status"] for record in found(one)} == {"ok"}


def test_unwritable_records_are_an_outcome(make_unit):
    filling = ClassifierSettings("filling", "estimators.Filling", {})
    one = make_unit("none", filling)
    outcome = execute(one, make_unit.data)
    assert (outcome.state, outcome.error) == ("unwritable", os.strerror(errno.EFBIG))
    assert found(one) == [None, None]
    assert not [path for run in one for path in run.folder.glob("*")]


def test_unit_whose_policies_vanished_since_the_plan_has_no_record(tmp_path):
    path, data = tmp_path / "policies.npz", Data()
    np.savez(path, low=np.zeros(3, np.float32))
    search = SearchConfig(iterations=3, G1=2, G2=2, actors=0, device="cpu", init_from=str(path))
    (unit,) = plan([small_config(tmp_path, AUTOSMOTE, search=search)], data)
    path.unlink()
    outcome = execute(unit, data)
    assert outcome.state == "unreadable" and "there is no policies.npz" in outcome.error
    assert found(unit) == [None]


@linux
def test_server_of_units_has_one_thread(make_unit):
    (run, _) = make_unit("none")
    server = warm_server(make_unit.data, [run])
    assert len(os.listdir(f"/proc/{server.pid}/task")) == 1


def test_modules_for_a_search_are_those_of_its_method(tmp_path):
    class_aware = SamplerSettings("aware", params={"method": "class_aware"}, kind="search")
    search = SearchConfig(iterations=3, actors=0, device="cpu", learner="torch")
    of = {
        sampler.name: modules_for(
            run
            for unit in plan([small_config(tmp_path, sampler, search=search)], Data())
            for run in unit
        )
        for sampler in (AUTOSMOTE, class_aware)
    }
    networks = {"torch", "autosmote.search.hierarchical.learner"}
    assert networks <= of["autosmote"] and not networks & of["aware"]
    assert "autosmote.search.class_aware.method" in of["aware"]
