"""From a committed call to the loudspeaker: the right clips in the right order, one call after the other, none cut."""

import logging
import math
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from kiosk.calls import SpokenCall
from kiosk.office import sample
from kiosk.present.calling import CHIME, DIGIT_S, NUMBER_S, PAUSES_S, STOP_S, Reading, Word, names_of, vocabulary
from kiosk.sound import Silence, Sound
from kiosk.store.calls import Calls
from kiosk.store.database import Database
from kiosk.texts import Texts
from kiosk.voice import pcm
from kiosk.voice.composer import BETWEEN_S, CHIME_S, END_S, LEAD_S, Composer, Manner
from kiosk.voice.engine import Voice
from kiosk.voice.pack import MANIFEST, RECORDED, Pack, load
from tests.office import moment, open_store
from tests.speaker import Programs, Running
from tests.test_calling import ticket
from tests.test_calls import At, hall

VI, EN = Texts("vi"), Texts("en")
NAMES = names_of(sample())
DIGITS = Reading()
VOICE = pcm.wav(array("h", (round(9000 * math.sin(n / 9)) for n in range(9000))), pcm.RATE)
"""What the stand-in of espeak-ng says, whatever it is given."""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    made = Programs(folder)
    yield made
    made.close()


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    return tmp_path / "voices"


def record(packs: Path, t: Texts, without: Sequence[str] = (), reading: Reading = DIGITS) -> Pack:
    """A pack in which each clip is a note of its own."""
    pack = Pack(packs / t.language, t.language, "a person")
    for n, word in enumerate(vocabulary(t, reading, NAMES)):
        if word.clip not in without:
            pack = pack.keep(word, pcm.clip(note(n), pcm.RATE, pcm.RATE), RECORDED)
    pack.save()
    return pack


def note(n: int) -> "array[int]":
    step = 2 * math.pi * (200 + 40 * n) / pcm.RATE
    return array("h", (round(8000 * math.sin(step * at)) for at in range(1500 + 10 * n)))


def call(number: str = "1002", counter: str = "2", kind: str = "call", priority: bool = False) -> SpokenCall:
    return SpokenCall(1, kind, counter, ticket(number, priority))


def heard(wav: bytes) -> "array[int]":
    rate, samples = pcm.read(wav)
    assert rate == pcm.RATE
    return samples


def laid(pack: Pack, *parts: tuple[str, float]) -> "array[int]":
    """Clips of a pack with the pauses behind them."""
    return pcm.joined([(pack.samples(name, pcm.RATE), pause_s) for name, pause_s in parts], pcm.RATE)


def silence(seconds: float) -> "array[int]":
    return array("h", bytes(2 * round(seconds * pcm.RATE)))


def talk(programs: Programs) -> None:
    """An espeak-ng that says VOICE at once, and notes that it was asked."""
    folder, program = programs.folder, programs.folder / "espeak-ng"
    (folder / "voice").write_bytes(VOICE)
    program.write_text(f"#!/bin/sh\necho . >>'{folder}/asked'\n/bin/cat '{folder}/voice'\n")
    program.chmod(0o755)


# --- the sound of a call -----------------------------------------------------------------------------------------


def test_a_call_is_the_chime_and_its_clips_in_order(packs: Path, programs: Programs):
    pack = record(packs, VI)
    made = heard(Composer(VI, packs, Manner()).wav(call("1002", "2")))
    wanted = silence(LEAD_S) + laid(
        pack,
        (CHIME, CHIME_S), ("moi-cong-dan-co-so", NUMBER_S),
        ("1", DIGIT_S), ("0", DIGIT_S), ("0", DIGIT_S), ("2", PAUSES_S[","]),
        ("den-quay-so", NUMBER_S), ("2", END_S),
    )  # fmt: skip
    assert made == wanted
    assert pcm.peak_db(made) <= pcm.PEAK_DB


