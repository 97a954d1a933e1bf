"""How far a search or a comparison is: a bar on a terminal, quiet log lines elsewhere."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self, TextIO

logger = logging.getLogger("autosmote")

_SECONDS_BETWEEN_LINES = 30.0
_SHARE_BETWEEN_LINES = 0.1


@contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Show what is logged, for as long as the block lasts."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


class _Meter:
    """A context manager with a bar on a terminal, and the rule for when a line is due.

    Parameters
    ----------
    total : int
    what, unit : str
        What is counted, for the bar.
    stream : file, optional
        Where a bar goes if it is a terminal; standard error by default.
    """

    def __init__(self, total: int, what: str, unit: str, stream: TextIO | None) -> None:
        self._total, self._what, self._unit = total, what, unit
        self._stream = sys.stderr if stream is None else stream
        self._bar: Any = None
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        self._last_time = time.monotonic()
        self._last_line = 0
        if self._stream.isatty():
            from tqdm import tqdm
            from tqdm.contrib.logging import logging_redirect_tqdm

            # A search within a comparison has a bar below, which goes when it is done.
            bar = tqdm(
                total=self._total, desc=self._what, unit=self._unit, file=self._stream, leave=None
            )
            self._bar = self._cleanup.enter_context(bar)
            self._cleanup.enter_context(logging_redirect_tqdm([logger]))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    def _line_is_due(self, done: int) -> bool:
        now = time.monotonic()
        enough = done - self._last_line >= _SHARE_BETWEEN_LINES * self._total
        if enough or now - self._last_time >= _SECONDS_BETWEEN_LINES or done == self._total:
            self._last_line, self._last_time = done, now
            return True
        return False


class Progress(_Meter):
    """A context manager whose `update` is a search's `on_iteration`.

    Parameters
    ----------
    total : int
        Iterations in all.
    metric : str
        The name of what is being maximised on validation.
    stream : file, optional
        Where a bar goes if it is a terminal; standard error by default.
    """

    def __init__(self, total: int, metric: str, stream: TextIO | None = None) -> None:
        super().__init__(total, "search", "it", stream)
        self._metric = metric
        self._first_time: float | None = None

    def update(self, iteration: int, reward: float, best: float) -> None:
        """Show one more iteration (1-based) and the best validation score so far."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"best {self._metric} {best:.4f}", refresh=False)
            self._bar.update(iteration - self._bar.n)
            return
        now = time.monotonic()
        if self._first_time is None:
            # The rate counts from here: before it, the data were prepared and code compiled.
            self._first_time = now
        if self._line_is_due(iteration):
            line = f"search: {iteration}/{self._total} iterations"
            line += f", best validation {self._metric} {best:.4f}"
            if iteration > 1:
                rate = (iteration - 1) / max(now - self._first_time, 1e-9)
                line += f", {rate:.1f} it/s, {(self._total - iteration) / rate:.0f} s to go"
            logger.info("%s", line)


class UnitProgress(_Meter):
    """How many units of work are done, failed and left, and the time to go.

    Parameters
    ----------
    total : int
        Units to do.
    stream : file, optional
    """

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        super().__init__(total, "samplers", "sampler", stream)
        self._done = self._failed = 0

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        return super().__enter__()

    def begin(self, name: str) -> None:
        """Say which unit is worked on."""
        if self._bar is not None:
            self._show(name)

    def end(self, *, failed: bool) -> None:
        """Count a unit."""
        self._done += 1
        self._failed += failed
        if self._bar is not None:
            self._show("")
            self._bar.update()
        elif self._line_is_due(self._done):
            left = self._total - self._done
            line = f"samplers: {self._done}/{self._total} done, {self._failed} failed, {left} left"
            if left:
                seconds = (time.monotonic() - self._started) / self._done * left
                line += f", about {seconds:.0f} s to go"
            logger.info("%s", line)

    def _show(self, name: str) -> None:
        failed = f"{self._failed} failed" if self._failed else ""
        self._bar.set_postfix_str(", ".join(filter(None, (failed, name))))
