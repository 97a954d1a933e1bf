"""What becomes of standard output costs no work."""

import io
import os
import subprocess
import sys

import pytest

from autosmote.printing import Lenient

RUN = ["dataset=toy", "clf=dt", "sampler=none", "results_dir=results"]


class Broken(io.TextIOWrapper):
    """A stream of a process that ends, with a buffer that nobody takes."""

    def __init__(self, fd, error):
        super().__init__(os.fdopen(fd, "wb"))
        self.raised = error

    def flush(self):
        if self.raised:
            error, self.raised = self.raised, None
            raise error


def test_what_cannot_be_written_goes_nowhere(tmp_path):
    with (tmp_path / "out").open("w") as file:
        stream = Lenient(Broken(os.dup(file.fileno()), OSError(28, "No space left on device")))
        print("first", file=stream, flush=True)
        print("second", file=stream, flush=True)
        assert stream.error.strerror == "No space left on device" and not stream.isatty()


def test_letters_that_the_encoding_lacks_are_escaped():
    raw = io.BytesIO()
    stream = Lenient(io.TextIOWrapper(raw, encoding="ascii"))
    print("è, \udcff", file=stream, flush=True)
    assert raw.getvalue() == b"\\xe8, \\udcff\n"
    assert stream.error is None


@pytest.mark.parametrize(
    ("redirected", "status", "said"),
    [
        ("| true", 0, ""),
        (">/dev/full", 2, "Standard output cannot be written (No space left on device)"),
        (">&- 2>&- <&-", 0, ""),
        ("2>/dev/full", 0, ""),
    ],
)
def test_a_run_is_done_whoever_reads(tmp_path, redirected, status, said):
    command = f"{sys.executable} -m autosmote {' '.join(RUN)} {redirected}; "
    command += "exit ${PIPESTATUS[0]}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "Traceback" in done.stderr) == (status, False)
    assert said in done.stderr
    assert len(list(tmp_path.rglob("record.json"))) == 1


def test_child_processes_have_an_error_stream_where_this_ones_is_closed(tmp_path):
    lines = [f"{i},{i * i % 7},{'ab'[i % 3 == 0]}" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["x,z,y", *lines]))
    command = "compare t.csv --target y --folds 2 --repeats 1 --iterations 1 --jobs 2"
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m autosmote {command} --methods 'class weights' 2>&-"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "class weights" in done.stdout


def test_help_that_cannot_be_written_is_said():
    command = f"{sys.executable} -m autosmote.run --help >/dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Standard output cannot be written (No space left on device)" in done.stderr
