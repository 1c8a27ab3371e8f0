"""What the server publishes is in force on the kiosk with its next push; what cannot be used changes nothing there."""

import hashlib
import signal
import socket
import subprocess
import sys
import threading
import unicodedata
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiosk.__main__ import main
from kiosk.board_document import BoardDocument, Day, Figures, Line
from kiosk.dossiers import Dossiers
from kiosk.office import sample
from kiosk.store.rebuild import from_events, from_tables
from kiosk.tickets import Refused
from server.facts.models import Fact
from server.office.documents import publish
from server.office.models import Blob, Document
from tests.office import moment
from tests.server.down_kit import Down, down, publish_office, put
from tests.server.kit import NOW, Server
from tests.sync_net import Proxy, read_request

PHOTO = b"\xff\xd8 a photo"
HASH = hashlib.sha256(PHOTO).hexdigest()
FIGURES = Dossiers(moment(-3600).at, 2530, 165, 0, 409, 3)


def with_photo(name: str = f"{HASH}.jpg") -> dict[str, Any]:
    first, *others = sample().clerks
    return {"clerks": (replace(first, photo=name), *others)}


def keep_photo(content: bytes = PHOTO) -> None:
    Blob.objects.create(sha256=HASH, content=content, type="image/jpeg")


def publish_board(server: Server, seen: int, **changes: Any) -> Document:
    return publish(server.site, BoardDocument(version=1, **changes), seen=seen, by="lanh-dao", note="", now=NOW)


# --- the office -----------------------------------------------------------------------------------------------


def test_what_is_published_is_in_force_after_the_next_push_and_reported_in_the_feed(server: Server, tmp_path: Path):
    with down(server, tmp_path) as kiosk:
        kiosk.push()
        assert kiosk.events("office.applied") == [{"sha256": sample().sha256, "version": 1, "by": "server", "ok": True}]
        published = publish_office(server, slogans=("Nhanh gọn",))
        kiosk.push()
        assert (kiosk.office.version, kiosk.office.slogans) == (2, ("Nhanh gọn",))
        assert kiosk.events("office.applied")[1]["sha256"] == published.sha256
        kiosk.push()
        server.settle()
    assert Fact.objects.get(kind="applied", key="office").value["version"] == 2


def test_a_document_that_is_in_force_is_not_asked_for_again(lite: Server, tmp_path: Path, caplog: Any):
    with down(lite, tmp_path) as kiosk:
        kiosk.push()
        Document.objects.update(sha256="0" * 64)  # who fetches it now finds it damaged
        kiosk.push()
        assert "ETag" not in caplog.text
        assert len(kiosk.events("office.applied")) == 1


