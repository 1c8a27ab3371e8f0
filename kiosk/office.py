# ruff: noqa: RUF009 - `key` is our `dataclasses.field`
"""The office document: unit, site, services, counters, clerks, label sets, sessions, calendar, rules, sentences.

Data of the office, not of the device: the same document fits twenty kiosks. A TOML file at first, later the same keys
as JSON from the server. It knows no pins, no clock and no database.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from kiosk import documents, hours, rating, texts, tickets
from kiosk.rulebook import DeskRule, Rulebook, ServiceRule
from kiosk.schema import Check, Place, Reader, between, key, matches, nearest, one_of

FORMAT = 1
ROLES = ("clerk", "helper", "leader", "technician")
FACES = ("very_happy", "happy", "neutral", "unhappy", "very_unhappy")
THREE_KEYS = ("happy", "neutral", "unhappy")
ICONS = (
    *("people", "stamp", "house", "heart", "document", "question"),
    *("star", "cane", "speech", "leaf", "coin", "shield"),
)
COLOURS = ("blue", "green", "red", "purple", "orange", "slate", "teal", "pink")
MOST_PAPERS = 12
MOST_SERVICES = 8
"""Field groups, not procedures: more do not fit on the screen in letters that can be read from a distance."""
MOST_LEVELS = 5

ID = matches(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", "lower-case letters a–z, digits and hyphens, at most 32")
COUNTER_ID = matches(r"[1-9]|1[0-6]", "1 to 16")
NAME = matches(r"\S(?:.*\S)?", "text without spaces around it")
FILE_NAME = matches(
    r"|[\w-][\w.-]*\.(?i:png|jpe?g|webp|bmp|gif|tiff?)",
    "empty, or the bare name of a .png, .jpg, .webp, .bmp, .gif or .tif file",
)
PHONE = matches(r"\+?[0-9](?:[0-9 .-]{1,18}[0-9])", "digits, with spaces, dots or hyphens between them")
LINK = matches(r"(?:https?://|mailto:)[^\s@]+(?:@[^\s@]+)?", "an address that starts with https:// or mailto:")


def _legible(colour: str) -> bool:
    """A known name, or a colour on which white stands out by 4.5:1 (WCAG 2.1, success criterion 1.4.3)."""
    if colour in COLOURS:
        return True
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        return False
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5


COLOUR = Check(f"{', '.join(COLOURS)}, or #rrggbb that is dark enough to read white on it", _legible, COLOURS)


OWN_COLOUR = matches(r"|#[0-9a-fA-F]{6}", "empty, or #rrggbb")


@dataclass(frozen=True, slots=True)
class Unit:
    """The commune (xã, phường, đặc khu). Units merge and get new names, so all of it is data with a date."""

    code: str = key("official code of the unit", check=matches(r"[0-9A-Za-z.-]{1,20}", "letters, digits, . and -"))
    name: str = key('full name, as "xã Mẫu"', check=NAME)
    short: str = key('short name for headings, as "UBND xã Mẫu"', "")
    head1: str = key("first line of slips and reports", "")
    head2: str = key("second line of slips and reports", "")
    valid_from: date | None = key("day from which name and code are valid", None)
    emblem: str = key("file name of the emblem, beside this document; empty draws one", "", FILE_NAME)


@dataclass(frozen=True, slots=True)
class Site:
    """A reception point (điểm tiếp nhận); kiosks and numbers belong to it."""

    id: str = key("id of the reception point", check=ID)
    name: str = key("name of the reception point", check=NAME)


@dataclass(frozen=True, slots=True)
class Service:
    """A field group (lĩnh vực) with a queue of its own."""

    id: str = key("id; keys and events refer to it", check=ID)
    digit: str = key(
        "first character of its numbers", check=matches("[0-9A-Z]", "one digit or capital letter, in quotes")
    )
    name: str = key("name on screens and slips", check=NAME)
    short: str = key("short name for narrow places; empty = name", "")
    hint: str = key("what belongs to it, one line", "")
    icon: str = key("picture on the key", "document", one_of(*ICONS))
    colour: str = key("colour of the key", "blue", COLOUR)
    papers: tuple[str, ...] = key("papers to prepare, printed on the slip", (), NAME)
    quota: Mapping[str, int] = key(
        "most numbers per session id; a session without one has no limit", {}, between(0, 9999), ID
    )
    name_en: str = key("name in English", "")
    short_en: str = key("short name in English; empty = name_en", "")
    hint_en: str = key("hint in English", "")
    valid_from: date | None = key("first day on which it is offered", None)
    valid_to: date | None = key("last day on which it is offered", None)

    def offered(self, day: date) -> bool:
        """Whether numbers for it are given on this day at all."""
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who works in the office: at a counter (công chức), at the help desk, as its leader or technician."""

    id: str = key("id; ratings refer to it", check=ID)
    name: str = key("full name", check=NAME)
    title: str = key("position, as “Công chức Tư pháp – Hộ tịch”", "")
    photo: str = key("file name of the photo, beside this document; empty draws a portrait", "", FILE_NAME)
    roles: tuple[str, ...] = key("what the console lets this person do", ("clerk",), one_of(*ROLES))


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter (quầy) and what it serves."""

    id: str = key("number of the counter", check=COUNTER_ID)
    label: str = key("what is shown and said after “Quầy”, usually the number", check=NAME)
    services: tuple[str, ...] = key("ids of the services that it serves", check=ID)
    clerk: str = key("id of the clerk who sits there unless somebody signs in; empty = nobody", "")


@dataclass(frozen=True, slots=True)
class Level:
    """One answer of a label set."""

    value: int = key("what is stored; the highest is the best", check=between(1, 9))
    text: str = key("label in Vietnamese", check=NAME)
    text_en: str = key("label in English", check=NAME)
    face: str = key("which face is drawn", check=one_of(*FACES))
    satisfied: bool = key("whether it counts as satisfied")


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The answers of one question (bộ nhãn). Figures of two sets are never added up."""

    id: str = key("id; stored with every rating", check=ID)
    name: str = key("name in settings and reports", check=NAME)
    levels: tuple[Level, ...] = key("the answers, the best first")
    valid_from: date | None = key("day from which it is used", None)

    def level(self, value: int) -> Level | None:
        """The level with this stored value."""
        return next((level for level in self.levels if level.value == value), None)

    def keyed(self) -> dict[str, Level]:
        """Levels by the rating key that stands for them, the best first.

        Three levels go by rank on the three keys of a counter (best = happy); in other sets a level's key is its face.
        """
        ranked = sorted(self.levels, key=lambda level: -level.value)
        keys = THREE_KEYS if len(ranked) == len(THREE_KEYS) else [level.face for level in ranked]
        return dict(zip(keys, ranked, strict=True))

    def by_key(self, name: str) -> Level | None:
        """The level that a rating key stands for, None for a key that this set does not use."""
        return self.keyed().get(name)


