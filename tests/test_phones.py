"""What phones see and write, on a real database: places in line, ratings behind those of keys, comments, posters."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.public.state import Kind, kind_of
from kiosk.store import Store
from kiosk.store.comments import COMMENT_DAYS, delete_old_comments
from kiosk.store.counters import PHONE_REJOINS
from kiosk.store.phones import Answer
from kiosk.store.rebuild import from_events, from_tables
from kiosk.tickets import Refused, Ticket
from sync import outbox
from sync.beside import text_hash
from tests.office import moment, open_store, rulebook

HAPPY = Answer(3)
UNHAPPY = Answer(1, ("wait", "guide"), "Chờ lâu quá")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path)


def take(store: Store, seconds: float = 0, *, priority: bool = False, service: str = "dat-dai") -> Ticket:
    return store.issuing.issue(moment(seconds), service, priority=priority, by="staff").ticket


def ahead(store: Store, ticket: Ticket, seconds: float = 0) -> int | None:
    facts = store.phones.ticket(moment(seconds), ticket.token)
    assert facts is not None
    return facts.ahead


def kind(store: Store, ticket: Ticket, seconds: float = 0, *, day: int = 0) -> Kind:
    facts = store.phones.ticket(moment(seconds, day=day), ticket.token)
    assert facts is not None
    return kind_of(facts)


def served(store: Store, seconds: float = 10) -> Ticket:
    """A ticket that counter 2 has finished, 50 seconds after it was called."""
    take(store)
    assert store.counters.call_next(moment(seconds), "2") is not None
    return store.counters.finish(moment(seconds + 50), "2")


def counting(store: Store, ticket: Ticket) -> tuple[int, str] | None:
    given = store.ratings.given(ticket.id)
    return (given.level, given.source) if given else None


def events(store: Store, kind: str) -> list[dict[str, object]]:
    return [dict(event.data) for event in outbox.events(store.database.conn) if event.type == kind]


def comments(store: Store) -> list[sqlite3.Row]:
    return store.database.rows("SELECT * FROM comments ORDER BY n")


# --- the line --------------------------------------------------------------------------------------------------


def test_a_code_that_no_ticket_has_tells_nothing(store: Store):
    assert store.phones.ticket(moment(), "0" * 16) is None


def test_the_places_that_phones_see_are_the_order_in_which_people_are_called(store: Store):
    tickets = [take(store, n, priority=n in (3, 4, 5, 9)) for n in range(12)]
    seen = {t.id: ahead(store, t, 30) for t in tickets}
    called = [store.counters.call_next(moment(40 + n), "2") for n in range(12)]
    assert [seen[t.id] for t in called if t] == list(range(12))


def test_a_place_moves_when_somebody_is_called_and_when_time_passes(store: Store):
    first = take(store)
    urgent = take(store, 60, priority=True)
    assert (ahead(store, first, 60), ahead(store, urgent, 60)) == (1, 0)
    assert (ahead(store, first, 1810), ahead(store, urgent, 1810)) == (0, 1), "half an hour went by"
    store.counters.call_next(moment(1811), "2")
    assert ahead(store, urgent, 1811) == 0


def test_a_phone_is_told_the_numbers_at_the_counters_and_the_wait_once_it_can_be_said(store: Store):
    for n in range(6):
        take(store, n)
        store.counters.call_next(moment(100 * n + 10), "2")
        store.counters.start(moment(100 * n + 15), "2")
        store.counters.finish(moment(100 * n + 75), "2")
    one, other = take(store, 700), take(store, 701)
    store.counters.call_next(moment(710), "2")
    facts = store.phones.ticket(moment(711), other.token)
    assert facts is not None
    assert (facts.serving, facts.ahead, facts.wait) == ((one.number,), 0, (0, 5))


def test_who_waits_longer_than_the_slip_promised_is_known(store: Store):
    for n in range(6):
        take(store, n)
        store.counters.call_next(moment(100 * n + 10), "2")
        store.counters.start(moment(100 * n + 15), "2")
        store.counters.finish(moment(100 * n + 75), "2")
    late = take(store, 700)
    seen = [store.phones.ticket(moment(at), late.token) for at in (701, 700 + 6 * 60)]
    assert [facts.kept_waiting for facts in seen if facts] == [False, True]


def test_where_nobody_calls_numbers_no_place_is_told(tmp_path: Path):
    book = rulebook(press_limits=False)
    store = open_store(tmp_path, replace(book, rating=replace(book.rating, free_rating=True)))
    assert ahead(store, take(store)) is None


# --- rejoining -------------------------------------------------------------------------------------------------


def miss(store: Store, seconds: float) -> None:
    assert store.counters.call_next(moment(seconds), "2") is not None
    store.counters.no_show(moment(seconds + 121), "2")


def test_a_missed_number_rejoins_by_phone_near_the_head_but_not_again_and_again(store: Store):
    ticket = take(store)
    assert not store.phones.rejoin(moment(1), ticket.token), "it waits"
    for n in range(PHONE_REJOINS):
        miss(store, 400 * n + 10)
        facts = store.phones.ticket(moment(400 * n + 140), ticket.token)
        assert facts is not None
        assert (kind_of(facts), facts.may_rejoin) == (Kind.MISSED, True)
        assert store.phones.rejoin(moment(400 * n + 140), ticket.token)
        assert kind(store, ticket, 400 * n + 140) is Kind.SOON
    miss(store, 4000)
    facts = store.phones.ticket(moment(4200), ticket.token)
    assert facts is not None
    assert (kind_of(facts), facts.may_rejoin) == (Kind.MISSED, False)
    assert not store.phones.rejoin(moment(4200), ticket.token)
    assert store.counters.come_back(moment(4201), ticket.id).state == "waiting", "the counter still may"


def test_a_number_of_yesterday_does_not_rejoin(store: Store):
    ticket = take(store)
    miss(store, 10)
    assert not store.phones.rejoin(moment(day=1), ticket.token)
    assert not store.phones.rejoin(moment(), "0" * 16)


# --- ratings ---------------------------------------------------------------------------------------------------


def test_a_phone_rates_a_finished_ticket_once_and_as_its_clerks(store: Store):
    ticket = served(store)
    assert kind(store, ticket, 61) is Kind.SERVED
    assert store.phones.rate(moment(3600), ticket.token, UNHAPPY)
    assert not store.phones.rate(moment(3601), ticket.token, HAPPY)
    assert counting(store, ticket) == (1, "phone")
    given = store.ratings.given(ticket.id)
    assert given is not None
    assert (given.clerk, given.counter, given.flags, given.reasons) == ("tran-van-b", "2", (), ("wait", "guide"))
    assert kind(store, ticket, 3601) is Kind.RATED


def test_nothing_can_be_said_before_the_service_is_over_or_after_the_next_day(store: Store):
    waiting, ticket = take(store, service="ho-tich"), served(store)
    assert not store.phones.rate(moment(100), waiting.token, UNHAPPY)
    assert not store.phones.rate(moment(100), "0" * 16, UNHAPPY)
    assert kind(store, ticket, day=1) is Kind.SERVED
    assert kind(store, ticket, day=2) is Kind.EXPIRED
    assert not store.phones.rate(moment(day=2), ticket.token, UNHAPPY)
    assert (counting(store, ticket), comments(store)) == (None, [])


def test_beside_a_rating_of_the_key_a_phone_only_adds_its_comment(store: Store):
    ticket = served(store)
    store.ratings.press(moment(65), "2", 3, "key")
    assert store.phones.rate(moment(90), ticket.token, UNHAPPY)
    assert counting(store, ticket) == (3, "key")
    assert [(c["text"], c["ticket"], c["clerk"], c["rating"]) for c in comments(store)] == [
        ("Chờ lâu quá", ticket.id, "tran-van-b", "")
    ]
    assert not store.phones.rate(moment(95), ticket.token, replace(UNHAPPY, comment="Thêm nữa"))
    assert len(comments(store)) == 1


def test_the_key_goes_before_a_phone_that_was_faster_and_gives_the_citizen_its_own_change_of_mind(store: Store):
    ticket = served(store)
    assert store.phones.rate(moment(62), ticket.token, UNHAPPY)
    assert store.ratings.press(moment(70), "2", 3, "key").counts
    assert counting(store, ticket) == (3, "key")
    assert store.ratings.press(moment(73), "2", 2, "key").counts
    assert store.ratings.press(moment(76), "2", 1, "key").flags == ("repeat",)
    assert counting(store, ticket) == (2, "key")


def test_nobody_at_the_counter_learns_that_a_phone_has_rated(store: Store):
    ticket = served(store)
    before = store.ratings.lamps(moment(61))
    assert store.phones.rate(moment(62), ticket.token, UNHAPPY)
    assert store.ratings.lamps(moment(63)) == before
    assert store.ratings.press(moment(130), "2", 3, "key").flags == ("late",), 'no "repeat"'


def test_ratings_by_phone_do_not_make_the_keys_look_misused(store: Store):
    token = store.posters.token(moment(), "2")
    ticket = served(store)
    for n in range(5):
        store.phones.rate_counter(moment(60 + n / 10), store.posters.counter(token), HAPPY)
    assert store.ratings.press(moment(61), "2", 3, "key").counts
    assert counting(store, ticket) == (3, "key")


def test_in_free_mode_a_poster_does_not_use_up_the_interval_of_the_keys(tmp_path: Path):
    book = rulebook(press_limits=False)
    store = open_store(tmp_path, replace(book, rating=replace(book.rating, free_rating=True)))
    store.phones.rate_counter(moment(10), "2", HAPPY)
    assert store.ratings.press(moment(11), "2", 3, "key").counts


def test_on_a_clock_that_is_not_believed_the_running_days_tickets_are_rated_for_it(tmp_path: Path):
    store = open_store(tmp_path)
    ticket = served(store)
    wrong = moment(day=40, trusted=False, boot="b0070002")
    assert store.phones.rate(wrong, ticket.token, HAPPY)
    given = store.ratings.given(ticket.id)
    assert given is not None
    assert (given.day, given.guess_boot) == ("2026-11-23", "b0070002")


def test_ratings_by_phone_are_published_like_the_others_and_after_the_session_with_the_next(store: Store):
    tickets = []
    for n in range(5):
        take(store, 100 * n)
        store.counters.call_next(moment(100 * n + 5), "2")
        tickets.append(store.counters.finish(moment(100 * n + 50), "2"))
    noon = 4.5 * 3600
    assert all(store.phones.rate(moment(noon - 600), t.token, HAPPY) for t in tickets[:4])
    assert not store.ratings.publish(moment(noon)), "four are too few"
    assert store.phones.rate(moment(noon + 60), tickets[4].token, UNHAPPY)
    assert not store.ratings.publish(moment(noon + 120)), "no session has closed since"
    assert store.ratings.publish(moment(day=1, seconds=noon))
    published = store.ratings.published()
    assert published is not None
    figure = published.figures["smile"]
    assert (figure.k, figure.n, figure.served) == (4, 5, 5)
    assert published.clerks["tran-van-b"]["smile"].n == 5


# --- posters ---------------------------------------------------------------------------------------------------


def test_a_counters_poster_keeps_its_code_until_it_is_renewed(store: Store):
    token = store.posters.token(moment(), "1")
    assert (len(token), store.posters.token(moment(9), "1"), store.posters.counter(token)) == (16, token, "1")
    other = store.posters.renew(moment(10), "1")
    assert (store.posters.counter(token), store.posters.counter(other)) == ("", "1")
    assert [event["token"] for event in events(store, "poster.made")] == [token, other]


def test_only_the_offices_counters_have_posters(store: Store):
    for asked in (store.posters.token, store.posters.renew):
        with pytest.raises(Refused, match="no_counter"):
            asked(moment(), "16")


def test_ratings_from_a_poster_are_the_clerks_on_duty_and_never_in_the_clerks_figures(store: Store):
    store.counters.open(moment(0), "1")
    for _ in range(6):
        assert store.phones.rate_counter(moment(10), "1", HAPPY)
    assert store.phones.rate_counter(moment(11), "3", HAPPY), "nobody sits there"
    rows = store.database.rows("SELECT clerk, flags, source, ticket FROM ratings")
    assert {tuple(row) for row in rows} == {
        ("nguyen-thi-a", "unlinked", "poster", ""),
        ("", "unlinked unassigned", "poster", ""),
    }
    assert not store.ratings.publish(moment(4.5 * 3600))


def test_from_a_poster_too_a_comment_can_be_all_that_is_said(store: Store):
    assert store.phones.rate_counter(moment(10), "1", Answer(comment="Cần thêm ghế"))
    assert not store.phones.rate_counter(moment(10), "1", Answer())
    assert [(c["text"], c["ticket"], c["counter"]) for c in comments(store)] == [("Cần thêm ghế", "", "1")]
    assert events(store, "rating.given") == []


# --- comments and events ---------------------------------------------------------------------------------------


def test_the_feed_has_a_comments_id_and_salted_hash_but_not_its_words(store: Store):
    ticket = served(store)
    store.phones.rate(moment(100), ticket.token, UNHAPPY)
    (event,), (row,) = events(store, "comment.given"), comments(store)
    assert (event["comment"], event["sha256"]) == (row["id"], text_hash(row["salt"], "Chờ lâu quá"))
    assert event["rating"] == events(store, "rating.given")[0]["rating"]
    written = store.database.rows("SELECT line FROM events")
    assert not [row for row in written if "Chờ lâu quá" in row["line"].decode()]


def test_comments_are_deleted_for_good_when_they_are_old_and_only_by_a_true_clock(store: Store):
    ticket = served(store)
    store.phones.rate(moment(100), ticket.token, replace(UNHAPPY, comment="Câu này sẽ bị xóa"))
    for day, trusted, left in ((COMMENT_DAYS, True, 1), (COMMENT_DAYS + 7, False, 1), (COMMENT_DAYS + 7, True, 0)):
        store.ratings.publish(moment(5 * 3600, day=day, trusted=trusted))
        assert len(comments(store)) == left, (day, trusted)
        with store.database.writing(moment(day=COMMENT_DAYS + 9, trusted=False)) as w:
            assert delete_old_comments(w) == 0
    assert [event["n"] for event in events(store, "comment.deleted")] == [1]
    store.database.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert "Câu này sẽ bị xóa".encode() not in store.database.path.read_bytes()


def test_events_rebuild_what_phones_wrote(store: Store):
    ticket = take(store)
    miss(store, 10)
    store.phones.rejoin(moment(200), ticket.token)
    store.posters.token(moment(201), "1")
    store.posters.renew(moment(202), "1")
    store.counters.call_next(moment(600), "2")
    store.counters.finish(moment(700), "2")
    store.phones.rate(moment(701), ticket.token, UNHAPPY)
    store.phones.rate_counter(moment(702), "1", HAPPY)
    store.ratings.press(moment(710), "2", 3, "key")
    tables = from_tables(store.database.conn)
    assert from_events(store.database.conn) == tables
    assert (tables.rejoins, len(tables.posters), len(tables.ratings)) == ({ticket.id: 1}, 1, 3)


def test_a_database_of_before_keeps_its_ratings_when_phones_come(tmp_path: Path):
    store = open_store(tmp_path)
    ticket = served(store)
    store.ratings.press(moment(65), "2", 3, "key")
    conn = store.database.conn
    for table in ("comments", "phone_rejoins", "posters"):
        conn.execute(f"DROP TABLE {table}")
    conn.execute("ALTER TABLE ratings DROP COLUMN reasons")
    conn.execute("DELETE FROM _sqlite_migrations WHERE name = 'm010_phone'")
    store.close()
    again = open_store(tmp_path)
    assert counting(again, ticket) == (3, "key")
    assert kind(again, ticket, 70) is Kind.RATED
