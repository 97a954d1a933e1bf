"""Time limits of samplers in child processes; the protocol's tests cover the rest."""

from types import SimpleNamespace

import numpy as np
import pytest

from autosmote.config.schema import LimitSettings, SamplerSettings
from autosmote.evaluation import sandboxed
from autosmote.evaluation.sandboxed import SandboxedMethod, SandboxedResampler
from autosmote.isolation import sandbox
from autosmote.isolation.forkserver import ForkServer
from autosmote.isolation.sandbox import Answer, ChildFailed, CpuLimit, Deadline

X, Y = np.zeros((4, 2)), np.int8([0, 0, 0, 1])


@pytest.fixture
def limits_of(monkeypatch):
    """Return the deadline and CPU limit of all calls by method, on a clock that stands at 0."""
    found = {}

    class Recorder:
        def __init__(self, memory_mb, factory, *arguments, deadline, cpu):
            found["__init__"] = deadline, cpu

        alive = True

        def call(self, method, *arguments, deadline, cpu):
            found[method] = deadline, cpu
            return Answer((X, Y), [], 0.0)

    monkeypatch.setattr(sandboxed, "SandboxedObject", Recorder)
    monkeypatch.setattr(sandbox, "time", SimpleNamespace(monotonic=lambda: 0.0))
    return found


def test_resampler_fit_may_take_the_time_of_all_ratios_that_it_serves(limits_of):
    limits = LimitSettings(resampling_seconds=0.3)
    sampler = SandboxedResampler(SamplerSettings("own", "rivals.Own", True, {}), 0, limits)
    sampler.fit(X, Y, [], n_ratios=9)
    sampler.resample(0.5)
    seconds = {method: cpu.seconds for method, (_, cpu) in limits_of.items()}
    assert seconds == {"__init__": 0.3, "fit": pytest.approx(9 * 0.3), "resample": 0.3}
    assert limits_of["fit"][1].setting == "limits.resampling_seconds=0.3 for each of 9 ratios"


def test_resampler_call_ends_with_the_run_at_the_latest(limits_of):
    limits = LimitSettings(resampling_seconds=0.3, run_seconds=1.0)
    sampler = SandboxedResampler(SamplerSettings("own", "rivals.Own", True, {}), 0, limits)
    sampler.fit(X, Y, [], n_ratios=9)
    deadline, _ = limits_of["fit"]
    assert (deadline.at, deadline.setting) == (1.0, "limits.run_seconds=1")


def test_fork_server_that_ends_while_it_starts_is_a_failed_child(monkeypatch):
    server = ForkServer()
    server._process.kill()
    monkeypatch.setattr(ForkServer, "of_this_process", lambda: server)
    with pytest.raises(ChildFailed, match="no process can be started") as caught:
        SandboxedResampler(SamplerSettings("own", "rivals.Own", True, {}), 0, LimitSettings())
    assert caught.value.status == "crashed"


def test_method_has_the_time_of_the_run(limits_of):
    limits = LimitSettings(resampling_seconds=0.01, run_seconds=5.0)
    method = SandboxedMethod(SamplerSettings("m", "rivals.Threshold", kind="method"), 0, limits)
    method.fit(X, Y, X, Y, estimator=None, metric="mcc")
    assert {(deadline.at, cpu.seconds) for deadline, cpu in limits_of.values()} == {(5.0, np.inf)}


def test_limit_without_cpu_times_is_one_of_the_clock(monkeypatch):
    """Where the system does not tell the CPU time."""
    monkeypatch.setattr(sandbox, "time", SimpleNamespace(monotonic=lambda: 7.0))
    limit = CpuLimit(3.0, "limits.x=3")
    assert limit.backstop(has_cpu_time=False) == Deadline(10.0, "limits.x=3")
    assert limit.backstop(has_cpu_time=True) == Deadline(22.0, "5 times limits.x=3")
