"""The simulated appliance: what people and faults do to it, and that nothing is lost or doubled by any of it."""

import argparse
import itertools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.office import sample
from kiosk.simulator import options as demo_options
from kiosk.simulator import story
from kiosk.simulator.appliance import Appliance, Seen
from kiosk.simulator.audit import audit
from kiosk.simulator.citizens import Crowd, Pace, visits
from kiosk.simulator.demo import Choice, built, upstream_of
from kiosk.simulator.democlock import START, WRONG, DemoClock
from kiosk.simulator.folder import Folder, write_office
from kiosk.simulator.headless import drain, summary
from kiosk.store.board import ticket_by_id
from kiosk.texts import Texts
from tests.test_voice import record

WAIT_S = 15.0


def options(*arguments: str) -> argparse.Namespace:
    """Options as the command line gives them."""
    parser = argparse.ArgumentParser()
    demo_options.add_to(parser)
    return parser.parse_args([*arguments])


@contextmanager
def running(folder: Path, *arguments: str, choose: Choice = upstream_of) -> Iterator[Appliance]:
    """An appliance whose kiosk is open and has its voice; per-hour 3600 switches the limits on pressing off."""
    record(folder / "voices", Texts("vi"))
    with built(options("--headless", "--per-hour", "3600", *arguments), Folder(folder), choose) as appliance:
        assert appliance.wait_for(lambda seen: seen.running, WAIT_S), Folder(folder).log("kiosk").read_text()
        yield appliance


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Appliance]:
    """For what leaves it as it was; each test takes numbers of a service of its own."""
    with running(tmp_path_factory.mktemp("shared")) as started:
        yield started


@pytest.fixture
def appliance(tmp_path: Path) -> Iterator[Appliance]:
    with running(tmp_path) as started:
        yield started


def test_emblem_and_photos_are_copied_beside_the_demo_s_office_and_nothing_else_is(tmp_path: Path) -> None:
    there, folder = tmp_path / "office", Folder(tmp_path / "demo")
    there.mkdir()
    folder.path.mkdir()
    clerks = [replace(clerk, photo=name) for clerk, name in zip(sample().clerks, ("a.jpg", "gone.jpg"), strict=False)]
    own = replace(
        sample(), unit=replace(sample().unit, emblem="emblem.png"), clerks=(*clerks, *sample().clerks[len(clerks) :])
    )
    for name in ("emblem.png", "a.jpg", "private.txt"):
        (there / name).write_text(name)
    (there / "office.json").write_bytes(own.to_json())
    assert write_office(folder, str(there / "office.json"), limits=True) == own
    copied = {path.name: path.read_text() for path in folder.path.iterdir() if path != folder.office}
    assert copied == {"emblem.png": "emblem.png", "a.jpg": "a.jpg"}
    assert write_office(folder, str(folder.office), limits=True) == own, "a folder may be used again"
    assert (folder.path / "a.jpg").read_text() == "a.jpg"


def tap_until(appliance: Appliance, action: str, what: Callable[[Seen], bool]) -> None:
    """Tap as people do, once more when nothing came of it: the same key is not taken twice within 0.3 s."""
    assert any(appliance.tap(action) and appliance.wait_for(what, 1.5) for _ in range(int(WAIT_S)))


def take(appliance: Appliance, service: str = "ho-tich") -> dict[str, Any]:
    """Press a service key; what the kiosk then says of the number."""
    before = len(appliance.seen.taken)
    tap_until(appliance, f"take:{service}", lambda seen: len(seen.taken) > before)
    return dict(appliance.seen.taken[before])


def printed(appliance: Appliance, job: int) -> bool:
    return appliance.wait_for(lambda seen: any(done["job"] == job for done in seen.printed), WAIT_S)


def accounts(appliance: Appliance) -> dict[str, Any]:
    """Everything printed and sent, the appliance ended, the books checked."""
    assert drain(appliance) == []
    appliance.close()
    found = audit(appliance.plan.folder.path)
    assert found["problems"] == []
    return found


# --- people --------------------------------------------------------------------------------------------------


def test_a_press_gives_a_number_a_slip_and_an_event_and_a_served_citizen_rates(appliance: Appliance) -> None:
    taken = take(appliance)
    assert taken["number"] == "1001"
    assert printed(appliance, taken["job"])
    assert appliance.seen.slips == ["0001-1001"]
    tap_until(appliance, "call:1", lambda seen: seen.desks.get("1", {}).get("number") == "1001")
    tap_until(appliance, "call:1", lambda seen: seen.lamps.get("rate:1:happy", False))
    tap_until(appliance, "rate:1:happy", lambda seen: seen.figures.get("ratings", 0) > 0)
    assert accounts(appliance)["tickets"] == 1


def test_a_counter_without_pins_has_its_keys_on_the_keyboard(shared: Appliance) -> None:
    take(shared, "tra-ket-qua")
    tap_until(shared, "call:4", lambda seen: seen.desks.get("4", {}).get("state") == "called")


