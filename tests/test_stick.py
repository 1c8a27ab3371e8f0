"""A stick named KIOSKEXPORT, the slip that says what came onto it; and a kiosk that is emptied for another office."""

import io
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from kiosk import sheets
from kiosk.__main__ import main
from kiosk.store import Store
from kiosk.store.locks import hold, single
from kiosk.texts import Texts
from sync import outbox
from tests.office import moment, open_store

HELPER = Path(__file__).parent.parent / "systemd" / "kiosk-usb"
RULES = HELPER.with_name("70-kiosk.rules")
NAME = "k-7F3K2M"


@pytest.fixture
def device(tmp_path: Path) -> str:
    """kiosk.toml of a kiosk that has given a number which no server knows yet."""
    file = tmp_path / "kiosk.toml"
    file.write_text(f'device = "{NAME}"\ndata_dir = "data"\n[buttons]\nfactory = "none"\n[printer]\nurl = "none"\n')
    data = tmp_path / "data"
    data.mkdir()
    store = open_store(data)
    store.issuing.issue(moment(0), "ho-tich")
    store.close()
    return str(file)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def orders(data: Path) -> list[tuple[str, str]]:
    store = Store(data, open_store(data).issuing.book)
    rows = store.database.rows("SELECT kind, data FROM orders ORDER BY id")
    store.close()
    return [(row["kind"], row["data"]) for row in rows]


def test_a_stick_gets_the_events_and_a_support_bundle(
    device: str, stick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stick", "--config", device, str(stick)]) == 0
    said = capsys.readouterr().out.strip()
    [events] = stick.glob("kiosk-*.ndjson")
    assert b"ticket.issued" in events.read_bytes()
    [bundle] = stick.glob("*.tar.gz")
    with tarfile.open(bundle) as inside:
        assert any(name.endswith("check.json") for name in inside.getnames())
    t = Texts("vi")
    assert said.splitlines()[1] == t("test_sheet.stick_bundle")


def test_filling_a_stick_prints_nothing_yet(device: str, stick: Path, tmp_path: Path) -> None:
    with single(tmp_path / "data"):  # a kiosk runs
        assert main(["stick", "--config", device, str(stick)]) == 0
    assert orders(tmp_path / "data") == []


@pytest.mark.parametrize(
    ("became", "slip"), [("whole", "Đã chép 3 sự kiện"), ("lost", Texts("vi")("test_sheet.stick_lost"))]
)
def test_the_kiosk_prints_what_became_of_a_stick_that_was_let_go(
    device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, became: str, slip: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("Đã chép 3 sự kiện\n"))
    with single(tmp_path / "data"):
        assert main(["stick", "--config", device, "--slip", became]) == 0
    assert orders(tmp_path / "data") == [(sheets.STICK, slip)]


def test_a_stick_that_cannot_be_written_is_said_and_no_event_is_lost(
    device: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stick", "--config", device, str(tmp_path / "pulled-out")]) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said] == ["Chưa chép được", "Chưa chép được"]
    assert all(line.endswith(ends) for line, ends in zip(said, ("gắn (mount) ở đâu", "thư mục này"), strict=True))
    store = open_store(tmp_path / "data")
    assert outbox.backlog(store.database.conn) > 0


@pytest.mark.parametrize("kind", ["export", "backup"])
def test_kiosk_toml_says_which_sticks_get_something(device: str, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stick", "--config", device, "--may", kind]) == 0
    with Path(device).open("a") as file:
        file.write(f"[sticks]\n{kind} = false\n")
    assert main(["stick", "--config", device, "--may", kind]) == 3
    capsys.readouterr()
    assert main(["stick", "--config", device, "--may", kind]) == 3
    assert f"[sticks] {kind} = false" in capsys.readouterr().err


def test_the_slip_of_a_stick_has_its_lines() -> None:
    lines = [Texts("vi")("test_sheet.stick_events", n="12"), Texts("vi")("test_sheet.stick_bundle")]
    drawn, less = (sheets.stick(some, Texts("vi"), 576) for some in (lines, lines[:1]))
    assert drawn.height > less.height


@pytest.mark.parametrize(
    "words", [[], ["sda1;reboot"], ["../mmcblk0p2"], ["mmcblk0p2"], ["sda12x"], ["backup", "x"], ["umount"]]
)
def test_roots_helper_takes_names_of_sticks_alone(words: list[str]) -> None:
    done = subprocess.run([str(HELPER), *words], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("kiosk-usb: ")


def test_the_names_of_sticks_fit_into_the_label_of_a_fat_file_system() -> None:
    names = set(re.findall(r"KIOSK[A-Z-]+", HELPER.read_text())) | set(re.findall(r"KIOSK[A-Z-]+", RULES.read_text()))
    assert names == {"KIOSKEXPORT", "KIOSKBACKUP"}
    assert max(map(len, names)) <= 11


# --- another office ------------------------------------------------------------------------------------------


def test_a_kiosk_with_unsent_events_is_not_emptied(
    device: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["factory-reset", "--config", device, NAME]) == 1
    assert "sự kiện chưa gửi lên máy chủ nào" in capsys.readouterr().err
    assert (tmp_path / "data" / "kiosk.db").exists()


def test_it_is_emptied_when_that_is_meant(device: str, tmp_path: Path) -> None:
    (tmp_path / "data" / "tls").mkdir()
    (tmp_path / "data" / "tls" / "key.pem").write_text("key")
    (tmp_path / "data" / "token").write_text("token")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "stays").touch()
    (tmp_path / "data" / "link").symlink_to(outside)
    assert main(["factory-reset", "--config", device, "--even-unsent", NAME]) == 0
    assert list((tmp_path / "data").iterdir()) == []
    assert (outside / "stays").exists()
    fresh = open_store(tmp_path / "data")
    assert fresh.issuing.issue(moment(0), "ho-tich").ticket.seq == 1


def test_another_kiosks_name_or_a_running_kiosk_changes_nothing(
    device: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["factory-reset", "--config", device, "--even-unsent", "k-AAAAAA"]) == 1
    assert NAME in capsys.readouterr().err
    with hold(tmp_path / "data"):
        assert main(["factory-reset", "--config", device, "--even-unsent", NAME]) == 1
    assert "Ki-ốt đang chạy trên dữ liệu này" in capsys.readouterr().err
    assert (tmp_path / "data" / "kiosk.db").exists()
    assert json.loads((tmp_path / "data" / "highwater.json").read_text())
