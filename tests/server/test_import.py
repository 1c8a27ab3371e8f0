"""Events and words that come on a USB stick: taken once, only of known kiosks, and the kiosk learns what was taken."""

import base64
import gzip
import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from kiosk.store.comments import CommentTexts
from server.accounts.models import Audit
from server.clock import now
from server.commands import take_in
from server.facts.models import Comment
from server.feed.files import Files
from server.feed.models import Event
from server.registry.enrolment import revoke
from server.registry.models import Device, Site, Unit
from sync import importing
from sync.export import Exported, export
from sync.importing import import_file, import_path
from tests.server.kiosk_kit import Kiosk
from tests.server.kit import Server, batch_of
from tests.sync_kit import DEVICE


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    kiosk = Kiosk(tmp_path / "kiosk")
    yield kiosk
    kiosk.close()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def write(kiosk: Kiosk, stick: Path, **options: bool) -> Exported:
    texts = CommentTexts(kiosk.database, kiosk.now)
    return export(kiosk.outbox, stick, DEVICE, {}, texts=texts, **options)


def upload(browser: Client, *files: Path | tuple[str, bytes], **more: Any) -> Any:
    pairs = [(file.name, file.read_bytes()) if isinstance(file, Path) else file for file in files]
    return browser.post("/import", {"files": [SimpleUploadedFile(name, content) for name, content in pairs], **more})


def save_answers(page: str, stick: Path) -> None:
    """As somebody who clicks each of them."""
    for content, name in re.findall(r'href="data:application/json;base64,([^"]+)" download="([^"]+)"', page):
        (stick / name).write_bytes(base64.b64decode(content))


def held() -> set[str]:
    return set(Event.objects.values_list("id", flat=True))


# --- the way there and back -----------------------------------------------------------------------------------


def test_a_stick_brings_events_and_words_and_takes_the_answer_back(server: Server, kiosk: Kiosk, stick: Path):
    kiosk.happen(700)
    id = kiosk.comment("Chờ lâu quá")
    done = write(kiosk, stick)
    assert (done.count, done.texts) == (len(kiosk.ids()), 1)
    assert [file.code for file in import_path(Files(now()), stick, now())] == ["ok", "ok"]
    assert held() == set(kiosk.ids())
    assert Comment.objects.get(id=id).text == "Chờ lâu quá"
    after = write(kiosk, stick)
    assert (after.path, after.answer, after.texts) == (None, "ok", 0)
    assert not list(stick.glob("*-texts*"))


def test_the_page_takes_files_in_and_gives_the_answer_to_save(lite: Server, kiosk: Kiosk, stick: Path):
    kiosk.happen(600)
    kiosk.comment("Chờ lâu quá")
    write(kiosk, stick)
    browser = lite.signed_in("ky-thuat", "technician")
    page = upload(browser, *stick.iterdir()).content.decode()
    assert page.count("Đã nhận") == 2
    assert held() == set(kiosk.ids())
    save_answers(page, stick)
    after = write(kiosk, stick)
    assert (after.path, after.answer, after.texts) == (None, "ok", 0)
    assert Comment.objects.get().text == "Chờ lâu quá"
    note = Audit.objects.get(what="feed.imported")
    assert (note.who, note.unit) == ("ky-thuat", lite.unit)


def test_the_same_files_again_change_nothing(lite: Server, kiosk: Kiosk, stick: Path):
    kiosk.happen(20)
    write(kiosk, stick)
    first, second = (import_path(Files(now()), stick, now()) for _ in range(2))
    assert [file.added for file in first] == [len(kiosk.ids())]
    assert [(file.code, file.added) for file in second] == [("ok", 0)]


def test_a_packed_file_is_read_too(lite: Server, kiosk: Kiosk, stick: Path):
    kiosk.happen(20)
    path = write(kiosk, stick).path
    assert path
    packed = (f"{path.name}.gz", gzip.compress(path.read_bytes()))
    assert "Đã nhận" in upload(lite.signed_in("ky-thuat", "technician"), packed).content.decode()
    assert held() == set(kiosk.ids())


def test_a_gap_is_said_and_the_kiosk_exports_from_there(lite: Server, kiosk: Kiosk, stick: Path):
    kiosk.happen(10)
    first = write(kiosk, stick).path
    assert first
    kiosk.outbox.settle(kiosk.outbox.feed()[0].epoch, "ok", kiosk.outbox.feed()[1], None)
    first.unlink()
    kiosk.happen(5)
    write(kiosk, stick)
    page = upload(lite.signed_in("ky-thuat", "technician"), *stick.iterdir()).content.decode()
    assert "Thiếu sự kiện" in page
    save_answers(page, stick)
    assert write(kiosk, stick).answer == "gap"
    import_path(Files(now()), stick, now())
    assert held() == set(kiosk.ids())


