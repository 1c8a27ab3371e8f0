"""What the running kiosk notes of its screen and loudspeaker, and what becomes of it on the technician's page."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

os.environ["SDL_VIDEODRIVER"] = "dummy"

from kiosk import findings, reports
from kiosk.config import Config, Sync, shipped
from kiosk.console import health
from kiosk.findings import Finding
from kiosk.office import sample
from kiosk.present.words import Words
from kiosk.sound import Silence, Sound, SoundFolder
from kiosk.store import Store
from kiosk.texts import Texts, languages
from kiosk.windows import ScreenLost
from tests.app_kit import Kiosk, config, kiosk, paper, programs, receiver  # noqa: F401
from tests.office import moment
from tests.speaker import Programs

WITHOUT = replace(shipped(), screen=replace(shipped().screen, enabled=False))


def keep_house(kiosk: Kiosk) -> None:
    kiosk.app._next_housekeeping = 0.0
    kiosk.app.turn(0)


# --- what is noted -------------------------------------------------------------------------------------------


def test_a_lost_screen_and_its_return_are_noted_for_other_processes(kiosk: Kiosk):
    keep_house(kiosk)
    assert kiosk.app.store.fact("screen") == "blind", "the driver of tests shows nothing"
    kiosk.app.glass.lost(ScreenLost("unplugged"))
    keep_house(kiosk)
    assert kiosk.app.store.fact("screen") == "lost"
    kiosk.app.glass.again()
    keep_house(kiosk)
    assert kiosk.app.store.fact("screen") == "blind"


def test_what_has_not_changed_is_not_noted_again(kiosk: Kiosk):
    def noted() -> int:
        question = "SELECT 1 FROM events WHERE json_extract(line, '$.type') = 'device.screen'"
        return len(kiosk.app.store.database.rows(question))

    keep_house(kiosk)
    assert noted() == 1
    keep_house(kiosk)
    assert noted() == 1


def played(programs: Programs, sound: Sound) -> None:
    """A tone was played to its end: the next one has begun."""
    for _ in range(2):
        sound.play("refused")
        programs.started().let_go()


def test_a_loudspeaker_that_fails_is_known_until_it_is_heard_again(tmp_path: Path, programs: Programs):
    sound = Sound()
    assert reports.sound_word(sound, tmp_path) == "no_card"
    (tmp_path / "pcmC0D0p").touch()
    assert reports.sound_word(sound, tmp_path) == "ok"
    programs.install("aplay", status=1)
    played(programs, sound)
    assert reports.sound_word(sound, tmp_path) == "aplay: ended with status 1"
    programs.install("aplay")
    played(programs, sound)
    assert reports.sound_word(sound, tmp_path) == "ok"
    (programs.folder / "aplay").unlink()
    assert reports.sound_word(sound, tmp_path) == "no_player"
    sound.close()


def test_the_kiosk_notes_its_loudspeaker(programs: Programs, kiosk: Kiosk):
    keep_house(kiosk)
    assert kiosk.app.store.fact("sound") in ("ok", "no_card")  # as this machine has one, or not


def test_a_kiosk_without_sound_or_screen_says_so(tmp_path: Path):
    assert reports.sound_word(Silence()) == "none"
    assert reports.screen_word(WITHOUT, None) == "none"
    assert reports.screen_word(shipped(), None) == "lost"
    assert reports.sound_word(SoundFolder(tmp_path)) == "ok"


# --- what is said of it --------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", languages())
def test_every_word_is_a_sentence_and_every_fault_says_what_to_do(language: str):
    t, usual = Texts(language), shipped()
    screens = {w: findings.screen_noted(usual, w, t) for w in ("", "none", "lost", "blind", "kmsdrm 1920×1080")}
    sounds = {w: findings.sound_noted(usual, w, t) for w in ("", "none", "ok", "no_player", "no_card", "aplay: x")}
    for said in (screens, sounds):
        assert len({one.line for one in said.values()}) == len(said)
        assert said[""].note, "what nobody has said yet is not called good"
        for one in said.values():
            assert "technician." not in one.line + one.advice
            assert "check." not in one.line + one.advice
            assert one.ok or one.advice
    assert [word for word, one in screens.items() if not one.ok] == ["lost"]
    assert [word for word, one in sounds.items() if not one.ok] == ["aplay: x"]


def rows(store: Store, config: Config, *, runs: bool) -> dict[str, Finding]:
    found = list(health.found(store, moment(), config, Words(sample(), Texts("vi")), runs=runs))
    named = {one.part: one for one in found}
    assert len(named) == len(found), "no part has two rows"
    return named


def served(tmp_path: Path) -> Config:
    (tmp_path / "token").write_text("token\n")
    return replace(shipped(), sync=Sync(server="https://mot-cua.example", token_file=str(tmp_path / "token")))


def test_each_part_has_one_row_and_no_two_rows_one_name(tmp_path: Path, store: Store):
    t, found = Texts("vi"), rows(store, served(tmp_path), runs=True)
    names = [findings.title(part, t) for part in found]
    assert {"screen", "sound", "sync", "backlog"} <= found.keys()
    assert len(set(names)) == len(names)
    assert not any("technician." in name for name in names)


def test_a_kiosk_that_does_not_run_says_what_to_do_and_claims_no_version(tmp_path: Path, store: Store):
    row = rows(store, served(tmp_path), runs=False)["kiosk"]
    assert (row.ok, row.detail) == (False, "")
    assert row.says.startswith("Không chạy")
    assert "rút điện" in row.advice
    assert rows(store, served(tmp_path), runs=True)["kiosk"].line.startswith("Đang chạy (phiên bản ")


def test_what_a_kiosk_saw_before_it_ended_is_told_as_that(tmp_path: Path, store: Store):
    store.note(moment(), "printer", "ok")
    store.note(moment(), "screen", "lost")
    before, now = rows(store, served(tmp_path), runs=False), rows(store, served(tmp_path), runs=True)
    for part in ("printer", "screen"):
        assert "theo lần chạy trước" in before[part].line
        assert "theo lần chạy trước" not in now[part].line
    assert (before["printer"].note, before["screen"].ok) == (True, False)
    assert "theo lần chạy trước" not in before["sound"].line, "nothing was seen of it"
