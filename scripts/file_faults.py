"""A layer over the file system that lets writes fail, and every command's writes in turn.

    python scripts/file_faults.py

Each command is given in this process, with a layer over what it does with files: makes, writes,
syncs, moves, removes, and makes folders. It is given once for each of these operations and each
fault, which begins there:

    full       the disk is full from there on; files can be removed
    broken     that operation alone fails, as a bad block does
    read-only  nothing can be changed from there on

After each, the command is given once more, undisturbed. Counted are

    lost         outputs that hold neither what they held before nor a whole new file
    said         faults without one sentence and exit status 2, unless all was written
    left over    files that are there and are not an undisturbed command's, but for hidden ones
                 beside an output where files could not be removed
    different    outputs of the second command that differ from an undisturbed one's

Exit status 0 if all are zero.
"""

from __future__ import annotations

import argparse
import builtins
import contextlib
import errno
import io
import os
import shutil
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import kill_commands
from reliability_tables import add_row
from whole_files import MISSING, TORN, content, refuse_torn

from autosmote.atomic import TEMPORARY

FULL, BROKEN, READ_ONLY = "full", "broken", "read-only"
_ERRORS = {FULL: errno.ENOSPC, BROKEN: errno.EIO, READ_ONLY: errno.EROFS}
_REMOVE = "remove"
FAULTS = ("lost", "said", "left over", "different")


