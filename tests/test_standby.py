"""A process that cannot start with its files rests instead of being started again and again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk import standby
from kiosk.__main__ import main
from kiosk.clock import SystemClock
from kiosk.documents import DocumentError
from kiosk.setup import load, load_device
from kiosk.standby import LONGEST_S, LOOK_S, loaded
from kiosk.waiting import Waiting
from tests.office import open_store

TYPO = "[printer]\npapr_mm = 58\n"


class Rest:
    """Stands in for the pause between two looks at the files; does `act` in the third one and counts all."""

    def __init__(self) -> None:
        self.act: Callable[[], object] = lambda: None
        self.looks = 0

    def __call__(self, seconds: float) -> None:
        self.looks += 1
        if self.looks == 3:
            self.act()


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> Rest:
    rest = Rest()
    monkeypatch.setattr(standby, "sleep", rest)
    return rest


def test_files_that_can_be_used_are_not_waited_for(tmp_path: Path, rest: Rest) -> None:
    (tmp_path / "kiosk.toml").write_text("language = 'en'\n")
    config = loaded(load_device, str(tmp_path / "kiosk.toml"))
    assert config is not None
    assert (config.language, rest.looks) == ("en", 0)


def test_a_wrong_kiosk_toml_is_said_once_and_rested_on_until_it_is_saved_again(
    tmp_path: Path, rest: Rest, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text(TYPO)
    rest.act = lambda: file.write_text("")
    assert loaded(load_device, str(file)) is None
    assert rest.looks == 3
    assert capsys.readouterr().err.count("papr_mm: unknown option") == 1


def test_a_wrong_office_document_is_rested_on_until_it_is_saved_again(tmp_path: Path, rest: Rest) -> None:
    file, office = tmp_path / "kiosk.toml", tmp_path / "office.toml"
    file.write_text('office = "office.toml"\ndata_dir = "data"\n')
    office.write_text("forma = 1\n")
    rest.act = lambda: office.write_text("format = 1\n")
    assert loaded(load, str(file)) is None
    assert rest.looks == 3


def test_a_file_that_the_kiosk_wrote_itself_is_looked_at_too(tmp_path: Path, rest: Rest) -> None:
    file, chosen = tmp_path / "kiosk.toml", tmp_path / "chosen.toml"
    file.write_text('data_dir = "."\n')
    chosen.write_text(TYPO)
    rest.act = chosen.unlink
    assert loaded(load_device, str(file)) is None
    assert rest.looks == 3


def test_after_five_minutes_it_is_tried_again_whatever_the_files_are(tmp_path: Path, rest: Rest) -> None:
    (tmp_path / "kiosk.toml").write_text(TYPO)
    assert loaded(load_device, str(tmp_path / "kiosk.toml")) is None
    assert rest.looks * LOOK_S == LONGEST_S == 300


def test_debug_shows_the_mistake_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kiosk.toml").write_text(TYPO)
    monkeypatch.setenv("DEBUG", "1")
    with pytest.raises(DocumentError):
        loaded(load_device, str(tmp_path / "kiosk.toml"))


@pytest.mark.parametrize("command", ["console", "sync"])
def test_console_and_sync_rest_on_what_they_cannot_use(tmp_path: Path, rest: Rest, command: str) -> None:
    (tmp_path / "kiosk.toml").write_text(TYPO)
    assert main([command, "--config", str(tmp_path / "kiosk.toml")]) == 1
    assert rest.looks > 1


def test_one_upload_by_hand_says_it_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kiosk.toml").write_text(TYPO)
    assert main(["sync", "--once", "--config", str(tmp_path / "kiosk.toml")]) == 1
    assert "papr_mm" in capsys.readouterr().err


def test_the_wait_for_a_token_ends_when_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(tmp_path).close()
    monkeypatch.setattr("kiosk.waiting.LOOK_S", 0)
    answers = [False, False, True]
    Waiting(tmp_path, SystemClock(), lambda: answers.pop(0)).run()
    assert answers == []
