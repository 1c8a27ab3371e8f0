"""A changed office document before it is published: read, checked for its site, compared; two changes in one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kiosk import documents, revising
from kiosk.documents import DocumentError, Problem, mistake
from kiosk.office import LabelSet, Office
from kiosk.revising import Change
from kiosk.texts import Texts
from server.facts.models import RatingRollup, Ticket
from server.office.merging import merged
from server.office.models import Blob
from server.office.names import names_of
from server.registry.models import Site

OPEN = ("waiting", "called", "serving", "held")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a text: its line (0 = unknown), its place, and what is wrong."""

    line: int
    where: str
    says: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a text: `office` when it can be published, else `mistakes`.

    `orphans` is how many open tickets wait for a service, or are at a counter, that it no longer has.
    """

    text: str
    office: Office | None
    mistakes: tuple[Mistake, ...] = ()
    orphans: int = 0


def judge(text: str, site: Site, last: Office | None, t: Texts) -> Judged:
    """Read and check a TOML or JSON text as the next version after `last`."""
    try:
        office = checked(text, site, last)
    except DocumentError as error:
        found = [Mistake(revising.line_of(text, one), one.where, mistake(one, t)) for one in error.problems]
        return Judged(text, None, tuple(sorted(found, key=lambda one: one.line)))
    return Judged(text, office, orphans=orphans(site, office))


def checked(text: str, site: Site, last: Office | None) -> Office:
    """The office of a text, if it can be the next version here. Raises DocumentError with everything that is wrong."""
    office = Office.from_json(text.encode("utf-8", "replace"), "")
    wrong = [*_place(office, site, last), *missing_photos(office), *revising.remeant(_rated(site), office)]
    if wrong:
        raise DocumentError(wrong)
    return office


def _place(office: Office, site: Site, last: Office | None) -> list[Problem]:
    """A document is for this site of this unit; what kiosks have already may stay."""
    if last is not None:
        return revising.moved(last, office)
    here = replace(office, site=replace(office.site, id=site.key), unit=replace(office.unit, code=site.unit.code))
    return revising.moved(here, office)


def _rated(site: Site) -> dict[str, LabelSet]:
    """The label sets under which somebody rated here, as they are known."""
    used = set(RatingRollup.objects.filter(site=site).values_list("label_set", flat=True).distinct())
    return {id: labels for id, labels in names_of(site).label_sets.items() if id in used} if used else {}


def missing_photos(office: Office) -> list[Problem]:
    """Photos that the document names by their hash, and that nobody uploaded here."""
    named = {name: sha256 for _, name in revising.pictures(office) if (sha256 := revising.photo_hash(name))}
    kept = set(Blob.objects.filter(sha256__in=named.values()).values_list("sha256", flat=True))
    return [revising.missing_photo(place, name) for place, name in revising.pictures(office)
            if name in named and named[name] not in kept]  # fmt: skip


def orphans(site: Site, office: Office) -> int:
    """Open tickets of services and counters that the document does not have."""
    rows = Ticket.objects.filter(site=site, state__in=OPEN)
    services, counters = [one.id for one in office.services], ["", *(one.id for one in office.counters)]
    return rows.count() - rows.filter(queue__in=services, counter__in=counters).count()


def on_top(base: Office, mine: Office, theirs: Office) -> Office:
    """My changes since `base` on top of what others published since. Raises DocumentError if both do not fit."""
    plain = merged(*(documents.plain(one) for one in (base, mine, theirs)))
    return Office.from_json(json.dumps(plain).encode(), "")


# --- changes in words -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """One change as people read it."""

    place: str
    old: str
    new: str


def told(changes: Iterable[Change], t: Texts, names: Mapping[str, str]) -> list[Told]:
    """Changes with the words for the usual keys, and names in place of ids (`names` by id)."""
    return [Told(_place_in_words(one.parts, t, names), _value(one.old, t), _value(one.new, t)) for one in changes]


def names_in(*offices: Office | None) -> dict[str, str]:
    """Names of services, counters, clerks and sessions by id."""
    found: dict[str, str] = {}
    for office in offices:
        if office is not None:
            found |= {one.id: one.name for one in office.services}
            found |= {one.id: one.name for one in office.clerks}
            found |= {one.id: one.name for one in office.sessions}
    return found


def _place_in_words(parts: Sequence[str], t: Texts, names: Mapping[str, str]) -> str:
    return " › ".join(t(f"place.{part}") if f"place.{part}" in t else names.get(part, part) for part in parts)


def _value(text: str, t: Texts) -> str:
    """A table's values without its keys; true and false as words."""
    if text in ("true", "false"):
        return t(f"office_doc.{'yes' if text == 'true' else 'no'}")
    if text[:1] not in "[{" or not text:
        return text
    try:
        plain = json.loads(text)
    except ValueError:
        return text
    return " · ".join(_values(plain))


def _values(plain: Any) -> list[str]:
    if isinstance(plain, dict):
        return [text for value in plain.values() for text in _values(value)]
    if isinstance(plain, list):
        return [text for value in plain for text in _values(value)]
    return [str(plain)] if plain not in ("", None, False, True) else []


def place_in_words(path: str, plain: Any, t: Texts) -> str:
    """Where a mistake is (dotted): the part of the document, who or what by its name, the field."""
    made, here, before = list[str](), plain, ""
    for part in path.split("."):
        word = t(f"place.{part}") if f"place.{part}" in t else part
        if isinstance(here, list) and part.isdecimal() and int(part) <= len(here):
            here = here[int(part) - 1]
            word = _called(here) or part
        else:
            here = here.get(part) if isinstance(here, dict) else None
            word = _session(plain, part) or part if before == "quota" else word
        made.append(word)
        before = part
    return " › ".join(made)


def _session(plain: Any, id: str) -> str:
    """What people call the session that a quota is of; "" for one that there is not."""
    return next((_called(one) for one in plain["sessions"] if one["id"] == id), "")


def _called(item: Any) -> str:
    """What people call an item of a list."""
    if not isinstance(item, dict):
        return ""
    return next((str(item[key]) for key in ("name", "label", "day", "text") if item.get(key)), "")
