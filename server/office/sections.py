"""The parts of the office document that change most often, as forms: people, quotas, what citizens read, days.

Pure: what a form shows of an office, and an office's plain values with what came back. What is wrong with it is found
when the document is read as a whole.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from kiosk import documents
from kiosk.drafting import slug
from kiosk.office import ROLES, Office
from server import asking

Form = Mapping[str, str]
"""Fields by name, the last value of each."""
Plain = dict[str, Any]

BLANK_ROWS = 3
MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody of the office; without an `id` somebody new, with `gone` somebody who leaves."""

    id: str = ""
    name: str = ""
    title: str = ""
    roles: tuple[str, ...] = ("clerk",)
    photo: str = ""
    gone: bool = False


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day that differs; without a `day` and a reason it is taken away. `sessions` are kept as they are."""

    day: str = ""
    kind: str = "off"
    reason: str = ""
    sessions: tuple[str, ...] = ()

    @property
    def undated(self) -> bool:
        """A reason without a day: a browser sends a date that was half typed as none, so it is not taken away."""
        return bool(self.reason and not self.day)


@dataclass(frozen=True, slots=True)
class HotlineRow:
    """A telephone number; without both it is taken away."""

    name: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What a form shows: rows of one kind, and other fields by name.

    `taken` are ids that somebody has or had: ratings refer to them, so a new person never gets one of them.
    """

    rows: Sequence[Any] = ()
    taken: Collection[str] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


# --- people ---------------------------------------------------------------------------------------------------


def people(office: Office) -> Section:
    rows = [PersonRow(one.id, one.name, one.title, one.roles, one.photo) for one in office.clerks]
    return Section([*rows, *[PersonRow()] * BLANK_ROWS])


def read_people(form: Form) -> Section:
    """Rows `id-N`, `name-N`, `title-N`, `photo-N`, `gone-N`, `role-N-ROLE`."""
    rows = [
        PersonRow(
            line(form, f"id-{n}"),
            line(form, f"name-{n}"),
            line(form, f"title-{n}"),
            tuple(role for role in ROLES if form.get(f"role-{n}-{role}")),
            line(form, f"photo-{n}"),
            bool(form.get(f"gone-{n}")),
        )
        for n in numbers(form, "name-")
    ]
    return Section(rows)


def with_people(plain: Plain, section: Section) -> Plain:
    rows = [row for row in section.rows if not row.gone and (row.id or row.name)]
    used = {*section.taken, *(row.id for row in rows)}
    clerks = []
    for row in rows:
        id = row.id or slug(row.name, used)
        used.add(id)
        clerks.append({**asdict(row), "id": id})
    here = {clerk["id"] for clerk in clerks}
    counters = [{**one, "clerk": one["clerk"] if one["clerk"] in here else ""} for one in plain["counters"]]
    return {**plain, "clerks": [_only(one, ("gone",)) for one in clerks], "counters": counters}


# --- quotas ---------------------------------------------------------------------------------------------------


def quotas(office: Office) -> Section:
    fields = {f"quota-{one.id}-{session}": str(n) for one in office.services for session, n in one.quota.items()}
    return Section(fields=fields)


def read_quotas(form: Form) -> Section:
    """Fields `quota-SERVICE-SESSION`; empty = no limit."""
    return Section(fields={name: line(form, name) for name in form if name.startswith("quota-")})


def with_quotas(plain: Plain, section: Section) -> Plain:
    """What is no number is left for the reader to refuse."""

    def quota(service: Plain) -> Plain:
        asked = {one["id"]: section.fields.get(f"quota-{service['id']}-{one['id']}", "") for one in plain["sessions"]}
        return {session: _whole(text) for session, text in asked.items() if text}

    return {**plain, "services": [{**one, "quota": quota(one)} for one in plain["services"]]}


def _whole(text: str) -> int | str:
    """A number is told also below zero: the reader says which ones there may be."""
    n, is_below = asking.number(text.removeprefix("-")), text.startswith("-")
    return -n if n and is_below else text if n is None or is_below else n


# --- what citizens read ---------------------------------------------------------------------------------------


def contact(office: Office) -> Section:
    rows = [HotlineRow(one.name, one.number) for one in office.hotlines]
    return Section(
        [*rows, *[HotlineRow()] * 2], fields={"slogans": "\n".join(office.slogans), "emblem": office.unit.emblem}
    )


def read_contact(form: Form) -> Section:
    """Rows `name-N`, `number-N`; `slogans` has a line for each; `emblem` is a picture's name."""
    rows = [HotlineRow(line(form, f"name-{n}"), line(form, f"number-{n}")) for n in numbers(form, "name-")]
    return Section(rows, fields={"slogans": form.get("slogans", ""), "emblem": line(form, "emblem")})


def with_contact(plain: Plain, section: Section) -> Plain:
    lines = [" ".join(line.split()) for line in section.fields["slogans"].splitlines()]
    hotlines = [asdict(row) for row in section.rows if row.name or row.number]
    unit = {**plain["unit"], "emblem": section.fields["emblem"]}
    return {**plain, "unit": unit, "slogans": [line for line in lines if line], "hotlines": hotlines}


# --- days -----------------------------------------------------------------------------------------------------


def calendar(office: Office) -> Section:
    rows = [DayRow(str(one.day), one.kind, one.reason, one.sessions) for one in office.calendar]
    return Section([*sorted(rows, key=lambda row: row.day), *[DayRow()] * BLANK_ROWS])


def read_calendar(form: Form) -> Section:
    """Rows `day-N`, `kind-N`, `reason-N`, `sessions-N` (ids with spaces between them)."""
    rows = [
        DayRow(
            line(form, f"day-{n}"),
            line(form, f"kind-{n}"),
            line(form, f"reason-{n}"),
            tuple(line(form, f"sessions-{n}").split()),
        )
        for n in numbers(form, "day-")
    ]
    return Section(rows)


def with_calendar(plain: Plain, section: Section) -> Plain:
    """An off day has no sessions, whatever it had as another kind of day."""
    rows = sorted((row for row in section.rows if row.day), key=lambda row: row.day)
    days = [{**asdict(row), "sessions": [] if row.kind == "off" else list(row.sessions)} for row in rows]
    return {**plain, "calendar": days}


def undated(rows: Sequence[Any]) -> bool:
    """Whether a reason among the rows of a form has no day."""
    return any(isinstance(row, DayRow) and row.undated for row in rows)


# --- fields ---------------------------------------------------------------------------------------------------


def line(form: Form, name: str) -> str:
    text: str = documents.nfc(form.get(name, ""))
    return " ".join(text.split())


def numbers(form: Form, prefix: str) -> list[int]:
    """The rows that came, in their order."""
    found = (name.removeprefix(prefix) for name in form if name.startswith(prefix))
    return sorted(n for text in found if (n := asking.number(text, 999)) is not None)[:MOST_ROWS]


def _only(row: Plain, without: Collection[str]) -> Plain:
    return {name: value for name, value in row.items() if name not in without}
