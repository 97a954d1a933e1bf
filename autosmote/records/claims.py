"""Claim runs, so that no two processes work on one.

A claim is a lock on one byte of a file in the results folder. The OS releases the lock when the
process exits, so locks never go stale; file systems that several machines share (NFS) have such
locks too. A lock belongs to a process: a forked child does not inherit it.
"""

from __future__ import annotations

import errno
import fcntl
import functools
import hashlib
import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

from autosmote.errors import UserError

logger = logging.getLogger("autosmote")

_FILE = ".claims"
_POLL = 0.5
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def claim(results_dir: str | Path, keys: Iterable[str]) -> Iterator[bool]:
    """Claim runs by their keys for the block; yield False where another process has one of them.

    Raises
    ------
    UserError
        Where the file of claims cannot be opened.
    """
    with ExitStack() as held:
        yield _claim(os.path.abspath(results_dir), sorted(map(_place, keys)), held)


@contextmanager
def wait_for_claim(results_dir: str | Path, keys: Iterable[str]) -> Iterator[None]:
    """Claim runs as soon as no other process has one of them."""
    keys, told = list(keys), False
    while True:
        with claim(results_dir, keys) as mine:
            if mine:
                yield
                return
        if not told:
            logger.info("Another process works on this now; waiting for it to end.")
            told = True
        time.sleep(_POLL)


def leave_no_trace(results_dir: str | Path) -> None:
    """Remove the results folder where it holds nothing but the file of claims, all free."""
    folder = Path(os.path.abspath(results_dir))
    if folder.is_dir() and [path.name for path in folder.iterdir()] == [_FILE]:
        with suppress(OSError):
            fd = _open(str(folder), os.getpid())
            # All of the file: refused while any other process has a claim.
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_in(str(folder), fd):
                (folder / _FILE).unlink(missing_ok=True)
                _open.cache_clear()  # the next claim needs a new file
                folder.rmdir()


def is_claimed(results_dir: str | Path, key: str) -> bool:
    """Return whether another process works on a run; none does where nothing can be written."""
    try:
        with claim(results_dir, [key]) as mine:
            return not mine
    except UserError:
        return False


def _claim(folder: str, places: Sequence[int], held: ExitStack) -> bool:
    """Lock places, and have `held` unlock them; return whether no other process has one of them.

    They are locked in one order everywhere, or two processes could each hold what the other lacks,
    and in the file that is in the folder now: one that was removed with the folder since this
    process opened it has locks that nobody sees.
    """
    while True:
        try:
            fd = _open(folder, os.getpid())
        except OSError as error:
            raise UserError(
                f"The file {_FILE} of the results folder cannot be opened ({error.strerror}); give "
                "another folder with results_dir=, or remove the file while no sweep is at work."
            ) from error
        mine = True
        for place in places:
            found = _lock(fd, place)
            if found == "held":
                held.callback(fcntl.lockf, fd, fcntl.LOCK_UN, 1, place)
            elif found == "taken":
                mine = False
                break
        if _is_in(folder, fd):
            return mine
        held.close()
        _open.cache_clear()


def _is_in(folder: str, fd: int) -> bool:
    """Return whether a descriptor is of the file of claims that the folder has now."""
    try:
        return os.path.samestat(os.stat(os.path.join(folder, _FILE)), os.fstat(fd))
    except FileNotFoundError:
        return False


def _lock(fd: int, place: int) -> Literal["held", "taken", "none"]:
    """Try to lock a byte; "none" where the file system has no locks, which cannot be let go of."""
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, by system
        return "taken"
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        _warn_once()
        return "none"
    return "held"


@functools.cache
def _warn_once() -> None:
    logger.warning(
        "The file system of the results has no locks: do not start two sweeps on it at once."
    )


def _place(key: str) -> int:
    """Return the place of a run's byte: 62 bits, so that two runs hardly ever share one."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) >> 2


@functools.cache
def _open(results_dir: str, pid: int) -> int:
    """Open the file once per process: closing any descriptor of it would drop all its locks."""
    folder = Path(results_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / _FILE, os.O_RDWR | os.O_CREAT, 0o666)
