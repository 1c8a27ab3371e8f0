"""What is wrong in kiosk.toml and the office document, as a technician reads it and as the log says it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk import documents, revising
from kiosk import office as offices
from kiosk.__main__ import main
from kiosk.board_document import BoardDocument
from kiosk.config import load_config, shipped
from kiosk.documents import DocumentError, Problem, mistake, parse_file, printable
from kiosk.office import sample
from kiosk.texts import Texts, languages, sentences
from kiosk.wiring import advice, check_against

CONFIG = """
office = 3
colour = "red"
printer = []
[screen]
start_s = "5"
enabled = "yes"
[[screen.outputs]]
view = "bord"
[sync]
server = "http://may-chu.example"
heartbeat_s = 1.5
[buttons]
buses = "i2c"
[buttons.keyboard]
esc = "cancel"
a = "no \\u0007 line"
[buttons.counters.17]
happy = 4
"""
PINS = """
[screen]
outputs = []
[buttons.cancel]
pin = 2
[buttons.priority]
pin = 17
[buttons.language]
pin = 17
"""
OFFICE = """
format = 1
[[sessions]]
start = "early"
[[calendar]]
day = "Tet"
"""
SESSION = documents.plain(sample().sessions[0])
SERVICES = documents.plain(sample().services)
OFF = {"day": "2026-02-03", "kind": "off"}
LEVELS = [
    {"value": value, "text": face, "text_en": face, "face": face, "satisfied": face in ("happy", "neutral")}
    for value, face in enumerate(("very_unhappy", "unhappy", "neutral", "happy"))
]
UNFITTING_OFFICES: list[dict[str, Any]] = [
    {"unit": {"code": "12 345", "name": ""}, "hotlines": [{"name": "A", "number": "0234 x"}]},
    {"counters": [{"id": "1", "label": "1", "services": ["ho-tic"]}], "site": {"id": "Điểm 1", "name": " x"}},
    {"sessions": [{**SESSION, "end": "07:00"}], "services": SERVICES[:1] * 9, "look": {"colour": "red"}},
    {"sessions": [{**SESSION, "last_number": "12:00"}], "channels": [{"kind": "web", "name": "A", "url": "a"}]},
    {"sessions": [SESSION, {**SESSION, "id": "trua", "start": "11:00"}]},
    {
        "sessions": [{**SESSION, "weekdays": [0]}, {**SESSION, "id": "thu-7", "weekdays": [5]}],
        "calendar": [{"day": "2026-02-07", "kind": "work"}],
    },
    {"services": [{**SERVICES[0], "papers": ["A"] * 13, "valid_from": "2026-02-01", "valid_to": "2026-01-01"}]},
    {"services": [{**SERVICES[0], "digit": "a", "colour": "yellow"}, SERVICES[1]], "counters": []},
    {"clerks": [{"id": "a", "name": "A", "photo": "a/b.png"}], "texts": {"kiosk.titel": "A", "slip.qr": "{n}"}},
    {"counters": [{"id": "1", "label": "1", "services": ["ho-tich"]}]},
    {"calendar": [OFF, {**OFF, "reason": "Lễ", "sessions": ["sang"]}]},
    *(
        {"label_sets": [{"id": "smile", "name": "A", "levels": levels}]}
        for levels in (LEVELS[:1] * 2, [LEVELS[1], LEVELS[2]], [LEVELS[1], LEVELS[3] | {"value": 1}], LEVELS[3:])
    ),
    {"label_sets": [{"id": "smile", "name": "A", "levels": [LEVELS[0] | {"value": 9}, LEVELS[3]]}]},
]
UNFITTING = """
[screen]
touch = false
[buttons]
buses = []
priority = { pin = 3 }
cancel = { pin = 15 }
services = { dat-da = { pin = 7 } }
[buttons.keyboard]
q = "rate:1:very_happy"
w = "call:9"
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, name: str = "kiosk.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refused(read: Callable[[Path], Any], path: Path) -> list[Problem]:
    with pytest.raises(DocumentError) as caught:
        read(path)
    return list(caught.value.problems)


