"""What no single key of the office document can know: twins, references to nothing, overlapping sessions, label sets.

Each rule reports to the reader where its mistake stands. It reads no file; what a key alone may be is declared in
`office`.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from kiosk import texts
from kiosk.schema import Place, Reader, near

if TYPE_CHECKING:
    from kiosk.office import CalendarDay, Level, Office, Session

MOST_PAPERS = 12
MOST_SERVICES = 8
"""Field groups, not procedures: more do not fit on the screen in letters that can be read from a distance."""
MOST_COUNTERS = 16
MOST_LEVELS = 5


def check(office: "Office", reader: Reader) -> None:
    """Report all that does not fit together in a document whose keys were read one by one."""
    _check_twins(office, reader)
    _check_references(office, reader)
    _check_services(office, reader)
    _check_sessions(office, reader)
    for at, day in enumerate(office.calendar, 1):
        _check_day(day, office, reader, at)
    for at, labels in enumerate(office.label_sets, 1):
        _check_levels(labels.levels, reader, at)
    for name, wrong in texts.override_problems(office.texts).items():
        if wrong is None:
            known = near(name, texts.sentences("vi"))
            reader.add(("texts", name), "there is no such sentence.", "no_sentence", gan=known)
        else:
            value, there = wrong
            says = f"{{{value}}} is no value of this sentence, which has: {there or 'none'}"
            reader.add(("texts", name), says, "no_value", ten=f"{{{value}}}", co=there or "none")


def _check_twins(office: "Office", reader: Reader) -> None:
    """Nothing that is looked up by its id, or told apart by its name, may be there twice."""
    lists: dict[str, Sequence[Any]] = {
        name: getattr(office, name) for name in ("services", "counters", "clerks", "label_sets", "sessions")
    }
    for name, items in lists.items():
        _check_unique(reader, name, "id", items, [item.id for item in items])
    services, counters = office.services, office.counters
    _check_unique(reader, "services", "digit", services, [service.digit for service in services])
    _check_unique(reader, "services", "name", services, [service.name.casefold() for service in services])
    _check_unique(reader, "counters", "label", counters, [counter.label.casefold() for counter in counters])
    _check_unique(reader, "calendar", "day", office.calendar, [day.day for day in office.calendar])


def _check_unique(reader: Reader, table: str, name: str, items: Sequence[Any], found: Sequence[Hashable]) -> None:
    for at, value in enumerate(found, 1):
        first = found.index(value) + 1
        if first < at and reader.sound(table, first, name):
            called = _called(items[first - 1])
            reader.add((table, at, name), f'is the same as that of "{called}" ({first})', "twin", ten=called, thu=first)


def _called(item: Any) -> str:
    """What people call an item of the document."""
    return str(next(word for key in ("name", "label", "day") if (word := getattr(item, key, None)) is not None))


def _check_references(office: "Office", reader: Reader) -> None:
    for at, counter in enumerate(office.counters, 1):
        _check_known(reader, ("counters", at, "services"), counter.services, "services", office.services)
        seated = [counter.clerk] if counter.clerk else []
        _check_known(reader, ("counters", at, "clerk"), seated, "clerks", office.clerks)
    for at, service in enumerate(office.services, 1):
        _check_known(reader, ("services", at, "quota"), service.quota, "sessions", office.sessions)
    for at, day in enumerate(office.calendar, 1):
        _check_known(reader, ("calendar", at, "sessions"), day.sessions, "sessions", office.sessions)
    _check_known(reader, ("rules", "label_set"), [office.rules.label_set], "label_sets", office.label_sets)


def _check_known(reader: Reader, place: Place, names: Iterable[str], table: str, items: Sequence[Any]) -> None:
    if not all(reader.sound(table, at, "id") for at in range(1, len(items) + 1)) or (table,) in reader.places():
        return  # the id that is missed here is the one that is wrong there
    known = [item.id for item in items]
    missed = [name for name in names if name not in known]
    if missed:
        words = ", ".join(f'"{name}"' for name in missed)
        meant = next((word for name in missed if (word := near(name, known))), "")
        reader.add(place, f"not in [{table}]: {words}.", "not_in", ten=words, bang=table, gan=meant)


def _check_services(office: "Office", reader: Reader) -> None:
    for name, items, most in (
        ("services", office.services, MOST_SERVICES),
        ("counters", office.counters, MOST_COUNTERS),
        ("sessions", office.sessions, 9),
        ("label_sets", office.label_sets, 99),
    ):
        _check_count(reader, (name,), items, 1, most)
    served = {name for counter in office.counters for name in counter.services}
    for at, service in enumerate(office.services, 1):
        if len(service.papers) > MOST_PAPERS:
            says = f"more than {MOST_PAPERS} do not fit on a slip"
            reader.add(("services", at, "papers"), says, "papers", n=MOST_PAPERS)
        if service.id not in served and reader.sound("counters"):
            reader.add(("services", at, "id"), "no counter serves it: its numbers would never be called", "unserved")
        if service.valid_from and service.valid_to and service.valid_to < service.valid_from:
            reader.add(("services", at, "valid_to"), "is before valid_from", "before_from")


def _check_count(reader: Reader, place: Place, items: Sequence[Any], least: int, most: int) -> None:
    if not least <= len(items) <= most:
        says = f"there are {len(items)}: from {least} to {most} can be used"
        reader.add(place, says, "count", co=len(items), tu=least, den=most)


def _check_sessions(office: "Office", reader: Reader) -> None:
    for at, session in enumerate(office.sessions, 1):
        if not reader.sound("sessions", at):
            continue
        if not session.start < session.end:
            reader.add(("sessions", at, "end"), "is not after start", "end_first")
        elif not session.take_from < session.last_number <= session.end:
            says = "must be after take_from and not after end"
            reader.add(("sessions", at, "last_number"), says, "last_number")
        for before, other in enumerate(office.sessions[: at - 1], 1):
            same_day = set(session.weekdays) & set(other.weekdays)
            if same_day and _overlap(session, other) and reader.sound("sessions", at):
                says = f'overlaps with sessions {before} "{other.name}"'
                reader.add(("sessions", at, "start"), says, "overlap", thu=before, ten=other.name)


def _overlap(one: "Session", other: "Session") -> bool:
    first, second = sorted((one, other), key=lambda session: session.start)
    return second.start < first.end or second.take_from < first.last_number


def _check_day(day: "CalendarDay", office: "Office", reader: Reader, at: int) -> None:
    if day.kind == "off" and day.sessions:
        reader.add(("calendar", at, "sessions"), "an off day has none: choose half or work", "off_sessions")
    if day.kind == "off" and not day.reason:
        reader.add(("calendar", at, "reason"), "say why the office is closed: citizens read it", "off_reason")
    if not reader.sound("sessions") or not reader.sound("calendar", at):
        return
    held = [session for session in office.sessions if session in office.hours().on(day.day)]
    clash = [(a, b) for n, a in enumerate(held) for b in held[n + 1 :] if _overlap(a, b)]
    if clash:
        one, other = clash[0]
        # Sessions of different weekdays may have one name; the text wants their ids.
        mot, hai = (f"{each.name} ({each.id})" for each in (one, other))
        says = f"{mot} and {hai} overlap: name the sessions of this day"
        reader.add(("calendar", at, "sessions"), says, "day_overlap", mot=mot, hai=hai)


def _check_levels(levels: Sequence["Level"], reader: Reader, at: int) -> None:
    place = ("label_sets", at, "levels")
    good = [level.value for level in levels if level.satisfied]
    poor = [level.value for level in levels if not level.satisfied]
    if not reader.sound(*place):
        return
    _check_count(reader, place, levels, 2, MOST_LEVELS)
    if len({level.value for level in levels}) < len(levels) or len({level.face for level in levels}) < len(levels):
        reader.add(place, "value and face must differ from level to level", "levels_differ")
    elif any(level.satisfied and level.face not in ("very_happy", "happy") for level in levels):
        reader.add(place, "only the faces happy and very_happy can count as satisfied", "levels_faces")
    elif not good or not poor or min(good) < max(poor):
        says = "some levels must count as satisfied and some, with lower values, must not"
        reader.add(place, says, "levels_split")
