"""Versions and git revision behind a record."""

import functools
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from autosmote import __version__
from autosmote.config.kinds import KINDS
from autosmote.config.schema import Config

_PACKAGES = (
    *("torch", "numpy", "scipy", "pandas", "scikit-learn", "imbalanced-learn"),
    *("hydra-core", "numba", "openml"),
)
# Packages behind resamplers and methods; recorded where they are installed.
_RIVALS_PACKAGES = ("smote-variants", "sdv", "ctgan", "rdt", "optuna", "tensorflow")
# Modules whose packages are among these, or this project.
_ALREADY_NAMED = {"sklearn", "imblearn", "torch", "numpy", "autosmote", "baselines"}


def versions(config: Config) -> dict[str, str | None]:
    """Return the versions of Python, this project and the packages that can change a result."""
    found: dict[str, str | None] = {"python": platform.python_version(), "autosmote": __version__}
    names = set(_PACKAGES)
    rivals = set(_RIVALS_PACKAGES) if KINDS[config.sampler.kind].is_sandboxed else set()
    # A resampler may be made from another class, which its params name.
    for target in (config.clf._target_, config.sampler._target_, *config.sampler.params.values()):
        module = target.split(".")[0] if isinstance(target, str) else None
        if module and module not in _ALREADY_NAMED:  # the look-up of all packages takes a while
            names.update(_distributions().get(module, []))
    for name in sorted((names | rivals) - {"autosmote"}):
        version = _version(name)
        if version is not None or name not in rivals:
            found[name] = version
    return found


def look_up_versions() -> None:
    """Fill the caches of this module, so that processes forked from this one need not."""
    git_revision()
    _distributions()
    for name in (*_PACKAGES, *_RIVALS_PACKAGES):
        _version(name)


@functools.cache
def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


@functools.cache
def git_revision() -> str | None:
    """Return the clone's commit, with "-dirty" where tracked files differ; None without a clone.

    results/ may differ: it holds what the code made, and changes while a sweep is at work.
    """
    root = Path(__file__).resolve().parents[2]

    def git(*arguments: str) -> str:
        # The user's own git, asked about the clone that this file is in.
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
        return done.stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root:
            return None  # installed somewhere inside another repository
        revision = git("rev-parse", "HEAD")
        changed = git("status", "--porcelain", "-uno", "--", ".", ":(exclude)results")
        return f"{revision}-dirty" if changed else revision
    except (OSError, subprocess.SubprocessError):
        return None
