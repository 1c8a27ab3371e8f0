"""The office document that the guided set-up writes, page by page. Pure: fields of forms in, a document out.

It begins with the sample office's services, hours, calendar and label sets, and with none of its people.
"""

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kiosk import documents
from kiosk.office import COLOURS, ROLES, Office, sample
from kiosk.office_rules import MOST_COUNTERS, MOST_SERVICES
from kiosk.revising import written
from kiosk.schema import MAX_TEXT

STEPS = ("language", "time", "unit", "services", "counters", "people", "printer", "keys", "done")
MOST_PEOPLE = 40
SPARE_ROWS = 3
SESSIONS = ("sang", "chieu")
"""The sessions of which the set-up asks the hours; a document with others is left as it is."""
OPEN_BEFORE = dt.timedelta(minutes=30)
LAST_BEFORE = dt.timedelta(minutes=15)
SATURDAY = {"none": (), "morning": ("sang",), "all": SESSIONS}
KINDS = ("xã", "phường", "đặc khu", "thị trấn")
Fields = Mapping[str, str]


@dataclass
class Draft:
    """What was entered so far. `office` is plain as the document is; `pins` are hashes by person's id.

    `text` is an uploaded document as it was written, "" for one made here. `step` is the furthest page.
    """

    language: str = "vi"
    step: str = STEPS[0]
    office: dict[str, Any] = field(default_factory=lambda: _empty())
    pins: dict[str, str] = field(default_factory=dict)
    printer: str = "file:/dev/kiosk-printer"
    paper_mm: int = 80
    text: str = ""

    @classmethod
    def read(cls, kept: str) -> "Draft":
        """As it was saved; a new one for "" and for what an older program saved in another form."""
        try:
            return cls(**json.loads(kept)) if kept else cls()
        except (TypeError, ValueError):
            return cls()

    def kept(self) -> str:
        """As it is saved."""
        return json.dumps(self.__dict__, ensure_ascii=False)

    def document(self) -> str:
        """The text to apply. Raises DocumentError with everything that is wrong or missing."""
        return self.text or written(self.checked())

    def checked(self) -> Office:
        """The office of this draft. Raises DocumentError."""
        return Office.from_json(json.dumps(self.office).encode(), "")

    def technicians(self) -> list[str]:
        """Ids of those who may set up a kiosk and have a PIN."""
        return [p["id"] for p in self.office["clerks"] if "technician" in p["roles"] and p["id"] in self.pins]


def _empty() -> dict[str, Any]:
    office: dict[str, Any] = documents.plain(sample())
    office["unit"] = {"code": "", "name": "", "short": "", "head1": "", "head2": "", "emblem": ""}
    office["site"] = {"id": "trung-tam", "name": ""}
    for counter in office["counters"]:
        counter["clerk"] = ""
    for service in office["services"]:
        service["quota"] = {}
    return {**office, "clerks": [], "hotlines": [], "channels": [], "texts": {}}


# --- one page each -------------------------------------------------------------------------------------------


def set_unit(draft: Draft, form: Fields) -> None:
    """Unit and reception point; what is left empty follows from the unit's name."""
    name = _line(form, "name")
    site = _line(form, "site") or (f"Trung tâm Phục vụ hành chính công {name}" if name else "")
    draft.office["unit"] |= {
        "code": _line(form, "code"),
        "name": name,
        "short": _line(form, "short") or (f"UBND {name}" if name else ""),
        "head1": f"ỦY BAN NHÂN DÂN {name.upper()}" if name else "",
        "head2": "TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG",
    }
    draft.office["site"] = {"id": slug(site, ()) or "trung-tam", "name": site}
    number = _line(form, "hotline")
    draft.office["hotlines"] = [{"name": "Đường dây nóng", "number": number}] if number else []
    if any(f"start-{id}" in form for id in SESSIONS):
        _set_hours(draft, form)
    draft.text = ""


def hours_rows(draft: Draft) -> list[dict[str, Any]] | None:
    """The sessions of the page, one that the office does not have without times; None where it has others."""
    sessions = {session["id"]: session for session in draft.office["sessions"]}
    if not sessions.keys() <= set(SESSIONS):
        return None
    usual = {session["id"]: session for session in documents.plain(sample().sessions)}
    return [sessions.get(id) or {**usual[id], "start": "", "end": ""} for id in SESSIONS]


def saturday(draft: Draft) -> str:
    """What is open on Saturdays, a key of SATURDAY."""
    held = tuple(session["id"] for session in draft.office["sessions"] if 5 in session["weekdays"])
    return next((name for name, ids in SATURDAY.items() if ids == held), "all")


