"""Kiosks fetch the documents of their own reception point, once each, and learn of new ones with every push."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from kiosk.board_document import BoardDocument, Line
from kiosk.office import Clerk, Office, sample
from server.facts.models import Fact
from server.office.documents import Conflict, newest, publish
from server.office.models import Blob, Document
from server.registry.models import Site, Unit
from tests.server.kit import NOW, TOKEN, Server, batch_of

HEARTBEAT = batch_of([], [], "k-7F3K2M", "0000000112345678")


def get(server: Server, path: str, token: str = TOKEN, **headers: str) -> Any:
    return server.client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}", **headers})


def next_office(server: Server, seen: int = 1, **changes: Any) -> Document:
    return publish(server.site, replace(sample(), **changes), seen=seen, by="ky-thuat", note="", now=NOW)


def test_a_kiosk_gets_the_newest_document_byte_for_byte_and_once(server: Server):
    next_office(server, slogans=("Nhanh gọn",))
    answer = get(server, "office")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    office = Office.from_json(answer.content)
    assert (office.version, office.slogans) == (2, ("Nhanh gọn",))
    assert answer.headers["ETag"] == f'"2-{hashlib.sha256(answer.content).hexdigest()}"'
    again = get(server, "office", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    next_office(server, seen=2)
    assert get(server, "office", **{"If-None-Match": answer.headers["ETag"]}).status_code == 200


def test_each_push_says_which_versions_are_offered(server: Server):
    assert [server.push(HEARTBEAT).json()[kind] for kind in ("office", "board")] == [1, 0]
    next_office(server)
    publish(server.site, BoardDocument(version=1, lines=(Line("A"),)), seen=0, by="lanh-dao", note="", now=NOW)
    assert [server.push(HEARTBEAT).json()[kind] for kind in ("office", "board")] == [2, 1]


def test_where_nothing_is_offered_the_answer_says_so(lite: Server):
    assert (get(lite, "board").status_code, get(lite, "board").json()["code"]) == (404, "none")


def test_a_kiosk_gets_the_documents_of_its_own_site_alone(lite: Server):
    other = Site.objects.create(unit=lite.unit, key="phu", name="Điểm phụ")
    lite.enrol("k-OTHER1", "other", other)
    assert get(lite, "office", "other").status_code == 404
    assert get(lite, "office").status_code == 200


@pytest.mark.parametrize("path", ["office", "board", f"blob/{'0' * 64}"])
def test_nobody_gets_anything_without_a_token(lite: Server, path: str):
    assert get(lite, path, "wrong").status_code == 401
    assert Client().get(f"/api/v1/{path}").json()["code"] == "token"
    assert lite.client.post(f"/api/v1/{path}").status_code == 405


def with_photo(sha256: str) -> tuple[Clerk, ...]:
    first, *others = sample().clerks
    return (replace(first, photo=f"{sha256}.jpg"), *others)


def test_a_photo_comes_by_its_hash(lite: Server):
    content = b"\xff\xd8 a photo"
    name = hashlib.sha256(content).hexdigest()
    Blob.objects.create(sha256=name, content=content, type="image/jpeg")
    next_office(lite, clerks=with_photo(name))
    answer = get(lite, f"blob/{name}")
    assert (answer.content, answer.headers["Content-Type"]) == (content, "image/jpeg")
    assert get(lite, f"blob/{name}", **{"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert get(lite, f"blob/{'0' * 64}").status_code == 404


def test_a_photo_comes_only_to_kiosks_of_the_reception_point_whose_document_names_it(server: Server):
    name = "ab" * 32
    Blob.objects.create(sha256=name, content=b"x", type="image/jpeg")
    next_office(server, clerks=with_photo(name))
    other = Unit.objects.create(code="2", name="xã Khác")
    server.enrol("k-OTHER1", "other", Site.objects.create(unit=other, key="chinh", name="Khác"))
    assert get(server, f"blob/{name}", "other").status_code == 404
    next_office(server, seen=2)
    assert get(server, f"blob/{name}").status_code == 200  # it is fetching the version before
    for seen in range(3, 7):
        next_office(server, seen=seen)
    assert get(server, f"blob/{name}").status_code == 404


def test_of_two_who_publish_at_once_the_second_is_told(server: Server):
    next_office(server)
    with pytest.raises(Conflict) as caught:
        next_office(server, slogans=("B",))
    assert caught.value.newest.version == 2
    assert Document.objects.count() == 2


def test_a_server_that_was_restored_goes_on_above_what_its_kiosks_have(lite: Server):
    Fact.objects.create(site=lite.site, device=lite.device, kind="applied", key="office", value={"version": 7}, at=NOW)
    Fact.objects.create(site=lite.site, device=lite.device, kind="refused", key="office", value={"version": 8}, at=NOW)
    assert next_office(lite).version == 9
    found = newest(lite.site, "office")
    assert found is not None and Office.from_json(bytes(found.content)).version == 9


def test_a_version_that_cannot_be_is_not_believed(lite: Server):
    for key, version in (("office", 10**12), ("board", "x")):
        value = {"version": version}
        Fact.objects.create(site=lite.site, device=lite.device, kind="applied", key=key, value=value, at=NOW)
    assert next_office(lite).version == 2
