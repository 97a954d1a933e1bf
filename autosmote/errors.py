"""Errors of the user, interruptions, and error texts without private names."""

import getpass
import os
import platform
import re
import traceback
import warnings
from collections.abc import Generator, Iterable
from contextlib import contextmanager

# An absolute path on POSIX or Windows; `n_min/n_maj` and URLs are none.
_PATH = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:)?[/\\](?:[^\s'\":,;()<>/\\]+[/\\])*")
_MAX_LENGTH = 1000
MAX_WARNINGS = 10


class UserError(Exception):
    """A mistake that the user can repair.

    The message is one clear sentence that says what is wrong and what to do about it.
    The command prints it without a traceback and exits with status 2.
    """


class InputError(UserError, ValueError):
    """A mistake in what was given to the sampler; scikit-learn's tools expect a ValueError."""


def let_interrupts_through(error: BaseException) -> None:
    """What to call first where any exception is caught and the work goes on.

    A Ctrl-C, or the signal of a scheduler, that falls into compiled code comes out of it as a
    SystemError with the interrupt as its cause. Taken for a failure of the work, it would be on
    record, and would not be done again.

    Raises
    ------
    KeyboardInterrupt
        If that is where `error` came from.
    """
    cause: BaseException | None = error
    seen: set[int] = set()  # causes may go round: `raise error from error` is no mistake to Python
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, KeyboardInterrupt):
            raise cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__


@contextmanager
def interrupts_let_through() -> Generator[None, None, None]:
    """Like `let_interrupts_through`, for a block whose caller tells interrupts from failures."""
    try:
        yield
    except Exception as error:
        let_interrupts_through(error)
        raise


def scrub(text: str) -> str:
    """Cut absolute paths down to their last part and blank out user and host names."""
    for folder in {os.getcwd(), os.path.expanduser("~")}:
        # First, because a known folder may hold spaces, which the pattern below cannot see.
        if len(folder) > 1:
            text = text.replace(folder + os.sep, "")
    text = _PATH.sub("", text)
    for name in _names():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "***", text)
    return text[:_MAX_LENGTH]


def describe_error(error: BaseException) -> str:
    """One line: the error's class, its scrubbed message, and the module and line it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" (at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    message = " ".join(scrub(str(error)).split())
    return f"{type(error).__name__}: {message}{where}"


def describe_warnings(caught: Iterable[warnings.WarningMessage]) -> list[str]:
    """What was warned of: the category and the scrubbed message, each text once."""
    distinct = dict.fromkeys((w.category.__name__, str(w.message)) for w in caught)
    texts = [f"{name}: {' '.join(scrub(text).split())}" for name, text in distinct]
    return list(dict.fromkeys(texts))[:MAX_WARNINGS]


def _names() -> list[str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no entry for the user's id, as in some containers
        user = ""
    # Short or everyday names would blank out ordinary words.
    everyday = {"root", "user", "admin", "localhost"}
    return [n for n in (user, platform.node()) if len(n) > 2 and n.lower() not in everyday]
