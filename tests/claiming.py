"""Another process that works on runs, as far as their claims tell."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_CODE = """
import sys
from autosmote.records.claims import claim
with claim(sys.argv[1], sys.argv[2:]) as mine:
    print(mine, flush=True)
    sys.stdin.readline()
"""


@contextmanager
def claimed_elsewhere(folder, *keys: str) -> Iterator[subprocess.Popen]:
    """The process that holds the claims; killed at the end, if it is not before."""
    command = [sys.executable, "-c", _CODE, str(folder), *keys]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout.readline() == "True\n"
        try:
            yield process
        finally:
            process.kill()
