"""Hydra's command line, logging, signals and exit status, for all commands."""

import gc
import io
import logging
import os
import re
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from autosmote import __version__
from autosmote.config.explain import explain, explain_file
from autosmote.config.flags import flags_first, read_flags
from autosmote.config.names import CONF_DIR
from autosmote.config.schema import Config
from autosmote.config.shapes import check_groups, check_kind, type_hints
from autosmote.config.texts import quote, quote_texts
from autosmote.errors import UserError, describe_error, shorten
from autosmote.isolation.local_jobs import end_local_jobs
from autosmote.printing import lenient_streams
from autosmote.progress import logging_to_stderr

if TYPE_CHECKING:
    from omegaconf import DictConfig

logger = logging.getLogger("autosmote")

FAILED, MISTAKE, INTERRUPTED = 1, 2, 130
"""Exit statuses besides 0; of an end by another signal than Ctrl-C, 128 and its number."""
_MAX_SENTENCE = 4000
_NAMED = re.compile(r"\$\{(\w+)")


def run_command(
    arguments: Sequence[str], config_name: str, schema: type[Any], job: Callable[[Any], int]
) -> int:
    """Compose the configuration of a command and do its job, or by -m several jobs.

    Parameters
    ----------
    arguments : sequence of str
        Overrides and flags of the command line.
    config_name : str
        Name of the file in conf/.
    schema : dataclass
        Schema of the configuration.
    job : callable
        Called with a `schema`; returns the exit status.

    Returns
    -------
    int
        The exit status: of several jobs the highest.
    """
    if "--version" in arguments:
        print(f"autosmote {__version__}")
        return 0
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    with ExitStack() as stack:
        stack.enter_context(logging_to_stderr())
        stack.enter_context(signals_as_interrupts())
        several = False
        try:
            check_groups(arguments)
            arguments = flags_first(arguments)
            flags = read_flags(arguments)
            several = flags.multirun
            arguments = quote_texts(arguments, schema, several=several)
            notes = stack.enter_context(_folder_for_notes(arguments))
            if several:
                # Hydra writes a sweep's settings to a folder, which is not needed afterwards.
                arguments.append(f"hydra.sweep.dir={quote(str(notes))}")
                if _launcher(arguments) == "submitit_local":
                    stack.callback(end_local_jobs)  # before the folder goes, where they write
            stack.enter_context(_as_command_line(arguments))

            def note(settings: "DictConfig") -> None:
                # By a file, since a launcher's process has no other way to report it and go on.
                status = _call(settings, schema, job)
                (notes / f"{uuid.uuid4().hex}.status").write_text(str(status))

            decorate = hydra.main(
                config_path=str(CONF_DIR), config_name=config_name, version_base="1.3"
            )
            # Hydra writes a line of its own on a package, before it exits.
            with redirect_stderr(io.StringIO()) if flags.package else nullcontext():
                decorate(note)()
        except UserError as error:
            return complain(error)
        except (HydraException, OmegaConfBaseException) as error:
            return complain(explain(error, schema))
        except SystemExit as ended:
            if not (ended.code and flags.package):
                raise
            return complain(
                f"There is no setting '{flags.package}' to show; --package takes one, such as "
                "clf or clf.params."
            )
        except RecursionError:
            return complain("The settings are nested too deeply.")
        except KeyboardInterrupt as interrupt:
            print("autosmote: interrupted", file=sys.stderr)
            return exit_status(interrupt)
        except Exception as error:
            if mistake := explain_file(error):
                return complain(mistake)
            if not several or _launcher(arguments) == "basic":
                raise
            print(f"autosmote: the launcher failed: {describe_error(error)}", file=sys.stderr)
            return FAILED
        statuses = [int(path.read_text()) for path in notes.glob("*.status")]
        if flags.runs and not statuses:
            return complain(
                "There is nothing to run: a range(...) or glob(...) has no values; correct it."
            )
        return max(statuses, default=0)


def complain(mistake: object) -> int:
    """Print a user's mistake in one line; return its exit status."""
    print(f"autosmote: {shorten(str(mistake), _MAX_SENTENCE)}", file=sys.stderr)
    return MISTAKE


