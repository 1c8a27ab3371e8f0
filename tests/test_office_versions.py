"""Versions of the office document: applied, taken over by running processes, brought back; never lost, never a stop."""

import json
import re
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk import revising
from kiosk.__main__ import main
from kiosk.config import load_config, shipped
from kiosk.documents import DocumentError
from kiosk.office import Office, sample
from kiosk.setup import load_office, load_text, words
from kiosk.simulator.printer import EmulatedPrinter, Mode
from kiosk.store import Store
from kiosk.tickets import Refused
from tests.app_kit import Kiosk, config, kiosk, paper, receiver  # noqa: F401
from tests.console_kit import Hall
from tests.office import moment, open_store

NAME = 'name = "Hộ tịch"'


def sample_text() -> str:
    return load_text(shipped()).text


def changed(name: str = "Khai sinh", version: int = 2) -> str:
    return revising.raised(sample_text().replace(NAME, f'name = "{name}"'), version - 1)


def device(folder: Path, more: str = "") -> str:
    file = folder / "kiosk.toml"
    file.write_text(f'data_dir = "{folder}/data"\n{more}[printer]\nurl = "none"\n')
    return str(file)


def apply(store: Store, text: str, **how: int) -> int:
    office = revising.read(text, shipped())
    return store.offices.apply(moment(), text, office.sha256, office.version, by="do-van-h", **how)


# --- which document is in force ------------------------------------------------------------------------------


def test_the_newest_applied_document_goes_before_the_configured_file(tmp_path: Path, store: Store):
    config = load_config(device(tmp_path, 'office = "office.toml"\n'))
    (tmp_path / "office.toml").write_text(sample_text())
    assert load_office(config).version == 1
    apply(open_store(tmp_path / "data"), changed())
    found = load_text(config)
    assert found.office.services[0].name == "Khai sinh"
    assert found.text == changed()


def test_a_database_that_cannot_be_read_leaves_the_file_in_force_and_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    config = load_config(device(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kiosk.db").write_bytes(b"no database at all" * 100)
    assert load_office(config) == sample()
    assert "taken from its file" in caplog.text


def test_a_version_that_this_program_cannot_read_gives_way_to_the_one_before(tmp_path: Path):
    config = load_config(device(tmp_path))
    store = open_store(tmp_path / "data")
    apply(store, changed("Một"))
    store.offices.apply(moment(), "format = 99\nversion = 3\n", "f" * 64, 3, by="server")
    assert load_office(config).services[0].name == "Một"


def test_looking_for_a_version_leaves_no_trace_beside_a_database_at_rest(tmp_path: Path):
    config = load_config(device(tmp_path))
    store = open_store(tmp_path / "data")
    apply(store, changed())
    store.close()
    before = sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "data").iterdir())
    assert load_office(config).version == 2
    assert sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "data").iterdir()) == before


# --- applying ------------------------------------------------------------------------------------------------


def test_applying_is_an_event_with_the_fingerprint_and_who_did_it(hall: Hall):
    apply(hall.store, changed())
    office = revising.read(changed(), shipped())
    assert hall.events("office.applied") == [{"sha256": office.sha256, "version": 2, "by": "do-van-h"}]


def test_two_who_edit_the_same_version_do_not_overwrite_each_other(store: Store):
    first = apply(store, changed())
    apply(store, changed("Một", 3), seen=first)
    with pytest.raises(Refused, match="office_changed"):
        apply(store, changed("Hai", 4), seen=first)
    newest = store.offices.newest()
    assert newest is not None
    assert newest.version == 3


def test_a_version_that_was_not_raised_is_refused(store: Store):
    apply(store, changed())
    with pytest.raises(Refused, match="office_old"):
        apply(store, changed("Một", 2))


def test_the_version_is_raised_in_the_text_and_nowhere_else():
    text = 'format = 1\nversion = 7 # mine\n[unit]\ncode = "1"\nversion = 7\n'
    assert revising.raised(text, 7) == text.replace("version = 7 # mine", "version = 8 # mine")
    assert revising.raised(text, 3) == text
    assert revising.raised('{"version": 2, "a": "ô"}', 4) == '{\n "version": 5,\n "a": "ô"\n}'


def test_a_change_is_told_by_place_old_and_new_value():
    new = revising.read(changed().replace('number = "0000 000 000"', 'number = "0234 111 222"'), shipped())
    told = [(change.place, change.old, change.new) for change in revising.changes(sample(), new)]
    assert told == [
        ("services ho-tich name", "Hộ tịch", "Khai sinh"),
        ("hotlines Đường dây nóng tiếp nhận phản ánh, kiến nghị number", "0000 000 000", "0234 111 222"),
    ]


