"""`kiosk run` with files that it cannot use: the screen says what is wrong, until one of them is changed."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kiosk import broken
from kiosk.broken import ROWS, broken_view, say_until_changed
from kiosk.clock import SimulatedClock, set_simulated
from kiosk.config import glass_of
from kiosk.documents import DocumentError
from kiosk.screen import Screen
from kiosk.setup import load
from kiosk.texts import Texts
from kiosk.views.model import StartView
from kiosk.windows import ScreenLost
from tests.office import OPENING, moment

GLASS = """
[buttons]
factory = "none"
[screen]
blind_ok = true
fullscreen = false
outputs = [{ view = "take", size = "640x400" }, { view = "board", size = "640x400" }]
"""
TYPO = "[printer]\npapr_mm = 58\n"


@pytest.fixture(autouse=True)
def _memory_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, StartView]:
    """What every screen shows now."""
    views: dict[str, StartView] = {}
    show = Screen.show

    def watched(screen: Screen, name: str, view: StartView) -> object:
        views[name] = view
        return show(screen, name, view)

    monkeypatch.setattr(Screen, "show", watched)
    return views


class Looks:
    """Stands in for the second between two looks at the files, and does something in one of them."""

    def __init__(self, *acts: Callable[[], object]) -> None:
        self.acts = list(acts)

    def __call__(self, seconds: float) -> None:
        self.acts.pop(0)()


def nothing() -> None:
    return None


def files(folder: Path, config: str, office: str | None = None) -> Path:
    path = folder / "kiosk.toml"
    path.write_text(config)
    if office is not None:
        (folder / "office.toml").write_text(office)
    return path


def clock(folder: Path) -> SimulatedClock:
    set_simulated(folder / "clock.json", OPENING)
    return SimulatedClock(folder / "clock.json")


def test_a_typo_in_kiosk_toml_is_on_every_screen_until_the_file_is_saved_again(
    tmp_path: Path, shown: dict[str, StartView], capsys: pytest.CaptureFixture[str]
):
    path = files(tmp_path, GLASS + TYPO)
    looks = Looks(nothing, nothing, lambda: path.write_text(GLASS))
    say_until_changed(path, looks, clock(tmp_path))
    assert looks.acts == []
    assert set(shown) == {"take", "board"}
    (row,) = shown["take"].checks
    assert (row.name, row.text, row.state) == ("kiosk.toml", "[printer] papr_mm", "error")
    assert row.advice == "không có mục này. Có phải là “paper_mm”?"
    assert "kiosk check" in shown["take"].footer
    assert f"kiosk: {path}: [printer] papr_mm: unknown option" in capsys.readouterr().err


def test_a_screen_that_is_lost_meanwhile_is_opened_again(
    tmp_path: Path, shown: dict[str, StartView], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "kiosk.toml"
    file.write_text(GLASS + TYPO)
    poll = Screen.poll

    def lost(screen: Screen) -> object:
        monkeypatch.setattr(Screen, "poll", poll)
        shown.clear()
        raise ScreenLost("the screen was lost")

    monkeypatch.setattr(Screen, "poll", lost)
    back = Looks(lambda: None, lambda: file.write_text(GLASS))
    say_until_changed(file, back, clock(tmp_path))
    assert set(shown) == {"take", "board"}
    assert "the screen was lost" in capsys.readouterr().err


def test_invisible_letters_of_a_broken_file_are_shown_by_their_numbers(tmp_path: Path, shown: dict[str, StartView]):
    file = tmp_path / "kiosk.toml"
    file.write_text('"\ufffc" = 1\n' + GLASS, "utf-8")
    say_until_changed(file, Looks(lambda: file.write_text(GLASS)), clock(tmp_path))
    assert any("\\ufffc" in check.text + check.advice for check in shown["take"].checks)


def test_an_office_document_that_is_not_there_is_waited_for(tmp_path: Path, shown: dict[str, StartView]):
    path = files(tmp_path, 'office = "office.toml"\n' + GLASS)
    looks = Looks(nothing, lambda: files(tmp_path, path.read_text(), "format = 1"))
    say_until_changed(path, looks, clock(tmp_path))
    (row,) = shown["board"].checks
    assert (row.name, row.text) == ("office.toml", str(tmp_path / "office.toml"))
    assert row.advice == "không tìm thấy tệp: kiểm tra tên và thư mục"


def test_what_is_mended_in_no_file_ends_the_waiting_too(
    tmp_path: Path, shown: dict[str, StartView], monkeypatch: pytest.MonkeyPatch
):
    path = files(tmp_path, GLASS + '[buttons.keyboard]\n1 = "take:ho-tihc"\n')
    found = iter([broken._problem(path), broken._problem(path), None])
    monkeypatch.setattr(broken, "_problem", lambda path: next(found))
    monkeypatch.setattr(broken, "AGAIN", 2)
    say_until_changed(path, Looks(nothing, nothing, nothing), clock(tmp_path))
    assert shown["take"].checks
    assert next(found, "asked three times") == "asked three times"


def test_a_key_of_a_service_that_the_office_does_not_have_is_said_too(tmp_path: Path, shown: dict[str, StartView]):
    path = files(tmp_path, GLASS + '[buttons.keyboard]\n1 = "take:ho-tihc"\n')
    say_until_changed(path, Looks(path.unlink), clock(tmp_path))
    (row,) = shown["take"].checks
    assert (row.name, row.text) == ("kiosk.toml", "[buttons.keyboard] 1")
    assert row.advice.startswith('đơn vị không có lĩnh vực "ho-tihc"')


def test_what_does_not_fit_is_counted(tmp_path: Path):
    path = files(tmp_path, GLASS + "".join(f"[wrong{n}]\n" for n in range(20)))
    with pytest.raises(DocumentError) as wrong:
        load(path)
    rows = broken_view(Texts("vi"), moment(), wrong.value).checks
    assert len(rows) == ROWS
    assert rows[-1].name == f"và {20 - ROWS + 1} lỗi khác: chạy sudo kiosk check"


def test_as_many_as_there_is_room_for_are_all_said(tmp_path: Path):
    path = files(tmp_path, GLASS + "".join(f"[wrong{n}]\n" for n in range(ROWS)))
    with pytest.raises(DocumentError) as wrong:
        load(path)
    rows = broken_view(Texts("vi"), moment(), wrong.value).checks
    assert [row.text for row in rows] == [f"wrong{n}" for n in range(ROWS)]


def test_systemd_hears_that_it_is_ready_and_alive_while_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = files(tmp_path, GLASS + TYPO)
    with listening(tmp_path, monkeypatch) as channel:
        say_until_changed(path, Looks(nothing, path.unlink), clock(tmp_path))
        ready, *alive = [channel.recv(1000) for _ in range(3)]
        assert alive == [b"WATCHDOG=1"] * 2
        said = f"READY=1\nSTATUS=not open: {path}: [printer] papr_mm: unknown option. "
        assert ready.decode().startswith(said)


def listening(folder: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind(str(folder / "notify"))
    channel.settimeout(30)
    monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
    return channel


def test_a_file_that_was_mended_meanwhile_is_not_waited_for(tmp_path: Path, shown: dict[str, StartView]):
    say_until_changed(files(tmp_path, GLASS), Looks(), clock(tmp_path))
    assert shown == {}


@pytest.mark.parametrize("glass", ["", "[screen]\nenabled = false\n"])
def test_without_a_screen_it_is_waited_for_all_the_same(tmp_path: Path, glass: str):
    path = files(tmp_path, glass + TYPO)
    looks = Looks(nothing, path.unlink)
    say_until_changed(path, looks, clock(tmp_path))
    assert looks.acts == []


def test_of_a_wrong_file_screens_and_language_are_kept_where_they_are_sound(tmp_path: Path):
    found = glass_of(files(tmp_path, 'language = "en"\n' + GLASS + TYPO))
    assert (found.language, found.screen.blind_ok, len(found.screen.outputs)) == ("en", True, 2)
    worse = glass_of(files(tmp_path, 'language = "en"\n' + GLASS.replace("blind_ok", "blind_oc")))
    assert (worse.language, worse.screen.blind_ok, len(worse.screen.outputs)) == ("en", False, 1)
    assert glass_of(files(tmp_path, "language = ")).language == "vi"


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A real `kiosk run` on a wrong file, once it says that it is ready."""
    path = files(tmp_path, GLASS + TYPO)
    with listening(tmp_path, monkeypatch) as channel:
        command = [sys.executable, "-m", "kiosk", "run", "--config", str(path)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
        assert channel.recv(1000).startswith(b"READY=1\n")
        yield process, path
    process.kill()
    process.communicate()


def test_kiosk_run_ends_with_status_1_as_soon_as_the_file_is_saved(running: tuple[subprocess.Popen[str], Path]):
    process, path = running
    assert process.poll() is None
    path.write_text(GLASS)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said == f'kiosk: {path}: [printer] papr_mm: unknown option. Did you mean "paper_mm"?\n'