def end_process(command: Callable[[], int]) -> NoReturn:
    """Do a command, and end the process with its exit status.

    Output that nobody reads, or that cannot be written, takes nothing from the command's work; the
    exit status is 2 where it could not be written.

    The interpreter looks through all objects for garbage as it ends, which takes longer than a
    second once torch is imported; what is frozen is not looked through.
    """
    with lenient_streams() as out:
        try:
            status = command()
        except SystemExit as ended:  # of Hydra, after its help
            if not isinstance(ended.code, int | None):
                raise
            status = ended.code or 0
        out.flush()
        if out.error is not None and not isinstance(out.error, BrokenPipeError):
            why = out.error.strerror or out.error
            complain(f"Standard output cannot be written ({why}); all else is done.")
            status = status or MISTAKE
    gc.disable()
    gc.freeze()
    sys.exit(status)


def key_values(
    arguments: Sequence[str], defaults: Mapping[str, str], command: str
) -> dict[str, str]:
    """Return settings that are written key=value, for a command that needs no more than that.

    Raises
    ------
    UserError
        For a word that is none of the settings of the `command`.
    """
    settings = dict(defaults)
    for argument in arguments:
        key, given, value = argument.partition("=")
        if not given or key not in settings:
            known = ", ".join(f"{name}=" for name in settings)
            raise UserError(f"'{argument}' is no setting of the {command}; there are {known}.")
        settings[key] = value
    return settings


def _call(settings: "DictConfig", schema: type[Any], job: Callable[[Any], int]) -> int:
    """Do one job of Hydra's; print what is wrong with the input. Returns the exit status."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        # Hydra adds to a schema whatever comes with a plus sign, such as a value that others name.
        given: Any = OmegaConf.to_container(settings)
        named = set(_NAMED.findall(str(given))) - set(type_hints(schema))
        check_kind({key: given[key] for key in given if key not in named}, schema, "")
        return job(OmegaConf.to_object(settings))
    except (OmegaConfBaseException, UserError) as error:
        return complain(error if isinstance(error, UserError) else explain(error, schema))


def _launcher(arguments: Sequence[str]) -> str:
    given = [word for word in arguments if word.startswith("hydra/launcher=")]
    return given[-1].partition("=")[2] if given else "basic"


@contextmanager
def _folder_for_notes(arguments: Sequence[str]) -> Iterator[Path]:
    """Make a folder in which jobs note their exit status for this process.

    Where jobs may run on other machines, it lies beside the results, which these share. What is
    made for it goes with it.

    Raises
    ------
    UserError
        If it cannot be made.
    """
    parent, made = None, []
    if _launcher(arguments) not in ("basic", "joblib"):
        parent = _results_dir(arguments).absolute()
        made = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    try:
        if parent:
            parent.mkdir(parents=True, exist_ok=True)
        # A job's process that is about to end may still write there.
        notes = tempfile.TemporaryDirectory(
            prefix=".autosmote-", dir=parent, ignore_cleanup_errors=True
        )
    except OSError as error:
        place, setting = ("results", "results_dir=") if parent else ("temporary files", "TMPDIR")
        raise UserError(
            f"The folder of the {place}, where runs note how they ended, cannot be written "
            f"({error.strerror}); give another one with {setting}."
        ) from error
    try:
        with notes as name:
            yield Path(name)
    finally:
        with suppress(OSError):  # it has records by now, or another process's
            for folder in made:
                folder.rmdir()


def _results_dir(arguments: Sequence[str]) -> Path:
    """Return the folder of the results; the first, where several are given."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import ChoiceSweep

    given: Any = None
    for word in arguments:
        if word.startswith("results_dir="):
            given = OverridesParser.create().parse_override(word).value()
    if isinstance(given, ChoiceSweep):
        given = given.list[0]
    return Path(given if isinstance(given, str) else Config.results_dir)


@contextmanager
def _as_command_line(arguments: list[str]) -> Iterator[None]:
    """Pass Hydra its arguments, and make it raise its errors instead of printing them."""
    argv, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [argv[0], *arguments]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = argv
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error


class Ended(KeyboardInterrupt):
    """A signal that ends the work like Ctrl-C, with the best so far kept."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def exit_status(interrupt: KeyboardInterrupt) -> int:
    """Return the exit status after an interrupt: as a shell has it, 128 and the signal's number."""
    cause: BaseException | None = interrupt
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:  # a search raises another with its result
        if isinstance(cause, Ended):
            return 128 + cause.number
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return INTERRUPTED


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Handle the signals with which schedulers and terminals end a job like Ctrl-C.

    These are SIGTERM, and SIGHUP unless it is ignored, as under nohup. After the first one further
    ones are ignored, so that what there is can be written.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        for number_ in previous:
            signal.signal(number_, signal.SIG_IGN)
        raise Ended(number)

    previous = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            previous[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
