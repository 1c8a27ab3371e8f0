"""What a command says at the terminal, in the language of kiosk.toml and with what to do; in the journal in English."""

import ast
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kiosk import telling
from kiosk.__main__ import main
from kiosk.store.database import READABLE, StoreError
from kiosk.store.facts import WHOSE
from kiosk.store.locks import hold
from kiosk.store.schema import newest
from kiosk.texts import Texts, sentences, values
from kiosk.tickets import Refused
from sync.export import _WHY, ExportError
from tests.folders import break_pages, tickets
from tests.office import moment, open_store

ROOT = Path(__file__).parent.parent
LANGUAGES = pytest.mark.parametrize("language", ["vi", "en"])
Say = Callable[..., str]


@pytest.fixture
def kiosk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs a command on a kiosk that has given a number, and returns what it says; `status` is how it has to end."""
    store = open_store(tmp_path / "data")
    store.issuing.issue(moment(0), "ho-tich")
    store.close()

    def say(language: str, *words: str | Path, status: int = 1) -> str:
        file = tmp_path / "kiosk.toml"
        file.write_text(f'language = "{language}"\ndevice = "k-BBBBBB"\ndata_dir = "data"\n')
        command, *rest = map(str, words)
        assert main([command, "--config", str(file), *rest]) == status
        said = capsys.readouterr()
        return said.err if status else said.out

    return say


def saved(kiosk: Say) -> Path:
    return Path(kiosk("vi", "backup", status=0).strip())


def changed(path: Path, key: str, value: object) -> Path:
    """The backup with another fact in it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)", (key, value))
    return path


# --- restore ----------------------------------------------------------------------------------------------------


def unchanged(data: Path) -> bool:
    """Nothing was set aside or left over, and the number is still there."""
    return not [*data.glob("*.damaged-*"), *data.glob("*.restored*")] and tickets(data) == 1


@pytest.mark.parametrize(
    ("language", "says", "todo"),
    [
        ("vi", "là bản sao lưu của máy k-AAAAAA, còn đây là máy k-BBBBBB", "chạy lại với --other-kiosk"),
        ("en", "is a backup of k-AAAAAA, and this is k-BBBBBB", "run it again with --other-kiosk"),
    ],
)
def test_a_backup_of_another_kiosk_is_refused_with_the_two_names(
    kiosk: Say, tmp_path: Path, language: str, says: str, todo: str
):
    said = kiosk(language, "restore", changed(saved(kiosk), WHOSE, "k-AAAAAA"))
    assert says in said and todo in said
    assert unchanged(tmp_path / "data")


@pytest.mark.parametrize(
    ("language", "says"), [("vi", "là của phiên bản mới hơn"), ("en", "belongs to a newer release")]
)
def test_a_backup_of_a_newer_release_is_refused_before_it_takes_the_databases_place(
    kiosk: Say, tmp_path: Path, language: str, says: str
):
    said = kiosk(language, "restore", changed(saved(kiosk), READABLE, newest() + 1))
    assert says in said and "sudo kiosk update" in said
    assert unchanged(tmp_path / "data")


@pytest.mark.parametrize(
    ("language", "says"), [("vi", "không phải bản sao lưu dùng được"), ("en", "is no backup that can be used")]
)
def test_a_file_that_is_no_backup_is_refused(kiosk: Say, tmp_path: Path, language: str, says: str):
    (tmp_path / "photo.jpg").write_bytes(b"nonsense" * 1000)
    assert says in kiosk(language, "restore", tmp_path / "photo.jpg")
    assert unchanged(tmp_path / "data")


@pytest.mark.parametrize(
    ("language", "none", "which"),
    [
        ("vi", "chưa có bản sao lưu nào. Cắm USB", "bản mới nhất là kiosk-000001-"),
        ("en", "has no backup yet. Plug in", "the newest is kiosk-000001-"),
    ],
)
def test_a_backup_that_is_not_there_is_said_with_those_that_are(
    kiosk: Say, tmp_path: Path, language: str, none: str, which: str
):
    assert none in kiosk(language, "restore", tmp_path / "nothing.db")
    saved(kiosk)
    assert which in kiosk(language, "restore", tmp_path / "nothing.db")


