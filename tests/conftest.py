"""Set up all tests: threads, Hypothesis' profile, tests that need datasets or packages."""

import importlib.util
import os
import signal

# Before numpy or torch is imported, since thread pools of several processes compete for cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")
# One kind of vector instructions: the golden results of learned searches hold on more machines.
os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")
os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")

from pathlib import Path

import pytest
from hypothesis import settings

# Without deadlines, since a busy machine would miss them; in CI with the same examples each time.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

DATA_VARIABLE = "AUTOSMOTE_DATA_DIR"
if os.environ.get(DATA_VARIABLE):
    # Many tests change the working folder, where a relative path would no longer be valid.
    os.environ[DATA_VARIABLE] = os.path.abspath(os.environ[DATA_VARIABLE])


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-data",
        action="store_true",
        help="fail instead of skip where the six datasets are missing (make test-data)",
    )
    parser.addoption(
        "--require-rivals",
        action="store_true",
        help="fail instead of skip where a rival's package is missing (make test-rivals)",
    )
    parser.addoption(
        "--episodes",
        type=int,
        default=20,
        help="episodes per dataset, ratio and classifier in the scorers' contracts",
    )


def _missing_data() -> str | None:
    folder = os.environ.get(DATA_VARIABLE)
    if not folder:
        return f"{DATA_VARIABLE} is not set"
    if not any(Path(folder).glob("*.arff")):
        return f"the folder of {DATA_VARIABLE} holds no ARFF files"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("data") and (reason := _missing_data()):
        if item.config.getoption("--require-data"):
            pytest.fail(f"{reason}, and this test needs the six datasets", pytrace=False)
        pytest.skip(reason)
    for marker in item.iter_markers("rivals"):
        if importlib.util.find_spec(package := marker.args[0]) is None:
            if item.config.getoption("--require-rivals"):
                pytest.fail(f"{package} is missing: make setup-rivals", pytrace=False)
            pytest.skip(f"{package} is not installed")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder with the six datasets; only for tests marked `data`."""
    return Path(os.environ[DATA_VARIABLE])


@pytest.fixture
def heeded_signals():
    """Heed SIGINT and SIGHUP, which what starts in the background or under nohup ignores."""
    heeded = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in heeded.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def small_split():
    """Return a split of overlapping classes: 90/9, 30/6 and 60/20 rows, and 25 extra ones."""
    import numpy as np

    from autosmote.data.splits import Split

    rng = np.random.default_rng(7)

    def part(n_maj: int, n_min: int):
        X = np.vstack([rng.normal(0, 1, (n_maj, 3)), rng.normal(1.5, 1, (n_min, 3))])
        y = np.repeat(np.array([0, 1], dtype=np.int8), [n_maj, n_min])
        return X, y

    (X_train, y_train), (X_val, y_val), (X_test, y_test) = part(90, 9), part(30, 6), part(60, 20)
    X_extra, y_extra = part(0, 25)
    return Split(
        X_train=X_train,
        y_train=y_train,
        X_val=X_val,
        y_val=y_val,
        X_test=X_test,
        y_test=y_test,
        feature_names=("a", "b", "c"),
        groups=[],
        ir=None,
        ir_train=10.0,
        fingerprint="0" * 64,
        dataset="small",
        seed=0,
        ir_whole=150 / 35,
        X_extra=X_extra,
        y_extra=y_extra,
    )
