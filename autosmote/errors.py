"""What a mistake of the user raises, and an interruption that must not pass for a failure."""

from collections.abc import Generator
from contextlib import contextmanager


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
