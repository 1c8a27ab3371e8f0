"""Figures of dossiers: entered by hand or from a file, kept with their event, shown with their time."""

import json
import os
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.__main__ import main
from kiosk.clock import Moment
from kiosk.documents import DocumentError
from kiosk.dossiers import COUNTS, MOST, Dossiers, read, read_csv, read_file
from kiosk.office import sample
from kiosk.present.board import CALLED_LINES, CALLED_LINES_ALONE, board_view
from kiosk.present.progress import progress_panel, report
from kiosk.present.words import TICKER_PAGE_S, Words
from kiosk.rating import Figure
from kiosk.store import Publication, Store
from kiosk.store.rebuild import from_events, from_tables
from kiosk.texts import Texts
from sync import outbox, wire
from tests.office import moment

GOLDEN = Path(__file__).parent / "golden" / "feed-dossiers.ndjson"
WORDS = Words(sample(), Texts("vi"))
FRIDAY = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
"""17:00 on Friday 20/11/2026 in Vietnam."""
FIGURES = Dossiers(FRIDAY, early=2530, on_time=165, late=0, in_time=409, overdue=3)
TEXTS = dict.fromkeys(COUNTS, "1") | {"as_of": "2026-11-20T17:00"}


def refused(call: Callable[[], object]) -> list[str]:
    """The lines of the error."""
    with pytest.raises(DocumentError) as caught:
        call()
    return str(caught.value).splitlines()


