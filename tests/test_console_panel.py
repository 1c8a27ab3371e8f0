"""Rating tablets over a real socket: pairing by a code, the same rules and answers as the keys, and what is refused."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.console.panel import COOKIE, Pace
from kiosk.store import StoreError
from kiosk.store.rebuild import from_events, from_tables
from tests.board_scenes import office_of, serve
from tests.console_kit import CLERKS, TECHNICIAN, Browser, Hall


def paired(hall: Hall, counter: str = "1") -> Browser:
    """A tablet that belongs to a counter."""
    tablet = hall.browser()
    answer = tablet.post_page("/rate", code=hall.store.panels.new_code(hall.now(), counter))
    assert answer.headers["location"] == f"/rate/{counter}", answer.text
    return tablet


def press(tablet: Browser, face: str, counter: str = "1") -> dict[str, Any]:
    headers = {**tablet.headers, "Accept": "application/json"}
    answer = tablet.session.post(f"{tablet.url}/rate/{counter}/press", data={"face": face}, headers=headers, timeout=10)
    result: dict[str, Any] = answer.json()
    return result


def state(html: str) -> str:
    found = re.search(r'class="message (\w+)"', html)
    return found[1] if found else "ask" if "faces" in html else ""


def test_a_tablet_is_paired_by_a_code_and_follows_its_counter(hall: Hall):
    tablet = paired(hall)
    assert tablet.get("/rate").headers["location"] == "/rate/1"
    assert state(tablet.get("/rate/1").text) == "idle"
    with tablet.stream("/rate/1/live") as events:
        assert next(events)[0] == "version"
        number = serve(hall)
        asked = {data.partition("\n")[0]: data for _, data in _until(events, "ask\n", "faces")}
    assert hall.words.t("rate.ask") in asked["ask"]
    assert number in tablet.get("/rate/1").text and "Nguyễn Thị A" in tablet.get("/rate/1").text


def _until(events, name, text):
    for kind, data in events:
        yield kind, data
        if data.startswith(name) and text in data:
            return


def test_a_press_is_the_rating_of_the_ticket_and_the_thanks_are_the_same_for_each_face(hall: Hall):
    tablet, thanks = paired(hall), set()
    for face in ("happy", "neutral", "unhappy"):
        serve(hall)
        answer = press(tablet, face)
        assert answer["ok"]
        assert state(answer["parts"]["ask"]) == "thanks"
        thanks.add(answer["parts"]["ask"])
        hall.clock.seconds += 30
    assert len(thanks) == 1
    given = hall.events("rating.given")
    assert [(e["level"], e["source"], e["clerk"], e["flags"]) for e in given] == [
        (level, "tablet", CLERKS["1"], []) for level in (3, 2, 1)
    ]
    assert all("actor" not in event for event in given)


def test_a_change_of_mind_replaces_and_later_presses_are_kept_and_said_to_be_repeats(hall: Hall):
    tablet = paired(hall)
    serve(hall)
    press(tablet, "unhappy")
    hall.clock.seconds += 2
    assert state(press(tablet, "happy")["parts"]["ask"]) == "thanks"
    assert [event["level"] for event in hall.events("rating.replaced")] == [3]
    hall.clock.seconds += 10
    said = {face: press(tablet, face)["parts"]["ask"] for face in ("happy", "unhappy")}
    assert state(said["happy"]) == "already" and len(set(said.values())) == 1
    assert [event["flags"] for event in hall.events("rating.given")[1:]] == [["repeat"], ["repeat"]]


def test_a_press_before_the_service_has_ended_is_kept_and_told_so_whatever_the_face(hall: Hall):
    tablet = paired(hall)
    hall.clerk("1")
    hall.clock.seconds += 60
    answers = []
    for face in ("happy", "unhappy"):
        answers.append(press(tablet, face)["parts"]["ask"])
        hall.clock.seconds += 10
    assert state(answers[0]) == "not_open" and len(set(answers)) == 1
    assert [event["flags"] for event in hall.events("rating.given")] == [["unarmed"]] * 2


def test_the_window_ends_and_the_panel_greets_again(hall: Hall):
    tablet = paired(hall)
    serve(hall)
    assert state(tablet.get("/rate/1").text) == "ask"
    hall.clock.seconds += 61
    hall.take()
    hall.browser().get("/sign-in")
    assert state(tablet.get("/rate/1").text) == "idle"


def test_a_press_of_a_key_ends_the_question_on_the_tablet(hall: Hall):
    tablet = paired(hall)
    serve(hall)
    with tablet.stream("/rate/1/live") as events:
        assert list(_until(events, "ask\n", "faces"))
        hall.store.ratings.press(hall.now(), "1", 3, "key")
        assert list(_until(events, "ask\n", "message idle"))


def test_a_tablet_without_or_with_another_counters_code_only_asks_for_one(hall: Hall):
    stranger, other = hall.browser(), paired(hall, "2")
    for browser in (stranger, other):
        page = browser.get("/rate/1")
        assert page.status_code == 403 and 'name="code"' in page.text
        assert press(browser, "happy") == {"ok": False, "go": "/rate"}
        with browser.stream("/rate/1/live") as events:
            assert [kind for kind, _ in events][-1] == "go"
    assert hall.events("rating.%") == []


def test_a_code_works_once_and_for_ten_minutes(hall: Hall):
    code = hall.store.panels.new_code(hall.now(), "1")
    assert hall.browser().post_page("/rate", code=f"{code[:3]} {code[3:]}").status_code == 303
    again = hall.browser().post_page("/rate", code=code)
    assert again.status_code == 403 and hall.words.t("refused.panel_code") in again.text
    code = hall.store.panels.new_code(hall.now(), "1")
    hall.clock.seconds += 601
    assert hall.browser().post_page("/rate", code=code).status_code == 403
    old, new = hall.store.panels.new_code(hall.now(), "1"), hall.store.panels.new_code(hall.now(), "1")
    assert old == new or hall.browser().post_page("/rate", code=old).status_code == 403
    assert hall.browser().post_page("/rate", code=new).status_code == 303


def test_wrong_codes_cost_time_until_the_technician_gives_a_new_one(hall: Hall):
    right = hall.store.panels.new_code(hall.now(), "1")
    wrong = f"{(int(right) + 1) % 10**6:06}"
    guesser = hall.browser()
    for _ in range(3):
        assert hall.words.t("refused.panel_code") in guesser.post_page("/rate", code=wrong).text
    late = guesser.post_page("/rate", code=right)
    assert "Xin chờ 5 giây" in late.text
    hall.clock.seconds += 6
    assert guesser.post_page("/rate", code=right).status_code == 303
    for _ in range(4):
        guesser.post_page("/rate", code="nonsense")
    assert paired(hall, "2").get("/rate/2").status_code == 200


def test_the_technician_gives_codes_and_unpairs_a_tablet_that_then_asks_for_a_code(hall: Hall):
    technician = hall.browser(TECHNICIAN)
    answer = technician.post("/technician/panels/code", "/technician/panels", counter="1")
    assert answer["ok"] and answer["go"] == "/technician/panels"
    code = "".join(re.findall(r"\d", answer["say"]))
    assert f"{code[:3]} {code[3:]}" in technician.get("/technician/panels").text
    tablet = hall.browser()
    assert tablet.post_page("/rate", code=code).status_code == 303
    page = technician.get("/technician/panels").text
    assert code[:3] + " " + code[3:] not in page
    key = re.search(r'name="panel" value="([0-9a-f]{64})"', page)
    assert key
    with tablet.stream("/rate/1/live") as events:
        assert next(events)[0] == "version"
        assert technician.post("/technician/panels/unpair", "/technician/panels", panel=key[1])["ok"]
        assert ("go", "/rate") in list(events)
    assert 'name="code"' in tablet.get("/rate").text
    assert [e["actor"] for e in (*hall.events("panel.code_made"), *hall.events("panel.unpaired"))] == [TECHNICIAN] * 2
    assert not technician.post("/technician/panels/unpair", "/technician/panels", panel=key[1])["ok"]


def test_only_the_technician_sees_the_codes(hall: Hall):
    hall.store.panels.new_code(hall.now(), "1")
    assert hall.clerk("1").get("/technician/panels").status_code == 403
    assert hall.browser().get("/technician/panels").headers["location"] == "/sign-in"


def test_the_tablets_cookie_is_no_scripts_and_no_other_sites_affair_and_is_kept_as_a_hash(hall: Hall):
    tablet = hall.browser()
    answer = tablet.post_page("/rate", code=hall.store.panels.new_code(hall.now(), "1"))
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Max-Age=34560000", "Path=/rate"))
    token = answer.cookies[COOKIE]
    assert token not in str([tuple(row) for row in hall.store.database.rows("SELECT * FROM panels")])
    assert all(token not in str(event) for event in hall.events())
    assert COOKIE in tablet.get("/rate/1").headers["set-cookie"]


def test_a_tablet_that_is_paired_anew_leaves_its_old_counter(hall: Hall):
    tablet = paired(hall, "1")
    tablet.post_page("/rate", code=hall.store.panels.new_code(hall.now(), "2"))
    assert [panel.counter for panel in hall.store.panels.paired()] == ["2"]
    assert tablet.get("/rate/1").status_code == 403


def test_a_page_elsewhere_can_neither_rate_nor_pair(hall: Hall):
    tablet = paired(hall)
    serve(hall)
    tablet.headers["Origin"] = "http://elsewhere.example"
    assert not press(tablet, "unhappy")["ok"]
    assert tablet.post_page("/rate", code=hall.store.panels.new_code(hall.now(), "2")).status_code == 403
    assert hall.events("rating.%") == []


def test_more_than_three_presses_at_once_are_kept_as_a_burst_and_the_first_answer_stands(hall: Hall):
    tablet = paired(hall)
    serve(hall)
    answers = [press(tablet, "happy")["parts"]["ask"] for _ in range(4)]
    assert state(answers[-1]) == "thanks"
    assert [event["flags"] for event in hall.events("rating.given")] == [[], ["burst"]]


def test_a_program_that_presses_for_ever_is_looked_at_five_times_a_second():
    pace = Pace()
    assert [pace.allows("a", n / 10) for n in range(7)] == [True] * 5 + [False] * 2
    assert pace.allows("b", 0.6)
    assert pace.allows("a", 1.05)
    assert not pace.allows("a", 1.06)


def test_what_comes_too_fast_is_said(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    tablet = paired(hall)
    monkeypatch.setattr(Pace, "allows", lambda self, who, at: False)
    assert press(tablet, "happy") == {"ok": False, "say": hall.words.t("panel.too_fast")}


def test_a_face_that_the_label_set_does_not_have_is_no_rating(hall: Hall):
    tablet = paired(hall)
    serve(hall)
    for face in ("very_happy", "", "3", "happy'"):
        assert not press(tablet, face)["ok"]
    assert hall.events("rating.%") == []


def test_a_press_that_cannot_be_kept_is_said_and_the_faces_stay(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    tablet = paired(hall)
    serve(hall)

    def broken(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(type(hall.store.ratings), "press", broken)
        assert press(tablet, "happy") == {"ok": False, "say": hall.words.t("rate.stopped")}
    assert state(tablet.get("/rate/1").text) == "ask"
    assert press(tablet, "happy")["ok"]


def test_a_browser_without_our_script_rates_too(hall: Hall):
    tablet = paired(hall)
    serve(hall)
    assert tablet.post_page("/rate/1/press", face="happy").headers["location"] == "/rate/1"
    assert state(tablet.get("/rate/1").text) == "thanks"


def test_tablets_stay_paired_when_the_console_comes_back(hall: Hall):
    tablet = paired(hall)
    hall.restart()
    assert tablet.get("/rate").headers["location"] == "/rate/1"


def test_free_mode_asks_without_a_ticket(tmp_path: Path):
    hall = Hall(tmp_path, office_of(2, free_rating=True))
    try:
        tablet = paired(hall)
        assert state(tablet.get("/rate/1").text) == "ask"
        assert press(tablet, "happy")["ok"]
        assert [(e["clerk"], e["ticket"], e["flags"]) for e in hall.events("rating.given")] == [("clerk-1", "", [])]
    finally:
        hall.close()


# --- reasons ---


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Hall]:
    """An office whose tablets ask for reasons."""
    running = Hall(tmp_path, office_of(2, ask_reasons=True))
    yield running
    running.close()


def tick(tablet: Browser, *reasons: str) -> dict[str, Any]:
    headers = {**tablet.headers, "Accept": "application/json"}
    data = [("reason", reason) for reason in reasons]
    answer = tablet.session.post(
        f"{tablet.url}/rate/1/reasons", data=data or {"done": "1"}, headers=headers, timeout=10
    )
    result: dict[str, Any] = answer.json()
    return result


def test_reasons_are_asked_after_every_face_with_the_same_picture_and_kept_with_the_rating(asking: Hall):
    asked = set()
    for face in ("happy", "neutral", "unhappy"):
        tablet = paired(asking)
        serve(asking)
        asked.add(press(tablet, face)["parts"]["ask"])
        assert state(tick(tablet, "trips", "wait", "nonsense")["parts"]["ask"]) == "thanks"
        asking.clock.seconds += 70
    assert len(asked) == 1 and "Chờ đợi lâu" in asked.pop()
    assert [event["reasons"] for event in asking.events("rating.reasons")] == [["wait", "trips"]] * 3
    rows = asking.store.database.rows("SELECT reasons FROM ratings")
    assert [row["reasons"] for row in rows] == ["wait trips"] * 3
    assert from_events(asking.store.database.conn) == from_tables(asking.store.database.conn)


def test_nobody_has_to_give_a_reason_and_none_is_asked_for_what_does_not_count(asking: Hall):
    tablet = paired(asking)
    assert state(press(tablet, "unhappy")["parts"]["ask"]) == "not_open"
    asking.clock.seconds += 10
    serve(asking)
    assert "reasons" in press(tablet, "unhappy")["parts"]["ask"]
    assert state(tick(tablet)["parts"]["ask"]) == "thanks"
    assert state(tick(tablet, "wait")["parts"]["ask"]) == "thanks"
    assert asking.events("rating.reasons") == []


def test_a_rating_takes_reasons_once_for_a_minute_and_only_from_a_tablet(asking: Hall):
    ratings = asking.store.ratings
    serve(asking)
    first = ratings.press(asking.now(), "1", 1, "tablet")
    asking.clock.seconds += 59
    assert ratings.add_reasons(asking.now(), first.id, ["wait"])
    assert not ratings.add_reasons(asking.now(), first.id, ["slow"])
    asking.clock.seconds += 30
    serve(asking)
    late, key = ratings.press(asking.now(), "1", 1, "tablet"), ratings.press(asking.now(), "2", 1, "key")
    asking.clock.seconds += 61
    assert not any(ratings.add_reasons(asking.now(), id, ["wait"]) for id in (late.id, key.id, "nobody's", ""))
    assert not ratings.add_reasons(asking.now(), first.id, [])


def test_without_the_rule_no_tablet_asks(hall: Hall):
    tablet = paired(hall)
    serve(hall)
    assert state(press(tablet, "unhappy")["parts"]["ask"]) == "thanks"
    tick(tablet, "wait")
    assert hall.events("rating.reasons") == []
