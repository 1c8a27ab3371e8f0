"""Tones as samples, and the loudspeaker's thread against programs that stand in for aplay and espeak-ng."""

import errno
import io
import itertools
import os
import queue
import shutil
import signal
import threading
import time
import wave
from array import array

import pytest

from kiosk.programs import MOST_BYTES
from kiosk.sound import (
    FADE_S,
    LATE_S,
    RATE,
    TONES,
    WORDS_A_MINUTE,
    Sound,
    wav,
)  # fmt: skip
from tests.sound_kit import SPOKEN, log, programs, speaker, spoken, talking  # noqa: F401
from tests.speaker import DEADLINE_S, Programs


def samples(file: bytes) -> "array[int]":
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, RATE)
        return array("h", sound.readframes(sound.getnframes()))


def pitch(part: "array[int]") -> float:
    """Hertz, by counting how often the wave rises through zero."""
    return sum(1 for a, b in itertools.pairwise(part) if a < 0 <= b) * RATE / len(part)


# --- tones -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tone", "low", "high"), [("press", 0.02, 0.1), ("taken", 0.2, 0.5), ("refused", 0.2, 0.5)])
def test_each_tone_is_short(tone: str, low: float, high: float):
    assert low <= len(samples(wav(TONES[tone], 70))) / RATE <= high


@pytest.mark.parametrize("tone", TONES)
def test_the_loudest_tone_stays_a_decibel_below_full_scale_and_is_well_heard(tone: str):
    peak = max(map(abs, samples(wav(TONES[tone], 100)))) / 32768
    assert 0.25 < peak <= 10 ** (-1 / 20)


@pytest.mark.parametrize("tone", TONES)
def test_volume_is_a_share_of_the_loudest_and_zero_is_silence(tone: str):
    full, half, none = (max(map(abs, samples(wav(TONES[tone], volume)))) for volume in (100, 50, 0))
    assert half == pytest.approx(full / 2, abs=1)
    assert none == 0


@pytest.mark.parametrize("tone", TONES)
def test_no_note_begins_or_ends_with_a_click(tone: str):
    for note in TONES[tone]:
        heard = samples(wav([note], 100))
        peak, edge = max(map(abs, heard)), round(FADE_S * RATE / 10)
        assert max(map(abs, [*heard[:edge], *heard[-edge:]])) < peak / 30
        assert (heard[0], heard[-1]) == (0, 0)


def test_taken_rises_and_refused_is_low():
    first, second = TONES["taken"]
    rising = [pitch(samples(wav([note], 100))) for note in (first, second)]
    assert rising[1] > rising[0] * 1.2
    assert pitch(samples(wav(TONES["refused"], 100))) < rising[0] / 2


# --- the thread --------------------------------------------------------------------------------------------------


def test_a_tone_is_played_by_aplay_on_the_configured_output(programs: Programs, speaker: list[Sound]):
    programs.install("aplay")
    speaker.append(Sound(volume=40, device="plughw:CARD=USB"))
    speaker[0].play("taken")
    run = programs.started()
    assert (run.program, run.options) == ("aplay", ["-q", "-D", "plughw:CARD=USB"])
    assert run.let_go() == wav(TONES["taken"], 40)


def test_the_newest_tone_takes_the_place_of_those_that_wait(programs: Programs, speaker: list[Sound]):
    programs.install("aplay")
    speaker.append(Sound())
    speaker[0].play("press")
    first = programs.started()
    for tone in ("refused", "press", "refused", "taken"):
        speaker[0].play(tone)
    assert first.let_go() == wav(TONES["press"], 70)
    assert programs.started().let_go() == wav(TONES["taken"], 70)
    speaker[0].play("press")
    assert programs.started().let_go() == wav(TONES["press"], 70), "nothing else had waited"