# --- reading -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file",
    [
        "Trước hạn;Đúng hạn;Đã giải quyết quá hạn;Trong hạn;Đang giải quyết quá hạn;Số liệu đến\n"
        "2.530;165;0;409;3;17:00 ngày 20/11/2026\n",
        "Đơn vị;Tổng số;Trước hạn;Đúng hạn;Quá hạn;Tổng số;Trong hạn;Quá hạn;Thời điểm\r\n"
        "xã Mẫu;2.695;2.530;165;0;412;409;3;20/11/2026 17:00\r\n",
        "as_of,overdue,in_time,late,on_time,early\n2026-11-20T17:00,3,409,0,165,2530\n",
        'sep=,\nAs of,Early,On time,Late,In time,Overdue\n2026-11-20 17:00,"2,530",165,0,409,3',
        "\n\ntruoc_han;dung_han;Giải quyết - quá hạn;trong_han;QUÁ HẠN;so lieu den\n"
        '" 2 530 ";165;0;409;3;2026-11-20T10:00Z\n;;;;;\n\n',
        '"Số hồ sơ đã giải quyết\ntrước hạn";Hồ sơ đúng hạn;Quá hạn;Trong hạn;Quá hạn;Số liệu đến:\n'
        "2530;165;0;409;3;17h00 20/11/2026",
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_file_as_offices_write_it_is_read(file: str, mark: str, form: str):
    data = (mark + unicodedata.normalize(form, file)).encode()  # type: ignore[arg-type]
    assert read_csv(data, "a.csv") == FIGURES


def test_the_time_may_stand_beside_the_file_but_not_in_both():
    file = b"early,on_time,late,in_time,overdue\n2530,165,0,409,3\n"
    assert read_csv(file, "a.csv", "17:00 20/11/2026") == FIGURES
    assert refused(lambda: read_csv(file, "a.csv")) == [
        "a.csv: column as_of or --as-of: is missing: from when the figures are, as 2026-11-20T17:00"
    ]
    both = b"as_of,early,on_time,late,in_time,overdue\n2026-11-20T17:00,2530,165,0,409,3\n"
    assert refused(lambda: read_csv(both, "a.csv", "2026-11-20T17:00")) == [
        'a.csv: column "as_of": stands in --as-of too: give it once'
    ]


def test_every_wrong_cell_of_a_file_is_named_at_once():
    file = "Trước hạn;Đúng hạn;Quá hạn;Trong hạn;Quá hạn;Số liệu đến\nx;;1,5;-3;12345678;20/11/2026\n".encode()
    lines = refused(lambda: read_csv(file, "a.csv"))
    assert lines == [
        'a.csv: column "Trước hạn": "x" must be a whole number from 0 to 9999999, as 1234 or 1.234',
        'a.csv: column "Đúng hạn": is missing: dossiers settled on their day (đã giải quyết đúng hạn)',
        'a.csv: column "Quá hạn": "1,5" must be a whole number from 0 to 9999999, as 1234 or 1.234',
        'a.csv: column "Trong hạn": "-3" must be a whole number from 0 to 9999999, as 1234 or 1.234',
        'a.csv: column "Quá hạn": "12345678" must be a whole number from 0 to 9999999, as 1234 or 1.234',
        'a.csv: column "Số liệu đến": "20/11/2026" is no day with its hour: '
        "write it as 2026-11-20T17:00 or 17:00 20/11/2026",
    ]


def test_a_column_that_may_be_either_and_one_that_is_there_twice_are_asked_about():
    file = "Trước hạn,early,Đúng hạn,Quá hạn,Trong hạn,as_of\n1,1,1,1,1,2026-11-20T17:00\n".encode()
    lines = refused(lambda: read_csv(file, "a.csv"))
    assert "“Đã giải quyết quá hạn” or “Đang giải quyết quá hạn”? Name it so" in lines[0]
    assert lines[1].startswith('a.csv: columns "Trước hạn" and "early": are both settled before their day')
    assert [line.split(":")[1] for line in lines[2:]] == [" column late", " column overdue"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "holds 0 rows"),
        (b";;\n", "holds 0 rows"),
        (b"early,late\n", "holds 0 rows"),
        (b"early,late\n1,2\n3,4\n", "holds 2 rows"),
        ("Trước hạn\n1\n".encode("utf-16"), "is not UTF-8"),
        ("Trước hạn\n1\n".encode("cp1258", "replace"), "is not UTF-8"),
        (b'early,late\n"1,2\n', "is no CSV file"),
        (b"\x00" * 100, "a.csv"),
        (b"PK\x03\x04" + bytes(range(128)), "a.csv"),
        (("e" + "\u0301\u0323" * 16000).encode(), "more than 30 marks on one letter"),
        (("early\n1" + "\u0301" * 31).encode(), "more than 30 marks on one letter"),
        (b"early," * 10900 + b"\n1", "more than 100 columns"),
        (b"early\n" + b"1" * 201, "a cell of more than 200 letters"),
        (b"early" + b" " * 60000 + b"\n1", "a cell of more than 200 letters"),
    ],
)
def test_what_is_no_such_file_is_said(data: bytes, says: str):
    assert says in refused(lambda: read_csv(data, "a.csv"))[0]


def test_a_folder_a_pipe_a_long_file_and_no_file_are_refused_without_waiting(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "long.csv").write_bytes(b"early\n" + b"1" * 10**6)
    for name, says in (("", "is no file"), ("pipe", "is no file"), ("no.csv", "is no file"), ("long.csv", "is larger")):
        assert says in refused(lambda name=name: read_file(tmp_path / name))[0]  # type: ignore[misc]


@given(st.integers(0, MOST))
def test_a_figure_is_read_as_either_language_writes_it(n: int):
    for language in ("vi", "en"):
        written = Texts(language).number(n)
        assert read({**TEXTS, "late": written}, str).late == n


@pytest.mark.parametrize(
    "text", ["1.23", "12.34", "1.234,5", "1.234,567", "٣", "1e3", "+5", "0x1", "1.234.567.890", "9" * 5000]
)
def test_what_is_no_whole_number_is_refused(text: str):
    assert len(refused(lambda: read({**TEXTS, "late": text}, str))) == 1


@pytest.mark.parametrize(
    "text",
    [
        *("20/11/2026", "2026-11-20", "17:00", "31/02/2026 17:00", "11/20/2026 17:00", "2026-11-20T25:00", "hôm qua"),
        *("20/11/26 17:00", "0001-01-01T00:00", "9999-12-31T23:59"),
    ],
)
def test_a_time_without_its_hour_or_that_is_in_no_calendar_is_refused(text: str):
    assert refused(lambda: read({**TEXTS, "as_of": text}, str))[0].startswith("as_of: ")


