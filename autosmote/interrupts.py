"""Let signals that end a job wait while what it has is being written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
        """Handle the first signal that has waited, and those that come from here on at once."""
        handlers, self._handlers = self._handlers, {}
        for number, handler in handlers.items():
            signal.signal(number, handler)
        waiting, self._waiting = self._waiting, []
        if waiting:
            number, frame = waiting[0]
            handlers[number](number, frame)

    @contextmanager
    def released(self) -> Iterator[None]:
        """Handle signals at once during the block."""
        self.release()
        try:
            yield
        finally:
            self.hold()


@contextmanager
def interrupts_held() -> Iterator[HeldInterrupts]:
    """Let signals wait until the block has ended."""
    held = HeldInterrupts()
    held.hold()
    try:
        yield held
    finally:
        held.release()