def test_presses_can_be_left_without_a_tone(programs: Programs, speaker: list[Sound]):
    programs.install("aplay")
    programs.install("espeak-ng", reply=SPOKEN)
    speaker.append(Sound(presses=False))
    speaker[0].play("press")
    speaker[0].say("hello", "en")
    assert programs.started().let_go() == b"hello", "a tone would go first"
    speaker[0].play("taken")
    while (run := programs.started()).given == SPOKEN:
        run.let_go()
    assert run.let_go() == wav(TONES["taken"], 70)


def test_a_player_that_hangs_is_ended_said_once_and_tried_again(
    programs: Programs, speaker: list[Sound], log: "queue.SimpleQueue[str]"
):
    programs.install("aplay")
    speaker.append(Sound(tone_s=1))
    speaker[0].play("press")
    for _ in range(2):
        run, began = programs.started(), time.monotonic()
        for _ in range(1000):
            speaker[0].play("press")
        assert time.monotonic() - began < 0.5, "nobody waits for it"
        assert run.was_killed()
    run = programs.started()
    speaker[0].close()
    assert run.was_killed()
    assert log.get(timeout=DEADLINE_S) == "no sound: aplay was not done in 1 s"
    assert log.empty()


def test_a_machine_without_a_player_is_silent_said_once_until_there_is_one(
    programs: Programs, speaker: list[Sound], log: "queue.SimpleQueue[str]"
):
    speaker.append(Sound())
    speaker[0].play("press")
    assert log.get(timeout=DEADLINE_S) == "no sound: aplay: No such file or directory"
    speaker[0].play("press")
    programs.install("aplay")
    speaker[0].play("taken")
    while programs.started().let_go() != wav(TONES["taken"], 70):
        pass
    assert log.get(timeout=DEADLINE_S) == "aplay works again"
    assert log.empty()


def test_a_moment_without_free_files_is_one_tone_less(
    programs: Programs, speaker: list[Sound], log: "queue.SimpleQueue[str]", monkeypatch: pytest.MonkeyPatch
):
    def none_left(name: str) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    programs.install("aplay")
    with monkeypatch.context() as full:
        full.setattr(os, "memfd_create", none_left)
        speaker.append(Sound())
        speaker[0].play("taken")
        assert "Too many open files" in log.get(timeout=5)
    speaker[0].play("press")
    while programs.started().let_go() != wav(TONES["press"], 70):
        pass


def test_a_machine_without_a_card_says_what_the_player_said(
    programs: Programs, speaker: list[Sound], log: "queue.SimpleQueue[str]"
):
    (programs.folder / "aplay").write_text(
        "#!/bin/sh\necho first >&2\necho 'audio open error: No such file' >&2\nexit 1\n"
    )
    (programs.folder / "aplay").chmod(0o755)
    speaker.append(Sound())
    speaker[0].play("press")
    assert log.get(timeout=DEADLINE_S) == "no sound: aplay: audio open error: No such file"


def test_closing_ends_what_is_being_played(programs: Programs, speaker: list[Sound], log: "queue.SimpleQueue[str]"):
    programs.install("aplay")
    speaker.append(Sound())
    speaker[0].play("taken")
    run = programs.started()
    speaker[0].close()
    assert run.was_killed()
    assert log.empty(), "the thread has ended, too"


def test_what_a_player_started_itself_ends_with_it(programs: Programs, speaker: list[Sound]):
    programs.install("inner")
    wrapper = programs.folder / "aplay"
    wrapper.write_text(f'#!/bin/sh\nexec 3<&0\n"{programs.folder}/inner" <&3 &\nwait\n')
    wrapper.chmod(0o755)
    speaker.append(Sound())
    speaker[0].play("taken")
    run = programs.started()
    assert (run.program, len(run.given)) == ("inner", len(wav(TONES["taken"], 70)))
    speaker[0].close()
    assert run.was_killed()


# --- speech ------------------------------------------------------------------------------------------------------