def _set_hours(draft: Draft, form: Fields) -> None:
    """Fields `start-SESSION` and `end-SESSION`, and `saturday`; a session without times is none."""
    rows = hours_rows(draft)
    if rows is None:
        return
    on_saturday = SATURDAY.get(_line(form, "saturday"), SATURDAY[saturday(draft)])
    sessions = []
    for row in rows:
        start, end = (_line(form, f"{name}-{row['id']}") for name in ("start", "end"))
        if start or end:
            days = [day for day in row["weekdays"] if day != 5] + ([5] if row["id"] in on_saturday else [])
            times = {"take_from": _shifted(start, -OPEN_BEFORE), "last_number": _shifted(end, -LAST_BEFORE)}
            times = {name: time or row[name] for name, time in times.items()}
            sessions.append({**row, "start": start, "end": end, **times, "weekdays": sorted(days)})
    draft.office["sessions"] = sessions
    held = {session["id"] for session in sessions}
    for part, name in (("calendar", "sessions"), ("services", "quota")):
        for item in draft.office[part]:
            kept = item.get(name, [])
            item[name] = (
                {id: n for id, n in kept.items() if id in held}
                if isinstance(kept, dict)
                else [id for id in kept if id in held]
            )


def _shifted(time: str, by: dt.timedelta) -> str:
    """A time of day some minutes earlier; "" for what is no time, which its own field reports."""
    try:
        moment = dt.datetime.combine(dt.date(2000, 1, 1), dt.time.fromisoformat(time)) + by
    except ValueError:
        return ""
    return moment.time().isoformat("minutes")


def bare_name(draft: Draft) -> bool:
    """Whether the unit's name says no kind of unit."""
    return not draft.office["unit"].get("name", "").casefold().startswith(KINDS)


def set_services(draft: Draft, form: Fields) -> None:
    """Rows `name-N`, `digit-N`, with `id-N` for one that is known; a row without a name is none."""
    known = {service["id"]: service for service in draft.office["services"]}
    services: list[dict[str, Any]] = []
    for n in range(1, MOST_SERVICES + 1):
        name = _line(form, f"name-{n}")
        if not name:
            continue
        old = known.get(_line(form, f"id-{n}"), {})
        id = old.get("id") or slug(name, [*known, *(one["id"] for one in services)])
        fresh = {"colour": COLOURS[(n - 1) % len(COLOURS)]} if not old else {}
        short = old.get("short", "") if old.get("name") == name else ""
        digit = _line(form, f"digit-{n}").upper()
        services.append({**old, **fresh, "id": id, "name": name, "short": short, "digit": digit})
    draft.office["services"] = services
    ids = {service["id"] for service in services}
    for counter in draft.office["counters"]:
        counter["services"] = [id for id in counter["services"] if id in ids]
    draft.text = ""


def set_counters(draft: Draft, form: Fields) -> None:
    """`count` of them, with `label-N` and the ticked `serves-N-SERVICE`; new ones serve nothing yet."""
    count = min(max(int(form["count"]) if form.get("count", "").isdecimal() else 1, 1), MOST_COUNTERS)
    clerks = {counter["id"]: counter.get("clerk", "") for counter in draft.office["counters"]}
    ids = [service["id"] for service in draft.office["services"]]
    draft.office["counters"] = [
        {
            "id": str(n),
            "label": _line(form, f"label-{n}") or str(n),
            "services": [id for id in ids if form.get(f"serves-{n}-{id}")],
            "clerk": clerks.get(str(n), ""),
        }
        for n in range(1, count + 1)
    ]
    draft.text = ""


def set_people(draft: Draft, form: Fields, pins: Mapping[int, str]) -> None:
    """Rows `name-N`, `title-N`, `counter-N`, `role-N-ROLE`, and `id-N` of a known one; `pins` are hashes by row."""
    known = {person["id"]: person for person in draft.office["clerks"]}
    people: list[dict[str, Any]] = []
    kept: dict[str, str] = {}
    seats: dict[str, str] = {}
    for n in range(1, MOST_PEOPLE + 1):
        name = _line(form, f"name-{n}")
        if not name:
            continue
        old = known.get(_line(form, f"id-{n}"), {})
        id = old.get("id") or slug(name, [*known, *(one["id"] for one in people)])
        roles = [role for role in ROLES if form.get(f"role-{n}-{role}")]
        people.append({**old, "id": id, "name": name, "title": _line(form, f"title-{n}"), "roles": roles})
        if pin := pins.get(n, draft.pins.get(id, "")):
            kept[id] = pin
        if seat := _line(form, f"counter-{n}"):
            seats.setdefault(seat, id)
    draft.pins = kept
    changed = people != draft.office["clerks"]
    draft.office["clerks"] = people
    for counter in draft.office["counters"]:
        changed |= counter.get("clerk", "") != seats.get(counter["id"], "")
        counter["clerk"] = seats.get(counter["id"], "")
    if changed:
        draft.text = ""


# --- rows of the pages ---------------------------------------------------------------------------------------