def test_priority_recall_absence_and_apology_have_their_own_clips(packs: Path, programs: Programs):
    pack = record(packs, VI)
    composer = Composer(VI, packs, Manner(chime=False))

    def said(spoken: SpokenCall, *names: str) -> bool:
        """Whether it is these clips in this order, whatever the pauses."""
        rest, at = heard(composer.wav(spoken)).tobytes(), 0
        for name in names:
            clip = pack.samples(name, pcm.RATE).tobytes()
            at = rest.find(clip, at)
            if at < 0:
                return False
            at += len(clip)
        return not any(rest[at:])

    number = ("1", "0", "0", "2")
    assert said(call(priority=True), "moi-cong-dan-co-so-uu-tien", *number, "den-quay-so", "2")
    assert said(call(kind="recall"), "xin-nhac-lai", "moi-cong-dan-co-so", *number, "den-quay-so", "2")
    absent = ("so", *number, "da-duoc-goi", "3", "lan", "moi-cong-dan-lien-he-quay-so", "2", "khi-co-mat")
    assert said(call(kind="no_show"), *absent)
    sorry = ("xin-loi-ong-ba-vi-phai-cho-lau-hon-du-kien", "don-vi-dang-bo-tri-them-quay")
    assert said(SpokenCall(1, "apology"), *sorry)
    assert not said(call(), *absent)


def test_a_second_language_follows_the_first_after_one_chime(packs: Path, programs: Programs):
    vi, en = record(packs, VI), record(packs, EN)
    made = heard(Composer(VI, packs, Manner(("vi", "en"))).wav(call("7", "1")))
    wanted = silence(LEAD_S) + laid(vi, (CHIME, CHIME_S))
    wanted += laid(
        vi, ("moi-cong-dan-co-so", NUMBER_S), ("7", PAUSES_S[","]), ("den-quay-so", NUMBER_S), ("1", BETWEEN_S)
    )
    wanted += laid(en, ("number", NUMBER_S), ("7", PAUSES_S[","]), ("please-go-to-counter", NUMBER_S), ("1", END_S))
    assert made == wanted


def test_whole_numbers_use_the_words_of_numbers(packs: Path, programs: Programs):
    whole = Reading(whole=True)
    pack = record(packs, VI, reading=whole)
    made = heard(Composer(VI, packs, Manner(chime=False, reading=whole)).wav(call("1015", "1"))).tobytes()
    places = [made.find(pack.samples(name, pcm.RATE).tobytes()) for name in ("nghin", "tram", "10", "lam")]
    assert -1 not in places
    assert places == sorted(places)


def test_volume_is_that_of_calls(packs: Path, programs: Programs):
    record(packs, VI)
    loud, soft = (heard(Composer(VI, packs, Manner(volume=volume)).wav(call())) for volume in (100, 50))
    assert max(soft) == pytest.approx(max(loud) / 2, abs=1)
    assert len(soft) == len(loud)


def test_a_stop_stands_at_the_end_of_a_sentence(packs: Path, programs: Programs):
    pack = record(packs, VI)
    made = heard(Composer(VI, packs, Manner(chime=False)).wav(call(kind="no_show"))).tobytes()
    assert laid(pack, ("lan", STOP_S), ("moi-cong-dan-lien-he-quay-so", 0)).tobytes() in made


def test_a_clip_that_is_missing_is_spoken_by_the_computer_once(packs: Path, programs: Programs):
    record(packs, VI, without=["2"])
    talk(programs)
    composer = Composer(VI, packs, Manner())
    first, second = composer.wav(call("2", "2")), composer.wav(call("2", "2"))
    spoken = pcm.clip(pcm.read(VOICE)[1], pcm.RATE, pcm.RATE)
    assert heard(first).tobytes().count(spoken.tobytes()) == 2
    assert first == second
    assert (programs.folder / "asked").read_text() == ".\n"


def test_a_call_that_cannot_be_said_whole_is_the_chime_alone_and_said_once(
    packs: Path, programs: Programs, caplog: pytest.LogCaptureFixture
):
    pack = record(packs, VI, without=["2"])
    composer = Composer(VI, packs, Manner(chime=False))
    chime = silence(LEAD_S) + laid(pack, (CHIME, END_S))
    assert [heard(composer.wav(call("1002", "1"))) for _ in range(2)] == [chime, chime]
    assert [record.message for record in caplog.records] == ["no call in vi: espeak-ng: No such file or directory"]
    assert len(heard(composer.wav(call("1001", "1")))) > len(chime)


