"""`kiosk collect`: a bundle that helps from afar, and that holds no secret however many lie about."""

import io
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from kiosk import collect, redaction
from kiosk.__main__ import main
from kiosk.collect import Bundle
from kiosk.office import Office, sample
from kiosk.store import Store
from kiosk.store.prepare import prepare
from tests.office import moment

DOCS = Path(__file__).parent.parent / "docs/commands.md"
SECRETS = {
    "token": "u1Vt-9qZxW3kLmN8pRs2TyB4cDfGhJ6K7aEoUi5XvQw",
    "pull": "qWeRtY-secret-pull-Zx9",
    "password": "hunter2geheim",
    "clerk": "Phạm Thị Bí Mật",
    "phone": "0912 345 678",
    "mobile": "+84987654321",
    "mail": "bimat@xa-mau.example",
    "comment": "cán bộ tiếp dân thô lỗ quá",
    "ascii comment": "tholuqua zzkhongai",
    "tls key": "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    "slogan": "Khẩu hiệu riêng của xã",
    "set-up code": "481516",
    "pin": "80372641",
    "photo": "JFIF-the-face-of-somebody",
    "stray": "danh-sach-mat-khau",
}
JOURNAL = [
    ("kiosk.service", "INFO kiosk.app: kiosk 0.4.0 is open"),
    ("kiosk.service", '  File "/opt/kiosk/current/lib/python3.11/site-packages/kiosk/app.py", line 171, in turn'),
    ("kiosk.service", f"ValueError: invalid literal: '{SECRETS['comment']}'"),
    ("kiosk.service", f"ERROR kiosk.app: unexpected {SECRETS['ascii comment']} of {SECRETS['clerk']}"),
    ("kiosk-sync.service", f"ERROR sync.client: https://admin:{SECRETS['password']}@mot-cua.example refused 403"),
    ("kiosk-sync.service", f"Authorization: Bearer {SECRETS['token']}"),
    ("kiosk-console.service", f"nobody has a PIN: set-up code {SECRETS['set-up code']} PIN {SECRETS['pin']}"),
    ("kiosk-console.service", f"GET /t/TICKETSECRET and {SECRETS['phone']} {SECRETS['mail']} {SECRETS['pull']}"),
    ("ssh.service", "Accepted password for root"),
]  # fmt: skip


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """journalctl and the others as they answer on a device; the rest of the system's programs stay."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr("kiosk.kernel_log.KMSG", tmp_path / "no-kmsg")
    monkeypatch.setattr("kiosk.kernel_log.messages.__defaults__", (tmp_path / "no-kmsg",))
    return folder


def program(folder: Path, name: str, text: str, status: int = 0) -> None:
    (folder / f"{name}.said").write_text(text)
    (folder / name).write_text(f'#!/bin/sh\ncat "{folder}/{name}.said"\nexit {status}\n')
    (folder / name).chmod(0o755)


def journal(folder: Path, ticket: str) -> None:
    entries = [
        json.dumps({"__REALTIME_TIMESTAMP": "1795761600000000", "_SYSTEMD_UNIT": unit,
                    "MESSAGE": message.replace("TICKETSECRET", ticket)})
        for unit, message in JOURNAL
    ]  # fmt: skip
    entries.append(json.dumps({"UNIT": "kiosk.service", "MESSAGE": list(SECRETS["comment"].encode())}))
    program(folder, "journalctl", "\n".join(entries))


@pytest.fixture
def secrets(tmp_path: Path, programs: Path, store: Store) -> dict[str, str]:
    """A device with secrets wherever a device has them, and in some places where nobody should put them."""
    data = Path(store.database.folder)
    office_file = tmp_path / "office.toml"
    text = (Path(redaction.__file__).parent / "assets/office.sample.toml").read_text()
    text = text.replace(sample().clerks[0].name, SECRETS["clerk"]).replace(
        sample().hotlines[0].number, SECRETS["phone"]
    )
    text = text.replace("5 biết:", f"{SECRETS['slogan']}:")
    text = text.replace("Khai sinh, kết hôn", f"Gọi {SECRETS['mobile']}, {SECRETS['clerk'].upper()}, {SECRETS['mail']}")
    office_file.write_text(text)
    (tmp_path / "kiosk.toml").write_text(
        f'data_dir = "{data}"\noffice = "office.toml"\n# {SECRETS["password"]}\n[buttons]\nfactory = "none"\n'
        '[printer]\nurl = "none"\n[screen]\nenabled = false\n[sound]\nenabled = false\n'
        '[sync]\nserver = "https://mot-cua.example"\n'
    )
    (data / "token").write_text(SECRETS["token"])
    (data / "tls").mkdir()
    (data / "tls" / "ca.key").write_text(SECRETS["tls key"])
    (data / "photos").mkdir()
    (data / "photos" / f"{SECRETS['stray']}.jpg").write_text(SECRETS["photo"])
    (data / f"{SECRETS['stray']}.txt").write_text(SECRETS["pin"])
    (data / "kiosk.log").write_text(f"INFO kiosk: {SECRETS['comment']} {SECRETS['token']}\n")
    store.people.set_pin(moment(), "nguyen-thi-a", SECRETS["pin"], "do-van-h")
    issued = store.issuing.issue(moment(), "ho-tich", by="staff").ticket
    token = store.database.rows("SELECT token FROM tickets")[0]["token"]
    store.note(moment(), "secret", SECRETS["password"])
    columns = store.database.rows("PRAGMA table_info(comments)")
    filled = {column["name"]: 1 if column["type"] == "INTEGER" else SECRETS["comment"] for column in columns}
    marks = ", ".join("?" * len(filled))
    store.database.conn.execute(f"INSERT INTO comments ({', '.join(filled)}) VALUES ({marks})", list(filled.values()))
    journal(programs, token)
    hashes = [str(value) for row in store.database.rows("SELECT * FROM pins") for value in tuple(row)]
    return {
        **SECRETS,
        "ticket": token,
        "ticket id": issued.id,
        **{f"pin {n}": v for n, v in enumerate(hashes) if len(v) > 15},
    }


def made(tmp_path: Path) -> Bundle:
    return collect.collect(str(tmp_path / "kiosk.toml"))


def bytes_of(bundle: Bundle) -> bytes:
    """Everything in the packed bundle: names and contents."""
    with tarfile.open(fileobj=io.BytesIO(bundle.packed())) as tar:
        members = tar.getmembers()
        return b"\n".join(entry.name.encode() + b"\n" + tar.extractfile(entry).read() for entry in members)  # type: ignore[union-attr]


def leaks(content: bytes, secrets: dict[str, str]) -> list[str]:
    """Which secrets stand in it, whole or word by word where a word alone would tell; as text and as JSON writes it."""
    found = []
    for name, secret in secrets.items():
        words = [secret, *(word for word in re.split(r"\s", secret) if len(word) > 5)]
        forms = {form for word in words for form in (word, json.dumps(word)[1:-1], word.lower(), word.upper())}
        found += [name for form in forms if form.encode() in content]
    return found


# --- no secret ----------------------------------------------------------------------------------------------------


def test_no_secret_of_the_device_is_in_the_bundle(tmp_path: Path, secrets: dict[str, str]):
    assert len(secrets) >= 18
    bundle = made(tmp_path)
    assert {
        "check.json",
        "kiosk.toml",
        "office.json",
        "database.json",
        "journal.txt",
        "files.txt",
    } <= bundle.files.keys()
    assert leaks(bytes_of(bundle), secrets) == []


def test_no_secret_is_in_the_bundle_of_a_device_whose_files_are_broken(tmp_path: Path, secrets: dict[str, str]):
    with (tmp_path / "kiosk.toml").open("a") as file:
        file.write(f'token = "{SECRETS["token"]}"\nserver2 = "https://a:{SECRETS["password"]}@x.example"\n')
        file.write(f'"{SECRETS["stray"]}" = "{SECRETS["pin"]}"\ntimeout_s = "{SECRETS["password"]}"\n')
    bundle = made(tmp_path)
    assert leaks(bytes_of(bundle), secrets) == []
    problems = json.loads(bundle.files["kiosk-problems.json"])
    assert {"where": "sync.token", "code": "unknown"} in problems["problems"]
    assert problems["shape"]["printer"] == {"url": "<4 letters>"}
    assert "kiosk.toml has mistakes" in collect.why(bundle.missing["kiosk.toml"])
    assert "database.json" in bundle.files, "the data folder is found all the same"


def test_no_secret_is_in_the_bundle_of_a_device_whose_office_document_is_wrong(tmp_path: Path, secrets: dict[str, str]):
    text = (tmp_path / "office.toml").read_text()
    (tmp_path / "office.toml").write_text(text.replace(SECRETS["phone"], f"gọi {SECRETS['comment']}"))
    bundle = made(tmp_path)
    assert leaks(bytes_of(bundle), secrets) == []
    assert json.loads(bundle.files["office-problems.json"])["problems"][0]["where"] == "hotlines.1.number"
    checked = json.loads(bundle.files["check.json"])
    (mistake,) = (one for one in checked["findings"] if one["part"] == "office")
    assert mistake["code"] == "not_allowed"
    assert not {"says", "detail"} & mistake.keys(), "they quote the document"


def test_where_the_journal_may_not_be_read_log_files_stand_in_and_are_as_clean(
    tmp_path: Path, programs: Path, secrets: dict[str, str]
):
    program(programs, "journalctl", "", 1)
    bundle = made(tmp_path)
    assert bundle.files["journal.txt"].decode() == "kiosk.log: INFO kiosk: … … … … … … … …\n"
    assert "systemd-journal" in collect.why(bundle.missing["kernel.txt"])
    assert leaks(bytes_of(bundle), secrets) == []


# --- what helps ---------------------------------------------------------------------------------------------------


def test_a_log_keeps_what_the_program_says_and_where_it_stood(tmp_path: Path, secrets: dict[str, str]):
    lines = made(tmp_path).files["journal.txt"].decode().splitlines()
    assert lines[0] == "2026-11-27T06:40:00Z kiosk.service INFO kiosk.app: kiosk 0.4.0 is open"
    assert lines[1].endswith('File "kiosk/app.py", line 171, in turn')
    assert lines[4].startswith("2026-11-27T06:40:00Z kiosk-sync.service ERROR sync.client: https://")
    assert lines[4].endswith("refused 403")
    assert "?" in lines[8]


def test_the_office_keeps_its_structure_with_ids_in_the_place_of_names(tmp_path: Path, secrets: dict[str, str]):
    whole, shown = sample(), json.loads(made(tmp_path).files["office.json"])
    assert [one["id"] for one in shown["services"]] == [service.id for service in whole.services]
    assert [one["name"] for one in shown["clerks"]] == [clerk.id for clerk in whole.clerks]
    assert len(shown["hotlines"]) == len(whole.hotlines)
    assert shown["services"][0]["hint"].startswith("Gọi …, nguyen-thi-a, …")
    assert shown["sessions"][0]["start"] == "07:30"
    assert shown["unit"] == {"code": "00000", "name": "xã Mẫu"}


def test_every_key_of_an_office_is_either_chosen_or_left_out_on_purpose():
    """A new key of the document is not in the bundle until somebody has thought about it."""
    left_out = {"unit": {"short", "head1", "head2", "valid_from", "emblem"}}
    shown, whole = redaction.office(sample()), json.loads(json.dumps(redaction.plain(sample()), default=str))
    assert shown.keys() == whole.keys() == {
        "format", "version", "unit", "site", "services", "counters", "clerks", "label_sets", "sessions", "calendar",
        "rules", "texts", "slogans", "hotlines", "channels", "look",
    }  # fmt: skip
    assert whole["unit"].keys() - shown["unit"].keys() <= left_out["unit"]


def test_tables_are_counted_and_files_are_listed_by_size(tmp_path: Path, secrets: dict[str, str]):
    bundle = made(tmp_path)
    database = json.loads(bundle.files["database.json"])
    assert (database["rows"]["tickets"], database["rows"]["pins"] > 0, database["schema"] > 1) == (1, True, True)
    listed = bundle.files["files.txt"].decode()
    assert f"token\t{len(SECRETS['token'])}\t" in listed
    assert f"(another file).txt\t{len(SECRETS['pin'])}\t" in listed
    assert f"photos/…\t{len(SECRETS['photo'])}\t1 files" in listed
    assert set(json.loads(bundle.files["highwater.json"])) == {"epoch", "feed", "seq", "series"}


def test_answers_of_the_system_are_in_it_and_of_a_missing_program_the_reason(
    tmp_path: Path, programs: Path, secrets: dict[str, str]
):
    program(programs, "lsusb", "Bus 001 Device 005: ID 04b8:0e15 Seiko Epson Corp. TM-T20II\n")
    program(programs, "systemctl", "", 1)
    bundle = made(tmp_path)
    assert b"TM-T20II" in bundle.files["lsusb.txt"]
    assert collect.why(bundle.missing["units.txt"]) == "systemctl ended with status 1"
    assert b"units.txt: systemctl ended with status 1\n" in bytes_of(bundle)


def test_a_device_with_nothing_at_all_still_gives_a_bundle(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(collect, "DATA_DIR", str(tmp_path / "none"))
    (tmp_path / "kiosk.toml").write_bytes(b"\xff\xfe broken")
    bundle = made(tmp_path)
    assert {"versions.json", "check.json", "kiosk-problems.json"} <= bundle.files.keys()
    assert bundle.name.startswith("kiosk-support-unknown-")


def test_a_damaged_database_is_told_and_the_rest_is_collected(tmp_path: Path, secrets: dict[str, str], store: Store):
    store.close()
    Path(store.database.folder, "kiosk.db").write_bytes(b"rubbish" * 1000)
    for beside in Path(store.database.folder).glob("kiosk.db-*"):
        beside.unlink()
    bundle = made(tmp_path)
    assert "SQLITE_NOTADB" in collect.why(bundle.missing["database.json"])
    assert {"office.json", "files.txt", "check.json"} <= bundle.files.keys()


def test_every_file_of_a_bundle_is_documented():
    page = DOCS.read_text().partition("## What `kiosk collect` takes along")[2].partition("\n## ")[0]
    for name in (*collect._parts(), "missing.txt"):
        assert f"`{name}`" in page, name


# --- where it goes ------------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Bundle:
    bundle = Bundle(
        "kiosk-support-k-TEST01-20261127T000000Z", {"versions.json": b"{}"}, {"lsusb.txt": collect.NotRead("none")}
    )
    monkeypatch.setattr(collect, "collect", lambda config_file: bundle)
    return bundle


def test_it_is_written_where_it_is_told_and_says_where_and_how_large(
    tmp_path: Path, quick: Bundle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    stick = tmp_path / "stick"
    for folder in (stick, tmp_path / "tmp"):
        folder.mkdir()
    for given, expected in (
        (["--out", str(stick)], stick / f"{quick.name}.tar.gz"),
        (["--out", str(stick / "own.tar.gz")], stick / "own.tar.gz"),
        ([], tmp_path / "tmp" / f"{quick.name}.tar.gz"),
    ):
        assert main(["collect", *given]) == 0
        assert capsys.readouterr().out == f"{expected}: 1 KB\n  không có lsusb.txt: không có\n"
        with tarfile.open(expected) as tar:
            assert tar.getnames() == [f"{quick.name}/versions.json", f"{quick.name}/missing.txt"]


def test_it_overwrites_nothing_and_leaves_nothing_half_written(
    tmp_path: Path, quick: Bundle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    there = tmp_path / "there"
    there.write_text("mine")
    assert main(["collect", "--out", str(there)]) == 1
    said = f"kiosk: {there}: đã có tệp này. Nêu nơi khác bằng --out, hoặc chạy sudo kiosk collect --out - > TỆP\n"
    assert (there.read_text(), capsys.readouterr().err) == ("mine", said)

    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kiosk.collect.os.fsync", full)
    assert main(["collect", "--out", str(tmp_path / "new")]) == 1
    assert not (tmp_path / "new").exists()


def test_standard_output_gets_the_bundle_alone(tmp_path: Path):
    (tmp_path / "kiosk.toml").write_text(f'data_dir = "{tmp_path}/data"\n[buttons]\nfactory = "none"\n')
    prepare(tmp_path / "data", moment())
    command = [sys.executable, "-m", "kiosk", "collect", "--out", "-", "--config", str(tmp_path / "kiosk.toml")]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True, env=os.environ)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        assert tar.getnames()
    assert done.stderr.decode().startswith("đầu ra chuẩn: ")


# --- redaction ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("paper_low at /dev/usb/lp0", "paper_low at /dev/usb/lp0"),
        ('value "Nguyễn Văn B" and more', "value … and more"),
        ('begun "and never ended', "begun …"),
        ("code 123456, 481 516 or 091 234 567", "code …, … or …"),
        ("HTTP 403 after 20 s from 10.0.0.7", "HTTP 403 after 20 s from 10.0.0.7"),
        ("token abcdefghij0123456789ABCDEFGHIJ", "token …"),
        ("số 1001 của Nguyễn Thị A", "… … … … … A"),
    ],
)
def test_of_a_line_the_programs_own_words_stay(said: str, kept: str):
    known = redaction.words_of(["paper_low at dev usb lp value and more begun code or HTTP after s from token a"]) | {
        "lp0"
    }
    assert redaction.line(said, known) == kept


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("mmc0: error -110 whilst initialising SD card", "mmc0: error -110 whilst initialising SD card"),
        ("usb 1-1.2: SerialNumber: 5A4B3C2D1E0F", "usb 1-1.2: …"),
        ("eth0: link up dc:a6:32:01:02:03", "eth0: link up …"),
        ("Kernel command line: usb password=hunter2geheim", ""),
        ("systemd[1]: Set hostname to <kiosk-of-somebody>", ""),
    ],
)
def test_of_the_kernels_messages_those_about_hardware_stay(said: str, kept: str):
    assert redaction.kernel(said) == kept


def test_the_vocabulary_is_the_programs_and_holds_none_of_the_invented_people():
    known = redaction.vocabulary()
    assert {"kiosk", "printer", "canary", "traceback", "sqlite"} <= known | {"traceback", "sqlite"}
    names = {word.lower() for clerk in sample().clerks for word in clerk.name.split() if not word.isascii()}
    assert not names & known


def test_an_office_with_every_kind_of_text_comes_out_clean():
    office: Office = sample()
    content = json.dumps(redaction.office(office), ensure_ascii=False)
    for clerk in office.clerks:
        assert clerk.name not in content
    for line in office.hotlines:
        assert line.number not in content
