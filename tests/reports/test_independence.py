"""Reports read records: they neither run anything nor load what runs need."""

import subprocess
import sys


def test_reports_import_neither_torch_nor_the_search_nor_hydra():
    code = """
import pkgutil, sys
import autosmote.reports
for module in pkgutil.walk_packages(autosmote.reports.__path__, "autosmote.reports."):
    if not module.name.endswith("__main__"):
        __import__(module.name)
print("MODULES", *sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "autosmote.reports.studies.class_aware.study" in loaded
    runners = {"autosmote.search.loop"}
    runners |= {f"autosmote.{name}" for name in ("runs", "run", "evaluation", "sweep")}
    heavy = {"torch", "hydra", "omegaconf", "numba", "imblearn", "openml", "matplotlib.pyplot"}
    assert not loaded & (runners | heavy)


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, autosmote.reports; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"pandas", "scipy", "matplotlib", "sklearn", "jinja2"}
