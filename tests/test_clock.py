"""Clocks: what is believed, and what counts on when nobody vouches for the wall clock."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk import RELEASED, clock
from kiosk.clock import SimulatedClock, SystemClock, Vouched, set_simulated
from tests.office import OPENING


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SystemClock:
    """A Pi without network time and without a clock module."""
    monkeypatch.setattr(clock, "SYNCHRONIZED", ())
    monkeypatch.setattr(clock, "RTC", tmp_path / "no-rtc")
    monkeypatch.setattr(SystemClock, "_synchronised", lambda self: False)
    return SystemClock()


def test_a_clock_that_nobody_vouches_for_is_a_guess(unknown: SystemClock):
    now = unknown.now()
    assert (now.quality, now.trusted) == ("guess", False)


@pytest.mark.parametrize("which", [0, 1])
def test_the_mark_that_the_network_has_set_the_clock_is_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, which: int
):
    marks = (tmp_path / "timesyncd", tmp_path / "other")
    monkeypatch.setattr(clock, "SYNCHRONIZED", marks)
    monkeypatch.setattr(clock, "RTC", tmp_path / "no-rtc")
    marks[which].touch()
    assert SystemClock().now().quality == "ntp"


def test_a_clock_module_is_believed_unless_it_lies_before_the_release_or_the_last_event(
    unknown: SystemClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "rtc").write_text(f"{int(datetime.now(UTC).timestamp())}\n")
    monkeypatch.setattr(clock, "RTC", tmp_path / "rtc")
    unknown.floor = RELEASED - timedelta(days=400)
    assert unknown.now().quality == "rtc"
    unknown.floor = datetime.now(UTC) + timedelta(days=1)
    assert unknown.now().quality == "guess"


@pytest.mark.parametrize("shows", ["0", "1600000000", "nonsense"])
def test_a_clock_module_without_a_battery_is_not_believed(
    unknown: SystemClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shows: str
):
    (tmp_path / "rtc").write_text(shows)
    monkeypatch.setattr(clock, "RTC", tmp_path / "rtc")
    unknown.floor = RELEASED - timedelta(days=400)
    assert unknown.now().quality == "guess"


def test_what_a_person_or_the_server_said_counts_on_by_the_boots_own_clock(unknown: SystemClock):
    now = unknown.now()
    unknown.vouched = Vouched("manual", OPENING, now.boot, now.mono - 60_000)
    later = unknown.now()
    assert (later.quality, later.trusted) == ("manual", True)
    assert timedelta(seconds=60) <= later.at - OPENING < timedelta(seconds=90)


def test_what_was_said_in_another_boot_is_forgotten(unknown: SystemClock):
    unknown.vouched = Vouched("server", OPENING, "0ddb0075", 0)
    assert unknown.now().quality == "guess"
    assert Vouched.read(unknown.vouched.text()) == unknown.vouched
    assert Vouched.read("") is None


def test_the_simulated_clock_starts_where_it_is_told_and_follows_its_file(tmp_path: Path):
    file = tmp_path / "clock.json"
    set_simulated(file, OPENING, speed=60)
    follower = SimulatedClock(file)
    assert follower.now().local.strftime("%H:%M") in ("07:30", "07:31")
    set_simulated(file, OPENING + timedelta(days=40), quality="guess", boot="de000002")
    now = follower.now()
    assert (now.day - OPENING.date()).days == 40
    assert (now.trusted, now.boot) == (False, "de000002")
