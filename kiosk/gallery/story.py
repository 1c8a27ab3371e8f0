"""A scripted day in an office: the views and slips as they come about, each with a name.

The day is told once per language, and each view is taken down at its moment. A new picture is one line here, and its
sentence under [gallery] in the language files. The first word of a name is its group.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from kiosk.dossiers import Dossiers
from kiosk.gallery.scene import Scene
from kiosk.gallery.starting import start_views
from kiosk.hall import hall
from kiosk.office import Office
from kiosk.present import take
from kiosk.present.slips import slip_content
from kiosk.present.words import Words
from kiosk.printer_device import PrinterState
from kiosk.slip import SlipContent
from kiosk.store.spool import SlipFacts
from kiosk.views.model import STAFF_ICONS, View

GROUPS = ("take", "idle", "board", "rate", "start")
FACES = ("happy", "happy", "", "happy", "neutral", "happy", "", "happy", "unhappy", "")
"""What one citizen after the other presses; "" for nobody."""
ROUNDS = 8
HALL = 12
"""Counters of the large hall."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the day left behind: views, and slips on paper, by name in the order of the gallery."""

    views: dict[str, View]
    slips: dict[str, SlipContent]


def tell(office: Office, words: Words, folder: Path) -> Told:
    """Live through the day in an empty folder."""
    views: dict[str, View] = {}
    with _scene(office, words, folder / "day") as scene:
        views |= start_views(words, scene.now, folder)
        views |= _before(scene)
        views |= _morning(scene)
        views |= _keys(scene)
        slips = _slips(scene)
        views |= _counters(scene)
        views |= _closed(scene)
        views |= _next_session(scene)
        views |= _holiday(scene)
    large = hall(office, HALL)
    with _scene(large, replace(words, office=large), folder / "hall") as scene:
        views |= _hall(scene)
    ordered = sorted(views, key=lambda name: GROUPS.index(name.partition("-")[0]))
    return Told({name: views[name] for name in ordered}, slips)


@contextmanager
def _scene(office: Office, words: Words, folder: Path) -> Iterator[Scene]:
    folder.mkdir()
    scene = Scene(office, words, folder)
    try:
        yield scene
    finally:
        scene.close()


# --- the day -------------------------------------------------------------------------------------------------


def _before(scene: Scene) -> dict[str, View]:
    """Somebody comes too early."""
    opens = scene.today(scene.session.take_from)
    scene.go_to(opens, minutes=-30)
    views: dict[str, View] = {"idle-morning": scene.idle()}
    scene.press(_first(scene))
    views["take-closed"] = scene.take()
    scene.go_to(opens)
    scene.go()
    return views


def _morning(scene: Scene) -> dict[str, View]:
    """The doors open, people come and are served; in the end some wait, and it is known how long that takes."""
    counter = scene.office.counters[0].id
    views: dict[str, View] = {"take-morning": scene.take()}
    for desk in scene.office.counters:
        scene.store.counters.open(scene.now, desk.id)
    views["board-morning"] = scene.board()
    views["rate-idle"] = scene.rate(counter)
    scene.press(f"rate:{counter}:happy")
    views["rate-not-open"] = scene.rate(counter)
    for n in range(ROUNDS):
        scene.come()
        scene.serve(_length(scene) * 0.025, FACES[n:] + FACES[:n])
    return views


def _keys(scene: Scene) -> dict[str, View]:
    """What the front panel answers."""
    office, words = scene.office, scene.words
    views: dict[str, View] = {"take-busy": scene.take()}
    views["take-keys"] = scene.take_by_keys()
    views["take-staff"] = scene.take(staff=STAFF_ICONS)
    scene.press(_first(scene))
    views["take-slip"] = scene.take()
    scene.press("cancel")
    scene.press(_first(scene))
    views["take-too-fast"] = scene.take()
    scene.go()
    scene.press("priority")
    views["take-priority"] = scene.take()
    scene.press("cancel")
    views["take-cancelled"] = scene.take()
    scene.press("priority")
    scene.press(f"take:{office.services[-1].id}")
    views["take-slip-priority"] = scene.take()
    for state, name in ((PrinterState.PAPER_OUT, "take-no-paper"), (PrinterState.OFFLINE, "take-printer-error")):
        scene.go()
        scene.printer(state)
        scene.press(_first(scene))
        views[name] = scene.take()
    scene.printer(PrinterState.OK)
    scene.go()
    limited = next((service.id for service in office.services if service.quota), office.services[0].id)
    with _no_more(scene, limited):
        scene.press(f"take:{limited}")
    views["take-quota"] = scene.take()
    scene.go()
    views["take-stopped"] = replace(scene.take(), notice=take.stopped_notice(words))
    return views


