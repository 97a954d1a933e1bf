"""Environment of processes, and the CPU time that they used."""

import subprocess
import sys

import pytest

from autosmote.isolation import processes
from autosmote.isolation.processes import blas_kernels, child_environment

FLAGS = "processor : 0\nflags\t\t: fpu sse2 {}\nbugs : avx2\n"
KERNELS = {"OPENBLAS_CORETYPE": "Haswell"}


@pytest.mark.parametrize(
    ("flags", "machine", "expected"),
    [
        ("avx avx2 avx512f", "x86_64", KERNELS),
        ("avx avx2", "x86_64", KERNELS),
        ("avx", "x86_64", {}),
        ("avx avx2", "aarch64", {}),
    ],
)
def test_blas_kernels_are_one_kind_where_the_cpu_has_them(
    tmp_path, monkeypatch, flags, machine, expected
):
    monkeypatch.setattr(processes.platform, "machine", lambda: machine)
    (tmp_path / "cpuinfo").write_text(FLAGS.format(flags))
    assert blas_kernels(tmp_path / "cpuinfo") == expected
    assert blas_kernels(tmp_path / "none") == {}


def test_child_environment_keeps_the_users_kernels(monkeypatch):
    monkeypatch.setattr(processes, "blas_kernels", lambda: KERNELS)
    monkeypatch.delenv("OPENBLAS_CORETYPE")
    assert child_environment()["OPENBLAS_CORETYPE"] == "Haswell"
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Zen")
    assert child_environment()["OPENBLAS_CORETYPE"] == "Zen"


@pytest.mark.skipif(not blas_kernels(), reason="this CPU has no AVX2")
def test_run_loads_numpy_with_these_kernels():
    code = (
        "import autosmote.run, numpy, threadpoolctl\n"
        "print({lib['architecture'] for lib in threadpoolctl.threadpool_info()})"
    )
    environment = child_environment()
    del environment["OPENBLAS_CORETYPE"]
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "{'Haswell'}"
