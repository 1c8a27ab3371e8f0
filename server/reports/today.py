"""What happens now at each site: who waits, which counters are open, what was done so far. Ratings are never live."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from kiosk.hours import Hours
from kiosk.office import Office
from kiosk.texts import LOCAL
from kiosk.tickets import State
from kiosk.turns import LONGEST_WAIT_S, promise_passed
from server.facts import models as facts
from server.feed.models import Event
from server.office.names import Names
from server.office.opening import hours_of, open_now
from server.registry.models import Device, Site, Unit
from server.reports.figures import Cell, Visits, read_days
from server.reports.naming import names_on, offices_now
from server.reports.periods import Kind, around

STALE = timedelta(minutes=12)
"""A kiosk that is on says something every five minutes: after two missed signs of life its figures are old."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A service today. `longest` is the wait in minutes of whoever was never called and waits longest, None for nobody;
    `late`: somebody waits longer than the slip promised."""

    id: str
    name: str
    name_en: str
    waiting: int
    longest: int | None
    late: bool
    visits: Visits

    def called(self, language: str) -> str:
        """Its name in this language, as far as the office gave one."""
        return self.name if language == "vi" else self.name_en


@dataclass(frozen=True, slots=True)
class Desk:
    """A counter, its state (open, paused, closed), who sits there, and the ids of the services that it serves."""

    label: str
    state: str
    clerk: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kiosk:
    """A kiosk and when it was last heard; `stale`: too long ago to believe that what is shown is now."""

    name: str
    seen: datetime | None
    stale: bool


@dataclass(frozen=True, slots=True)
class SiteNow:
    """A site as it is now, as far as its kiosks told. `working`: the office is at work, as its hours say."""

    site: Site
    working: bool
    names: Names
    visits: Visits
    queues: tuple[Queue, ...]
    desks: tuple[Desk, ...]
    kiosks: tuple[Kiosk, ...]

    @property
    def waiting(self) -> int:
        return sum(queue.waiting for queue in self.queues)

    @property
    def longest(self) -> int | None:
        return max((queue.longest for queue in self.queues if queue.longest is not None), default=None)

    @property
    def longest_late(self) -> bool:
        """Whether a service in which somebody waits that long is late, and not only one of shorter waits."""
        return any(queue.late for queue in self.queues if queue.longest == self.longest)

    @property
    def late(self) -> tuple[Queue, ...]:
        """The services in which somebody waits longer than was promised."""
        return tuple(queue for queue in self.queues if queue.late)

    def late_in(self, language: str) -> list[str]:
        """Their names in this language."""
        return [queue.called(language) for queue in self.late]

    @property
    def idle(self) -> tuple[str, ...]:
        """The counters that would help there, and are not open."""
        late = {queue.id for queue in self.late}
        return tuple(desk.label for desk in self.desks if desk.state != "open" and late & {*desk.services})

    @property
    def open(self) -> int:
        """How many counters are open."""
        return sum(1 for desk in self.desks if desk.state == "open")

    @property
    def stale(self) -> bool:
        """Whether some of it may be old: no kiosk, or one that is silent."""
        return not self.kiosks or any(kiosk.stale for kiosk in self.kiosks)


@dataclass(frozen=True, slots=True)
class UnitNow:
    """A commune now: its sites together. `silent` counts kiosks whose figures may be old, and sites without one."""

    unit: Unit
    waiting: int
    longest: int | None
    late: bool
    open: int
    desks: int
    issued: int
    served: int
    no_show: int
    silent: int


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One who waits. `promised_min` is how long the slip said that it takes at most, None where it said nothing."""

    since: datetime
    called: bool
    promised_min: int | None


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of all sites, by a site's primary key; then by service or counter."""

    now: datetime
    day: date
    offices: Mapping[int, Office | None]
    hours: Mapping[int, Hours]
    names: Mapping[int, Names]
    visits: Mapping[Cell, Visits]
    waiting: Mapping[int, Mapping[str, Sequence[_Waiting]]]
    desks: Mapping[int, Mapping[str, tuple[str, str]]]
    kiosks: Mapping[int, Sequence[Kiosk]]


def sites_now(sites: Sequence[Site], now: datetime) -> list[SiteNow]:
    """All these sites now. A handful of queries, however many sites and tickets there are."""
    day = now.astimezone(LOCAL).date()
    period = around(Kind.DAY, day)
    visits = read_days(sites, period, "service", by_site=True).over(period)
    visits |= read_days(sites, period, by_site=True).over(period)
    read = _Read(
        now, day, offices_now(sites), hours_of(sites), names_on(sites, day), visits,
        _waiting(sites, day), _desks(sites, day), _kiosks(sites, now),
    )  # fmt: skip
    return [_site(read, site) for site in sites]


def units_now(shown: Sequence[SiteNow]) -> list[UnitNow]:
    """The communes of these sites, in their order."""
    by_unit: dict[int, list[SiteNow]] = defaultdict(list)
    for one in shown:
        by_unit[one.site.unit_id].append(one)
    return [_unit(sites) for sites in by_unit.values()]


