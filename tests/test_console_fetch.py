"""What the console tells a server that fetches: by HTTPS alone, with the token alone, and without holding a thread."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import Console as ConsoleConfig
from kiosk.store import Store
from kiosk.store.pulling import CODE_S
from kiosk.tickets import Refused
from sync import beside, wire
from sync.exchange import Answer, Bounds, Pinned
from tests.console_kit import TECHNICIAN, Hall
from tests.office import moment

DEVICE = "k-7F3K2M"


class SecureHall(Hall):
    """The hall by HTTPS, with the line of a server that trusts its certificate."""

    def _start(self, port: int, run: Any = None) -> None:
        self.config = replace(
            self.config, device=DEVICE, console=ConsoleConfig(address="127.0.0.1", port=0, plain_port=0)
        )
        super()._start(port, run)

    def line(self, token: str = "") -> Pinned:
        authority = self.folder / "tls" / "ca.crt"
        while not authority.exists():
            time.sleep(0.02)
        return Pinned("127.0.0.1", self.port, authority.read_text(), token, Bounds(5, 30, 60))

    def paired(self) -> Pinned:
        return self.line(self.store.pulling.pair(self.now(), self.store.pulling.new_code(self.now())))


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[SecureHall]:
    hall = SecureHall(tmp_path)
    yield hall
    hall.close()


def get(line: Pinned, path: str) -> Answer:
    return line.get(path, most=wire.MAX_BODY)


def batch(answer: Answer) -> wire.Batch:
    assert answer.http == 200, answer.raw
    return wire.decode_batch(answer.plain())


def after(of: wire.Batch) -> str:
    return f"epoch={of.header.epoch}&after={of.header.after.seq + of.header.count}.{of.header.end.hex()}"


# --- the feed -------------------------------------------------------------------------------------------------


def test_a_server_reads_all_events_and_what_it_asks_for_next_says_that_it_has_them(secure: SecureHall):
    secure.take()
    with closing(secure.paired()) as line:
        first = batch(get(line, "/api/v1/feed"))
        assert (first.header.device, first.header.after) == (DEVICE, wire.START)
        assert wire.parse_instant(first.header.status["at"]), "what its clock shows"
        assert len(first.lines) == first.header.head
        assert secure.store.backlog() == first.header.head
        assert batch(get(line, f"/api/v1/feed?{after(first)}")).lines == []
    assert secure.store.backlog() == 0


def test_a_question_is_held_back_until_something_happens(secure: SecureHall):
    with closing(secure.paired()) as line, ThreadPoolExecutor(1) as pool:
        first = batch(get(line, "/api/v1/feed"))
        waiting = pool.submit(get, line, f"/api/v1/feed?wait=20&{after(first)}")
        begun = time.monotonic()
        with closing(secure.line()) as other:
            assert get(other, "/healthz").http == 200
        secure.take()
        second = batch(waiting.result(10))
        assert time.monotonic() - begun < 10
    assert [wire.decode_event(line).type for line in second.lines] == ["series.opened", "ticket.issued"]


def test_a_question_is_answered_when_its_time_is_over(secure: SecureHall):
    with closing(secure.paired()) as line:
        first = batch(get(line, "/api/v1/feed"))
        assert batch(get(line, f"/api/v1/feed?wait=0.3&{after(first)}")).lines == []


def test_a_console_that_ends_holds_no_question_back(tmp_path: Path):
    hall = SecureHall(tmp_path)
    with closing(hall.paired()) as line, ThreadPoolExecutor(1) as pool:
        first = batch(get(line, "/api/v1/feed"))
        waiting = pool.submit(get, line, f"/api/v1/feed?wait=20&{after(first)}")
        while not hall.console._servers[0].server_state.tasks:
            time.sleep(0.02)
        hall.console.stop()
        assert batch(waiting.result(10)).lines == []
    hall.join()


def test_a_limit_is_kept(secure: SecureHall):
    secure.take()
    with closing(secure.paired()) as line:
        assert len(batch(get(line, "/api/v1/feed?limit=1")).lines) == 1


def test_a_server_that_knows_a_later_epoch_gets_a_new_one_beyond_it(secure: SecureHall):
    secure.take()
    with closing(secure.paired()) as line:
        whole = batch(get(line, f"/api/v1/feed?epoch=0000000712345678&after=3.{'a' * 32}"))
    assert wire.epoch_counter(whole.header.epoch) > 7
    assert whole.header.after == wire.START
    assert len(whole.lines) == whole.header.head


def test_a_server_with_other_bytes_gets_a_new_epoch(secure: SecureHall):
    secure.take()
    with closing(secure.paired()) as line:
        first = batch(get(line, "/api/v1/feed"))
        again = batch(get(line, f"/api/v1/feed?epoch={first.header.epoch}&after=1.{'a' * 32}"))
        beyond = batch(get(line, f"/api/v1/feed?epoch={again.header.epoch}&after=9999.{'a' * 32}"))
    epochs = [each.header.epoch for each in (first, again, beyond)]
    assert epochs == sorted(set(epochs))
    assert list(first.lines) == list(beyond.lines)[: len(first.lines)]


def test_a_server_that_was_restored_is_given_what_came_since(secure: SecureHall):
    secure.take()
    with closing(secure.paired()) as line:
        first = batch(get(line, "/api/v1/feed?limit=2"))
        secure.take()
        rest = batch(get(line, f"/api/v1/feed?{after(first)}"))
        assert batch(get(line, f"/api/v1/feed?{after(rest)}")).lines == []
        assert secure.store.backlog() == 0
        again = batch(get(line, f"/api/v1/feed?{after(first)}"))
    assert again.lines == rest.lines
    assert secure.store.backlog() == len(rest.lines)


def test_a_kiosk_without_a_clock_believes_the_servers_time(secure: SecureHall):
    secure.clock.trusted = False
    with closing(secure.paired()) as line:
        get(line, f"/api/v1/feed?now={wire.instant(moment(7200).at)}")
    assert '"server"' in secure.store.fact("vouched")


# --- words of comments ----------------------------------------------------------------------------------------


def test_the_words_of_comments_are_fetched_and_what_is_asked_for_next_says_that_they_are_here(secure: SecureHall):
    from kiosk.store.comments import keep_comment

    for text in ("Chờ lâu quá", "Cô làm nhanh"):
        with secure.store.database.writing(secure.now()) as w:
            keep_comment(w, text, str(secure.now().day), ticket="", counter="1", clerk="", rating="")
    with closing(secure.paired()) as line:
        message = beside.decode(get(line, "/api/v1/comments").plain())
        assert [text.text for text in message.texts] == ["Chờ lâu quá", "Cô làm nhanh"]
        rest = beside.decode(get(line, f"/api/v1/comments?after={message.texts[0].n}").plain())
        assert [text.text for text in rest.texts] == ["Cô làm nhanh"]
        assert beside.decode(get(line, f"/api/v1/comments?after={message.last}").plain()).texts == []
        assert beside.decode(get(line, "/api/v1/comments").plain()).texts == []


# --- who may ask ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v1/feed", "/api/v1/comments"])
def test_without_the_token_nothing_is_told(secure: SecureHall, path: str):
    secure.paired().close()
    for token in ("", "wrong"):
        with closing(secure.line(token)) as line:
            answer = get(line, path)
            assert (answer.http, answer.code()) == (401, "token")


@pytest.mark.parametrize("path", ["/api/v1/feed", "/api/v1/comments", "/api/v1/pair"])
def test_plain_http_has_none_of_it(hall: Hall, path: str):
    token = hall.store.pulling.pair(hall.now(), hall.store.pulling.new_code(hall.now()))
    browser = hall.browser()
    browser.headers["Authorization"] = f"Bearer {token}"
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "epoch=x",
        "epoch=ffffffff12345678",
        "epoch=0000000112345678&after=1",
        "epoch=0000000112345678&after=1.zz",
        f"after=-1.{'a' * 32}",
        f"after={'9' * 40}.{'a' * 32}",
        "limit=x",
        "wait=x",
        "now=yesterday",
    ],
)
def test_a_question_that_makes_no_sense_gets_a_clear_answer(secure: SecureHall, query: str):
    with closing(secure.paired()) as line:
        answer = get(line, f"/api/v1/feed?{query}")
    assert (answer.http, answer.code()) == (400, "bad_request")


@pytest.mark.parametrize("query", ["wait=nan", "wait=-5", "wait=1e9&limit=0", "limit=99999"])
def test_bounds_are_kept_whatever_is_asked(secure: SecureHall, query: str):
    secure.take()
    with closing(secure.paired()) as line:
        assert batch(get(line, f"/api/v1/feed?{query}")).lines


# --- pairing --------------------------------------------------------------------------------------------------


def pair(line: Pinned, body: object) -> Answer:
    return line.post("/api/v1/pair", json.dumps(body).encode(), "application/json")


def test_a_code_is_exchanged_for_a_token_once(secure: SecureHall):
    code = secure.store.pulling.new_code(secure.now())
    with closing(secure.line()) as line:
        answer = pair(line, {"code": f"{code[:4]} {code[4:]}"})
        body = answer.parsed()
        assert body["device"] == DEVICE
        assert body["office"]["site"]
        again = pair(line, {"code": code})
    assert (again.http, again.code()) == (403, "code")
    with closing(secure.line(body["token"])) as line:
        assert get(line, "/api/v1/feed").http == 200
    assert not [event for event in secure.events() if body["token"] in str(event)]


def test_a_new_pairing_ends_the_one_before(secure: SecureHall):
    first, second = secure.paired(), secure.paired()
    assert [get(line, "/api/v1/feed").http for line in (first, second)] == [401, 200]
    first.close()
    second.close()


def test_whoever_guesses_has_to_wait(secure: SecureHall):
    secure.store.pulling.new_code(secure.now())
    with closing(secure.line()) as line:
        answers = [pair(line, {"code": f"{n:08}"}) for n in range(8)]
    assert answers[0].http == 403
    assert (answers[-1].http, answers[-1].code()) == (429, "busy")
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"code": 7}', b" " * 20_000])
def test_a_pairing_that_makes_no_sense_gets_a_clear_answer(secure: SecureHall, body: bytes):
    with closing(secure.line()) as line:
        answer = line.post("/api/v1/pair", body, "application/json")
    assert answer.http in (400, 413)
    assert answer.code() in ("bad_request", "too_large")


def test_a_code_is_over_after_ten_minutes(store: Store):
    code = store.pulling.new_code(moment(0))
    with pytest.raises(Refused):
        store.pulling.pair(moment(CODE_S + 1), code)
    assert store.pulling.code(moment(CODE_S + 1)) is None


def test_an_unpaired_server_is_shut_out(secure: SecureHall):
    with closing(secure.paired()) as line:
        secure.store.pulling.end(secure.now())
        assert get(line, "/api/v1/feed").http == 401


# --- the technician's page ------------------------------------------------------------------------------------


def test_the_technician_sees_fingerprint_and_code_and_can_end_it(hall: Hall):
    technician = hall.browser(TECHNICIAN)
    page = "/technician/server"
    assert "HTTPS" in technician.get(page).text  # this hall has plain HTTP alone
    assert technician.post(f"{page}/code", page=page)["ok"]
    code: Any = hall.store.pulling.code(hall.now())
    assert code.code
    hall.store.pulling.pair(hall.now(), code.code)
    assert "Ngắt ghép" in technician.get(page).text
    assert technician.post(f"{page}/end", page=page)["ok"]
    assert hall.store.pulling.since() is None


def test_only_technicians_may_let_a_server_in(hall: Hall):
    assert hall.clerk("1").get("/technician/server").status_code == 403
    assert hall.browser().get("/technician/server").status_code == 303
