"""Who sits where: the morning after, an office document without somebody, two roles, and a page that is over."""

import json

from kiosk import documents
from kiosk.office import Office
from kiosk.store import Store
from kiosk.store.rebuild import from_events, from_tables
from tests.console_kit import CLERKS, PIN, TECHNICIAN, Browser, Hall
from tests.office import moment

DAY_S = 86400


def serve_one(hall: Hall, counter: str = "1") -> tuple[Browser, str]:
    """The counter's clerk calls somebody: the browser, and the ticket's id."""
    hall.take("ho-tich" if counter == "1" else "dat-dai")
    clerk = hall.clerk(counter)
    assert clerk.post("/desk/next", ticket="")["ok"]
    return clerk, hall.store.counters.counter(counter).ticket


def without(office: Office, *, counter: str = "", clerk: str = "") -> Office:
    """The office after it has lost somebody, or a counter, whose services the first one takes over."""
    plain = documents.plain(office)
    lost = [service for one in office.counters if one.id == counter for service in one.services]
    plain["counters"] = [
        {**one, "clerk": "" if one["clerk"] == clerk else one["clerk"]}
        for one in plain["counters"]
        if one["id"] != counter
    ]
    plain["counters"][0]["services"] = [*plain["counters"][0]["services"], *lost]
    plain["clerks"] = [one for one in plain["clerks"] if one["id"] != clerk]
    return Office.from_json(json.dumps({**plain, "version": office.version + 1}).encode(), "office")


def adopt(hall: Hall, office: Office) -> None:
    """The office document comes into force, here and in the console."""
    text = json.dumps(documents.plain(office))
    desks = [one.id for one in office.counters]
    hall.store.offices.apply(hall.now(), text, office.sha256, office.version, by=TECHNICIAN, counters=desks)
    hall.store.use(office.rulebook())


def test_in_the_morning_a_counter_that_was_left_with_a_number_is_free_for_anybody(hall: Hall):
    _, ticket = serve_one(hall)
    hall.clock.seconds += DAY_S
    hall.browser(CLERKS["2"], "1")
    assert hall.store.counters.counter("1").clerk == CLERKS["2"]
    assert [event["ticket"] for event in hall.events("ticket.closed")] == [ticket]


def test_who_left_the_counter_open_last_evening_keeps_it_when_the_first_number_opens_the_day(hall: Hall):
    hall.clerk("1")
    hall.clock.seconds += DAY_S
    clerk = hall.clerk("1")
    hall.take()
    assert clerk.post("/desk/next", ticket="") == {"ok": True, "say": "Đã gọi số 1001", "go": None}


def test_on_an_unbelieved_clock_a_counter_of_before_is_opened_anew_and_stays_open_when_the_date_is_known(store: Store):
    store.counters.open(moment(0), "1", CLERKS["1"])
    store.counters.open(moment(60, trusted=False, boot="b0070002"), "1", CLERKS["1"])
    store.issuing.issue(moment(DAY_S, boot="b0070002"), "ho-tich", by="staff")
    assert store.counters.counter("1").state == "open"


def test_who_signs_in_again_on_the_same_day_finds_the_counter_as_it_was(hall: Hall):
    clerk = hall.clerk("1")
    clerk.post("/desk/pause", ticket="", until="09:00")
    hall.clerk("1")
    counter = hall.store.counters.counter("1")
    assert (counter.state, counter.paused_until) == ("paused", "09:00")
    assert len(hall.events("counter.opened")) == 1


def test_a_number_open_with_another_clerk_is_not_taken_by_opening_the_counter_from_an_old_page(hall: Hall):
    clerk = hall.clerk("1")
    csrf = clerk.csrf("/desk")
    hall.store.counters.close(hall.now(), "1")
    hall.take()
    hall.store.counters.open(hall.now(), "1", CLERKS["4"])
    hall.store.counters.one_key(hall.now(), "1")
    assert clerk.post("/desk/open", csrf=csrf, ticket="")["say"].startswith("Quầy 1 đang có người phục vụ dở một số")
    assert hall.store.counters.counter("1").clerk == CLERKS["4"]


def test_nobody_signs_out_with_a_number_open(hall: Hall):
    clerk, ticket = serve_one(hall)
    assert clerk.post("/sign-out")["say"].startswith("Quầy còn một số chưa xong")
    clerk.post("/desk/finish", ticket=ticket)
    assert clerk.post("/sign-out") == {"ok": True, "say": "Đã đăng xuất", "go": "/sign-in"}
    assert hall.store.counters.counter("1").state == "closed"


def test_the_number_of_somebody_whom_the_office_has_no_more_goes_to_the_next_clerk_there(hall: Hall):
    gone, ticket = serve_one(hall)
    with gone.stream("/desk/live") as events:
        adopt(hall, without(hall.office, clerk=CLERKS["1"]))
        assert next(data for kind, data in events if kind == "go") == "/sign-in"
    heir = hall.browser(CLERKS["2"], "1")
    assert heir.post("/desk/finish", ticket=ticket)["ok"]


def test_who_sits_at_a_counter_that_the_office_has_no_more_is_told_and_can_leave_and_others_call_the_number(hall: Hall):
    clerk, ticket = serve_one(hall, "2")
    with clerk.stream("/desk/live") as events:
        adopt(hall, without(hall.office, counter="2"))
        assert next(data for kind, data in events if kind == "go") == "/"
    assert "đăng nhập lại và chọn quầy" in clerk.get("/desk").text
    assert clerk.post("/desk/finish", ticket=ticket)["say"] == "Không có quầy này"
    assert clerk.post("/sign-out")["ok"]
    assert hall.store.counters.counter("2").state == "closed"
    assert hall.clerk("1").post("/desk/next", ticket="")["say"] == "Đã gọi số 3001"


