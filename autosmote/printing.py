"""Standard output and error to which a print succeeds, whatever becomes of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO


class Lenient:
    """A stream that work does not depend on.

    Letters that its encoding lacks are escaped. Where it cannot be written, as a pipe that nobody
    reads any more or a file on a full disk, the rest goes nowhere.

    Parameters
    ----------
    stream : text file

    Attributes
    ----------
    error : OSError or None
        Why it can be written no more.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except UnicodeEncodeError:
            encoding = self._stream.encoding
            return self.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.error = self.error or error
        with suppress(OSError):  # what is in its buffer has to go somewhere, too
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def lenient_streams() -> Iterator[Lenient]:
    """Make this process's standard output and error lenient, where closed too; yield the output."""
    with ExitStack() as stack:
        out, errors = (
            Lenient(stream or stack.enter_context(_nowhere(descriptor)))
            for descriptor, stream in ((1, sys.stdout), (2, sys.stderr))
        )
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(errors))
        yield out


@contextmanager
def _nowhere(descriptor: int) -> Iterator[TextIO]:
    """Open a stream that goes nowhere, as a closed descriptor, which child processes have too."""
    with open(os.devnull, "w") as stream:
        if stream.fileno() == descriptor:
            os.set_inheritable(descriptor, True)
        else:
            try:
                os.fstat(descriptor)  # a file that was opened since may have it
            except OSError:
                os.dup2(stream.fileno(), descriptor)
        yield stream
