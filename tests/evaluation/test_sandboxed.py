"""Time limits of samplers in child processes; the protocol's tests cover the rest."""

from types import SimpleNamespace

import numpy as np
import pytest

from autosmote.config.schema import LimitSettings, SamplerSettings
from autosmote.evaluation import sandboxed
from autosmote.evaluation.sandboxed import SandboxedMethod, SandboxedResampler
from autosmote.isolation import sandbox
from autosmote.isolation.sandbox import Answer

X, Y = np.zeros((4, 2)), np.int8([0, 0, 0, 1])


@pytest.fixture
def deadlines(monkeypatch):
    """Return the deadlines of all calls by method, on a clock that stands at 0."""
    found = {}

    class Recorder:
        def __init__(self, memory_mb, factory, *arguments, deadline):
            found["__init__"] = deadline

        alive = True

        def call(self, method, *arguments, deadline):
            found[method] = deadline
            return Answer((X, Y), [], 0.0)

    monkeypatch.setattr(sandboxed, "SandboxedObject", Recorder)
    monkeypatch.setattr(sandbox, "time", SimpleNamespace(monotonic=lambda: 0.0))
    return found


def test_resampler_fit_may_take_the_time_of_all_ratios_that_it_serves(deadlines):
    limits = LimitSettings(resampling_seconds=0.3)
    sampler = SandboxedResampler(SamplerSettings("own", "rivals.Own", True, {}), 0, limits)
    sampler.fit(X, Y, [], n_ratios=9)
    sampler.resample(0.5)
    seconds = {method: deadline.at for method, deadline in deadlines.items()}
    assert seconds == {"__init__": 0.3, "fit": pytest.approx(9 * 0.3), "resample": 0.3}
    assert deadlines["fit"].setting == "limits.resampling_seconds=0.3 for each of 9 ratios"


def test_resampler_call_ends_with_the_run_at_the_latest(deadlines):
    limits = LimitSettings(resampling_seconds=0.3, run_seconds=1.0)
    sampler = SandboxedResampler(SamplerSettings("own", "rivals.Own", True, {}), 0, limits)
    sampler.fit(X, Y, [], n_ratios=9)
    assert (deadlines["fit"].at, deadlines["fit"].setting) == (1.0, "limits.run_seconds=1")


def test_method_has_the_time_of_the_run(deadlines):
    limits = LimitSettings(resampling_seconds=0.01, run_seconds=5.0)
    method = SandboxedMethod(SamplerSettings("m", "rivals.Threshold", kind="method"), 0, limits)
    method.fit(X, Y, X, Y, estimator=None, metric="mcc")
    assert {deadline.at for deadline in deadlines.values()} == {5.0}