def test_a_touch_on_the_picture_is_a_touch_on_the_screen(shared: Appliance) -> None:
    shared.tap("cancel")  # a message of a press before would be in the tiles' place
    assert any(
        shared.touch("take", 0.17, 0.3)
        and shared.wait_for(lambda seen: "ho-tich" in [taken["service"] for taken in seen.taken], 1.0)
        for _ in range(int(WAIT_S))
    )


def test_a_priority_number_takes_two_presses(shared: Appliance) -> None:
    shared.tap("priority")
    assert take(shared, "bao-tro")["priority"]


def test_a_counter_at_which_a_person_is_signed_in_is_left_to_that_person(appliance: Appliance) -> None:
    store, now = appliance.store(), appliance.clock.follower().now()
    token, _ = store.people.sign_in(now, "nguyen-thi-a", "1", "clerk")
    take(appliance, "ho-tich")
    take(appliance, "dat-dai")
    crowd = Crowd(appliance, 1, seed=1).start()  # nobody else comes: two citizens wait, for counters 1 and 2
    try:
        assert appliance.wait_for(lambda seen: "2" in seen.desks, WAIT_S)
        assert "1" not in appliance.seen.desks
        store.people.sign_out(now, token)
        assert appliance.wait_for(lambda seen: "1" in seen.desks, WAIT_S)
    finally:
        crowd.stop()
        store.close()


def test_a_seed_brings_the_same_citizens_again() -> None:
    def first(seed: int) -> list[Any]:
        return list(itertools.islice(visits(random.Random(seed), Pace.of(40, 4), ["a", "b", "c"]), 50))

    assert first(1) == first(1) != first(2)
    hour = itertools.islice(visits(random.Random(1), Pace.of(40, 4), ["a"]), 4000)
    assert sum(visit.after for visit in hour) / 3600 == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize("per_hour", [1, 40, 400, 3600])
def test_the_office_keeps_up_with_its_citizens(per_hour: int) -> None:
    pace = Pace.of(per_hour, counters=4)
    assert pace.service + pace.walk <= 4 * pace.between
    assert pace.service <= 300


def test_the_first_citizen_presses_again_when_a_busy_kiosk_dropped_the_press_and_nothing_is_told_that_was_not(
    appliance: Appliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "TRIES", 2)
    monkeypatch.setattr(story, "TRY_S", 0.3)
    tap = appliance.tap
    monkeypatch.setattr(appliance, "tap", lambda action: True)
    said: list[str] = []
    assert story.Story(appliance, said.append).start().wait()
    assert [line[10:] for line in said] == ["nothing came of the key take:ho-tich: see the screens on the page"]

    monkeypatch.setattr(story, "TRY_S", WAIT_S)
    pressed: list[str] = []
    monkeypatch.setattr(
        appliance, "tap", lambda action: bool(pressed.append(action)) or (len(pressed) > 1 and tap(action))
    )
    said.clear()
    assert story.Story(appliance, said.append).start().wait()
    assert pressed[:2] == ["take:ho-tich"] * 2
    assert [
        word for line in said for word in ("number 1001", "called to", "served at", "rated at") if word in line
    ] == [
        "number 1001",
        "called to",
        "served at",
        "rated at",
    ]


# --- faults --------------------------------------------------------------------------------------------------


def jobs(appliance: Appliance, where: str) -> list[int]:
    """Ids of the print jobs of which this is true."""
    store = appliance.store()
    try:
        return [row["id"] for row in store.database.rows(f"SELECT id FROM jobs WHERE {where}")]
    finally:
        store.close()


def test_a_power_cut_with_a_slip_under_way_loses_no_number_and_prints_it_again(appliance: Appliance) -> None:
    first = take(appliance)
    assert printed(appliance, first["job"])
    appliance.set_fault("slow", True)
    under_way = take(appliance, "chung-thuc")
    until = time.monotonic() + WAIT_S
    while jobs(appliance, "state = 'sending'") != [under_way["job"]]:
        assert time.monotonic() < until
    appliance.set_fault("power", True)
    assert not appliance.seen.running
    assert not appliance.tap("take:ho-tich"), "a key of a kiosk without power does nothing"
    appliance.set_fault("slow", False)
    appliance.set_fault("power", False)
    assert appliance.wait_for(lambda seen: seen.running, WAIT_S)
    assert printed(appliance, under_way["job"])
    assert jobs(appliance, "copy > 0 AND state = 'done'") == [under_way["job"]], "it says IN LẠI"
    assert [take(appliance)["number"], take(appliance, "chung-thuc")["number"]] == ["1002", "2002"]
    assert accounts(appliance)["tickets"] == 4


