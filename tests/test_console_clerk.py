"""The clerk's page over a real socket: sign-in, moves, what a page that is behind may do, and the stream."""

import threading
from itertools import pairwise

import pytest

from kiosk import pins
from kiosk.console import access, live
from tests.console_kit import CLERKS, LEADER, PIN, Browser, Hall


def open_ticket(hall: Hall, counter: str = "1") -> str:
    return hall.store.counters.counter(counter).ticket


def test_a_clerk_signs_in_calls_and_finishes_and_every_event_names_the_clerk(hall: Hall):
    hall.take()
    clerk = hall.clerk("1")
    assert clerk.post("/desk/next", ticket="") == {"ok": True, "say": "Đã gọi số 1001", "go": None}
    assert clerk.post("/desk/finish", ticket=open_ticket(hall))["say"] == "Hoàn tất số 1001"
    assert [event["actor"] for event in hall.events("ticket.%")[1:]] == [CLERKS["1"]] * 2
    assert [event["actor"] for event in hall.events("counter.opened")] == [CLERKS["1"]]


def test_nobody_gets_in_without_the_right_pin_and_three_wrong_ones_cost_time(hall: Hall):
    browser = hall.browser()
    for _ in range(3):
        wrong = browser.post_page("/sign-in", person=CLERKS["1"], counter="1", pin="9999")
        assert wrong.status_code == 403
        assert "Tên hoặc mã PIN không đúng" in wrong.text
    late = browser.post_page("/sign-in", person=CLERKS["1"], counter="1", pin=PIN)
    assert "Xin chờ 5 giây" in late.text
    hall.clock.seconds += 6
    assert browser.post_page("/sign-in", person=CLERKS["1"], counter="1", pin=PIN).status_code == 303


def test_unknown_people_are_answered_like_wrong_pins(hall: Hall):
    answer = hall.browser().post_page("/sign-in", person="nobody", counter="1", pin="9999")
    assert answer.status_code == 403
    assert "Tên hoặc mã PIN không đúng" in answer.text


