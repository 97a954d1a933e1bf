"""How far a search or a comparison is: a bar on a terminal, quiet log lines elsewhere."""

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


@dataclass(frozen=True)
class _AtWork:
    name: str
    expected: float
    started: float


class UnitProgress(_Meter):
    """How many units of work are done, failed and left, and the time to go.

    Parameters
    ----------
    total : int
        Units to do.
    what : str
        What they are called, in the plural.
    expected : float, optional
        Seconds that all of them are expected to take, where they differ much; each is then given
        its own when it begins.
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
        self._busy: list[_AtWork] = []
        self._at_once = 1

    def begin(self, name: str, expected: float = 1.0) -> None:
        """Say which unit is worked on."""
        self._busy.append(_AtWork(name, expected, time.monotonic()))
        self._at_once = max(self._at_once, len(self._busy))
        self._show()

    def end(self, name: str, *, failed: bool) -> None:
        """Count a unit."""
        unit = self._no_longer(name)
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
            logger.info("%s", f"{self._what}: " + ", ".join(parts + self._to_go()))

    def put_off(self, name: str) -> None:
        """Say that a unit is left for later."""
        self._no_longer(name)
        self._show()

    def _no_longer(self, name: str) -> _AtWork:
        names = [unit.name for unit in self._busy]
        return self._busy.pop(names.index(name))

    def _to_go(self) -> list[str]:
        if not self._weight or self._done == self._total:
            return []
        # What units at work have behind them counts: else a sweep of long ones seems to take
        # many times as long until the first of them have ended.
        rate, now = self._spent / self._weight, time.monotonic()
        begun = sum(min(now - unit.started, rate * unit.expected) for unit in self._busy)
        left = rate * (self._expected - self._weight) - begun
        return [f"about {duration(left / self._at_once)} to go"]

    def _show(self) -> None:
        if self._bar is not None:
            failed = [f"{self._failed} failed"] if self._failed else []
            names = [unit.name for unit in self._busy[:2]]
            more = [f"and {len(self._busy) - 2} more"] if len(self._busy) > 2 else []
            self._bar.set_postfix_str(", ".join(failed + self._to_go() + names + more))


def duration(seconds: float) -> str:
    """In the unit that suits: 40 s, 12 min, 3.5 h."""
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
