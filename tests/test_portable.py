"""The way of the sampler, the classifier and the commands needs no fcntl, no fork and no /proc."""

import subprocess
import sys

import pytest

BLOCKED = """
import builtins, io, os, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("fork", "forkpty", "register_at_fork", "getuid", "sched_getaffinity"):
    if hasattr(os, name):
        delattr(os, name)
real_open = io.open
def no_proc(file, *arguments, **options):
    # threadpoolctl and joblib look there on Linux alone.
    caller = sys._getframe(1).f_globals.get("__name__", "")
    ours = not caller.startswith(("threadpoolctl", "joblib", "sklearn"))
    if ours and str(file).startswith(("/proc", "/sys")):
        raise FileNotFoundError(file)
    return real_open(file, *arguments, **options)
builtins.open = io.open = no_proc
"""

SEARCHES = """
import numpy as np
from autosmote import AutoSMOTE, AutoSMOTEClassifier, compare
rng = np.random.default_rng(0)
X = rng.normal(size=(120, 3)); y = (X[:, 0] + rng.normal(size=120) > 1.2).astype(int)
for method in ("paper", "class_aware"):
    AutoSMOTE(method=method, iterations=3, random_state=0).fit_resample(X, y)
AutoSMOTEClassifier(iterations=3, keep=2, random_state=0).fit(X, y).predict(X)
compare(X, y, "dt", folds=2, repeats=1, iterations=2, n_jobs=1)
"""

COMMANDS = """
import csv
import numpy as np
from autosmote.__main__ import main
rng = np.random.default_rng(0)
rows = [[f"{a:.3f}", f"{b:.3f}", "yes" if a > 0.8 else "no"] for a, b in rng.normal(size=(100, 2))]
with open("my.csv", "w", newline="") as file:
    csv.writer(file).writerows([["a", "b", "label"], *rows])
fit = ["--target", "label", "--iterations", "3", "--jobs", "1"]
assert main(["fit", "my.csv", *fit, "-o", "m.joblib"]) == 0
assert main(["predict", "m.joblib", "my.csv", "-o", "out.csv"]) == 0
assert main(["resample", "my.csv", *fit, "-o", "rows.csv"]) == 0
few = ["--methods", "tuned threshold; AutoSMOTE with the vote", "--folds", "2", "--repeats", "1"]
assert main(["compare", "my.csv", *fit, *few]) == 0
"""


@pytest.mark.parametrize("code", [SEARCHES, COMMANDS], ids=["python", "commands"])
def test_a_table_of_ones_own_needs_no_posix(code, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED + code], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
