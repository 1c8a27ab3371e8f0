"""What somebody asked to see: which sites, which period, by what. Only what this person may see can be chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.http import Http404, HttpRequest
from django.utils.http import urlencode

from server import asking
from server.accounts.models import User
from server.registry.models import Site, Unit
from server.reports import periods
from server.reports.periods import BadPeriod, Kind, Period

DIMS = ("service", "counter", "clerk", "hour", "unit")
"""What a report can be broken down by; `unit` where several communes are chosen."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose figures. `unit` is the one commune, None for all that the person may see; `sites` are those chosen of
    `offered`."""

    unit: Unit | None
    offered: tuple[Site, ...]
    sites: tuple[Site, ...]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The same place in an address."""
        unit = [("unit", self.unit.code)] if self.unit else []
        return [*unit, *(("site", str(site.pk)) for site in self.sites if len(self.sites) < len(self.offered))]


@dataclass(frozen=True, slots=True)
class Choice:
    """A report that was asked for. `problem` is a key of the language files when the period could not be read."""

    place: Place
    period: Period
    dim: str
    problem: str = ""

    @property
    def query(self) -> str:
        """The same report in an address, without the question mark."""
        return self.for_period(self.period)

    def for_period(self, period: Period) -> str:
        """The address of the same report over another period."""
        return urlencode([*self.place.query, ("period", period.key), ("by", self.dim)])

    @property
    def dims(self) -> tuple[str, ...]:
        """What this place can be broken down by."""
        return DIMS if self.place.unit is None else DIMS[:-1]


def place_of(request: HttpRequest, user: User) -> Place:
    """The commune of ?unit=CODE and its sites of ?site=KEY&site=KEY; else all. Raises Http404 for somebody else's."""
    units = user.units()
    code = asking.word(request.GET.get("unit", ""))
    unit = user.unit or (units.filter(code=code).first() if code else None)
    if code and (unit is None or unit.code != code):
        raise Http404(code)
    offered = Site.objects.select_related("unit").filter(unit__in=[unit] if unit else units)
    sites = tuple(offered.order_by("unit__name", "pk"))
    return Place(unit, sites, _chosen(sites, request.GET.getlist("site")))


def _chosen(sites: Sequence[Site], asked: Sequence[str]) -> tuple[Site, ...]:
    known = {str(site.pk): site for site in sites}
    if not asked:
        return tuple(sites)
    if not known.keys() >= set(asked):
        raise Http404("site")
    return tuple(site for key, site in known.items() if key in asked)


def choice_of(request: HttpRequest, user: User, today: date) -> Choice:
    """The report of an address: ?period=2026-11, or the fields of the form; by default this month by service."""
    place = place_of(request, user)
    dims = DIMS if place.unit is None else DIMS[:-1]
    asked = request.GET.get("by", "")
    dim = asked if asked in dims else "unit" if place.unit is None else "service"
    try:
        return Choice(place, _period(request, today), dim)
    except BadPeriod as error:
        return Choice(place, periods.around(Kind.MONTH, today), dim, error.key)


def _period(request: HttpRequest, today: date) -> Period:
    key, kind = request.GET.get("period", ""), request.GET.get("kind", "")
    if key:
        return periods.parse(key)
    if kind not in list(Kind):
        return periods.around(Kind.MONTH, today)
    first = periods.parse(request.GET.get("day") or f"{today}")
    if kind == Kind.RANGE:
        last = periods.parse(request.GET.get("last") or f"{today}")
        return periods.between(first.first, last.first)
    return periods.around(Kind(kind), first.first)
