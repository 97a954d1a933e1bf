"""How far a search is: a bar on a terminal, quiet log lines elsewhere."""

import logging
import sys
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, TextIO

logger = logging.getLogger("autosmote")

_SECONDS_BETWEEN_LINES = 30.0
_SHARE_BETWEEN_LINES = 0.1


class Progress:
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
        self._total = total
        self._metric = metric
        self._stream = sys.stderr if stream is None else stream
        self._bar: Any = None
        self._cleanup = ExitStack()

    def __enter__(self) -> "Progress":
        self._last_time = time.monotonic()
        self._first_time: float | None = None
        self._last_line = 0
        if self._stream.isatty():
            from tqdm import tqdm
            from tqdm.contrib.logging import logging_redirect_tqdm

            bar = tqdm(total=self._total, desc="search", unit="it", file=self._stream)
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
        due = iteration - self._last_line >= _SHARE_BETWEEN_LINES * self._total
        if due or now - self._last_time >= _SECONDS_BETWEEN_LINES or iteration == self._total:
            line = f"search: {iteration}/{self._total} iterations"
            line += f", best validation {self._metric} {best:.4f}"
            if iteration > 1:
                rate = (iteration - 1) / max(now - self._first_time, 1e-9)
                line += f", {rate:.1f} it/s, {(self._total - iteration) / rate:.0f} s to go"
            logger.info("%s", line)
            self._last_line, self._last_time = iteration, now
