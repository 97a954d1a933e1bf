"""A file is written in one step."""

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
