"""Define user errors, let interruptions through, and describe errors without private names."""

import getpass
import os
import platform
import re
import traceback
import warnings
from collections.abc import Generator, Iterable
from contextlib import contextmanager

_WORD = r"[^\s'\":,;()<>/\\]+"
_PATH = re.compile(
    # An absolute path on POSIX or Windows, but not `n_min/n_maj` or a URL of another kind.
    r"((?:file:/{1,3}|(?<![\w./\\])(?:[A-Za-z]:)?(?:\\\\|(?<!:)//|[/\\](?!/)))"
    # Its folders, whose names may contain blanks, and the last part as far as its first blank.
    rf"(?:{_WORD}(?: {_WORD}){{0,3}}[/\\]+)*)({_WORD})?"
)
_HOMES = ("home", "users")
"""Folders whose folders are named by users."""
_MAX_LENGTH, _MAX_READ = 1000, 50_000
MAX_WARNINGS = 10


class UserError(Exception):
    """A mistake that the user can correct.

    The message is one sentence that says what is wrong and how to correct it. Commands print it
    without a traceback and exit with status 2.
    """


class UnreadableError(UserError):
    """What a run needs cannot be read: it says nothing about the run, which gets no record."""


class InputError(UserError, ValueError):
    """Invalid input to the sampler; also a ValueError, as scikit-learn's tools expect."""


def let_interrupts_through(error: BaseException) -> None:
    """Raise the KeyboardInterrupt that an exception was caused by, if any.

    To be called first in an ``except Exception`` block that goes on. A Ctrl-C or a scheduler's
    signal that arrives in compiled code leaves it as a SystemError whose cause is the interrupt.
    Mistaken for a failure of the work, it would be recorded, and the work not repeated.

    Raises
    ------
    KeyboardInterrupt
        If it is among the causes of `error`.
    """
    cause: BaseException | None = error
    seen: set[int] = set()  # causes may form a cycle, as after `raise error from error`
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, KeyboardInterrupt):
            raise cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__


@contextmanager
def interrupts_let_through() -> Generator[None, None, None]:
    """Apply `let_interrupts_through` to exceptions of a block, and raise them again."""
    try:
        yield
    except Exception as error:
        let_interrupts_through(error)
        raise


def scrub(text: str) -> str:
    """Reduce absolute paths to their last part and replace user and host names by ``***``.

    The result is one line of valid Unicode.
    """
    text = valid(text[:_MAX_READ])
    for folder in {_working_folder(), os.path.expanduser("~")}:
        # First, since these folders' names may contain spaces, which the pattern does not match.
        if len(folder) > 1:
            text = text.replace(folder + os.sep, "")
    text = _PATH.sub(_last_part, text)
    for name in _names():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "***", text)
    return " ".join(text.split())[:_MAX_LENGTH]


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


def _last_part(path: re.Match[str]) -> str:
    folders = re.split(r"[/\\]+", path[1].rstrip("/\\"))
    return "***" if folders[-1].lower() in _HOMES else path[2] or ""


def valid(text: str) -> str:
    """Return a text without halves of surrogates, such as of a file name that is not UTF-8."""
    return text.encode(errors="replace").decode()


def shorten(text: str, length: int = 100) -> str:
    """Return a value for a message in one line, its middle left out where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length // 2]}…{text[-length // 2 :]}"


def describe_error(error: BaseException) -> str:
    """Return the error's class, scrubbed message, and module and line, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" (at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    try:
        message = scrub(str(error))
    except Exception:  # of a class of someone else's
        message = "its message cannot be made"
    return f"{type(error).__name__}: {message}{where}"


def describe_warnings(caught: Iterable[warnings.WarningMessage]) -> list[str]:
    """Return the category and scrubbed message of each distinct warning."""
    distinct = dict.fromkeys((w.category.__name__, str(w.message)) for w in caught)
    texts = [f"{name}: {scrub(text)}" for name, text in distinct]
    return list(dict.fromkeys(texts))[:MAX_WARNINGS]


def _names() -> list[str]:
    """Return the user and host name, where they are not common words."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # no name, as in some containers and on Windows
        user = ""
    # Short or common names would replace ordinary words.
    common = {"root", "user", "admin", "localhost"}
    return [n for n in (user, platform.node()) if len(n) > 2 and n.lower() not in common]