@dataclass(frozen=True, slots=True)
class Session(hours.Session):
    """A half of the working day (buổi); all times are the office's wall clock."""

    id: str = key("id; quotas and the calendar refer to it", check=ID)
    name: str = key("name, as “Sáng”", check=NAME)
    name_en: str = key("name in English, as “Morning”", "")
    start: time = key("when the counters open")
    end: time = key("when the counters close")
    take_from: time = key("from when numbers are given")
    last_number: time = key("from when no more numbers are given")
    weekdays: tuple[int, ...] = key("days of the week, 0 = Monday … 6 = Sunday", (0, 1, 2, 3, 4), between(0, 6))


@dataclass(frozen=True, slots=True)
class CalendarDay(hours.CalendarDay):
    """A day that differs from its weekday."""

    day: date = key("the day")
    kind: Literal["off", "work", "half"] = key("off, work, or half", check=one_of("off", "work", "half"))
    reason: str = key("why, as citizens read it; needed for off", "")
    sessions: tuple[str, ...] = key("ids of the sessions; none = all for work, the first for half", (), ID)


@dataclass(frozen=True, slots=True)
class Hotline:
    """A telephone number for citizens (đường dây nóng)."""

    name: str = key("whose number it is", check=NAME)
    number: str = key("the number", check=PHONE)


@dataclass(frozen=True, slots=True)
class Look:
    """The office's own colours on every screen; empty keeps the kiosk's."""

    colour: str = key("colour of the band, of labels and buttons", "", OWN_COLOUR)
    accent: str = key("colour of lines and of what is newest", "", OWN_COLOUR)


