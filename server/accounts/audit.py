"""Who did or read what: the page and its CSV. Whoever saves the CSV is noted too."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from kiosk.texts import LOCAL, Texts
from server import asking
from server.accounts.access import for_roles, note, person
from server.accounts.models import COMMAND_LINE, Audit, User
from server.accounts.noted import about_in_words
from server.accounts.roles import AUDITORS
from server.pages import page
from server.publication.sheets import csv_of
from server.words import language_of, texts

ROWS, MOST = 100, 50_000
"""Of a page, and of a CSV."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader wants to see; "" and None want all. `kind` is the first part of `what`."""

    who: str
    kind: str
    first: date | None
    last: date | None

    @property
    def query(self) -> str:
        """The same as part of an address."""
        given = {"who": self.who, "kind": self.kind, "from": self.first or "", "to": self.last or ""}
        return urlencode({name: value for name, value in given.items() if value})


def asked_of(given: Mapping[str, str]) -> Asked:
    """What the parameters of an address ask for; days that are none want all."""
    first, last = asking.day(given.get("from", "")), asking.day(given.get("to", ""))
    who, kind = (asking.word(given.get(name, "")) for name in ("who", "kind"))
    return Asked(who.strip(), kind, first, last)


def of_reader(user: User) -> QuerySet[Audit]:
    """What was done or read in the own commune; for operators everything."""
    return Audit.objects.filter(unit=user.unit_id) if user.unit_id else Audit.objects.all()


def found(user: User, asked: Asked) -> QuerySet[Audit]:
    """The newest first."""
    rows = of_reader(user).select_related("unit").order_by("-id")
    if asked.who:
        rows = rows.filter(who__iexact=asked.who)
    if asked.kind:
        rows = rows.filter(what__startswith=f"{asked.kind}.")
    if asked.first:
        rows = rows.filter(at__gte=_midnight(asked.first))
    return rows.filter(at__lt=_midnight(asked.last + timedelta(days=1))) if asked.last else rows


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL)


def said(what: str, t: Texts) -> str:
    """What somebody did, in words; a word that the language files do not know as it is."""
    key = f"audit.{what}"
    return t(key) if key in t else what


def by(who: str, t: Texts) -> str:
    """Who did it: the name of an account or a kiosk, or that of the command line in words."""
    return t("audits.command_line") if who == COMMAND_LINE else who


@for_roles(*AUDITORS)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """A page of it; `before` is the last row of the page before."""
    user, t = person(request), texts(language_of(request))
    asked = asked_of(request.GET)
    rows = found(user, asked)
    before = asking.number(request.GET.get("before", ""))
    shown = list((rows if before is None else rows.filter(id__lt=before))[: ROWS + 1])
    values: dict[str, Any] = {
        "rows": shown[:ROWS],
        "older": shown[ROWS - 1].pk if len(shown) > ROWS else None,
        "asked": asked,
        "people": sorted(set(of_reader(user).order_by().values_list("who", flat=True).distinct())),
        "kinds": _kinds(user, t),
        "many": user.unit_id is None,
        "what": lambda row: said(row.what, t),
        "about": lambda row: about_in_words(t, row.what, row.about),
        "by": lambda who: by(who, t),
    }
    return page(request, "admin/audit.html", **values)


def _kinds(user: User, t: Texts) -> list[tuple[str, str]]:
    words = set(of_reader(user).order_by().values_list("what", flat=True).distinct())
    return [(kind, said(kind, t)) for kind in sorted({word.partition(".")[0] for word in words})]


@for_roles(*AUDITORS)
@require_safe
def sheet(request: HttpRequest) -> HttpResponse:
    """The same as CSV, at most MOST rows."""
    user, t = person(request), texts(language_of(request))
    asked = asked_of(request.GET)
    note(request, "audit.saved", asked.query)
    head = [t(f"audits.{name}") for name in ("at", "who", "what", "about", "unit")]
    lines = [
        [
            f"{row.at.astimezone(LOCAL):%Y-%m-%d %H:%M:%S}",
            by(row.who, t),
            said(row.what, t),
            about_in_words(t, row.what, row.about),
            _unit(row),
        ]
        for row in found(user, asked)[:MOST]
    ]
    answer = HttpResponse(csv_of([head, *lines]), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="nhat-ky.csv"'
    return answer


def _unit(row: Audit) -> str:
    return row.unit.name if row.unit else ""
