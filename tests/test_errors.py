"""Interrupts among the causes of errors, and error texts without private names."""

import getpass
import os

import pytest

from autosmote import errors
from autosmote.errors import interrupts_let_through, let_interrupts_through


def caused_by(cause):
    error = SystemError("compiled code returned a result with an exception set")
    error.__cause__ = cause
    return error


def test_interrupt_among_the_causes_is_raised():
    with pytest.raises(KeyboardInterrupt):
        let_interrupts_through(caused_by(caused_by(KeyboardInterrupt())))


def test_cyclic_causes_raise_nothing():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    let_interrupts_through(first)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_block_raises_its_own_error(error):
    with pytest.raises(type(error)) as caught, interrupts_let_through():
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no file /var/lib/x/data.csv here", "no file data.csv here"),
        ("'/var/lib/x'", "'x'"),
        (r"C:\Users\me\data.csv is bad", "data.csv is bad"),
        ("n_min/n_maj and/or 1/2", "n_min/n_maj and/or 1/2"),
        ("see https://host.example/a/b for it", "see https://host.example/a/b for it"),
        (f"in {os.getcwd()}/x.csv", "in x.csv"),
        ("error:/home/bob/x", "error:x"),
        ("file:///home/bob/x.csv", "x.csv"),
        ("file:/home/bob/x.csv, file://host/share/x", "x.csv, x"),
        ("no /home/bob smith/my old data/x.csv here", "no x.csv here"),
        ("'/mnt/a b c/d e/x.csv' and /srv/y", "'x.csv' and y"),
        (r"\\server\share\bob smith\x.csv", "x.csv"),
        ("//home/bob/x", "x"),
        ("cd /home/bob", "cd ***"),
        (r"C:\Users\bob, gone", "***, gone"),
        ("/a/b.csv and /c/d.csv", "b.csv and d.csv"),
        ("http://h/a?b=/home/bob/x", "http://h/a?b=x"),
        ("path=/home/bob/x;/home/eve/y", "path=x;y"),
    ],
)
def test_scrub_removes_folders_of_absolute_paths(text, expected):
    assert errors.scrub(text) == expected


def test_scrub_of_a_long_text_ends():
    assert len(errors.scrub("/a b c d e" * 100_000)) <= 1000
    assert len(errors.scrub("/" * 1_000_000)) <= 1000


def test_shorten_keeps_both_ends_in_one_line():
    assert errors.shorten("a\nb") == "a b"
    short = errors.shorten("a" * 3000 + "b" * 3000)
    assert short == "a" * 50 + "…" + "b" * 50


def test_scrub_replaces_user_and_host_names(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "alice")
    monkeypatch.setattr(errors.platform, "node", lambda: "workbench7")
    scrubbed = errors.scrub("alice on workbench7 wrote alices.csv")
    assert scrubbed == "*** on *** wrote alices.csv"


def test_describe_error_is_one_line_with_module_and_line():
    try:
        raise ValueError("two\nlines in /var/x/y.csv")
    except ValueError as error:
        described = errors.describe_error(error)
    assert described.startswith("ValueError: two lines in y.csv (at test_errors.py:")
    assert "\n" not in described


def test_scrub_works_in_a_folder_that_was_removed(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert errors.scrub("in /a/b.csv") == "in b.csv"


def test_scrub_gives_one_line_of_valid_unicode():
    assert errors.scrub("a\rb\x85c \udcff\n") == "a b c ?"