class FaultyFiles:
    """A layer over the operations that change files below a folder, one of which begins a fault.

    Parameters
    ----------
    folder : Path
    fault : str, optional
        Without one nothing fails.
    begins : int
        Number of the operation at which the fault begins, from 0.

    Attributes
    ----------
    operations : list of str
        What was done, and with which file.
    """

    def __init__(self, folder: Path, fault: str = "", begins: int = 0) -> None:
        self._folder, self.fault, self._begins = f"{folder.resolve()}{os.sep}", fault, begins
        self.operations: list[str] = []
        self._process = os.getpid()

    def do(self, what: str, path: object) -> None:
        """Note an operation; raise OSError where it fails."""
        name = os.path.join(os.getcwd(), os.fsdecode(path))  # type: ignore[arg-type]
        if os.getpid() != self._process or not f"{name}{os.sep}".startswith(self._folder):
            return
        number = len(self.operations)
        self.operations.append(f"{what} {name.removeprefix(self._folder)}")
        begins = number == self._begins if self.fault == BROKEN else number >= self._begins
        if self.fault and begins and not (self.fault == FULL and what == _REMOVE):
            error = _ERRORS[self.fault]
            raise OSError(error, os.strerror(error), name)

    @contextlib.contextmanager
    def laid(self) -> Iterator[None]:
        """Lay it over this process's file system."""
        with contextlib.ExitStack() as patches:
            for module, name, replacement in (
                *((module, "open", self._open) for module in (builtins, io)),
                (os, "open", _fails_first(os.open, self._before_os_open)),
                (os, "fsync", _fails_first(os.fsync, lambda fd: self.do("sync", _path_of(fd)))),
                *(
                    (os, name, _fails_first(getattr(os, name), self._before(what)))
                    for name, what in (
                        *(("replace", "move"), ("rename", "move"), ("mkdir", "make folder")),
                        *(("unlink", _REMOVE), ("remove", _REMOVE), ("rmdir", _REMOVE)),
                        *(("link", "link"), ("symlink", "link"), ("truncate", "write")),
                    )
                ),
            ):
                patches.enter_context(mock.patch.object(module, name, replacement))
            yield

    def _before(self, what: str) -> Callable[..., None]:
        def note(path: Any, *others: Any, **options: Any) -> None:
            if options.get("dir_fd") is None:
                self.do(what, others[0] if what in ("move", "link") else path)

        return note

    def _before_os_open(self, path: Any, flags: int, *_: Any, **options: Any) -> None:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and options.get("dir_fd") is None:
            self.do("open", path)

    def _open(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        writes = bool(set(mode) & set("wxa+"))
        if not writes or isinstance(file, int) or opener is not None or buffering >= 0:
            given = (mode, buffering, encoding, errors, newline, closefd, opener)
            return _real_open(file, *given)
        self.do("open", file)
        raw = _FaultyFile(self, file, mode.replace("t", "").replace("b", ""))
        of_bytes = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return of_bytes if "b" in mode else io.TextIOWrapper(of_bytes, encoding, errors, newline)


_real_open = io.open


class _FaultyFile(io.FileIO):
    def __init__(self, layer: FaultyFiles, file: Any, mode: str) -> None:
        super().__init__(file, mode)
        self._layer = layer

    def write(self, data: Any) -> int:
        self._layer.do("write", self.name)
        return super().write(data)


def _fails_first(function: Callable[..., Any], before: Callable[..., None]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        before(*arguments, **options)
        return function(*arguments, **options)

    return call


def _path_of(fd: int) -> str:
    return os.readlink(f"/proc/self/fd/{fd}")


@dataclass(frozen=True)
class Command:
    """A command of the project, given in this process.

    Attributes
    ----------
    main : str
        Module of its function `main`.
    arguments : sequence of str
    before : sequence of Command
        What was done in its folder before.
    """

    main: str
    arguments: Sequence[str]
    before: Sequence[Command] = ()

    def __call__(self) -> tuple[int, str]:
        """Return the exit status, and what was said on standard error."""
        from importlib import import_module

        said = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            code = import_module(self.main).main(list(self.arguments))
        return code, said.getvalue()


def _of_own_table(name: str) -> Command:
    """Return one of `kill_commands`, short and in one process."""
    arguments = list(kill_commands.COMMANDS[name].arguments)
    if "--iterations" in arguments:
        arguments[arguments.index("--iterations") + 1] = "3"
        arguments += ["--jobs", "1"]
    if "--methods" in arguments:  # as many as there are, without a search
        arguments[arguments.index("--methods") + 1] = "as it is;class weights;random over-sampling"
    return Command("autosmote.__main__", arguments)


_RUN = Command(
    "autosmote.__main__",
    ["dataset=toy", "clf=dt", "search.iterations=3", "search.actors=0", "results_dir=results"],
)
_SWEEP = Command(
    "autosmote.sweep.command",
    ["experiment=table2", "budget=smoke", "samplers=[none,smote]", "metrics=[mcc]"]
    + ["workers=1", "results_dir=results"],
)
COMMANDS = {
    "run": _RUN,
    "run, forced": Command(_RUN.main, [*_RUN.arguments, "force=true"], [_RUN]),
    "sweep": _SWEEP,
    "reports": Command(
        "autosmote.reports.__main__", ["results_dir=results", "experiment=table2"], [_SWEEP]
    ),
    **{name: _of_own_table(name) for name in ("resample", "compare", "fit", "predict")},
}


class Trial:
    """A command in a copy of a folder.

    Parameters
    ----------
    name : str
        Of `COMMANDS`.
    folder : Path
        The copy; a new one, since a process opens the file of claims of a results folder once.
    template : Path
        As `prepare` leaves it.
    """

    def __init__(self, name: str, folder: Path, template: Path) -> None:
        self.command, self.folder = COMMANDS[name], folder
        shutil.copytree(template, folder)
        os.chdir(folder)
        self.before = self.files()

    def files(self) -> dict[str, object]:
        """Return what must be the same twice of every file, by name."""
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return {_named(str(path.relative_to(self.folder))): content(path) for path in sorted(paths)}


def prepare(name: str, folder: Path, fitted: bytes) -> Path:
    """Make a folder with what a command reads, and last week's outputs; return the folder.

    Parameters
    ----------
    name : str
        Of `COMMANDS`.
    folder : Path
    fitted : bytes
        A model for `predict`.
    """
    known = kill_commands.COMMANDS.get(name)
    kill_commands.make_folder(folder, known.outputs if known else (), fitted)
    os.chdir(folder)
    for command in COMMANDS[name].before:
        code, said = command()
        if code:
            raise SystemExit(f"what comes before {name} failed: {said}")
    return folder


def _named(name: str) -> str:
    """Return the name with the digits of a temporary file's replaced."""
    return TEMPORARY.sub(".temporary-", name)


def try_fault(trial: Trial, layer: FaultyFiles, whole: dict[str, object]) -> Counter[str]:
    """Give the command under the layer, then once more without; return counts of the faults."""
    try:
        with layer.laid():
            code, said = trial.command()
    except BaseException:  # a command's faults are what is counted
        code, said = -1, traceback.format_exc()
    made, before = trial.files(), trial.before
    # A picture that could not be made costs the picture alone.
    written = all(
        made.get(name, MISSING) == was for name, was in whole.items() if not _is_picture(name)
    )
    last = (said.splitlines() or [""])[-1]
    told = code == 2 and last.startswith("autosmote: ") and "[Errno" not in last
    is_said = "Traceback" not in said and (told or (code == 0 and written))
    lost = [
        name
        for name, was in before.items()
        if made.get(name, MISSING) not in (was, whole.get(name))
    ] + [
        name
        for name, has in made.items()
        if has == TORN and name not in before and not _is_temporary(name)
    ]
    left = [
        name
        for name in made
        if name not in whole and name not in before and not _may_be_left(name, layer.fault)
    ]
    again_code, again_said = trial.command()
    again = trial.files()
    unlike = [
        name
        for name in {*again, *whole}
        if again.get(name, MISSING) != whole.get(name, MISSING)
        and not _may_be_left(name, layer.fault)
    ]
    counts = (len(lost), int(not is_said), len(left), len(unlike) + (again_code != 0))
    found = Counter(dict(zip(FAULTS, counts, strict=True)))
    if found.total():
        print(f"exit status {code}: {said}\nlost {lost}, left over {left}, different {unlike}")
        print(f"the second command: exit status {again_code}: {again_said}", flush=True)
    return found


def _is_picture(name: str) -> bool:
    return name.endswith((".png", ".svg"))


def _may_be_left(name: str, fault: str) -> bool:
    return _is_temporary(name) and fault != FULL


def _is_temporary(name: str) -> bool:
    return ".temporary-" in name


def try_command(
    name: str, faults: Sequence[str], every: int, folder: Path, fitted: bytes
) -> Iterator[tuple[str, int, Counter[str]]]:
    """Give a command under each fault; yield fault, number of operations and counts of faults."""
    template = prepare(name, folder / f"{name} template", fitted)
    undisturbed = Trial(name, folder / name, template)
    counting = FaultyFiles(undisturbed.folder)
    with counting.laid():
        code, said = undisturbed.command()
    if code:
        raise SystemExit(f"the undisturbed {name} failed: {said}")
    whole, numbers = undisturbed.files(), range(0, len(counting.operations), every)
    refuse_torn(undisturbed.before | whole)
    for fault in faults:
        found: Counter[str] = Counter()
        for begins in numbers:
            trial = Trial(name, folder / f"{name} {fault} {begins}", template)
            counts = try_fault(trial, FaultyFiles(trial.folder, fault, begins), whole)
            shutil.rmtree(trial.folder)
            if counts.total():
                what = counting.operations[begins]
                print(f"{name}, {fault} from {begins} ({what}): {dict(+counts)}", flush=True)
            found.update(counts)
        yield fault, len(numbers), found


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--command", choices=[*COMMANDS, "all"], default="all")
    parser.add_argument("--fault", choices=[*_ERRORS, "all"], default="all")
    parser.add_argument("--every", type=int, default=1, help="only every n-th operation")
    parser.add_argument("--results-dir", type=Path, help="where to add to the table of faults")
    arguments = parser.parse_args(argv)
    results = arguments.results_dir and arguments.results_dir.resolve()
    names = list(COMMANDS) if arguments.command == "all" else [arguments.command]
    faults = list(_ERRORS) if arguments.fault == "all" else [arguments.fault]
    here, bad = os.getcwd(), False
    try:
        with tempfile.TemporaryDirectory() as made:
            fitting = prepare("fit", Path(made) / "fitting", b"")
            code, said = COMMANDS["fit"]()
            if code:
                raise SystemExit(f"fit failed: {said}")
            fitted = (fitting / "model.joblib").read_bytes()
            for name in names:
                tried = try_command(name, faults, arguments.every, Path(made), fitted)
                for fault, n, found in tried:
                    counts = {what: found[what] for what in FAULTS}
                    print(f"{name}, {fault}: {n} operations, {counts}", flush=True)
                    bad |= any(counts.values())
                    if results:
                        row = {"command": name, "fault": fault, "operations": n, **counts}
                        add_row(results / "faults.csv", row, by=("command", "fault"), n_text=2)
    finally:
        os.chdir(here)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