def filled(typed: Fields) -> list[int]:
    """Numbers of the typed rows that have a name: the first one is item 1 of the draft's list, and so on."""
    return [n for n in range(1, MOST_PEOPLE + 1) if _line(typed, f"name-{n}")]


def shared_seats(typed: Fields) -> dict[str, list[str]]:
    """Counters that several people were typed to usually sit at: their names by counter, the one who has it first."""
    seated: dict[str, list[str]] = {}
    for n in filled(typed):
        if seat := _line(typed, f"counter-{n}"):
            seated.setdefault(seat, []).append(_line(typed, f"name-{n}"))
    return {seat: names for seat, names in seated.items() if len(names) > 1}


def service_rows(draft: Draft, typed: Fields | None = None) -> list[dict[str, Any]]:
    """Rows of the page of services: those of the draft, or as they were `typed` on a page that has a mistake."""
    services = draft.office["services"]
    if typed is None:
        blank = [{"digit": str(n)} for n in range(len(services) + 1, MOST_SERVICES + 1)]
        return [*services, *blank]
    kept = dict(zip(filled(typed), services, strict=False))
    return [
        {"id": kept.get(n, {}).get("id", ""), "name": _line(typed, f"name-{n}"), "digit": _line(typed, f"digit-{n}")}
        for n in range(1, MOST_SERVICES + 1)
    ]


def people_rows(draft: Draft, typed: Fields | None = None) -> list[dict[str, Any]]:
    """Rows of the page of people, each with its `counter`; behind those of the draft, whom an office lacks."""
    people = draft.office["clerks"]
    if typed is None:
        seats = {counter["clerk"]: counter["id"] for counter in draft.office["counters"] if counter.get("clerk")}
        rows = [{**person, "counter": seats.get(person["id"], "")} for person in people]
        return [*rows, *_blank(draft)][:MOST_PEOPLE]
    kept = dict(zip(filled(typed), people, strict=False))
    last = max((n for n in range(1, MOST_PEOPLE + 1) if f"name-{n}" in typed), default=0)
    return [
        {
            "id": kept.get(n, {}).get("id", ""),
            "name": _line(typed, f"name-{n}"),
            "title": _line(typed, f"title-{n}"),
            "roles": [role for role in ROLES if typed.get(f"role-{n}-{role}")],
            "counter": _line(typed, f"counter-{n}"),
        }
        for n in range(1, last + 1)
    ]


def _blank(draft: Draft) -> list[dict[str, Any]]:
    """Rows for people yet to come: a technician, a clerk for each empty counter, helper, leader, and some to spare."""
    there = {role for person in draft.office["clerks"] for role in person["roles"]}
    rows: list[dict[str, Any]] = [
        {"roles": ["clerk"], "counter": counter["id"]}
        for counter in draft.office["counters"]
        if not counter.get("clerk")
    ]
    if "technician" not in there:
        rows.insert(0, {"roles": ["technician"], "title": "Kỹ thuật viên"})
    rows += [{"roles": [role]} for role in ("helper", "leader") if role not in there]
    return rows + [{"roles": ["clerk"]} for _ in range(SPARE_ROWS - len(rows))]


# --- the document -----------------------------------------------------------------------------------------------


def take_document(draft: Draft, text: str) -> None:
    """An uploaded document in place of all that was entered; only PINs remain. Raises DocumentError."""
    office = Office.from_json(text.encode(), "")
    draft.office, draft.text, draft.pins = documents.plain(office), text, {}


def concerns(step: str, path: str) -> bool:
    """Whether a mistake (its dotted path) is one of this page."""
    first = path.partition(".")[0]
    of = {"unit": ("unit", "site", "hotlines", "sessions"), "services": ("services",), "counters": ("counters",)}
    if step == "counters":
        return first == "counters" or (first == "services" and path.endswith(".id"))
    if step == "services":
        return first == "services" and not path.endswith(".id")
    return first in of.get(step, ("clerks",) if step == "people" else ())


def slug(name: str, taken: Iterable[str]) -> str:
    """An id of a name: "Nguyễn Thị A" → "nguyen-thi-a"; with a number where it is taken."""
    plain = unicodedata.normalize("NFD", name.lower().replace("đ", "d"))
    letters = "".join(char if char.isascii() and char.isalnum() else " " for char in plain if not _is_mark(char))
    id = re.sub(r"\s+", "-", letters.strip())[:28].strip("-") or "muc"
    used: Sequence[str] = list(taken)
    return next(c for c in (id, *(f"{id}-{n}" for n in range(2, 99))) if c not in used)


def _is_mark(char: str) -> bool:
    return unicodedata.combining(char) > 0


def _line(form: Fields, name: str) -> str:
    value = form.get(name, "")
    # Cut before it is composed: marks without end on one letter would be put into order for hours.
    short = " ".join(value.split())[: 4 * MAX_TEXT] if isinstance(value, str) else ""
    return unicodedata.normalize("NFC", short)[:MAX_TEXT]
