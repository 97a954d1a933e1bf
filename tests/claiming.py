"""Hold claims in another process."""

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
    """Yield a process that holds claims; kill it at the end."""
    command = [sys.executable, "-c", _CODE, str(folder), *keys]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout.readline() == "True\n"
        try:
            yield process
        finally:
            process.kill()