# --- keeping -----------------------------------------------------------------------------------------------------


def test_the_next_figures_take_the_place_of_the_ones_before_and_the_events_tell_all_of_them(store: Store):
    assert store.dossiers.current() is None
    store.dossiers.set(moment(0), replace(FIGURES, early=1))
    store.dossiers.set(moment(1), FIGURES)
    assert store.dossiers.current() == FIGURES
    assert from_events(store.database.conn).dossiers == FIGURES
    assert store.dossiers.clear(moment(2))
    assert not store.dossiers.clear(moment(3)), "there is nothing any more"
    assert store.dossiers.current() is None
    conn = store.database.conn
    assert from_events(conn) == from_tables(conn)
    kinds = [event.type for event in outbox.events(conn) if event.type.startswith("dossiers.")]
    assert kinds == ["dossiers.set", "dossiers.set", "dossiers.cleared"]


def test_figures_and_their_event_are_one_transaction(store: Store):
    store.dossiers.set(moment(0), FIGURES)
    store.database.conn.execute("CREATE TRIGGER no BEFORE INSERT ON events BEGIN SELECT raise(ABORT, 'no'); END")
    with pytest.raises(Exception, match="no"):
        store.dossiers.set(moment(1), replace(FIGURES, early=1))
    with pytest.raises(Exception, match="no"):
        store.dossiers.clear(moment(1))
    assert store.dossiers.current() == FIGURES


def test_the_events_are_the_golden_ones(store: Store):
    now = Moment(datetime(2026, 11, 23, 0, 42, 10, 123000, tzinfo=UTC), "ntp", True, "7f3a9c12", 8123456)
    store.dossiers.set(now, FIGURES)
    store.dossiers.clear(now)
    lines = GOLDEN.read_bytes().splitlines()
    events = [event for event in outbox.events(store.database.conn) if event.type.startswith("dossiers.")]
    ids = [json.loads(line)["id"] for line in lines]
    assert [wire.event_line(e.type, e.data, e.stamp, id, e.v) for e, id in zip(events, ids, strict=True)] == lines


def test_figures_from_a_time_to_come_are_refused_while_the_clock_is_believed(store: Store):
    ahead = replace(FIGURES, as_of=moment(60).at)
    with pytest.raises(ValueError, match=r"figures of 23/11/2026 07:31 cannot be known at 23/11/2026 07:30: say"):
        store.dossiers.set(moment(0), ahead)
    assert store.dossiers.current() is None
    store.dossiers.set(moment(60), ahead)
    store.dossiers.set(moment(0, trusted=False), replace(ahead, as_of=moment(3600).at))
    with pytest.raises(ValueError, match="cannot be known"):
        store.dossiers.set(moment(0, trusted=False), replace(ahead, as_of=moment(0, day=4000).at))


@pytest.mark.parametrize("n", [-1, MOST + 1])
def test_figures_that_cannot_be_are_refused(store: Store, n: int):
    with pytest.raises(ValueError, match="a number from 0 to 9999999"):
        store.dossiers.set(moment(0), replace(FIGURES, in_time=n))


# --- showing -----------------------------------------------------------------------------------------------------


def test_the_panel_says_the_words_of_the_form_with_shares_and_the_time():
    panel = progress_panel(WORDS, moment(0), replace(FIGURES, early=2430, late=100))
    assert (panel.title, panel.total, panel.percent) == ("HỒ SƠ ĐÃ GIẢI QUYẾT", "2.695", "96,3\u00a0%")
    assert [(row.label, row.text, row.tone) for row in panel.rows] == [
        ("Trước hạn", "2.430", "early"),
        ("Đúng hạn", "165", "on_time"),
        ("Quá hạn", "100", "late"),
    ]
    assert [round(row.share, 3) for row in panel.rows] == [0.902, 0.061, 0.037]
    assert panel.open_line == "Đang giải quyết: 412 (Trong hạn 409 · Quá hạn 3)"
    assert panel.asof == "Số liệu đến 17:00 ngày 20/11/2026"


