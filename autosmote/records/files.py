"""Read and write the files of a run's folder, each in one step; record.json is written last."""

import csv
import gzip
import json
import os
import re
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.errors import UserError
from autosmote.search.hierarchical.parameters import POLICIES_FILE

if TYPE_CHECKING:
    from autosmote.space.base import Samples

HISTORY_COLUMNS = ("iteration", "reward", "best", "n_synthetic", "seconds")


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read a run's record; None where there is none that is whole."""
    try:
        return json.loads((folder / "record.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def check_writable(results_dir: str | Path) -> None:
    """Check that the results folder can be written; nothing is left there.

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


def write_json(folder: Path, name: str, record: Mapping[str, Any]) -> None:
    """Write a JSON file in one step: readers see it whole or not at all."""
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


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