def test_words_whose_events_are_not_there_are_brought_again(lite: Server, kiosk: Kiosk, stick: Path):
    kiosk.comment("Chờ lâu quá")
    path = write(kiosk, stick).path
    assert path
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"\n") + 1])
    assert [file.code for file in import_path(Files(now()), stick, now())] == ["damaged", "ok"]
    assert write(kiosk, stick).texts == 1
    import_path(Files(now()), stick, now())
    assert Comment.objects.get().text == "Chờ lâu quá"


def test_an_answer_of_long_ago_moves_no_words_back_or_forth(lite: Server, kiosk: Kiosk, stick: Path):
    kiosk.comment("một")
    write(kiosk, stick)
    import_path(Files(now()), stick, now())
    ack = stick / f"kiosk-{DEVICE}.ack.json"
    old = ack.read_bytes()
    kiosk.comment("hai")
    write(kiosk, stick)
    import_path(Files(now()), stick, now())
    assert write(kiosk, stick).texts == 0
    ack.write_bytes(old)
    assert write(kiosk, stick).texts == 0
    kiosk.comment("ba")
    forged = {**json.loads(old), "texts": 10**6}
    ack.write_text(json.dumps({**forged, "epoch": "00000009" + "a" * 8}))
    assert write(kiosk, stick).texts == 1


def test_everything_brings_all_words_again(lite: Server, kiosk: Kiosk, stick: Path):
    kiosk.comment("một")
    write(kiosk, stick)
    import_path(Files(now()), stick, now())
    done = write(kiosk, stick, everything=True)
    assert (done.count, done.texts) == (len(kiosk.ids()), 1)


# --- whose files ----------------------------------------------------------------------------------------------


def test_a_kiosk_that_nobody_knows_is_refused_in_words(lite: Server, stick: Path):
    file = ("kiosk-x.ndjson", batch_of([], [], "k-NOBODY", "0000000112345678").plain())
    page = upload(lite.signed_in("ky-thuat", "technician"), file).content.decode()
    assert "Chưa có máy k-NOBODY" in page
    assert "download=" not in page


def test_a_kiosk_of_another_commune_is_as_unknown(lite: Server):
    other = Site.objects.create(unit=Unit.objects.create(code="2", name="xã Khác"), key="chinh", name="Khác")
    lite.enrol("k-OTHER1", "another", other)
    file = ("kiosk-x.ndjson", batch_of([], [b"{}"], "k-OTHER1", "0000000112345678").plain())
    assert "Chưa có máy k-OTHER1" in upload(lite.signed_in("ky-thuat", "technician"), file).content.decode()
    assert not Event.objects.exists()
    assert "Đã nhận" in upload(lite.signed_in("may-chu", "operator"), file).content.decode()
    assert Audit.objects.get(what="feed.imported").unit == other.unit


def test_a_kiosk_that_is_shut_out_is_refused_in_words(lite: Server):
    revoke(lite.device)
    file = ("kiosk-x.ndjson", batch_of([], [], DEVICE, "0000000112345678").plain())
    assert "đã bị khóa" in upload(lite.signed_in("ky-thuat", "technician"), file).content.decode()


def test_a_kiosk_without_a_network_that_was_shut_out_is_let_in_again_on_its_page(lite: Server):
    revoke(lite.device)
    browser = lite.signed_in("ky-thuat", "technician")
    address = f"/kiosks/{lite.device.pk}"
    browser.post(f"{address}/admit")
    assert "Nhận lại số liệu USB" not in browser.get(address).content.decode()
    assert Device.objects.get().revoked, "one that has a network brings a new code"
    browser.post(f"{address}/change", {"label": "Vùng cao", "mode": "file"})
    assert "Nhận lại số liệu USB" in browser.get(address).content.decode()
    browser.post(f"{address}/admit")
    file = ("kiosk-x.ndjson", batch_of([], [], DEVICE, "0000000112345678").plain())
    assert "đã bị khóa" not in upload(browser, file).content.decode()
    assert Audit.objects.filter(what="kiosk.admitted").get().unit == lite.site.unit


@pytest.mark.parametrize("role", ["viewer", "leader", "clerk"])
def test_others_may_not_import(lite: Server, role: str):
    assert lite.signed_in("ai-do", role).get("/import").status_code == 403
    assert lite.client.get("/import").status_code == 302