@pytest.mark.parametrize(("late", "percent"), [(0, "100,0\u00a0%"), (1, "99,9\u00a0%"), (2695, "50,0\u00a0%")])
def test_only_all_in_good_time_are_a_hundred_per_cent(late: int, percent: str):
    assert progress_panel(WORDS, moment(0), replace(FIGURES, late=late)).percent == percent


def test_an_office_that_has_settled_nothing_yet_has_no_percentage():
    panel = progress_panel(WORDS, moment(0), replace(FIGURES, early=0, on_time=0))
    assert (panel.percent, panel.total, [row.share for row in panel.rows]) == ("", "0", [0, 0, 0])


def test_figures_turn_grey_when_they_are_older_than_the_rule_unless_nobody_vouches_for_the_clock():
    limit = moment(0)
    old = replace(FIGURES, as_of=limit.at - timedelta(hours=72))
    assert not progress_panel(WORDS, limit, old).stale
    assert progress_panel(WORDS, moment(1), old).stale
    assert not progress_panel(WORDS, moment(1, trusted=False), old).stale
    rules = replace(sample().rules, dossiers_stale_h=73)
    assert not progress_panel(replace(WORDS, office=replace(sample(), rules=rules)), moment(1), old).stale


def test_figures_that_a_guessed_clock_let_in_turn_grey_when_the_true_time_is_before_them(store: Store):
    ahead = replace(FIGURES, as_of=moment(0).at + timedelta(days=700))
    store.dossiers.set(moment(0, trusted=False), ahead)
    assert not progress_panel(WORDS, moment(0, trusted=False), ahead).stale
    assert report(WORDS, moment(0, trusted=False), ahead)[1].startswith("Chưa ai xác nhận giờ này: ")
    assert progress_panel(WORDS, moment(0), ahead).stale
    assert report(WORDS, moment(0), ahead)[1].startswith("Số liệu ghi thời điểm chưa tới: ")
    put_right_by_minutes = replace(FIGURES, as_of=moment(0).at + timedelta(minutes=60))
    assert not progress_panel(WORDS, moment(0), put_right_by_minutes).stale
    assert len(report(WORDS, moment(0), put_right_by_minutes)) == 1


def test_the_board_shows_the_figures_in_force_and_gives_them_room(store: Store):
    for n in range(6):
        store.issuing.issue(moment(n), "ho-tich")
        store.counters.call_next(moment(n + 0.5), "1")
    before = board_view(WORDS, moment(10), store.board(moment(10)), None)
    assert (before.progress, len(before.called)) == (None, 6)
    assert CALLED_LINES < 6 < CALLED_LINES_ALONE
    store.dossiers.set(moment(10), FIGURES)
    view = board_view(WORDS, moment(11), store.board(moment(11)), None)
    assert view.progress is not None
    assert (view.progress.total, len(view.called)) == ("2.695", CALLED_LINES)


def test_a_board_full_of_counters_says_the_figures_and_their_time_in_its_ticker(store: Store):
    desks = tuple(replace(WORDS.office.counters[0], id=str(n), label=str(n)) for n in range(1, 13))
    words = replace(WORDS, office=replace(WORDS.office, counters=desks, hotlines=(), slogans=()))
    store.dossiers.set(moment(0), FIGURES)
    published = Publication("2026-11", "2026-11-23", "sang", {"smile": Figure("smile", 46, 50, 118, {3: 46})}, {})
    facts = store.board(moment(0))
    pages = {board_view(words, moment(n * TICKER_PAGE_S), facts, published).ticker for n in range(2)}
    assert pages == {
        "HỒ SƠ ĐÃ GIẢI QUYẾT: 2.695 (Trước hạn 2.530 · Đúng hạn 165 · Quá hạn 0); "
        "ĐANG GIẢI QUYẾT: 412 (Trong hạn 409 · Quá hạn 3). Số liệu đến 17:00 ngày 20/11/2026",
        "Tỷ lệ hài lòng tháng 11: 92 % (46/50 lượt đánh giá; 42,4 % lượt giao dịch có đánh giá)",
    }


