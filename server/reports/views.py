"""The dashboard and the reports as pages."""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import urlencode

from kiosk.texts import LOCAL, Texts
from server import clock
from server.accounts.access import P, View, for_roles, note, person
from server.accounts.models import Role
from server.accounts.roles import ALL, CLERKS, FIGURES, KEEPERS, TODAY
from server.pages import page
from server.publication.of_reports import beside, stamp_of
from server.reports import charts
from server.reports.choosing import Choice, choice_of, place_of
from server.reports.downloads import as_csv, as_xlsx
from server.reports.opinions import latest
from server.reports.own import own_months
from server.reports.periods import Kind
from server.reports.periods import words as period_words
from server.reports.report import Report, report
from server.reports.tables import said
from server.reports.today import sites_now, units_now
from server.words import language_of, texts

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PICTURE = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""A chart that is opened by itself needs the style sheet that stands in it, and nothing else."""
Asked = Callable[Concatenate[HttpRequest, Choice, Texts, datetime, P], HttpResponse]
"""A view of a report that is there: which, in which words, as of when."""
POLL_S = 5
"""How often a page of today asks for what changed."""


@for_roles(*ALL)
def today(request: HttpRequest) -> HttpResponse:
    """What happens now. Clerks have their own page."""
    if person(request).role == Role.CLERK:
        return redirect("mine")
    return page(request, "today.html", **_now(request), poll_s=POLL_S)


@for_roles(*TODAY)
def live(request: HttpRequest) -> HttpResponse:
    """The moving part of today's page; nothing (204) while it is as the asker has it."""
    values = _now(request)
    if request.GET.get("version") == values["version"]:
        return HttpResponse(status=204)
    return page(request, str(values["moving"]), **values)


def _now(request: HttpRequest) -> dict[str, Any]:
    place, now = place_of(request, person(request)), clock.now()
    shown = sites_now(place.sites, now)
    rated = latest(place.sites, now) if place.unit else {}
    seen = (language_of(request), now.astimezone(LOCAL).date(), shown, rated)
    version = hashlib.sha256(repr(seen).encode()).hexdigest()[:16]
    moving = "reports/now.html" if place.unit else "reports/communes.html"
    units = [] if place.unit else units_now(shown)
    places = {"place": place, "query": urlencode(place.query), "today": now}
    places["may_add"] = person(request).role in KEEPERS
    return {**places, "shown": shown, "rated": rated, "units": units, "version": version, "moving": moving}


@for_roles(*CLERKS)
def mine(request: HttpRequest) -> HttpResponse:
    """A clerk's own sums."""
    user, t = person(request), texts(language_of(request))
    known = bool(user.site and user.clerk)
    months = own_months(user.site, user.clerk, clock.now()) if user.site and user.clerk else []
    shown = [(period_words(t, month.period), month) for month in months if month.visits.issued]
    return page(request, "reports/mine.html", months=shown, known=known)


# --- reports --------------------------------------------------------------------------------------------------


def _asked(request: HttpRequest) -> tuple[Choice, Texts, datetime]:
    now = clock.now()
    choice = choice_of(request, person(request), now.astimezone(LOCAL).date())
    return choice, texts(language_of(request)), now


def _of_a_period(view: Asked[P]) -> View[P]:
    """Only the page with the form shows this month in place of a period that is none: what is kept or printed has no
    room to say so, and is refused."""

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        choice, t, now = _asked(request)
        if choice.problem:
            return page(request, "message.html", HTTPStatus.BAD_REQUEST, key=choice.problem)
        return view(request, choice, t, now, *args, **kwargs)

    return wrapped


@for_roles(*FIGURES)
def reports(request: HttpRequest) -> HttpResponse:
    """A report as a page, with the form that chooses another one."""
    choice, t, now = _asked(request)
    made = report(choice, t, now)
    values: dict[str, Any] = {
        "choice": choice, "report": made, "charts": _charts(made), "cell": said, "kinds": list(Kind),
        "entered": _entered(request, choice),
        "before": choice.for_period(choice.period.before()), "after": choice.for_period(choice.period.after()),
        **beside(choice, now),
    }  # fmt: skip
    return page(request, "reports/report.html", **values)


def _entered(request: HttpRequest, choice: Choice) -> dict[str, str]:
    """What stands in the form: the period that is shown, or what was asked for where there is no such period."""
    shown = {"kind": choice.period.kind.value, "day": f"{choice.period.first}", "last": f"{choice.period.last}"}
    return {name: request.GET.get(name, value) if choice.problem else value for name, value in shown.items()}


@for_roles(*FIGURES)
@_of_a_period
def report_print(request: HttpRequest, choice: Choice, t: Texts, now: datetime) -> HttpResponse:
    """The same on A4, for the printer or as a PDF."""
    made = report(choice, t, now)
    values: dict[str, Any] = {"choice": choice, "report": made, "charts": _charts(made), "cell": said, "made": now}
    return page(request, "reports/print.html", **values, **beside(choice, now))


def _charts(made: Report) -> dict[str, list[tuple[str, str, int, int]]]:
    """Name, words and size of each chart, by the table that it belongs to."""
    found: dict[str, list[tuple[str, str, int, int]]] = defaultdict(list)
    for chart in charts.charts_of(made):
        found[chart.table].append((chart.key, charts.alt(made, chart), *charts.size(made, chart)))
    return found


@for_roles(*FIGURES)
@_of_a_period
def chart(request: HttpRequest, choice: Choice, t: Texts, now: datetime, key: str) -> HttpResponse:
    """A chart of the same report."""
    wanted = charts.BY_KEY.get(key)
    if wanted is None:
        raise Http404(key)
    try:
        svg = charts.draw(report(choice, t, now, only=[wanted.table]), wanted, t)
    except LookupError as error:
        raise Http404(key) from error
    return HttpResponse(svg, content_type="image/svg+xml", headers={"Content-Security-Policy": PICTURE})


@for_roles(*FIGURES)
@_of_a_period
def report_csv(request: HttpRequest, choice: Choice, t: Texts, now: datetime) -> HttpResponse:
    """The report for any office program."""
    made = as_csv(report(choice, t, now), t, now, stamp_of(choice, now))
    return _file(request, choice, made, "csv", "text/csv; charset=utf-8")


@for_roles(*FIGURES)
@_of_a_period
def report_xlsx(request: HttpRequest, choice: Choice, t: Texts, now: datetime) -> HttpResponse:
    """The report for Excel."""
    made = as_xlsx(report(choice, t, now), t, now, stamp_of(choice, now))
    return _file(request, choice, made, "xlsx", XLSX)


def _file(request: HttpRequest, choice: Choice, content: bytes, ending: str, kind: str) -> HttpResponse:
    note(request, "report.saved", f"{choice.period.key} {choice.dim} {ending}", choice.place.unit)
    whose = choice.place.unit.code if choice.place.unit else "tat-ca"
    name = f"bao-cao-{whose}-{choice.period.key}.{ending}"
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
