"""The real openml client against a loopback server."""

import hashlib
import logging
import os
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import openml
import pytest

from autosmote.data import openml as openml_source
from autosmote.data.datasets import PAPER_DATASETS, load_dataset
from autosmote.errors import UserError

PHONEME = PAPER_DATASETS["phoneme"]
REMEDIES = ("data_dir", "AUTOSMOTE_DATA_DIR", "OPENML_CACHE_DIR", "dataset=toy")


def phoneme_arff(row_id=False):
    """Return an ARFF file with phoneme's counts and random values, some of them small integers."""
    rng = np.random.default_rng(0)
    n = PHONEME.n_majority + PHONEME.n_minority
    labels = rng.permutation([1] * PHONEME.n_majority + [2] * PHONEME.n_minority)
    lines = ["@relation phoneme"]
    lines += ["@attribute row integer", "@attribute junk {a}"] if row_id else []
    lines += [f"@attribute V{j} real" for j in range(1, 5)]
    lines += ["@attribute V5 integer", "@attribute Class {1,2}", "@data"]
    values = rng.normal(size=(n, 4)).round(6)
    codes = rng.integers(0, 256, n)
    for i in range(n):
        start = f"{i},a," if row_id else ""
        lines.append(start + ",".join(map(str, values[i])) + f",{codes[i]},{labels[i]}")
    return ("\n".join(lines) + "\n").encode()


