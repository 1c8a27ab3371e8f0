"""The words of comments come after their events, once, from their own kiosk, and go when they are old."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from kiosk.store.comments import COMMENT_DAYS as KEPT_ON_THE_KIOSK
from kiosk.store.comments import delete_old_comments
from kiosk.texts import LOCAL
from server import clock
from server.facts import projector, texts
from server.facts.models import Comment, Cursor
from server.feed.models import Event
from server.publication import comments
from server.registry.models import Device
from sync import beside, wire
from sync.beside import Message, Text, text_hash
from tests.server.kiosk_kit import Kiosk
from tests.server.kit import NOW, TOKEN, Server, batch_of

EPOCH = "0000000112345678"
TODAY = NOW.astimezone(LOCAL).date()


def given(id: str, text: str, day: str = str(TODAY), salt: str = "5a17") -> bytes:
    data = {"comment": id, "ticket": "", "counter": "1", "clerk": "", "rating": "", "day": day}
    stamp = wire.Stamp(NOW, "ntp", "7f3a9c12", 1)
    return wire.event_line("comment.given", {**data, "sha256": text_hash(salt, text)}, stamp)


def words(*pairs: tuple[str, str], after: int = 0, device: str = "k-7F3K2M") -> Message:
    return Message(device, after, [Text(after + n, id, "5a17", text) for n, (id, text) in enumerate(pairs, 1)])


def told(server: Server, *lines: bytes, fold: bool = True) -> None:
    assert server.push(batch_of([], lines, "k-7F3K2M", EPOCH)).status_code == 200
    if fold:
        server.settle()


def post(server: Server, message: Message, token: str = TOKEN) -> Any:
    return server.client.post(
        "/api/v1/comments",
        beside.encode(message),
        content_type=wire.CONTENT_TYPE,
        headers={"Authorization": f"Bearer {token}"},
    )


def kept() -> dict[str, str | None]:
    return dict(Comment.objects.values_list("id", "text"))


def test_words_are_kept_with_the_comment_of_their_event(server: Server):
    told(server, given("a", "Chờ lâu quá"), given("b", "Cô làm nhanh\0"))
    taken = texts.take(server.device, words(("a", "Chờ lâu quá"), ("b", "Cô làm nhanh\0")), NOW)
    assert taken == (2, False, [])
    assert kept() == {"a": "Chờ lâu quá", "b": "Cô làm nhanh"}
    assert texts.take(server.device, words(("a", "Chờ lâu quá"), ("b", "Cô làm nhanh\0")), NOW) == taken


def test_words_that_come_before_their_event_are_asked_for_again(server: Server):
    told(server, given("a", "một"), given("b", "hai"), given("c", "ba"))
    told_more = batch_of(
        [bytes(line) for line in Event.objects.order_by("num").values_list("line", flat=True)],
        [given("d", "bốn")], "k-7F3K2M", EPOCH,
    )  # fmt: skip
    server.push(told_more)
    message = words(("a", "một"), ("d", "bốn"), ("c", "ba"))
    assert texts.take(server.device, message, NOW) == (1, True, [])
    assert kept() == {"a": "một", "b": None, "c": "ba"}
    projector.project(NOW)
    assert texts.take(server.device, message, NOW) == (3, False, [])
    assert kept()["d"] == "bốn"


def test_words_whose_event_is_not_here_are_asked_for_again_and_hold_up_no_others(lite: Server):
    told(lite, given("a", "một"))
    assert texts.take(lite.device, words(("nobody", "x"), ("a", "một"), after=5), NOW) == (5, True, [])
    assert kept() == {"a": "một"}


def test_nobody_waits_for_words_whose_event_is_in_quarantine(lite: Server):
    strange = given("b", "hai").replace(b'"sha256":"', b'"sha":"')
    told(lite, given("a", "một"), strange)
    assert texts.take(lite.device, words(("b", "hai"), ("a", "một")), NOW) == (2, False, [])
    assert kept() == {"a": "một"}


def test_words_that_are_not_those_of_the_event_are_refused(lite: Server):
    told(lite, given("a", "Cô làm chậm"))
    assert texts.take(lite.device, words(("a", "Cô làm nhanh")), NOW) == (1, False, ["a"])
    assert kept() == {"a": None}


def test_a_kiosk_cannot_bring_words_for_the_comments_of_another(lite: Server):
    other = lite.enrol("k-OTHER1", "another-token")
    told(lite, given("a", "một"))
    assert texts.take(other, words(("a", "một"), device="k-OTHER1"), NOW).later
    assert kept() == {"a": None}


def test_words_are_deleted_after_ninety_days_and_never_come_back(server: Server):
    told(server, given("a", "một"))
    texts.take(server.device, words(("a", "một")), NOW)
    assert comments.forget_old(NOW + timedelta(days=90)) == 0
    assert comments.forget_old(NOW + timedelta(days=91)) == 1
    assert kept() == {"a": None}
    for later in (0, 92):
        texts.take(server.device, words(("a", "một")), NOW + timedelta(days=later))
        assert kept() == {"a": None}
    projector.rebuild(Device.objects.get(), NOW)
    assert kept() == {"a": None}


def test_words_that_come_too_late_are_not_kept_at_all(lite: Server):
    Cursor.objects.update(seen=NOW)
    told(lite, given("a", "một", day=str(TODAY - timedelta(days=91))), given("b", "hai", day=str(TODAY)))
    assert texts.take(lite.device, words(("a", "một"), ("b", "hai")), NOW) == (2, False, [])
    assert kept() == {"a": None, "b": "hai"}


def test_words_that_somebody_handles_stay_until_it_is_said_how(lite: Server):
    told(lite, given("a", "một"))
    texts.take(lite.device, words(("a", "một")), NOW)
    Comment.objects.update(kept_by="Nguyễn Văn A")
    assert comments.forget_old(NOW + timedelta(days=200)) == 0
    Comment.objects.update(result="Đã sửa ghế")
    assert comments.forget_old(NOW + timedelta(days=200)) == 1


def test_words_are_kept_while_nobody_believes_the_clock(lite: Server):
    told(lite, given("a", "một"))
    texts.take(lite.device, words(("a", "một")), NOW + timedelta(days=4 * 365))
    assert kept() == {"a": "một"}


def test_deleted_words_are_not_in_the_file_any_more(filed: Server):
    told(filed, given("a", "Câu này sẽ bị xóa"))
    texts.take(filed.device, words(("a", "Câu này sẽ bị xóa")), NOW)
    comments.forget_old(NOW + timedelta(days=91))
    connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert "Câu này sẽ bị xóa".encode() not in (filed.folder / "server.db").read_bytes()


def test_both_ends_keep_words_equally_long():
    assert texts.COMMENT_DAYS == KEPT_ON_THE_KIOSK


@pytest.mark.parametrize(
    ("status", "code", "body"),
    [
        (400, "bad_batch", b"{}\n"),
        (413, "too_large", b" " * (beside.MAX_BODY + 1)),
        (403, "device", beside.encode(words(device="k-OTHER1"))),
    ],
)
def test_what_is_no_message_of_this_kiosk_gets_a_clear_answer(lite: Server, status: int, code: str, body: bytes):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = lite.client.post("/api/v1/comments", body, content_type=wire.CONTENT_TYPE, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("odd", [Text(1, "a\0", "5a17", "x"), Text(1, "a", "5a17\0", "x")])
def test_the_letter_nul_beside_the_words_gets_a_clear_answer(server: Server, odd: Text):
    told(server, given("a", "x"))
    answer = post(server, Message("k-7F3K2M", 0, [odd]))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_batch")


def test_words_need_a_token(lite: Server):
    assert post(lite, words(), token="wrong").status_code == 401


# --- the real upload ------------------------------------------------------------------------------------------


def test_the_upload_brings_the_words_when_the_server_has_the_event(lite: Server, tmp_path: Path):
    kiosk = Kiosk(tmp_path / "kiosk")
    ids = {kiosk.comment(text): text for text in ("Chờ lâu quá", "Cô làm nhanh")}
    with lite.serving() as url:
        kiosk.configure(url)
        assert kiosk.push().state == "ok"
        assert kept() == {}
        lite.settle(clock.now())
        assert kept() == dict.fromkeys(ids)
        kiosk.push()
        assert kept() == ids
        ids[kiosk.comment("Ghế hỏng")] = "Ghế hỏng"
        kiosk.push()
        lite.settle(clock.now())
        kiosk.push()
        assert kept() == ids
    kiosk.close()


def test_more_words_than_a_message_holds_come_at_once(lite: Server, tmp_path: Path):
    kiosk = Kiosk(tmp_path / "kiosk")
    ids = [kiosk.comment(f"Ý kiến {n}") for n in range(beside.MAX_TEXTS + 3)]
    with lite.serving() as url:
        kiosk.configure(url)
        kiosk.push()
        lite.settle(clock.now())
        kiosk.push()
    assert all(kept()[id] for id in ids)
    kiosk.close()


def test_one_comment_without_an_event_holds_up_no_others(lite: Server, tmp_path: Path):
    kiosk = Kiosk(tmp_path / "kiosk")
    ids = [kiosk.comment(f"Ý kiến {n}") for n in range(beside.MAX_TEXTS + 3)]
    with kiosk.database.writing(kiosk.now()) as w:
        w.conn.execute("UPDATE comments SET id = 'nobody' WHERE n = 2")
    with lite.serving() as url:
        kiosk.configure(url)
        kiosk.push()
        lite.settle(clock.now())
        kiosk.push()
    assert [id for id in ids if not kept()[id]] == [ids[1]]
    kiosk.close()


def test_a_server_that_lost_its_database_gets_all_words_again(lite: Server, tmp_path: Path):
    kiosk = Kiosk(tmp_path / "kiosk")
    id = kiosk.comment("Chờ lâu quá")
    with lite.serving() as url:
        kiosk.configure(url)
        kiosk.push()
        lite.settle(clock.now())
        kiosk.push()
        assert kept() == {id: "Chờ lâu quá"}
        for table in ("feed_event", "feed_head", "facts_comment"):
            connection.cursor().execute(f"DELETE FROM {table}")
        connection.cursor().execute("UPDATE feed_counter SET num = 0")
        connection.cursor().execute("UPDATE facts_cursor SET num = 0")
        kiosk.push()
        lite.settle(clock.now())
        kiosk.push()
        assert kept() == {id: "Chờ lâu quá"}
    kiosk.close()


def test_words_that_the_kiosk_deleted_never_leave_it_and_the_next_ones_do(lite: Server, tmp_path: Path):
    """The first comment gets number 1; when it is deleted, the next one gets number 1 again."""
    kiosk = Kiosk(tmp_path / "kiosk")
    old = str(kiosk.now().day - timedelta(days=KEPT_ON_THE_KIOSK + 1))
    Cursor.objects.update(seen=clock.now())
    with lite.serving() as url:
        kiosk.configure(url)
        gone = [kiosk.comment("Chuyện cũ", day=old), kiosk.comment("Chuyện cũ nữa", day=old)]
        kiosk.push()
        lite.settle(clock.now())
        kiosk.push()
        _delete_old(kiosk)
        new = kiosk.comment("Chuyện mới")
        kiosk.push()
        lite.settle(clock.now())
        kiosk.push()
    assert kept() == {gone[0]: None, gone[1]: None, new: "Chuyện mới"}
    kiosk.close()


def _delete_old(kiosk: Kiosk) -> None:
    from dataclasses import replace

    with kiosk.database.writing(replace(kiosk.now(), trusted=True)) as w:
        assert delete_old_comments(w) == 2
