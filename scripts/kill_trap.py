"""A layer over the file system that kills a process just before a file is moved into place."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

GRACE = 5.0
"""Seconds in which the processes of a command that has ended have to end."""

# Loaded by every Python process of a command before anything else. It knows which files were
# synced: each file that is moved into place before its bytes were is noted, as a power cut could
# leave its name without them. Each move is noted, too, and, before it, since a kill may come
# between them, the state of the file that is moved.
_TRAP = """
import os, random, signal
_fsync, _replace = os.fsync, os.replace
_log, _share = os.environ["TRAP_LOG"], float(os.environ["TRAP_SHARE"])
_endings = tuple(filter(None, os.environ["TRAP_ENDINGS"].split(":")))
_watched = os.environ["TRAP_WATCHED"]
_synced = set()

def state(found):
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

def note(ending, text):
    with open(_log + ending, "a") as log:
        log.write(text + "\\n")

def fsync(fd):
    _fsync(fd)
    _synced.add(state(os.fstat(fd)))

def replace(source, target, **kwargs):
    name = os.path.basename(str(target))
    if name.endswith(_endings) and random.SystemRandom().random() < _share:
        half = random.SystemRandom().random() < 0.5
        if half:
            os.truncate(source, os.path.getsize(source) // 2)
        note(".fell", "half-written" if half else "written, not in place")
        with open(_log + ".pid") as file:
            os.kill(int(file.read()), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    found, place = os.stat(source), os.path.realpath(target)
    is_watched = bool(_watched) and place.startswith(_watched + os.sep)
    if is_watched:
        note(".written", f"{found.st_ino} {found.st_size} {found.st_mtime_ns} {place}")
    _replace(source, target, **kwargs)
    if is_watched:
        note(".moved", place)
        if state(found) not in _synced:
            note(".unsynced", place)

os.fsync, os.replace = fsync, replace
if os.environ["TRAP_SABOTAGE"] == "fsync":
    os.fsync = lambda fd: None
"""


class Trap:
    """What the processes of a command are to do where they move a file into place.

    Parameters
    ----------
    folder : Path
        A new one, for what the trap notes.
    watched : Path, optional
        A folder; moves of files to places below it are noted.
    sabotage : str
        "fsync": what a process calls to sync does nothing.
    """

    def __init__(self, folder: Path, watched: Path | None = None, sabotage: str = "") -> None:
        self._site, self._log = folder / "site", folder / "log"
        self._watched = os.path.realpath(watched) if watched else ""
        self._sabotage = sabotage
        self._site.mkdir(parents=True)
        (self._site / "sitecustomize.py").write_text(_TRAP)

    def set(self, endings: Sequence[str] = (), share: float = 1.0) -> dict[str, str]:
        """Return the environment of a command that is killed at this share of moves.

        Parameters
        ----------
        endings : sequence of str
            Of the names of the files moved; without any it is not killed.
        share : float
        """
        for name in (".fell", ".pid"):
            Path(f"{self._log}{name}").unlink(missing_ok=True)
        return os.environ | {
            "PYTHONPATH": os.pathsep.join([str(self._site), str(ROOT)]),
            "TRAP_LOG": str(self._log),
            "TRAP_ENDINGS": ":".join(endings),
            "TRAP_SHARE": str(share),
            "TRAP_WATCHED": self._watched,
            "TRAP_SABOTAGE": self._sabotage,
        }

    def tell(self, pid: int) -> None:
        """Say which process is killed with the one that moves the file: the command's first."""
        Path(f"{self._log}.pid").write_text(str(pid))

    def fell(self) -> str:
        """Return how the file was that was not moved, or "" where nothing was killed."""
        return next(iter(self._noted(".fell")), "")

    def unsynced(self) -> list[Path]:
        """Return the watched files that were moved into place before their bytes were synced."""
        return [Path(line) for line in self._noted(".unsynced")]

    def moved(self) -> list[Path]:
        """Return the watched files that were moved into place, each as often as it was."""
        return [Path(line) for line in self._noted(".moved")]

    def in_place(self, paths: Iterable[Path]) -> list[Path]:
        """Return those files below the watched folder that are not as one was moved to them."""
        moved = set(self._noted(".written"))
        return [path for path in paths if _state(path) not in moved]

    def count_left(self) -> int:
        """Return how many processes with the trap are there after the grace."""
        until = time.monotonic() + GRACE
        while (left := self._alive()) and time.monotonic() < until:
            time.sleep(0.05)
        return left

    def _alive(self) -> int:
        mark = f"TRAP_LOG={self._log}".encode()
        alive = 0
        for path in Path("/proc").glob("[0-9]*"):
            try:
                has_ended = (path / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
                alive += mark in (path / "environ").read_bytes().split(b"\0") and not has_ended
            except OSError:  # it ended meanwhile, or is another's
                continue
        return alive

    def _noted(self, name: str) -> list[str]:
        path = Path(f"{self._log}{name}")
        return path.read_text().splitlines() if path.exists() else []


def _state(path: Path) -> str:
    found = path.stat()
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns} {os.path.realpath(path)}"
