"""What a run leaves behind: a folder named by the run's identity, record.json written last."""

import csv
import functools
import gzip
import hashlib
import json
import os
import platform
import re
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote import __version__
from autosmote.config.schema import SELECTION, Config, search_settings
from autosmote.config.search import SearchConfig
from autosmote.errors import UserError
from autosmote.search.hierarchical.parameters import POLICIES_FILE, policies_digest, read_policies

if TYPE_CHECKING:
    from autosmote.evaluation.results import Evaluation
    from autosmote.search.loop import SearchResult
    from autosmote.space.base import Samples

PROTOCOL_VERSION = 1
"""Raised whenever a result can change; golden results fail if one moves without it."""
SCHEMA_VERSION = 1
"""Raised whenever a name in a record changes its meaning or goes."""

HISTORY_COLUMNS = ("iteration", "reward", "best", "n_synthetic", "seconds")
# Where and how fast a search runs and what it leaves, never what it finds.
_MACHINE_SETTINGS = {"actors", "device", "save_policies"}
# Settings that came later: at their defaults they are left out, so that old runs keep their names.
_LATER_SETTINGS = {
    *("samples_per_ir", "patience", "init_from", "under_sampling"),
    "lambda_head",
    *("reward", "folds", "final", "keep"),
}
# Settings that were removed, at the value that runs of this protocol have in their identity.
_REMOVED = {"hold": 1}
# What of a sampler's settings can change a result; its kind goes with its class.
_SAMPLER_SETTINGS = ("name", "_target_", "takes_ratio", "params")
_LIMITS = {
    "resampler": ("resampling_seconds", "run_seconds", "memory_mb"),
    "method": ("run_seconds", "memory_mb"),
}
_PACKAGES = (
    *("torch", "numpy", "scipy", "pandas", "scikit-learn", "imbalanced-learn"),
    *("hydra-core", "numba", "openml"),
)
# What resamplers and methods are made of, where it is installed.
_RIVALS_PACKAGES = ("smote-variants", "sdv", "ctgan", "rdt", "optuna", "tensorflow")


def identity(config: Config, fingerprint: str) -> dict[str, Any]:
    """Everything that can change a run's result.

    Parameters
    ----------
    config : Config
    fingerprint : str
        The dataset's, so that other data under the same name are another run.
    """
    found: dict[str, Any] = {
        "protocol_version": PROTOCOL_VERSION,
        "dataset": config.dataset.name,
        "data_fingerprint": fingerprint,
        "ir": _whole(config.ir),
        "clf": asdict(config.clf),
        "sampler": {name: getattr(config.sampler, name) for name in _SAMPLER_SETTINGS},
        "metric": config.metric,
        "seed": config.seed,
        "preprocess": asdict(config.preprocess),
    }
    if config.sampler.kind == "resamplings":
        found["search"] = {name: getattr(config.search, name) for name in SELECTION}
    elif config.sampler.kind == "search":
        settings = asdict(search_settings(config.sampler, config.search))
        at_default = {k for k in _LATER_SETTINGS if settings[k] == getattr(SearchConfig, k)}
        left_out = _MACHINE_SETTINGS | at_default
        found["search"] = {k: v for k, v in settings.items() if k not in left_out} | _REMOVED
        if settings["init_from"] is not None:
            digest = policies_digest(read_policies(settings["init_from"]))
            _replace_init_from(digest, found["search"], found["sampler"])
    if names := _LIMITS.get(config.sampler.kind):
        found["limits"] = {name: getattr(config.limits, name) for name in names}
    return found


