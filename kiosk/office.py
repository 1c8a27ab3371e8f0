# ruff: noqa: RUF009 - `key` is our `dataclasses.field`
"""The office document: unit, site, services, counters, clerks, label sets, sessions, calendar, rules, sentences.

Data of the office, not of the device: the same document fits twenty kiosks. A TOML file at first, later the same keys
as JSON from the server. It knows no pins, no clock and no database.
"""

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from kiosk import documents, hours, office_rules, rating, tickets
from kiosk.rulebook import DeskRule, Rulebook, ServiceRule
from kiosk.schema import Check, Reader, between, key, matches, one_of

FORMAT = 1
SAMPLE_CODE = "00000"
"""The unit's code in the sample office; no real unit has it."""
ROLES = ("clerk", "helper", "leader", "technician")
FACES = ("very_happy", "happy", "neutral", "unhappy", "very_unhappy")
THREE_KEYS = ("happy", "neutral", "unhappy")
ICONS = (
    *("people", "stamp", "house", "heart", "document", "question"),
    *("star", "cane", "speech", "leaf", "coin", "shield"),
)
COLOURS = ("blue", "green", "red", "purple", "orange", "slate", "teal", "pink")

ID = matches(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", "lower-case letters a–z, digits and hyphens, at most 32", "id")
COUNTER_ID = matches(r"[1-9]|1[0-6]", "1 to 16", "counter_id")
NAME = matches(r"\S(?:.*\S)?", "text without spaces around it", "name")
FILE_NAME = matches(
    r"|[\w-][\w.-]*\.(?i:png|jpe?g|webp|bmp|gif|tiff?)",
    "empty, or the bare name of a .png, .jpg, .webp, .bmp, .gif or .tif file",
    "file_name",
)
PHONE = matches(r"\+?[0-9](?:[0-9 .-]{1,18}[0-9])", "digits, with spaces, dots or hyphens between them", "phone")
LINK = matches(r"(?:https?://|mailto:)[^\s@]+(?:@[^\s@]+)?", "an address that starts with https:// or mailto:", "link")


def _legible(colour: str) -> bool:
    """A known name, or a colour on which white stands out by 4.5:1 (WCAG 2.1, success criterion 1.4.3)."""
    if colour in COLOURS:
        return True
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        return False
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) >= 4.5


COLOUR = Check(f"{', '.join(COLOURS)}, or #rrggbb that is dark enough to read white on it", _legible, COLOURS, "colour")
UNIT_CODE = matches(r"[0-9A-Za-z.-]{1,20}", "letters, digits, . and -", "unit_code")
OWN_COLOUR = matches(r"|#[0-9a-fA-F]{6}", "empty, or #rrggbb", "own_colour")


@dataclass(frozen=True, slots=True)
class Unit:
    """The commune (xã, phường, đặc khu). Units merge and get new names, so all of it is data with a date."""

    code: str = key("official code of the unit", check=UNIT_CODE)
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
        "first character of its numbers", check=matches("[0-9A-Z]", "one digit or capital letter, in quotes", "digit")
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
        """The document as kiosk and server exchange it."""
        return documents.exchanged(self)

    @classmethod
    def from_json(cls, data: bytes, file: str = "office.json") -> Self:
        """The other way, with the same checks as a file. Raises DocumentError."""
        return cls._read(documents.parse(data, file), file)

    @classmethod
    def _read(cls, plain: Mapping[str, Any], file: str) -> Self:
        reader = Reader(file)
        office = reader.table(cls, plain)
        office_rules.check(office, reader)
        reader.finish()
        return office


def load(path: Path | str) -> Office:
    """The office document in a TOML or JSON file. Raises DocumentError with everything that is wrong in it."""
    return Office._read(documents.parse_file(Path(path)), str(path))


def sample() -> Office:
    """The office that stands in until a real one is configured: xã Mẫu."""
    file = resources.files("kiosk.assets") / "office.sample.toml"
    return Office._read(documents.parse(file.read_bytes(), file.name), file.name)
