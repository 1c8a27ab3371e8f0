"""The board document: what it may hold, and that its schema and its reader say the same."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from kiosk.board_document import TICKER_LETTERS, TICKER_LINES, BoardDocument, Figures
from kiosk.documents import DocumentError

HERE = Path(__file__).parent
GOLDEN = (HERE / "golden" / "feed-board.json").read_text()
SCHEMA = json.loads((HERE.parent / "docs" / "board.schema.json").read_text())
FIGURES = json.loads(GOLDEN)["dossiers"]
GOOD: list[dict[str, Any]] = [
    {"format": 1, "version": 1},
    json.loads(GOLDEN),
    {"format": 1, "version": 10**9, "lines": [{"text": "x" * TICKER_LETTERS}] * TICKER_LINES},
    {"format": 1, "version": 2, "days": [{"day": "2026-12-24", "kind": "off", "reason": "Nghỉ"}]},
]
BAD: list[dict[str, Any]] = [
    {},
    {"format": 2, "version": 1},
    {"format": 1, "version": 0},
    {"format": 1, "version": 1, "more": True},
    {"format": 1, "version": 1, "dossiers": {**FIGURES, "as_of": "20/11/2026"}},
    {"format": 1, "version": 1, "dossiers": {**FIGURES, "late": -1}},
    {"format": 1, "version": 1, "dossiers": {"late": 1}},
    {"format": 1, "version": 1, "lines": [{"text": ""}]},
    {"format": 1, "version": 1, "lines": [{"text": " x"}]},
    {"format": 1, "version": 1, "lines": [{"text": "x" * (TICKER_LETTERS + 1)}]},
    {"format": 1, "version": 1, "lines": [{"text": "x"}] * (TICKER_LINES + 1)},
    {"format": 1, "version": 1, "lines": [{"text": "x", "until": "mai"}]},
    {"format": 1, "version": 1, "days": [{"day": "2026-12-24", "kind": "closed"}]},
    {"format": 1, "version": 1, "days": [{"day": "2026-12-24", "kind": "half", "reason": "a|b"}]},
]


@pytest.mark.parametrize("plain", GOOD)
def test_a_document_that_the_schema_knows_is_read_and_comes_out_as_it_went_in(plain: dict[str, Any]):
    jsonschema_rs.validate(SCHEMA, plain)
    document = BoardDocument.read(plain)
    written = json.loads(document.to_json())
    assert {name: value for name, value in written.items() if value} == {k: v for k, v in plain.items() if v}
    assert BoardDocument.from_json(document.to_json()) == document


@pytest.mark.parametrize("plain", BAD)
def test_what_the_schema_refuses_the_reader_refuses_too(plain: dict[str, Any]):
    assert not jsonschema_rs.is_valid(SCHEMA, plain)
    with pytest.raises(DocumentError):
        BoardDocument.read(plain)


def test_what_no_schema_can_say_is_refused_with_its_place():
    off = {"day": "2026-12-24", "kind": "off"}
    with pytest.raises(DocumentError) as caught:
        BoardDocument.read({"format": 1, "version": 1, "days": [off, {**off, "reason": "Nghỉ"}]})
    assert [(one.path, one.key) for one in caught.value.problems] == [
        ("days.1.reason", "off_reason"),
        ("days.2.day", "twin"),
    ]
    with pytest.raises(DocumentError):
        BoardDocument.read({"format": 1, "version": 1, "dossiers": {**FIGURES, "as_of": "2026-02-30T10:00:00.000Z"}})


def test_texts_in_pieces_are_put_together():
    document = BoardDocument.from_json(
        '{"format":1,"version":1,"lines":[{"text":"Nghi\u0309 le\u0302\u0303"}]}'.encode()
    )
    assert document.lines[0].text == "Nghỉ lễ"


def test_the_figures_are_those_of_the_board():
    figures = BoardDocument.from_json(GOLDEN.encode()).dossiers
    assert figures and Figures.of(figures.as_dossiers()) == figures


def test_the_docs_show_the_example():
    assert f"```json\n{GOLDEN}```" in (HERE.parent / "docs" / "feed.md").read_text()
