"""What all tests share: one thread per process, and the rule for tests that need the data."""

import os

# Before numpy or torch is imported: a thread pool per test process would fight over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

from pathlib import Path

import pytest

DATA_VARIABLE = "AUTOSMOTE_DATA_DIR"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-data",
        action="store_true",
        help="fail instead of skip where the six datasets are missing (make test-data)",
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


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with the six datasets; only for tests marked `data`."""
    return Path(os.environ[DATA_VARIABLE])
