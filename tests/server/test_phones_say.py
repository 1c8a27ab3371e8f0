"""What phones say by way of the server becomes events like all else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import connection

from kiosk.board_document import Day
from kiosk.public.form import COMMENT_LETTERS, Given
from kiosk.public.limits import PER_COUNTER, PER_TICKET
from kiosk.store import Store
from server.facts import projector
from server.facts.models import Comment, Cursor, Rating, RatingRollup, Ticket
from server.feed.models import Event
from server.phones import look, say, views
from server.registry.models import Device
from sync.beside import text_hash
from tests.office import moment
from tests.server.down_kit import publish_days
from tests.server.kit import Server
from tests.server.phone_kit import SAY, Clock, Morning, both, clock, get, morning, post, ratings, said

__all__ = ["both", "clock", "morning"]  # fixtures


# --- what is said ---------------------------------------------------------------------------------------------


def test_a_rating_by_phone_is_an_event_of_the_servers_own_and_counts(both: Morning):
    path = both.served()
    both.tell()
    answer = post(path, SAY)
    assert (answer.status_code, answer["Location"]) == (303, f"{path}?done=1")
    assert "Cảm ơn Ông/Bà đã đánh giá!" in said(get(answer["Location"]))
    both.settle()
    row, ticket = Rating.objects.get(), Ticket.objects.get()
    assert (row.ticket, row.counter, row.clerk, row.service) == (ticket.pk, "1", "clerk-1", "ho-tich")
    assert (row.level, row.label_set, row.source, row.reasons, row.counting) == (1, "smile", "phone", "wait", True)
    assert (str(row.day), row.session) == ("2026-11-23", "sang")
    assert "đã được đánh giá" in said(get(path))
    kinds = [event.type for event in Event.objects.exclude(device="k-7F3K2M").order_by("num")]
    assert kinds == ["rating.given", "comment.given"]


def test_a_rating_by_phone_belongs_to_no_session_on_a_day_off_that_stands_on_the_board(morning: Morning):
    path = morning.served()
    morning.tell()
    publish_days(morning.server, Day(date(2026, 11, 23), "off", "Bão số 5"))
    post(path, SAY)
    morning.settle()
    assert Rating.objects.get().session == ""


def test_what_phones_said_can_be_made_again_from_the_events(both: Morning):
    path = both.served()
    both.tell()
    post(path, SAY)
    both.settle()
    before = (ratings(), list(RatingRollup.objects.values_list("level", "flags", "n")), Comment.objects.get().text)
    assert before[1] == [(1, "", 1)]
    for device in Device.objects.all():
        Device.objects.filter(pk=device.pk).update(rebuild=True)
        both.settle()
        now = (ratings(), list(RatingRollup.objects.values_list("level", "flags", "n")), Comment.objects.get().text)
        assert now == before


def test_a_key_goes_before_a_phone_whichever_was_heard_of_first(both: Morning):
    path = both.served()
    both.tell()
    post(path, {"level": "1"})
    both.settle()
    assert ratings() == [("phone", 1, True)]
    both.clock.at += 10
    both.store.ratings.press(moment(both.clock.at), "1", 3, "key")
    both.tell()
    assert sorted(ratings()) == [("key", 3, True), ("phone", 1, False)]
    assert sorted(RatingRollup.objects.values_list("level", "flags", "n")) == [(1, "second", 1), (3, "", 1)]
    for device in Device.objects.order_by("-pk"):
        projector.rebuild(device, both.clock.now())
        assert sorted(ratings()) == [("key", 3, True), ("phone", 1, False)]


def test_a_key_that_is_heard_of_after_the_day_was_shown_leaves_the_phones_rating_in_the_figures(both: Morning):
    path = both.served()
    both.tell()
    post(path, {"level": "1"})
    both.settle()
    both.clock.at += 10
    both.store.ratings.press(moment(both.clock.at), "1", 3, "key")
    both.clock.at += 3 * 86400
    both.tell()
    assert sorted(ratings()) == [("key", 3, False), ("phone", 1, True)]
    kept = [(1, "", None, 1), (3, "second", date(2026, 11, 26), 1)]
    assert sorted(RatingRollup.objects.values_list("level", "flags", "late", "n")) == kept
    for device in Device.objects.order_by("-pk"):
        projector.rebuild(device, both.clock.now())
        both.settle()
        assert sorted(RatingRollup.objects.values_list("level", "flags", "late", "n")) == kept


def test_a_press_that_is_heard_late_to_replace_another_leaves_that_one_in_the_figures(both: Morning):
    both.served()
    both.store.ratings.press(moment(both.clock.at), "1", 1, "key")
    both.tell()
    both.store.ratings.press(moment(both.clock.at + 1), "1", 3, "key")
    both.clock.at += 3 * 86400
    both.tell()
    assert Event.objects.filter(type="rating.replaced").exists()
    assert ratings() == [("key", 1, True), ("key", 3, False)]
    kept = [(1, "", None, 1), (3, "second", date(2026, 11, 26), 1)]
    assert sorted(RatingRollup.objects.values_list("level", "flags", "late", "n")) == kept
    projector.rebuild(Device.objects.get(name="k-7F3K2M"), both.clock.now())
    both.settle()
    assert sorted(RatingRollup.objects.values_list("level", "flags", "late", "n")) == kept


def test_a_rating_that_is_let_out_of_quarantine_counts_as_heard_then(morning: Morning, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(projector.shapes.SHAPES, "rating.given", {"unknown_key": lambda value: True})
    morning.served()
    morning.store.ratings.press(moment(morning.clock.at), "1", 3, "key")
    morning.tell()
    assert not Rating.objects.exists()
    monkeypatch.undo()
    morning.clock.at += 3 * 86400
    Device.objects.filter(name="k-7F3K2M").update(rebuild=True)
    morning.settle()
    assert Rating.objects.get().late == date(2026, 11, 26)


def test_what_is_heard_by_a_clock_that_is_years_ahead_is_not_late(morning: Morning):
    morning.served()
    morning.store.ratings.press(moment(morning.clock.at), "1", 3, "key")
    Cursor.objects.update(seen=morning.clock.now())
    today = morning.clock.at
    morning.clock.at += 5 * 365 * 86400
    morning.tell()
    assert Rating.objects.get().late is None
    morning.clock.at = today
    projector.rebuild(Device.objects.get(name="k-7F3K2M"), morning.clock.now())
    assert Rating.objects.get().late is None


@pytest.mark.parametrize(("days", "reasons"), [(0, "wait"), (3, "")])
def test_reasons_that_are_heard_after_the_day_was_shown_are_left_out(morning: Morning, days: int, reasons: str):
    morning.served()
    given = morning.store.ratings.press(moment(morning.clock.at), "1", 1, "tablet")
    morning.tell()
    assert morning.store.ratings.add_reasons(moment(morning.clock.at + 1), given.id, ["wait"])
    morning.clock.at += days * 86400
    morning.tell()
    assert Event.objects.filter(type="rating.reasons", quarantined=None).exists()
    assert Rating.objects.get().reasons == reasons


def test_reasons_that_are_heard_with_a_late_rating_are_its_own(morning: Morning):
    morning.served()
    given = morning.store.ratings.press(moment(morning.clock.at), "1", 1, "tablet")
    assert morning.store.ratings.add_reasons(moment(morning.clock.at + 1), given.id, ["wait"])
    morning.clock.at += 3 * 86400
    morning.tell()
    assert (Rating.objects.get().reasons, Rating.objects.get().late) == ("wait", date(2026, 11, 26))


@pytest.mark.parametrize("kiosk", ["a-kiosk", "z-kiosk"])
def test_a_key_goes_before_a_phone_also_when_both_are_folded_at_once(
    lite: Server, store: Store, clock: Clock, kiosk: str
):
    morning = Morning(lite, store, clock, kiosk)
    path = morning.served()
    morning.tell()
    post(path, {"level": "1"})
    morning.store.ratings.press(moment(morning.clock.at), "1", 3, "key")
    morning.tell()
    assert sorted(ratings()) == [("key", 3, True), ("phone", 1, False)]
    assert sorted(RatingRollup.objects.values_list("level", "flags", "n")) == [(1, "second", 1), (3, "", 1)]


def test_beside_a_rating_a_phone_adds_only_its_comment_and_only_once(morning: Morning):
    path = morning.served()
    morning.store.ratings.press(moment(morning.clock.at), "1", 3, "key")
    morning.tell()
    assert 'name="level"' not in get(path).content.decode()
    post(path, SAY)
    post(path, {**SAY, "comment": "Lần nữa"})
    morning.settle()
    assert ratings() == [("key", 3, True)]
    assert [(row.text, row.rating) for row in Comment.objects.all()] == [("Chờ lâu quá", "")]


def test_a_form_that_is_sent_twice_before_anything_was_folded_is_kept_once(both: Morning):
    path = both.served()
    both.tell()
    assert [post(path, SAY).status_code for _ in range(3)] == [303] * 3
    both.settle()
    assert ratings() == [("phone", 1, True)]
    assert Comment.objects.count() == 1


def test_forms_that_come_at_the_same_moment_are_kept_once(both: Morning):
    path = both.served()
    both.tell()
    row = look.ticket(path.removeprefix("/T/"))
    assert row

    def rate(_: int) -> bool:
        try:
            return say.of_ticket(row, Given(level=2), both.clock.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(rate, range(16))) == 1
    both.settle()
    assert ratings() == [("phone", 2, True)]
    assert Event.objects.exclude(quarantined=None).count() == 0


def test_a_ticket_can_be_rated_until_the_end_of_the_next_day(morning: Morning):
    path = morning.served()
    morning.tell()
    morning.clock.at = 86400 + 16.4 * 3600
    assert 'name="level"' in get(path).content.decode()
    morning.clock.at = 86400 + 16.6 * 3600
    assert "Phiếu đã hết hạn đánh giá" in said(get(path))
    assert post(path, SAY)["Location"] == path
    row = look.ticket(path.removeprefix("/T/"))
    assert row
    assert not say.of_ticket(row, Given(level=2, comment="Muộn"), morning.clock.now())
    morning.settle()
    assert ratings() == []
    assert not Comment.objects.exists()


def test_a_number_that_is_not_served_yet_takes_nothing(morning: Morning):
    path = morning.take()
    morning.tell()
    assert post(path, SAY)["Location"] == path
    morning.settle()
    assert not Event.objects.exclude(device="k-7F3K2M").exists()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"do": "rate"}, "Xin chọn một mức độ"),
        ({"level": "7"}, "Xin chọn một mức độ"),
        ({"level": "3", "comment": "a" * (COMMENT_LETTERS + 1)}, "Xin rút gọn"),
        ({"level": "3", "comment": "a" * 70_000}, "Xin chọn một mức độ"),
        ({f"x{n}": "1" for n in range(90)} | {"level": "3"}, "Xin chọn một mức độ"),
    ],
)
def test_a_form_that_cannot_be_kept_says_why(morning: Morning, fields: dict[str, str], problem: str):
    path = morning.served()
    morning.tell()
    answer = post(path, fields)
    assert answer.status_code == 422
    assert problem in said(answer)


def test_html_and_split_letters_in_a_comment_are_kept_as_words_alone(morning: Morning):
    path = morning.served()
    morning.tell()
    # "hộ tịch" with its marks apart; a bell, a mark that turns the text around, and a telephone number
    post(path, {"comment": "<script>alert(1)</script> ho\u0323\u0302 ti\u0323ch\a \u202e0912 345 678"})
    kept = Comment.objects.get()
    assert kept.text == "<script>alert(1)</script> hộ tịch •••"
    assert kept.sha256 == text_hash(kept.salt, kept.text)
    again = post(path, {"level": "", "comment": "<b>" * 400})
    assert b"<b><b>" not in again.content


def test_many_forms_are_turned_away_with_all_that_was_written(morning: Morning):
    path, other = morning.served(), morning.served()
    morning.tell()
    answers = [post(path, {"comment": f"lần {n}"}) for n in range(50)]
    assert [answer.status_code for answer in answers].count(303) == PER_TICKET.burst
    assert answers[-1].status_code == 429
    assert answers[-1]["Retry-After"] == "60"
    assert "lần 49" in said(answers[-1])
    assert post(other, {"level": "3"}).status_code == 303
    assert Comment.objects.count() == 1


def test_one_offices_crowd_shuts_no_other_offices_page(morning: Morning):
    assert not all(views.limits.ticket(1, f"t{n}") for n in range(100))
    assert views.limits.ticket(2, "t")


def test_what_was_said_stands_on_the_page_at_once(morning: Morning):
    path = morning.served()
    morning.tell()
    assert 'name="level"' in get(path).content.decode()
    assert post(path, {"level": "3"}).status_code == 303
    assert 'name="level"' not in get(path).content.decode()


# --- posters --------------------------------------------------------------------------------------------------


def test_a_poster_rates_who_works_there_and_belongs_to_no_ticket(both: Morning):
    token = both.store.posters.token(moment(0), "2")
    both.store.counters.open(moment(5), "2", "clerk-2")
    both.tell()
    page = get(f"/C/{token}")
    assert "Đánh giá tại quầy 2" in said(page)
    answer = post(f"/C/{token}?l=en", {"level": "3", "comment": "Tốt"})
    assert answer["Location"] == f"/C/{token}?l=en&done=1"
    both.settle()
    row = Rating.objects.get()
    assert (row.ticket, row.counter, row.clerk, row.source, row.flags) == ("", "2", "clerk-2", "poster", "unlinked")
    assert not row.counting
    assert Comment.objects.get().clerk == "clerk-2"


def test_a_poster_of_a_counter_where_nobody_signed_in_today_is_about_nobody(morning: Morning):
    token = morning.store.posters.token(moment(0), "2")
    morning.store.counters.open(moment(5), "2", "clerk-2")
    morning.tell()
    morning.clock.at = 86400
    post(f"/C/{token}", {"level": "1"})
    morning.settle()
    row = Rating.objects.get()
    assert (row.clerk, row.flags) == ("", "unlinked unassigned")


def test_an_old_poster_leads_nowhere(morning: Morning):
    old = morning.store.posters.token(moment(0), "2")
    morning.store.posters.renew(moment(1), "2")
    morning.tell()
    assert get(f"/C/{old}").status_code == 404


def test_a_posters_button_that_is_tapped_twice_is_one_rating(morning: Morning):
    token = morning.store.posters.token(moment(0), "2")
    morning.tell()
    for level in ("3", "3", "1"):
        assert post(f"/C/{token}", {"level": level})["Location"].endswith("done=1")
    morning.settle()
    assert sorted(row.level for row in Rating.objects.all()) == [1, 3]


def test_fifty_forms_a_second_on_a_poster_leave_ten(morning: Morning):
    token = morning.store.posters.token(moment(0), "2")
    morning.tell()
    codes = [post(f"/C/{token}", {"comment": f"số {n}"}).status_code for n in range(50)]
    assert codes.count(303) == PER_COUNTER.burst == Comment.objects.count()