def test_another_order_of_the_services_is_one_change():
    office = sample()
    from dataclasses import replace

    turned = replace(office, services=(office.services[1], office.services[0], *office.services[2:]))
    told = revising.changes(office, turned)
    assert [change.place for change in told] == ["services"]
    assert told[0].new.startswith("chung-thuc, ho-tich")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (NAME, 'nam = "Hộ tịch"', NAME),
        ('digit = "3"', 'digit = "2"', 'digit = "3"'),
        (
            'satisfied = true },\n  { value = 2, text = "Bình',
            'satisfied = 1 },\n  { value = 2, text = "Bình',
            "levels = [",
        ),
        ("start = 07:30:00", "start = 19:30:00", "end = 11:30:00"),
        ('id = "trung-tam"', 'id = "trung tam"', 'id = "trung-tam"'),
    ],
)
def test_a_mistake_names_its_line(old: str, new: str, line: str):
    assert old in sample_text()
    with pytest.raises(DocumentError) as wrong:
        revising.read(sample_text().replace(old, new, 1), shipped())
    lines = sample_text().splitlines()
    found = {revising.line_of(sample_text().replace(old, new, 1), problem) for problem in wrong.value.problems}
    assert lines.index(line) + 1 in found


def test_a_broken_text_names_its_line():
    with pytest.raises(DocumentError) as wrong:
        revising.read("format = 1\nversion = \n", shipped())
    assert revising.line_of("", wrong.value.problems[0]) == 2


# --- a kiosk that runs ---------------------------------------------------------------------------------------


def test_a_running_kiosk_takes_another_document_over_between_two_rounds(kiosk: Kiosk, paper: EmulatedPrinter):
    kiosk.press("take:ho-tich")
    paper.wait_for_slips(1)
    pins, screen, thread = kiosk.app.panel.pins, kiosk.app.screen, kiosk.app.printing.thread
    other = Store(Path(kiosk.config.data_dir), kiosk.app.office.rulebook())
    text = changed().replace('numbering = "day"', "press_limits = false")
    apply(other, text.replace('hint = "Khai sinh, kết hôn, khai tử"', 'hint = "Việc mới"'))
    kiosk.app.front.tick(time.monotonic() + 60)
    kiosk.until(lambda: {"Khai sinh", "Việc mới"} <= kiosk.shown("take"))
    assert (kiosk.app.panel.pins, kiosk.app.screen, kiosk.app.printing.thread) == (pins, screen, thread)
    kiosk.press("take:ho-tich")
    assert kiosk.numbers() == ["1001", "1002"]
    assert len(paper.wait_for_slips(2)) == 2
    other.close()


def test_a_number_on_the_glass_stays_there_when_the_document_changes(kiosk: Kiosk, paper: EmulatedPrinter):
    paper.switch(Mode.PAPER_OUT)
    kiosk.app.printing.poke()
    kiosk.until(lambda: kiosk.app.front.printer == "paper_out")
    kiosk.press("take:ho-tich")
    apply(kiosk.app.store, changed())
    kiosk.until(lambda: kiosk.app.office.version == 2)
    assert kiosk.notice() == "glass"
    assert kiosk.app.front.notice and kiosk.app.front.notice.number == "1001"


def test_rules_of_the_new_document_hold_for_the_next_press(kiosk: Kiosk):
    text = changed().replace("quota = { sang = 30, chieu = 30 }", "quota = { sang = 0, chieu = 0 }")
    apply(kiosk.app.store, text)
    kiosk.until(lambda: kiosk.app.office.version == 2)
    kiosk.press("take:dat-dai")
    assert (kiosk.notice(), kiosk.numbers()) == ("quota", [])


def test_a_document_that_this_kiosk_cannot_use_changes_nothing_and_is_said_once(
    kiosk: Kiosk, caplog: pytest.LogCaptureFixture
):
    kiosk.app.store.offices.apply(moment(), "format = 99", "f" * 64, 9, by="server")
    for _ in range(5):
        kiosk.app.turn(0)
    kiosk.press("take:ho-tich")
    assert kiosk.numbers() == ["1001"]
    assert caplog.text.count("cannot be used") == 1


def test_other_colours_are_on_the_screen_at_once(kiosk: Kiosk):
    openings = kiosk.app.glass.openings
    apply(kiosk.app.store, changed() + '\n[look]\ncolour = "#7a1420"\n')
    kiosk.until(lambda: kiosk.app.glass.openings == openings + 1)
    assert "Khai sinh" in kiosk.shown("take")


# --- the command ---------------------------------------------------------------------------------------------