def test_guesses_at_names_that_nobody_has_cost_neither_time_nor_room(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    looked_at: list[str] = []
    matches = pins.matches
    monkeypatch.setattr(pins, "matches", lambda pin, stored: looked_at.append(pin) or matches(pin, stored))
    for n in range(5):
        hall.browser().post_page("/sign-in", person=f"{n}" * 1500, counter="", pin="9999")
    assert not looked_at
    assert not hall.store.database.rows("SELECT * FROM wrong_pins")


def test_fifty_guesses_at_once_are_three_guesses(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    looked_at: list[str] = []
    monkeypatch.setattr(pins, "matches", lambda pin, stored: bool(looked_at.append(pin)))
    guesses = [
        threading.Thread(
            target=hall.browser().post_page, args=("/sign-in",), kwargs={"person": LEADER, "counter": "", "pin": f"{n}"}
        )
        for n in range(1000, 1050)
    ]
    for guess in guesses:
        guess.start()
    for guess in guesses:
        guess.join()
    assert len(looked_at) == 3


def test_a_page_that_is_behind_changes_nothing_and_says_what_happened(hall: Hall):
    hall.take()
    hall.take()
    clerk, other_tab = hall.clerk("1"), hall.browser(CLERKS["1"], "1")
    clerk.post("/desk/next", ticket="")
    shown = open_ticket(hall)
    other_tab.post("/desk/finish", ticket=shown)
    before = len(hall.events())
    late = clerk.post("/desk/finish", ticket=shown)
    assert late == {
        "ok": False,
        "say": "Số 1001 đã “hoàn tất”. Chưa thay đổi gì, trang đã được cập nhật",
        "go": None,
    }
    assert len(hall.events()) == before


def test_a_double_click_on_next_calls_one_number(hall: Hall):
    hall.take()
    hall.take()
    clerk = hall.clerk("1")
    first, second = clerk.post("/desk/next", ticket=""), clerk.post("/desk/next", ticket="")
    assert first["ok"]
    assert second["say"] == "Quầy vừa gọi số 1001. Chưa thay đổi gì, trang đã được cập nhật"


def test_two_clerks_who_press_next_together_never_get_the_same_number(hall: Hall):
    for _ in range(6):
        hall.take("chung-thuc")
    clerks = [hall.clerk("1"), hall.clerk("4")]
    tokens = [clerk.csrf("/desk") for clerk in clerks]
    together = threading.Barrier(2)
    said: list[str] = []

    def press(clerk: Browser, csrf: str, counter: str) -> None:
        for _ in range(3):
            together.wait()
            said.append(clerk.post("/desk/next", csrf=csrf, ticket=open_ticket_of(counter))["say"])

    def open_ticket_of(counter: str) -> str:
        return hall_store_counter(hall, counter)

    threads = [threading.Thread(target=press, args=args) for args in zip(clerks, tokens, ("1", "4"), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [f"Đã gọi số 200{n}" for n in range(1, 7)]


def hall_store_counter(hall: Hall, counter: str) -> str:
    """Read by a connection of the asking thread."""
    from contextlib import closing

    from kiosk.store.database import connect

    with closing(connect(hall.folder / "kiosk.db")) as conn:
        row = conn.execute("SELECT ticket FROM counters WHERE id = ?", (counter,)).fetchone()
        return str(row["ticket"]) if row else ""


def test_a_move_can_be_taken_back_for_five_seconds(hall: Hall):
    hall.take()
    clerk = hall.clerk("1")
    clerk.post("/desk/next", ticket="")
    assert clerk.post("/desk/undo", ticket=open_ticket(hall))["say"] == "Đã hoàn tác"
    assert open_ticket(hall) == ""
    clerk.post("/desk/next", ticket="")
    hall.clock.seconds += 6
    assert clerk.post("/desk/undo", ticket=open_ticket(hall))["say"] == "Đã quá thời gian hoàn tác"


def test_a_held_number_keeps_its_reason_and_comes_back(hall: Hall):
    hall.take()
    clerk = hall.clerk("1")
    clerk.post("/desk/next", ticket="")
    held = open_ticket(hall)
    assert clerk.post("/desk/hold", ticket=held, reason="Thiếu giấy tờ")["say"] == "Tạm giữ số 1001"
    assert "Thiếu giấy tờ" in clerk.get("/desk").text
    assert clerk.post(f"/desk/chosen/{held}")["say"] == "Số 1001 chờ lại"


def test_a_form_without_the_pages_token_or_from_elsewhere_does_nothing(hall: Hall):
    hall.take()
    clerk = hall.clerk("1")
    assert not clerk.post("/desk/next", csrf="wrong", ticket="")["ok"]
    csrf = clerk.csrf("/desk")
    clerk.headers["Origin"] = "http://elsewhere.example"
    assert clerk.post("/desk/next", csrf=csrf, ticket="")["say"].startswith("Trang này đã cũ")
    assert hall.events("ticket.called") == []


def test_an_ended_sign_in_is_said_and_leads_to_the_sign_in_page(hall: Hall):
    clerk = hall.clerk("1")
    csrf = clerk.csrf("/desk")
    hall.clock.seconds += 12 * 3600
    assert clerk.post("/desk/next", csrf=csrf, ticket="")["go"] == "/sign-in"
    assert clerk.get("/desk").headers["location"] == "/sign-in"


def test_a_clerk_sits_at_one_counter_and_a_counter_has_one_clerk(hall: Hall):
    first = hall.clerk("1")
    second = hall.browser(CLERKS["1"], "2")
    assert first.get("/desk").status_code == 303
    hall.browser(CLERKS["2"], "2")
    assert second.get("/desk").status_code == 303
    assert hall.store.counters.counter("2").clerk == CLERKS["2"]
    assert hall.store.counters.counter("1").state == "closed"


def test_a_counter_with_an_open_number_is_not_taken_by_another_clerk(hall: Hall):
    hall.take()
    hall.clerk("1").post("/desk/next", ticket="")
    refused = hall.browser().post_page("/sign-in", person=CLERKS["2"], counter="1", pin=PIN)
    assert "Quầy 1 đang có người phục vụ dở một số" in refused.text


def test_the_page_follows_what_others_do_and_goes_on_after_the_console_came_back(hall: Hall):
    clerk = hall.clerk("1")
    with clerk.stream("/desk/live") as events:
        assert next(events)[0] == "version"
        number = hall.take()
        assert any(kind == "fragment" and number in data for kind, data in _some(events, 20))
    hall.restart()
    assert number in clerk.fragment("/desk/live", "line", number)


def test_what_another_process_writes_is_shown_though_nobody_asks_the_database(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(access, "HOUSE_S", 600.0)
    monkeypatch.setattr(live, "BEAT_S", 0.2)
    hall.restart()
    clerk = hall.clerk("1")
    with clerk.stream("/desk/live") as events:
        beats = pairwise(event for event in events if event[0] == "beat")
        assert any(one == next_one for one, next_one in beats)  # the page knows of the sign-in
        number = hall.take()
        assert any(number in data for _, data in _some(events, 20))


def _some(events, most):
    return (event for _, event in zip(range(most), events, strict=False))


def test_names_are_shown_as_text_whatever_they_hold(hall: Hall):
    hall.take()
    clerk = hall.clerk("1")
    clerk.post("/desk/next", ticket="")
    clerk.post("/desk/hold", ticket=open_ticket(hall), reason="<script>alert(1)</script>")
    page = clerk.get("/desk").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_another_host_name_and_a_body_without_end_are_refused(hall: Hall):
    browser = hall.browser()
    browser.headers["Host"] = "evil.example"
    assert browser.get("/sign-in").status_code == 421
    browser.headers["Host"] = "127.0.0.1"
    assert browser.post_page("/sign-in", pin="1" * 9_000_000).status_code == 413


def test_a_service_that_nobody_started_begins_by_itself_without_the_kiosks_own_process(hall: Hall):
    hall.take()
    clerk = hall.clerk("1")
    clerk.post("/desk/next", ticket="")
    hall.clock.seconds += 16
    assert "đang phục vụ" in clerk.fragment("/desk/live", "now", "đang phục vụ")
    assert [event["implied"] for event in hall.events("ticket.started")] == [True]
