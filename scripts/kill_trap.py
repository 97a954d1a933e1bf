"""A layer over the file system that kills a process just before a file is moved into place."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Loaded by every Python process of a command before anything else. It knows which files were
# synced: each file that is moved into place before its bytes were is noted, as a power cut could
# leave its name without them. Each move is noted, too.
_TRAP = """
import os, random, signal
_fsync, _replace = os.fsync, os.replace
_log, _share = os.environ["TRAP_LOG"], float(os.environ["TRAP_SHARE"])
_endings = tuple(filter(None, os.environ["TRAP_ENDINGS"].split(":")))
_watched = tuple(filter(None, os.environ["TRAP_WATCHED"].split(":")))
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
    is_synced = state(os.stat(source)) in _synced
    _replace(source, target, **kwargs)
    if name.endswith(_watched):
        note(".moved", str(target))
        if not is_synced:
            note(".unsynced", str(target))

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
    watched : sequence of str
        Endings of the names of files whose moves are noted.
    sabotage : str
        "fsync": what a process calls to sync does nothing.
    """

    def __init__(self, folder: Path, watched: Sequence[str] = (), sabotage: str = "") -> None:
        self._site, self._log = folder / "site", folder / "log"
        self._watched, self._sabotage = watched, sabotage
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
            "TRAP_WATCHED": ":".join(self._watched),
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

    def _noted(self, name: str) -> list[str]:
        path = Path(f"{self._log}{name}")
        return path.read_text().splitlines() if path.exists() else []
