"""Claims where the file system has no locks; tests of the pool and of runs cover the others."""

import errno
import fcntl
import os

import pytest

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