@pytest.mark.parametrize(
    ("language", "says"), [("vi", "Ki-ốt đang chạy trên dữ liệu này"), ("en", "The kiosk is running on these data")]
)
def test_beside_a_kiosk_that_runs_nothing_is_restored_and_nothing_emptied(
    kiosk: Say, tmp_path: Path, language: str, says: str
):
    path = saved(kiosk)
    with hold(tmp_path / "data"):
        for words in (("restore", path), ("factory-reset", "--even-unsent", "k-BBBBBB")):
            said = kiosk(language, *words)
            assert says in said and "sudo systemctl stop kiosk" in said
    assert unchanged(tmp_path / "data")


@pytest.mark.parametrize(("language", "says"), [("vi", "Đã phục hồi {}. Dữ liệu trước"), ("en", "{} is restored.")])
def test_what_was_restored_is_said(kiosk: Say, language: str, says: str):
    path = saved(kiosk)
    assert kiosk(language, "restore", path, status=0).startswith(says.format(path.name))


# --- backup, prepare --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "says"), [("vi", "Chưa sao lưu được: cần {} MB trống"), ("en", "No backup was made: it needs {} MB")]
)
def test_a_backup_without_room_says_how_much_it_needs(
    kiosk: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, says: str
):
    usual = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usual._replace(free=1000))
    assert says.format(8) in kiosk(language, "backup")


@pytest.mark.parametrize(
    ("language", "without", "with_one"),
    [
        ("vi", "Không có bản sao lưu nào", "đã phục hồi bản sao lưu kiosk-000001-"),
        ("en", "There was no backup", "and the backup kiosk-000001-"),
    ],
)
def test_a_damaged_database_is_said_with_what_took_its_place(
    kiosk: Say, tmp_path: Path, language: str, without: str, with_one: str
):
    path = tmp_path / "data" / "kiosk.db"
    break_pages(path)
    assert without in kiosk(language, "prepare", status=0)
    saved(kiosk)
    break_pages(path)
    assert with_one in kiosk(language, "prepare", status=0)


@LANGUAGES
def test_without_a_database_a_backup_says_how_one_is_made(kiosk: Say, tmp_path: Path, language: str):
    (tmp_path / "data" / "kiosk.db").unlink()
    words = {
        "vi": "Chưa có {}. Chạy sudo kiosk prepare trước",
        "en": "There is no {} yet. Run sudo kiosk prepare first",
    }
    assert kiosk(language, "backup") == f"kiosk: {words[language].format(tmp_path / 'data' / 'kiosk.db')}\n"


# --- the others -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "no_time", "cannot"),
    [
        ("vi", "“noon” không phải là ngày giờ. Viết như 2026-11-23T07:12", "Không thể là ngày 23/11/2062"),
        ("en", "“noon” is no time. Write it as 2026-11-23T07:12", "It cannot be 23/11/2062"),
    ],
)
def test_a_wrong_time_is_refused_with_how_it_is_written(kiosk: Say, language: str, no_time: str, cannot: str):
    assert no_time in kiosk(language, "clock", "noon")
    assert cannot in kiosk(language, "clock", "2062-11-23T07:30")


@pytest.mark.parametrize(("language", "says"), [("vi", "(người xác nhận)"), ("en", "(confirmed by a person)")])
def test_who_vouches_for_the_time_is_said(kiosk: Say, language: str, says: str):
    assert kiosk(language, "clock", "2026-11-23T07:12", status=0) == f"23/11/2026 07:12 {says}\n"


@pytest.mark.parametrize(
    ("language", "name", "unsent", "done"),
    [
        ("vi", "Máy này là k-BBBBBB.", "sự kiện chưa gửi lên máy chủ nào", "đã trống"),
        ("en", "This kiosk is k-BBBBBB.", "events have not reached any server", "is empty"),
    ],
)
def test_a_reset_says_what_keeps_it_and_what_comes_after_it(
    kiosk: Say, language: str, name: str, unsent: str, done: str
):
    assert name in kiosk(language, "factory-reset", "k-AAAAAA")
    said = kiosk(language, "factory-reset", "k-BBBBBB")
    assert unsent in said and "--even-unsent" in said
    assert done in kiosk(language, "factory-reset", "--even-unsent", "k-BBBBBB", status=0)


@pytest.mark.parametrize(
    ("language", "events", "no_folder"),
    [
        ("vi", " sự kiện → ", ": không có thư mục này. Cắm USB"),
        ("en", "Events: ", ": there is no such folder. Plug the stick in"),
    ],
)
def test_an_export_says_what_it_wrote_or_why_it_could_not(
    kiosk: Say, tmp_path: Path, language: str, events: str, no_folder: str
):
    assert f"{tmp_path / 'stick'}{no_folder}" in kiosk(language, "export", tmp_path / "stick")
    (tmp_path / "stick").mkdir()
    assert events in kiosk(language, "export", tmp_path / "stick", status=0)


