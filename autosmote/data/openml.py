"""Fetch a dataset from OpenML through its client, with a lock, timeouts and a checksum.

The client sets no timeout, shares its cache between processes without a lock, and never checks a
cached file again, so that a truncated file loads silently with fewer rows. Here every fetch holds
a lock, is bounded in time, and compares the ARFF file's bytes, downloaded or cached, with the md5
in OpenML's description.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import logging
import os
import threading
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from autosmote.errors import UserError

CONNECT_SECONDS, READ_SECONDS = 5.0, 12.0  # per attempt; READ: longest wait for the next byte
ATTEMPTS = 2
DESCRIPTION_SECONDS = 25.0  # all attempts, and the name lookup, which no socket timeout bounds
LOCK_SECONDS = 900.0

REMEDIES = (
    "name a folder that holds the ARFF files (data_dir=... or AUTOSMOTE_DATA_DIR), bring an "
    "OpenML cache that holds it (OPENML_CACHE_DIR), or try dataset=toy"
)

T = TypeVar("T")


@dataclass(frozen=True)
class Download:
    """An ARFF file and OpenML's description of it.

    Attributes
    ----------
    arff : bytes
        Verified by the md5 of the description, where it has one.
    target : str or None
        The default target attribute.
    dropped : tuple of str
        Row identifiers and attributes to ignore.
    """

    arff: bytes
    target: str | None
    dropped: tuple[str, ...]


def fetch(openml_id: int, name: str, cache_dir: str | Path | None = None) -> Download:
    """Fetch one dataset from OpenML or from the client's cache.

    Parameters
    ----------
    openml_id : int
        Rather than the name: only an id works offline from a filled cache.
    name : str
        Name of the dataset in error messages.
    cache_dir : str or Path, optional
        Root of the client's cache; by default the client's own (``OPENML_CACHE_DIR``).

    Raises
    ------
    UserError
        When OpenML is unreachable or does not know the id, the cache cannot be written, or the
        file differs from OpenML's description.
    """
    import filelock

    with _client(cache_dir) as openml:
        folder = Path(openml.config.get_cache_directory())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock: Any = filelock.FileLock(folder / f"autosmote-{openml_id}.lock", LOCK_SECONDS)
            if not os.access(folder, os.W_OK):  # read-only: no process of this user can change it
                lock = contextlib.nullcontext()
            with lock:
                return _fetch(openml, openml_id, name)
        except filelock.Timeout as exc:
            raise UserError(
                f"Another process has been fetching {name} for {LOCK_SECONDS:.0f} s; wait for it "
                "or end it, then run again."
            ) from exc
        except OSError as exc:
            raise UserError(
                f"The OpenML cache {folder} cannot be used ({exc.strerror or exc}); set "
                "OPENML_CACHE_DIR to a folder that can be written."
            ) from exc


def find_id(name: str, version: int, cache_dir: str | Path | None = None) -> int:
    """Return the number of a dataset by OpenML's name of it and its version.

    Asked for each time, since the client keeps no list of names.

    Parameters
    ----------
    name : str
    version : int
    cache_dir : str or Path, optional
        As of `fetch`.

    Raises
    ------
    UserError
        When OpenML is unreachable, or has no such dataset.
    """
    with _client(cache_dir) as openml:
        list_datasets = openml.datasets.list_datasets
        settings = {"data_name": name, "data_version": version}
        if "output_format" in inspect.signature(list_datasets).parameters:
            settings["output_format"] = "dataframe"  # what later clients always return
        with _explained(openml, name, f"version {version}"):
            found = _within(DESCRIPTION_SECONDS, functools.partial(list_datasets, **settings))
    if not len(found):
        raise UserError(
            f"OpenML has no active dataset of the name {name} and the version {version}; give "
            "dataset.id=..., or look both up on openml.org."
        )
    return int(found["did"].iloc[0])


def _fetch(openml: Any, openml_id: int, name: str) -> Download:
    get_dataset = functools.partial(openml.datasets.get_dataset, openml_id)
    with _explained(openml, name, f"dataset {openml_id}"):
        _within(DESCRIPTION_SECONDS, functools.partial(get_dataset, download_data=False))
        dataset = get_dataset(download_data=True)

    path = Path(dataset.data_file)
    arff = path.read_bytes()
    md5 = hashlib.md5(arff, usedforsecurity=False).hexdigest()
    if dataset.md5_checksum and md5 != dataset.md5_checksum.lower():
        raise UserError(
            f"The cached file {path} is damaged: it differs from the md5 in OpenML's description; "
            "delete it and run again."
        )
    dropped = [dataset.row_id_attribute, *(dataset.ignore_attribute or [])]
    return Download(
        arff=arff,
        target=dataset.default_target_attribute,
        # OpenML gives several names as one string with commas.
        dropped=tuple(part.strip() for entry in dropped if entry for part in entry.split(",")),
    )


@contextlib.contextmanager
def _explained(openml: Any, name: str, which: str) -> Iterator[None]:
    """Turn what the client raises into one sentence on what it did not get."""
    import requests

    try:
        yield
    except openml.exceptions.OpenMLHashException as exc:
        raise UserError(
            f"The download of {name} ({which}) differs from the md5 in OpenML's "
            "description, so it was damaged on the way; run again, or name a folder that holds "
            "the ARFF files (data_dir=... or AUTOSMOTE_DATA_DIR)."
        ) from exc
    except openml.exceptions.OpenMLServerException as exc:
        raise UserError(
            f"OpenML does not give out {name} ({which}: {exc.message}); {REMEDIES}."
        ) from exc
    except (
        requests.RequestException,
        openml.exceptions.PyOpenMLError,
        TimeoutError,
        RuntimeError,
        KeyError,  # raised by the client for a page that is not OpenML's, such as a proxy's
        TypeError,
        ValueError,
    ) as exc:
        raise UserError(
            f"OpenML did not deliver {name} ({which}, {type(exc).__name__}); {REMEDIES}."
        ) from exc


def _within(seconds: float, call: Callable[[], T]) -> T:
    """Return ``call()``; raise TimeoutError if it takes longer.

    A name lookup can block for minutes and cannot be interrupted, so it runs in a daemon thread,
    which does not keep the process alive.
    """
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["value"] = call()
        except BaseException as exc:
            outcome["error"] = exc

    thread = threading.Thread(target=run, name="openml-description", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


@contextlib.contextmanager
def _client(cache_dir: str | Path | None) -> Iterator[Any]:
    """Yield the openml package with the settings for one fetch; restore its own afterwards."""
    # The client reads it at each call, and without it tries a MinIO server over HTTP first.
    os.environ["OPENML_SKIP_PARQUET"] = "true"
    import openml
    import requests
    from openml import _api_calls

    class TimedSession(requests.Session):
        def request(self, *args: Any, **kwargs: Any) -> requests.Response:
            kwargs["timeout"] = (CONNECT_SECONDS, READ_SECONDS)
            return super().request(*args, **kwargs)

    # The client has no setting for a timeout: its `requests` is replaced by one with timeouts.
    timed_requests = types.ModuleType("requests")
    vars(timed_requests).update(vars(requests))
    timed_requests.Session = TimedSession  # type: ignore[attr-defined]

    config = openml.config
    before = (config._root_cache_directory, config.retry_policy, config.connection_n_retries)
    root_logger = logging.getLogger()
    # The client warns on the root logger for each response without gzip; without a handler there,
    # logging.warning() would install one permanently.
    handler = logging.NullHandler()
    try:
        _api_calls.requests = timed_requests
        config.set_retry_policy("human", ATTEMPTS)
        if cache_dir is not None:
            config.set_root_cache_directory(str(Path(cache_dir).expanduser().resolve()))
        root_logger.addHandler(handler)
        root_logger.addFilter(_is_not_gzip_warning)
        yield openml
    finally:
        _api_calls.requests = requests
        config._root_cache_directory, config.retry_policy, config.connection_n_retries = before
        root_logger.removeHandler(handler)
        root_logger.removeFilter(_is_not_gzip_warning)


def _is_not_gzip_warning(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Received uncompressed content from OpenML")