# --- bad files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "Tệp hỏng"),
        (b"\x1f\x8b", "Tệp hỏng"),
        (b"\x89PNG" + bytes(3000), "Tệp hỏng"),
        (b"{" * 100_000, "Tệp hỏng"),
        (b'{"texts":1}\n', "Tệp hỏng"),
        (batch_of([], [b"{}"], DEVICE, "0000000112345678").plain()[:-9], "Tệp hỏng"),
    ],
)
def test_a_file_that_is_none_is_said_and_the_others_are_taken(lite: Server, content: bytes, says: str):
    sound = ("kiosk-z.ndjson", batch_of([], [b"{}"], DEVICE, "0000000112345678").plain())
    page = upload(lite.signed_in("ky-thuat", "technician"), ("kiosk-a.ndjson", content), sound).content.decode()
    assert says in page
    assert "Đã nhận" in page


def test_no_file_at_all_is_said(lite: Server):
    answer = lite.signed_in("ky-thuat", "technician").post("/import", {})
    assert answer.status_code == 400
    assert "Chưa chọn tệp nào" in answer.content.decode()


def test_of_a_packed_file_that_never_ends_only_so_much_is_read(lite: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importing, "MAX_PLAIN", 50_000)
    empty = batch_of([], [], DEVICE, "0000000112345678").plain()
    bomb = io.BytesIO(gzip.compress(empty * 10_000))
    done = import_file(Files(now()), "x", bomb, now())
    assert (done.code, "more than" in done.detail) == ("damaged", True)


def test_names_of_files_are_shown_as_text(lite: Server):
    page = upload(lite.signed_in("ky-thuat", "technician"), ("<b>x</b>.ndjson", b"?")).content.decode()
    assert "<b>x</b>" not in page


# --- the command ----------------------------------------------------------------------------------------------


def test_the_command_takes_a_stick_in_and_leaves_the_answer(tmp_path: Path, kiosk: Kiosk, stick: Path):
    kiosk.happen(20)
    write(kiosk, stick)
    (tmp_path / "server.toml").write_text('data_dir = "data"\n')
    command = [sys.executable, "-m", "server", "--config", str(tmp_path / "server.toml"), "import", str(stick)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent.parent.parent)
    assert (done.returncode, f"Chưa có máy {DEVICE}" in done.stdout) == (1, True)
    empty = subprocess.run([*command[:-1], str(tmp_path / "data")], capture_output=True, text=True)
    assert "không có tệp nào do máy lấy số xuất ra" in empty.stdout


SAYS = {
    "vi": ["Đã nhận, {n} sự kiện mới", "Đã nhận lời góp ý", "Tệp hỏng. Phần đọc được đã giữ", "Cắm lại USB này",
           f"Máy {DEVICE} đã bị khóa"],
    "en": ["Taken, new events: {n}", "The words of comments are taken", "The file is damaged. What could be read is",
           "Export again at the kiosk with this stick", f"Kiosk {DEVICE} is shut out"],
}  # fmt: skip


@pytest.mark.parametrize("language", SAYS)
def test_the_command_says_in_the_servers_language_what_became_of_each_file(
    lite: Server, kiosk: Kiosk, stick: Path, language: str
):
    taken, words, damaged, gap, revoked = SAYS[language]

    def said() -> tuple[list[str], bool]:
        with override_settings(CONFIG=replace(settings.CONFIG, language=language)):
            lines, whole = take_in(stick, now())
        return lines.splitlines(), whole

    kiosk.comment("Chờ lâu quá")
    path = write(kiosk, stick).path
    assert path
    count = len(kiosk.ids())
    lines, whole = said()
    row = Audit.objects.get(what="feed.imported")
    assert (row.who, row.unit, row.about.split(",")[0]) == (
        "kiosk-server", lite.unit, f"{DEVICE}: {count} new"
    )  # fmt: skip
    assert [line.split(": ", 1)[1] for line in lines] == [taken.format(n=count), words]
    assert whole
    for file in stick.glob("*.ndjson"):
        file.unlink()
    kiosk.happen(3)
    path.write_bytes(batch_of([], [], DEVICE, kiosk.outbox.feed()[0].epoch).plain() + b"?")
    lines, whole = said()
    assert damaged in lines[0]
    assert not whole
    path.write_bytes(batch_of([b"{}"] * 99, [], DEVICE, kiosk.outbox.feed()[0].epoch).plain())
    assert gap in said()[0][0]
    revoke(lite.device)
    assert revoked in said()[0][0]
