"""A server that fetches puts documents to its kiosks itself, and both know what came of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.board_document import BoardDocument, Line
from kiosk.office import sample
from kiosk.receiving import Receiver, put_document, put_photo
from server.feed.models import Event
from server.office.delivery import Answered, deliver, known
from server.office.documents import publish
from tests.office import moment
from tests.server.down_kit import Down, down, publish_office
from tests.server.kit import NOW, Server, batches
from tests.server.test_documents_down import HASH, PHOTO, keep_photo


class Door:
    """What the kiosk's console does with a PUT; `heard` are the paths."""

    def __init__(self, kiosk: Down) -> None:
        self.kiosk = kiosk
        self.receiver = Receiver(kiosk.config, kiosk.store.database)
        self.heard: list[str] = []

    def put(self, path: str, content: bytes, headers: Mapping[str, str]) -> Answered:
        self.heard.append(path)
        what, _, query = path.partition("?")
        if what.startswith("blob/"):
            reply = put_photo(self.receiver, what.removeprefix("blob/"), content)
        else:
            if_match, sent = headers.get("If-Match", ""), query == "photos=sent"
            reply = put_document(self.receiver, what, content, if_match, moment(60), photos_sent=sent)  # type: ignore[arg-type]
        return Answered(reply.status, json.loads(json.dumps(reply.body)), reply.etag)


def tell(kiosk: Down, server: Server) -> None:
    """The feed goes up as the server would fetch it."""
    for batch in batches(kiosk.store.database.conn):
        assert server.push(batch).status_code == 200
    server.settle()


def test_documents_are_put_once_and_the_feed_tells_what_became_of_them(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        door = Door(kiosk)
        publish(lite.site, BoardDocument(version=1, lines=(Line("Một"),)), seen=0, by="x", note="", now=NOW)
        assert deliver(lite.device, door.put) == ["office", "board"]
        assert [line.text for line in kiosk.store.overrides.lines()] == ["Một"]
        tell(kiosk, lite)
        assert Event.objects.filter(type="office.applied").count() == 1
        assert deliver(lite.device, door.put) == []
        publish_office(lite, slogans=("Hai",))
        assert deliver(lite.device, door.put) == ["office"]
        assert kiosk.office.slogans == ("Hai",)
        assert door.heard == ["office", "board", "office"]


def test_a_document_whose_answer_was_lost_is_put_again_and_changes_nothing(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        door = Door(kiosk)
        assert deliver(lite.device, door.put) == deliver(lite.device, door.put) == ["office"]
        assert len(kiosk.events("office.applied")) == 1


def test_photos_go_first_and_those_that_nobody_has_stop_nothing(lite: Server, tmp_path: Path):
    keep_photo()
    first, second, *others = sample().clerks
    clerks = (replace(first, photo=f"{HASH}.jpg"), replace(second, photo=f"{'a' * 64}.jpg"), *others)
    publish_office(lite, clerks=clerks)
    with down(lite, tmp_path) as kiosk:
        door = Door(kiosk)
        assert deliver(lite.device, door.put) == ["office"]
        assert door.heard == ["office", f"blob/{HASH}", "office?photos=sent"]
        assert (kiosk.photos / f"{HASH}.jpg").read_bytes() == PHOTO
        assert [one["key"] for one in kiosk.events("office.applied")[0]["problems"]] == ["no_photo"]


def test_a_kiosk_that_asks_for_the_photo_of_another_commune_does_not_get_it(lite: Server):
    keep_photo()
    publish_office(lite)
    heard: list[str] = []

    def put(path: str, content: bytes, headers: Mapping[str, str]) -> Answered:
        heard.append(path)
        return Answered(409, {"code": "photos", "photos": [HASH, "\ud800", 7]})

    assert deliver(lite.device, put) == []
    assert set(heard) == {"office", "office?photos=sent"}


def test_a_server_that_knows_less_than_the_kiosk_is_told_and_puts_again(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        door = Door(kiosk)
        deliver(lite.device, door.put)
        publish_office(lite, slogans=("Hai",))
        assert deliver(lite.device, door.put) == ["office"]  # the first one's event has not come yet
        assert kiosk.office.slogans == ("Hai",)
        assert known(lite.device, "office") == ""


def test_an_older_document_is_not_taken_and_a_broken_one_leaves_the_old_one_in_force(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        door = Door(kiosk)
        newer = replace(sample(), version=5).to_json()
        assert door.put("office", newer, {}).body == {"version": 5, "ok": True, "problems": []}
        assert deliver(lite.device, door.put) == []
        assert kiosk.looked().behind
        broken = door.put("office", b'{"format":1,"version":6}', {"If-Match": "*"})
        assert (broken.status, broken.body["ok"]) == (200, False)
        assert kiosk.office.version == 5


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[1]", b"{}", b'{"version":"7"}', b'{"version":0}', b'{"version":true}']
)
def test_what_is_no_document_changes_nothing(lite: Server, tmp_path: Path, content: bytes):
    with down(lite, tmp_path) as kiosk:
        answer = Door(kiosk).put("office", content, {"If-Match": "*"})
        assert (answer.status, answer.body["code"]) == (400, "bad_request")
        assert not kiosk.events("office.applied")


def test_a_document_for_another_state_of_things_is_refused(tmp_path: Path, lite: Server):
    with down(lite, tmp_path) as kiosk:
        door = Door(kiosk)
        answer = door.put("office", sample().to_json(), {"If-Match": '"7-abc"'})
        assert (answer.status, answer.body["code"]) == (412, "changed")
        assert not kiosk.events("office.applied")


def test_a_photo_under_another_hash_is_not_kept(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        assert Door(kiosk).put(f"blob/{'b' * 64}", PHOTO, {}).status == 400
        assert not kiosk.photos.exists()
