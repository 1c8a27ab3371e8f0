"""Newer releases are found, fetched and kept until nobody waits; what runs is never disturbed."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from kiosk import __version__, fetching, update_command
from kiosk.clock import Moment
from kiosk.config import load_config
from kiosk.documents import DocumentError
from kiosk.fetching import BrokenOff, FetchError, fetch
from kiosk.office import sample
from kiosk.update_command import look_for_newer, newest_for, not_now, taken_back
from tests.office import moment, open_store, rulebook

MACHINE = ("bookworm", "arm64", "3.11")


class Server(HTTPServer):
    """Files by path. `breaks` cuts the first so many answers off after half of what is left."""

    files: dict[str, bytes]
    breaks = 0
    ranges = True
    says_length = True
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.server.asked.append(f"{self.path} {wanted}".strip())
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted[6:-1]) if wanted and self.server.ranges else 0
        if start > len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        rest = content[start:]
        if self.server.says_length:
            self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if self.server.breaks:
            self.server.breaks -= 1
            rest = rest[: len(rest) // 2]
        self.wfile.write(rest)

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is its own."""


@contextmanager
def serving(**files: bytes) -> Iterator[tuple[Server, str]]:
    server = Server(("127.0.0.1", 0), Handler)
    server.files, server.asked = {f"/{name}": content for name, content in files.items()}, []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_file_is_fetched_whole(tmp_path: Path):
    with serving(a=b"x" * 200_000) as (_, url):
        fetch(f"{url}/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"x" * 200_000
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_connection_that_breaks_off_is_gone_on_with(tmp_path: Path):
    content = bytes(range(256)) * 2000
    with serving(a=content) as (server, url):
        server.breaks = 2
        fetch(f"{url}/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == content
    assert server.asked == ["/a", "/a bytes=256000-", "/a bytes=384000-"]


def test_a_part_is_kept_for_the_next_time(tmp_path: Path):
    content = b"0123456789" * 1000
    with serving(a=content) as (server, url):
        server.breaks = 9
        with pytest.raises(BrokenOff, match="goes on from there the next time"):
            fetch(f"{url}/a", tmp_path / "a")
        server.breaks = 0
        fetch(f"{url}/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == content
    assert server.asked[-1] == "/a bytes=8750-"


def test_a_server_without_ranges_begins_anew(tmp_path: Path):
    (tmp_path / "a.part").write_bytes(b"old")
    with serving(a=b"fresh content") as (server, url):
        server.ranges = False
        fetch(f"{url}/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"fresh content"


def test_a_part_of_something_longer_is_thrown_away(tmp_path: Path):
    (tmp_path / "a.part").write_bytes(b"much longer than what lies there now")
    with serving(a=b"short") as (_, url):
        fetch(f"{url}/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"short"


def test_what_is_too_large_is_not_fetched(tmp_path: Path):
    with serving(a=b"x" * 100) as (_, url), pytest.raises(FetchError, match="is larger than"):
        fetch(f"{url}/a", tmp_path / "a", most=99)
    assert list(tmp_path.iterdir()) == [], "not even a part of it"


def test_what_turns_out_too_large_is_given_up(tmp_path: Path):
    with serving(a=b"x" * 100) as (server, url), pytest.raises(FetchError, match="is larger than"):
        server.says_length = False
        fetch(f"{url}/a", tmp_path / "a", most=99)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("says_length", [True, False])
def test_what_would_fill_the_disk_of_a_kiosk_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says_length: bool
):
    monkeypatch.setattr(fetching, "SPARE", shutil.disk_usage(tmp_path).total)
    with serving(a=b"x" * 100) as (server, url), pytest.raises(FetchError, match="does not fit on the disk"):
        server.says_length = says_length
        fetch(f"{url}/a", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_what_comes_too_slowly_is_given_up(tmp_path: Path):
    with serving(a=b"x" * 100) as (_, url), pytest.raises(BrokenOff, match="too slowly"):
        fetch(f"{url}/a", tmp_path / "a", deadline_s=0)


def test_what_is_not_there_is_said_at_once(tmp_path: Path):
    with serving() as (server, url), pytest.raises(FetchError, match="HTTP 404: is the address right"):
        fetch(f"{url}/a", tmp_path / "a")
    assert server.asked == ["/a"]


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a",
        "http://8.8.8.8/a",
        "http://kiosk.local/a",
        "ftp://192.168.1.5/a",
        "file:///etc/passwd",
        "https:///a",
        "https://me:secret@example.org/a",
        "https://[/a",
    ],
)
def test_only_https_is_fetched_from_and_plain_http_of_the_own_network(url: str):
    with pytest.raises(FetchError):
        fetching.checked(url)


@pytest.mark.parametrize(
    "url", ["https://example.org/a", "http://192.168.1.5:8000/a", "http://127.0.0.1/a", "http://[fd00::1]/a"]
)
def test_https_and_the_own_network_are_fetched_from(url: str):
    assert fetching.checked(url).geturl() == url


def test_a_source_beyond_the_network_must_be_https(tmp_path: Path):
    file = tmp_path / "kiosk.toml"
    file.write_text('[update]\nsource = "http://releases.example.gov.vn/"\n')
    with pytest.raises(DocumentError, match="use https://"):
        load_config(file)
    file.write_text('[update]\nsource = "http://192.168.1.5/kiosk/"\n')
    assert load_config(file).update.source == "http://192.168.1.5/kiosk/"


# --- which release --------------------------------------------------------------------------------------------


def line(version: str, **changed: object) -> dict[str, object]:
    usual = {"version": version, "suites": ["bookworm"], "architectures": ["arm64"], "python": "3.11"}
    return usual | {"file": f"kiosk-{version}-bookworm-arm64.tar.gz", "size": 1, "sha256": "0"} | changed


def test_the_newest_release_for_this_machine_is_chosen():
    index = {
        "releases": [
            line("0.9.0"),
            line("0.10.0"),
            line("0.11.0", suites=["trixie"]),
            line("0.12.0", architectures=["amd64"]),
            line("0.13.0", python="3.13"),
            line("0.14.0", file="../../etc/passwd"),
        ]
    }
    found = newest_for(index, MACHINE, "0.4.0", frozenset())
    assert found is not None and found.version == "0.10.0"
    again = newest_for(index, MACHINE, "0.4.0", frozenset({"0.10.0"}))
    assert again is not None and again.version == "0.9.0"
    assert newest_for(index, MACHINE, "0.10.0", frozenset()) is None


def test_an_index_that_is_none_is_said():
    with pytest.raises(FetchError, match="no list of releases"):
        newest_for({"releases": [{}]}, MACHINE, "0.4.0", frozenset())


def test_a_release_that_was_taken_back_is_known_by_its_version(tmp_path: Path):
    state = tmp_path / "state.json"
    assert taken_back(state) == frozenset()
    state.write_text('{"rejected": {"0.5.0+00000001": "3 starts failed"}}')
    assert taken_back(state) == {"0.5.0"}


# --- when -----------------------------------------------------------------------------------------------------


def at(hour: int, minute: int = 0, *, day: int = 23, trusted: bool = True) -> Moment:
    """A local time of a Monday in November, or of another day."""
    when = datetime(2026, 11, day, hour - 7, minute, tzinfo=UTC)
    return Moment(when, "ntp" if trusted else "guess", trusted, "b0070001", 0)


@pytest.mark.parametrize(
    ("when", "why"),
    [
        (at(9), "the office is open"),
        (at(11, 50), ""),
        (at(12, 30), "the office opens soon"),
        (at(17, 45), ""),
        (at(21), ""),
        (at(7), "the office is open"),
        (at(17, 45, trusted=False), "nobody vouches for the clock"),
        (at(9, day=29), ""),
    ],
)
def test_nothing_is_installed_while_somebody_may_want_a_number(tmp_path: Path, when: Moment, why: str):
    open_store(tmp_path).close()
    assert not_now(sample(), tmp_path, when) == why


def test_a_sunday_that_staff_opened_is_a_working_day(tmp_path: Path):
    store = open_store(tmp_path)
    store.overrides.set_day(moment(0), at(9, day=29).day, "work")
    store.close()
    assert not_now(sample(), tmp_path, at(9, day=29)) == "the office is open"


def test_whoever_was_called_a_moment_ago_is_served_first(tmp_path: Path):
    store = open_store(tmp_path, rulebook(press_limits=False))
    store.issuing.issue(moment(0), "ho-tich")
    store.counters.open(moment(10), "1")
    store.counters.call_next(at(16, 50), "1")
    store.close()
    assert not_now(sample(), tmp_path, at(17, 5)) == "somebody was called a moment ago"
    assert not_now(sample(), tmp_path, at(17, 45)) == ""


# --- at night -------------------------------------------------------------------------------------------------


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A kiosk with a source of releases; returns what runs the nightly look at a time."""
    monkeypatch.setattr(update_command, "system", lambda: MACHINE)
    helper = tmp_path / "helper"
    helper.write_text(
        '#!/bin/sh\n[ "$1" = verify ] && ! grep -q spoilt "$2" || { echo "it is damaged" >&2; exit 1; }\n'
    )
    helper.chmod(0o755)
    data = tmp_path / "data"
    open_store(data).close()
    folder = data / "updates"
    folder.mkdir()

    def look(url: str, when: Moment) -> str:
        file = tmp_path / "kiosk.toml"
        file.write_text(f'data_dir = "data"\n[update]\nsource = "{url}/"\n')
        assert look_for_newer(load_config(file), folder, when, helper, tmp_path / "state.json") == 0
        ready = folder / "ready"
        return ready.read_text() if ready.exists() else ""

    return folder, look


def published(version: str, content: bytes = b"release") -> dict[str, bytes]:
    name = f"kiosk-{version}-bookworm-arm64.tar.gz"
    index = json.dumps({"releases": [line(version, sha256=hashlib.sha256(content).hexdigest())]}).encode()
    return {"index.json": index, "index.json.sig": b"s", name: content, f"{name}.sig": b"s"}


def test_in_the_evening_a_newer_release_is_fetched_and_marked_for_the_helper(night):
    folder, look = night
    with serving(**published("9.0.0")) as (_, url):
        assert look(url, at(17, 45)) == "kiosk-9.0.0-bookworm-arm64.tar.gz"
    assert (folder / "kiosk-9.0.0-bookworm-arm64.tar.gz").read_bytes() == b"release"


def test_in_office_hours_it_is_fetched_and_waits(night):
    folder, look = night
    with serving(**published("9.0.0")) as (server, url):
        assert look(url, at(9)) == ""
        assert (folder / "kiosk-9.0.0-bookworm-arm64.tar.gz").exists()
        asked = len(server.asked)
        assert look(url, at(17, 45)) != ""
        assert len(server.asked) == asked + 2, "only the index is fetched again"


def test_the_version_that_runs_is_not_fetched_again_and_older_files_go(night):
    folder, look = night
    (folder / "kiosk-0.0.1-bookworm-arm64.tar.gz").touch()
    with serving(**published(__version__)) as (server, url):
        assert look(url, at(17, 45)) == ""
    assert not list(folder.glob("kiosk-*"))
    assert len(server.asked) == 2


@pytest.mark.parametrize("name", ["index.json", "kiosk-9.0.0-bookworm-arm64.tar.gz"])
def test_what_cannot_be_verified_is_thrown_away_and_not_marked(night, name: str):
    folder, look = night
    files = published("9.0.0", b"spoilt" if name.endswith("gz") else b"release")
    files["index.json"] += b"" if name.endswith("gz") else b" spoilt"
    with serving(**files) as (_, url), pytest.raises(FetchError, match="it is damaged"):
        look(url, at(17, 45))
    assert not (folder / name).exists()
    assert not (folder / "ready").exists()


def test_another_file_than_the_index_names_is_thrown_away(night):
    folder, look = night
    files = published("9.0.0")
    files["kiosk-9.0.0-bookworm-arm64.tar.gz"] = b"another"
    with serving(**files) as (_, url), pytest.raises(FetchError, match="not what the index says"):
        look(url, at(17, 45))
    assert not (folder / "kiosk-9.0.0-bookworm-arm64.tar.gz").exists()
