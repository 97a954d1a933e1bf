"""The wheel has all that the command needs, and works from any folder."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """Return the folder of an unpacked wheel, built from a copy, as a build leaves files behind."""
    pytest.importorskip("setuptools")
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("autosmote", "baselines", "conf"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    code = f"from setuptools.build_meta import build_wheel; print(build_wheel({str(built)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(built / "site")
    return built / "site"


def run(unpacked, folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "autosmote", *arguments], cwd=folder, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(unpacked), "OMP_NUM_THREADS": "1"}, check=False,
    )  # fmt: skip


def test_wheel_has_two_packages_and_every_file_of_conf(unpacked):
    names = {path.name for path in unpacked.iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"autosmote", "baselines"}
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
        missing = [path for path in expected if not (unpacked / inside / path).is_file()]
        assert not missing, missing


def test_wheel_names_readme_paper_and_python(unpacked):
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
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


def test_command_of_the_wheel_works_from_another_folder(unpacked, tmp_path):
    done = run(unpacked, tmp_path, "--help")
    assert done.returncode == 0 and "dataset=mozilla4" in done.stdout, done.stderr
    done = run(unpacked, tmp_path, "dataset=toy", "search.iterations=5", "search.actors=0")
    assert done.returncode == 0, done.stderr
    assert "best of 5 iterations" in done.stdout
    assert list((tmp_path / "results" / "runs").glob("toy-*/record.json"))


def test_code_of_the_wheel_is_its_own_and_finds_its_own_conf(unpacked, tmp_path):
    code = "import autosmote.config.names as n; print(n.__file__, n.CONF_DIR)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": str(unpacked)},
    )  # fmt: skip
    module, conf = map(Path, done.stdout.split())
    assert module.is_relative_to(unpacked) and conf.is_relative_to(unpacked)
