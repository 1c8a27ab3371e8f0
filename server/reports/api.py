"""What programs of others read with an integrator's token: tickets, sums of days, ratings. docs/server.md explains it.

Tickets and days are read by a cursor that says where the last answer ended: what changed since comes again under the
same id, and all of it after the database was brought back from a copy. No code of a slip, no free text, nothing that
ties two tickets to one person.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache, wraps
from http import HTTPStatus
from importlib import resources
from typing import Any, NamedTuple

from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from kiosk.tickets import text_of
from server import clock
from server.facts.models import Cursor, Rollup, Ticket
from server.feed.api import refused
from server.feed.intake import digest
from server.generation import current_generation
from server.registry.models import Integrator, Site
from server.reports.figures import COUNTS
from server.reports.opinions import Span, read_ratings
from server.reports.periods import BadPeriod, Kind, Period, parse
from server.reports.spreads import packed, spread

MOST = 1000
"""Most rows of an answer; of days, which are long, a tenth."""
TICKET = (
    "id", "day", "session", "number", "service", "queue", "priority", "state", "counter", "clerk", "issued_at",
    "reached_at", "started_at", "ended_at", "implied", "calls", "transfers", "holds", "misses", "issuer", "num",
)  # fmt: skip
NAMED = {"reached_at": "called_at", "issuer": "issued_by"}
"""Fields whose names people read otherwise."""

Asked = Callable[[HttpRequest, Integrator], JsonResponse]


class Mark(NamedTuple):
    """Where an answer of tickets ended: one event can change many tickets, so the last one's id belongs to it."""

    num: int
    id: str

    def text(self, generation: int) -> str:
        number = f"{generation}.{self.num}"
        return f"{number}.{self.id.encode().hex()}" if self.id else number


class BadQuery(ValueError):
    """A parameter that cannot be read; the message says what it should be."""


def by_integrator(answer: Asked) -> Callable[[HttpRequest], JsonResponse]:
    """Only for a program that shows its token; whose it is goes into the answer."""

    @csrf_exempt
    @require_safe
    @wraps(answer)
    def wrapped(request: HttpRequest) -> JsonResponse:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        known = Integrator.objects.select_related("unit").filter(token=digest(token.strip()), revoked=False).first()
        if scheme.lower() != "bearer" or known is None:
            refusal = refused(HTTPStatus.UNAUTHORIZED, "token", "this token is not known here")
            refusal["WWW-Authenticate"] = "Bearer"
            return refusal
        try:
            made = answer(request, known)
        except BadQuery as error:
            return refused(HTTPStatus.BAD_REQUEST, "query", str(error))
        made["Cache-Control"] = "no-store"
        return made

    return wrapped


@by_integrator
def tickets(request: HttpRequest, integrator: Integrator) -> JsonResponse:
    """GET /api/v1/tickets: those that changed since `after`, in the order of their last change."""
    generation = current_generation() + Cursor.objects.values_list("rebuilds", flat=True).get(one=1)
    since, limit = _mark(request, generation, _newest(Ticket, "num")), _limit(request, MOST)
    found = _of(integrator, _behind(since)).order_by("num", "id")
    rows = list(found.values("site__unit__code", "site__key", "device__name", *TICKET)[: limit + 1])
    shown = rows[:limit]
    last = Mark(shown[-1]["num"], shown[-1]["id"]) if shown else since
    body = {"tickets": [_ticket(row) for row in shown], "next": last.text(generation), "more": len(rows) > limit}
    return JsonResponse(body)


@by_integrator
def days(request: HttpRequest, integrator: Integrator) -> JsonResponse:
    """GET /api/v1/days: sums of the days that changed since `after`, each whole."""
    generation = current_generation()
    since, limit = _since(request, generation, _newest(Rollup, "pk")), _limit(request, MOST // 10)
    found = _of(integrator, Rollup.objects.filter(dim="all", pk__gt=since)).order_by("pk")
    marks = list(found.values_list("pk", "site_id", "day")[: limit + 1])
    shown = marks[:limit]
    last = shown[-1][0] if shown else since
    found_days = _days([(site, day) for _, site, day in shown])
    return JsonResponse({"days": found_days, "next": f"{generation}.{last}", "more": len(marks) > limit})


@by_integrator
def ratings(request: HttpRequest, integrator: Integrator) -> JsonResponse:
    """GET /api/v1/ratings: a month's ratings in the smallest sums that may be shown."""
    now, limit, generation = clock.now(), _limit(request, MOST), current_generation()
    month = _month(request, now)
    units = {} if integrator.unit is None else {"unit": integrator.unit}
    sites = list(Site.objects.select_related("unit").filter(**units).order_by("pk"))
    read = read_ratings(sites, month, now)
    spans = list(read.spans(month))
    offset = _since(request, generation, len(spans))
    shown = spans[offset : offset + limit]
    by_key = {site.pk: site for site in sites}
    body = {
        "month": month.key,
        "until": str(read.upto),
        "ratings": [_span(by_key[each.site], each) for each in shown],
        "next": f"{generation}.{offset + len(shown)}",
        "more": len(spans) > offset + limit,
    }
    return JsonResponse(body)


@cache
def _description() -> bytes:
    return resources.files("server").joinpath("api/openapi.json").read_bytes()


@csrf_exempt
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """GET /api/v1/openapi.json: the description of all of this."""
    return HttpResponse(_description(), content_type="application/json")


# --- what was asked -------------------------------------------------------------------------------------------


def _of(integrator: Integrator, rows: "QuerySet[Any]") -> "QuerySet[Any]":
    return rows if integrator.unit is None else rows.filter(site__unit=integrator.unit)


def _limit(request: HttpRequest, most: int) -> int:
    text = request.GET.get("limit", "")
    if not text:
        return most // 2
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= most:
        raise BadQuery(f"limit: from 1 to {most}")
    return int(text)


def _newest(model: type[Ticket] | type[Rollup], by: str) -> int:
    return int(model._default_manager.aggregate(last=Max(by))["last"] or 0)


def _since(request: HttpRequest, generation: int, newest: int) -> int:
    """Where the last answer ended. Facts that were made again since are told again, from the first.

    So is all to whoever read further than there is: the database is not the one that was read.
    """
    text = request.GET.get("after", "")
    if not text:
        return 0
    found = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,18})", text)
    if found is None:
        raise BadQuery("after: the `next` of an answer before, or nothing")
    since = int(found[2])
    return since if int(found[1]) == generation and since <= newest else 0


