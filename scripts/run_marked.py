"""Run the command `python -m autosmote.run` and note when its phases are over.

For `bench_startup.py`, which starts it as a process: nothing is imported before the command itself.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import autosmote.run


def mark_phases() -> dict[str, float]:
    """Let the functions at the ends of phases note the time; return the notes, filled later."""
    from autosmote.evaluation import choice
    from autosmote.runs import in_process
    from autosmote.search import loop

    marks: dict[str, float] = {}

    def noting(function: Callable[..., Any], *, before: str = "", after: str = "") -> Any:
        def noted(*arguments: Any, **settings: Any) -> Any:
            marks.setdefault(before, time.time())
            value = function(*arguments, **settings)
            marks.setdefault(after, time.time())
            return value

        return noted

    search: Any = loop._Search
    in_process.evaluate = noting(in_process.evaluate, before="imports", after="final")
    choice.SplitClassifier.fit = noting(choice.SplitClassifier.fit, after="reference")
    loop.InlinePool.publish = noting(loop.InlinePool.publish, before="start")
    loop.ProcessPool.publish = noting(loop.ProcessPool.publish, before="start")
    search._keep = noting(search._keep, before="first")
    search.close = noting(search.close, after="iterations")
    in_process._write = noting(in_process._write, after="files")
    return marks


def main(settings: Sequence[str]) -> int:
    """Run the command with marks, and print them as JSON in the end."""
    marks = mark_phases()
    status = autosmote.run.main(settings)
    print(json.dumps(marks))
    return status


if __name__ == "__main__":
    autosmote.run.end_process(lambda: main(sys.argv[1:]))
