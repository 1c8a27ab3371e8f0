"""Opening hours: sessions, cut-off, calendar and what staff changed for a day."""

from datetime import date, datetime

import pytest

from kiosk.hours import CalendarDay, after_session, closed_sessions, opening, session_at
from kiosk.office import sample

HOURS = sample().hours()
MONDAY = date(2026, 11, 23)


def at(clock: str, day: date = MONDAY) -> datetime:
    return datetime.combine(day, datetime.strptime(clock, "%H:%M").time())  # noqa: DTZ007  wall time


@pytest.mark.parametrize(
    ("clock", "status", "session"),
    [
        ("06:59", "before", "sang"),
        ("07:00", "open", "sang"),
        ("11:14", "open", "sang"),
        ("11:15", "over", "sang"),
        ("12:59", "over", "sang"),
        ("13:00", "open", "chieu"),
        ("16:45", "over", "chieu"),
    ],
)
def test_numbers_are_given_from_opening_to_the_last_number(clock: str, status: str, session: str):
    door = opening(HOURS, at(clock))
    assert (door.status, door.session.id if door.session else "") == (status, session)


def test_after_the_morning_it_goes_on_in_the_afternoon_and_after_a_holiday_the_day_after():
    assert opening(HOURS, at("12:00")).resumes == at("13:00")
    assert opening(HOURS, at("17:00")).resumes == at("07:00", date(2026, 11, 25))  # 24/11 is a holiday


def test_a_holiday_has_its_reason():
    door = opening(HOURS, at("09:00", date(2026, 11, 24)))
    assert door.status == "holiday"
    assert door.reason


def test_staff_can_open_a_holiday_and_close_a_working_day():
    holiday = date(2026, 11, 24)
    assert opening(HOURS, at("09:00", holiday), [CalendarDay(holiday, "work")]).status == "open"
    assert opening(HOURS, at("09:00"), [CalendarDay(MONDAY, "off", "mất điện")]).reason == "mất điện"


def test_a_half_day_is_its_first_session():
    assert opening(HOURS, at("14:00"), [CalendarDay(MONDAY, "half")]).status == "over"


def test_a_used_up_quota_points_to_the_next_session():
    assert after_session(HOURS, "sang", at("08:00")) == at("13:00")
    assert after_session(HOURS, "chieu", at("14:00")) == at("07:00", date(2026, 11, 25))


def test_what_happens_over_lunch_still_belongs_to_the_morning():
    assert [session_at(HOURS, at(clock)) for clock in ("06:00", "12:30", "13:00", "20:00")] == [
        "sang", "sang", "chieu", "chieu",
    ]  # fmt: skip
    assert closed_sessions(HOURS, at("11:29")) == ()
    assert closed_sessions(HOURS, at("11:30")) == ("sang",)


def test_a_year_without_any_opening_has_no_next_time():
    closed = [CalendarDay(date.fromordinal(MONDAY.toordinal() + n), "off", "sửa nhà") for n in range(60)]
    assert opening(HOURS, at("09:00"), closed).resumes is None