def test_a_broken_document_leaves_the_old_one_in_force_and_is_fetched_once(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        kiosk.push()
        put(lite, 2, b'{"format":1,"version":2}')
        kiosk.push()
        assert kiosk.office == sample()
        told = kiosk.events("office.applied")[-1]
        assert (told["version"], told["ok"], len(told["problems"])) == (2, False, 5)
        assert "is missing" in told["error"]
        Document.objects.filter(version=2).update(sha256="0" * 64)
        kiosk.push()
        assert len(kiosk.events("office.applied")) == 2
        publish_office_after(lite, 2)
        kiosk.push()
        assert kiosk.office.slogans == ("Gọn",)
        assert not kiosk.looked().refused


def publish_office_after(server: Server, seen: int) -> None:
    publish(server.site, replace(sample(), slogans=("Gọn",)), seen=seen, by="ky-thuat", note="", now=NOW)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[" * 10**5, b"null", b"{}", b'{"a":1,"a":2}', b"format = 1"])
def test_whatever_a_server_sends_for_a_document_numbers_go_on(lite: Server, tmp_path: Path, content: bytes):
    with down(lite, tmp_path) as kiosk:
        kiosk.push()
        put(lite, 2, content)
        put(lite, 1, content, "board")
        kiosk.push()
        kiosk.push()
        assert kiosk.office == sample()
        assert kiosk.looked().refused and kiosk.looked("board").refused


def test_a_document_that_the_keys_of_this_device_do_not_fit_is_refused_with_its_place(lite: Server, tmp_path: Path):
    with down(lite, tmp_path, "[buttons.services.dat-dai]\npin = 5\n") as kiosk:
        kiosk.push()
        left = tuple(one for one in sample().services if one.id != "dat-dai")
        counters = tuple(
            replace(one, services=tuple(id for id in one.services if id != "dat-dai") or ("ho-tich",))
            for one in sample().counters
        )
        publish_office(lite, services=left, counters=counters)
        kiosk.push()
        [problem] = kiosk.events("office.applied")[-1]["problems"]
        assert (problem["key"], problem["values"]["ten"]) == ("no_service", "dat-dai")
        assert problem["where"] == "kiosk.toml [buttons.services] dat-dai"
        assert kiosk.office == sample()


def test_a_document_of_another_site_or_unit_is_refused_unless_the_unit_got_its_code_later(lite: Server, tmp_path: Path):
    unit = replace(sample().unit, code="12345")
    with down(lite, tmp_path) as kiosk:
        publish_office(lite, unit=unit)
        kiosk.push()
        office = kiosk.office
        publish_office(lite, site=replace(office.site, id="phu"))
        kiosk.push()
        publish_office(lite, site=office.site, unit=replace(unit, code="99999"))
        kiosk.push()
        keys = [told["problems"][0]["key"] for told in kiosk.events("office.applied")[1:]]
        assert keys == ["other_site", "other_unit"]
        assert kiosk.office == office
        publish_office(lite, unit=replace(unit, code="99999", valid_from=date(2026, 12, 1)))
        kiosk.push()
        assert kiosk.office.unit.code == "99999"


def test_a_number_at_a_counter_that_goes_away_goes_back_into_line(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        kiosk.push()
        kiosk.store.issuing.issue(moment(10), "ho-tich")
        kiosk.store.counters.open(moment(60), "1", "nguyen-thi-a")
        kiosk.store.counters.call_next(moment(120), "1")
        others = tuple(
            replace(one, services=(*one.services, "ho-tich")) for one in sample().counters[1:] if one.id != "1"
        )
        publish_office(lite, counters=others)
        kiosk.push()
        assert [one.id for one in kiosk.office.counters] == [one.id for one in others]
        assert kiosk.store.board(moment(180)).waiting == {"ho-tich": 1}


def test_the_sample_office_is_nobodys_and_gives_way_to_any_other(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        kiosk.push()
        office = sample()
        unit = replace(office.unit, code="12345", valid_from=None)
        publish_office(lite, unit=unit, site=replace(office.site, id="phu"))
        kiosk.push()
        assert (kiosk.office.unit.code, kiosk.office.site.id) == ("12345", "phu")


def test_the_first_document_of_a_server_is_taken_whatever_the_kiosk_had(lite: Server, tmp_path: Path):
    own = replace(sample(), version=40, site=replace(sample().site, id="cu"))
    with down(lite, tmp_path) as kiosk:
        kiosk.store.offices.apply(moment(), own.to_json().decode(), own.sha256, 40, by="do-van-h")
        kiosk.push()
        assert kiosk.office == sample()


def test_texts_in_pieces_are_put_together(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        kiosk.push()
        office = replace(sample(), version=2, slogans=("Hộ tịch, chứng thực",))
        put(lite, 2, unicodedata.normalize("NFD", office.to_json().decode()).encode())
        kiosk.push()
        assert kiosk.office == office
        assert kiosk.store.offices.newest().sha256 == office.sha256  # type: ignore[union-attr]
        assert kiosk.looked().sha256 != office.sha256


def test_a_server_that_was_restored_does_not_bring_an_older_document_back(
    lite: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with down(lite, tmp_path) as kiosk:
        publish_office(lite, slogans=("Mới",))
        kiosk.push()
        lost = Document.objects.get(version=2)
        lost.delete()
        kiosk.push()
        kiosk.push()
        assert kiosk.office.slogans == ("Mới",)
        assert kiosk.looked().behind
        assert caplog.text.count("keeps its version 2") == 1
        lite.settle()
        publish_office(lite, slogans=("Lại",))
        kiosk.push()
        assert (kiosk.office.version, kiosk.office.slogans) == (3, ("Lại",))
        assert not kiosk.looked().behind


def test_a_version_that_is_given_twice_is_told_apart_by_its_content(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        publish_office(lite, slogans=("Một",))
        kiosk.push()
        Document.objects.get(version=2).delete()
        kiosk.push()
        again = replace(sample(), version=2, slogans=("Hai",))
        put(lite, 2, again.to_json())
        kiosk.push()
        assert kiosk.office.slogans == ("Hai",)


def test_the_same_document_again_is_answered_by_304_and_changes_nothing(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        publish_office(lite, slogans=("Một",))
        kiosk.push()
        document = Document.objects.get(version=2)
        document.delete()
        kiosk.push()
        Document.objects.create(
            site=lite.site, kind="office", version=2, sha256=document.sha256, content=b"never read", at=NOW, by="x"
        )
        kiosk.push()
        assert len(kiosk.events("office.applied")) == 1
        assert not kiosk.looked().behind


def test_a_document_that_is_damaged_on_its_way_is_fetched_again_later(
    lite: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with down(lite, tmp_path) as kiosk:
        kiosk.push()
        document = publish_office(lite, slogans=("Một",))
        Document.objects.filter(pk=document.pk).update(content=bytes(document.content)[:-1])
        kiosk.push()
        kiosk.push()
        assert kiosk.office == sample()
        assert caplog.text.count("not what its ETag names") == 1
        Document.objects.filter(pk=document.pk).update(content=document.content)
        kiosk.push()
        assert kiosk.office.slogans == ("Một",)


# --- photos ---------------------------------------------------------------------------------------------------


def test_photos_are_there_before_the_document_that_names_them(lite: Server, tmp_path: Path):
    keep_photo()
    with down(lite, tmp_path) as kiosk:
        publish_office(lite, **with_photo())
        kiosk.push()
        assert kiosk.office.clerks[0].photo == f"{HASH}.jpg"
        assert (kiosk.photos / f"{HASH}.jpg").read_bytes() == PHOTO
        Blob.objects.all().delete()
        publish_office(lite, slogans=("Ảnh đã có",))
        kiosk.push()
        assert kiosk.events("office.applied")[-1] == {
            **kiosk.events("office.applied")[-1], "version": 3, "ok": True
        }  # fmt: skip
        assert "problems" not in kiosk.events("office.applied")[-1]


def test_a_photo_that_the_server_does_not_have_stops_no_document_and_is_told(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        publish_office(lite, **with_photo())
        kiosk.push()
        told = kiosk.events("office.applied")[-1]
        assert (told["ok"], told["problems"][0]["key"]) == (True, "no_photo")
        assert told["problems"][0]["path"] == "clerks.1.photo"
        assert kiosk.office.version == 2


def test_a_photo_that_came_damaged_is_not_kept_and_the_document_waits_for_it(lite: Server, tmp_path: Path):
    keep_photo(b"half a pho")
    with down(lite, tmp_path) as kiosk:
        publish_office(lite, **with_photo())
        kiosk.push()
        assert kiosk.office == sample()
        assert not list(kiosk.photos.glob("*"))
        Blob.objects.update(content=PHOTO)
        kiosk.push()
        assert kiosk.office.version == 2


def test_photos_by_other_names_are_files_of_the_device(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        publish_office(lite, **with_photo("a.jpg"))
        kiosk.push()
        assert kiosk.events("office.applied")[-1]["ok"]
        assert "problems" not in kiosk.events("office.applied")[-1]


class Deaf(Proxy):
    """Stands before a server and never answers a request for `path`; `heard` says that one came."""

    def __init__(self, port: int, path: str) -> None:
        super().__init__(port)
        self.path, self.heard = path.encode(), threading.Event()

    def serve(self, conn: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._target)) as server:
            while request := read_request(conn):
                if self.path and self.path in request:
                    self.heard.set()
                    self.ended.wait(20)
                    return
                server.sendall(request)
                conn.sendall(read_request(server))


def test_a_kiosk_that_is_killed_between_photo_and_document_takes_the_document_when_it_starts_again(
    lite: Server, tmp_path: Path
):
    keep_photo()
    second = hashlib.sha256(b"second").hexdigest()
    Blob.objects.create(sha256=second, content=b"second", type="image/png")
    one, two, *others = sample().clerks
    clerks = (replace(one, photo=f"{HASH}.jpg"), replace(two, photo=f"{second}.png"), *others)
    publish_office(lite, clerks=clerks)
    with lite.serving() as url, Deaf(int(url.rpartition(":")[2]), f"/blob/{second}") as proxy:
        kiosk = Down(tmp_path, proxy.url)
        with closing(kiosk.uplink):
            command = [sys.executable, "-m", "kiosk", "sync", "--config", str(tmp_path / "kiosk.toml")]
            with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
                heard = proxy.heard.wait(30)
                process.send_signal(signal.SIGKILL)
            assert heard
            assert [path.name for path in kiosk.photos.iterdir()] == [f"{HASH}.jpg"]
            assert kiosk.office == sample() and not kiosk.events("office.applied")
            proxy.path = b""
            kiosk.push()
            assert kiosk.office.clerks == clerks
            assert len(list(kiosk.photos.iterdir())) == 2


# --- whose document it is -------------------------------------------------------------------------------------


def test_from_the_first_document_of_the_server_on_nobody_changes_it_at_the_kiosk(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        own = replace(sample(), version=2)
        text = own.to_json().decode()
        kiosk.store.offices.apply(moment(), text, own.sha256, 2, by="do-van-h")
        kiosk.push()
        with pytest.raises(Refused, match="office_owned"):
            kiosk.store.offices.apply(moment(), text.replace('"version":2', '"version":3'), "x", 3, by="do-van-h")
        kiosk.uplink.downlink.receiver.downloads.forget(moment())
        assert kiosk.office == sample()
        kiosk.store.offices.apply(moment(), text, own.sha256, 2, by="do-van-h")


def test_the_command_says_whose_document_it_is_and_changes_nothing(
    lite: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "office.json").write_bytes(replace(sample(), version=5).to_json())
    with down(lite, tmp_path) as kiosk:
        kiosk.push()
        for action in (["apply", str(tmp_path / "office.json")], ["restore", "1"]):
            assert main(["office", *action, "--config", str(tmp_path / "kiosk.toml")]) == 1
            assert "máy chủ" in capsys.readouterr().err
        assert main(["office", "show", "--config", str(tmp_path / "kiosk.toml")]) == 0
        assert "máy chủ" in capsys.readouterr().err
        assert kiosk.office == sample()


# --- the board ------------------------------------------------------------------------------------------------


def lines(kiosk: Down) -> list[str]:
    return [line.text for line in kiosk.store.overrides.lines()]


def days(kiosk: Down) -> list[tuple[str, str]]:
    return [(str(day.day), day.kind) for day in kiosk.store.overrides.days()]


def test_the_board_shows_what_is_published_beside_what_staff_wrote(server: Server, tmp_path: Path):
    with down(server, tmp_path) as kiosk:
        kiosk.store.overrides.add_line(moment(), "Của quầy")
        off = Day(date(2026, 12, 24), "off", "Nghỉ")
        publish_board(server, 0, dossiers=Figures.of(FIGURES), lines=(Line("Một"), Line("Hai")), days=(off,))
        kiosk.push()
        assert lines(kiosk) == ["Của quầy", "Một", "Hai"]
        assert days(kiosk) == [("2026-12-24", "off")]
        assert kiosk.store.dossiers.current() == FIGURES
        assert kiosk.events("board.applied")[0]["version"] == 1
        publish_board(server, 1, lines=(Line("Ba", date(2026, 12, 1)),))
        kiosk.push()
        assert lines(kiosk) == ["Của quầy", "Ba"]
        assert days(kiosk) == []
        assert kiosk.store.dossiers.current() is None
        assert from_events(kiosk.store.database.conn) == from_tables(kiosk.store.database.conn)


def test_lines_that_stay_are_not_written_again(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        publish_board(lite, 0, lines=(Line("Một"),))
        kiosk.push()
        written = kiosk.events("override.set")
        publish_board(lite, 1, lines=(Line("Một"),), dossiers=Figures.of(FIGURES))
        kiosk.push()
        assert kiosk.events("override.set") == written


def test_newer_figures_of_the_kiosk_stay_and_those_that_staff_took_away_do_not_come_back(lite: Server, tmp_path: Path):
    newer = replace(FIGURES, as_of=moment(0).at, early=1)
    with down(lite, tmp_path) as kiosk:
        kiosk.store.dossiers.set(moment(60), newer)
        publish_board(lite, 0, dossiers=Figures.of(FIGURES))
        kiosk.push()
        assert kiosk.store.dossiers.current() == newer
        kiosk.store.dossiers.clear(moment(70))
        publish_board(lite, 1, dossiers=Figures.of(FIGURES), lines=(Line("Một"),))
        kiosk.push()
        assert kiosk.store.dossiers.current() is None


def test_a_day_that_staff_changed_since_is_theirs(lite: Server, tmp_path: Path):
    day = date(2026, 12, 24)
    with down(lite, tmp_path) as kiosk:
        publish_board(lite, 0, days=(Day(day, "off", "Nghỉ"),))
        kiosk.push()
        kiosk.store.overrides.set_day(moment(), day, "half")
        publish_board(lite, 1, days=(Day(day, "off", "Nghỉ"),), lines=(Line("Một"),))
        kiosk.push()
        assert days(kiosk) == [("2026-12-24", "half")]
        publish_board(lite, 2)
        kiosk.push()
        assert days(kiosk) == [("2026-12-24", "half")]


def test_figures_of_a_time_to_come_are_refused_and_the_board_stays_as_it_was(lite: Server, tmp_path: Path):
    with down(lite, tmp_path) as kiosk:
        publish_board(lite, 0, lines=(Line("Một"),))
        kiosk.push()
        ahead = replace(FIGURES, as_of=moment(day=2).at)
        publish_board(lite, 1, dossiers=Figures.of(ahead))
        kiosk.push()
        assert lines(kiosk) == ["Một"]
        assert kiosk.events("board.applied")[-1]["ok"] is False
        assert kiosk.store.dossiers.current() is None
