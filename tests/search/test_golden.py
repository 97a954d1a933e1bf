"""Golden results: small runs whose scores may not move unless the protocol version rises.

``ATEN_CPU_CAPABILITY=avx2 OPENBLAS_CORETYPE=Haswell python tests/search/test_golden.py`` (the
environment of ``tests/conftest.py``) writes them anew; do it only together with a new
``records.PROTOCOL_VERSION`` and a line in CHANGELOG.md.
"""

import hashlib
import json
import platform
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.ensemble import AdaBoostClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_info

from autosmote.config.search import SearchConfig
from autosmote.data.datasets import load_dataset
from autosmote.data.splits import make_split
from autosmote.records.identity import PROTOCOL_VERSION
from autosmote.sampler.class_search import run_search

GOLDEN = Path(__file__).with_name("golden.json")
BEFORE_LEARNING = 8
CASES = {
    "svm": (LinearSVC(random_state=0), "mcc", {}),
    "knn": (KNeighborsClassifier(), "macro_f1", {}),
    "dt": (DecisionTreeClassifier(random_state=0), "macro_f1", {}),
    "adaboost": (AdaBoostClassifier(random_state=0), "mcc", {}),
    "joint": (KNeighborsClassifier(), "mcc", {"low_level_net": "joint"}),
    "no_low_level": (DecisionTreeClassifier(random_state=0), "mcc", {"ablation": "no_low_level"}),
}


def machine(name):
    """What the last bits of a case's learner depend on: its library, and the kernels it chose."""
    if "low_level_net" in CASES[name][2]:  # torch chooses by the maker of the CPU too
        about = Path("/proc/cpuinfo")
        model = re.search(r"model name\s*: (.*)", about.read_text() if about.exists() else "")
        cpu = model[1] if model else platform.processor()
        return f"{cpu} {torch.backends.cpu.get_cpu_capability()} torch {torch.__version__}"
    (blas,) = {
        library["architecture"]
        for library in threadpool_info()
        if library["internal_api"] == "openblas" and "numpy" in library["filepath"]
    } or {None}
    return f"{platform.machine()} {blas} numpy {np.__version__}"


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def results(name):
    """The first episodes, which no learning has touched, and the whole of a short search."""
    estimator, metric, settings = CASES[name]
    split = make_split(load_dataset("toy"), ir=None, seed=1)
    result = run_search(
        split.X_train, split.y_train, split.X_val, split.y_val, estimator,
        metric=metric, ir=None, seed=1,
        config=SearchConfig(iterations=40, lag=BEFORE_LEARNING, actors=0, **settings),
    )  # fmt: skip
    rewards, made = result.history["reward"], result.history["n_synthetic"]
    return {
        "first": [[round(float(r), 9), int(n)] for r, n in zip(rewards, made, strict=True)][
            :BEFORE_LEARNING
        ],
        "best": [result.best.iteration, round(result.best.score, 9)],
        "rewards": digest(rewards.round(9)),
        "n_synthetic": digest(made.astype(np.int64)),
        "counts": digest(result.best.sample_set.samples),
    }


@pytest.mark.parametrize("name", CASES)
def test_golden_results_have_not_moved(name):
    golden = json.loads(GOLDEN.read_text())
    assert golden["protocol_version"] == PROTOCOL_VERSION
    found, expected = results(name), golden["cases"][name]
    assert found["first"] == expected["first"]
    if golden["machines"][name] != machine(name):
        pytest.skip(f"learned results are of another kind of machine: {golden['machines'][name]}")
    assert found == expected


if __name__ == "__main__":
    cases, machines = ({name: of(name) for name in CASES} for of in (results, machine))
    content = {"protocol_version": PROTOCOL_VERSION, "machines": machines, "cases": cases}
    GOLDEN.write_text(json.dumps(content, indent=1) + "\n")
    sys.exit(0)
