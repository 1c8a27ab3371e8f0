"""Voice packs: made by espeak-ng, gone over by recordings, and what is said of files that are none."""

import json
import math
from array import array
from itertools import pairwise
from pathlib import Path

import pytest

from kiosk.office import sample
from kiosk.present.calling import CHIME, Reading, Word, names_of, vocabulary
from kiosk.programs import ProgramError
from kiosk.texts import Texts
from kiosk.voice import espeak, pcm
from kiosk.voice.pack import MANIFEST, Pack, PackError, load, load_or_new, take_over

WORDS = vocabulary(Texts("vi"), Reading(whole=True), names_of(sample()))
ZERO, ONE = Word("0", "không"), Word("1", "một")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """A whole pack of the real espeak-ng."""
    return espeak.make(tmp_path_factory.mktemp("voices") / "vi", WORDS, "vi")


def recording(path: Path, hertz: float = 300, rate: int = 48_000, seconds: float = 0.4, amplitude: float = 900) -> Path:
    """Half a second of silence, a word, half a second of silence."""
    still = array("h", bytes(rate))
    word = array("h", (round(amplitude * math.sin(2 * math.pi * hertz * n / rate)) for n in range(int(seconds * rate))))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pcm.wav(still + word + still, rate))
    return path


def pitch(samples: "array[int]", rate: int) -> float:
    inner = samples[len(samples) // 4 : -len(samples) // 4]
    return sum(1 for a, b in pairwise(inner) if a < 0 <= b) * rate / len(inner)


# --- made --------------------------------------------------------------------------------------------------------


def test_a_made_pack_has_every_clip_at_one_level_and_below_the_peak(made: Pack):
    assert made.missing(WORDS) == []
    clips = {word.clip: made.samples(word.clip, made.rate) for word in WORDS}
    assert len(clips) == len(WORDS)
    for name, samples in clips.items():
        assert pcm.loudness_db(samples) == pytest.approx(pcm.LEVEL_DB, abs=1.5), name
        assert pcm.peak_db(samples) <= pcm.PEAK_DB, name
        assert 0.15 < len(samples) / made.rate < 6, name


def test_no_two_words_of_a_made_pack_are_one_sound(made: Pack):
    assert len({made.samples(word.clip, made.rate).tobytes() for word in WORDS}) == len(WORDS)


def test_a_made_pack_is_found_again_as_it_was_made(made: Pack):
    again = load(made.folder)
    assert again == made
    assert (again.language, again.voice, again.rate) == ("vi", "espeak-ng vi", pcm.RATE)


def test_making_again_leaves_what_is_there_and_adds_what_is_new(made: Pack):
    before = {path: path.stat().st_mtime_ns for path in (made.folder / "made").iterdir()}
    more = espeak.make(made.folder, [*WORDS, Word("tiep-dan", "Tiếp dân")], "vi")
    assert more.has(Word("tiep-dan", "Tiếp dân"))
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_another_wording_under_the_same_name_is_made_afresh(made: Pack):
    other = Word("lan", "lận")
    assert not made.has(other)
    assert espeak.make(made.folder, [other], "vi").has(other)
    assert espeak.make(made.folder, WORDS, "vi").missing(WORDS) == []


def test_another_voice_speaks_all_but_the_recordings(tmp_path: Path):
    folder = tmp_path / "vi"
    first = espeak.make(folder, [ZERO, ONE], "vi")
    take_over(first, [ZERO, ONE], [recording(tmp_path / "1.wav")])
    before = [load(folder).samples(name, pcm.RATE) for name in "01"]
    second = espeak.make(folder, [ZERO, ONE], "vi", "vi-vn-x-south")
    after = [second.samples(name, pcm.RATE) for name in "01"]
    assert (after[0] != before[0], after[1] == before[1]) == (True, True)
    assert second.voice == "espeak-ng vi-vn-x-south"
    third = espeak.make(folder, [ZERO, ONE], "vi")
    assert third.samples("0", pcm.RATE) == after[0], "without a wish the voice of the pack stays"


def test_a_language_that_the_computer_does_not_speak_changes_nothing(tmp_path: Path):
    with pytest.raises(ProgramError, match="espeak-ng"):
        espeak.make(tmp_path / "tay", [ZERO], "xx-none")
    assert not (tmp_path / "tay").exists()


# --- recorded ----------------------------------------------------------------------------------------------------


def test_a_recording_of_any_rate_goes_over_the_made_clip(tmp_path: Path):
    pack = espeak.make(tmp_path / "vi", [ZERO, ONE], "vi")
    for rate in (16_000, 44_100, 48_000):
        done = take_over(pack, WORDS, [recording(tmp_path / "0.wav", 300, rate)])
        assert (done.taken, done.problems) == (("0",), ())
        taken = load(tmp_path / "vi")
        assert (taken.clips["0"].recorded, taken.clips["1"].recorded) == (True, False)
        samples = taken.samples("0", taken.rate)
        assert pitch(samples, taken.rate) == pytest.approx(300, rel=0.03)
        assert 0.4 <= len(samples) / taken.rate < 0.5, "the silence around it is cut"
        assert pcm.loudness_db(samples) == pytest.approx(pcm.LEVEL_DB, abs=1.5)
    assert espeak.make(tmp_path / "vi", [ZERO, ONE], "vi").clips["0"].recorded


def test_a_folder_is_taken_over_and_each_file_that_cannot_be_is_named(tmp_path: Path):
    usb = tmp_path / "usb"
    recording(usb / "0.WAV")
    recording(usb / "den-quay-so.wav")
    recording(usb / "chao.wav")
    recording(usb / "2.wav", amplitude=0)
    (usb / "3.wav").write_bytes(b"ID3")
    (usb / "notes.txt").write_text("")
    done = take_over(load_or_new(tmp_path / "vi", "vi"), WORDS, [usb, tmp_path / "4.wav"])
    assert set(done.taken) == {"0", "den-quay-so"}
    assert [problem.removeprefix(f"{tmp_path}/") for problem in done.problems] == [
        "usb/2.wav: holds no sound: record it again, nearer to the microphone",
        "usb/3.wav: is no WAV file: save or convert it as WAV (PCM, 16 bit)",
        "usb/chao.wav: no clip has this name; kiosk voice list shows the names",
        "4.wav: No such file or directory",
    ]
    assert set(load(tmp_path / "vi").clips) == {"0", "den-quay-so"}, "a pack of recordings alone"


def test_an_office_records_its_own_chime(tmp_path: Path):
    done = take_over(load_or_new(tmp_path / "vi", "vi"), WORDS, [recording(tmp_path / "chime.wav")])
    assert done.taken == (CHIME,)


def test_a_clip_whose_file_is_gone_is_missing(tmp_path: Path):
    pack = espeak.make(tmp_path / "vi", [ZERO, ONE], "vi")
    (tmp_path / "vi" / "made" / "0.wav").unlink()
    assert pack.missing([ZERO, ONE]) == [ZERO]


# --- packs that are none -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[]",
        '{"language": "vi"}',
        '{"language": "vi", "voice": "", "rate": "x", "clips": {}}',
        '{"language": "vi", "voice": "", "rate": 3, "clips": {}}',
        '{"language": "vi", "voice": "", "rate": 22050, "clips": {"0": "made/0.wav"}}',
        '{"language": "vi", "voice": "", "rate": 22050, "clips": {"0": {"file": "/etc/passwd", "text": ""}}}',
        '{"language": "vi", "voice": "", "rate": 22050, "clips": {"0": {"file": "made/../../x.wav", "text": ""}}}',
    ],
)
def test_a_manifest_that_cannot_be_used_says_what_to_do(tmp_path: Path, manifest: str):
    (tmp_path / MANIFEST).write_text(manifest)
    with pytest.raises(PackError, match="kiosk voice make"):
        load(tmp_path)


def test_a_pack_of_another_language_is_not_filled_by_mistake(tmp_path: Path):
    Pack(tmp_path, "en").save()
    with pytest.raises(PackError, match="is a pack of the language en, not vi"):
        load_or_new(tmp_path, "vi")


def test_a_manifest_is_read_by_people(made: Pack):
    plain = json.loads((made.folder / MANIFEST).read_text("utf-8"))
    assert plain["clips"]["den-quay-so"] == {"file": "made/den-quay-so.wav", "text": "đến quầy số"}
