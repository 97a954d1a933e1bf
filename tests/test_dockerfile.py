"""The Dockerfile's lines, run in order in a fresh virtual environment: that needs no Docker.

The environment has nothing installed, but sees the packages of this one, so that pip has no
gigabytes to fetch: what it installs is the project. The image's folders are put below a temporary
one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from fnmatch import fnmatch
from pathlib import Path

import pytest

from autosmote import __version__

ROOT = Path(__file__).resolve().parent.parent
LINES = [
    tuple(line.split(maxsplit=1))
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]


def values(instruction: str) -> list[str]:
    return [rest for name, rest in LINES if name == instruction]


def copied() -> list[str]:
    """Return what of the root .dockerignore leaves to the image."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines  # what is not named is left out
    return [line[1:] for line in lines if line.startswith("!")]


def test_dockerfile_has_only_lines_that_the_test_knows():
    known = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in LINES} == known
    assert values("FROM") == ["python:3.11-slim"]


def test_dockerignore_lets_through_what_is_copied_and_installed():
    names = copied()
    assert all((ROOT / name).exists() for name in names)
    assert {"autosmote", "baselines", "conf", "pyproject.toml", "setup.py", "README.md"} <= {*names}
    sources = {word for rest in values("COPY") for word in rest.split()[:-1]}
    assert all(source == "." or source in names for source in sources)
    assert not any(fnmatch("results", name) for name in names)


@pytest.mark.slow
def test_dockerfile_lines_run_in_order_in_a_fresh_environment(tmp_path):
    image = tmp_path / "image"
    fresh = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", fresh], check=True)
    (site,) = fresh.glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    bin_ = fresh / "bin"
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment["PATH"] = f"{bin_}{os.pathsep}{environment['PATH']}"

    def inside(text: str) -> str:
        """Put the image's folders below a temporary one."""
        return re.sub(r"(?<![\w/:.])/(?=(tmp|src|data)\b)", f"{image}/", text)

    def run(command: list[str] | str, folder: Path) -> str:
        shell = isinstance(command, str)
        done = subprocess.run(
            command, cwd=folder, env=environment, shell=shell, text=True, capture_output=True
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    folder = image
    (image / "tmp").mkdir(parents=True)
    for name, rest in LINES:
        if name == "ENV":
            environment |= dict(word.split("=", 1) for word in inside(rest).split())
        elif name == "WORKDIR":
            folder = Path(inside(rest))
            folder.mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            *sources, _ = rest.split()
            for source in copied() if sources == ["."] else sources:
                ignored = shutil.ignore_patterns("__pycache__")
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, folder / source, ignore=ignored)
                else:
                    shutil.copy(ROOT / source, folder)
        elif name == "RUN":
            run(inside(rest), folder)
    assert list(image.glob("tmp/first-run/runs/*/record.json"))
    (entry,) = map(json.loads, values("ENTRYPOINT"))
    (given,) = map(json.loads, values("CMD"))
    assert entry == ["autosmote"] and (bin_ / "autosmote").exists()
    assert "autosmote compare" in run([*entry, *given], folder)
    shown = run([str(bin_ / "python"), "-c", "import autosmote as a; print(a.__file__)"], folder)
    assert Path(shown.strip()).is_relative_to(fresh)  # the installed one, not this checkout
    code = "import autosmote as a; print(a.__version__)"
    assert run([str(bin_ / "python"), "-c", code], folder).strip() == __version__