@pytest.mark.parametrize(("language", "says"), [("vi", "đã có tệp này. Nêu nơi khác"), ("en", "there already. Name")])
def test_a_support_bundle_that_cannot_be_written_names_another_way(
    kiosk: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, says: str
):
    monkeypatch.setattr("kiosk.collect._parts", dict)
    (tmp_path / "there").touch()
    said = kiosk(language, "collect", "--out", tmp_path / "there")
    assert says in said and "sudo kiosk collect --out - > " in said


@pytest.mark.parametrize(("language", "says"), [("vi", "ĐỊA-CHỈ MÃ"), ("en", "URL CODE")])
def test_enrol_without_a_code_says_how_it_is_written(kiosk: Say, language: str, says: str):
    assert f"sudo kiosk enrol {says}" in kiosk(language, "enrol")


# --- sentences --------------------------------------------------------------------------------------------------


def made(names: set[str], *files: Path) -> list[ast.Call]:
    """Where the files make an error of one of these classes."""
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text()))]
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return [call for call in calls if call.func.id in names]  # type: ignore[attr-defined]


def test_every_error_of_the_store_has_its_sentence_and_gives_its_values():
    errors = made({"StoreError", "StoreBusy", "StoreCorrupt"}, *ROOT.glob("kiosk/**/*.py"))
    assert len(errors) > 20
    for error in errors:
        assert len(error.args) == 2, ast.unparse(error)
        sentence = sentences("vi")[f"store.{ast.literal_eval(error.args[1])}"]
        assert values(sentence) <= {given.arg for given in error.keywords}, ast.unparse(error)


def test_every_part_that_a_support_bundle_lacks_has_its_reason():
    for error in made({"NotRead"}, ROOT / "kiosk/collect.py"):
        sentence = sentences("vi")[f"bundle.{ast.literal_eval(error.args[0])}"]
        assert values(sentence) == {given.arg for given in error.keywords}, ast.unparse(error)


def test_every_reason_why_an_export_fails_has_its_sentence():
    codes = {code for code, _ in _WHY.values()} | {"again"}
    assert {f"export.{code}" for code in codes} <= sentences("vi").keys()


@LANGUAGES
def test_an_error_of_the_system_is_said_with_its_file_and_its_reason(language: str):
    t = Texts(language)
    said = telling.sentence(FileNotFoundError(2, "No such file or directory", "/x.csv"), t)
    assert said == f"/x.csv: {t('system.enoent')}"
    assert telling.sentence(OSError(71, "Protocol error"), t) == f"{t('store.device')}: Protocol error"
    assert telling.sentence(StoreError("says", "cannot", tep="/x", loi=OSError(28, "No space left")), t) == t(
        "store.cannot", tep="/x", loi=t("system.enospc")
    )


@LANGUAGES
def test_what_the_rules_refuse_is_said_as_on_the_pages(language: str):
    t = Texts(language)
    assert telling.sentence(Refused("no_service", "there is no such service"), t) == t("refused.no_service")


def test_an_error_without_a_sentence_is_said_in_its_own_words():
    t = Texts("vi")
    for error in (ValueError("so"), StoreError("so"), ExportError("so"), Refused("nowhere", "so")):
        assert telling.sentence(error, t) == "so"


def test_the_journal_is_written_in_english(tmp_path: Path):
    """As systemd does it: what is named in JOURNAL_STREAM is where standard error goes."""
    (tmp_path / "kiosk.toml").write_text(f'language = "vi"\ndata_dir = "{tmp_path}/data"\n')
    (tmp_path / "data").mkdir()
    command = f"exec {sys.executable} -m kiosk backup --config {tmp_path}/kiosk.toml 2>{tmp_path}/journal"
    for named, says in (("%d:%i", "There is no"), ("1:1", "Chưa có")):
        script = f'touch {tmp_path}/journal; export JOURNAL_STREAM="$(stat -c {named} {tmp_path}/journal)"; {command}'
        subprocess.run(["sh", "-c", script], cwd=ROOT, check=False, timeout=60)
        assert says in (tmp_path / "journal").read_text()