def run_folder(results_dir: str | Path, run_identity: Mapping[str, Any]) -> Path:
    """The folder of a run: readable at the beginning, unique at the end."""
    ir = run_identity["ir"]
    readable = "-".join(
        [
            run_identity["dataset"],
            "irown" if ir is None else f"ir{ir:g}",
            run_identity["clf"]["name"],
            run_identity["sampler"]["name"],
            run_identity["metric"],
            f"seed{run_identity['seed']}",
        ]
    )
    text = json.dumps(run_identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    safe = re.sub(r"[^\w.]+", "-", readable)[:150]
    return Path(results_dir) / "runs" / f"{safe}-{digest}"


def check_writable(results_dir: str | Path) -> None:
    """Try to write where the folder is or will be; leaves nothing behind.

    Raises
    ------
    UserError
        If that fails.
    """
    folder = Path(results_dir)
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".autosmote-"):
            pass
    except OSError as error:
        raise UserError(
            f"The results folder '{results_dir}' cannot be written ({error.strerror}); "
            "give another one with results_dir=."
        ) from error


def read_record(folder: Path, name: str = "record.json") -> dict[str, Any] | None:
    """Read a run's record; None where there is none that is whole."""
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def make_record(
    config: Config,
    run_identity: Mapping[str, Any],
    *,
    status: str,
    data_source: str,
    evaluation: "Evaluation | None" = None,
    search: "SearchResult | None" = None,
    error: str | None = None,
) -> dict[str, Any]:
    """Put a record together.

    Parameters
    ----------
    config : Config
    run_identity : dict
        Of `identity`.
    status : {"ok", "failed", "memory", "timeout", "crashed", "interrupted"}
    data_source : str
        Where the rows came from, without absolute paths.
    evaluation : Evaluation, optional
        Absent if the run broke off before its end.
    search : SearchResult, optional
        What a search found, for a run that broke off in it.
    error : str, optional
    """
    result: Any = search or (evaluation and evaluation.search)
    record: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "protocol_version": PROTOCOL_VERSION,
        "data_fingerprint": run_identity["data_fingerprint"],
        "data_source": data_source,
        "status": status,
        "stopped_by": result.stopped_by if result else None,
        "error": error,
        "dataset": config.dataset.name,
        "ir": run_identity["ir"],
        "clf": config.clf.name,
        "sampler": config.sampler.name,
        "metric": config.metric,
        "seed": config.seed,
        "scores": evaluation.scores if evaluation else None,
        "reference": evaluation.reference if evaluation else None,
        "imputed": evaluation.imputed if evaluation else False,
        "ratio": evaluation.ratio if evaluation else None,
        "n_synthetic": evaluation.n_synthetic if evaluation else None,
        "rows": evaluation.rows if evaluation else None,
        "grid": [asdict(point) for point in evaluation.grid] if evaluation else [],
        "warnings": evaluation.warnings if evaluation else [],
        "iterations": result.iterations if result else None,
        "search": None,
        "seconds": evaluation.seconds if evaluation else (result.seconds if result else None),
        "peak_memory_mb": _peak_memory_mb(evaluation, result),
        "config": _portable(config, run_identity),
        "versions": versions(config),
        "git_revision": git_revision(),
        "machine": {"system": platform.system(), "architecture": platform.machine()},
    }
    if result:
        names = ("G1", "scorer", "actors", "device")
        record["search"] = {
            "best_score": result.best.score,
            "best_iteration": result.best.iteration,
            "left_out": result.best.left_out,
            **{name: getattr(result, name) for name in names},
        }
    return record


def write_json(folder: Path, name: str, record: Mapping[str, Any]) -> None:
    """Write a record at once: it is there whole or not at all."""
    text = json.dumps(record, indent=2, allow_nan=False, default=_plain) + "\n"
    write_file(folder / name, lambda path: path.write_text(text, encoding="utf-8"))