def test_the_command_applies_lists_and_restores(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    given = ["--config", device(tmp_path)]
    document = tmp_path / "new.toml"
    document.write_text(changed())
    assert main(["office", "apply", str(document), "--note", "tên mới", *given]) == 0
    assert main(["office", "apply", str(document), *given]) == 1
    assert "Ghi version từ 3" in capsys.readouterr().err
    document.write_text(changed("Một", 3))
    assert main(["office", "apply", str(document), *given]) == 0
    assert main(["office", "restore", "1", *given]) == 0
    capsys.readouterr()
    assert main(["office", "show", *given]) == 0
    assert capsys.readouterr().out == changed().replace("version = 2", "version = 4")
    assert main(["office", "history", *given]) == 0
    lines = [re.sub(r"\d\d/\d\d/\d{4} \d\d:\d\d", "LÚC", line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "   3  LÚC  Phiên bản 4  dòng lệnh trên máy: Dùng lại phiên bản 2",
        "   2  LÚC  Phiên bản 3  dòng lệnh trên máy: services ho-tich name",
        "   1  LÚC  Phiên bản 2  dòng lệnh trên máy: tên mới",
    ]
    assert main(["office", "restore", "99", *given]) == 1
    assert main(["office", "apply", *given]) == 1


def test_the_history_is_one_line_a_version_in_local_time_with_names_and_the_document_is_readable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    store, office = open_store(tmp_path / "data"), replace(sample(), version=2)
    raw = json.dumps(json.loads(office.to_json()))
    assert "\\u1ed9" in raw
    store.offices.apply(moment(), raw, office.sha256, 2, by="do-van-h", note="hai\ndòng\x1b[2J")
    store.close()
    given = ["--config", device(tmp_path)]
    assert main(["office", "history", *given]) == 0
    line = "23/11/2026 07:30  Phiên bản 2  Đỗ Văn H"
    assert capsys.readouterr().out == f"   1  {line}: hai dòng\\u001b[2J\n"
    assert main(["office", "show", *given]) == 0
    shown = capsys.readouterr()
    assert shown.err == f"# {line}\n"
    assert '\n      "name": "Hộ tịch",\n' in shown.out
    assert Office.from_json(shown.out.encode()) == office


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("", "Chưa áp dụng khai báo đơn vị nào: đang dùng khai báo mẫu"),
        ('language = "en"\n', "No version was applied: the sample office is in use"),
    ],
)
def test_looking_at_the_history_of_a_device_without_data_says_so_and_makes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str, says: str
):
    given = ["--config", device(tmp_path, more)]
    assert main(["office", "history", *given]) == 0
    assert capsys.readouterr().out == says + "\n"
    assert main(["office", "restore", "1", *given]) == 1
    assert main(["office", "show", *given]) == 0
    assert not (tmp_path / "data").exists()


def test_the_command_takes_the_pictures_beside_the_document_along(tmp_path: Path):
    from PIL import Image

    given = ["--config", device(tmp_path)]
    Image.new("RGB", (2000, 3000), "#804020").save(tmp_path / "a.jpg")
    document = tmp_path / "new.toml"
    document.write_text(changed().replace('id = "nguyen-thi-a"\nname', 'id = "nguyen-thi-a"\nphoto = "a.jpg"\nname'))
    assert main(["office", "apply", str(document), *given]) == 0
    config = load_config(given[1])
    office = load_office(config)
    path = words(config, office).picture(office.clerks[0].photo)
    assert path == str(tmp_path / "data" / "photos" / "a.jpg")
    with Image.open(path) as kept:
        assert max(kept.size) == 800


def test_a_document_that_does_not_fit_the_keys_of_this_device_is_not_applied(tmp_path: Path):
    given = ["--config", device(tmp_path, "[buttons.services.ho-tich]\npin = 5\n[buttons.counters.1]\nhappy = 6\n")]
    document = tmp_path / "new.toml"
    document.write_text(changed().replace('"ho-tich"', '"ho-tich-2"'))
    assert main(["office", "apply", str(document), *given]) == 1
    assert not (tmp_path / "data" / "kiosk.db").exists() or not _rows(tmp_path)


def _rows(folder: Path) -> int:
    conn = sqlite3.connect(folder / "data" / "kiosk.db")
    n = conn.execute("SELECT count(*) FROM office_versions").fetchone()[0]
    conn.close()
    return int(n)


# --- a console that runs -------------------------------------------------------------------------------------


def test_the_console_speaks_by_the_new_document_without_a_restart(hall: Hall):
    clerk = hall.clerk("1")
    hall.take("ho-tich")
    text = changed().replace('short = "Hộ tịch"', 'short = "Khai sinh"')
    apply(hall.store, text.replace('id = "1"\nlabel = "1"', 'id = "1"\nlabel = "Một"'))
    assert "Khai sinh" in clerk.fragment("/desk/live", "line", until="Khai sinh")
    assert "Quầy Một" in clerk.get("/desk").text


def test_the_console_ends_when_somebody_asks_it_to_restart_and_not_again_afterwards(hall: Hall):
    hall.browser().get("/healthz")  # it has begun
    hall.store.orders.give(hall.now(), "console", "restart", by="do-van-h")
    hall._thread.join(10)
    assert not hall._thread.is_alive()
    hall.restart()
    assert hall.browser().get("/sign-in").status_code == 200
    assert hall._thread.is_alive()
