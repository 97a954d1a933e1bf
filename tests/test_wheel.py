"""The wheel, installed by pip, has all that the commands need, and works from any folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the packages of a new environment with the wheel, built from a copy.

    What it requires is that of the environment of the tests, which comes after its own.
    """
    pytest.importorskip("setuptools")
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("made")
    for name in ("autosmote", "baselines", "conf"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    code = f"from setuptools.build_meta import build_wheel; print(build_wheel({str(made)!r}))"
    call([sys.executable, "-c", code], source)
    (wheel,) = made.glob("*.whl")
    venv.create(made / "venv", with_pip=True)
    python = made / "venv" / "bin" / "python"
    call([python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel], made)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(call([python, "-c", where], made).strip())
    (packages / "required.pth").write_text(sysconfig.get_path("purelib"))
    return packages


def call(command, folder):
    """Run a command with no path to this project; return what it prints."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False,
        env=environment | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def autosmote(site, tmp_path):
    """Return the installed command, called in an empty folder."""
    command = site.parents[2] / "bin" / "autosmote"
    return lambda *arguments: call([command, *arguments], tmp_path)


def test_wheel_has_two_packages_and_every_file_of_conf(site):
    (record,) = site.glob("autosmote-*.dist-info/RECORD")
    names = {line.partition("/")[0] for line in record.read_text().splitlines()}
    names = {name for name in names if not name.endswith(".dist-info") and name != ".."}
    assert names == {"autosmote", "baselines"}
    for folder, inside in (
        ("conf", "autosmote/conf"),
        ("autosmote", "autosmote"),
        ("baselines", "baselines"),
    ):
        expected = {
            path.relative_to(ROOT / folder)
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        missing = [path for path in expected if not (site / inside / path).is_file()]
        assert not missing, missing


def test_wheel_names_readme_paper_and_python(site):
    (metadata,) = site.glob("autosmote-*.dist-info/METADATA")
    head, _, description = metadata.read_text(encoding="utf-8").partition("\n\n")
    assert "Project-URL: Paper" in head and "Classifier: " in head
    assert description.startswith("# AutoSMOTE")
    assert "Requires-Python: >=3.11" in head
    for minor in range(11, 15):
        assert f"Classifier: Programming Language :: Python :: 3.{minor}" in head
    required = [line for line in head.splitlines() if line.startswith("Requires-Dist: pandas")]
    assert [line for line in required if "<3" in line] == [
        line for line in required if 'extra == "generative"' in line
    ]


def test_command_of_the_wheel_runs_on_the_toy_data(autosmote, tmp_path):
    assert "dataset=mozilla4" in autosmote("--help")
    out = autosmote("dataset=toy", "search.iterations=5", "search.actors=0")
    assert "best of 5 iterations" in out
    assert list((tmp_path / "results" / "runs").glob("toy-*/record.json"))


def test_commands_of_the_wheel_take_a_table(autosmote, tmp_path):
    rows = "".join(f"{n % 7},{n % 5},{'yes' if n % 9 == 0 else 'no'}\n" for n in range(90))
    (tmp_path / "my.csv").write_text(f"size,age,churned\n{rows}")
    shared = ["my.csv", "--target", "churned", "--iterations", "3", "--jobs", "1"]
    autosmote("compare", *shared, "--methods", "tuned threshold", "--folds", "2", "--repeats", "1")
    autosmote("fit", *shared, "-o", "model.joblib")
    autosmote("predict", "model.joblib", "my.csv", "-o", "predictions.csv")
    autosmote("resample", *shared, "-o", "out.csv")
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 91
    assert (tmp_path / "out.csv").read_text().startswith((tmp_path / "my.csv").read_text())


def test_code_of_the_wheel_is_its_own_and_finds_its_own_conf(site, tmp_path):
    code = "import autosmote.config.names as n; print(n.__file__, n.CONF_DIR)"
    python = site.parents[2] / "bin" / "python"
    module, conf = map(Path, call([python, "-c", code], tmp_path).split())
    assert module.is_relative_to(site) and conf.is_relative_to(site)