# --- the command -------------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path) -> list[str]:
    file = tmp_path / "kiosk.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n')
    return ["--config", str(file)]


HAND = ["--early", "2530", "--on-time", "165", "--late", "0", "--in-time", "409", "--overdue", "3"]
SAID = (
    "HỒ SƠ ĐÃ GIẢI QUYẾT: 2.695 (Trước hạn 2.530 · Đúng hạn 165 · Quá hạn 0); ĐANG GIẢI QUYẾT: 412 "
    "(Trong hạn 409 · Quá hạn 3). Số liệu đến 17:00 ngày 20/11/2025\n"
)


def test_figures_are_entered_by_hand_printed_and_taken_back(config: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["dossiers", *config]) == 0
    assert capsys.readouterr().out.startswith("Chưa có số liệu hồ sơ")
    assert main(["dossiers", "--as-of", "2025-11-20T17:00", *HAND, *config]) == 0
    assert capsys.readouterr().out.startswith(SAID)
    assert main(["dossiers", *config]) == 0
    assert capsys.readouterr().out.startswith(SAID)
    assert main(["dossiers", "--clear", *config]) == 0
    assert capsys.readouterr().out.startswith("Chưa có số liệu hồ sơ")


def test_figures_come_from_a_file(config: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "bieu-06.csv"
    file.write_text("Trước hạn;Đúng hạn;Quá hạn;Trong hạn;Quá hạn\n2.530;165;0;409;3\n", "utf-8-sig")
    assert main(["dossiers", str(file), "--as-of", "17:00 20/11/2025", *config]) == 0
    assert capsys.readouterr().out.startswith(SAID)


def test_a_language_file_that_is_wrong_is_said_once(
    config: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "lang").mkdir()
    (tmp_path / "lang" / "km.toml").write_text("no TOML")
    with Path(config[1]).open("a") as file:
        file.write('[screen]\nlang_dir = "lang"\n')
    assert main(["dossiers", *config]) == 0
    assert capsys.readouterr().err.count("km.toml") == 1


def test_what_is_missing_or_wrong_on_the_command_line_is_named_at_once_and_changes_nothing(
    config: list[str], capsys: pytest.CaptureFixture[str]
):
    assert main(["dossiers", "--early", "-5", "--late", "1", "--in-time", "2", *config]) == 1
    assert capsys.readouterr().err.splitlines() == [
        'kiosk: --early: "-5" must be a whole number from 0 to 9999999, as 1234 or 1.234',
        "--on-time: is missing: dossiers settled on their day (đã giải quyết đúng hạn)",
        "--overdue: is missing: dossiers open and past their day (đang giải quyết quá hạn)",
        "--as-of: is missing: from when the figures are, as 2026-11-20T17:00",
    ]
    assert main(["dossiers", "--as-of", "2025-11-20T17:00", *config]) == 1
    for mixed in (
        ["--clear", "--early", "1"],
        ["--clear", "--as-of", "x"],
        ["a.csv", "--late", "0"],
        ["a.csv", "--clear"],
    ):
        assert main(["dossiers", *mixed, *config]) == 1
        assert "Chỉ nêu một trong ba" in capsys.readouterr().err
    assert main(["dossiers", *config]) == 0
    assert capsys.readouterr().out.startswith("Chưa có số liệu hồ sơ")


def test_a_row_with_more_cells_than_names_is_refused_for_its_figures_would_be_shifted():
    with pytest.raises(DocumentError, match="more cells than names of columns"):
        read_csv(b"early,on_time,late,in_time,overdue\n1,234,2,3,4,5\n", "a.csv", "2026-11-20T17:00")
    quoted = read_csv(b'early,on_time,late,in_time,overdue\n"1,234",2,3,4,5,\n', "a.csv", "2026-11-20T17:00")
    assert (quoted.early, quoted.overdue) == (1234, 5)