def test_a_number_that_was_sent_to_a_counter_which_the_office_has_no_more_is_called_by_whoever_serves_it(hall: Hall):
    clerk, ticket = serve_one(hall)
    hall.clerk("3")
    assert clerk.post("/desk/transfer", ticket=ticket, to="counter:3")["ok"]
    assert clerk.post("/desk/next", ticket="")["say"] == "Không có công dân đang chờ"
    adopt(hall, without(hall.office, counter="3"))
    assert clerk.post("/desk/next", ticket="")["say"] == "Đã gọi số 1001"
    assert from_events(hall.store.database.conn) == from_tables(hall.store.database.conn)


def test_a_page_left_open_overnight_is_sent_to_sign_in_and_not_told_that_the_kiosk_is_lost(hall: Hall):
    clerk = hall.clerk("1")
    hall.clock.seconds += DAY_S
    with clerk.stream("/desk/live") as events:
        assert list(events) == [("go", "/sign-in")]
    with hall.clerk("1").stream("/leader/live") as events:
        assert list(events) == [("go", "/")]


def test_who_is_technician_no_more_is_led_away_from_that_page(hall: Hall):
    plain = documents.plain(hall.office)
    for one in plain["clerks"]:
        if one["id"] == TECHNICIAN:
            one["roles"] = ["helper"]
    fewer = Office.from_json(json.dumps({**plain, "version": hall.office.version + 1}).encode(), "office")
    with hall.browser(TECHNICIAN).stream("/technician/live") as events:
        adopt(hall, fewer)
        assert next(data for kind, data in events if kind == "go") == "/"


def test_a_stranger_to_the_office_leaves_nothing_in_the_database(hall: Hall):
    for n in range(5):
        answer = hall.browser().post_page("/sign-in", person=f"nobody-{n}", counter="1", pin=PIN)
        assert answer.status_code == 403
    assert hall.store.database.rows("SELECT * FROM wrong_pins") == []


def test_a_language_that_nobody_has_changes_nothing(hall: Hall):
    answer = hall.browser().get("/sign-in?l=tiếng")
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)


# --- wrong PINs ----------------------------------------------------------------------------------------------


def tries(browser: Browser, pin: str, person: str = CLERKS["1"], times: int = 1) -> str:
    """Enter a PIN: what the last page says, "" when it let one in."""
    answers = [browser.post_page("/sign-in", person=person, counter="1", pin=pin) for _ in range(times)]
    return "" if answers[-1].status_code == 303 else answers[-1].text


def counted(hall: Hall) -> set[str]:
    return {row["person"] for row in hall.store.database.rows("SELECT person FROM wrong_pins")}


def test_strangers_who_guess_keep_strangers_out_and_not_a_browser_that_has_signed_in_before(hall: Hall):
    clerk, stranger = hall.clerk("1"), hall.browser()
    tries(stranger, "9999", times=3)
    hall.restart()
    assert "Xin chờ" in tries(stranger, PIN)
    assert tries(clerk, PIN) == ""
    assert "Xin chờ" in tries(hall.browser(), PIN)


def test_a_browser_that_is_known_has_a_count_of_its_own_which_no_other_sign_in_ends(hall: Hall):
    clerk = hall.clerk("1")
    tries(clerk, "9999", times=3)
    assert tries(hall.browser(), PIN) == ""
    assert "Xin chờ" in tries(clerk, PIN)
    hall.clock.seconds += 6
    assert tries(clerk, PIN) == ""


def test_signing_in_again_gives_a_known_browser_no_second_count(hall: Hall):
    clerk = hall.clerk("1")
    first = clerk.session.cookies[f"kiosk-known-{CLERKS['1']}"]
    tries(clerk, PIN)
    assert clerk.session.cookies[f"kiosk-known-{CLERKS['1']}"] == first
    assert not counted(hall)


def test_a_browser_is_known_for_whom_it_signed_in_and_until_that_person_has_another_pin(hall: Hall):
    clerk = hall.clerk("1")
    mark = clerk.session.cookies[f"kiosk-known-{CLERKS['1']}"]
    tries(clerk, "9999")
    hall.store.people.begin_try(hall.now(), CLERKS["2"], mark)
    own = f"{CLERKS['1']}/{mark.partition('.')[0]}"
    assert counted(hall) == {own, CLERKS["2"]}
    hall.store.people.set_pin(hall.now(), CLERKS["1"], "8024", by=CLERKS["1"])
    assert counted(hall) == {CLERKS["2"]}
    tries(hall.browser(), "9999", times=3)
    assert "Xin chờ" in tries(clerk, "8024")


def test_by_what_a_browser_is_known_no_script_reads_and_no_page_but_the_sign_in_is_told(hall: Hall):
    answer = hall.browser().post_page("/sign-in", person=CLERKS["1"], counter="1", pin=PIN)
    [known] = [line for line in answer.raw.headers.getlist("set-cookie") if line.startswith("kiosk-known-")]
    assert all(part in known for part in ("HttpOnly", "SameSite=strict", "Max-Age=31536000", "Path=/sign-in"))
