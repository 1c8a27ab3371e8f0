"""Further languages: files of a folder, what is wrong with them, and how a kiosk goes on."""

import logging
import os
import re
from pathlib import Path

import pytest

from kiosk.__main__ import main
from kiosk.config import load_config
from kiosk.languages import read
from kiosk.office import sample
from kiosk.present.words import Words
from kiosk.setup import words
from kiosk.texts import Texts

KHMER = '[language]\nname = "Khmer"\n[kiosk]\nahead = "{n} (km)"\nyour_number = "Number (km)"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "lang"
    made.mkdir()
    return made


def problems(folder: Path) -> list[str]:
    return [str(problem).removeprefix(f"{folder}/") for problem in read(folder).problems]


def test_a_file_in_the_folder_is_one_more_language_after_the_kiosks_own(folder: Path):
    (folder / "km.toml").write_text(KHMER, "utf-8")
    (folder / "hmn.toml").write_text('[language]\nname = "Hmoob"\n', "utf-8")
    further = read(folder)
    assert further.problems == ()
    t = Texts("vi", further=further.sentences)
    assert t.languages == ("vi", "en", "hmn", "km")
    assert t.in_language("km")("kiosk.ahead", n=5) == "5 (km)"
    assert t.in_language("km").in_language("vi")("kiosk.ahead", n=5) == "Phía trước còn 5 người"


@pytest.mark.parametrize(
    ("home", "title", "service", "figure"),
    [("vi", "LẤY SỐ", "Hộ tịch", "1.234,5"), ("en", "TAKE A QUEUE NUMBER", "Civil status", "1,234.5")],
)
def test_what_a_file_lacks_is_as_in_the_office_s_own_language(
    folder: Path, home: str, title: str, service: str, figure: str
):
    (folder / "km.toml").write_text(KHMER, "utf-8")
    own = Texts(home, {"kiosk.title": "LẤY SỐ"}, further=read(folder).sentences)
    said = Words(sample(), own).in_language("en").in_language("km")
    assert said.t("kiosk.title") == title
    assert said.t("kiosk.ahead", n=5) == "5 (km)"
    assert (said.service_name("ho-tich"), said.t.number(1234.5)) == (service, figure)


def test_the_example_in_the_docs_can_be_read(folder: Path):
    page = (Path(__file__).parents[1] / "docs/configuration.md").read_text("utf-8")
    example = re.search(r"calls itself:\n\n```\n(.*?)```", page, re.DOTALL)
    assert example is not None
    (folder / "tay.toml").write_text(example[1], "utf-8")
    assert (problems(folder), read(folder).sentences["tay"]["language.name"]) == ([], "Tày")


def test_no_folder_is_no_further_language(tmp_path: Path):
    assert (read(tmp_path / "nowhere").sentences, read(tmp_path / "nowhere").problems) == ({}, ())


def test_no_break_spaces_and_joiners_belong_to_a_sentence(folder: Path):
    (folder / "km.toml").write_text(KHMER + 'title = "យក\u200bលេខ\u200d"\nclosed = "a\u00a0b"\n', "utf-8")
    assert problems(folder) == []
    assert read(folder).sentences["km"]["kiosk.title"] == "យក\u200bលេខ\u200d"


def test_a_pipe_in_the_folder_is_named_and_keeps_nobody_waiting(folder: Path):
    os.mkfifo(folder / "km.toml")
    (line,) = problems(folder)
    assert "cannot be read: it is no file" in line


def test_a_name_or_sentence_of_absurd_length_is_left_out(folder: Path):
    (folder / "km.toml").write_text(KHMER + f'title = "{"w" * 301}"\n', "utf-8")
    assert problems(folder) == ["km.toml: kiosk.title: is left out: is longer than 300 letters"]


