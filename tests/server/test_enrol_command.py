"""`kiosk enrol`: with a code from the server the kiosk has its token, and sends; without one nothing is changed."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk import enrol_command
from kiosk.__main__ import main
from kiosk.clock import SystemClock
from kiosk.config import ENROLLED, enrolled_text, load_config
from kiosk.office import sample
from kiosk.setup import load_office
from kiosk.store.database import Database
from kiosk.store.facts import device_id
from kiosk.uplink import Uplink
from kiosk.waiting import PART
from server import clock
from server.accounts.models import Audit
from server.feed.models import Event
from server.office.models import Document
from server.registry import api
from server.registry.enrolment import make_code
from server.registry.models import Device, Site, Unit
from sync import wire
from tests.server.kit import Server, batch_of
from tests.server.pull_kit import Tls, strange_certificate
from tests.sync_net import Script, http


@pytest.fixture(autouse=True)
def _nobody_guessed_before() -> Iterator[None]:
    api.guesses = api.Guesses()
    yield
    api.guesses = api.Guesses()


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    file = tmp_path / "kiosk.toml"
    file.write_text('data_dir = "data"\n')
    return file


def enrol(toml: Path, url: str, code: str, *more: str) -> int:
    return main(["enrol", url, code, "--config", str(toml), *more])


def token_of(toml: Path) -> str:
    return (toml.parent / "data" / "token").read_text()


def push(toml: Path) -> str:
    with closing(Uplink(load_config(toml), SystemClock())) as uplink:
        while (outcome := uplink.push()).backlog and outcome.state in ("ok", "resend"):
            pass
        return outcome.state


def test_with_a_code_the_kiosk_joins_and_sends(lite: Server, toml: Path, capsys: pytest.CaptureFixture[str]):
    with lite.serving() as url:
        assert enrol(toml, url, make_code(lite.site, clock.now())) == 0
        said = capsys.readouterr().out
        assert said.startswith(f"Cấu hình: {toml}. Dữ liệu: {toml.parent / 'data'}\n")
        assert "xã Mẫu, Trụ sở xã Mẫu" in said
        config = load_config(toml)
        assert config.sync.server == url
        assert stat.S_IMODE((toml.parent / "data" / "token").stat().st_mode) == 0o600
        assert push(toml) == "ok"
    name = device_id(toml.parent / "data", "auto")
    assert name in said
    assert Device.objects.get(name=name).seen
    assert Event.objects.filter(device=name).exists()


def test_the_office_document_comes_along(lite: Server, toml: Path, capsys: pytest.CaptureFixture[str]):
    site = Site.objects.create(unit=lite.unit, key="phu", name="Điểm phụ")
    office = replace(sample(), unit=replace(sample().unit, code="12345"))
    (toml.parent / "office.json").write_bytes(office.to_json())
    toml.write_text('data_dir = "data"\noffice = "office.json"\n')
    with lite.serving() as url:
        assert enrol(toml, url, make_code(site, clock.now())) == 0
    assert bytes(Document.objects.get(site=site).content) == office.to_json()
    assert "đã nhận khai báo" in capsys.readouterr().out


def test_a_fresh_kiosk_joins_without_its_sample_office_and_says_so(
    lite: Server, toml: Path, capsys: pytest.CaptureFixture[str]
):
    site = Site.objects.create(unit=lite.unit, key="phu", name="Điểm phụ")
    with lite.serving() as url:
        assert enrol(toml, url, make_code(site, clock.now())) == 0
    assert not Document.objects.filter(site=site).exists()
    assert "còn là bản mẫu (mã 00000)" in capsys.readouterr().out
    assert "office: none" in Audit.objects.get(what="device.enrolled").about


def test_a_new_token_takes_the_place_of_the_old_one_with_its_first_use(lite: Server, toml: Path):
    with lite.serving() as url:
        enrol(toml, url, make_code(lite.site, clock.now()))
        first = token_of(toml)
        push(toml)
        device = Device.objects.get(name=device_id(toml.parent / "data", "auto"))
        assert enrol(toml, url, make_code(lite.site, clock.now(), device=device)) == 0
        assert token_of(toml) != first
        assert push(toml) == "ok"
    assert lite.push(batch_of([], [], device.name, "0000000112345678"), first).status_code == 401


def test_a_kiosk_whose_card_was_replaced_goes_on_under_its_name_in_a_new_epoch(lite: Server, toml: Path):
    old = wire.event_line("thing.happened", {}, wire.Stamp(clock.now(), "ntp", "7f3a9c12", 1))
    lite.push(batch_of([], [old], "k-7F3K2M", "0000000712345678"))
    with lite.serving() as url:
        code = make_code(lite.site, clock.now(), device=lite.device)
        assert enrol(toml, url, code) == 1
        assert enrol(toml, url, code, "--replace") == 0
        assert device_id(toml.parent / "data", "auto") == "k-7F3K2M"
        assert push(toml) == "ok"
    lite.device.refresh_from_db()
    assert wire.epoch_counter(lite.device.epoch) > 7
    assert Event.objects.filter(device="k-7F3K2M").count() > 1


def test_the_same_kiosk_keeps_its_epoch(lite: Server, toml: Path):
    with lite.serving() as url:
        enrol(toml, url, make_code(lite.site, clock.now()))
        push(toml)
        device = Device.objects.get(name=device_id(toml.parent / "data", "auto"))
        enrol(toml, url, make_code(lite.site, clock.now(), device=device))
        push(toml)
    epoch = device.epoch
    device.refresh_from_db()
    assert device.epoch == epoch


# --- what goes wrong changes nothing --------------------------------------------------------------------------


def unchanged(toml: Path) -> bool:
    folder = toml.parent / "data"
    return not (folder / ENROLLED).exists() and not (folder / "token").exists() and not list(folder.glob("*.trial"))


def test_a_wrong_code_is_said(lite: Server, toml: Path, capsys: pytest.CaptureFixture[str]):
    with lite.serving() as url:
        assert enrol(toml, url, "2222-2222") == 1
    assert "Xin mã mới" in capsys.readouterr().err
    assert unchanged(toml)


def test_a_code_for_another_kiosk_says_how_to_take_its_place(
    lite: Server, toml: Path, capsys: pytest.CaptureFixture[str]
):
    toml.write_text('data_dir = "data"\nlanguage = "en"\n')
    with lite.serving() as url:
        assert enrol(toml, url, make_code(lite.site, clock.now(), device=lite.device)) == 1
    assert "--replace" in capsys.readouterr().err
    assert unchanged(toml)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("may-chu.example", "Viết đầy đủ"),
        ("https://a:b@may-chu.example", "Viết đầy đủ"),
        ("ftp://may-chu.example", "Viết đầy đủ"),
        ("http://may-chu.example", "--allow-plain-http"),
        ("http://127.0.0.1:1", "không trả lời"),
    ],
)
def test_an_address_that_cannot_be_used_is_said(toml: Path, capsys: pytest.CaptureFixture[str], url: str, says: str):
    assert enrol(toml, url, "ABCD-EFGH") == 1
    assert says in capsys.readouterr().err


def test_a_certificate_that_nobody_knows_is_said_and_hears_no_code(
    toml: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with Tls(strange_certificate(tmp_path / "strange"), lambda conn: None) as server:
        assert enrol(toml, f"https://127.0.0.1:{server.port}", "ABCD-EFGH") == 1
    assert "--ca-file" in capsys.readouterr().err
    assert server.heard == []
    assert unchanged(toml)


def answer(**changes: str | None) -> bytes:
    sound = {"device": "k-1", "token": "t", "unit": "", "site": "", "epoch": "", "office": "none"}
    return http(200, json.dumps({**sound, **changes}).encode())


@pytest.mark.parametrize(
    "said_by_something",
    [
        http(404, b"<h1>not here</h1>"),
        http(302, b"", "Location: https://wifi.example/"),
        http(200, b"<html>sign in to the Wi-Fi</html>"),
        http(200, b"{}"),
        answer(device="../x"),
        answer(token="t\n"),
        answer(token=""),
        answer(epoch="ffffffff12345678"),
        answer(epoch="7"),
        answer(office="x"),
        answer(unit=None),
        http(200, b" " * 300_000),
        http(500, b'{"code": "\\u001b[31m", "message": "\\u001b[31m"}'),
    ],
)
def test_an_answer_of_something_else_is_said_and_changes_nothing(
    toml: Path, capsys: pytest.CaptureFixture[str], said_by_something: bytes
):
    with Script(said_by_something) as server:
        assert enrol(toml, server.url, "ABCD-EFGH") == 1
    said = capsys.readouterr().err
    assert "không như máy chủ xã" in said
    assert "\x1b" not in said
    assert unchanged(toml)


def test_kiosk_toml_goes_first_and_this_is_said_before_the_code_is_used(
    lite: Server, toml: Path, capsys: pytest.CaptureFixture[str]
):
    toml.write_text('data_dir = "data"\n[sync]\nserver = "https://other.example"\n')
    code = make_code(lite.site, clock.now())
    with lite.serving() as url:
        assert enrol(toml, url, code) == 1
        assert "[sync] server" in capsys.readouterr().err
        toml.write_text('data_dir = "data"\n')
        assert enrol(toml, url, code) == 0


def test_a_fixed_name_cannot_take_another_kiosks_place(toml: Path, capsys: pytest.CaptureFixture[str]):
    toml.write_text('data_dir = "data"\ndevice = "k-FIXED1"\n')
    assert enrol(toml, "http://127.0.0.1:1", "ABCD-EFGH", "--replace") == 1
    assert "k-FIXED1" in capsys.readouterr().err


def test_a_folder_that_takes_no_file_is_said_before_the_code_is_used(
    lite: Server, toml: Path, capsys: pytest.CaptureFixture[str]
):
    toml.write_text('data_dir = "data"\n[sync]\ntoken_file = "nowhere/token"\n')
    code = make_code(lite.site, clock.now())
    with lite.serving() as url:
        assert enrol(toml, url, code) == 1
        (toml.parent / "nowhere").mkdir()
        assert enrol(toml, url, code) == 0
    assert (toml.parent / "nowhere" / "token").exists()


# --- the upload follows ---------------------------------------------------------------------------------------


def test_an_upload_that_runs_is_asked_to_begin_anew(lite: Server, toml: Path):
    with lite.serving() as url:
        enrol(toml, url, make_code(lite.site, clock.now()))
    with closing(Database(toml.parent / "data")) as database:
        assert database.row("SELECT 1 FROM orders WHERE part = ? AND kind = 'restart'", PART)


def test_an_upload_without_a_server_ends_when_the_kiosk_has_joined_one_and_systemd_begins_it_anew(
    lite: Server, toml: Path
):
    command = [sys.executable, "-m", "kiosk", "sync", "--config", str(toml)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr
        assert "no server is configured" in waiting.stderr.readline()
        prepared = toml.parent / "data" / "kiosk.db"
        while not prepared.exists():
            assert waiting.poll() is None
        with lite.serving() as url:
            enrol(toml, url, make_code(lite.site, clock.now()))
            assert waiting.wait(20) == 0
            subprocess.run([*command, "--once"], check=True, capture_output=True)
    assert Device.objects.get(name=device_id(toml.parent / "data", "auto")).seen


def test_a_server_that_refuses_the_token_is_left_at_once_when_a_new_one_comes(lite: Server, toml: Path):
    """After 401 the upload waits an hour; the order to begin anew ends the wait."""
    with lite.serving() as url:
        enrol(toml, url, make_code(lite.site, clock.now()))
        (toml.parent / "data" / "token").write_text("wrong")
        assert push(toml) == "refused"
        device = Device.objects.get(name=device_id(toml.parent / "data", "auto"))
        with closing(Uplink(load_config(toml), SystemClock())) as uplink:
            enrol(toml, url, make_code(lite.site, clock.now(), device=device))
            uplink._wait(uplink.push())
            assert uplink.asked_to_restart
        assert push(toml) == "ok"


def test_a_kiosk_that_leaves_has_no_server_and_owns_its_office_document_again(
    lite: Server, toml: Path, capsys: pytest.CaptureFixture[str]
):
    with lite.serving() as url:
        enrol(toml, url, make_code(lite.site, clock.now()))
        push(toml)
    office = toml.parent / "office.json"
    office.write_bytes(replace(sample(), version=5).to_json())
    apply = ["office", "apply", str(office), "--config", str(toml)]
    assert main(apply) == 1
    assert main(["enrol", "--leave", "--config", str(toml)]) == 0
    assert load_config(toml).sync.server == ""
    assert not (toml.parent / "data" / "token").exists()
    assert main(apply) == 0
    assert main(["enrol", "--config", str(toml)]) == 1
    assert "sudo kiosk enrol ĐỊA-CHỈ MÃ" in capsys.readouterr().err


def test_a_kiosk_whose_file_names_the_server_does_not_leave_it_by_half(toml: Path, capsys: pytest.CaptureFixture[str]):
    toml.write_text('data_dir = "data"\n[sync]\nserver = "https://may-chu.example"\n')
    assert main(["enrol", "--leave", "--config", str(toml)]) == 1
    assert str(toml) in capsys.readouterr().err


def test_a_kiosk_that_joins_another_server_takes_its_documents_whatever_the_first_one_had(lite: Server, toml: Path):
    with lite.serving() as url:
        enrol(toml, url, make_code(lite.site, clock.now()))
        push(toml)
        old = Document.objects.get()
        old.delete()
        newer = replace(sample(), version=1, slogans=("Mới",))
        Document.objects.create(
            site=lite.site,
            kind="office",
            version=1,
            sha256=newer.sha256,
            content=newer.to_json(),
            at=clock.now(),
            by="x",
        )
        device = Device.objects.get(name=device_id(toml.parent / "data", "auto"))
        enrol(toml, url, make_code(lite.site, clock.now(), device=device))
        push(toml)
    assert load_office(load_config(toml)).slogans == ("Mới",)


@pytest.mark.parametrize("cut_at", ["device-id", "token"])
def test_a_cut_leaves_no_token_of_another_server_beside_the_new_one(
    lite: Server, toml: Path, monkeypatch: pytest.MonkeyPatch, cut_at: str
):
    data = toml.parent / "data"
    data.mkdir()
    (data / ENROLLED).write_text(enrolled_text("https://old.example", "", False))
    (data / "token").write_text("secret-of-the-old-server")
    written = enrol_command.write_durably

    def until_the_cut(path: Path, text: str, mode: int = 0o666) -> None:
        if path.name == cut_at:
            raise OSError("power cut")
        written(path, text, mode)

    monkeypatch.setattr(enrol_command, "write_durably", until_the_cut)
    with lite.serving() as url:
        assert enrol(toml, url, make_code(lite.site, clock.now(), device=lite.device), "--replace") == 1
    assert load_config(toml).sync.server == url
    assert not (data / "token").exists()


def test_a_cut_leaves_the_token_that_the_same_server_still_knows(
    lite: Server, toml: Path, monkeypatch: pytest.MonkeyPatch
):
    with lite.serving() as url:
        enrol(toml, url, make_code(lite.site, clock.now()))
        device = Device.objects.get(name=device_id(toml.parent / "data", "auto"))
        written = enrol_command.write_durably

        def until_the_cut(path: Path, text: str, mode: int = 0o666) -> None:
            if path.name == "token":
                raise OSError("power cut")
            written(path, text, mode)

        with monkeypatch.context() as cut:
            cut.setattr(enrol_command, "write_durably", until_the_cut)
            assert enrol(toml, url, make_code(lite.site, clock.now(), device=device)) == 1
        assert push(toml) == "ok"


def test_a_kiosk_whose_name_another_commune_has_goes_on_under_the_one_that_it_is_given(lite: Server, toml: Path):
    (toml.parent / "data").mkdir()
    (toml.parent / "data" / "device-id").write_text("k-7F3K2M")
    unit = Unit.objects.create(code="2", name="xã Khác")
    site = Site.objects.create(unit=unit, key="chinh", name="Khác")
    with lite.serving() as url:
        assert enrol(toml, url, make_code(site, clock.now())) == 0
        assert push(toml) == "ok"
    name = device_id(toml.parent / "data", "auto")
    assert name != "k-7F3K2M" and Device.objects.get(name=name).seen
    assert not Event.objects.filter(device="k-7F3K2M").exists()
