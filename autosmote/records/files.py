"""Read and write the files of a run's folder, each in one step; record.json is written last."""

import csv
import errno
import functools
import gzip
import json
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autosmote.atomic import is_temporary, try_to_write, write_file
from autosmote.errors import UserError, shorten
from autosmote.records.check import find_fault
from autosmote.search.hierarchical.parameters import POLICIES_FILE

if TYPE_CHECKING:
    from autosmote.space.base import Samples

logger = logging.getLogger("autosmote")

HISTORY_COLUMNS = ("iteration", "reward", "best", "n_synthetic", "seconds")
_RUN_FILES = (
    *("record.json", "partial.json", "history.csv", "curve.png", "best_counts.npz"),
    *("best_segments.npz", POLICIES_FILE, "train_resampled.csv.gz"),
)
_LONGEST = f"runs/{'r' * 163}/.{'0' * 32}-train_resampled.csv.gz"
_PROBE_BYTES = 2**18
"""Room that a run needs at least: about what a search of 1,000 iterations writes."""


def read_record(folder: Path) -> dict[str, Any] | None:
    """Read a run's record; None where there is none that is whole.

    A damaged one is named by a warning, once: it counts as missing, and its run is done again.
    """
    path = folder / "record.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        fault = find_fault(record)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        fault = error.strerror or type(error).__name__
    except RecursionError:
        fault = "it is nested too deeply"
    except ValueError:  # of JSON, or of UTF-8
        fault = "it is no whole JSON"
    if fault is None:
        return record
    _warn_of_damage(f"{folder.name}/record.json", fault)
    return None


def record_stamp(folder: Path) -> tuple[int, int] | None:
    """Return what tells one record of a run from a later one; None where there is none."""
    try:
        found = (folder / "record.json").stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


@functools.cache
def _warn_of_damage(name: str, fault: str) -> None:
    logger.warning(
        "%s is damaged (%s): it counts as missing, and its run is to be done again.", name, fault
    )


def check_writable(results_dir: str | Path) -> None:
    """Check that the results folder can be written; nothing is left there.

    Raises
    ------
    UserError
        If that fails.
    """
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.lstat(Path(results_dir) / _LONGEST)  # an OSError where the name would be too long
        _try_to_write(Path(results_dir))
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        raise UserError(
            f"The results folder '{shorten(str(results_dir))}' cannot be written "
            f"({getattr(error, 'strerror', None) or error}); give another one with results_dir=."
        ) from error


def check_run_folders(folders: Sequence[Path]) -> None:
    """Check, before the work of some runs, that their files can be written; nothing is left.

    Raises
    ------
    OSError
        If a file cannot be written or replaced.
    """
    for folder in folders:
        if os.path.lexists(folder) and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{folder.name} is no folder; remove it")
        for name in _RUN_FILES:
            if (folder / name).is_dir() and not (folder / name).is_symlink():
                where = f"{folder.name}/{name}"
                raise IsADirectoryError(errno.EISDIR, f"{where} is a folder; remove it")
    for folder in folders[:1]:  # the others are beside it
        _try_to_write(folder)


def _try_to_write(folder: Path) -> None:
    """Write, in a folder or the nearest one above it that exists, as much as a run writes."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    try_to_write(folder, _PROBE_BYTES)


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


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process had begun to write; nobody else may be writing there."""
    if folder.is_dir():
        for path in folder.iterdir():
            if is_temporary(path):
                path.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