@dataclass(frozen=True, slots=True)
class Channel:
    """Another way to send feedback; a line of the ticker."""

    kind: str = key("what it is", check=one_of("zalo", "facebook", "email", "web", "portal", "other"))
    name: str = key("name as shown", check=NAME)
    url: str = key("its address", check=LINK)

    @property
    def address(self) -> str:
        """As people write it down."""
        return self.url.removeprefix("https://").removeprefix("mailto:").rstrip("/")


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings of the queue and of the rating."""

    numbering: str = key("when numbers start again at 1", "day", one_of("day", "session"))
    priority: str = key("priority in turns with ordinary tickets, or always first", "turns", one_of("turns", "strict"))
    ageing_min: int = key("minutes after which an ordinary ticket goes before priority ones", 30, between(1, 240))
    no_show_after_s: int = key("seconds from the first call to the earliest no-show", 120, between(0, 3600))
    no_show_after_priority_s: int = key("the same for a priority ticket", 180, between(0, 3600))
    recall_gap_s: int = key("least seconds between two calls of a number", 30, between(0, 600))
    recall_max: int = key("most calls of a number", 3, between(1, 10))
    rejoin_wait_min: int = key("minutes before a number that missed its turn is offered again", 5, between(0, 120))
    rejoin_behind: int = key("how many stand before a number that comes back", 2, between(0, 20))
    implied_start_s: int = key("seconds after the call when the service counts as started", 15, between(0, 600))
    undo_s: int = key("seconds in which a step at the counter can be undone", 5, between(0, 60))
    cooldown_s: float = key("least seconds between two numbers from the keys", 1.5, between(0, 10))
    per_minute: int = key("most numbers a minute from the keys", 40, between(1, 600))
    press_limits: bool = key("whether cool-down and numbers a minute are limited", True)
    wait_min_sample: int = key("fewest finished services before a waiting time is shown", 5, between(1, 100))
    priority_choose_s: int = key("seconds to choose a service after the priority key", 15, between(5, 60))
    rating_window_s: int = key("seconds in which the rating keys are armed", 60, between(10, 600))
    rating_replace_s: int = key("seconds in which another press replaces the first", 5, between(0, 30))
    rating_min: int = key("fewest new ratings before figures move", 5, between(5, 100))
    label_set: str = key("id of the label set that is asked", "smile", ID)
    free_rating: bool = key("rating without calls: a press counts for the clerk at the counter", False)
    free_interval_s: int = key("least seconds between two ratings of a counter in free mode", 5, between(1, 60))
    ask_reasons: bool = key("whether a rating tablet asks for reasons, after every face", False)
    address: str = key("how citizens are addressed in Vietnamese", "Ông/Bà", one_of("Ông/Bà", "Quý khách", "Bạn"))
    priority_who: str = key("whom the priority key is for; empty = the usual sentence", "")
    dossiers_stale_h: int = key("hours after which dossier figures are shown in grey", 72, between(1, 2160))

    def policy(self) -> tickets.Policy:
        """The part that the queue rules look at."""
        return tickets.Policy(**{f.name: getattr(self, f.name) for f in dataclasses.fields(tickets.Policy)})

    def rating_policy(self) -> rating.RatingPolicy:
        """The part that the rating rules look at."""
        return rating.RatingPolicy(**{f.name: getattr(self, f.name) for f in dataclasses.fields(rating.RatingPolicy)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The whole document. Ids are unique, references point to something, sessions do not overlap: `load` saw to it."""

    format: int = key("format of this document", FORMAT, Check("1 (a newer one needs a newer kiosk)", FORMAT.__eq__))
    version: int = key("raised by one with every change", check=between(1, 10**9))
    unit: Unit = key("the commune")
    site: Site = key("the reception point")
    services: tuple[Service, ...] = key("field groups, in the order of the keys")
    counters: tuple[Counter, ...] = key("counters, at most 16")
    clerks: tuple[Clerk, ...] = key("people who work at the counters", ())
    label_sets: tuple[LabelSet, ...] = key("label sets of the rating")
    sessions: tuple[Session, ...] = key("sessions of the working days")
    calendar: tuple[CalendarDay, ...] = key("days that differ from their weekday", ())
    rules: Rules = key("settings of queue and rating", Rules())
    texts: Mapping[str, str] = key("own sentences in place of the kiosk's", {})
    slogans: tuple[str, ...] = key("lines of the ticker", (), NAME)
    hotlines: tuple[Hotline, ...] = key("telephone numbers for citizens; the first is on the slip", ())
    channels: tuple[Channel, ...] = key("other ways to send feedback", ())
    look: Look = key("the office's own colours", Look())

    def service(self, id: str) -> Service | None:
        """The service with this id; None for one that an older document had."""
        return next((service for service in self.services if service.id == id), None)

    def counter(self, id: str) -> Counter | None:
        return next((counter for counter in self.counters if counter.id == id), None)

    def clerk(self, id: str) -> Clerk | None:
        return next((clerk for clerk in self.clerks if clerk.id == id), None)

    def label_set(self, id: str = "") -> LabelSet | None:
        """The label set with this id; without one, the set that is asked now."""
        return next((labels for labels in self.label_sets if labels.id == (id or self.rules.label_set)), None)

    def hours(self) -> hours.Hours:
        """Sessions and calendar in the form that the opening hours look at."""
        ordered = tuple(sorted(self.sessions, key=lambda session: session.start))
        return hours.Hours(ordered, {day.day: day for day in self.calendar})

    def rulebook(self) -> Rulebook:
        """What the store must know of the office."""
        return Rulebook(
            hours=self.hours(),
            services={s.id: ServiceRule(s.id, s.digit, s.quota) for s in self.services},
            desks={c.id: DeskRule(c.id, c.services, c.clerk) for c in self.counters},
            policy=self.rules.policy(),
            rating=self.rules.rating_policy(),
            label_set=self.rules.label_set,
            satisfied={
                labels.id: frozenset(level.value for level in labels.levels if level.satisfied)
                for labels in self.label_sets
            },
            numbering=self.rules.numbering,
        )

    @property
    def sha256(self) -> str:
        """Fingerprint of the content, the same for TOML and JSON; `office.applied` carries it."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        """The document as the server exchanges it: UTF-8, keys sorted, every value written out."""
        return json.dumps(documents.plain(self), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes, file: str = "office.json") -> Self:
        """The other way, with the same checks as a file. Raises DocumentError."""
        return cls._read(documents.parse(data, file), file)

    @classmethod
    def _read(cls, plain: Mapping[str, Any], file: str) -> Self:
        reader = Reader(file)
        office = reader.table(cls, plain)
        _check(office, reader)
        reader.finish()
        return office


def load(path: Path | str) -> Office:
    """The office document in a TOML or JSON file. Raises DocumentError with everything that is wrong in it."""
    return Office._read(documents.parse_file(Path(path)), str(path))


def sample() -> Office:
    """The office that stands in until a real one is configured: xã Mẫu."""
    file = resources.files("kiosk.assets") / "office.sample.toml"
    return Office._read(documents.parse(file.read_bytes(), file.name), file.name)


# --- what no single key can know ------------------------------------------------------------------------------


def _check(office: Office, reader: Reader) -> None:
    _check_twins(office, reader)
    _check_references(office, reader)
    _check_services(office, reader)
    _check_sessions(office, reader)
    for at, day in enumerate(office.calendar, 1):
        _check_day(day, office, reader, at)
    for at, labels in enumerate(office.label_sets, 1):
        _check_levels(labels.levels, reader, at)
    for name, message in texts.override_problems(office.texts).items():
        reader.add(
            ("texts", name), message + ("." + nearest(name, texts.sentences("vi")) if "no such" in message else "")
        )


def _check_twins(office: Office, reader: Reader) -> None:
    """Nothing that is looked up by its id, or told apart by its name, may be there twice."""
    lists: dict[str, Iterable[Any]] = {
        name: getattr(office, name) for name in ("services", "counters", "clerks", "label_sets", "sessions")
    }
    for name, items in lists.items():
        _check_unique(reader, name, "id", [item.id for item in items])
    _check_unique(reader, "services", "digit", [service.digit for service in office.services])
    _check_unique(reader, "services", "name", [service.name.casefold() for service in office.services])
    _check_unique(reader, "counters", "label", [counter.label.casefold() for counter in office.counters])
    _check_unique(reader, "calendar", "day", [day.day for day in office.calendar])


def _check_unique(reader: Reader, table: str, name: str, found: Sequence[Hashable]) -> None:
    for at, value in enumerate(found, 1):
        first = found.index(value) + 1
        if first < at and reader.sound(table, first, name):
            reader.add((table, at, name), f"is the same as in {table} {first}")


def _check_references(office: Office, reader: Reader) -> None:
    for at, counter in enumerate(office.counters, 1):
        _check_known(reader, ("counters", at, "services"), counter.services, "services", office.services)
        _check_known(
            reader, ("counters", at, "clerk"), [counter.clerk] if counter.clerk else [], "clerks", office.clerks
        )
    for at, service in enumerate(office.services, 1):
        _check_known(reader, ("services", at, "quota"), service.quota, "sessions", office.sessions)
    for at, day in enumerate(office.calendar, 1):
        _check_known(reader, ("calendar", at, "sessions"), day.sessions, "sessions", office.sessions)
    _check_known(reader, ("rules", "label_set"), [office.rules.label_set], "label_sets", office.label_sets)


def _check_known(reader: Reader, place: Place, names: Iterable[str], table: str, items: Sequence[Any]) -> None:
    if not all(reader.sound(table, at, "id") for at in range(1, len(items) + 1)) or (table,) in reader.places():
        return  # the id that is missed here is the one that is wrong there
    known = [item.id for item in items]
    lines = [f'"{name}" is not among the {table}.{nearest(name, known)}' for name in names if name not in known]
    if lines:
        reader.add(place, " ".join(lines))


def _check_services(office: Office, reader: Reader) -> None:
    for name, items, most in (
        ("services", office.services, MOST_SERVICES),
        ("counters", office.counters, 16),
        ("sessions", office.sessions, 9),
        ("label_sets", office.label_sets, 99),
    ):
        if not 1 <= len(items) <= most:
            reader.add((name,), f"there are {len(items)}: from 1 to {most} can be used")
    served = {name for counter in office.counters for name in counter.services}
    for at, service in enumerate(office.services, 1):
        if len(service.papers) > MOST_PAPERS:
            reader.add(("services", at, "papers"), f"more than {MOST_PAPERS} do not fit on a slip")
        if service.id not in served and reader.sound("counters"):
            reader.add(("services", at, "id"), "no counter serves it: its numbers would never be called")
        if service.valid_from and service.valid_to and service.valid_to < service.valid_from:
            reader.add(("services", at, "valid_to"), "is before valid_from")


def _check_sessions(office: Office, reader: Reader) -> None:
    for at, session in enumerate(office.sessions, 1):
        if not reader.sound("sessions", at):
            continue
        if not session.start < session.end:
            reader.add(("sessions", at, "end"), "is not after start")
        elif not session.take_from < session.last_number <= session.end:
            reader.add(("sessions", at, "last_number"), "must be after take_from and not after end")
        for before, other in enumerate(office.sessions[: at - 1], 1):
            if (
                set(session.weekdays) & set(other.weekdays)
                and _overlap(session, other)
                and reader.sound("sessions", at)
            ):
                reader.add(("sessions", at, "start"), f'overlaps with sessions {before} "{other.id}"')


def _overlap(one: Session, other: Session) -> bool:
    first, second = sorted((one, other), key=lambda session: session.start)
    return second.start < first.end or second.take_from < first.last_number


def _check_day(day: CalendarDay, office: Office, reader: Reader, at: int) -> None:
    if day.kind == "off" and day.sessions:
        reader.add(("calendar", at, "sessions"), "an off day has none: choose half or work")
    if day.kind == "off" and not day.reason:
        reader.add(("calendar", at, "reason"), "say why the office is closed: citizens read it")
    if not reader.sound("sessions") or not reader.sound("calendar", at):
        return
    held = [session for session in office.sessions if session in office.hours().on(day.day)]
    clash = [(a.id, b.id) for n, a in enumerate(held) for b in held[n + 1 :] if _overlap(a, b)]
    if clash:
        reader.add(
            ("calendar", at, "sessions"), f"{clash[0][0]} and {clash[0][1]} overlap: name the sessions of this day"
        )


def _check_levels(levels: Sequence[Level], reader: Reader, at: int) -> None:
    place = ("label_sets", at, "levels")
    good = [level.value for level in levels if level.satisfied]
    poor = [level.value for level in levels if not level.satisfied]
    if not reader.sound(*place):
        return
    if not 2 <= len(levels) <= MOST_LEVELS:
        reader.add(place, f"there are {len(levels)}: from 2 to {MOST_LEVELS} can be shown")
    elif len({level.value for level in levels}) < len(levels) or len({level.face for level in levels}) < len(levels):
        reader.add(place, "value and face must differ from level to level")
    elif any(level.satisfied and level.face not in ("very_happy", "happy") for level in levels):
        reader.add(place, "only the faces happy and very_happy can count as satisfied")
    elif not good or not poor or min(good) < max(poor):
        reader.add(place, "some levels must count as satisfied and some, with lower values, must not")
