"""Hydra's command line, logging, signals and exit status, for all commands."""

import gc
import logging
import os
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from autosmote.config.explain import explain
from autosmote.config.names import CONF_DIR
from autosmote.config.schema import Config
from autosmote.config.texts import quote_texts
from autosmote.errors import UserError, describe_error
from autosmote.progress import logging_to_stderr

if TYPE_CHECKING:
    from omegaconf import DictConfig

logger = logging.getLogger("autosmote")

FAILED, MISTAKE, INTERRUPTED = 1, 2, 130
"""Exit statuses besides 0."""


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
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    arguments = list(arguments)
    with ExitStack() as stack:
        stack.enter_context(logging_to_stderr())
        stack.enter_context(sigterm_as_interrupt())
        notes = Path(stack.enter_context(_folder_for_notes(arguments)))
        flags = [word for word in arguments if word in ("-m", "--multirun")]
        if flags:
            # First, since Hydra's parser does not find settings on both sides of a flag.
            arguments = flags[:1] + [word for word in arguments if word not in flags]
            # Hydra writes a sweep's settings to a folder, which is not needed afterwards.
            arguments.append(f"hydra.sweep.dir='{notes}'")
        arguments = quote_texts(arguments, several=bool(flags))
        stack.enter_context(_as_command_line(arguments))

        def note(settings: "DictConfig") -> None:
            # By a file, since a launcher's process has no other way to report it and go on.
            status = _call(settings, schema, job)
            (notes / f"{uuid.uuid4().hex}.status").write_text(str(status))

        decorate = hydra.main(
            config_path=str(CONF_DIR), config_name=config_name, version_base="1.3"
        )
        try:
            decorate(note)()
        except (HydraException, OmegaConfBaseException) as error:
            print(f"autosmote: {explain(error, schema)}", file=sys.stderr)
            return MISTAKE
        except KeyboardInterrupt:
            print("autosmote: interrupted", file=sys.stderr)
            return INTERRUPTED
        except Exception as error:
            if not flags or _launcher(arguments) == "basic":
                raise
            print(f"autosmote: the launcher failed: {describe_error(error)}", file=sys.stderr)
            return FAILED
        return max((int(path.read_text()) for path in notes.glob("*.status")), default=0)


def end_process(status: int) -> NoReturn:
    """End the process with an exit status.

    The interpreter looks through all objects for garbage as it ends, which takes longer than a
    second once torch is imported; what is frozen is not looked through.
    """
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
        return job(OmegaConf.to_object(settings))
    except (OmegaConfBaseException, UserError) as error:
        sentence = error if isinstance(error, UserError) else explain(error, schema)
        print(f"autosmote: {sentence}", file=sys.stderr)
        return MISTAKE


def _launcher(arguments: Sequence[str]) -> str:
    given = [word for word in arguments if word.startswith("hydra/launcher=")]
    return given[-1].partition("=")[2] if given else "basic"


def _folder_for_notes(arguments: Sequence[str]) -> tempfile.TemporaryDirectory[str]:
    """Make a folder in which jobs note their exit status for this process.

    Where jobs may run on other machines, it lies beside the results, which these share.
    """
    parent = None
    if _launcher(arguments) not in ("basic", "joblib"):
        given = [word for word in arguments if word.startswith("results_dir=")]
        parent = os.path.abspath(given[-1].partition("=")[2] if given else Config.results_dir)
        os.makedirs(parent, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=".autosmote-", dir=parent)


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


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Handle SIGTERM, with which schedulers end a job, like Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
