"""A file is written in one step."""

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


def test_a_link_and_permissions_stay(tmp_path):
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("first")
    target.chmod(0o600)
    link.symlink_to(target)
    write_file(link, lambda temporary: temporary.write_text("second"))
    assert link.is_symlink() and target.read_text() == "second"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_path_goes_up_from_a_folder_that_is_made_for_it(tmp_path):
    path = tmp_path / "not there" / ".." / "record.json"
    write_file(path, lambda temporary: temporary.write_text("all"))
    assert path.read_text() == "all"  # as the system reads it


@pytest.mark.parametrize("letter", ["x", "\N{LATIN SMALL LETTER E WITH GRAVE}"])
def test_any_name_that_the_system_takes_can_be_written(tmp_path, letter):
    path = tmp_path / f"{letter * (250 // len(letter.encode()))}.csv"
    write_file(path, lambda temporary: temporary.write_text("all"))
    assert path.read_text() == "all"