def one_of_each(written: Callable[..., Path]) -> list[Problem]:
    """A mistake of each kind that has a sentence."""
    many = "".join(f"[buttons.counters.{n}]\nhappy = 4\nneutral = 5\nunhappy = 6\n" for n in range(1, 10))
    config = load_config(written(UNFITTING, "unfitting.toml"))
    small = replace(sample(), counters=sample().counters[:1])
    found = refused(load_config, written(CONFIG)) + refused(load_config, written(PINS, "pins.toml"))
    found += refused(load_config, written('[printer]\nurl = "lpt1"', "printer.toml"))
    found += refused(load_config, written(many, "many.toml"))
    found += refused(load_config, written('[update]\nsource = "http://ban-moi.example/"', "update.toml"))
    found += refused(offices.load, written(OFFICE, "office.toml"))
    plain = documents.plain(sample())
    for number, change in enumerate(UNFITTING_OFFICES):
        content = json.dumps({**plain, **change}, ensure_ascii=False)
        found += refused(offices.load, written(content, f"office-{number}.json"))
    found += refused(parse_file, written('{"a": 1, "a": 2}', "d.json"))
    found += refused(parse_file, Path("none.toml")) + refused(parse_file, written("a = ", "a.toml"))
    found += refused(parse_file, written("[a\n", "e.toml"))
    found += refused(parse_file, written("xã".encode("utf-16"), "b.toml"))
    found += refused(parse_file, written(b"#" * (2 << 20), "c.toml"))
    found += refused(parse_file, written("a." * 40_000 + "b = 1", "f.toml"))
    days = [{"day": "2026-02-03", "kind": "half", "reason": "a|b"}]
    board = {"format": 1, "version": 1, "lines": [{"text": " a"}], "days": days}
    found += refused(BoardDocument.read, board)
    real = replace(sample(), unit=replace(sample().unit, code="12345"))
    found += revising.moved(real, replace(real, site=replace(real.site, id="phu")))
    found += revising.moved(real, replace(real, unit=replace(real.unit, code="99")))
    labels = real.label_sets[0]
    found += revising.remeant({labels.id: replace(labels, levels=labels.levels[:2])}, real)
    found.append(revising.missing_photo("clerks.1.photo", "a.jpg"))
    return [*found, *check_against(config, small), *advice(config, small), *advice(shipped(), small)]


def test_every_kind_of_mistake_has_its_sentence_and_the_english_one_is_that_of_the_log(written: Callable[..., Path]):
    found = one_of_each(written)
    assert {problem.key for problem in found} >= {
        key.partition(".")[2] for key in sentences("vi") if key.startswith("problem.")
    } - {"near", "no_access"}
    for problem in found:
        assert mistake(problem, Texts("en")) == printable(problem.message)


@pytest.mark.parametrize("text", [f"[{'a.' * 1500}b]\n" + "c = 1\n" * 3000, "x = { " + "a." * 3000 + "b = 1 }"])
def test_keys_of_thousands_of_parts_are_refused_before_anybody_works_on_them(written: Callable[..., Path], text: str):
    (problem,) = refused(parse_file, written(text))
    assert problem.key == "tangled"


def test_the_form_that_a_value_must_have_is_said_in_the_readers_language(written: Callable[..., Path]):
    forms = {str(form) for problem in one_of_each(written) if (form := problem.values.get("dang"))}
    assert {f"form.{form}" for form in forms} == {key for key in sentences("vi") if key.startswith("form.")}
    (problem,) = refused(offices.load, written(json.dumps(documents.plain(sample()) | {"look": {"colour": "red"}})))
    assert mistake(problem, Texts("vi")) == '"red" không dùng được, chỉ nhận để trống, hoặc #rrggbb.'


@pytest.mark.parametrize("language", languages())
def test_no_value_is_left_open(written: Callable[..., Path], language: str):
    for problem in one_of_each(written):
        if problem.key != "no_value":  # which names values as they are written, in braces
            assert "{" not in mistake(problem, Texts(language)), problem


def test_a_file_that_may_not_be_read_says_who_must_be_able_to(written: Callable[..., Path], monkeypatch: Any):
    def closed(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("kiosk.documents._content", closed)
    (problem,) = refused(parse_file, written(""))
    assert mistake(problem, Texts("vi")) == "không có quyền đọc tệp: cho người dùng kiosk đọc được tệp này"
    assert mistake(problem, Texts("en")) == problem.message


def test_check_says_in_the_office_s_language_what_is_wrong_in_kiosk_toml(
    written: Callable[..., Path], capsys: pytest.CaptureFixture[str]
):
    path = written("[printer]\npapr_mm = 58\n[sync]\nheartbeat_s = 1.5\n")
    assert main(["check", "--config", str(path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"LỖI   Cấu hình: {path}: [printer] papr_mm: không có mục này. Có phải là “paper_mm”?",
        f"LỖI   Cấu hình: {path}: [sync] heartbeat_s: 1.5 phải là số nguyên",
        "      → Sửa kiosk.toml theo lời báo trên; docs/configuration.md giải thích từng mục",
        "Còn 2 việc cần làm",
    ]
    written('language = "en"\n[printer]\npapr_mm = 58\n')
    assert main(["check", "--config", str(path)]) == 1
    assert 'unknown option. Did you mean "paper_mm"?' in capsys.readouterr().out


def test_check_says_what_to_do_about_an_office_document_and_a_language_file(
    written: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "lang").mkdir()
    (tmp_path / "lang" / "tay.toml").write_text("[kiosk\n")
    path = written('office = "none.toml"\n[screen]\nlang_dir = "lang"\n')
    assert main(["check", "--config", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    office = lines.index(f"LỖI   Đơn vị: {tmp_path}/none.toml: không tìm thấy tệp: kiểm tra tên và thư mục")
    assert lines[office + 1].startswith("      → Sửa tài liệu đơn vị")
    (language,) = [n for n, line in enumerate(lines) if f"{tmp_path}/lang/tay.toml: không đọc được: " in line]
    assert lines[language + 1].startswith("      → Sửa tệp ngôn ngữ")