def write_history(folder: Path, history: Mapping[str, np.ndarray]) -> None:
    """Write history.csv: one row per iteration, in order."""

    def write(path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(HISTORY_COLUMNS)
            columns = [np.asarray(history[name]).tolist() for name in HISTORY_COLUMNS]
            writer.writerows(zip(*columns, strict=True))

    write_file(folder / "history.csv", write)


def write_samples(folder: Path, samples: "Samples") -> None:
    """Write the best samples: best_counts.npz, how often each pool row is among them; or, where
    lambda is continuous, best_segments.npz, each one's source row, neighbour and weight."""
    is_counts = isinstance(samples, np.ndarray)
    columns = {"counts": samples} if is_counts else vars(samples)
    name = "best_counts.npz" if is_counts else "best_segments.npz"
    write_file(folder / name, lambda path: np.savez_compressed(path, **columns))


def write_policies(folder: Path, parameters: Mapping[str, Any]) -> None:
    """Write policies.npz: each level's final parameters as a flat vector."""
    write_file(folder / POLICIES_FILE, lambda path: np.savez(path, **parameters))


def write_training_part(
    folder: Path, X: np.ndarray, y: np.ndarray, feature_names: tuple[str, ...]
) -> None:
    """Write train_resampled.csv.gz: the rows as preprocessed, then the label (1 = minority)."""
    import pandas as pd

    frame = pd.DataFrame(X, columns=list(feature_names))
    label = "label"
    while label in feature_names:
        label += "_"
    frame[label] = y

    def write(path: Path) -> None:
        # Neither time nor name in the archive: the same rows give the same bytes.
        with (
            path.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream,
        ):
            frame.to_csv(stream, index=False)

    write_file(folder / "train_resampled.csv.gz", write)


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then move it there in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The ending stays, since some writers choose a format by it.
    temporary = path.with_name(f".{uuid.uuid4().hex}-{path.name}")
    try:
        write(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())  # or a power cut could leave the name without the content
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process had begun to write; nobody else may be writing there."""
    if folder.is_dir():
        for path in folder.iterdir():
            if re.match(r"\.[0-9a-f]{32}-", path.name):
                path.unlink(missing_ok=True)


def versions(config: Config) -> dict[str, str | None]:
    """Versions of Python, this project and the packages that can change a result."""
    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "autosmote": __version__,
    }
    names = set(_PACKAGES)
    rivals = set(_RIVALS_PACKAGES) if config.sampler.kind in _LIMITS else set()
    # A resampler may be made from another class, which its params name.
    for target in (config.clf._target_, config.sampler._target_, *config.sampler.params.values()):
        if isinstance(target, str):
            names.update(_distributions().get(target.split(".")[0], []))
    for name in sorted((names | rivals) - {"autosmote"}):
        version = _version(name)
        if version is not None or name not in rivals:
            found[name] = version
    return found


def look_up_versions() -> None:
    """Look up once what processes forked from this one would each look up for their records."""
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
    """The clone's commit, with "-dirty" where tracked files differ; None outside a clone.

    results/ may differ: it holds what the code made, and changes while a sweep is at work.
    """
    root = Path(__file__).resolve().parents[2]

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
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


def _whole(number: float | None) -> float | int | None:
    """50 rather than 50.0, in names and records alike."""
    return int(number) if number is not None and float(number).is_integer() else number


def _replace_init_from(digest: str, search: dict[str, Any], sampler: dict[str, Any]) -> None:
    """Name policies by what they are, not by where they lie."""
    if search.get("init_from") is not None:
        search["init_from"] = digest
    if sampler["params"].get("init_from") is not None:
        sampler["params"] = sampler["params"] | {"init_from": digest}


def _portable(config: Config, run_identity: Mapping[str, Any]) -> dict[str, Any]:
    """The resolved configuration without folders; a data file by its name only."""
    settings = asdict(config)
    for folder in ("results_dir", "data_dir"):
        settings.pop(folder)
    if settings["dataset"]["path"]:
        settings["dataset"]["path"] = Path(settings["dataset"]["path"]).name
    if digest := run_identity.get("search", {}).get("init_from"):
        _replace_init_from(digest, settings["search"], settings["sampler"])
    return settings


def _peak_memory_mb(evaluation: "Evaluation | None", search: Any) -> float | None:
    """Of all processes of a search; else of this process and the sampler's."""
    if search and search.peak_memory_mb:
        return search.peak_memory_mb
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    own = peak / (2**20 if platform.system() == "Darwin" else 2**10)
    return own + (evaluation.peak_memory_mb if evaluation else 0.0)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