def _unit(sites: Sequence[SiteNow]) -> UnitNow:
    return UnitNow(
        unit=sites[0].site.unit,
        waiting=sum(one.waiting for one in sites),
        longest=max((one.longest for one in sites if one.longest is not None), default=None),
        late=any(one.late for one in sites),
        open=sum(one.open for one in sites),
        desks=sum(len(one.desks) for one in sites),
        issued=sum(one.visits.issued for one in sites),
        served=sum(one.visits.served for one in sites),
        no_show=sum(one.visits.no_show for one in sites),
        silent=sum(sum(kiosk.stale for kiosk in one.kiosks) if one.kiosks else 1 for one in sites),
    )


# --- one site -------------------------------------------------------------------------------------------------


def _site(read: _Read, site: Site) -> SiteNow:
    working = open_now(read.hours[site.pk], read.now)
    return SiteNow(
        site,
        working,
        read.names[site.pk],
        read.visits.get(Cell("", site.pk), Visits()),
        tuple(_queue(read, site.pk, id, working) for id in _queues(read, site.pk)),
        tuple(_desks_of(read, site.pk)),
        tuple(read.kiosks.get(site.pk, ())),
    )


def _queues(read: _Read, site: int) -> list[str]:
    """The services that are offered today in the office's order, then others that somebody waits for or took."""
    office = read.offices[site]
    offered = [each.id for each in office.services if each.offered(read.day)] if office else []
    taken = [cell.key for cell in read.visits if cell.site == site and cell.key]
    return list(dict.fromkeys([*offered, *taken, *read.waiting.get(site, {})]))


def _queue(read: _Read, site: int, id: str, working: bool) -> Queue:
    waiting = read.waiting.get(site, {}).get(id, ())
    waited = [((read.now - each.since).total_seconds(), each.promised_min) for each in waiting if not each.called]
    # A wait that only a clock that was set can have made is none.
    known = [(seconds, promised) for seconds, promised in waited if 0 <= seconds <= LONGEST_WAIT_S]
    late = any(promised is not None and promise_passed(promised, seconds) for seconds, promised in known)
    longest = max((int(seconds // 60) for seconds, _ in known), default=None)
    visits, names = read.visits.get(Cell(id, site), Visits()), read.names[site]
    return Queue(id, names.service(id), names.service(id, "en"), len(waiting), longest, working and late, visits)


def _desks_of(read: _Read, site: int) -> Iterator[Desk]:
    office, names, now = read.offices[site], read.names[site], read.desks.get(site, {})
    serves = {counter.id: counter.services for counter in office.counters} if office else {}
    for id in dict.fromkeys([*serves, *sorted(now)]):
        state, clerk = now.get(id, ("closed", ""))
        yield Desk(names.counter(id), state, names.clerk(clerk) if clerk else "", serves.get(id, ()))


# --- reading --------------------------------------------------------------------------------------------------


def _waiting(sites: Sequence[Site], day: date) -> dict[int, dict[str, list[_Waiting]]]:
    found = facts.Ticket.objects.filter(site__in=sites, day=day, state=State.WAITING)
    rows = list(found.values_list("site_id", "queue", "issued_at", "first_called_at", "num"))
    promises = _promises(num for *_, called, num in rows if called is None)
    waiting: dict[int, dict[str, list[_Waiting]]] = defaultdict(lambda: defaultdict(list))
    for site, queue, issued, called, num in rows:
        waiting[site][queue].append(_Waiting(issued, called is not None, promises.get(num)))
    return waiting


def _promises(nums: Iterable[int]) -> dict[int, int]:
    """The minutes that slips promised at most, by the number of the event that gave the ticket: its only place."""
    lines = Event.objects.filter(num__in=list(nums), type="ticket.issued").values_list("num", "line")
    found = {num: json.loads(bytes(line))["data"].get("wait") for num, line in lines}
    return {
        num: wait[1] for num, wait in found.items() if isinstance(wait, list) and [type(w) for w in wait] == [int] * 2
    }


def _desks(sites: Sequence[Site], day: date) -> dict[int, dict[str, tuple[str, str]]]:
    """State and clerk by counter; what was opened on another day and never closed is not open now."""
    desks: dict[int, dict[str, tuple[str, str]]] = defaultdict(dict)
    found = facts.Desk.objects.filter(site__in=sites, day=str(day))
    for site, counter, state, clerk in found.values_list("site_id", "counter", "state", "clerk"):
        desks[site][counter] = (state, clerk)
    return desks


def _kiosks(sites: Sequence[Site], now: datetime) -> dict[int, list[Kiosk]]:
    kiosks: dict[int, list[Kiosk]] = defaultdict(list)
    found = Device.objects.filter(site__in=sites, revoked=False).order_by("name")
    for site, name, label, seen in found.values_list("site_id", "name", "label", "seen"):
        kiosks[site].append(Kiosk(label or name, seen, seen is None or now - seen > STALE))
    return kiosks