class Server:
    """OpenML's two GET endpoints for one dataset, with faults."""

    def __init__(self):
        self.arff = phoneme_arff()
        self.description = {"md5_checksum": hashlib.md5(self.arff).hexdigest()}
        self.page = None  # answers every request when set
        self.hang = self.drip = self.cut = False
        self.hold = 0  # requests for /ready that must come before a download ends
        self.ready = threading.Semaphore(0)
        self.requests = Counter()
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def answer(self, request):
        path = request.path.split("?")[0]
        self.requests[path.rsplit("/", 1)[-1]] += 1
        if self.hang:
            self.closing.wait(60)
        elif self.drip:  # sends bytes often and never ends
            while not self.closing.wait(0.1):
                request.wfile.write(b"H")
                request.wfile.flush()
        elif path == "/ready":
            self.ready.release()
            self.send(request, 200, b"")
        elif self.page is not None:
            self.send(request, 200, self.page)
        elif path == f"/api/v1/xml/data/{PHONEME.openml_id}":
            self.send(request, 200, self.xml())
        elif path.startswith("/api/v1/xml/data/list/"):
            self.send(request, *self.listed(path))
        elif path == "/phoneme.arff":
            self.send(request, 200, self.arff, cut=self.cut, hold=self.hold)
        else:
            self.send(request, 412, self.error(111, "Unknown dataset"))

    def listed(self, path):
        """Return what the list of datasets holds of a name and a version."""
        words = path.split("/data/list/")[1].split("/")
        asked = dict(zip(words[::2], words[1::2], strict=True))
        if (asked["data_name"], asked["data_version"]) != ("phoneme", "1"):
            return 412, self.error(372, "No results")
        fields = {"did": PHONEME.openml_id, "name": "phoneme", "version": 1, "status": "active"}
        body = "".join(f"<oml:{key}>{value}</oml:{key}>" for key, value in fields.items())
        root = 'oml:data xmlns:oml="http://openml.org/openml"'
        return 200, f"<{root}><oml:dataset>{body}</oml:dataset></oml:data>".encode()

    def error(self, code, message):
        root = 'oml:error xmlns:oml="http://openml.org/openml"'
        body = f"<oml:code>{code}</oml:code><oml:message>{message}</oml:message>"
        return f"<{root}>{body}</oml:error>".encode()

    def send(self, request, status, body, cut=False, hold=0):
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        half = len(body) // 2
        request.wfile.write(body[:half])
        for _ in range(hold):
            assert self.ready.acquire(timeout=60)
        if not cut:
            request.wfile.write(body[half:])

    def xml(self):
        fields = {
            "id": PHONEME.openml_id,
            "name": "phoneme",
            "version": 1,
            "format": "ARFF",
            "url": f"{self.url}/phoneme.arff",
            "default_target_attribute": "Class",
            **self.description,
        }
        body = "".join(
            f"<oml:{key}>{value}</oml:{key}>"
            for key, values in fields.items()
            for value in (values if isinstance(values, list) else [values])
        )
        root = "oml:data_set_description"
        return f'<{root} xmlns:oml="http://openml.org/openml">{body}</{root}>'.encode()

    def close(self):
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Keep tests from the real server and the user's cache."""
    monkeypatch.delenv("AUTOSMOTE_DATA_DIR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(openml.config, "_root_cache_directory", tmp_path / "cache")
    monkeypatch.setattr(openml.config, "server", "http://127.0.0.1:9/api/v1/xml")


@pytest.fixture
def server(monkeypatch):
    instance = Server()
    monkeypatch.setattr(openml.config, "server", f"{instance.url}/api/v1/xml")
    yield instance
    instance.close()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(openml_source, "CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(openml_source, "READ_SECONDS", 0.5)
    monkeypatch.setattr(openml_source, "DESCRIPTION_SECONDS", 2.0)


def cached(tmp_path, name):
    (path,) = (tmp_path / "cache").rglob(name)
    return path


def failure(**settings):
    with pytest.raises(UserError) as caught:
        load_dataset("phoneme", **settings)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message


def test_download_equals_the_local_folder(server, tmp_path):
    (tmp_path / "phoneme.arff").write_bytes(server.arff)
    remote = load_dataset("phoneme")
    local = load_dataset("phoneme", data_dir=tmp_path)
    assert remote.fingerprint == local.fingerprint
    np.testing.assert_array_equal(remote.numeric, local.numeric)
    np.testing.assert_array_equal(remote.y, local.y)
    assert (remote.classes, remote.categories) == (local.classes, local.categories)
    assert remote.source == "OpenML 1489"
    # 0..255 comes out of openml's own data frame as uint8, where 200 + 100 is 44.
    assert remote.numeric.dtype == np.float64 and remote.numeric[:, 4].max() == 255


def test_filled_cache_needs_no_server_and_holds_no_pickle(server, tmp_path):
    first = load_dataset("phoneme")
    assert server.requests == {"1489": 1, "phoneme.arff": 1}
    server.page = b"gone"
    assert load_dataset("phoneme").fingerprint == first.fingerprint
    assert server.requests.total() == 2
    names = {path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    assert {"dataset.arff", "description.xml"} <= names
    assert not [name for name in names if "pkl" in name or "feather" in name]


def test_cache_dir_argument_sets_the_cache(server, tmp_path):
    load_dataset("phoneme", cache_dir=tmp_path / "elsewhere")
    assert list((tmp_path / "elsewhere").rglob("dataset.arff"))
    assert not (tmp_path / "cache").exists()


def test_fetch_restores_client_and_logging(server, caplog):
    handlers, filters = list(logging.root.handlers), list(logging.root.filters)
    before = openml.config.get_config_as_dict()
    load_dataset("phoneme")
    assert openml.config.get_config_as_dict() == before
    assert openml._api_calls.requests is sys.modules["requests"]
    assert (logging.root.handlers, logging.root.filters) == (handlers, filters)
    assert "uncompressed" not in caplog.text  # the client's warning at each response


@pytest.mark.parametrize(
    "attributes",
    [
        {"row_id_attribute": "row", "ignore_attribute": "junk"},
        {"ignore_attribute": ["junk", "row"]},
        {"ignore_attribute": "junk,row"},
    ],
)
def test_row_id_and_ignored_attributes_are_dropped(server, attributes):
    plain = load_dataset("phoneme").fingerprint
    server.arff = phoneme_arff(row_id=True)
    server.description = {"md5_checksum": hashlib.md5(server.arff).hexdigest(), **attributes}
    cache = Path(openml.config._root_cache_directory) / "second"
    data = load_dataset("phoneme", cache_dir=cache)
    assert data.numeric_names == ("V1", "V2", "V3", "V4", "V5")
    assert data.fingerprint == plain


def test_identifier_that_is_not_dropped_raises(server):
    server.arff = phoneme_arff(row_id=True)
    server.description = {}
    assert "and 7 features where version 1 of phoneme has 3,818, 1,586 and 5" in failure()


def test_unknown_id_raises(server, monkeypatch):
    monkeypatch.setitem(PAPER_DATASETS, "phoneme", replace(PHONEME, openml_id=99999))
    message = failure()
    assert "OpenML does not give out phoneme (dataset 99999: Unknown dataset)" in message


def test_refused_connection_raises_with_remedies():
    message = failure()
    assert "OpenML did not deliver phoneme (dataset 1489, ConnectionError)" in message
    assert all(remedy in message for remedy in REMEDIES)


def test_silent_server_raises_after_the_read_timeout(server, impatient):
    server.hang = True
    message = failure()
    assert "ReadTimeout" in message and all(remedy in message for remedy in REMEDIES)


def test_endless_answer_raises_after_the_total_timeout(server, impatient):
    """Single bytes do not trigger a socket's timeout, and neither does a slow name lookup."""
    server.drip = True
    assert "TimeoutError" in failure()


def test_server_that_hangs_at_the_data_raises(server, impatient):
    load_dataset("phoneme")
    cache = Path(openml.config.get_cache_directory())
    (cache / "datasets" / "1489" / "dataset.arff").unlink()
    server.hang = True
    assert "ReadTimeout" in failure()


@pytest.mark.parametrize(
    "page", [b"<html><body>Please log in</body></html>", b"<p>not xml", b"", b"\xff\xfe"]
)
def test_page_that_is_not_openml_s_raises_with_remedies(server, page):
    server.page = page
    message = failure()
    assert "OpenML did not deliver phoneme" in message
    assert all(remedy in message for remedy in REMEDIES)


def test_connection_lost_during_the_download_raises(server):
    server.cut = True
    assert "OpenML did not deliver phoneme" in failure()


def test_download_that_differs_from_the_md5_raises(server, tmp_path):
    server.description = {"md5_checksum": "0" * 32}
    message = failure()
    assert "differs from the md5 in OpenML's description" in message and "run again" in message
    assert not list((tmp_path / "cache").rglob("dataset.arff"))


@pytest.mark.parametrize("damage", ["cut at a row", "cut in a row", "one digit", "empty"])
def test_damaged_cached_file_raises(server, tmp_path, damage):
    load_dataset("phoneme")
    path = cached(tmp_path, "dataset.arff")
    content = path.read_bytes()
    damaged = {
        "cut at a row": b"\n".join(content.split(b"\n")[:2000]) + b"\n",
        "cut in a row": content[: len(content) // 2],
        "one digit": content.replace(b",2\n", b",1\n", 1),
        "empty": b"",
    }[damage]
    assert damaged != content
    path.write_bytes(damaged)
    message = failure()
    assert f"The cached file {path} is damaged" in message
    assert "delete it and run again" in message
    path.unlink()  # the remedy works
    load_dataset("phoneme")


def test_truncated_file_without_an_md5_raises(server, tmp_path):
    server.description = {}
    load_dataset("phoneme")
    path = cached(tmp_path, "dataset.arff")
    path.write_bytes(b"\n".join(path.read_bytes().split(b"\n")[:2000]) + b"\n")
    assert "is cut short or another version" in failure()


def test_damaged_description_is_fetched_again(server, tmp_path):
    first = load_dataset("phoneme")
    path = cached(tmp_path, "description.xml")
    path.write_bytes(path.read_bytes()[:40])
    assert load_dataset("phoneme").fingerprint == first.fingerprint
    assert server.requests["1489"] == 2


def test_cache_dir_that_is_no_folder_raises(server, tmp_path):
    (tmp_path / "file").write_text("")
    message = failure(cache_dir=tmp_path / "file")
    assert "OPENML_CACHE_DIR" in message and "cannot be used" in message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_filled_read_only_cache_is_read(server, tmp_path):
    first = load_dataset("phoneme")
    folders = [path for path in (tmp_path / "cache").rglob("*") if path.is_dir()]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert load_dataset("phoneme").fingerprint == first.fingerprint
    finally:
        for folder in folders:
            folder.chmod(0o755)


def test_waiting_for_the_lock_times_out(server, monkeypatch):
    import filelock

    monkeypatch.setattr(openml_source, "LOCK_SECONDS", 0.2)
    folder = Path(openml.config.get_cache_directory())
    folder.mkdir(parents=True)
    with filelock.FileLock(folder / "autosmote-1489.lock"):
        assert "Another process has been fetching phoneme" in failure()


# ---------------------------------------------------------------- any dataset, by number or name


def of_openml(name="mine", **which):
    return load_dataset(name, source="openml", **which)


def test_any_dataset_comes_through_the_same_client_checks_and_cache(server, tmp_path):
    named = load_dataset("phoneme")
    mine = of_openml(openml_id=PHONEME.openml_id)
    assert (mine.name, mine.fingerprint) == ("mine", named.fingerprint)
    assert server.requests == {"1489": 1, "phoneme.arff": 1}  # the second came from the cache
    path = cached(tmp_path, "dataset.arff")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"cached file .* is damaged"):
        of_openml(openml_id=PHONEME.openml_id)
    with pytest.raises(UserError, match=r"does not give out mine \(dataset 7: Unknown dataset\)"):
        of_openml(openml_id=7)


def test_dataset_is_found_by_name_and_version(server):
    found = of_openml("phoneme", version=1)
    assert found.source == "OpenML 1489" and found.name == "phoneme"
    assert found.fingerprint == load_dataset("phoneme").fingerprint
    with pytest.raises(UserError, match="no active dataset of the name phoneme and the version 9;"):
        of_openml("phoneme", version=9)


def test_name_and_version_out_of_reach_are_one_sentence():
    with pytest.raises(UserError) as caught:
        of_openml("phoneme", version=1)
    message = str(caught.value)
    assert "OpenML did not deliver phoneme (version 1, ConnectionError); " in message
    assert all(remedy in message for remedy in REMEDIES)


EIGHT = """
import logging, os, sys, urllib.request
import openml
from autosmote.data.datasets import load_dataset

openml.config.server = sys.argv[1]
for number in range(8):
    if os.fork() == 0:
        try:
            urllib.request.urlopen(sys.argv[2]).close()
            data = load_dataset("phoneme")
            found = (data.fingerprint, len(data.y), data.numeric.sum(), logging.root.handlers)
            line = " ".join(map(str, found)) + "\\n"
        except BaseException as exc:
            line = f"{type(exc).__name__} {exc}\\n"
        os.write(1, line.encode())
        os._exit(0)
for number in range(8):
    os.wait()
"""


def test_eight_processes_with_an_empty_cache_download_once(server, tmp_path):
    server.hold = 8  # until all have begun, so that they could see an unfinished file
    environment = {
        **os.environ,
        "OPENML_CACHE_DIR": str(tmp_path / "eight"),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path]),
    }
    done = subprocess.run(
        [sys.executable, "-c", EIGHT, f"{server.url}/api/v1/xml", f"{server.url}/ready"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 8
    server.hold = 0
    data = load_dataset("phoneme")
    assert set(lines) == {f"{data.fingerprint} {len(data.y)} {data.numeric.sum()} []"}
    assert done.stderr == ""
    assert server.requests["phoneme.arff"] == 2  # once by the eight, once here