def _mark(request: HttpRequest, generation: int, newest: int) -> Mark:
    """The same for tickets."""
    found = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,18})\.((?:[0-9a-f]{2}){1,80})", request.GET.get("after", ""))
    if found is None:
        return Mark(_since(request, generation, newest), "")
    num = int(found[2])
    if int(found[1]) != generation or num > newest:
        return Mark(0, "")
    id = bytes.fromhex(found[3]).decode("utf-8", "replace")
    return Mark(num, id.replace("\0", ""))  # PostgreSQL's text cannot hold NUL


def _behind(mark: Mark) -> "QuerySet[Ticket]":
    if not mark.id:
        return Ticket.objects.filter(num__gt=mark.num)
    return Ticket.objects.filter(num__gte=mark.num).exclude(num=mark.num, id__lte=mark.id)


def _month(request: HttpRequest, now: datetime) -> Period:
    try:
        month = parse(request.GET.get("month", ""))
    except BadPeriod:
        month = None
    if month is None or month.kind is not Kind.MONTH:
        raise BadQuery("month: as 2026-11")
    return month


# --- rows -----------------------------------------------------------------------------------------------------


def _ticket(row: Mapping[str, Any]) -> dict[str, Any]:
    fields = {NAMED.get(name, name): _plain(row[name]) for name in TICKET}
    return {**fields, "unit": row["site__unit__code"], "site": row["site__key"], "device": row["device__name"]}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return text_of(value)
    return str(value) if isinstance(value, date) else value


def _days(wanted: list[tuple[int, date]]) -> list[dict[str, Any]]:
    """The sums of these days, each with all its rows, in the order that was asked for."""
    if not wanted:
        return []
    found = Rollup.objects.filter(site__in={site for site, _ in wanted}, day__in={day for _, day in wanted})
    rows: dict[tuple[int, date], list[dict[str, Any]]] = {place: [] for place in wanted}
    for row in found.order_by("pk").values("site_id", "day", "dim", "key", *COUNTS, "waits", "services"):
        place = (row["site_id"], row["day"])
        if place in rows:
            rows[place].append(_sums(row))
    sites = Site.objects.select_related("unit").in_bulk({site for site, _ in wanted})
    return [
        {"unit": sites[site].unit.code, "site": sites[site].key, "day": str(day), "sums": rows[site, day]}
        for site, day in wanted
    ]


def _sums(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: row[name] for name in ("dim", "key", *COUNTS)}
    return {**counts, "wait": _spread(row["waits"]), "service_time": _spread(row["services"])}


def _spread(counts: Mapping[str, int]) -> dict[str, Any]:
    found = spread(packed(counts))
    return {"n": found.n, "median_min": found.median, "p90_min": found.p90, "by_minute": counts}


def _span(site: Site, span: Span) -> dict[str, Any]:
    opinion, figure = span.opinion, span.opinion.figure
    satisfied = {level.value: level.satisfied for level in opinion.labels.levels} if opinion.labels else {}
    return {
        "unit": site.unit.code,
        "site": site.key,
        "first": str(span.days.first),
        "last": str(span.days.last),
        "label_set": figure.label_set,
        "n": figure.n,
        "served": figure.served,
        "levels": [
            {"level": level, "n": n, "satisfied": satisfied.get(level)} for level, n in sorted(figure.by_level.items())
        ],
        "left_out": [
            {"flag": flag, "level": level, "n": n}
            for flag, levels in figure.left_out.items()
            for level, n in sorted(levels.items())
        ],
    }
