"""A server that fetches puts documents to the console: by HTTPS, with the token, and the running console follows."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.board_document import BoardDocument, Line
from kiosk.console import fetching
from sync.exchange import Answer, Pinned
from sync.offers import MAX_DOCUMENT
from tests.console_kit import TECHNICIAN, Hall
from tests.test_console_fetch import SecureHall

PHOTO = b"\xff\xd8 a photo"
HASH = hashlib.sha256(PHOTO).hexdigest()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[SecureHall]:
    hall = SecureHall(tmp_path)
    yield hall
    hall.close()


def put(line: Pinned, path: str, body: bytes, **headers: str) -> Answer:
    return line.put(f"/api/v1/{path}", body, "application/json", headers)


def office(hall: SecureHall, version: int = 2, **changes: Any) -> bytes:
    return replace(hall.office, version=version, **changes).to_json()


def test_a_document_is_in_force_and_the_answer_names_it(secure: SecureHall):
    with closing(secure.paired()) as line:
        answer = put(line, "office", office(secure, slogans=("Nhanh gọn",)))
        assert (answer.http, answer.parsed()) == (200, {"version": 2, "ok": True, "problems": []})
        newest = secure.store.offices.newest()
        assert newest is not None and "Nhanh gọn" in newest.text
        assert answer.headers["ETag"].startswith('"2-')
        again = put(line, "office", office(secure, 3), **{"If-Match": answer.headers["ETag"]})
        assert again.parsed()["version"] == 3
        late = put(line, "office", office(secure, 4), **{"If-Match": answer.headers["ETag"]})
        assert (late.http, late.code(), late.headers["ETag"]) == (412, "changed", again.headers["ETag"])
        board = BoardDocument(version=1, lines=(Line("Một"),))
        assert put(line, "board", board.to_json()).http == 200
        assert [one.text for one in secure.store.overrides.lines()] == ["Một"]


def test_photos_are_asked_for_and_kept(secure: SecureHall):
    clerks = (replace(secure.office.clerks[0], photo=f"{HASH}.jpg"), *secure.office.clerks[1:])
    with closing(secure.paired()) as line:
        asked = put(line, "office", office(secure, clerks=clerks))
        assert (asked.http, asked.parsed()["photos"]) == (409, [HASH])
        assert put(line, f"blob/{HASH}", b"other").http == 400
        assert put(line, f"blob/{HASH}", PHOTO).http == 200
        assert put(line, "office?photos=sent", office(secure, clerks=clerks)).http == 200
    assert (secure.folder / "photos" / f"{HASH}.jpg").read_bytes() == PHOTO


@pytest.mark.parametrize("path", ["office", "board", f"blob/{HASH}"])
def test_nobody_puts_anything_without_the_token_or_by_plain_http(secure: SecureHall, path: str):
    for token in ("", "wrong"):
        with closing(secure.line(token)) as line:
            assert put(line, path, b"{}").http == 401
    assert secure.store.downloads.looked("office").version == 0


def test_a_body_without_end_is_refused(secure: SecureHall):
    with closing(secure.paired()) as line:
        assert put(line, "office", b" " * (MAX_DOCUMENT + 1)).http == 413


def test_another_server_and_the_end_of_all_fetching_give_the_document_back_to_the_kiosk(hall: Hall):
    technician, page = hall.browser(TECHNICIAN), "/technician/server"
    for act in ("end", "code"):
        document = replace(hall.office, version=2)
        text, counters = document.to_json().decode(), [one.id for one in document.counters]
        hall.store.downloads.apply_office(hall.now(), 2, "a" * 64, text, document.sha256, counters)
        assert hall.store.offices.owned()
        assert technician.post(f"{page}/{act}", page)["ok"]
        if code := hall.store.pulling.code(hall.now()):
            fetching._paired(hall.store, hall.now(), code.code)
        assert not hall.store.offices.owned()