def test_a_sentence_that_cannot_be_used_is_named_and_left_out_alone(folder: Path):
    text = KHMER + 'titel = "x"\nahead_0 = 3\nwait = "{so}"\ntitle = ""\nclosed = """a\nb"""\n'
    (folder / "km.toml").write_text(text + "[kisok]\ntitle = 'x'\n", "utf-8")
    assert problems(folder) == [
        'km.toml: kiosk.titel: is left out: there is no such sentence. Did you mean "kiosk.title"?',
        "km.toml: kiosk.ahead_0: is left out: must be one line of text",
        "km.toml: kiosk.wait: is left out: {so} is no value of this sentence, which has: {den}, {tu}",
        "km.toml: kiosk.title: is left out: must be one line of text",
        "km.toml: kiosk.closed: is left out: must be one line of text",
        'km.toml: kisok.title: is left out: there is no such sentence. Did you mean "kiosk.title"?',
    ]
    assert read(folder).sentences["km"].keys() == {"language.name", "kiosk.ahead", "kiosk.your_number"}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("km.toml", b"[kiosk\n", "km.toml: cannot be read: "),
        ("km.toml", "name = 'ខ្មែរ'".encode("utf-16"), "km.toml: is not UTF-8: save it as UTF-8"),
        ("km.toml", b"[kiosk]\ntitle = 'x'\n", "km.toml: language.name: is missing, so the file is left out"),
        ("vi.toml", KHMER.encode(), "vi.toml: is left out: the kiosk has this language"),
        ("Tiếng Khmer.toml", KHMER.encode(), "Tiếng Khmer.toml: is left out: it is not named by a language's code"),
    ],
)
def test_a_broken_file_is_named_and_the_others_stand(folder: Path, name: str, content: bytes, says: str):
    (folder / name).write_bytes(content)
    (folder / "tay.toml").write_text('[language]\nname = "Tày"\n', "utf-8")
    found = problems(folder)
    assert len(found) == 1
    assert found[0].startswith(says)
    assert read(folder).sentences.keys() == {"tay"}


def test_sentences_are_composed_whatever_keyboard_wrote_them(folder: Path):
    (folder / "tay.toml").write_text('[language]\nname = "Ta\u0300y"\n', "utf-8")
    assert read(folder).sentences["tay"]["language.name"] == "T\u00e0y"


def test_a_kiosk_runs_without_the_broken_file_and_logs_it(folder: Path, caplog: pytest.LogCaptureFixture):
    (folder / "km.toml").write_text("[kiosk\n", "utf-8")
    (folder / "tay.toml").write_text('[language]\nname = "Tày"\n', "utf-8")
    (folder.parent / "kiosk.toml").write_text('[screen]\nlang_dir = "lang"\n', "utf-8")
    with caplog.at_level(logging.WARNING):
        made = words(load_config(folder.parent / "kiosk.toml"), sample())
    assert made.t.languages == ("vi", "en", "tay")
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == [f"{folder}/km.toml"]


def checked(config: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    main(["check", "--config", str(config)])
    return [line for line in capsys.readouterr().out.splitlines() if "Ngôn ngữ" in line]


def test_check_names_the_languages_and_each_broken_file(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "km.toml").write_text("[kiosk\n", "utf-8")
    (folder / "tay.toml").write_text('[language]\nname = "Tày"\n', "utf-8")
    config = folder.parent / "kiosk.toml"
    config.write_text('[screen]\nlang_dir = "lang"\n[buttons]\nfactory = "none"\n[printer]\nurl = "none"\n', "utf-8")
    good, bad = checked(config, capsys)
    assert good == "OK    Ngôn ngữ: Tiếng Việt, English, Tày"
    assert bad.startswith(f"LỖI   Ngôn ngữ: {folder}/km.toml: không đọc được: ")


def test_check_names_a_configured_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    config = tmp_path / "kiosk.toml"
    config.write_text('[screen]\nlang_dir = "lang"\n[buttons]\nfactory = "none"\n[printer]\nurl = "none"\n', "utf-8")
    assert checked(config, capsys)[0].startswith(f"LỖI   Ngôn ngữ: không có thư mục {tmp_path}/lang")