def test_a_kiosk_that_crashes_is_started_again_and_goes_on(appliance: Appliance) -> None:
    take(appliance)
    appliance.crash()
    assert appliance.wait_for(lambda seen: not seen.running, WAIT_S)
    assert appliance.wait_for(lambda seen: seen.running, WAIT_S)
    assert take(appliance)["number"] == "1002"
    accounts(appliance)


@pytest.mark.parametrize("fault", ["unplugged", "paper_out"])
def test_numbers_given_while_nothing_prints_come_out_when_it_prints_again(appliance: Appliance, fault: str) -> None:
    appliance.set_fault(fault, True)
    taken = [take(appliance), take(appliance, "dat-dai")]
    assert appliance.wait_for(lambda seen: seen.printer in ("offline", "paper_out"), WAIT_S)
    assert appliance.seen.slips == []
    appliance.set_fault(fault, False)
    assert all(printed(appliance, one["job"]) for one in taken)
    assert accounts(appliance)["slips"] >= 2


def test_events_wait_while_the_network_is_cut_and_arrive_when_it_is_back(appliance: Appliance) -> None:
    assert appliance.wait_for(lambda seen: seen.figures.get("waiting") == 0, WAIT_S)
    appliance.set_fault("network", True)
    received = appliance.seen.figures["received"]
    take(appliance)
    assert appliance.wait_for(lambda seen: seen.server == "offline" and seen.figures["waiting"] > 0, WAIT_S)
    assert appliance.seen.figures["received"] == received
    appliance.set_fault("network", False)
    assert appliance.wait_for(lambda seen: seen.figures["received"] > received, WAIT_S)
    accounts(appliance)


def test_numbers_go_on_while_the_clock_is_wrong(appliance: Appliance) -> None:
    take(appliance)
    take(appliance, "chung-thuc")
    appliance.set_fault("clock", True)
    wrong = take(appliance, "dat-dai")
    store = appliance.store()
    ticket = ticket_by_id(store.database, wrong["ticket"])
    store.close()
    assert ticket
    assert not ticket.trusted
    assert ticket.issued_at.astimezone(WRONG.tzinfo).date() == WRONG.date()
    assert take(appliance)["number"] == "1002"
    appliance.set_fault("clock", False)
    assert take(appliance, "chung-thuc")["number"] == "2002"
    assert take(appliance, "dat-dai")["number"] == "3002"
    accounts(appliance)


def test_a_fault_that_cannot_be_made_is_refused(shared: Appliance) -> None:
    with pytest.raises(ValueError, match="earthquake"):
        shared.set_fault("earthquake", True)


def test_a_folder_that_was_used_before_goes_on_where_it_was(tmp_path: Path) -> None:
    with running(tmp_path, "--speed", "60") as appliance:
        assert printed(appliance, take(appliance)["job"])
        accounts(appliance)
    with running(tmp_path) as appliance:
        assert appliance.clock.now() > START + timedelta(seconds=20), "it began at half past seven again"
        second = take(appliance)
        assert printed(appliance, second["job"])
        assert (second["number"], appliance.seen.slips) == ("1002", ["0001-1001", "0002-1002"])
        accounts(appliance)


# --- parts ---------------------------------------------------------------------------------------------------


def test_the_clock_goes_wrong_and_right_again_and_its_monotonic_time_never_jumps(tmp_path: Path) -> None:
    clock = DemoClock(tmp_path / "clock.json", speed=60)
    follower = clock.follower()
    first = follower.now()
    assert timedelta(0) <= first.at - START < timedelta(minutes=5)
    assert (first.quality, first.trusted) == ("ntp", True)
    clock.set_wrong(True)
    wrong = follower.now()
    assert wrong.at < START - timedelta(days=300)
    assert not wrong.trusted
    clock.set_speed(1)
    clock.set_wrong(False)
    right = follower.now()
    assert right.trusted
    assert right.at >= first.at
    assert first.mono <= wrong.mono <= right.mono
    assert first.boot == wrong.boot == right.boot
    clock.boot()
    assert follower.now().boot != right.boot


def test_times_are_summed_up_by_median_and_99th_percentile() -> None:
    assert summary([]) is None
    assert summary([5.0]) == {"median": 5.0, "p99": 5.0}
    assert summary([float(n) for n in range(1, 201)]) == {"median": 100.5, "p99": 199.0}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_people_under_a_storm_of_faults_lose_nothing(appliance: Appliance, seed: int) -> None:
    rng = random.Random(seed)
    crowd = Crowd(appliance, 7200, seed).start()
    for _ in range(12):
        fault = rng.choice(appliance.possible_faults())
        appliance.set_fault(fault, True)
        appliance.wait_for(lambda seen: False, rng.uniform(0.1, 1.5))
        appliance.set_fault(fault, False)
        appliance.wait_for(lambda seen: False, rng.uniform(0.1, 0.8))
    assert appliance.wait_for(lambda seen: seen.running, WAIT_S)
    crowd.stop()
    assert accounts(appliance)["tickets"] > 5
