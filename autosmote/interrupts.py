"""Let signals that end a job wait while what it has is being written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_NUMBERS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]  # not on Windows


class HeldInterrupts:
    """Signals with handlers of Python's, such as Ctrl-C, that wait until they are released."""

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._waiting: list[tuple[int, FrameType | None]] = []

    def hold(self) -> None:
        """Let signals wait from here on; only the main thread can."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _NUMBERS:
            if callable(handler := signal.getsignal(number)):
                self._handlers[number] = handler
                signal.signal(number, lambda *came: self._waiting.append(came))

    def release(self) -> None:
        """Handle the signals that have waited, until one raises, and further ones at once."""
        handlers, self._handlers = self._handlers, {}
        waiting, self._waiting = self._waiting, []
        with ExitStack() as all_of_them:  # though another signal may come meanwhile
            for number, handler in handlers.items():
                all_of_them.callback(signal.signal, number, handler)
        for number, frame in waiting:
            handlers[number](number, frame)

    @contextmanager
    def released(self) -> Iterator[None]:
        """Handle signals at once during the block, and let them wait after it."""
        try:
            self.release()
            yield
        finally:
            self.hold()


@contextmanager
def interrupts_held(*, at_once: bool = True) -> Iterator[HeldInterrupts]:
    """Let signals wait until the block has ended; else from the first `hold` in it."""
    held = HeldInterrupts()
    try:
        if at_once:
            held.hold()
        yield held
    finally:
        held.release()
