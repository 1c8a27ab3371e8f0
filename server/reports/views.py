"""The dashboard and the reports as pages."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode

from server import clock
from server.accounts.access import for_roles, person
from server.accounts.models import Role
from server.pages import page
from server.reports.choosing import place_of
from server.reports.own import own_months
from server.reports.periods import words as period_words
from server.reports.today import sites_now, units_now
from server.words import language_of, texts

POLL_S = 5
"""How often a page of today asks for what changed."""


@for_roles(*Role)
def today(request: HttpRequest) -> HttpResponse:
    """What happens now. Clerks have their own page."""
    if person(request).role == Role.CLERK:
        return redirect("mine")
    return page(request, "today.html", **_now(request), poll_s=POLL_S)


@for_roles(*(set(Role) - {Role.CLERK}))
def live(request: HttpRequest) -> HttpResponse:
    """The moving part of today's page; nothing (204) while it is as the asker has it."""
    values = _now(request)
    if request.GET.get("version") == values["version"]:
        return HttpResponse(status=204)
    return page(request, str(values["moving"]), **values)


def _now(request: HttpRequest) -> dict[str, Any]:
    place, now = place_of(request, person(request)), clock.now()
    shown = sites_now(place.sites, now)
    version = hashlib.sha256(repr((language_of(request), shown)).encode()).hexdigest()[:16]
    moving = "reports/now.html" if place.unit else "reports/communes.html"
    units = [] if place.unit else units_now(shown)
    places = {"place": place, "query": urlencode(place.query)}
    return {**places, "shown": shown, "units": units, "version": version, "moving": moving, "today": now}


@for_roles(Role.CLERK)
def mine(request: HttpRequest) -> HttpResponse:
    """A clerk's own sums."""
    user = person(request)
    months = own_months(user.site, user.clerk, clock.now()) if user.site and user.clerk else []
    shown = [(period_words(texts(language_of(request)), month.period), month) for month in months]
    return page(request, "reports/mine.html", months=shown)
