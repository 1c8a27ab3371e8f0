"""What the whole kiosk lets hear: tones, sentences, calls, apologies; and that a hanging loudspeaker stops nobody."""

import os
import time
from datetime import timedelta
from pathlib import Path

os.environ["SDL_VIDEODRIVER"] = "dummy"


from kiosk.clock import set_simulated
from kiosk.sound import TONE_S, TONES, wav
from kiosk.store import Store
from kiosk.voice.pack import Pack
from tests.app_kit import Kiosk, calling, config, kiosk, paper, programs, receiver  # noqa: F401
from tests.office import BOOT, OPENING, moment
from tests.speaker import Programs
from tests.test_apology import GIVEN, serve_five


def test_a_press_has_its_tone_and_its_number_is_read_aloud(programs: Programs, kiosk: Kiosk):
    kiosk.press("take:ho-tich")
    assert programs.started().let_go() == wav(TONES["taken"], 70)
    voice = programs.started()
    assert (voice.program, voice.options[1]) == ("espeak-ng", "vi")
    assert voice.let_go().decode() == "Số của Ông Bà là: một, không, không, một."
    assert programs.started().let_go() == b"speech"
    kiosk.press("priority")
    assert programs.started().let_go() == wav(TONES["press"], 70)
    assert programs.started().let_go().decode() == "Đã chọn ưu tiên. Mời Ông Bà chọn việc cần làm"
    programs.started().let_go()


def test_a_call_is_heard_after_its_chime_whatever_was_being_said(programs: Programs, calling: Pack, kiosk: Kiosk):
    kiosk.press("take:ho-tich")
    assert programs.started().let_go() == wav(TONES["taken"], 70)
    assert programs.started().program == "espeak-ng"
    kiosk.press("call:1")
    call = programs.started()
    assert call.program == "aplay"
    said = ["chime", "moi-cong-dan-co-so", "1", "0", "0", "1", "den-quay-so", "1"]
    places = [0]
    for name in said:
        places.append(call.given.find(calling.samples(name, 22_050).tobytes(), places[-1] + 1))
    assert -1 not in places
    row = "SELECT state FROM spoken_calls"
    assert [row["state"] for row in kiosk.app.store.database.rows(row)] == ["speaking"]
    call.let_go()
    kiosk.until(lambda: [row["state"] for row in kiosk.app.store.database.rows(row)] == ["done"])


def test_another_process_calls_and_the_kiosk_says_it(programs: Programs, calling: Pack, kiosk: Kiosk):
    other = Store(Path(kiosk.config.data_dir), kiosk.app.office.rulebook())
    other.issuing.issue(kiosk.app.clock.now(), "ho-tich")
    other.counters.call_next(kiosk.app.clock.now(), "1")
    other.close()
    kiosk.app.turn(0)
    assert calling.samples("den-quay-so", 22_050).tobytes() in programs.started().let_go()


def test_a_long_wait_is_apologised_for_once_in_a_while(calling: Pack, kiosk: Kiosk):
    serve_five(kiosk.app.store)
    kiosk.app.store.issuing.issue(moment(GIVEN), "ho-tich")

    def apologies(at_s: float) -> int:
        now = moment(GIVEN + at_s)
        set_simulated(kiosk.clock_file, now.at, boot=now.boot, mono=now.mono)
        kiosk.app.turn(0)
        kiosk.app._next_housekeeping = 0
        kiosk.app.turn(0)
        sql = "SELECT count(*) AS n FROM spoken_calls WHERE kind = 'apology'"
        return int(kiosk.app.store.database.rows(sql)[0]["n"])

    assert [apologies(minute * 60) for minute in (4, 6, 10, 20, 22)] == [0, 1, 1, 1, 2]


def test_a_loudspeaker_that_hangs_keeps_nobody_from_a_number(programs: Programs, kiosk: Kiosk):
    kiosk.press("take:ho-tich")
    run, began = programs.started(), time.monotonic()
    for n, action in enumerate(("take:chung-thuc", "take:dat-dai"), 1):
        set_simulated(kiosk.clock_file, OPENING + timedelta(seconds=10 * n), boot=BOOT)
        kiosk.press(action)
    assert kiosk.numbers() == ["1001", "2001", "3001"]
    assert time.monotonic() - began < TONE_S
    run.let_go()