def _slips(scene: Scene) -> dict[str, SlipContent]:
    """On paper: an ordinary number, one with priority, one that is printed again, and one without a phone page."""
    issuing, words = scene.store.issuing, scene.words
    services = scene.office.services
    usual, first = (issuing.issue(scene.now, services[0].id, priority=p, by="staff") for p in (False, True))
    papers = max(services, key=lambda service: len(service.papers))
    long = issuing.issue(scene.now, papers.id, by="staff")
    facts = {
        "paper-ordinary": SlipFacts(usual.ticket, usual.ahead, usual.wait, False),
        "paper-priority": SlipFacts(first.ticket, first.ahead, first.wait, False),
        "paper-long": SlipFacts(long.ticket, long.ahead, long.wait, False),
        "paper-again": SlipFacts(usual.ticket, usual.ahead, usual.wait, True),
    }
    made = {name: slip_content(words, of) for name, of in facts.items()}
    no_code = replace(words, public_url="")
    return {**made, "paper-no-code": slip_content(no_code, facts["paper-ordinary"])}


def _counters(scene: Scene) -> dict[str, View]:
    """One citizen missed the call, one is served, one is called just now, one counter pauses; one is rated."""
    counters, ids = scene.store.counters, [desk.id for desk in scene.office.counters]
    rules = scene.office.rules
    scene.come()
    for id in ids[:1]:
        counters.call_next(scene.now, id)
        scene.wait(max(rules.no_show_after_s, rules.no_show_after_priority_s) + 1)
        counters.no_show(scene.now, id)
        counters.call_next(scene.now, id)
    scene.go()
    if len(ids) > 2:
        back = scene.now.local + timedelta(minutes=30)
        counters.pause(scene.now, ids[2], scene.words.t.clock(back))
    if len(ids) > 1:
        counters.call_next(scene.now, ids[1])
    views: dict[str, View] = {"board-busy": scene.board(), "board-lost": scene.board(lost=True)}
    scene.store.dossiers.set(scene.now, _dossiers(scene.now.at))
    views["board-dossiers"] = scene.board()
    scene.store.dossiers.clear(scene.now)
    scene.go()
    for id in ids[:2]:
        if counters.counter(id).ticket:
            counters.finish(scene.now, id)
    scene.go(8)
    views["rate-ask"] = scene.rate(ids[0])
    scene.press(f"rate:{ids[0]}:happy")
    views["rate-thanks"] = scene.rate(ids[0])
    scene.go(rules.rating_replace_s + 1)
    scene.press(f"rate:{ids[0]}:happy")
    views["rate-already"] = scene.rate(ids[0])
    views["rate-lost"] = scene.rate(ids[0], lost=True)
    return views


def _closed(scene: Scene) -> dict[str, View]:
    """Numbers are no longer given, the counters finish, and the figures move."""
    scene.go_to(scene.today(scene.session.last_number), minutes=5)
    scene.press(_first(scene))
    views: dict[str, View] = {"take-session-over": scene.take()}
    scene.go_to(scene.today(scene.session.end), minutes=20)
    scene.store.ratings.publish(scene.now)
    views["idle-closed"] = scene.idle()
    return views


def _next_session(scene: Scene) -> dict[str, View]:
    """The office opens again, and the board shows what citizens thought."""
    resumes = scene.store.opening(scene.now).resumes
    if resumes is not None:
        scene.go_to(resumes, minutes=20)
        scene.come()
        for desk in scene.office.counters:
            scene.store.counters.call_next(scene.now, desk.id)
            scene.go()
    return {"board-figures": scene.board()}


def _holiday(scene: Scene) -> dict[str, View]:
    """The next day on which the office is closed for a reason; the day after is made one where none is near."""
    known = [day.day for day in scene.office.calendar if day.kind == "off" and day.day > scene.now.day]
    day = min(known, default=None)
    if day is None:
        day = scene.now.day + timedelta(days=1)
        scene.store.overrides.set_day(scene.now, day, "off", scene.words.t("gallery.holiday"))
    scene.go_to(datetime.combine(day, time(9, 30)))
    views: dict[str, View] = {"idle-holiday": scene.idle()}
    scene.press(_first(scene))
    views["take-holiday"] = scene.take()
    return views


def _hall(scene: Scene) -> dict[str, View]:
    """Twelve counters at work."""
    counters, ids = scene.store.counters, [desk.id for desk in scene.office.counters]
    for _ in range(4):
        scene.come()
    for id in ids[: len(ids) * 3 // 4]:
        counters.call_next(scene.now, id)
        scene.go(20)
    counters.pause(scene.now, ids[-1])
    return {"board-hall": scene.board()}


# --- helpers -------------------------------------------------------------------------------------------------


def _first(scene: Scene) -> str:
    return f"take:{scene.office.services[0].id}"


def _dossiers(now: datetime) -> Dossiers:
    """Figures of the day before, as an office has them late in a year."""
    return Dossiers(now - timedelta(days=1), early=2530, on_time=165, late=12, in_time=409, overdue=3)


def _length(scene: Scene) -> float:
    """Seconds in which numbers are given in the first session."""
    start, end = (datetime.combine(date.min, at) for at in (scene.session.take_from, scene.session.last_number))
    return (end - start).total_seconds()


@contextmanager
def _no_more(scene: Scene, service: str) -> Iterator[None]:
    """As if the service had given all its numbers."""
    issuing = scene.store.issuing
    book = issuing.book
    used_up = replace(book.services[service], quota={session.id: 0 for session in scene.office.sessions})
    issuing.book = replace(book, services={**book.services, service: used_up})
    try:
        yield
    finally:
        issuing.book = book
