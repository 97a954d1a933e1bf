"""Draw the curve of a search in a process that imports matplotlib while the search begins."""

from __future__ import annotations

import os
import pickle
import socket
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from autosmote.isolation.spawn import start_process


class CurveDrawer:
    """A process that draws one curve. It ends with this one, or by `close`."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = start_process(__name__, "serve", [theirs.fileno()])
        self._connection = Connection(ours.detach())

    def draw(self, *arguments: Any, **settings: Any) -> None:
        """Call `autosmote.records.curve.plot_curve` there.

        Raises
        ------
        OSError
            If the file cannot be written.
        RuntimeError
            If drawing fails otherwise, with its error.
        """
        error: OSError | str | None
        try:
            self._connection.send_bytes(pickle.dumps((arguments, settings)))
            error = pickle.loads(self._connection.recv_bytes())  # noqa: S301 - a child of ours sent it
        except (EOFError, OSError):
            error = "its process has ended"
        if isinstance(error, OSError):
            raise error
        if error:
            raise RuntimeError(f"the curve was not drawn: {error}")

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.kill()
        self._process.wait()


def serve(fds: Sequence[int]) -> None:
    """Import matplotlib, then draw what the parent asks for."""
    from autosmote.records.curve import plot_curve
    from autosmote.records.figure_style import load_matplotlib

    load_matplotlib()
    with Connection(fds[0]) as connection:
        try:
            arguments, settings = pickle.loads(connection.recv_bytes())  # noqa: S301 - from our parent
        except EOFError:  # the parent has ended, or needs no curve
            os._exit(0)
        answer: OSError | str | None = None
        try:
            plot_curve(*arguments, **settings)
        except OSError as error:
            answer = error
        except Exception as error:
            answer = f"{type(error).__name__}: {error}"
        connection.send_bytes(pickle.dumps(answer))
    os._exit(0)
