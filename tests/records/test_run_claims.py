"""Claims without locks or without their folder; tests of the pool and of runs cover the others."""

import errno
import fcntl
import os
import shutil

import pytest
from claiming import claimed_elsewhere

from autosmote.records import claims


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_file_system_without_locks_is_warned_of_once(monkeypatch, caplog, tmp_path, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "lockf", refuse)
    claims._warn_once.cache_clear()
    for _ in range(2):
        with claims.claim(tmp_path, ["one", "other"]) as mine:
            assert mine
    assert caplog.text.count("has no locks") == 1


def test_claims_are_seen_after_their_folder_was_removed(tmp_path):
    """This process has opened the file before; others open the one that is there now."""
    folder = tmp_path / "results"
    with claims.claim(folder, ["one"]) as mine:
        assert mine
    shutil.rmtree(folder)
    with claimed_elsewhere(folder, "one"), claims.claim(folder, ["one"]) as mine:
        assert not mine
    shutil.rmtree(folder)
    with claims.claim(folder, ["other"]) as mine, claimed_elsewhere(folder, "one"):
        assert mine and claims.is_claimed(folder, "one")