def test_a_sentence_is_read_slowly_by_the_voice_of_its_language(programs: Programs, talking: Sound):
    talking.say("Số của ông bà là: một, không, một, ba.", "vi")
    voice = programs.started()
    assert voice.options == ["-v", "vi", "-s", str(WORDS_A_MINUTE), "-a", "70", "-b", "1", "--stdin", "--stdout"]
    assert voice.let_go().decode() == "Số của ông bà là: một, không, một, ba."
    assert programs.started().let_go() == SPOKEN


def test_the_real_voice_speaks_within_what_it_may_write(
    programs: Programs, speaker: list[Sound], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", f"{programs.folder}{os.pathsep}{os.defpath}")
    programs.install("aplay")
    speaker.append(Sound())
    speaker[0].say("Số của ông bà là: một, không, một, ba.", "vi")
    spoken = programs.started().let_go()
    assert (spoken[:4], len(spoken) > 50_000) == (b"RIFF", True)


def test_a_voice_that_never_stops_writing_is_ended_before_it_fills_the_memory(
    programs: Programs, talking: Sound, log: "queue.SimpleQueue[str]"
):
    voice = programs.folder / "espeak-ng"
    # It begins when it may write no more than it should, however late that comes.
    wait = 'while [ "$(ulimit -f)" = unlimited ]; do :; done'
    write = f"exec {shutil.which('head', path=os.defpath)} -c {2 * MOST_BYTES} /dev/zero"
    voice.write_text(f"#!/bin/sh\n{wait}\n{write}\n")
    voice.chmod(0o755)
    talking.say("Số của Ông/Bà là: 1001.", "vi")
    assert log.get(timeout=DEADLINE_S) == f"no sound: espeak-ng: ended with status {-signal.SIGXFSZ}"
    talking.play("taken")
    assert programs.started().let_go() == wav(TONES["taken"], 70), "what it wrote is not played"


def test_a_tone_goes_before_a_sentence_and_cuts_one_off_that_then_begins_again(programs: Programs, talking: Sound):
    talking.say("Số của ông bà", "vi")
    player = spoken(programs)
    talking.play("press")
    assert player.was_killed()
    assert programs.started().let_go() == wav(TONES["press"], 70)
    assert spoken(programs).let_go() == SPOKEN


def test_a_newer_sentence_cuts_the_older_one_off_for_good(programs: Programs, talking: Sound):
    talking.say("old", "vi")
    player = spoken(programs)
    talking.say("new", "en")
    assert player.was_killed()
    voice = programs.started()
    assert (voice.let_go(), voice.options[1]) == (b"new", "en")
    assert programs.started().let_go() == SPOKEN
    talking.play("press")
    assert programs.started().let_go() == wav(TONES["press"], 70), "the old one does not come back"


def test_a_sentence_that_had_to_wait_too_long_is_not_said(
    programs: Programs, speaker: list[Sound], log: "queue.SimpleQueue[str]"
):
    now, asked = [100.0], threading.Semaphore(0)

    def clock() -> float:
        asked.release()
        return now[0]

    programs.install("aplay")
    speaker.append(Sound(clock=clock))
    speaker[0].play("taken")
    run = programs.started()
    speaker[0].say("late", "vi")
    now[0] += LATE_S + 0.1
    run.let_go()
    for _ in ("when it came", "when it could begin"):
        assert asked.acquire(timeout=DEADLINE_S)
    speaker[0].play("press")
    assert programs.started().let_go() == wav(TONES["press"], 70)
    assert log.empty(), "nobody has missed the voice"


def test_without_a_voice_there_are_only_tones_and_the_log_says_so_once_per_language(
    programs: Programs, speaker: list[Sound], log: "queue.SimpleQueue[str]"
):
    programs.install("aplay")
    speaker.append(Sound())
    for language in ("vi", "vi", "en"):
        speaker[0].say("hello", language)
        speaker[0].play("press")
        programs.started().let_go()
    speaker[0].say("hello", "km")
    heard = {log.get(timeout=DEADLINE_S)}
    assert heard == {"no sound: espeak-ng: No such file or directory"}