def test_a_language_that_cannot_be_said_leaves_the_other(packs: Path, programs: Programs):
    record(packs, VI)
    both, one = (Composer(VI, packs, Manner(languages)).wav(call()) for languages in (("vi", "en"), ("vi",)))
    assert both == one


def test_without_packs_and_programs_there_is_a_chime(packs: Path, programs: Programs):
    made = heard(Composer(VI, packs, Manner()).wav(call()))
    assert made == silence(LEAD_S) + pcm.chime(pcm.RATE) + silence(END_S)


def test_a_recording_that_is_added_is_heard_from_the_next_call_on(packs: Path, programs: Programs):
    record(packs, VI)
    composer = Composer(VI, packs, Manner())
    before = composer.wav(call("5"))
    new = pcm.clip(note(77), pcm.RATE, pcm.RATE)
    load(packs / "vi").keep(Word("5", "năm"), new, RECORDED).save()
    after = composer.wav(call("5"))
    assert new.tobytes() in after
    assert new.tobytes() not in before


def test_a_damaged_pack_or_clip_silences_nobody(packs: Path, programs: Programs, caplog: pytest.LogCaptureFixture):
    talk(programs)
    record(packs, VI)
    (packs / "vi" / "recorded" / "2.wav").write_bytes(b"RIFF")
    composer = Composer(VI, packs, Manner())
    assert len(heard(composer.wav(call("2", "1")))) > pcm.RATE
    (packs / "vi" / MANIFEST).write_text("{")
    assert len(heard(composer.wav(call("2", "1")))) > pcm.RATE
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        f"{packs}/vi/recorded/2.wav",
        f"{packs}/vi/voice.json cannot be used (JSONDecodeError('Expecting property name enclosed in double quotes",
    ]


# --- packs made at the start -------------------------------------------------------------------------------------


def test_packs_that_are_not_there_are_made_and_those_that_are_stay(packs: Path, programs: Programs):
    record(packs, VI)
    before = (packs / "vi" / MANIFEST).read_bytes()
    talk(programs)
    Composer(VI, packs, Manner(("vi", "en")), NAMES).prepare()
    assert (packs / "vi" / MANIFEST).read_bytes() == before
    assert load(packs / "en").missing(vocabulary(EN, Reading(), NAMES)) == []


def test_a_pack_that_cannot_be_made_is_said_and_nothing_stops(
    packs: Path, programs: Programs, caplog: pytest.LogCaptureFixture
):
    Composer(VI, packs, Manner()).prepare()
    assert [record.message for record in caplog.records] == [
        "no voice pack for vi: espeak-ng: No such file or directory"
    ]
    assert not packs.exists()


# --- the thread --------------------------------------------------------------------------------------------------


class Hall:
    """An office with counters that call, and the voice with a loudspeaker of stand-ins."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self.folder = folder
        self.programs = programs
        self.store = open_store(folder, hall())
        self.clock = At(moment(10))
        self.opened: list[Voice] = []

    def open(self, compose: Callable[[SpokenCall], bytes] | None = None) -> Voice:
        self.programs.install("aplay")
        calls = Calls(Database(self.folder), self.clock)  # type: ignore[arg-type]
        voice = Voice(calls, Sound(clock=lambda: 0.0), compose or as_name)
        self.opened.append(voice.start())
        return voice

    def take(self, n: int) -> None:
        for k in range(n):
            self.store.issuing.issue(moment(k), "ho-tich")

    def states(self) -> list[str]:
        return [row["state"] for row in self.store.database.rows("SELECT state FROM spoken_calls ORDER BY id")]

    def playing(self) -> Running:
        running = self.programs.started()
        assert running.program == "aplay"
        return running


def as_name(call: SpokenCall) -> bytes:
    """A WAV file as long as the call's number is large, so that a test knows it again."""
    assert call.ticket
    return pcm.wav(array("h", [int(call.ticket.number), *[0] * 500]), pcm.RATE)


def name(wav: bytes) -> str:
    return str(pcm.read(wav)[1][0])


