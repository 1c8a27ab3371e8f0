"""`kiosk voice` as a technician uses it, with the real espeak-ng."""

import wave
from pathlib import Path

import pytest

from kiosk.__main__ import main
from kiosk.voice import pcm
from tests.test_voice_pack import recording


@pytest.fixture
def given(tmp_path: Path) -> list[str]:
    file = tmp_path / "kiosk.toml"
    file.write_text('data_dir = "data"\n[sound]\ndevice = "null"\n[voice]\nlanguages = ["en"]\n')
    return ["--config", str(file)]


Said = pytest.CaptureFixture[str]


def test_a_pack_is_made_listed_gone_over_and_heard(tmp_path: Path, given: list[str], capsys: Said):
    assert main(["voice", "list", *given]) == 1
    assert capsys.readouterr().out.count("THIẾU") == 21
    assert main(["voice", "make", *given]) == 0
    pack = tmp_path / "data" / "voices" / "en"
    assert capsys.readouterr().out == f"{pack}: 21 clips\n"
    recording(tmp_path / "usb" / "number.wav")
    assert main(["voice", "import", str(pack), str(tmp_path / "usb"), *given]) == 0
    capsys.readouterr()
    assert main(["voice", "list", *given]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed[0] == f"{pack} (espeak-ng en)"
    assert "  ghi âm   number: Number" in listed
    assert "  máy đọc  7: seven" in listed
    out = tmp_path / "call.wav"
    assert main(["voice", "say", "1002", "2", "--out", str(out), *given]) == 0
    own = pcm.read((pack / "recorded" / "number.wav").read_bytes())[1]
    assert own.tobytes() in out.read_bytes()
    with wave.open(str(out)) as sound:
        assert 3 < sound.getnframes() / sound.getframerate() < 12


def test_a_pack_anywhere_in_another_language(tmp_path: Path, given: list[str], capsys: Said):
    folder = tmp_path / "anywhere"
    assert main(["voice", "make", str(folder), "--language", "vi", "--voice", "vi-vn-x-south", *given]) == 0
    assert main(["voice", "list", str(folder), "--language", "vi", *given]) == 0
    assert f"{folder} (espeak-ng vi-vn-x-south)" in capsys.readouterr().out


def test_each_kind_of_call_can_be_heard(tmp_path: Path, given: list[str], capsys: Said):
    sounds = set()
    for kind in ("call", "priority", "recall", "no-show"):
        out = tmp_path / f"{kind}.wav"
        assert main(["voice", "say", "1002", "2", "--kind", kind, "--out", str(out), *given]) == 0
        sounds.add(out.read_bytes())
    assert len(sounds) == 4


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["say", "1002", "99"], "there is no counter 99: the office has 1, 2, 3, 4"),
        (["make", "--language", "xx"], "xx has no sentences: known are vi, en (see docs/voice.md)"),
        (["import", "nowhere", "0.wav", "--language", "vi"], "0.wav: No such file or directory"),
        (["import", "vi", "kiosk.toml"], "kiosk.toml: no clip has this name; kiosk voice list shows the names"),
    ],
)
def test_a_mistake_is_said_in_a_line(given: list[str], capsys: Said, words: list[str], says: str):
    assert main(["voice", *words, *given]) == 1
    assert says in capsys.readouterr().err


def test_a_call_is_played_on_the_configured_output(
    tmp_path: Path, given: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Said
):
    assert main(["voice", "make", *given]) == 0
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "aplay").write_text(f"#!/bin/sh\necho \"$@\" >'{tmp_path}/options'\n/bin/cat >'{tmp_path}/heard'\n")
    (tmp_path / "aplay").chmod(0o755)
    assert main(["voice", "say", "1002", "2", *given]) == 0
    assert (tmp_path / "options").read_text() == "-q -D null\n"
    assert main(["voice", "say", "1002", "2", "--out", str(tmp_path / "out.wav"), *given]) == 0
    assert (tmp_path / "heard").read_bytes() == (tmp_path / "out.wav").read_bytes()


def test_a_machine_that_cannot_play_says_so(
    tmp_path: Path, given: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Said
):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["voice", "say", "1002", "2", *given]) == 1
    assert capsys.readouterr().err.endswith("kiosk: aplay: No such file or directory\n")
