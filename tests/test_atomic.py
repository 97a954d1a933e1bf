"""A file is written in one step."""

import os
import stat

import pytest

from autosmote.atomic import write_file


def test_write_file_is_whole_or_absent(tmp_path):
    path = tmp_path / "sub" / "record.json"
    write_file(path, lambda temporary: temporary.write_text("first"))

    def break_off(temporary):
        temporary.write_text("half of the sec")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_file(path, break_off)
    assert path.read_text() == "first"
    assert [p.name for p in path.parent.iterdir()] == ["record.json"]


@pytest.mark.parametrize("follow", [True, False])
def test_a_link_stays_if_it_is_followed_and_permissions_of_a_file_do(tmp_path, follow):
    target, link = tmp_path / "target", tmp_path / "link.csv"
    target.write_text("first")
    target.chmod(0o600)
    link.symlink_to(target)

    def write(temporary):
        assert temporary.suffix == ".csv"  # by which some writers choose a format
        temporary.write_text("second")

    write_file(link, write, follow=follow)
    assert link.read_text() == "second"
    assert (link.is_symlink(), target.read_text()) == (follow, "second" if follow else "first")
    write_file(target, lambda temporary: temporary.write_text("third"))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600 and target.read_text() == "third"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes among its files")
@pytest.mark.parametrize("follow", [True, False])
def test_what_is_no_file_stays(tmp_path, follow):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link) if follow else (pipe,):
        with pytest.raises(OSError, match="it is no file"):
            write_file(path, lambda temporary: temporary.write_text("all"), follow=follow)
    assert pipe.is_fifo() and len(list(tmp_path.iterdir())) == 2


def test_a_path_goes_up_from_a_folder_that_is_made_for_it(tmp_path):
    path = tmp_path / "not there" / ".." / "record.json"
    write_file(path, lambda temporary: temporary.write_text("all"))
    assert path.read_text() == "all"  # as the system reads it


@pytest.mark.parametrize("letter", ["x", "\N{LATIN SMALL LETTER E WITH GRAVE}"])
def test_any_name_that_the_system_takes_can_be_written(tmp_path, letter):
    path = tmp_path / f"{letter * (250 // len(letter.encode()))}.csv"
    write_file(path, lambda temporary: temporary.write_text("all"))
    assert path.read_text() == "all"
