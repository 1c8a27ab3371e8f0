"""Calls at the loudspeaker: one after the other, each to its end, whatever else wants to be heard; or kept as files."""

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from kiosk.sound import (
    KEPT,
    STALE_TONE_S,
    TONES,
    Note,
    Sound,
    SoundFolder,
    wav,
)  # fmt: skip
from tests.sound_kit import SPOKEN, log, programs, speaker, spoken, talking  # noqa: F401
from tests.speaker import DEADLINE_S, Programs

CALLS = [wav([Note(hertz, 0.05)], 100) for hertz in (400, 500, 600)]


Hall = Callable[[Sound, bytes], "Future[bool]"]


@pytest.fixture
def hall() -> Iterator[Hall]:
    """Has a call played by a thread of its own, as the voice does; the answer is whether it was whole."""
    with ThreadPoolExecutor(4) as threads:
        yield lambda sound, call: threads.submit(sound.call, call)


def wait_in_line(sound: Sound, calls: int) -> None:
    """Until so many calls wait behind what is being played."""
    with sound._news:
        assert sound._news.wait_for(lambda: len(sound._calls) == calls, DEADLINE_S)


def test_calls_are_played_one_after_the_other_each_to_its_end(programs: Programs, talking: Sound, hall: Hall):
    answers = [hall(talking, CALLS[0])]
    first = programs.started()
    for call in CALLS[1:]:
        answers.append(hall(talking, call))
        wait_in_line(talking, len(answers) - 1)
    assert [first.whole(), *(programs.started().whole() for _ in CALLS[1:])] == CALLS
    assert [answer.result(DEADLINE_S) for answer in answers] == [True] * 3


def test_no_tone_and_no_sentence_cuts_a_call_off(programs: Programs, talking: Sound, hall: Hall):
    answer = hall(talking, CALLS[0])
    run = programs.started()
    talking.play("press")
    talking.say("Số của ông bà", "vi")
    talking.play("taken")
    assert run.whole() == CALLS[0]
    assert answer.result(DEADLINE_S)
    assert programs.started().let_go() == wav(TONES["taken"], 70)
    assert spoken(programs).let_go() == SPOKEN


def test_a_call_cuts_a_sentence_off_which_then_begins_again(programs: Programs, talking: Sound, hall: Hall):
    talking.say("Số của ông bà", "vi")
    player = spoken(programs)
    hall(talking, CALLS[0])
    assert player.was_killed()
    assert programs.started().let_go() == CALLS[0]
    assert spoken(programs).let_go() == SPOKEN


def test_no_sentence_begins_between_two_calls(programs: Programs, talking: Sound, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("kiosk.sound.GAP_S", 60)

    def say_all() -> None:
        for call in CALLS:
            talking.call(call)
            threading.Event().wait(0.1)  # long enough for a sentence to begin, if it may

    voice = threading.Thread(target=say_all)
    voice.start()
    for call in CALLS:
        run = programs.started()
        talking.say("Số của ông bà", "vi")
        assert run.whole() == call
    voice.join(DEADLINE_S)
    talking.play("press")
    programs.started().let_go()
    assert spoken(programs).let_go() == SPOKEN


def test_a_tone_that_waited_long_for_a_call_is_left_out(programs: Programs, speaker: list[Sound], hall: Hall):
    now = [100.0]
    programs.install("aplay")
    speaker.append(Sound(clock=lambda: now[0]))
    answer = hall(speaker[0], CALLS[0])
    run = programs.started()
    speaker[0].play("taken")
    now[0] += STALE_TONE_S + 0.1
    run.let_go()
    assert answer.result(DEADLINE_S)
    heard: list[bytes] = []
    for call in CALLS[1:]:
        answer = hall(speaker[0], call)
        while heard[-1:] != [call]:
            heard.append(programs.started().let_go())
        assert answer.result(DEADLINE_S)
    assert heard == CALLS[1:]


def test_a_tone_that_was_there_first_goes_first(programs: Programs, talking: Sound, hall: Hall):
    talking.play("press")
    first = programs.started()
    talking.play("taken")
    hall(talking, CALLS[0])
    wait_in_line(talking, 1)
    first.let_go()
    assert programs.started().let_go() == wav(TONES["taken"], 70)
    assert programs.started().let_go() == CALLS[0]


def test_closing_cuts_a_call_off_and_refuses_those_that_wait(programs: Programs, talking: Sound, hall: Hall):
    answers = [hall(talking, CALLS[0])]
    run = programs.started()
    answers.append(hall(talking, CALLS[1]))
    wait_in_line(talking, 1)
    talking.close()
    assert run.was_killed()
    assert [answer.result(DEADLINE_S) for answer in answers] == [False, False]
    assert not talking.call(CALLS[2])


def test_without_a_player_a_call_is_over_at_once_and_said_once(
    programs: Programs, speaker: list[Sound], log: "queue.SimpleQueue[str]"
):
    speaker.append(Sound())
    assert all(speaker[0].call(call) for call in CALLS)
    assert log.get(timeout=DEADLINE_S) == "no sound: aplay: No such file or directory"
    assert log.empty()


def test_without_volume_there_are_no_tones_but_calls(programs: Programs, speaker: list[Sound], hall: Hall):
    programs.install("aplay")
    speaker.append(Sound(volume=0))
    speaker[0].play("taken")
    hall(speaker[0], CALLS[0])
    assert programs.started().let_go() == CALLS[0]


def test_a_folder_keeps_the_newest_calls_as_files(tmp_path: Path):
    folder = SoundFolder(tmp_path / "calls")
    for n in range(KEPT + 2):
        assert folder.call(CALLS[n % 3])
    names = sorted(path.name for path in (tmp_path / "calls").iterdir())
    assert names == [f"call-{n:06d}.wav" for n in range(3, KEPT + 3)]
    assert SoundFolder(tmp_path / "calls").call(CALLS[0])
    assert (tmp_path / "calls" / f"call-{KEPT + 3:06d}.wav").read_bytes() == CALLS[0]
    folder.close()
    assert not folder.call(CALLS[0])


def test_a_folder_that_cannot_be_written_is_said_once(tmp_path: Path, log: "queue.SimpleQueue[str]"):
    (tmp_path / "file").write_text("")
    folder = SoundFolder(tmp_path / "file" / "calls")
    assert folder.call(CALLS[0])
    assert folder.call(CALLS[0])
    assert "no call is kept" in log.get(timeout=DEADLINE_S)
    assert log.empty()
