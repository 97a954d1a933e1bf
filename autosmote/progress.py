"""Show the progress of a search or of units: a bar on a terminal, log lines elsewhere."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TextIO

logger = logging.getLogger("autosmote")

_SECONDS_BETWEEN_LINES = 30.0
_SHARE_BETWEEN_LINES = 0.1


@contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Write log messages to standard error during the block."""
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
    """A context manager with a progress bar on a terminal and a rule for when to log a line.

    The bar has a title, `what`, counts `unit`s, and lies `position` lines below the cursor, by
    default below this process's other bars.
    """

    def __init__(
        self, total: int, what: str, unit: str, stream: TextIO | None, position: int | None = None
    ) -> None:
        self._total, self._what, self._unit = total, what, unit
        self._position = position
        self._stream = sys.stderr if stream is None else stream
        self._bar: Any = None
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        self._last_time = time.monotonic()
        self._last_line = 0
        if self._stream.isatty():
            from tqdm import tqdm
            from tqdm.contrib.logging import logging_redirect_tqdm

            class Bar(tqdm):
                monitor_interval = 0  # no thread, which would keep this process from forking

            # leave=None: a search's bar below a comparison's is removed when it is done.
            bar = Bar(
                total=self._total,
                desc=self._what,
                unit=self._unit,
                file=self._stream,
                leave=None,
                position=self._position,
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
    """Progress of a search; its `update` is a search's `on_iteration`.

    Parameters
    ----------
    total : int
        Number of iterations.
    metric : str
        Name of the metric that is maximised on validation.
    stream : file, optional
        Shows a bar if it is a terminal; standard error by default.
    position : int, optional
        1 for a bar below that of another process.
    """

    def __init__(
        self, total: int, metric: str, stream: TextIO | None = None, *, position: int | None = None
    ) -> None:
        super().__init__(total, "search", "it", stream, position)
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
            # The rate is measured from here: before, data were prepared and code compiled.
            self._first_time = now
        if self._line_is_due(iteration):
            line = f"search: {iteration}/{self._total} iterations"
            line += f", best validation {self._metric} {best:.4f}"
            if iteration > 1:
                rate = (iteration - 1) / max(now - self._first_time, 1e-9)
                line += f", {rate:.1f} it/s, {(self._total - iteration) / rate:.0f} s to go"
            logger.info("%s", line)


class StepProgress(_Meter):
    """Progress of steps of which several are done at a time and end in any order.

    Parameters
    ----------
    total : int
        Number of steps.
    what : str
        What a step is called, in the plural.
    stream : file, optional
        Shows a bar if it is a terminal; standard error by default.
    """

    def __init__(self, total: int, what: str, stream: TextIO | None = None) -> None:
        super().__init__(total, what, what.removesuffix("s"), stream)
        self._started = time.monotonic()

    def update(self, done: int, name: str) -> None:
        """Show how many steps are done, and the last one's name."""
        if self._bar is not None:
            self._bar.set_postfix_str(name, refresh=False)
            self._bar.update(done - self._bar.n)
        elif self._line_is_due(done):
            left = (self._total - done) * (time.monotonic() - self._started) / done
            rest = f", about {duration(left)} to go" if done < self._total else ""
            logger.info("%s: %d/%d done%s", self._what, done, self._total, rest)


@dataclass(frozen=True)
class _Running:
    """A unit that is being done, with its expected seconds and its start time."""

    name: str
    expected: float
    started: float


class UnitProgress(_Meter):
    """Progress of units: how many are done, failed and left, and the remaining time.

    Parameters
    ----------
    total : int
        Number of units.
    what : str
        What a unit is called, in the plural.
    expected : float, optional
        Seconds that all units together are expected to take, where units differ; `begin` then
        takes each unit's own. By default all units count the same.
    stream : file, optional
    """

    def __init__(
        self,
        total: int,
        *,
        what: str = "samplers",
        expected: float | None = None,
        stream: TextIO | None = None,
    ) -> None:
        super().__init__(total, what, what.removesuffix("s"), stream)
        self._expected = total if expected is None else expected
        self._done = self._failed = 0
        self._weight = self._spent = 0.0
        self._running: list[_Running] = []
        self._most_running = 1

    def begin(self, name: str, expected: float = 1.0) -> None:
        """Show that a unit has begun."""
        self._running.append(_Running(name, expected, time.monotonic()))
        self._most_running = max(self._most_running, len(self._running))
        self._show()

    def end(self, name: str, *, failed: bool) -> None:
        """Count a unit that has ended."""
        unit = self._remove(name)
        self._done += 1
        self._failed += failed
        self._weight += unit.expected
        self._spent += time.monotonic() - unit.started
        self._show()
        if self._bar is not None:
            self._bar.update()
        elif self._line_is_due(self._done):
            left = self._total - self._done
            parts = [f"{self._done}/{self._total} done", f"{self._failed} failed", f"{left} left"]
            logger.info("%s", f"{self._what}: " + ", ".join(parts + self._remaining()))

    def put_off(self, name: str) -> None:
        """Show that a unit is left for later."""
        self._remove(name)
        self._show()

    def _remove(self, name: str) -> _Running:
        names = [unit.name for unit in self._running]
        return self._running.pop(names.index(name))

    def _remaining(self) -> list[str]:
        if not self._weight or self._done == self._total:
            return []
        # The time that running units have spent so far counts: otherwise the estimate for long
        # units would be many times too high until the first of them have ended.
        rate, now = self._spent / self._weight, time.monotonic()
        begun = sum(min(now - unit.started, rate * unit.expected) for unit in self._running)
        left = rate * (self._expected - self._weight) - begun
        return [f"about {duration(left / self._most_running)} to go"]

    def _show(self) -> None:
        if self._bar is not None:
            failed = [f"{self._failed} failed"] if self._failed else []
            names = [unit.name for unit in self._running[:2]]
            more = [f"and {len(self._running) - 2} more"] if len(self._running) > 2 else []
            self._bar.set_postfix_str(", ".join(failed + self._remaining() + names + more))


def duration(seconds: float) -> str:
    """Format seconds in a suitable unit: 40 s, 12 min, 3.5 h."""
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
