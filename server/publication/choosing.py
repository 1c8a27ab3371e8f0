"""Which place and period a page of figures is about, by its address: ?unit=CODE&site=ID&period=2026-11."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from http import HTTPStatus
from typing import ParamSpec, cast

from django.http import Http404, HttpRequest, HttpResponse

from server import asking
from server.accounts.models import User
from server.pages import page
from server.publication.content import Place
from server.registry.models import Site
from server.reports import periods
from server.reports.periods import BadPeriod, Kind, Period

P = ParamSpec("P")
RECENT = {Kind.MONTH: 12, Kind.QUARTER: 4, Kind.YEAR: 2, Kind.WEEK: 8}
"""How many periods of each kind are offered."""


def place(request: HttpRequest, user: User) -> Place:
    """The chosen commune and reception point; without a site, or with several, the whole commune. Raises Http404 for
    somebody else's."""
    asked = request.POST if request.method == "POST" else request.GET
    units, code, sites = (
        user.units(),
        asking.word(asked.get("unit", "")),
        [each for each in asked.getlist("site") if each],
    )
    if len(sites) == 1:
        known = {str(each.pk): each for each in Site.objects.select_related("unit").filter(unit__in=units)}
        if sites[0] not in known:
            raise Http404("site")
        return Place(known[sites[0]].unit, known[sites[0]])
    unit = units.filter(code=code).first() if code else user.unit
    if unit is None:
        raise Http404("unit")
    return Place(unit)


def period(asked: str, usual: Period) -> Period:
    """The period of a text; the usual one where there is no text. Raises BadPeriod."""
    return periods.parse(asked) if asked else usual


def refuses_no_period(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Answer a period that cannot be read with the reason; the view's first argument is its request."""

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(*args, **kwargs)
        except BadPeriod as error:
            return page(cast(HttpRequest, args[0]), "message.html", HTTPStatus.BAD_REQUEST, key=error.key)

    return wrapped


def over(upto: date, since: date = date.min) -> dict[Kind, list[Period]]:
    """The latest periods that end on this day or before, by kind, the newest first; without those that end before
    figures begin (`since`)."""
    found: dict[Kind, list[Period]] = {}
    for kind, most in RECENT.items():
        last = periods.around(kind, upto)
        last = last if last.last <= upto else last.before()
        while last.last >= since and len(found.setdefault(kind, [])) < most:
            found[kind].append(last)
            last = last.before()
    return found


def last_month(upto: date) -> Period:
    """The latest month that ends on this day or before."""
    return over(upto)[Kind.MONTH][0]