@pytest.fixture
def office(tmp_path: Path, programs: Programs) -> Iterator[Hall]:
    made = Hall(tmp_path / "data", programs)
    yield made
    for voice in made.opened:
        voice.close()


def test_calls_of_three_counters_are_heard_in_order_and_none_is_cut(office: Hall):
    voice = office.open()
    office.take(3)
    for counter in ("3", "1", "2"):
        office.store.counters.call_next(moment(10), counter)
        voice.poke()
    said = []
    for n in range(3):
        running = office.playing()
        assert office.states() == ["done"] * n + ["speaking"] + ["waiting"] * (2 - n)
        said.append(name(running.whole()))
    assert said == ["1001", "1002", "1003"]


def test_a_recall_of_a_waiting_call_is_heard_once(office: Hall):
    office.take(2)
    office.store.counters.call_next(moment(10), "1")
    office.store.counters.call_next(moment(11), "2")
    office.store.counters.recall(moment(12), "2")
    voice = office.open()
    assert name(office.playing().let_go()) == "1001"
    assert name(office.playing().let_go()) == "1002"
    office.take(1)
    office.store.counters.call_next(moment(13), "3")
    voice.poke()
    last = office.playing()
    assert office.states() == ["done", "done", "dropped", "speaking"]
    assert name(last.let_go()) == "1003"


def test_a_call_that_a_stop_cut_off_is_said_again_by_the_next_start(office: Hall):
    office.take(1)
    office.store.counters.call_next(moment(10), "1")
    voice = office.open()
    running = office.playing()
    voice.close()
    assert running.was_killed()
    assert office.states() == ["speaking"]
    office.open()
    assert name(office.playing().let_go()) == "1001"


def test_a_start_that_took_longer_than_fifteen_seconds_says_only_what_came_after(office: Hall):
    office.take(2)
    office.store.counters.call_next(moment(10), "1")
    office.clock.moment = moment(25.5)
    office.store.counters.call_next(moment(25), "2")
    office.open()
    assert name(office.playing().let_go()) == "1002"
    assert office.states() == ["dropped", "speaking"]


def test_a_locked_database_is_waited_for(
    office: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("kiosk.voice.engine.RETRY_S", 0.01)
    monkeypatch.setattr("kiosk.store.database.BUSY_MS", 10)
    caplog.set_level(logging.WARNING, "kiosk.voice.engine")
    office.take(1)
    office.store.counters.call_next(moment(10), "1")
    with office.store.database.writing(moment(11)):
        office.open()
        while not caplog.records:
            threading.Event().wait(0.01)
    assert name(office.playing().let_go()) == "1001"
    assert {record.message for record in caplog.records} == {"no calls: another program holds the database: end it"}


def test_after_a_locked_start_too_nobody_hears_whom_the_run_before_did_not_get_to_call(
    office: Hall, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("kiosk.voice.engine.RETRY_S", 0.01)
    monkeypatch.setattr("kiosk.store.database.BUSY_MS", 10)
    office.take(2)
    office.store.counters.call_next(moment(10), "1")
    office.clock.moment = moment(40)
    with office.store.database.writing(moment(40)):
        office.open()
        while not caplog.records:
            threading.Event().wait(0.01)
    office.store.counters.call_next(moment(40), "2")
    assert name(office.playing().let_go()) == "1002"
    assert office.states() == ["dropped", "speaking"]


def test_a_call_that_cannot_be_composed_is_one_call_less(office: Hall, caplog: pytest.LogCaptureFixture):
    def compose(call: SpokenCall) -> bytes:
        if call.counter == "1":
            raise ZeroDivisionError
        return as_name(call)

    office.take(2)
    office.store.counters.call_next(moment(10), "1")
    office.store.counters.call_next(moment(11), "2")
    office.open(compose)
    assert name(office.playing().let_go()) == "1002"
    assert "a call could not be said" in caplog.text


def test_a_silent_kiosk_still_works_its_calls_off(office: Hall):
    office.take(1)
    office.store.counters.call_next(moment(10), "1")
    voice = Voice(Calls(Database(office.folder), office.clock), Silence(), as_name)  # type: ignore[arg-type]
    office.opened.append(voice.start())
    while office.states() != ["done"]:
        threading.Event().wait(0.01)
