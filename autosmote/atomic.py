"""Write a file in one step: readers see the old one or the new one, whole."""

import errno
import os
import re
import stat
import tempfile
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_LONGEST = 200
"""Bytes of a name that a temporary one may hold, as systems have 255 for all of it."""

TEMPORARY = re.compile(r"\.[0-9a-f]{32}-")
"""What the names of temporary files begin with."""


def is_temporary(path: Path) -> bool:
    """Return whether a file is one that `write_file` was to move into place."""
    return TEMPORARY.match(path.name) is not None


def write_file(path: Path, write: Callable[[Path], object], *, follow: bool = False) -> None:
    """Let `write` fill a temporary file beside `path`, then move it there in one step.

    The temporary file's name begins with a point, 32 hexadecimal digits and a hyphen. The
    permissions of an older file stay. A link is replaced, so that what others share by it stays as
    it is; if `follow`, it stays, and what it leads to is replaced.

    Raises
    ------
    OSError
        As `write` or the file system do; for what is no file, such as a device.
    """
    # The ending that is given stays, since some writers choose a format by it.
    is_long = len(os.fsencode(path.name)) > _LONGEST
    name = path.name[-_LONGEST // 4 :] if is_long else path.name
    if follow and path.is_symlink():
        path = Path(os.path.realpath(path))
    older = None if path.is_symlink() or not path.exists() else path.stat()
    if older and not (stat.S_ISREG(older.st_mode) or stat.S_ISDIR(older.st_mode)):
        raise OSError(errno.EINVAL, "it is no file")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}-{name}")
    try:
        write(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())  # or a power cut could leave the name without the content
        if older:
            with suppress(OSError):  # of a file system that has none
                os.chmod(temporary, stat.S_IMODE(older.st_mode))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def try_to_write(folder: Path, n_bytes: int) -> None:
    """Write a file of some bytes to a folder, and leave nothing there.

    Raises
    ------
    OSError
        If that fails.
    """
    # A file without a name, where the system has such: a kill leaves nothing of it.
    with tempfile.TemporaryFile(dir=folder, prefix=".autosmote-") as probe:
        probe.write(bytes(n_bytes))
        probe.flush()
        os.fsync(probe.fileno())  # a full disk may show only now
