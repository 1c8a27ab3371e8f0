"""Freezing a period's figures (chốt số liệu), and telling later differences (điều chỉnh lần n). Needs no request."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from kiosk.texts import LOCAL
from server.facts.models import Dirty
from server.facts.retention import months_before
from server.facts.settling import SETTLES, settled, settles
from server.publication import content
from server.publication.content import Content, Place
from server.publication.models import Frozen, Revision
from server.reports import periods
from server.reports.periods import Period

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
KEY_LETTERS = 20
"""100 random bits: nobody finds a frozen period that was not given to them."""
MOST_AT_ONCE = 50


class NotOver(ValueError):
    """A period that may still change of itself cannot be frozen: `since` is the noon from which on it can be."""

    def __init__(self, period: Period) -> None:
        super().__init__(period.key)
        self.since = settles(period.last)


class Already(ValueError):
    """This period of this place was frozen before, as `frozen`."""

    def __init__(self, frozen: Frozen) -> None:
        super().__init__(frozen.period)
        self.frozen = frozen


@dataclass(frozen=True, slots=True)
class Shown:
    """A revision as people see it. `intact` says that its content still has the hash that it was frozen with."""

    frozen: Frozen
    revision: Revision
    content: Content
    newest: int

    @property
    def intact(self) -> bool:
        return hashlib.sha256(bytes(self.revision.content)).hexdigest() == self.revision.sha256


def place_of(frozen: Frozen) -> Place:
    return Place(frozen.unit, frozen.site)


def period_of(frozen: Frozen) -> Period:
    return periods.parse(frozen.period)


def freeze(place: Place, period: Period, title: str, by: str, now: datetime) -> Frozen:
    """Freeze a period. Raises NotOver, and Already for one that was frozen before."""
    if period.last > settled(now):
        raise NotOver(period)
    known = find(place, period)
    if known:
        raise Already(known)
    try:
        with transaction.atomic():
            made = Frozen.objects.create(
                key=_key(), unit=place.unit, site=place.site, period=period.key, first=period.first, last=period.last,
                title=title,
            )  # fmt: skip
            _write(made, 0, content.content_of(place, period, now), now, by, "")
    except IntegrityError as error:  # somebody else was faster
        raise Already(Frozen.objects.get(_of(place), period=period.key)) from error
    return made


def find(place: Place, period: Period) -> Frozen | None:
    """The frozen figures of exactly this place and period, None if nobody froze them."""
    return Frozen.objects.select_related("unit", "site").filter(_of(place), period=period.key).first()


def shown(frozen: Frozen, number: int | None = None) -> Shown | None:
    """A revision, by default the newest; None for one that there is not."""
    rows = frozen.revisions.order_by("-number")
    newest = rows.first()
    wanted = newest if number is None else rows.filter(number=number).first()
    return Shown(frozen, wanted, content.unpacked(wanted.content), newest.number) if wanted and newest else None


def revisions(frozen: Frozen) -> list[Shown]:
    """All revisions, the first one first."""
    rows = list(frozen.revisions.order_by("number"))
    return [Shown(frozen, row, content.unpacked(row.content), rows[-1].number) for row in rows]


def differences(frozen: Frozen, now: datetime) -> Content | None:
    """What the figures would be now, None when nothing that may be shown differs from the newest revision."""
    last = shown(frozen)
    if last is None:
        return None
    current = content.content_of(place_of(frozen), period_of(frozen), now)
    after = content.adjusted(last.content, current)
    return after if content.changes(last.content, after) else None


def adjust(frozen: Frozen, now: datetime, by: str = "", reason: str = "") -> Revision | None:
    """Write the differences as the next revision; None when there are none."""
    with transaction.atomic():
        locked = Frozen.objects.select_for_update().select_related("unit").get(pk=frozen.pk)
        after, newest = differences(locked, now), locked.revisions.order_by("-number").first()
        if after is None or newest is None:
            return None
        return _write(locked, newest.number + 1, after, now, by, reason)


def adjust_due(now: datetime) -> int:
    """Look for later differences once a day, when the ratings of the day before may be shown; how many were looked at.

    Periods whose rows are no longer kept cannot change. One of which days wait to be summed is looked at after that.
    """
    day = (now - SETTLES).astimezone(LOCAL).date()
    alive = Q(last__gte=months_before(day, settings.CONFIG.keep.ticket_months))
    due = Frozen.objects.select_related("unit", "site").filter(alive, Q(checked=None) | Q(checked__lt=day))
    days = Q(day__range=(OuterRef("first"), OuterRef("last")))
    summing = Dirty.objects.filter(days, site__unit=OuterRef("unit"), failed=None)
    found = list(due.exclude(Exists(summing)).order_by("pk")[:MOST_AT_ONCE])
    for frozen in found:
        adjust(frozen, now)
        Frozen.objects.filter(pk=frozen.pk).update(checked=day)
    return len(found)


def newest(frozen: Iterable[Frozen]) -> dict[int, int]:
    """The number of the newest revision of each, by its primary key."""
    rows = Revision.objects.filter(frozen__in=list(frozen)).order_by("number")
    return dict(rows.values_list("frozen_id", "number"))


def address(frozen: Frozen, number: int) -> str:
    """Where everybody who has it finds this revision; for a QR code."""
    return f"{settings.CONFIG.url}/cong-khai/chot/{frozen.key}/{number}"


def _of(place: Place) -> Q:
    return Q(unit=place.unit, site=place.site) if place.site else Q(unit=place.unit, site=None)


def _key() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(KEY_LETTERS))


def _write(frozen: Frozen, number: int, of: Content, now: datetime, by: str, reason: str) -> Revision:
    data = content.packed(of)
    return Revision.objects.create(
        frozen=frozen, number=number, at=now, by=by, reason=reason, content=data,
        sha256=hashlib.sha256(data).hexdigest(),
    )  # fmt: skip
